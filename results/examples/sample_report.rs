//! Writes the page of a run that never was, to look at: `cargo run -p rashomon-results --example sample_report
//! -- OUT.html`. A second argument is the number of ops a second that each client does.

#[path = "../tests/results/sample.rs"]
mod sample;

use rashomon_results::report::{NodeLog, Parts, render_parts};
use sample::{Wanted, sample};

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let out = arguments.next().unwrap_or_else(|| "sample.html".to_owned());
    let usual = Wanted::default();
    let rate = arguments.next().and_then(|rate| rate.parse().ok()).unwrap_or(usual.rate);
    let sample = sample(Wanted { rate, ..usual });
    let last = vec!["thread 'main' panicked at src/log.rs:212:".into(), "log index 88 out of order".into()];
    let page = render_parts(&Parts {
        title: "raft-20261120T153324Z",
        plan: Some(&sample.plan),
        history: &sample.history,
        schedule: &sample.schedule,
        network: Some(&sample.network),
        verdict: Some(&sample.verdict),
        logs: &[NodeLog { node: "n3".into(), last, panicked: true }],
        files: &["history.jsonl".into(), "schedule.jsonl".into(), "messages.jsonl.zst".into()],
        missing: &[],
    });
    std::fs::write(&out, page)?;
    println!("{out}");
    Ok(())
}
