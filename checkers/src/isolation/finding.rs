//! What is wrong with a history: anomalies, with what each rules out.

use std::collections::BTreeMap;

use rashomon_core::Anomaly;
use serde_json::{Map, Value, json};

use super::level::{Isolation, Level, Levels, Order};
use super::transactions::Transactions;

/// The anomalies of one name that are told one by one; the others are counted.
const TOLD: usize = 8;

/// All anomalies of a history: of each name the first few, and how many there are.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) list: Vec<Finding>,
    /// For each name, and what its anomalies rule out, how many.
    pub(super) counts: BTreeMap<String, Vec<(Levels, usize)>>,
}

impl Findings {
    /// Counts an anomaly, and keeps what `tell` says of it while there are few of its kind.
    pub(super) fn add(&mut self, name: &str, rules_out: Levels, tell: impl FnOnce() -> Finding) {
        let kinds = self.counts.entry(name.to_owned()).or_default();
        let place = kinds.iter().position(|(levels, _)| *levels == rules_out).unwrap_or_else(|| {
            kinds.push((rules_out, 0));
            kinds.len() - 1
        });
        kinds[place].1 += 1;
        if kinds[place].1 <= TOLD {
            self.list.push(tell());
        }
    }

    /// Counts an anomaly that is no cycle: its key, the transactions that show it, and why.
    pub(super) fn note(&mut self, name: &'static str, tell: impl FnOnce() -> (String, Vec<u32>, String)) {
        self.add(name, rules_out(name), || {
            let (key, transactions, because) = tell();
            Finding::new(name, key, transactions, because)
        });
    }

    /// Everything that is ruled out.
    pub(super) fn violated(&self) -> Levels {
        self.counts.values().flatten().fold(Levels::default(), |all, (levels, _)| all.and(*levels))
    }
}

/// An anomaly before it is told.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    pub(super) name: String,
    pub(super) key: Option<String>,
    /// The transactions that show it.
    pub(super) transactions: Vec<u32>,
    pub(super) because: String,
    pub(super) rules_out: Levels,
    pub(super) details: Map<String, Value>,
}

impl Finding {
    fn new(name: &'static str, key: String, transactions: Vec<u32>, because: String) -> Finding {
        Finding {
            name: name.to_owned(),
            key: Some(key),
            transactions,
            because,
            rules_out: rules_out(name),
            details: Map::new(),
        }
    }

    /// The anomaly, with the events of its transactions and the weakest levels that it rules out.
    pub(super) fn accuse(&self, transactions: &Transactions) -> Anomaly {
        let mut events = Vec::new();
        for transaction in &self.transactions {
            let transaction = transactions.get(*transaction);
            events.push(transaction.invoke);
            events.extend(transaction.completion);
        }
        events.sort_unstable();
        events.dedup();
        let ruled: Vec<Level> = Level::all().filter(|level| self.rules_out.contains(*level)).collect();
        let weakest = ruled
            .iter()
            .filter(|level| !ruled.iter().any(|weaker| weaker != *level && level.implies(*weaker)));
        let mut details = self.details.clone();
        details.insert("rules_out".to_owned(), json!(weakest.map(Level::to_string).collect::<Vec<_>>()));
        Anomaly {
            name: self.name.clone(),
            key: self.key.clone(),
            events,
            evidence: Vec::new(),
            because: self.because.clone(),
            details,
        }
    }
}

/// The levels that an anomaly which is no cycle rules out.
///
/// A value that nobody wrote, or a list with one append twice, is no version of anything: no level explains it. Reads of
/// what was never committed, or never so, are G1, or imply it. A transaction at odds with itself is no anomaly of read
/// committed, which allows a read to be repeated with another answer. Two transactions that read a version and both replace
/// it are what forbidding concurrent writers forbids.
fn rules_out(name: &str) -> Levels {
    use Isolation as I;
    let weakest: &[Isolation] = match name {
        "garbage-read" | "duplicate-elements" => &[I::ReadUncommitted],
        "G1a" | "G1b" | "dirty-update" | "incompatible-order" | "future-read" | "cyclic-versions" => {
            &[I::ReadCommitted]
        }
        "internal" => &[I::ReadAtomic],
        "lost-update" => &[I::ParallelSnapshot, I::RepeatableRead],
        other => unreachable!("{other} is a cycle, or no anomaly"),
    };
    Levels::from(weakest, Order::Plain)
}
