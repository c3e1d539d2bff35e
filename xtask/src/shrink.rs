//! What shrinking leaves of the first failing seed of each seeded bug.

use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use clap::Args;
use serde_json::Value;

use crate::runs;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Only the bugs of these systems.
    #[arg(long, value_delimiter = ',')]
    system: Vec<String>,
    /// Only these bugs.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// The most seeds that are tried until one fails.
    #[arg(long, default_value_t = 2000)]
    seeds: u64,
    /// Seeds, and attempts to shrink, at a time.
    #[arg(long, default_value_t = 1)]
    jobs: usize,
    /// The longest that shrinking may take.
    #[arg(long, default_value = "60s")]
    shrink_time: String,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let binary = runs::binary()?;
    let listed = Command::new(&binary).args(["list", "bugs", "--json"]).output()?;
    let bugs: Vec<Value> = serde_json::from_slice(&listed.stdout).context("list bugs --json")?;
    println!(
        "| system | bug | seed | as | faults | nodes | clients | ops | messages | touched | runs | time |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|"
    );
    let (mut shrunk, mut small) = (0, 0);
    for bug in &bugs {
        let text = |field: &str| bug[field].as_str().unwrap_or_default();
        let (system, name) = (text("system"), text("bug"));
        let wanted = |list: &[String], name: &str| list.is_empty() || list.iter().any(|only| only == name);
        if !wanted(&arguments.system, system) || !wanted(&arguments.only, name) {
            continue;
        }
        let out = tempfile::tempdir()?;
        let output = Command::new(&binary)
            .args(["sim", system, "--bug", name, "--json", "--shrink-time", &arguments.shrink_time])
            .args(["--seeds", &arguments.seeds.to_string(), "--jobs", &arguments.jobs.to_string()])
            .arg("--out")
            .arg(out.path())
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("starting {}", binary.display()))?;
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let facts = &report["shrunk"];
        if facts.is_null() {
            println!(
                "| {system} | `{name}` | none of {} failed | | | | | | | | | |",
                report["ran"].as_u64().unwrap_or(0)
            );
            continue;
        }
        let change = |size: &str| format!("{} → {}", facts["before"][size], facts["after"][size]);
        let took = facts["took-ms"].as_f64().unwrap_or(0.0) / 1000.0;
        println!(
            "| {system} | `{name}` | {} | {} | {} | {} | {} | {} | {} | {} | {} | {took:.1} s{} |",
            facts["seed"],
            facts["accusation"]["anomaly"].as_str().unwrap_or_default(),
            change("faults"),
            change("nodes"),
            change("clients"),
            change("ops"),
            change("messages"),
            change("touched"),
            facts["attempts"],
            if facts["unfinished"] == true { ", time was up" } else { "" },
        );
        shrunk += 1;
        small += u64::from(facts["after"]["faults"].as_u64().is_some_and(|faults| faults <= 3));
    }
    eprintln!("{small} of {shrunk} shrunk runs have at most 3 faults");
    Ok(())
}
