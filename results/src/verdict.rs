//! What to think of a run as a whole.

use rashomon_core::{FaultKind, History, Impact, Kind, Process, Time, Validity, Verdict};
use serde::{Deserialize, Serialize};

/// The verdict on a run: the worst of its checkers', and no better than `unknown` where the run itself fell
/// short. Kept as `verdict.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunVerdict {
    /// The version of the format.
    pub version: u64,
    /// The worst of all.
    pub valid: Validity,
    /// One line for people.
    pub summary: String,
    /// What each checker found.
    pub checkers: Vec<Verdict>,
    /// What each requested kind of fault did.
    #[serde(default)]
    pub coverage: Vec<Coverage>,
    /// Why the run cannot be called valid whatever the checkers say: vacuous, a node crashed, not recovered.
    #[serde(default)]
    pub problems: Vec<String>,
    /// Legal weaknesses of the system that were seen, and accuse nobody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weaknesses: Vec<Weakness>,
    /// Its figures.
    pub totals: Totals,
    /// Why it ended.
    pub ended: Ended,
}

/// A legal weakness that was seen: what looks like a bug, and is allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weakness {
    /// Its name.
    pub control: String,
    /// What was seen first.
    pub because: String,
    /// How often.
    pub times: u64,
}

/// What one kind of fault did over a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Which kind.
    pub kind: FaultKind,
    /// How often it was injected.
    pub injected: u64,
    /// How many of these bit.
    pub bit: u64,
    /// Messages dropped, delayed, repeated or damaged.
    #[serde(default)]
    pub messages: u64,
    /// Processes seen dead or stopped while something waited for them.
    #[serde(default)]
    pub processes: u64,
    /// Bytes that power failures took from logs.
    #[serde(default)]
    pub lost_bytes: u64,
    /// Fsyncs that took longer.
    #[serde(default)]
    pub slow_syncs: u64,
    /// Nodes that acknowledged a wrong clock.
    #[serde(default)]
    pub clocks: u64,
    /// Changes of the membership that the system acknowledged.
    #[serde(default)]
    pub changes: u64,
}

impl Coverage {
    /// A kind that was requested, and has done nothing yet.
    pub fn new(kind: FaultKind) -> Coverage {
        Coverage {
            kind,
            injected: 0,
            bit: 0,
            messages: 0,
            processes: 0,
            lost_bytes: 0,
            slow_syncs: 0,
            clocks: 0,
            changes: 0,
        }
    }

    /// Adds one injection that did this.
    pub fn add(&mut self, impact: &Impact) {
        self.injected += 1;
        self.bit += u64::from(impact.bit);
        self.messages += impact.messages;
        self.processes += impact.processes;
        self.lost_bytes += impact.lost_bytes;
        self.slow_syncs += impact.slow_syncs;
        self.clocks += impact.clocks;
        self.changes += impact.changes;
    }

    /// What all of them did together.
    pub(crate) fn total(&self) -> Impact {
        Impact {
            bit: self.bit > 0,
            messages: self.messages,
            processes: self.processes,
            lost_bytes: self.lost_bytes,
            slow_syncs: self.slow_syncs,
            clocks: self.clocks,
            changes: self.changes,
        }
    }
}

/// The figures of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Client operations invoked.
    pub ops: u64,
    /// Of these, how many happened.
    pub ok: u64,
    /// How many certainly did not.
    pub fail: u64,
    /// Of how many nobody knows.
    pub info: u64,
    /// How often another node came to lead, where the system has leaders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leader_changes: Option<u64>,
    /// From the start of the run to its last op, in nanoseconds.
    #[serde(rename = "duration_ns")]
    pub duration: Time,
    /// From the start of the run to the first op that was `ok`, in nanoseconds.
    #[serde(default, rename = "first_ok_ns", skip_serializing_if = "Option::is_none")]
    pub first_ok: Option<Time>,
}

