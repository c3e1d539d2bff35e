//! Prints how fast the simulated world is on one core.
//!
//! `cargo run --release -p rashomon-sim --example speed -- [SEEDS] [OPS A SECOND]`
//!
//! A *step* is one input of a state machine: a start, a message, a timer or a request, with all that comes of it.
//! First a system that does next to nothing, so that what is measured is the world; then Raft, with its
//! workload, its history and its invariants.
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

#[path = "../../tests/sim/driver.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod driver;
mod token;

use std::time::{Duration, Instant};

use driver::{Plan, run};
use rashomon_core::{Kind, Seed, Time, World};
use rashomon_sim::{Config, SimWorld};
use rashomon_systems::raft::Raft;
use token::Tokens;

fn tokens() {
    let mut world = SimWorld::<Tokens>::start(Config::new(5, Seed(1))).expect("it starts");
    let begun = Instant::now();
    let none = world.poll(Time::ZERO + Duration::from_secs(100));
    let seconds = begun.elapsed().as_secs_f64();
    assert!(none.is_none(), "{none:?}");
    println!("tokens, 5 nodes, 100 virtual seconds; messages, timers and records, no client");
    println!("{:10.0} node steps/s ({} in {seconds:.2} s)", world.steps() as f64 / seconds, world.steps());
}

fn raft(seeds: u64, rate: u32) {
    let begun = Instant::now();
    let (mut steps, mut probes, mut ok, mut info) = (0, 0, 0, 0);
    for seed in 0..seeds {
        let outline = run::<Raft>(&Plan { rate, ..Plan::new(seed) });
        steps += outline.steps;
        probes += outline.probes;
        ok += outline.count(Kind::Ok) as u64;
        info += outline.count(Kind::Info) as u64;
        assert!(outline.violations.is_empty(), "seed {seed}: {:?}", outline.violations);
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!("raft, 5 nodes, 30 virtual seconds, {rate} ops/s, default faults");
    println!("{:10.1} runs/s", seeds as f64 / seconds);
    println!("{:10.0} node steps/s ({} a run)", steps as f64 / seconds, steps / seeds);
    println!(
        "{:10.0} probes/s, {} ops ok, {} ops info a run",
        probes as f64 / seconds,
        ok / seeds,
        info / seeds
    );
}

fn main() {
    let number = |text: String| text.parse::<u32>().expect("a number");
    let mut arguments = std::env::args().skip(1).map(number);
    let seeds = arguments.next().unwrap_or(40).max(1);
    let rates = arguments.next().map_or_else(|| vec![50, 100, 200, 500], |rate| vec![rate]);
    tokens();
    for rate in rates {
        raft(seeds.into(), rate);
    }
}
