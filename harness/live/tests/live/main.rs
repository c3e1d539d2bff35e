//! The live world against real processes.
//!
//! A node is this very program, run again with `node SYSTEM --config FILE`: the compiler's own test harness
//! would not let such arguments through, so the trials are called from here. A word on the command line picks
//! those whose name contains it.

mod bench;
mod clients;
mod clocks;
mod disk;
mod misfits;
mod network;
mod notebook;
mod processes;
mod start;
mod support;
mod trials;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["node", system, "--config", config] => node(system, Path::new(config)),
        ["harness", dir] => support::harness(Path::new(dir)),
        ["bench", rest @ ..] => bench::run(rest),
        words => run(&words.iter().copied().filter(|word| !word.starts_with('-')).collect::<Vec<_>>()),
    }
}

/// The life of a node process.
fn node(system: &str, config: &Path) -> ExitCode {
    let ended = match system {
        "notebook" => rashomon_live::node::run::<notebook::Notebook>(config),
        misfit => return misfits::run(misfit),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(101)
        }
    }
}

/// Runs the trials, and tells of each.
fn run(words: &[&str]) -> ExitCode {
    let picked: Vec<_> = trials::all()
        .into_iter()
        .filter(|(name, _)| words.is_empty() || words.iter().any(|word| name.contains(word)))
        .collect();
    println!("\nrunning {} trials", picked.len());
    let mut failed = 0;
    for (name, trial) in &picked {
        let passed = std::panic::catch_unwind(trial).is_ok();
        println!("trial {name} ... {}", if passed { "ok" } else { "FAILED" });
        failed += usize::from(!passed);
    }
    println!("\n{} passed, {failed} failed\n", picked.len() - failed);
    if failed == 0 && !(picked.is_empty() && words.is_empty()) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
