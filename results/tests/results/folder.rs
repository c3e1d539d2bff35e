//! A whole run, to disk and back.

use std::fs;
use std::path::Path;

use rashomon_core::{NodeId, Verdict};
use rashomon_results::{RunFolder, junit};

use crate::sample::{Sample, Wanted, sample};

/// Writes a run as the harness does, but for the verdict, the report and the like.
pub(crate) fn store(out: &Path, sample: &Sample) -> RunFolder {
    let run = RunFolder::create(out, "raft-1").unwrap();
    run.write_plan(&sample.plan).unwrap();
    let mut history = run.history_writer().unwrap();
    for op in sample.history.ops() {
        history.write(op).unwrap();
    }
    history.flush().unwrap();
    let mut schedule = run.schedule_writer().unwrap();
    for entry in &sample.schedule.entries {
        schedule.write(entry).unwrap();
    }
    let node = run.create_node(NodeId(3)).unwrap();
    assert_eq!(node, run.node(NodeId(3)));
    fs::write(run.stderr_file(NodeId(3)), "one\nthread 'main' panicked at src/x.rs:1:\nlast").unwrap();
    run
}

#[test]
fn a_run_comes_back_as_it_was_written() {
    let out = tempfile::tempdir().unwrap();
    let sample = sample(Wanted::default());
    let run = store(out.path(), &sample);
    run.write_network(&sample.network).unwrap();
    run.write_verdict(&sample.verdict).unwrap();
    run.write_junit(&sample.verdict).unwrap();
    let report = run.write_report().unwrap();

    let again = RunFolder::open(&out.path().join("latest")).unwrap();
    assert_eq!(again, run);
    assert_eq!(again.plan().unwrap().unwrap(), sample.plan);
    assert_eq!(again.history().unwrap().unwrap(), sample.history);
    assert_eq!(again.schedule().unwrap().unwrap(), sample.schedule);
    assert_eq!(again.network().unwrap().unwrap(), sample.network);
    assert_eq!(again.verdict().unwrap().unwrap(), sample.verdict);
    let page = fs::read_to_string(report).unwrap();
    assert!(page.contains("panicked at src/x.rs:1:"), "a crash in a node's log is shown");
    assert!(!page.contains(&out.path().display().to_string()), "no path of this machine");
}

#[test]
fn the_file_for_continuous_integration() {
    let sample = sample(Wanted::default());
    insta::assert_snapshot!(junit::render("raft-1", &sample.verdict));
}

#[test]
fn unknown_is_an_error_there_and_not_a_failure() {
    let sample = sample(Wanted { stale: false, ..Wanted::default() });
    let mut verdict = sample.verdict.clone();
    verdict.checkers[1] = Verdict::unknown("stats", "out of time");
    verdict.coverage[0].bit = 0;
    verdict.problems.push("n3 crashed: \u{1b}[31m<&>".into());
    let text = junit::render("raft-1", &verdict);
    assert!(text.contains("errors=\"3\"") && text.contains("failures=\"0\""), "{text}");
    assert!(text.contains("&lt;&amp;&gt;") && !text.contains('\u{1b}'), "{text}");
}
