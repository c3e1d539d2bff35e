//! temporary
#[path = "../tests/sim/driver.rs"]
#[allow(dead_code)]
mod driver;
use driver::{Plan, run};
use rashomon_core::{FaultKind, Seed, System, Validity};
use rashomon_sim::{Choices, Swarm};
use rashomon_systems::raft::Raft;
use std::time::{Duration, Instant};
fn main() {
    let most: u64 = std::env::args().nth(1).unwrap().parse().unwrap();
    let only = std::env::args().nth(2);
    let kinds: Vec<FaultKind> = FaultKind::ALL.iter().map(|k| k.0).collect();
    let choices = Choices::new(vec![3, 5], kinds);
    let mut bugs: Vec<String> = Raft::info().bugs.iter().map(|b| b.name.to_owned()).collect();
    bugs.insert(0, String::new());
    for bug in bugs {
        if only.as_ref().is_some_and(|o| *o != bug) {
            continue;
        }
        let begun = Instant::now();
        let mut found = Vec::new();
        let mut n = 0;
        for seed in 0..most {
            n += 1;
            let seed = Seed(seed).split("hunt");
            let s = Swarm::draw(seed, &choices);
            let mut config = s.config(seed);
            if !bug.is_empty() {
                config.bugs = vec![bug.clone()];
            }
            let mut rng = seed.split("options").rng();
            if rand::RngExt::random_bool(&mut rng, 0.5) {
                config.options.insert("snapshot-every".into(), 20.into());
            }
            let workload = if rand::RngExt::random_bool(&mut rng, 0.3) { "set" } else { "register" };
            let plan = Plan {
                config,
                workload,
                time_limit: Duration::from_secs(10),
                rate: s.rate,
                concurrency: s.concurrency,
                kinds: s.kinds.clone(),
                interval: s.interval,
            };
            let out = run::<Raft>(&plan);
            let mut why = Vec::new();
            if let Some(v) = out.violations.first() {
                why.push(v.chars().take(90).collect::<String>());
            }
            if let Some(v) = out.problems.first() {
                why.push(v.chars().take(100).collect());
            }
            if out.unread > 0 {
                why.push(format!("unread {}", out.unread));
            }
            let expired = || false;
            let names: &[&str] = if workload == "set" { &["set"] } else { &["linearizable-register"] };
            let h = out.history();
            for name in names {
                let v = rashomon_checkers::by_name(name)
                    .map(|c| c.check(&h, &rashomon_checkers::Budget::new(1 << 30, &expired)));
                if let Some(v) = v
                    && v.valid == Validity::Invalid
                {
                    why.push(format!("{name}: {}", v.summary.chars().take(80).collect::<String>()));
                }
            }
            if !why.is_empty() {
                found.push((n, why));
                if bug.is_empty() && found.len() < 5 {
                    println!("seed {n} {s:?} {:?}", found.last());
                }
                if !bug.is_empty() && found.len() >= 5 {
                    break;
                }
            }
        }
        println!("{bug:28} found {} of {n}, first {:?} in {:?}", found.len(), found.first(), begun.elapsed());
    }
}
