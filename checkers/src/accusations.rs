//! What a checker accuses a history of.

use std::collections::BTreeMap;

use rashomon_core::history::Pair;
use rashomon_core::{Anomaly, Map, Value, Verdict};
use serde_json::json;

use crate::linearizable::operation;

/// The anomalies of one kind that are told one by one; the others are counted.
const TOLD: usize = 8;

/// The longest list that is shown with an operation; of a longer one only the length is.
const SHOWN: usize = 16;

/// The anomalies of a history: of each name the first few, and how many there are.
#[derive(Debug, Default)]
pub(crate) struct Accusations {
    by_name: BTreeMap<&'static str, (usize, Vec<Anomaly>)>,
}

impl Accusations {
    /// Counts an anomaly, and keeps what `tell` says of it while there are few of its name.
    pub(crate) fn add(&mut self, name: &'static str, tell: impl FnOnce() -> Anomaly) {
        let (count, told) = self.by_name.entry(name).or_default();
        *count += 1;
        if told.len() < TOLD {
            told.push(tell());
        }
    }

    /// How many there are of a name.
    pub(crate) fn count(&self, name: &str) -> usize {
        self.by_name.get(name).map_or(0, |(count, _)| *count)
    }

    /// The verdict, if there is anything to accuse of. `order` names the anomalies, the worst first; `facts` end the
    /// summary.
    pub(crate) fn verdict(self, checker: &str, order: &[&'static str], facts: &str) -> Option<Verdict> {
        let counts: Map<String, Value> =
            self.by_name.iter().map(|(name, (count, _))| ((*name).to_owned(), json!(count))).collect();
        let listed: Vec<String> = counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
        let rank = |name: &str| order.iter().position(|other| *other == name).unwrap_or(order.len());
        let mut named: Vec<_> = self.by_name.into_iter().collect();
        named.sort_by_key(|(name, _)| rank(name));
        let anomalies: Vec<Anomaly> = named.into_iter().flat_map(|(_, (_, told))| told).collect();
        let first = anomalies.first()?;
        let summary = format!("{}: {}; {}; {facts}", first.name, first.because, listed.join(", "));
        Some(Verdict::invalid(checker, summary, anomalies).with_stat("anomalies", Value::Object(counts)))
    }
}

/// An anomaly that these operations show.
pub(crate) fn anomaly(
    name: &str,
    because: String,
    mut ops: Vec<Pair<'_>>,
    mut details: Map<String, Value>,
) -> Anomaly {
    ops.sort_by_key(|pair| pair.invoke.index);
    ops.dedup_by_key(|pair| pair.invoke.index);
    let ends = |pair: &Pair<'_>| [Some(pair.invoke.index), pair.completion.map(|op| op.index)];
    let mut events: Vec<u64> = ops.iter().flat_map(ends).flatten().collect();
    events.sort_unstable();
    details.insert("ops".to_owned(), ops.iter().map(shown).collect());
    Anomaly {
        name: name.to_owned(),
        key: ops.first().and_then(|pair| pair.invoke.key.clone()),
        events,
        evidence: Vec::new(),
        because,
        details,
    }
}

/// An operation for a picture.
fn shown(pair: &Pair<'_>) -> Value {
    let mut shown = operation(pair);
    if let Value::Array(list) = &shown["result"]
        && list.len() > SHOWN
    {
        shown["result"] = json!(format!("{} elements", list.len()));
    }
    shown
}

/// When an operation had certainly ended; never, for one of unknown end.
pub(crate) fn completed(pair: &Pair<'_>) -> u64 {
    pair.completion.map_or(u64::MAX, |op| op.index)
}

#[cfg(test)]
mod tests {
    use rashomon_core::Map;

    use super::{Accusations, anomaly};
    use crate::notation::history;

    #[test]
    fn few_are_told_and_all_are_counted_the_worst_first() {
        let history = history("0 invoke read\n0 ok read 1");
        let pair = history.pairs().next().unwrap();
        let mut accusations = Accusations::default();
        for _ in 0..20 {
            accusations.add("a", || anomaly("a", "it is so".to_owned(), vec![pair, pair], Map::default()));
        }
        accusations.add("b", || anomaly("b", "it is worse".to_owned(), vec![pair], Map::default()));
        assert_eq!((accusations.count("a"), accusations.count("c")), (20, 0));
        let verdict = accusations.verdict("test", &["b", "a"], "1 read").unwrap();
        assert_eq!(verdict.summary, "b: it is worse; 20 a, 1 b; 1 read");
        assert_eq!(verdict.anomalies.len(), 9);
        assert_eq!(verdict.anomalies[1].events, [0, 1]);
        assert_eq!(verdict.stats["anomalies"]["a"], 20);
        assert!(Accusations::default().verdict("test", &[], "").is_none());
    }
}
