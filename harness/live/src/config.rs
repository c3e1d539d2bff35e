//! What a live run needs to know before it starts.

use std::path::PathBuf;
use std::time::Duration;

use rashomon_core::client::Policy;
use rashomon_core::{Map, RunId, Seed, Value};

/// A live run: which system, how many nodes, where.
#[derive(Clone, Debug)]
pub struct Config {
    /// The system's name, which a node process is given on its command line.
    pub system: String,
    /// How many nodes; at most 100.
    pub nodes: u16,
    /// All random draws of the world descend from it.
    pub seed: Seed,
    /// Tells the run from others on the wire.
    pub run: RunId,
    /// The run's folder. The world writes `nodes/<id>/` and `messages.jsonl.zst` there.
    pub dir: PathBuf,
    /// The seeded bugs that the nodes make.
    pub bugs: Vec<String>,
    /// The numbers of the system that the plan sets.
    pub options: Map<String, Value>,
    /// How long clients wait, and for what.
    pub policy: Policy,
    /// The program that runs a node as `PROGRAM node SYSTEM --config FILE`.
    pub executable: PathBuf,
    /// How long a node may take to get ready, or to answer an order.
    pub patience: Duration,
    /// The most bytes of the message journal, before compression.
    pub journal_cap: u64,
}

impl Config {
    /// A run of `system` in the folder `dir`, all else by default.
    pub fn new(system: impl Into<String>, nodes: u16, seed: Seed, run: RunId, dir: PathBuf) -> Config {
        Config {
            system: system.into(),
            nodes,
            seed,
            run,
            dir,
            bugs: Vec::new(),
            options: Map::new(),
            policy: Policy::default(),
            // The very program that runs now, even when its file has been replaced meanwhile.
            executable: PathBuf::from("/proc/self/exe"),
            patience: Duration::from_secs(5),
            journal_cap: 64 * 1024 * 1024,
        }
    }
}
