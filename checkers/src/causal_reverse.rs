//! Whether a write shows without one that was over before it began.

use std::collections::{BTreeMap, BTreeSet};

use rashomon_core::history::Pair;
use rashomon_core::{Anomaly, History, Kind, Map, Value, Verdict};
use serde_json::json;

use crate::accusations::{Accusations, anomaly, completed};
use crate::circle::{self, Link, Member};
use crate::models::{Datum, Values};
use crate::{Budget, Checker};

/// Judges blind writes of many values, of which reads show those that are there, in the terms of Jepsen's
/// `causal-reverse`, which was `comments` at first: an anomaly that serializability allows and strict serializability
/// forbids.
///
/// Operations: `write` with a value that is written once; `read`, whose `ok` value lists all values that are there. Keys
/// are judged apart.
///
/// - *causal-reverse*: a read shows a value and not one whose write had been acknowledged before the other began;
/// - *G1a*: a read shows a value whose write failed; *future-read*: one whose write began only after the read had ended.
///
/// Each is *invalid*. A write that ended `info` need not show; where it does, all that was acknowledged before it began
/// must show too. Values that nobody is known to have written are counted as `unexplained`: they may have been there at
/// first. *Unknown* when a value is written twice, or when no read showed a value that another had to show with.
#[derive(Clone, Copy, Debug, Default)]
pub struct CausalReverse;

/// Its anomalies, the worst first.
const ORDER: [&str; 3] = ["G1a", "future-read", "causal-reverse"];

/// The writes of one key, and what reads showed.
#[derive(Debug, Default)]
struct Inserts<'h> {
    writes: BTreeMap<Datum, Pair<'h>>,
    reads: Vec<(Pair<'h>, BTreeSet<Datum>)>,
}

/// What the reads of a history came to.
#[derive(Debug, Default)]
struct Totals {
    writes: usize,
    reads: usize,
    /// The reads that had to show some value because they showed another.
    compared: usize,
    unexplained: usize,
}

impl<'h> Inserts<'h> {
    fn compare(
        &self,
        values: &Values,
        accusations: &mut Accusations,
        totals: &mut Totals,
        budget: &Budget<'_>,
    ) -> Result<(), String> {
        let mut acknowledged: Vec<(u64, Datum)> = self
            .writes
            .iter()
            .filter(|(_, write)| write.outcome() == Kind::Ok)
            .map(|(value, write)| (completed(write), *value))
            .collect();
        acknowledged.sort_unstable();
        let ranks: BTreeMap<Datum, usize> = acknowledged.iter().map(|(_, value)| *value).zip(0..).collect();
        for (step, (read, seen)) in (0..).zip(&self.reads) {
            budget.spend(step, 0)?;
            let mut newest: Option<(Datum, Pair<'h>)> = None;
            for value in seen {
                let Some(write) = self.writes.get(value) else {
                    totals.unexplained += 1;
                    continue;
                };
                if write.outcome() == Kind::Fail {
                    accusations.add("G1a", || tell("G1a", "failed", values.get(*value), *read, *write));
                } else if write.invoke.index > completed(read) {
                    let how = "began only later";
                    accusations
                        .add("future-read", || tell("future-read", how, values.get(*value), *read, *write));
                } else if newest.is_none_or(|(_, other)| other.invoke.index < write.invoke.index) {
                    newest = Some((*value, *write));
                }
            }
            // What had to show with the last write to begin had to show with any: the others ask for less.
            let Some((value, write)) = newest else { continue };
            let due = acknowledged.partition_point(|(end, _)| *end < write.invoke.index);
            totals.compared += usize::from(due > 0);
            let there = seen.iter().filter(|value| ranks.get(value).is_some_and(|rank| *rank < due)).count();
            if there < due {
                let missing = acknowledged[..due].iter().find(|(_, value)| !seen.contains(value));
                if let Some((_, missing)) = missing {
                    accusations.add("causal-reverse", || {
                        let before = self.writes[missing];
                        let (value, lost) = (values.get(value), values.get(*missing));
                        let because = format!(
                            "write {lost} (op {}) was acknowledged before write {value} (op {}) began, yet a read (op {}) \
                             showed {value} and not {lost}",
                            before.invoke.index, write.invoke.index, read.invoke.index
                        );
                        let links = [
                            Link::new(
                                "realtime",
                                None,
                                format!(
                                    "it ended at event {}, before the other began at event {}",
                                    completed(&before),
                                    write.invoke.index
                                ),
                            ),
                            Link::new("wr", None, format!("it wrote {value}, and the other read it")),
                            Link::new("rw", None, format!("its read shows no {lost}, which the other wrote")),
                        ];
                        let mut details = circle::details(&[&before, &write, read].map(Member::of), &links);
                        details.insert("missing".to_owned(), json!(due - there));
                        anomaly("causal-reverse", because, vec![before, write, *read], details)
                    });
                }
            }
        }
        totals.writes += self.writes.len();
        totals.reads += self.reads.len();
        Ok(())
    }
}

fn tell<'h>(name: &str, how: &str, value: Value, read: Pair<'h>, write: Pair<'h>) -> Anomaly {
    let (index, op) = (read.invoke.index, write.invoke.index);
    let because = format!("a read (op {index}) showed {value}, but its write (op {op}) {how}");
    anomaly(name, because, vec![read, write], Map::from_iter([("value".to_owned(), value)]))
}

