//! What a node writes to its disk, and how it begins again from there.

use std::collections::BTreeSet;
use std::sync::Arc;

use rashomon_core::{BootError, NodeId};
use serde::{Deserialize, Serialize};

use super::log::{Entry, Log};
use super::position::{Index, Position, Term};
use super::snapshot::Snapshot;
use crate::kv::{Chunk, Digest};

/// A record of the write-ahead log: the paper's persistent state (Figure 2), change by change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// The term, and the vote given in it.
    Term {
        /// `currentTerm`.
        term: Term,
        /// `votedFor`.
        vote: Option<NodeId>,
    },
    /// Entries were added at the end of the log.
    Append {
        /// The index of the first of them.
        first: Index,
        /// The entries.
        entries: Vec<Entry>,
    },
    /// The log was cut off: entries from here on conflicted with the leader's.
    Truncate {
        /// The first index that is gone.
        from: Index,
    },
    /// A snapshot begins; its chunks follow.
    Snapshot {
        /// The last place that it covers.
        at: Position,
        /// The fingerprint of the log up to there.
        chain: Digest,
        /// The configuration in force there (7).
        members: BTreeSet<NodeId>,
    },
    /// The next part of the snapshot.
    Chunk {
        /// The part of the state.
        items: Chunk,
    },
    /// The log begins behind this place.
    Base {
        /// The last place that was discarded.
        at: Position,
        /// The fingerprint of the log up to there.
        chain: Digest,
        /// The configuration in force there.
        members: BTreeSet<NodeId>,
    },
}

/// The persistent state of a node.
#[derive(Debug, Default)]
pub(super) struct Durable {
    pub(super) term: Term,
    pub(super) vote: Option<NodeId>,
    pub(super) log: Log,
    pub(super) snapshot: Arc<Snapshot>,
}

impl Durable {
    /// The state that the records add up to, in a cluster that began with these nodes.
    pub(super) fn replay(records: Vec<Record>, members: BTreeSet<NodeId>) -> Result<Durable, BootError> {
        let (mut term, mut vote) = (Term::default(), None);
        let mut log = Log::of(members.clone());
        let mut snapshot = Snapshot { members, ..Snapshot::default() };
        for record in records {
            match record {
                Record::Term { term: t, vote: v } => (term, vote) = (t, v),
                Record::Append { first, entries } => {
                    let end = log.last().index;
                    if first != end.next() {
                        return Err(BootError(format!(
                            "a record appends at {first} to a log that ends at {end}"
                        )));
                    }
                    for entry in entries {
                        log.push(entry);
                    }
                }
                Record::Truncate { from } => log.truncate_from(from),
                Record::Snapshot { at, chain, members } => {
                    snapshot = Snapshot { at, chain, members, chunks: Vec::new() };
                }
                Record::Chunk { items } => snapshot.chunks.push(items),
                Record::Base { at, chain, members } => log = Log::starting_at(at, chain, members),
            }
        }
        Ok(Durable { term, vote, log, snapshot: Arc::new(snapshot) })
    }

    /// The records that add up to this state: a snapshot, and the log behind its base.
    pub(super) fn records(term: Term, vote: Option<NodeId>, snapshot: &Snapshot, log: &Log) -> Vec<Record> {
        let mut records = vec![Record::Term { term, vote }];
        let Snapshot { at, chain, members, chunks } = snapshot;
        records.push(Record::Snapshot { at: *at, chain: *chain, members: members.clone() });
        records.extend(chunks.iter().map(|items| Record::Chunk { items: items.clone() }));
        let base = log.base();
        if let Some(chain) = log.chain_at(base.index) {
            let members = log.members_at(base.index).clone();
            records.push(Record::Base { at: base, chain, members });
        }
        records.extend(log.pieces().into_iter().map(|(first, entries)| Record::Append { first, entries }));
        records
    }
}
