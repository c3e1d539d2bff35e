//! What is wrong with a history: anomalies, with what each rules out.

use std::collections::BTreeMap;

use rashomon_core::Anomaly;
use serde_json::{Map, Value, json};

use super::level::{Isolation, Level, Levels, Order};
use super::micro_ops::Verb;
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

    /// Counts an anomaly that is no cycle: its key, the micro-ops that show it, and why.
    pub(super) fn note(&mut self, name: &'static str, tell: impl FnOnce() -> (String, Vec<Mark>, String)) {
        self.add(name, rules_out(name), || {
            let (key, marks, because) = tell();
            Finding::new(name, key, marks, because)
        });
    }

    /// Everything that is ruled out.
    pub(super) fn violated(&self) -> Levels {
        self.counts.values().flatten().fold(Levels::default(), |all, (levels, _)| all.and(*levels))
    }
}

/// The micro-ops of one transaction that show an anomaly: those of a verb on its key.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    transaction: u32,
    verb: &'static str,
    /// Only those that write this, or that read it, be it with others.
    value: Option<Value>,
    /// Only the one at this place of the transaction.
    place: Option<usize>,
    /// Whether it cannot be, given the others.
    illegal: bool,
}

impl Mark {
    pub(super) fn new(transaction: u32, verb: Verb) -> Mark {
        Mark { transaction, verb: verb.name(), value: None, place: None, illegal: false }
    }

    pub(super) fn of(self, value: Value) -> Mark {
        Mark { value: Some(value), ..self }
    }

    pub(super) fn at(self, place: usize) -> Mark {
        Mark { place: Some(place), ..self }
    }

    pub(super) fn illegal(self) -> Mark {
        Mark { illegal: true, ..self }
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
    /// The micro-ops that show it, if it is no cycle.
    pub(super) marks: Vec<Mark>,
}

impl Finding {
    fn new(name: &'static str, key: String, marks: Vec<Mark>, because: String) -> Finding {
        Finding {
            name: name.to_owned(),
            key: Some(key),
            transactions: marks.iter().map(|mark| mark.transaction).collect(),
            because,
            rules_out: rules_out(name),
            details: Map::new(),
            marks,
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
        let invoke = |mark: &Mark| transactions.get(mark.transaction).invoke;
        let marks = self.marks.iter().map(|mark| {
            let Mark { verb, value, place, .. } = mark;
            json!({"event": invoke(mark), "verb": verb, "value": value, "place": place})
        });
        let marks: Vec<Value> = marks.collect();
        if !marks.is_empty() {
            details.insert("marks".to_owned(), marks.into());
        }
        let illegal: Vec<u64> = self.marks.iter().filter(|mark| mark.illegal).map(invoke).collect();
        if !illegal.is_empty() {
            details.insert("illegal".to_owned(), illegal.into());
        }
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
