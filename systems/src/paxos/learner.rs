//! The learner: it counts who accepted what, and asks others for what it missed (2.3).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rashomon_core::{NodeId, Probe};

use super::ballot::{Ballot, Slot};
use super::bugs::Bug;
use super::message::Message;
use super::node::{Cx, PaxosNode};
use super::proposer::Role;
use super::snapshot::Snapshot;
use super::value::{Value, values_that_fit};
use crate::kv::Machine;

/// How far ahead of the applied slots a learner counts: farther than any leader gets, and a bound of memory.
const HORIZON: usize = 1 << 14;

/// What a learner knows. Nothing of it but the snapshot is on disk: a new life of the process asks again.
#[derive(Debug)]
pub(super) struct Learner {
    /// Who accepted in which ballot, for slots that are not known to be chosen.
    pub(super) tallies: BTreeMap<Slot, BTreeMap<Ballot, BTreeSet<NodeId>>>,
    /// What is chosen; every slot behind the base and up to the last applied one, and perhaps later ones.
    pub(super) chosen: BTreeMap<Slot, Value>,
    /// What was chosen up to here is discarded.
    pub(super) base: Slot,
    /// The last slot that is applied.
    pub(super) applied: Slot,
    /// The state after that slot.
    pub(super) machine: Machine,
    /// The latest snapshot, from which the node begins again.
    pub(super) snapshot: Arc<Snapshot>,
    /// The one before, which some node may be about to fetch.
    pub(super) previous: Arc<Snapshot>,
    /// Who knows the log further, and how far.
    pub(super) source: Option<(NodeId, Slot)>,
    /// A snapshot that is arriving in chunks.
    pub(super) assembly: Option<Snapshot>,
}

impl PaxosNode {
    /// Counts an acceptor for a ballot. What a quorum accepted in one ballot is chosen (2.2).
    ///
    /// The value is the one that this node's own acceptor has: in that ballot there is only one, and in a higher one
    /// it is the same (P2b). A node whose acceptor missed it learns it from another.
    pub(super) fn on_accepted(
        &mut self,
        acceptor: NodeId,
        ballot: Ballot,
        first: Slot,
        count: usize,
        cx: &mut Cx<'_>,
    ) {
        self.note_accepted(acceptor, ballot, first, count);
        let counted = if self.has(Bug::AcceptsCountedAcrossBallots) { Ballot::default() } else { ballot };
        let horizon = self.learner.applied.plus(HORIZON);
        let (mut slot, end) = (first, first.plus(count).min(horizon));
        while slot < end {
            if slot > self.learner.applied && !self.learner.chosen.contains_key(&slot) {
                let tally = self.learner.tallies.entry(slot).or_default().entry(counted).or_default();
                tally.insert(acceptor);
                if tally.len() >= self.config.quorum()
                    && let Some((accepted, value)) = self.acceptor.vote(slot)
                    && *accepted >= counted
                {
                    let value = value.clone();
                    cx.probe(
                        Probe::new("chosen")
                            .with("slot", slot)
                            .with("ballot", ballot)
                            .with("origin", value.origin)
                            .with("digest", value.digest()),
                    );
                    self.choose(slot, value);
                }
            }
            slot = slot.next();
        }
        self.apply(cx);
    }

    /// Takes a value as chosen.
    fn choose(&mut self, slot: Slot, value: Value) {
        self.learner.chosen.insert(slot, value);
        self.learner.tallies.remove(&slot);
        if let Role::Leading(leadership) = &mut self.proposer.role {
            leadership.close(slot);
        }
    }

    /// Hears that another node knows the log up to a slot, and asks it for what is missing here.
    pub(super) fn hear_of(&mut self, node: NodeId, chosen: Slot, cx: &mut Cx<'_>) {
        self.learner.source = Some((node, chosen));
        self.ask(cx);
    }

    /// Asks for the next missing part, if one is. Each heartbeat and each answer that helps leads to one question,
    /// so that lost ones are repeated and repeated ones do not multiply.
    pub(super) fn ask(&mut self, cx: &mut Cx<'_>) {
        let Some((node, chosen)) = self.learner.source else { return };
        if chosen <= self.learner.applied {
            self.learner.source = None;
            self.learner.assembly = None;
            return;
        }
        let message = match &self.learner.assembly {
            Some(snapshot) => Message::Fetch { at: snapshot.at, offset: snapshot.chunks.len() },
            None => Message::Learn { from: self.learner.applied.next() },
        };
        cx.send(node, message);
    }

    /// Tells what was chosen from a slot on; a node that asks for what is discarded gets the state instead.
    pub(super) fn on_learn(&mut self, from: NodeId, slot: Slot, cx: &mut Cx<'_>) {
        let end = self.learner.applied;
        if slot > end {
            return;
        }
        if slot <= self.learner.base {
            self.learner.snapshot.send(from, 0, cx);
            return;
        }
        let known = self.learner.chosen.range(slot..=end).map(|(slot, value)| (*slot, value));
        cx.send(from, Message::Chosen { first: slot, values: values_that_fit(slot, known), end });
    }

    /// Takes what another learner says is chosen.
    pub(super) fn on_chosen(
        &mut self,
        from: NodeId,
        first: Slot,
        values: Vec<Value>,
        end: Slot,
        cx: &mut Cx<'_>,
    ) {
        let before = self.learner.applied;
        for (at, value) in values.into_iter().enumerate() {
            let slot = first.plus(at);
            if slot > before && slot <= before.plus(HORIZON) && !self.learner.chosen.contains_key(&slot) {
                let digest = value.digest();
                cx.probe(
                    Probe::new("learn")
                        .with("slot", slot)
                        .with("origin", value.origin)
                        .with("digest", digest),
                );
                self.choose(slot, value);
            }
        }
        self.apply(cx);
        if self.learner.applied > before {
            self.hear_of(from, end, cx);
        }
    }
}
