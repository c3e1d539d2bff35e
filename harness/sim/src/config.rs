//! What a simulated run needs to know before it starts.

use rashomon_core::client::Policy;
use rashomon_core::{Map, Seed, Value};

use crate::span::Timing;

/// A simulated run: how many nodes, from which seed, and how fast everything is.
#[derive(Clone, Debug)]
pub struct Config {
    /// How many nodes.
    pub nodes: u16,
    /// All random draws of the world descend from it.
    pub seed: Seed,
    /// The seeded bugs that the nodes make.
    pub bugs: Vec<String>,
    /// The numbers of the system that the plan sets.
    pub options: Map<String, Value>,
    /// How long clients wait, and for what.
    pub policy: Policy,
    /// How fast machines and network are.
    pub timing: Timing,
    /// Whether messages and records travel as JSON, as on a real wire and disk.
    ///
    /// Costs more than all else together and changes nothing, unless a type does not survive its own encoding
    /// or a message is too large for a packet: that is what it finds.
    pub through_json: bool,
}

impl Config {
    /// A run of that many nodes, all else by default.
    pub fn new(nodes: u16, seed: Seed) -> Config {
        Config {
            nodes,
            seed,
            bugs: Vec::new(),
            options: Map::new(),
            policy: Policy::default(),
            timing: Timing::default(),
            through_json: false,
        }
    }
}
