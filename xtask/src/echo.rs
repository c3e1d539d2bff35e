//! What the harness alone can do: ops a second, and memory over time.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;

use crate::runs;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// How long.
    #[arg(long, default_value = "60s", value_parser = humantime::parse_duration)]
    time_limit: Duration,
    /// Ops a second; 0: as many as the clients can.
    #[arg(long, default_value_t = 0)]
    rate: u32,
    /// Clients at a time.
    #[arg(long, default_value_t = 64)]
    concurrency: u32,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let binary = runs::binary()?;
    let out = tempfile::tempdir()?;
    let limit = humantime::format_duration(arguments.time_limit).to_string();
    let begun = Instant::now();
    let child = Command::new(&binary)
        .args(["test", "echo", "--nemesis", "none", "--rate", &arguments.rate.to_string(), "--json"])
        .args(["--time-limit", &limit, "--concurrency", &arguments.concurrency.to_string()])
        .arg("--out")
        .arg(out.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut memory = Vec::new();
    for at in [Duration::from_secs(10), arguments.time_limit.saturating_sub(Duration::from_secs(1))] {
        std::thread::sleep(at.saturating_sub(begun.elapsed()));
        let text = std::fs::read_to_string(&status).context("the harness ended early")?;
        let resident = text
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.split_whitespace().next().and_then(|kib| kib.parse::<f64>().ok()));
        memory.push(resident.context("no VmRSS")? / 1024.0);
    }
    let output = child.wait_with_output()?;
    let verdict: serde_json::Value = serde_json::from_slice(&output.stdout).context("the verdict")?;
    let ok = verdict["totals"]["ok"].as_u64().unwrap_or(0);
    println!("| asked for | clients | ops | ops/s | memory at 10 s | at the end | ratio |");
    println!("|---|---|---|---|---|---|---|");
    println!(
        "| {} | {} | {ok} | {:.0} | {:.1} MB | {:.1} MB | {:.2} |",
        if arguments.rate == 0 { "all they can".to_owned() } else { format!("{}/s", arguments.rate) },
        arguments.concurrency,
        ok as f64 / arguments.time_limit.as_secs_f64(),
        memory[0],
        memory[1],
        memory[1] / memory[0]
    );
    Ok(())
}
