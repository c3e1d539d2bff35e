//! How soon the first op succeeds, and how long the end of a run takes.

use std::time::Duration;

use anyhow::Result;
use clap::Args;

use crate::runs;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Runs of each kind.
    #[arg(long, default_value_t = 20)]
    runs: u64,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let binary = runs::binary()?;
    let limit = Duration::from_secs(5);
    println!("| nemesis | runs | first ok op, median | worst | beyond the time limit, median | worst |");
    println!("|---|---|---|---|---|---|");
    for nemesis in ["none", "default"] {
        let (mut first, mut beyond) = (Vec::new(), Vec::new());
        for seed in 1..=arguments.runs {
            let out = tempfile::tempdir()?;
            let words =
                ["raft", "--time-limit", "5s", "--nemesis", nemesis, "--nemesis-interval", "500ms", "--seed"];
            let mut words: Vec<String> = words.map(str::to_owned).into();
            words.push(seed.to_string());
            let run = runs::test(&binary, &words, out.path())?;
            first.push(Duration::from_nanos(run.total("first_ok_ns")));
            beyond.push(run.wall.saturating_sub(limit));
        }
        let row = |values: &[Duration]| {
            let middle = runs::median(values.to_vec()).unwrap_or_default();
            (runs::seconds(middle), runs::seconds(values.iter().max().copied().unwrap_or_default()))
        };
        let ((first, first_worst), (end, end_worst)) = (row(&first), row(&beyond));
        println!("| {nemesis} | {} | {first} | {first_worst} | {end} | {end_worst} |", arguments.runs);
    }
    Ok(())
}
