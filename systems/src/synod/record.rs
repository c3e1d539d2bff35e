//! What an acceptor writes down.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::acceptor::Acceptor;
use super::value::Vote;
use crate::paxos::Ballot;

/// A record of a node's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// A ballot is promised.
    Promise {
        /// The decree.
        key: String,
        /// The ballot.
        ballot: Ballot,
    },
    /// A proposal is accepted.
    Accept {
        /// The decree.
        key: String,
        /// The proposal.
        vote: Vote,
    },
}

/// The acceptors that the records add up to, by decree.
pub(super) fn replay(records: Vec<Record>) -> BTreeMap<String, Acceptor> {
    let mut acceptors: BTreeMap<String, Acceptor> = BTreeMap::new();
    for record in records {
        match record {
            Record::Promise { key, ballot } => acceptors.entry(key).or_default().raise(ballot),
            Record::Accept { key, vote } => acceptors.entry(key).or_default().remember(vote),
        }
    }
    acceptors
}
