//! What was added to a counter, and what reads showed.

use std::collections::BTreeMap;

use rashomon_core::history::Pair;
use rashomon_core::{History, Kind};

use crate::Budget;
use crate::accusations::completed;

/// One counter: a key of a history.
#[derive(Debug, Default)]
pub(super) struct Additions<'h> {
    /// The adds that may have happened, in the order in which they began.
    pub(super) adds: Vec<(Pair<'h>, i64)>,
    /// The reads that succeeded, with what they showed.
    pub(super) reads: Vec<(Pair<'h>, i64)>,
}

/// The least and the greatest sum that a read may show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) least: i128,
    pub(super) greatest: i128,
}

impl<'h> Additions<'h> {
    /// The counters of a history. The error says what cannot be understood, or that the budget is spent.
    pub(super) fn follow(
        history: &'h History,
        budget: &Budget<'_>,
    ) -> Result<BTreeMap<Option<&'h str>, Additions<'h>>, String> {
        let mut counters: BTreeMap<Option<&str>, Additions<'h>> = BTreeMap::new();
        for (pair, place) in history.pairs().zip(1_usize..) {
            let counter = counters.entry(pair.invoke.key.as_deref()).or_default();
            let told = |reason: String| format!("op {}: {reason}", pair.invoke.index);
            match (pair.invoke.f.as_str(), pair.outcome()) {
                ("add", outcome) => {
                    let delta = pair.invoke.value.as_i64().ok_or_else(|| {
                        told(format!("an add takes a whole number, not {}", pair.invoke.value))
                    })?;
                    if outcome != Kind::Fail {
                        counter.adds.push((pair, delta));
                    }
                }
                ("read", Kind::Ok) => {
                    let value = pair.completion.map(|op| &op.value);
                    let value = value
                        .and_then(rashomon_core::Value::as_i64)
                        .ok_or_else(|| told("a read of a counter answers with a whole number".to_owned()))?;
                    counter.reads.push((pair, value));
                }
                ("read", _) => {}
                (other, _) => return Err(told(format!("a counter has no operation `{other}`"))),
            }
            budget.spend(pair.invoke.index, place * size_of::<(Pair<'_>, i64)>() * 2)?;
        }
        Ok(counters)
    }

    /// The bounds of each read, where adds that ended before it began must be in it (`definite`), or need not.
    pub(super) fn bounds(&self, definite: bool) -> Vec<Bounds> {
        // An add counts for the far bound from when it begins, and for the near one from when it has certainly ended.
        let prefix = |mut list: Vec<(u64, i64)>| {
            list.sort_unstable();
            let mut sum = 0_i128;
            let sums: Vec<i128> = list
                .iter()
                .map(|(_, delta)| {
                    sum += i128::from(*delta);
                    sum
                })
                .collect();
            let list: Vec<u64> = list.into_iter().map(|(index, _)| index).collect();
            move |end: u64| match list.partition_point(|index| *index < end) {
                0 => 0,
                some => sums[some - 1],
            }
        };
        let begun = |sign: i64| {
            let adds = self.adds.iter().filter(move |(_, delta)| delta.signum() == sign);
            prefix(adds.map(|(pair, delta)| (pair.invoke.index, *delta)).collect())
        };
        let ended = |sign: i64| {
            let adds = self.adds.iter().filter(move |(pair, delta)| {
                definite && delta.signum() == sign && pair.outcome() == Kind::Ok
            });
            prefix(adds.map(|(pair, delta)| (completed(pair), *delta)).collect())
        };
        let (ups_begun, downs_begun) = (begun(1), begun(-1));
        let (ups_ended, downs_ended) = (ended(1), ended(-1));
        let bounds = |(read, _): &(Pair<'h>, i64)| {
            let (from, to) = (read.invoke.index, completed(read));
            Bounds { least: ups_ended(from) + downs_begun(to), greatest: ups_begun(to) + downs_ended(from) }
        };
        self.reads.iter().map(bounds).collect()
    }
}
