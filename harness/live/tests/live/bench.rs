//! How fast the harness is against a system that answers at once: `cargo test --release -p rashomon-live --test live -- bench`.

use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use rashomon_core::client::Outcome;
use rashomon_core::rpc::Body;
use rashomon_core::{Call, Event, NodeId, World};
use rashomon_live::LiveWorld;
use serde_json::json;

/// Measures starting up and ops per second; `clients`, `nodes` and `seconds` may follow.
pub(crate) fn run(words: &[&str]) -> ExitCode {
    let number = |at: usize, default: u64| words.get(at).map_or(default, |word| word.parse().unwrap());
    let (clients, nodes, seconds) = (number(0, 10), number(1, 1) as u16, number(2, 5));
    let dir = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let mut world = LiveWorld::start(crate::support::config(nodes, dir.path())).unwrap();
    println!("{nodes} nodes ready after {:?}", start.elapsed());
    let mut history = std::io::BufWriter::new(std::fs::File::create(dir.path().join("history")).unwrap());
    let call = |world: &mut LiveWorld, process: u64, sequence: u64| {
        let body: Body = json!({"type": "echo", "value": sequence}).as_object().unwrap().clone();
        let home = NodeId((process % u64::from(nodes)) as u16 + 1);
        world.call(Call { process, sequence, home, read_only: false, body });
    };
    let start = Instant::now();
    let mut sequences: Vec<u64> = vec![1; clients as usize];
    (0..clients).for_each(|process| call(&mut world, process, 1));
    let (mut ok, mut other) = (0_u64, 0_u64);
    while start.elapsed() < Duration::from_secs(seconds) {
        let until = world.now() + Duration::from_secs(1);
        if let Some(Event::Completion { process, outcome }) = world.poll(until) {
            match outcome {
                Outcome::Ok(_, body) => {
                    ok += 1;
                    writeln!(history, "{}", serde_json::to_string(&body).unwrap()).unwrap();
                }
                Outcome::Fail(_) | Outcome::Info(_) => other += 1,
            }
            sequences[process as usize] += 1;
            call(&mut world, process, sequences[process as usize]);
        }
    }
    let rate = ok as f64 / start.elapsed().as_secs_f64();
    println!("{clients} clients: {rate:.0} ok ops/s, {other} others");
    let start = Instant::now();
    world.shutdown().unwrap();
    println!("shut down in {:?}", start.elapsed());
    ExitCode::SUCCESS
}
