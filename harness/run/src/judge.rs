//! Puts the checkers to a run.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use rashomon_checkers::{Budget, Checker};
use rashomon_core::{Anomaly, History, Map, Verdict};

use crate::Threads;
use crate::interpreter::Record;

/// What the checkers may spend on one run.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Time for all checkers together.
    pub time: Duration,
    /// Memory for each.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { time: Duration::from_mins(1), bytes: 2 << 30 }
    }
}

/// Asks each of the named checkers. One that panics has not judged: its verdict is `unknown`.
pub fn ask(names: &[&str], history: &History, limits: Limits) -> Vec<Verdict> {
    let end = Instant::now() + limits.time;
    let expired = || Instant::now() >= end;
    let threads = Threads::of_this_machine();
    let budget = Budget::new(limits.bytes, &expired).with_crew(&threads);
    names
        .iter()
        .map(|name| match rashomon_checkers::by_name(name) {
            Some(checker) => ask_one(checker.as_ref(), history, &budget),
            None => Verdict::unknown(*name, format!("no checker is called `{name}`")),
        })
        .collect()
}

fn ask_one(checker: &dyn Checker, history: &History, budget: &Budget<'_>) -> Verdict {
    catch_unwind(AssertUnwindSafe(|| checker.check(history, budget))).unwrap_or_else(|panic| {
        let reason = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no reason given");
        Verdict::unknown(checker.name(), format!("the checker failed: {reason}"))
    })
}

/// What the chapter's invariants say of the probes that the nodes emitted. `names` are the invariants that were
/// watching.
pub fn invariants(names: &[&str], record: &Record) -> Verdict {
    const CHECKER: &str = "invariants";
    if record.probes == 0 {
        return Verdict::unknown(CHECKER, "vacuous: no node ever said anything of itself");
    }
    let anomalies: Vec<Anomaly> = record
        .violations
        .iter()
        .map(|(at, violation)| Anomaly {
            name: violation.invariant.to_owned(),
            key: None,
            events: Vec::new(),
            evidence: vec![format!("{at}: {}", violation.because)],
            because: violation.because.clone(),
            details: Map::from_iter([("time".to_owned(), at.0.into())]),
        })
        .collect();
    let verdict = match anomalies.first() {
        None => {
            Verdict::valid(CHECKER, format!("{} invariants held over {} probes", names.len(), record.probes))
        }
        Some(first) => {
            let summary = format!("{} does not hold: {}", first.name, first.because);
            Verdict::invalid(CHECKER, summary, anomalies)
        }
    };
    verdict.with_stat("probes", record.probes).with_stat("invariants", names.to_vec())
}

#[cfg(test)]
mod tests {
    use rashomon_core::{Time, Validity, Violation};
    use rashomon_results::{Ended, Totals};

    use super::*;

    fn record(probes: u64, violations: Vec<(Time, Violation)>) -> Record {
        Record {
            totals: Totals::default(),
            coverage: std::collections::BTreeMap::new(),
            violations,
            weaknesses: Vec::new(),
            probes,
            problems: vec![],
            final_reads: None,
            ended: Ended::TimeLimit,
        }
    }

    struct Panics;

    impl Checker for Panics {
        fn name(&self) -> &'static str {
            "panics"
        }
        fn about(&self) -> &'static str {
            "fails"
        }
        fn check(&self, _history: &History, _budget: &Budget<'_>) -> Verdict {
            panic!("out of ideas")
        }
    }

    #[test]
    fn a_checker_that_fails_is_unknown() {
        let verdict = ask_one(&Panics, &History::default(), &Budget::unlimited());
        assert_eq!(verdict.valid, Validity::Unknown);
        assert_eq!(verdict.summary, "the checker failed: out of ideas");
    }

    #[test]
    fn a_checker_that_does_not_exist_is_unknown() {
        let verdicts = ask(&["nope"], &History::default(), Limits::default());
        assert_eq!(verdicts[0].valid, Validity::Unknown);
    }

    #[test]
    fn a_violation_accuses_and_silence_is_vacuous() {
        let violation =
            Violation { invariant: "election-safety", because: "n1 and n2 both lead term 3".to_owned() };
        let invalid = invariants(&["election-safety"], &record(9, vec![(Time(1), violation)]));
        assert_eq!(invalid.valid, Validity::Invalid);
        assert_eq!(invalid.anomalies[0].name, "election-safety");
        assert_eq!(invariants(&["election-safety"], &record(9, vec![])).valid, Validity::Valid);
        assert_eq!(invariants(&["election-safety"], &record(0, vec![])).valid, Validity::Unknown);
    }
}