impl Totals {
    /// The figures of a history. An op without completion counts as `info`.
    pub fn of(history: &History) -> Totals {
        let mut totals = Totals::default();
        for pair in history.pairs() {
            totals.ops += 1;
            match pair.outcome() {
                Kind::Ok => totals.ok += 1,
                Kind::Fail => totals.fail += 1,
                Kind::Info | Kind::Invoke => totals.info += 1,
            }
        }
        let clients = || history.ops().iter().filter(|op| op.process != Process::Nemesis);
        totals.duration = clients().map(|op| op.time).max().unwrap_or_default();
        totals.first_ok = clients().find(|op| op.kind == Kind::Ok).map(|op| op.time);
        totals
    }

    /// Operations that happened, per second.
    pub fn ok_rate(&self) -> f64 {
        let seconds = self.duration.as_secs_f64();
        if seconds > 0.0 { self.ok as f64 / seconds } else { 0.0 }
    }
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// Its time was up.
    TimeLimit,
    /// The generator had nothing more to do.
    Complete,
    /// Somebody stopped it: at best `unknown`.
    Interrupted,
    /// The harness itself could not go on: at best `unknown`.
    Failed,
    /// It was not run here: a recorded history was checked.
    Recorded,
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Ended::TimeLimit => "time limit reached",
            Ended::Complete => "workload complete",
            Ended::Interrupted => "interrupted",
            Ended::Failed => "the harness failed",
            Ended::Recorded => "recorded history",
        })
    }
}

impl RunVerdict {
    /// Combines what the checkers found with what the run was worth.
    ///
    /// `coverage` lists every kind of fault that was *requested*, also those never injected. Adds the problems
    /// that follow from the figures: no op succeeded, a requested fault never bit, the run was interrupted, no
    /// checker looked. Any problem makes the verdict at best `unknown`; none makes it better than the worst
    /// checker's.
    pub fn new(
        checkers: Vec<Verdict>,
        coverage: Vec<Coverage>,
        mut problems: Vec<String>,
        totals: Totals,
        ended: Ended,
    ) -> RunVerdict {
        problems.extend(shortcomings(&checkers, &coverage, &totals, ended));
        let judged = checkers.iter().map(|verdict| verdict.valid).max().unwrap_or_default();
        let valid = if problems.is_empty() { judged } else { judged.max(Validity::Unknown) };
        let summary = summary(valid, &checkers, &problems);
        let weaknesses = Vec::new();
        RunVerdict { version: 1, valid, summary, checkers, coverage, problems, weaknesses, totals, ended }
    }

    /// The exit code of a program that was asked for this verdict.
    pub fn exit_code(&self) -> u8 {
        match self.valid {
            Validity::Valid => 0,
            Validity::Invalid => 1,
            Validity::Unknown => 2,
        }
    }
}

fn shortcomings(checkers: &[Verdict], coverage: &[Coverage], totals: &Totals, ended: Ended) -> Vec<String> {
    let mut problems = Vec::new();
    if totals.ops == 0 {
        problems.push("vacuous: the history is empty".to_owned());
    } else if totals.ok == 0 {
        problems.push(format!("vacuous: none of {} ops succeeded", totals.ops));
    }
    for fault in coverage.iter().filter(|fault| fault.bit == 0) {
        problems.push(match fault.injected {
            0 => format!("vacuous: {} was requested and never injected", fault.kind),
            1 => format!("vacuous: {} was injected once and did not bite", fault.kind),
            n => format!("vacuous: {} was injected {n} times and never bit", fault.kind),
        });
    }
    match ended {
        Ended::Interrupted => problems.push("interrupted before its end".to_owned()),
        Ended::Failed => problems.push("the harness failed before the end".to_owned()),
        Ended::TimeLimit | Ended::Complete | Ended::Recorded => {}
    }
    if checkers.is_empty() {
        problems.push("vacuous: no checker judged it".to_owned());
    }
    problems
}

