//! What went into a queue and what came out.

use std::collections::BTreeMap;

use rashomon_core::history::Pair;
use rashomon_core::{History, Kind, Value};

use crate::Budget;
use crate::accusations::completed;
use crate::models::{Datum, Values};

/// All queues of a history, by their keys.
#[derive(Debug, Default)]
pub(super) struct Flow<'h> {
    pub(super) queues: BTreeMap<Option<&'h str>, Queue<'h>>,
    values: Values,
}

/// One queue.
#[derive(Debug, Default)]
pub(super) struct Queue<'h> {
    pub(super) elements: BTreeMap<Datum, Element<'h>>,
    /// The operations that found it empty, in the order in which they began.
    pub(super) empty: Vec<Pair<'h>>,
    /// Where the dequeues began of which nobody knows whether they took an element, or which.
    pub(super) unanswered: Vec<u64>,
    /// The same for drains, which may have taken any number.
    pub(super) unanswered_drains: Vec<u64>,
}

/// The life of all elements that are equal.
#[derive(Debug, Default)]
pub(super) struct Element<'h> {
    /// The enqueues, in the order in which they began.
    pub(super) entered: Vec<Pair<'h>>,
    /// The dequeues and drains that answered with it, once for each time, in the order in which they ended.
    pub(super) left: Vec<Pair<'h>>,
}

/// Why an element could not come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nobody ever put it in.
    Phantom,
    /// Whoever put it in failed.
    Aborted,
    /// It was put in only later.
    Future,
    /// It came out more often than it had gone in.
    Duplicate,
}

impl<'h> Flow<'h> {
    /// Follows a history. The error says what cannot be understood, or that the budget is spent.
    pub(super) fn follow(history: &'h History, budget: &Budget<'_>) -> Result<Flow<'h>, String> {
        let mut flow = Flow::default();
        let mut passages = 0_usize;
        for pair in history.pairs() {
            let queue = flow.queues.entry(pair.invoke.key.as_deref()).or_default();
            let told = |reason: String| format!("op {}: {reason}", pair.invoke.index);
            let answer = pair.completion.filter(|op| op.kind == Kind::Ok).map(|op| &op.value);
            passages += 1;
            match (pair.invoke.f.as_str(), pair.outcome()) {
                ("enqueue", _) => {
                    if pair.invoke.value.is_null() {
                        return Err(told("nil is put into the queue, which stands for nothing".to_owned()));
                    }
                    let element = flow.values.intern(&pair.invoke.value);
                    queue.elements.entry(element).or_default().entered.push(pair);
                }
                ("dequeue", Kind::Info | Kind::Invoke) => queue.unanswered.push(pair.invoke.index),
                ("drain", Kind::Info | Kind::Invoke) => queue.unanswered_drains.push(pair.invoke.index),
                ("dequeue", Kind::Fail) if says_empty(&pair) => queue.empty.push(pair),
                ("dequeue" | "drain", Kind::Fail) => {}
                ("dequeue", Kind::Ok) => match answer {
                    None | Some(Value::Null) => queue.empty.push(pair),
                    Some(value) => {
                        queue.elements.entry(flow.values.intern(value)).or_default().left.push(pair);
                    }
                },
                ("drain", Kind::Ok) => {
                    let Some(Value::Array(list)) = answer else {
                        return Err(told("a drain answers with a list of elements".to_owned()));
                    };
                    for value in list {
                        queue.elements.entry(flow.values.intern(value)).or_default().left.push(pair);
                    }
                    passages += list.len();
                    queue.empty.push(pair);
                }
                (other, _) => return Err(told(format!("a queue has no operation `{other}`"))),
            }
            budget.spend(pair.invoke.index, passages.saturating_mul(size_of::<Pair<'_>>() * 2))?;
        }
        for element in flow.queues.values_mut().flat_map(|queue| queue.elements.values_mut()) {
            element.left.sort_by_key(completed);
        }
        Ok(flow)
    }

    /// The value of an element.
    pub(super) fn value(&self, element: Datum) -> Value {
        self.values.get(element)
    }

    /// Every element of every queue.
    pub(super) fn elements(&self) -> impl Iterator<Item = (Datum, &Element<'h>)> {
        self.queues.values().flat_map(|queue| &queue.elements).map(|(datum, element)| (*datum, element))
    }
}

/// Whether a dequeue failed because there was nothing in the queue, which Jepsen's clients say in the error.
fn says_empty(pair: &Pair<'_>) -> bool {
    let error = pair.completion.and_then(|op| op.error.as_deref()).unwrap_or_default().to_lowercase();
    error.contains("empty") || error.contains("exhausted")
}

impl<'h> Element<'h> {
    /// The enqueues that may have happened.
    pub(super) fn possible(&self) -> impl Iterator<Item = &Pair<'h>> {
        self.entered.iter().filter(|pair| pair.outcome() != Kind::Fail)
    }

