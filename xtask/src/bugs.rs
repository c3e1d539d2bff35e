//! How often and how fast each seeded bug is caught.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::Value;

use crate::runs;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Runs of each bug.
    #[arg(long, default_value_t = 10)]
    runs: u64,
    /// Runs at a time.
    #[arg(long, default_value_t = 1)]
    jobs: usize,
    /// Only these bugs.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let binary = runs::binary()?;
    let listed = Command::new(&binary).args(["list", "bugs", "--json"]).output()?;
    let bugs: Vec<Value> = serde_json::from_slice(&listed.stdout).context("list bugs --json")?;
    println!("| system | bug | plan | caught | median time to detection | by | as |");
    println!("|---|---|---|---|---|---|---|");
    for bug in bugs.iter().filter(|bug| bug["shows"] == "live") {
        let (system, name) =
            (bug["system"].as_str().unwrap_or_default(), bug["bug"].as_str().unwrap_or_default());
        if !arguments.only.is_empty() && !arguments.only.iter().any(|only| only == name) {
            continue;
        }
        let seeds: Vec<u64> = (arguments.seed..arguments.seed + arguments.runs).collect();
        let found = runs::in_parallel(seeds, arguments.jobs, |seed| {
            let out = tempfile::tempdir()?;
            let words = [system, "--bug", name, "--seed", &seed.to_string()].map(str::to_owned);
            let run = runs::test(&binary, &words, out.path())?;
            eprintln!("{system} {name} seed {seed}: exit {}, {}", run.exit, runs::seconds(run.wall));
            if run.exit > 2 {
                eprintln!("{}", run.log);
            }
            Ok(if run.exit == 1 { run.accusation() } else { None })
        })?;
        let caught: Vec<_> = found.iter().flatten().collect();
        let median = runs::median(caught.iter().map(|(_, _, at)| *at).collect());
        let by: BTreeSet<&str> = caught.iter().map(|(checker, ..)| checker.as_str()).collect();
        let anomalies: BTreeSet<&str> = caught.iter().map(|(_, anomaly, _)| anomaly.as_str()).collect();
        println!(
            "| {system} | `{name}` | {} | {}/{} | {} | {} | {} |",
            if bug["own_plan"] == true { "its own" } else { "default" },
            caught.len(),
            found.len(),
            median.map_or("-".to_owned(), runs::seconds),
            by.into_iter().collect::<Vec<_>>().join(", "),
            anomalies.into_iter().collect::<Vec<_>>().join(", "),
        );
    }
    Ok(())
}
