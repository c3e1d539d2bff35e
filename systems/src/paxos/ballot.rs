//! Ballots and slots.

use std::fmt;

use rashomon_core::{NodeId, Value as Json};
use serde::{Deserialize, Serialize};

/// A proposal number: a round, and the node whose ballot it is, so that no two nodes ever use the same (2.2).
///
/// The default is below every ballot that anybody begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Ballot {
    /// Counts up; the first election makes it 1.
    pub round: u64,
    /// Whose ballot it is.
    pub node: NodeId,
}

impl Default for Ballot {
    fn default() -> Ballot {
        Ballot { round: 0, node: NodeId(0) }
    }
}

impl Ballot {
    /// The ballot as one number, in the same order: the round, and three digits for the node.
    pub fn number(self) -> u64 {
        self.round.saturating_mul(1000).saturating_add(u64::from(self.node.0))
    }

    /// The ballot of a [`number`](Ballot::number).
    pub fn numbered(number: u64) -> Ballot {
        Ballot { round: number / 1000, node: NodeId((number % 1000) as u16) }
    }
}

/// A place in the log: each slot is an instance of the consensus algorithm (3). The first is 1; 0 is the place
/// before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Slot(pub u64);

impl Slot {
    /// The slot after this one.
    pub fn next(self) -> Slot {
        self.plus(1)
    }

    /// The slot this many places further.
    pub fn plus(self, places: usize) -> Slot {
        Slot(self.0.saturating_add(places as u64))
    }
}

impl From<Ballot> for Json {
    fn from(ballot: Ballot) -> Json {
        ballot.number().into()
    }
}

impl From<Slot> for Json {
    fn from(slot: Slot) -> Json {
        slot.0.into()
    }
}

impl fmt::Display for Ballot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.round, self.node)
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
