//! What shrinking made of a failing run, and what happened in it.

use std::time::Duration;

use rashomon_core::{Anomaly, Trace, Verdict};
use serde::{Deserialize, Serialize};

use super::document::VERSION;

/// What a run is accused of: the checker, and the name of the anomaly.
///
/// Two runs fail in the same way when the same checker finds an anomaly of the same name in both; its key, values,
/// nodes and times may be others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accusation {
    /// Who accuses.
    pub checker: String,
    /// Of what.
    pub anomaly: String,
}

impl Accusation {
    /// The first accusation of a run.
    pub fn first(checkers: &[Verdict]) -> Option<Accusation> {
        checkers.iter().find_map(|verdict| {
            let anomaly = verdict.anomalies.first()?.name.clone();
            Some(Accusation { checker: verdict.checker.clone(), anomaly })
        })
    }

    /// The anomalies that it is about.
    pub fn among<'v>(&self, checkers: &'v [Verdict]) -> impl Iterator<Item = &'v Anomaly> {
        let (checker, name) = (self.checker.clone(), self.anomaly.clone());
        checkers
            .iter()
            .filter(move |verdict| verdict.checker == checker)
            .flat_map(|verdict| &verdict.anomalies)
            .filter(move |anomaly| anomaly.name == name)
    }
}

impl std::fmt::Display for Accusation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, found by {}", self.anomaly, self.checker)
    }
}

/// How much there is to a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Size {
    /// Faults that struck.
    pub faults: u64,
    /// Nodes of the cluster.
    pub nodes: u64,
    /// Clients that asked anything.
    pub clients: u64,
    /// Ops that they invoked.
    pub ops: u64,
    /// Messages between nodes.
    pub messages: u64,
    /// Of these, how many the network dropped, delayed, repeated or damaged.
    pub touched: u64,
    /// From the start to the end, in virtual time.
    #[serde(with = "humantime_serde")]
    pub lasts: Duration,
}

/// What was made of what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Shrunk {
    /// What both runs are accused of.
    pub accusation: Accusation,
    /// The seed of the run that was shrunk.
    pub seed: u64,
    /// The command that repeats that run.
    pub command: String,
    /// That run.
    pub before: Size,
    /// What is left of it.
    pub after: Size,
    /// How many runs it took.
    pub attempts: u64,
    /// How long it took, in milliseconds of real time.
    pub took_ms: u64,
    /// Whether time ran out before everything had been tried.
    pub unfinished: bool,
}

/// `trace.json`: a trace with its version.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TraceFile {
    version: u64,
    #[serde(flatten)]
    pub(crate) trace: Trace,
}

impl TraceFile {
    pub(crate) fn new(trace: Trace) -> TraceFile {
        TraceFile { version: VERSION, trace }
    }
}

/// What a page needs of `shrunk.json`; the rest is for whoever runs it again.
#[derive(Debug, Deserialize)]
pub(crate) struct ShrunkFile {
    pub(crate) shrunk: Option<Shrunk>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_accusation_is_the_same_checker_and_the_same_name() {
        let anomaly = |name: &str| Anomaly {
            name: name.to_owned(),
            key: None,
            events: vec![],
            evidence: vec![],
            because: "so".into(),
            details: rashomon_core::Map::new(),
        };
        let verdicts = vec![
            Verdict::valid("invariants", "all hold"),
            Verdict::invalid("register", "no", vec![anomaly("stale-read"), anomaly("lost-write")]),
            Verdict::invalid("set", "no", vec![anomaly("lost-element")]),
        ];
        let first = Accusation::first(&verdicts).unwrap();
        assert_eq!(first.to_string(), "stale-read, found by register");
        let found = |checker: &str, anomaly: &str| {
            let accusation = Accusation { checker: checker.into(), anomaly: anomaly.into() };
            accusation.among(&verdicts).count()
        };
        assert_eq!((found("register", "stale-read"), found("register", "lost-write")), (1, 1));
        assert_eq!((found("set", "stale-read"), found("register", "lost-element")), (0, 0));
    }
}
