//! The verdict as `JUnit` XML, which continuous integration shows.
//!
//! One suite per run; a case per checker, one for the coverage of faults and one for the run itself. Invalid is
//! a failure (the system is wrong); unknown is an error (nothing was shown): the two are never confused.

use std::fmt::Write as _;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use rashomon_core::{Validity, Verdict};

use crate::RunVerdict;

/// The XML for the run called `id`.
pub fn render(id: &str, verdict: &RunVerdict) -> String {
    let mut suite = TestSuite::new(id);
    suite.set_time(Duration::from_nanos(verdict.totals.duration.0));
    suite.add_property(("valid", verdict.valid.to_string().as_str()));
    suite.add_property(("summary", verdict.summary.as_str()));
    suite.add_property(("ended", verdict.ended.to_string().as_str()));
    suite.add_test_cases(verdict.checkers.iter().map(|checker| case(&checker.checker, judged(checker))));
    suite.add_test_case(case("fault coverage", coverage(verdict)));
    suite.add_test_case(case("run", problems(verdict)));
    let mut report = Report::new("rashomon");
    report.add_test_suite(suite);
    report.to_string().expect("writing to memory does not fail, and the text is cleaned on its way in")
}

fn case(name: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(name, status);
    case.set_classname("rashomon");
    case
}

fn not_good(kind: NonSuccessKind, typ: &str, message: &str, text: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(typ).set_message(message).set_description(text);
    status
}

fn judged(verdict: &Verdict) -> TestCaseStatus {
    match verdict.valid {
        Validity::Valid => TestCaseStatus::success(),
        Validity::Unknown => {
            not_good(NonSuccessKind::Error, "unknown", &verdict.summary, &verdict.unknown.join("\n"))
        }
        Validity::Invalid => {
            let mut text = String::new();
            for anomaly in &verdict.anomalies {
                let key = anomaly.key.as_ref().map(|key| format!(" on key {key}")).unwrap_or_default();
                let _ = writeln!(text, "{}{key}: {}", anomaly.name, anomaly.because);
                if !anomaly.events.is_empty() {
                    let events: Vec<String> = anomaly.events.iter().map(u64::to_string).collect();
                    let _ = writeln!(text, "events of the history: {}", events.join(", "));
                }
                anomaly.evidence.iter().for_each(|line| {
                    let _ = writeln!(text, "{line}");
                });
            }
            let typ = verdict.anomalies.first().map_or("invalid", |anomaly| anomaly.name.as_str());
            not_good(NonSuccessKind::Failure, typ, &verdict.summary, &text)
        }
    }
}

fn coverage(verdict: &RunVerdict) -> TestCaseStatus {
    if verdict.coverage.is_empty() {
        let mut status = TestCaseStatus::skipped();
        status.set_message("no fault was requested");
        return status;
    }
    let missing: Vec<String> = verdict
        .coverage
        .iter()
        .filter(|fault| fault.bit == 0)
        .map(|fault| format!("{}: injected {}, bit 0", fault.kind, fault.injected))
        .collect();
    if missing.is_empty() {
        TestCaseStatus::success()
    } else {
        not_good(NonSuccessKind::Error, "vacuous", "a requested fault never bit", &missing.join("\n"))
    }
}

fn problems(verdict: &RunVerdict) -> TestCaseStatus {
    if verdict.problems.is_empty() {
        TestCaseStatus::success()
    } else {
        not_good(NonSuccessKind::Error, "unknown", &verdict.problems[0], &verdict.problems.join("\n"))
    }
}
