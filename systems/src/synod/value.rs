//! What is proposed, accepted and chosen.

use std::fmt;

use rashomon_core::Value as Json;
use serde::{Deserialize, Serialize};

use crate::paxos::Ballot;

/// What a client proposes: a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Value(pub i64);

/// What an acceptor accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    /// In which ballot.
    pub ballot: Ballot,
    /// Which value.
    pub value: Value,
}

impl From<Value> for Json {
    fn from(value: Value) -> Json {
        value.0.into()
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
