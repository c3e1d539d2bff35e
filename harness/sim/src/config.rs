//! What a simulated run needs to know before it starts.

use std::collections::BTreeMap;
use std::time::Duration;

use rashomon_core::client::Policy;
use rashomon_core::{Link, Map, Seed, Time, Value};
use serde::{Deserialize, Serialize};

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
    /// What becomes of single messages, whatever the seed and the rules of the links say: by the link, and by how
    /// many messages it carried before. This is how a story is shrunk and told again.
    pub overrides: BTreeMap<(Link, u64), Override>,
    /// How many happenings the trace keeps; none, and it costs nothing.
    pub trace: usize,
    /// Before this instant the trace keeps nothing.
    pub trace_from: Time,
}

/// What becomes of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Override {
    /// It is lost.
    Drop,
    /// It arrives once, undamaged, as soon as if no rule were in force.
    Pass,
    /// It arrives once, undamaged, after so long.
    Deliver(#[serde(with = "humantime_serde")] Duration),
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
            overrides: BTreeMap::new(),
            trace: 0,
            trace_from: Time::ZERO,
        }
    }
}
