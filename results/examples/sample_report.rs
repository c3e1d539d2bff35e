//! Writes the page of a run that never was, to look at: `cargo run -p rashomon-results --example sample_report
//! -- OUT.html`. A second argument makes it a busy run of so many seconds.

#[path = "../tests/results/sample.rs"]
mod sample;

use std::time::Duration;

use rashomon_results::report::{NodeLog, Parts, render_parts};
use sample::{Wanted, sample};

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let out = arguments.next().unwrap_or_else(|| "sample.html".to_owned());
    let busy = |seconds| Wanted { rate: 400, length: Duration::from_secs(seconds), ..Wanted::default() };
    let wanted = arguments.next().and_then(|seconds| seconds.parse().ok()).map_or_else(Wanted::default, busy);
    let sample = sample(wanted);
    let last = vec!["thread 'main' panicked at src/log.rs:212:".into(), "log index 88 out of order".into()];
    let page = render_parts(&Parts {
        title: "raft-20261120T153324Z",
        plan: Some(&sample.plan),
        history: &sample.history,
        left_out: 0,
        schedule: &sample.schedule,
        network: Some(&sample.network),
        trace: None,
        shrunk: None,
        verdict: Some(&sample.verdict),
        logs: &[NodeLog { node: "n3".into(), last, panicked: true }],
        files: &["history.jsonl".into(), "schedule.jsonl".into(), "messages.jsonl.zst".into()],
        missing: &[],
    });
    std::fs::write(&out, page)?;
    println!("{out}");
    Ok(())
}
