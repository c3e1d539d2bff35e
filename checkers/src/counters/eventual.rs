//! Whether the last reads of a counter show a sum that its adds make.

use rashomon_core::history::Pair;
use rashomon_core::{Anomaly, History, Kind, Map, Verdict};
use serde_json::json;

use super::additions::Additions;
use super::bounded::{outside, tell};
use super::sums::Sums;
use crate::accusations::{Accusations, anomaly};
use crate::linearizable::node;
use crate::{Budget, Checker};

/// Judges a counter that is right in the end, in the terms of Maelstrom's `g-counter` and `pn-counter`.
///
/// Operations: `add` with a whole number, which is never negative where the counter only grows; `read`, whose `ok` value
/// is the sum. A *final* read is one that was invoked with the value `"final"`: it says that adds had ceased and that
/// messages had had the time to arrive. (Maelstrom marks it with `:final? true`, which becomes that value.) Keys are
/// counters of their own.
///
/// - *wrong sum*: a final read shows no sum of all acknowledged adds and some of those whose end is unknown;
/// - *below* or *above bounds*: another read is less or more than any adds that had begun could make it. Such a read may
///   lack any add, so for a counter that only grows its least is 0.
///
/// Each is *invalid*. An add that ended `info` is in the sum or not; one that ended `fail` is not. *Unknown* when no read
/// is final, or when too many adds of unknown end make too many sums to keep.
#[derive(Clone, Copy, Debug)]
pub struct EventualCounter {
    only_grows: bool,
}

/// Its anomalies, the worst first.
const ORDER: [&str; 3] = ["wrong-sum", "below-bounds", "above-bounds"];

impl EventualCounter {
    /// A counter to which negative numbers may be added.
    pub fn positive_negative() -> EventualCounter {
        EventualCounter { only_grows: false }
    }

    /// A counter that only grows.
    pub fn grow_only() -> EventualCounter {
        EventualCounter { only_grows: true }
    }

    fn judge(self, history: &History, budget: &Budget<'_>) -> Result<Verdict, String> {
        let mut accusations = Accusations::default();
        let (mut reads, mut finals, mut adds) = (0, 0, 0);
        for (place, counter) in (0..).zip(Additions::follow(history, budget)?.values()) {
            budget.spend(place, 0)?;
            if let Some((add, delta)) = counter.adds.iter().find(|(_, delta)| self.only_grows && *delta < 0) {
                let index = add.invoke.index;
                return Err(format!("op {index}: {delta} is added to a counter that only grows"));
            }
            adds += counter.adds.len();
            reads += counter.reads.len();
            let is_final = |read: &Pair<'_>| read.invoke.value == "final";
            let sums = if counter.reads.iter().any(|(read, _)| is_final(read)) {
                Some(possible(counter, budget)?)
            } else {
                None
            };
            for ((read, value), bounds) in counter.reads.iter().zip(counter.bounds(false)) {
                match sums.as_ref().filter(|_| is_final(read)) {
                    Some(sums) => {
                        finals += 1;
                        if !sums.contains(*value) {
                            accusations.add("wrong-sum", || wrong_sum(*read, *value, sums));
                        }
                    }
                    None => {
                        if let Some(name) = outside(*value, bounds) {
                            accusations.add(name, || tell(name, *read, *value, bounds));
                        }
                    }
                }
            }
        }
        let facts = format!("{adds} adds that may have happened, {reads} reads, {finals} of them final");
        let verdict = match accusations.verdict(self.name(), &ORDER, &facts) {
            Some(invalid) => invalid,
            None if finals == 0 => {
                Verdict::unknown(self.name(), format!("vacuous: no final read succeeded; {facts}"))
            }
            None => Verdict::valid(self.name(), format!("{facts}: each of these is a sum of the adds")),
        };
        Ok(verdict.with_stat("reads", reads).with_stat("final_reads", finals).with_stat("adds", adds))
    }
}

/// The sums that a final read may show.
fn possible(counter: &Additions<'_>, budget: &Budget<'_>) -> Result<Sums, String> {
    let acknowledged = counter.adds.iter().filter(|(add, _)| add.outcome() == Kind::Ok);
    let mut sums = Sums::only(acknowledged.map(|(_, delta)| i128::from(*delta)).sum());
    for (add, delta) in counter.adds.iter().filter(|(add, _)| add.outcome() != Kind::Ok) {
        sums.perhaps(*delta);
        // The number of intervals may double each time: the clock is looked at each time too.
        budget.spend(0, sums.bytes()).map_err(|reason| {
            format!("{reason}: adds of unknown end, up to op {}, make too many sums", add.invoke.index)
        })?;
    }
    Ok(sums)
}

fn wrong_sum(read: Pair<'_>, value: i64, sums: &Sums) -> Anomaly {
    let who = node(&read).unwrap_or("a read");
    let index = read.invoke.index;
    let words = sums.words();
    let because = format!("{who} showed {value} at the end (op {index}), where the adds make {words}");
    anomaly("wrong-sum", because, vec![read], Map::from_iter([("sums".to_owned(), json!(words))]))
}

impl Checker for EventualCounter {
    fn name(&self) -> &'static str {
        if self.only_grows { "g-counter" } else { "pn-counter" }
    }

    fn about(&self) -> &'static str {
        if self.only_grows {
            "in the end a counter that only grows shows the sum of all acknowledged adds and some of unknown end"
        } else {
            "in the end a counter shows the sum of all acknowledged adds, up and down, and some of unknown end"
        }
    }

    fn check(&self, history: &History, budget: &Budget<'_>) -> Verdict {
        self.judge(history, budget).unwrap_or_else(|reason| Verdict::unknown(self.name(), reason))
    }
}