    /// The enqueues that happened.
    pub(super) fn acknowledged(&self) -> impl Iterator<Item = &Pair<'h>> {
        self.entered.iter().filter(|pair| pair.outcome() == Kind::Ok)
    }

    /// The times it came out that no enqueue explains, each with the reason. As few as there can be: an enqueue
    /// explains any dequeue that ended after it began, so giving each in turn one of those that had begun is best.
    pub(super) fn faults(&self) -> Vec<(Fault, Pair<'h>)> {
        let begun: Vec<u64> = self.possible().map(|pair| pair.invoke.index).collect();
        let mut explained = 0;
        let mut faults = Vec::new();
        for left in &self.left {
            let possible = begun.partition_point(|index| *index < completed(left));
            if explained < possible {
                explained += 1;
                continue;
            }
            let fault = match (possible, begun.len(), self.entered.len()) {
                (1.., _, _) => Fault::Duplicate,
                (0, 1.., _) => Fault::Future,
                (0, 0, 1..) => Fault::Aborted,
                (0, 0, 0) => Fault::Phantom,
            };
            faults.push((fault, *left));
        }
        faults
    }
}

impl Fault {
    /// The name of the anomaly.
    pub(super) fn name(self) -> &'static str {
        match self {
            Fault::Phantom => "phantom-dequeue",
            Fault::Aborted => "aborted-dequeue",
            Fault::Future => "future-dequeue",
            Fault::Duplicate => "duplicate-dequeue",
        }
    }

    /// Why it is one, and the operations that show it.
    pub(super) fn tell<'h>(
        self,
        value: &Value,
        left: Pair<'h>,
        element: &Element<'h>,
    ) -> (String, Vec<Pair<'h>>) {
        let out = left.invoke.index;
        let mut ops = vec![left];
        let first = element.entered.first().map_or(0, |pair| pair.invoke.index);
        let because = match self {
            Fault::Phantom => format!("{value} came out (op {out}), but nobody ever put it in"),
            Fault::Aborted => {
                ops.extend(element.entered.first());
                format!(
                    "{value} came out (op {out}), but its enqueue (op {first}) failed and so certainly did not happen"
                )
            }
            Fault::Future => {
                let later = element.possible().next();
                ops.extend(later);
                let later = later.map_or(0, |pair| pair.invoke.index);
                format!("{value} came out (op {out}) before its enqueue (op {later}) had begun")
            }
            Fault::Duplicate => {
                let before = |pair: &&Pair<'h>| pair.invoke.index < completed(&left);
                let entered: Vec<Pair<'h>> = element.possible().filter(before).copied().collect();
                let earlier = element.left.iter().take_while(|other| completed(other) < completed(&left));
                ops.extend(&entered);
                ops.extend(earlier);
                let times = entered.len();
                format!(
                    "{value} came out (op {out}) once more than the {times} {} it can have gone in",
                    if times == 1 { "time" } else { "times" }
                )
            }
        };
        (because, ops)
    }
}
