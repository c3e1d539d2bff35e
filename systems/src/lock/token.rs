//! Who holds a lock, and by which number the resource knows it.

use std::fmt;

use rashomon_core::{NodeId, Value};
use serde::{Deserialize, Serialize};

/// A fencing token: counts the grants of one lock from 1. Chubby calls it the lock generation number, a part of its
/// *sequencer*.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(pub u64);

impl Token {
    /// The token of the next grant.
    #[must_use]
    pub fn next(self) -> Token {
        Token(self.0 + 1)
    }
}

/// A critical section, counted from 1 in the life of a holder's process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SectionId(pub u64);

/// A time that a holder asks for a lease, counted from 1 in its section; 0 is before the first.
///
/// A lease is reckoned from when its round *began*, which is before the server heard of it: so the holder believes in
/// it no longer than the server does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Round(pub u64);

impl Round {
    /// The round after this one.
    #[must_use]
    pub fn next(self) -> Round {
        Round(self.0 + 1)
    }
}

/// Whoever holds a lock: one critical section. No two are alike, also when a holder starts again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Owner {
    /// The holder.
    pub node: NodeId,
    /// The life of its process, by a number drawn when it began.
    pub life: u64,
    /// The section.
    pub section: SectionId,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{:08x}/{}", self.node, self.life as u32, self.section.0)
    }
}

impl From<Token> for Value {
    fn from(token: Token) -> Value {
        token.0.into()
    }
}
