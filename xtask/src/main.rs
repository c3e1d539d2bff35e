//! Benchmark drivers: each runs the `rashomon` binary many times and prints a table for the docs.
//!
//! `cargo xtask bugs` measures how fast each seeded bug is caught, `clean` that a correct system is never
//! accused, `shrink` what is left of a failing seed, `startup` how soon the first op succeeds and how long the end
//! takes, `check` what checking costs, `echo` what the harness can do against a system that answers at once. Nothing
//! here asserts a time; it is for people to read.

mod bugs;
mod check;
mod clean;
mod echo;
mod runs;
mod shrink;
mod startup;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(about = "Benchmark drivers of Rashomon; build the binary with `cargo build --release` first")]
struct Arguments {
    #[command(subcommand)]
    driver: Driver,
}

#[derive(Debug, Subcommand)]
enum Driver {
    /// How often and how fast each seeded bug that shows live is caught.
    Bugs(bugs::Arguments),
    /// Whether a correct system is ever accused.
    Clean(clean::Arguments),
    /// How soon the first op succeeds, and how long the end of a run takes.
    Startup(startup::Arguments),
    /// What shrinking leaves of the first failing seed of each seeded bug.
    Shrink(shrink::Arguments),
    /// What checking costs us and our rivals, on generated and recorded histories.
    Check(check::Arguments),
    /// What the harness alone can do: ops a second, and memory over time.
    Echo(echo::Arguments),
}

fn main() -> Result<()> {
    match Arguments::parse().driver {
        Driver::Bugs(arguments) => bugs::run(&arguments),
        Driver::Clean(arguments) => clean::run(&arguments),
        Driver::Startup(arguments) => startup::run(&arguments),
        Driver::Shrink(arguments) => shrink::run(&arguments),
        Driver::Check(arguments) => check::run(&arguments),
        Driver::Echo(arguments) => echo::run(&arguments),
    }
}
