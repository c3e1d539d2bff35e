//! What is wrong with a history: anomalies, with what each rules out.

use rashomon_core::Anomaly;
use serde_json::{Map, Value, json};

use super::level::{Isolation, Level, Levels, Order};
use super::transactions::Transactions;

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
    pub(super) fn new(
        name: &'static str,
        key: String,
        transactions: Vec<u32>,
        because: impl Into<String>,
    ) -> Finding {
        Finding {
            name: name.to_owned(),
            key: Some(key),
            transactions,
            because: because.into(),
            rules_out: rules_out(name),
            details: Map::new(),
        }
    }

    /// The anomaly, with the events of its transactions and the weakest levels that it rules out.
    pub(super) fn accuse(&self, transactions: &Transactions) -> Anomaly {
        let mut events = Vec::new();
        for transaction in &self.transactions {
            let transaction = transactions.list[*transaction as usize];
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
