//! Snapshots: taken by every node for itself, and fetched in chunks by one that lags too far behind.
//!
//! A snapshot replaces what was accepted and chosen up to the snapshot before, so that a node which lags a little
//! is still served from the log. An acceptor that discards votes must go on saying that these slots are chosen: to
//! a new leader, silence would mean that they are free.

use std::sync::Arc;

use rashomon_core::rpc::{ErrorCode, RpcError};
use rashomon_core::{NodeId, Probe};

use super::ballot::Slot;
use super::message::Message;
use super::node::{Cx, PaxosNode};
use super::proposer::Role;
use super::record::Durable;
use crate::kv::{Chunk, Machine, RestoreError};

/// The state after a slot; the default is the state before the first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Snapshot {
    /// The last slot that it covers.
    pub(super) at: Slot,
    /// The state, in pieces that each fit into a message.
    pub(super) chunks: Vec<Chunk>,
}

impl Snapshot {
    /// The state that it describes.
    pub(super) fn restore(&self) -> Result<Machine, RestoreError> {
        Machine::restore(self.chunks.iter().flatten())
    }

    /// Sends a chunk of it.
    pub(super) fn send(&self, to: NodeId, offset: usize, cx: &mut Cx<'_>) {
        let Some(items) = self.chunks.get(offset) else { return };
        let total = self.chunks.len();
        cx.send(to, Message::State { at: self.at, offset, total, items: items.clone() });
    }
}

impl PaxosNode {
    /// Takes a snapshot when enough was applied since the last one.
    pub(super) fn snapshot_if_due(&mut self, cx: &mut Cx<'_>) {
        let Some(every) = self.config.snapshot_every else { return };
        let learner = &mut self.learner;
        if learner.applied.0 - learner.snapshot.at.0 < every {
            return;
        }
        let snapshot = Arc::new(Snapshot { at: learner.applied, chunks: learner.machine.chunks() });
        learner.previous = std::mem::replace(&mut learner.snapshot, snapshot);
        self.discard_to(self.learner.previous.at);
        self.write_snapshot(cx);
        cx.probe(Probe::new("snapshot").with("slot", self.learner.applied));
    }

    fn discard_to(&mut self, base: Slot) {
        self.learner.base = self.learner.base.max(base);
        self.learner.chosen = self.learner.chosen.split_off(&base.next());
        self.acceptor.discard_to(base);
    }

    fn write_snapshot(&self, cx: &mut Cx<'_>) {
        cx.checkpoint(Durable::records(&self.acceptor, &self.learner.snapshot));
    }

    /// Sends the chunk asked for, or the first of the latest snapshot when the one meant is gone.
    pub(super) fn on_fetch(&mut self, from: NodeId, at: Slot, offset: usize, cx: &mut Cx<'_>) {
        let learner = &self.learner;
        match [&learner.snapshot, &learner.previous].into_iter().find(|snapshot| snapshot.at == at) {
            Some(snapshot) => snapshot.send(from, offset, cx),
            None => learner.snapshot.send(from, 0, cx),
        }
    }

    /// Takes a chunk: adds it when it is the next, makes the snapshot its state when it is the last.
    ///
    /// Chunks of one slot may come from several nodes: equal states have equal chunks.
    pub(super) fn on_state(
        &mut self,
        from: NodeId,
        at: Slot,
        offset: usize,
        total: usize,
        items: Chunk,
        cx: &mut Cx<'_>,
    ) {
        if at <= self.learner.applied {
            // It has all this and perhaps more; what is fetched must be newer.
            if self.learner.assembly.as_ref().is_some_and(|snapshot| snapshot.at <= self.learner.applied) {
                self.learner.assembly = None;
            }
            return;
        }
        let mut snapshot = match self.learner.assembly.take() {
            Some(snapshot) if snapshot.at == at => snapshot,
            Some(other) if offset != 0 || other.at > at => other,
            Some(_) | None => Snapshot { at, chunks: Vec::new() },
        };
        let helps = snapshot.at == at && offset == snapshot.chunks.len();
        if helps {
            snapshot.chunks.push(items);
        }
        if helps && snapshot.chunks.len() == total {
            self.install(snapshot, cx);
        } else {
            self.learner.assembly = Some(snapshot);
        }
        if helps {
            let known = self.learner.source.map_or(at, |(_, known)| known.max(at));
            self.hear_of(from, known, cx);
        }
    }

    /// Makes a whole snapshot its state, unless it is not one.
    fn install(&mut self, snapshot: Snapshot, cx: &mut Cx<'_>) {
        let Ok(machine) = snapshot.restore() else { return };
        let at = snapshot.at;
        self.learner.machine = machine;
        self.learner.applied = at;
        self.learner.snapshot = Arc::new(snapshot);
        self.learner.previous = Arc::clone(&self.learner.snapshot);
        self.learner.tallies = self.learner.tallies.split_off(&at.next());
        self.discard_to(at);
        self.write_snapshot(cx);
        self.probe_restored(cx);
        if let Role::Leading(leadership) = &mut self.proposer.role {
            // A read among these slots can no longer be answered with the state of its own place.
            let later = leadership.waiting.split_off(&at.next());
            for waiting in std::mem::replace(&mut leadership.waiting, later).into_values() {
                cx.refuse(waiting.ticket, RpcError::new(ErrorCode::Crash, "the slot was passed over"));
            }
            leadership.close_to(at);
        }
        self.apply(cx);
    }

    /// Says which state it begins from.
    pub(super) fn probe_restored(&self, cx: &mut Cx<'_>) {
        cx.probe(
            Probe::new("restore")
                .with("slot", self.learner.applied)
                .with("digest", self.learner.machine.digest()),
        );
    }
}
