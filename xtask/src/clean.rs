//! Whether a correct system is ever accused.

use anyhow::Result;
use clap::Args;
use std::path::PathBuf;

use crate::runs;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The system.
    #[arg(default_value = "raft")]
    system: String,
    /// Runs that must count.
    #[arg(long, default_value_t = 50)]
    runs: u64,
    /// Runs at a time.
    #[arg(long, default_value_t = 1)]
    jobs: usize,
    /// The first seed.
    #[arg(long, default_value_t = 1000)]
    seed: u64,
    /// Keep the folders of runs that were accused or unknown here.
    #[arg(long, default_value = "runs/clean")]
    keep: PathBuf,
    /// More arguments for `rashomon test`.
    #[arg(last = true)]
    more: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let binary = runs::binary()?;
    let seeds: Vec<u64> = (arguments.seed..arguments.seed + arguments.runs).collect();
    let results = runs::in_parallel(seeds, arguments.jobs, |seed| {
        let out = arguments.keep.join(seed.to_string());
        let mut words = vec![arguments.system.clone(), "--seed".into(), seed.to_string()];
        words.extend(arguments.more.iter().cloned());
        let run = runs::test(&binary, &words, &out)?;
        let counts = run.exit == 0 && run.total("ok") >= 1000 && run.total("leader_changes") >= 1;
        eprintln!(
            "seed {seed}: exit {}, {} ok, {} changes of leader, {}{}",
            run.exit,
            run.total("ok"),
            run.total("leader_changes"),
            runs::seconds(run.wall),
            if counts { String::new() } else { format!("  does not count: {}", run.verdict["summary"]) }
        );
        if run.exit == 0 {
            std::fs::remove_dir_all(&out)?;
        }
        Ok((run, counts))
    })?;
    let exits = |code: i32| results.iter().filter(|(run, _)| run.exit == code).count();
    let ok: u64 = results.iter().map(|(run, _)| run.total("ok")).sum();
    println!("| system | runs | counted | valid | accused | unknown | failed | ok ops | changes of leader |");
    println!("|---|---|---|---|---|---|---|---|---|");
    println!(
        "| {} | {} | {} | {} | {} | {} | {} | {ok} | {} |",
        arguments.system,
        results.len(),
        results.iter().filter(|(_, counts)| *counts).count(),
        exits(0),
        exits(1),
        exits(2),
        results.iter().filter(|(run, _)| !(0..=2).contains(&run.exit)).count(),
        results.iter().map(|(run, _)| run.total("leader_changes")).sum::<u64>(),
    );
    Ok(())
}
