//! Every client op of a history in a compact form.

use rashomon_core::{History, Kind, Op};

/// How an op ended, as the scripts number it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    Ok = 0,
    Fail = 1,
    Info = 2,
}

/// One op from end to end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PairOf {
    /// The index of its invocation.
    pub(crate) invoke: u64,
    /// The index of its completion.
    pub(crate) completion: Option<u64>,
    /// In nanoseconds.
    pub(crate) from: u64,
    /// In nanoseconds; `None` when the history ends first.
    pub(crate) to: Option<u64>,
    pub(crate) outcome: Outcome,
}

impl PairOf {
    /// Its invocation.
    pub(crate) fn begun<'h>(&self, history: &'h History) -> &'h Op {
        history.op(self.invoke).expect("a pair is of the history it was made from")
    }
}

/// The client ops of a history, in the order of their invocations.
#[derive(Debug)]
pub(crate) struct Pairs(pub(crate) Vec<PairOf>);

impl Pairs {
    pub(crate) fn new(history: &History) -> Pairs {
        let pair = |pair: rashomon_core::history::Pair<'_>| PairOf {
            invoke: pair.invoke.index,
            completion: pair.completion.map(|op| op.index),
            from: pair.invoke.time.0,
            // A completion cannot precede its invocation, whatever a foreign file says.
            to: pair.completion.map(|op| op.time.max(pair.invoke.time).0),
            outcome: match pair.outcome() {
                Kind::Ok => Outcome::Ok,
                Kind::Fail => Outcome::Fail,
                Kind::Info | Kind::Invoke => Outcome::Info,
            },
        };
        Pairs(history.pairs().map(pair).collect())
    }
}
