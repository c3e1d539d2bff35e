//! Prints how many runs and node steps a second one core makes.
//!
//! `cargo run --release -p rashomon-sim --example speed -- [SEEDS] [OPS A SECOND]`
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

#[path = "../tests/sim/driver.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod driver;

use std::time::Instant;

use driver::{Plan, run};
use rashomon_core::Kind;
use rashomon_systems::raft::Raft;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u64>().expect("a number"));
    let seeds = arguments.next().unwrap_or(50);
    let rate = arguments.next().unwrap_or(500) as u32;
    let begun = Instant::now();
    let (mut steps, mut probes, mut ok, mut info) = (0, 0, 0, 0);
    for seed in 0..seeds {
        let outline = run::<Raft>(&Plan { rate, ..Plan::new(seed) });
        steps += outline.steps;
        probes += outline.probes;
        ok += outline.count(Kind::Ok);
        info += outline.count(Kind::Info);
        assert!(outline.violations.is_empty(), "seed {seed}: {:?}", outline.violations);
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!("raft, 5 nodes, 30 virtual seconds, {rate} ops/s, default faults, one core");
    println!("{:10.1} runs/s", seeds as f64 / seconds);
    println!("{:10.0} node steps/s ({} a run)", steps as f64 / seconds, steps / seeds);
    println!(
        "{:10.0} probes/s, {} ops ok, {} ops info a run",
        probes as f64 / seconds,
        ok as u64 / seeds,
        info as u64 / seeds
    );
}
