//! Snapshots: taken by every node for itself, and sent in chunks to one that lags too far behind (7).
//!
//! A snapshot replaces the log's beginning on disk. The log keeps the entries since the snapshot before, so that
//! a follower which lags a little is still served from the log.

use std::collections::BTreeSet;
use std::sync::Arc;

use rashomon_core::{NodeId, Probe};

use super::bugs::Bug;
use super::log::Log;
use super::message::Message;
use super::node::{Cx, RaftNode, Role};
use super::position::{Index, Position, Term};
use super::record::Durable;
use crate::kv::{Chunk, Digest, Item, Machine, RestoreError};

/// The state after an entry of the log; the default is the state before the first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Snapshot {
    /// The last place that it covers.
    pub(super) at: Position,
    /// The fingerprint of the log up to there.
    pub(super) chain: Digest,
    /// The configuration in force there.
    pub(super) members: BTreeSet<NodeId>,
    /// The state, in pieces that each fit into a message.
    pub(super) chunks: Vec<Chunk>,
}

/// A snapshot on its way to a follower, one chunk at a time.
#[derive(Debug)]
pub(super) struct Transfer {
    /// What is sent; a newer one that the leader takes meanwhile does not disturb it.
    pub(super) snapshot: Arc<Snapshot>,
    /// The chunk that the follower needs next.
    pub(super) offset: usize,
}

/// A snapshot that arrives. Chunks of two leaders are never mixed, so it is known by the leader's term as well.
#[derive(Debug)]
pub(super) struct Assembly {
    term: Term,
    snapshot: Snapshot,
}

impl Snapshot {
    /// The state that it describes.
    pub(super) fn restore(&self) -> Result<Machine, RestoreError> {
        Machine::restore(self.chunks.iter().flatten())
    }
}

impl RaftNode {
    /// Takes a snapshot when enough was applied since the last one.
    pub(super) fn snapshot_if_due(&mut self, cx: &mut Cx<'_>) {
        let Some(every) = self.config.snapshot_every else { return };
        let previous = self.snapshot.at.index;
        if self.applied.0 - previous.0 < every {
            return;
        }
        let index = self.applied;
        let (Some(term), Some(chain)) = (self.log.term_at(index), self.log.chain_at(index)) else { return };
        let mut chunks = self.machine.chunks();
        if self.has(Bug::SessionsNotInSnapshot) {
            for chunk in &mut chunks {
                chunk.retain(|item| !matches!(item, Item::Session { .. }));
            }
        }
        let members = self.log.members_at(index).clone();
        self.snapshot = Arc::new(Snapshot { at: Position { term, index }, chain, members, chunks });
        self.log.discard_to(previous);
        cx.checkpoint(Durable::records(self.term, self.vote, &self.snapshot, &self.log));
        cx.probe(
            Probe::new("snapshot")
                .with("index", index)
                .with("term", term)
                .with("digest", self.machine.digest()),
        );
    }

    /// Sends a follower the chunk that it needs next, if a snapshot is on its way to it.
    pub(super) fn send_chunk(&mut self, to: NodeId, cx: &mut Cx<'_>) {
        let Role::Leader(leadership) = &self.role else { return };
        let Some(transfer) = leadership.followers.get(&to).and_then(|progress| progress.transfer.as_ref())
        else {
            return;
        };
        let snapshot = &transfer.snapshot;
        let Some(items) = snapshot.chunks.get(transfer.offset) else { return };
        let message = Message::Install {
            term: self.term,
            at: snapshot.at,
            chain: snapshot.chain,
            members: snapshot.members.clone(),
            offset: transfer.offset,
            total: snapshot.chunks.len(),
            items: items.clone(),
            round: leadership.round,
        };
        cx.send(to, message);
    }

    /// Takes a chunk: adds it when it is the next, installs the snapshot when it is the last.
    ///
    /// `chunk` is the snapshot as its message told it, with the one piece that came along.
    pub(super) fn on_install(
        &mut self,
        from: NodeId,
        chunk: Snapshot,
        offset: usize,
        total: usize,
        round: u64,
        cx: &mut Cx<'_>,
    ) {
        let at = chunk.at;
        if at.index <= self.commit && !self.has(Bug::StaleSnapshotInstalled) {
            // It has all this and perhaps more. What is committed here is in the log of every leader (5.4.3).
            self.assembly = None;
            cx.send(from, Message::Appended { term: self.term, matched: self.commit, round });
            return;
        }
        let mut snapshot = match self.assembly.take() {
            Some(assembly) if assembly.term == self.term && assembly.snapshot.at == at => assembly.snapshot,
            _ => Snapshot { chunks: Vec::new(), ..chunk.clone() },
        };
        if offset == snapshot.chunks.len() {
            snapshot.chunks.extend(chunk.chunks);
        }
        let received = snapshot.chunks.len();
        if received < total {
            cx.send(from, Message::Installing { term: self.term, at: at.index, received, round });
            self.assembly = Some(Assembly { term: self.term, snapshot });
        } else if self.install(snapshot, cx) {
            cx.send(from, Message::Appended { term: self.term, matched: at.index, round });
        }
    }

    /// Makes a whole snapshot its state, unless it is not one.
    fn install(&mut self, snapshot: Snapshot, cx: &mut Cx<'_>) -> bool {
        let Ok(machine) = snapshot.restore() else { return false };
        let at = snapshot.at;
        if self.log.term_at(at.index) == Some(at.term) {
            // The log agrees with the snapshot, and what follows may have been acknowledged: it stays (7).
            self.log.discard_to(at.index);
        } else {
            self.log = Log::starting_at(at, snapshot.chain, snapshot.members.clone());
        }
        self.machine = machine;
        self.commit = at.index;
        self.applied = at.index;
        self.snapshot = Arc::new(snapshot);
        cx.checkpoint(Durable::records(self.term, self.vote, &self.snapshot, &self.log));
        self.probe_restored(cx);
        true
    }

    /// Says which state it begins from.
    pub(super) fn probe_restored(&self, cx: &mut Cx<'_>) {
        cx.probe(
            Probe::new("restore")
                .with("index", self.applied)
                .with("term", self.snapshot.at.term)
                .with("digest", self.machine.digest()),
        );
    }

    /// Goes on with a transfer. Only an answer that asks for more than was sent before moves it, so that a
    /// repeated answer is not answered again; what the follower lost is sent with the next heartbeat.
    pub(super) fn on_installing(&mut self, from: NodeId, at: Index, received: usize, cx: &mut Cx<'_>) {
        if let Role::Leader(leadership) = &mut self.role
            && let Some(progress) = leadership.followers.get_mut(&from)
            && let Some(transfer) = &mut progress.transfer
            && transfer.snapshot.at.index == at
            && received < transfer.snapshot.chunks.len()
        {
            let advances = received > transfer.offset;
            transfer.offset = received;
            if advances {
                self.send_chunk(from, cx);
            }
        }
        self.serve_reads(cx);
    }
}