impl CausalReverse {
    fn judge(self, history: &History, budget: &Budget<'_>) -> Result<Verdict, String> {
        let mut values = Values::default();
        let mut keys: BTreeMap<Option<&str>, Inserts<'_>> = BTreeMap::new();
        let mut shown = 0_usize;
        for pair in history.pairs() {
            let inserts = keys.entry(pair.invoke.key.as_deref()).or_default();
            let told = |reason: String| format!("op {}: {reason}", pair.invoke.index);
            match (pair.invoke.f.as_str(), pair.completion.filter(|op| op.kind == Kind::Ok)) {
                ("write", _) => {
                    let value = values.intern(&pair.invoke.value);
                    if let Some(before) = inserts.writes.insert(value, pair) {
                        let (value, before) = (&pair.invoke.value, before.invoke.index);
                        return Err(told(format!("{value} was written before, in op {before}")));
                    }
                }
                ("read", None) => {}
                ("read", Some(answer)) => {
                    let Value::Array(list) = &answer.value else {
                        return Err(told("a read answers with a list of values".to_owned()));
                    };
                    shown += list.len();
                    inserts.reads.push((pair, list.iter().map(|value| values.intern(value)).collect()));
                }
                (other, _) => return Err(told(format!("there is no operation `{other}` here"))),
            }
            let bytes = shown * size_of::<Datum>() * 4 + pair.invoke.index as usize * size_of::<Pair<'_>>();
            budget.spend(pair.invoke.index, bytes)?;
        }
        let mut accusations = Accusations::default();
        let mut totals = Totals::default();
        for inserts in keys.values() {
            inserts.compare(&values, &mut accusations, &mut totals, budget)?;
        }
        let Totals { writes, reads, compared, unexplained } = totals;
        let facts =
            format!("{writes} writes, {reads} reads, {compared} of which had to show one value with another");
        let verdict = match accusations.verdict(self.name(), &ORDER, &facts) {
            Some(invalid) => invalid,
            None if compared == 0 => Verdict::unknown(self.name(), format!("vacuous: {facts}")),
            None => Verdict::valid(self.name(), format!("{facts}, and did")),
        };
        Ok(verdict
            .with_stat("writes", writes)
            .with_stat("reads", reads)
            .with_stat("compared", compared)
            .with_stat("unexplained", unexplained))
    }
}

impl Checker for CausalReverse {
    fn name(&self) -> &'static str {
        "causal-reverse"
    }

    fn about(&self) -> &'static str {
        "no read shows a write without those that were acknowledged before it began"
    }

    fn check(&self, history: &History, budget: &Budget<'_>) -> Verdict {
        self.judge(history, budget).unwrap_or_else(|reason| Verdict::unknown(self.name(), reason))
    }
}
