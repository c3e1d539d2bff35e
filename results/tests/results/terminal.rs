//! The text on the terminal.

use std::path::Path;

use rashomon_core::{FaultKind, History, Time, Verdict};
use rashomon_results::terminal::{Shown, render};
use rashomon_results::{Coverage, Ended, RunVerdict, Totals};

use crate::sample::{Sample, Wanted, sample};

fn shown(sample: &Sample, verdict: &RunVerdict) -> String {
    render(&Shown {
        verdict,
        plan: Some(&sample.plan),
        history: Some(&sample.history),
        run: Some(Path::new("runs/raft-20261120T153324Z")),
        report: Some(Path::new("runs/raft-20261120T153324Z/report.html")),
        colour: false,
    })
}

#[test]
fn an_invalid_run() {
    let sample = sample(Wanted::default());
    insta::assert_snapshot!(shown(&sample, &sample.verdict));
}

#[test]
fn a_valid_run() {
    let sample = sample(Wanted { stale: false, ..Wanted::default() });
    insta::assert_snapshot!(shown(&sample, &sample.verdict));
}

#[test]
fn an_unknown_run() {
    let sample = sample(Wanted { stale: false, ..Wanted::default() });
    let mut checkers = sample.verdict.checkers.clone();
    checkers[0] = Verdict::unknown("linearizable", "out of time after 812,004 configurations");
    checkers[0].unknown.push("key k3: 41 of 112 operations placed; not settled: write 7 (op 812)".into());
    let mut coverage = sample.verdict.coverage.clone();
    coverage.push(Coverage::new(FaultKind::Restart));
    let problems = vec!["n3 crashed: exit status 101; its last line: thread 'main' panicked".to_owned()];
    let verdict = RunVerdict::new(checkers, coverage, problems, sample.verdict.totals, Ended::Interrupted);
    insta::assert_snapshot!(shown(&sample, &verdict));
}

#[test]
fn a_recorded_history_with_nothing_else() {
    let totals = Totals { ops: 2, ok: 2, duration: Time(5_000_000), ..Totals::default() };
    let checkers = vec![Verdict::valid("linearizable", "2 ops on 1 key are linearizable")];
    let verdict = RunVerdict::new(checkers, vec![], vec![], totals, Ended::Recorded);
    let text = render(&Shown {
        verdict: &verdict,
        plan: None,
        history: Some(&History::default()),
        run: None,
        report: None,
        colour: false,
    });
    insta::assert_snapshot!(text);
}

#[test]
fn colour_adds_nothing_but_colour() {
    let sample = sample(Wanted::default());
    let plain = shown(&sample, &sample.verdict);
    let shown = Shown {
        verdict: &sample.verdict,
        plan: Some(&sample.plan),
        history: Some(&sample.history),
        run: Some(Path::new("runs/raft-20261120T153324Z")),
        report: Some(Path::new("runs/raft-20261120T153324Z/report.html")),
        colour: true,
    };
    let coloured = render(&shown);
    let mut bare = String::new();
    let mut rest = coloured.as_str();
    while let Some(start) = rest.find('\x1b') {
        bare.push_str(&rest[..start]);
        rest = &rest[start + rest[start..].find('m').unwrap() + 1..];
    }
    bare.push_str(rest);
    // The ground behind the first word has a margin of its own.
    assert_eq!(bare.replacen(" INVALID ", "INVALID", 1), plain);
    assert_ne!(coloured, plain);
}

#[test]
fn events_that_are_not_in_the_history_do_no_harm() {
    let sample = sample(Wanted::default());
    let mut verdict = sample.verdict.clone();
    verdict.checkers[0].anomalies[0].events = vec![u64::MAX, 1 << 40];
    assert!(shown(&sample, &verdict).contains("stale-read"));
}
