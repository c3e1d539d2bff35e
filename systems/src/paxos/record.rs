//! What a node writes to its disk, and how it begins again from there.

use std::sync::Arc;

use rashomon_core::BootError;
use serde::{Deserialize, Serialize};

use super::acceptor::Acceptor;
use super::ballot::{Ballot, Slot};
use super::snapshot::Snapshot;
use super::value::{Value, runs};
use crate::kv::Chunk;

/// A record of the write-ahead log. All but the snapshot is the acceptor's, because only its memory is what the
/// proof relies on (2.5); a proposer finds its round in the promise that it made to itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// Nothing below this ballot will be accepted.
    Promise {
        /// The ballot.
        ballot: Ballot,
    },
    /// Values were accepted; that is a promise too.
    Accept {
        /// The ballot.
        ballot: Ballot,
        /// The slot of the first value.
        first: Slot,
        /// The values.
        values: Vec<Value>,
    },
    /// A snapshot begins; its chunks follow.
    Snapshot {
        /// The last slot that it covers.
        at: Slot,
    },
    /// The next part of the snapshot.
    Chunk {
        /// The part of the state.
        items: Chunk,
    },
    /// What was accepted up to here is discarded.
    Base {
        /// The last slot that is gone.
        at: Slot,
    },
}

/// The persistent state of a node.
#[derive(Debug, Default)]
pub(super) struct Durable {
    pub(super) acceptor: Acceptor,
    pub(super) snapshot: Arc<Snapshot>,
}

impl Durable {
    /// The state that the records add up to.
    pub(super) fn replay(records: Vec<Record>) -> Result<Durable, BootError> {
        let mut acceptor = Acceptor::default();
        let mut snapshot = Snapshot::default();
        for record in records {
            match record {
                Record::Promise { ballot } => acceptor.raise(ballot),
                Record::Accept { ballot, first, values } => {
                    acceptor.raise(ballot);
                    for (at, value) in values.into_iter().enumerate() {
                        acceptor.remember(first.plus(at), ballot, value);
                    }
                }
                Record::Snapshot { at } => snapshot = Snapshot { at, chunks: Vec::new() },
                Record::Chunk { items } => snapshot.chunks.push(items),
                Record::Base { at } => acceptor.discard_to(at),
            }
        }
        if acceptor.base() > snapshot.at {
            return Err(BootError(format!(
                "the log is discarded up to slot {}, and the snapshot ends at {}",
                acceptor.base(),
                snapshot.at
            )));
        }
        Ok(Durable { acceptor, snapshot: Arc::new(snapshot) })
    }

    /// The records that add up to this state.
    pub(super) fn records(acceptor: &Acceptor, snapshot: &Snapshot) -> Vec<Record> {
        let mut records = vec![Record::Promise { ballot: acceptor.promised() }];
        records.push(Record::Snapshot { at: snapshot.at });
        records.extend(snapshot.chunks.iter().map(|items| Record::Chunk { items: items.clone() }));
        records.push(Record::Base { at: acceptor.base() });
        for group in acceptor.groups() {
            let ballot = group[0].1;
            let slots = group.iter().map(|(slot, _, value)| (*slot, *value));
            records.extend(runs(slots).into_iter().map(|(first, values)| Record::Accept {
                ballot,
                first,
                values,
            }));
        }
        records
    }
}