fn summary(valid: Validity, checkers: &[Verdict], problems: &[String]) -> String {
    let of = |wanted: Validity| {
        checkers.iter().filter(move |verdict| verdict.valid == wanted).map(|verdict| verdict.summary.as_str())
    };
    let parts: Vec<&str> = match valid {
        Validity::Valid => {
            let names: Vec<&str> = checkers.iter().map(|verdict| verdict.checker.as_str()).collect();
            return format!("nothing wrong was found by {}", names.join(", "));
        }
        Validity::Invalid => {
            let accusers = checkers.iter().filter(|verdict| verdict.valid == Validity::Invalid);
            let accusation = |verdict: &Verdict| {
                format!("{}, found by {}", crate::describe::accusation(verdict), verdict.checker)
            };
            return accusers.map(accusation).collect::<Vec<_>>().join("; ");
        }
        Validity::Unknown => problems.iter().map(String::as_str).chain(of(Validity::Unknown)).collect(),
    };
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use rashomon_core::{Anomaly, Impact};

    use super::*;

    fn ok_totals() -> Totals {
        Totals { ops: 10, ok: 9, fail: 1, duration: Time(1_000_000_000), ..Totals::default() }
    }

    fn invalid() -> Verdict {
        let anomaly = Anomaly {
            name: "nonlinearizable".into(),
            key: None,
            events: vec![],
            evidence: vec![],
            because: "a stale read".into(),
            details: rashomon_core::Map::new(),
        };
        Verdict::invalid("linearizable", "key x is not linearizable", vec![anomaly])
    }

    fn bitten(kind: FaultKind) -> Coverage {
        let mut coverage = Coverage::new(kind);
        coverage.add(&Impact { bit: true, messages: 4, ..Impact::default() });
        coverage
    }

    #[test]
    fn all_good_is_valid() {
        let verdict = RunVerdict::new(
            vec![Verdict::valid("linearizable", "10 ops on 2 keys are linearizable")],
            vec![bitten(FaultKind::Kill)],
            vec![],
            ok_totals(),
            Ended::TimeLimit,
        );
        assert_eq!((verdict.valid, verdict.exit_code()), (Validity::Valid, 0));
        assert_eq!(verdict.summary, "nothing wrong was found by linearizable");
    }

    #[test]
    fn each_shortcoming_makes_it_unknown_and_is_named() {
        let valid = || vec![Verdict::valid("stats", "fine")];
        let problems = |checkers, coverage, totals, ended| {
            let verdict = RunVerdict::new(checkers, coverage, vec![], totals, ended);
            assert_eq!((verdict.valid, verdict.exit_code()), (Validity::Unknown, 2));
            verdict.problems.join("; ")
        };
        let end = Ended::TimeLimit;
        assert_eq!(problems(valid(), vec![], Totals::default(), end), "vacuous: the history is empty");
        let nothing = Totals { ok: 0, ..ok_totals() };
        assert_eq!(problems(valid(), vec![], nothing, end), "vacuous: none of 10 ops succeeded");
        let never = vec![bitten(FaultKind::Kill), Coverage::new(FaultKind::Pause)];
        assert_eq!(
            problems(valid(), never, ok_totals(), end),
            "vacuous: pause was requested and never injected"
        );
        let mut toothless = Coverage::new(FaultKind::Kill);
        toothless.add(&Impact::default());
        toothless.add(&Impact::default());
        assert_eq!(
            problems(valid(), vec![toothless], ok_totals(), end),
            "vacuous: kill was injected 2 times and never bit"
        );
        assert_eq!(problems(valid(), vec![], ok_totals(), Ended::Interrupted), "interrupted before its end");
        assert_eq!(problems(vec![], vec![], ok_totals(), end), "vacuous: no checker judged it");
    }

    #[test]
    fn unknown_never_masks_invalid() {
        let verdict = RunVerdict::new(
            vec![Verdict::unknown("set", "out of time"), invalid()],
            vec![],
            vec!["n3 crashed".into()],
            ok_totals(),
            Ended::Interrupted,
        );
        assert_eq!((verdict.valid, verdict.exit_code()), (Validity::Invalid, 1));
        assert_eq!(verdict.summary, "nonlinearizable, found by linearizable");
        assert_eq!(verdict.problems.len(), 2);
    }

    #[test]
    fn the_summary_of_unknown_says_why() {
        let verdict = RunVerdict::new(
            vec![Verdict::unknown("set", "out of time")],
            vec![],
            vec!["n3 crashed".into()],
            ok_totals(),
            Ended::TimeLimit,
        );
        assert_eq!(verdict.summary, "n3 crashed; out of time");
    }
}
