//! The proposer that leads: phase 2 for one slot after the other (3).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rashomon_core::rpc::{ErrorCode, RpcError};
use rashomon_core::{NodeId, Probe, Ticket};

use super::ballot::{Ballot, Slot};
use super::bugs::Bug;
use super::client::Waiting;
use super::message::Message;
use super::node::{Cx, PaxosNode, Timer};
use super::proposer::{Preparation, Role};
use super::value::{Operation, Value, runs};
use crate::kv::Request;

/// The most slots that are repeated to one acceptor at a time.
const MOST_REPEATED: usize = 256;

/// A value that is proposed and, as far as the leader knows, not chosen yet.
#[derive(Debug)]
struct Open {
    value: Value,
    /// Who accepted it.
    accepted: BTreeSet<NodeId>,
    /// Whether it was proposed before the latest heartbeat, so that it is time to repeat it.
    due: bool,
}

/// What a leader knows; all of it is forgotten when it steps down.
#[derive(Debug)]
pub(super) struct Leadership {
    /// All slots up to here were chosen before it led; it proposes nothing for them, and may have to learn them.
    base: Slot,
    /// The slot of its next proposal.
    next: Slot,
    open: BTreeMap<Slot, Open>,
    /// Who waits for which slot to be applied.
    pub(super) waiting: BTreeMap<Slot, Waiting>,
    /// Requests that are not proposed yet, because as many slots are open as may be.
    pub(super) queue: VecDeque<(Ticket, Request)>,
    /// Who answered since the last check of the quorum.
    active: BTreeSet<NodeId>,
    /// How far the log was applied at the last check.
    applied_before: Option<Slot>,
    /// Counts heartbeats; chooses whom to ask for slots that it must learn.
    heartbeats: usize,
}

impl Leadership {
    /// Tells the clients that wait what is true: what was proposed may yet be chosen, what was not never will be.
    pub(super) fn abandon(self, cx: &mut Cx<'_>) {
        for waiting in self.waiting.into_values() {
            let error = RpcError::new(ErrorCode::Crash, "no longer the leader; it may yet be chosen");
            cx.refuse(waiting.ticket, error);
        }
        for (ticket, _) in self.queue {
            cx.refuse(ticket, RpcError::unavailable("no longer the leader", None));
        }
    }

    /// A slot is chosen: it need not be proposed any more.
    pub(super) fn close(&mut self, slot: Slot) {
        self.open.remove(&slot);
    }

    /// All slots up to this one are chosen.
    pub(super) fn close_to(&mut self, slot: Slot) {
        self.open = self.open.split_off(&slot.next());
    }
}

impl PaxosNode {
    /// Begins to lead. A quorum promised, so for every slot beyond `base` the value to propose is known: the one
    /// accepted in the highest ballot (P2c) or, in a gap before the last of those, nothing at all (3).
    pub(super) fn lead(&mut self, preparation: Preparation, cx: &mut Cx<'_>) {
        let ballot = self.proposer.ballot;
        let Preparation { base, mut votes, .. } = preparation;
        // While it gathered promises, it may have learned and applied more.
        let applied = self.learner.applied;
        let base = if self.has(Bug::DiscardedTakenForEmpty) { applied } else { base.max(applied) };
        let last = votes.last_key_value().map_or(base, |(slot, _)| base.max(*slot));
        let mut values = Vec::new();
        let mut slot = base.next();
        while slot <= last {
            let noop = || Value { origin: ballot, operation: Operation::Noop };
            values.push(votes.remove(&slot).map_or_else(noop, |(_, value)| value));
            slot = slot.next();
        }
        self.proposer.leader = Some(self.config.me);
        self.proposer.role = Role::Leading(Leadership {
            base,
            next: base.next(),
            open: BTreeMap::new(),
            waiting: BTreeMap::new(),
            queue: VecDeque::new(),
            active: BTreeSet::new(),
            applied_before: None,
            heartbeats: 0,
        });
        cx.cancel_timer(Timer::Election);
        cx.set_timer(Timer::Quorum, self.config.election_max);
        cx.probe(Probe::new("leader").with("term", ballot).with("base", base).with("last", last));
        self.propose(values, cx);
        self.repeat(cx);
    }

    /// Phase 2a: proposes values for the next slots. They go to the other acceptors before this node's own has them
    /// on disk: it is one acceptor like the others, and nothing depends on it more than on them.
    pub(super) fn propose(&mut self, values: Vec<Value>, cx: &mut Cx<'_>) {
        let ballot = self.proposer.ballot;
        let Role::Leading(leadership) = &mut self.proposer.role else { return };
        let mut proposed = Vec::new();
        for value in values {
            let slot = leadership.next;
            leadership.next = slot.next();
            cx.probe(
                Probe::new("propose")
                    .with("slot", slot)
                    .with("ballot", ballot)
                    .with("origin", value.origin)
                    .with("digest", value.digest()),
            );
            let open = Open { value: value.clone(), accepted: BTreeSet::new(), due: false };
            leadership.open.insert(slot, open);
            proposed.push((slot, value));
        }
        for (first, values) in runs(proposed.iter().map(|(slot, value)| (*slot, value))) {
            let message = Message::Accept { ballot, first, values: values.clone() };
            cx.broadcast(&self.config.nodes, &message);
            self.accept(ballot, first, values, cx);
        }
    }

    /// How many more slots may be open.
    pub(super) fn room(&self) -> usize {
        match &self.proposer.role {
            Role::Leading(leadership) => self.config.window.saturating_sub(leadership.open.len()),
            Role::Follower | Role::Preparing(_) => 0,
        }
    }

    /// The slot that the next proposal is for.
    pub(super) fn next_slot(&self) -> Option<Slot> {
        match &self.proposer.role {
            Role::Leading(leadership) => Some(leadership.next),
            Role::Follower | Role::Preparing(_) => None,
        }
    }

    /// Takes note that an acceptor accepted what this node proposed.
    pub(super) fn note_accepted(&mut self, acceptor: NodeId, ballot: Ballot, first: Slot, count: usize) {
        let Role::Leading(leadership) = &mut self.proposer.role else { return };
        if ballot != self.proposer.ballot {
            return;
        }
        leadership.active.insert(acceptor);
        for (_, open) in leadership.open.range_mut(first..first.plus(count)) {
            open.accepted.insert(acceptor);
        }
    }

    /// A follower heard the heartbeat.
    pub(super) fn on_heard(&mut self, from: NodeId, ballot: Ballot) {
        if let Role::Leading(leadership) = &mut self.proposer.role
            && ballot == self.proposer.ballot
        {
            leadership.active.insert(from);
        }
    }

    /// Says that it is there, and repeats what was not answered.
    pub(super) fn repeat(&mut self, cx: &mut Cx<'_>) {
        let ballot = self.proposer.ballot;
        match &mut self.proposer.role {
            Role::Follower => return,
            Role::Preparing(_) => self.ask_for_promises(cx),
            Role::Leading(leadership) => {
                leadership.heartbeats += 1;
                for peer in self.config.peers() {
                    cx.send(peer, Message::Heartbeat { ballot, chosen: self.learner.applied });
                    let missing: Vec<(Slot, &Value)> = leadership
                        .open
                        .iter()
                        .filter(|(_, open)| open.due && !open.accepted.contains(&peer))
                        .map(|(slot, open)| (*slot, &open.value))
                        .take(MOST_REPEATED)
                        .collect();
                    for (first, values) in runs(missing.into_iter()) {
                        cx.send(peer, Message::Accept { ballot, first, values });
                    }
                }
                for open in leadership.open.values_mut() {
                    open.due = true;
                }
                // Who has the slots before its base is not known for sure, so it asks one after the other.
                let peers: Vec<NodeId> = self.config.peers().collect();
                let (base, turn) = (leadership.base, leadership.heartbeats);
                if self.learner.applied < base && !peers.is_empty() {
                    self.hear_of(peers[turn % peers.len()], base, cx);
                }
            }
        }
        cx.set_timer(Timer::Heartbeat, self.config.heartbeat);
    }

    /// Steps down when no quorum answers, or when it cannot get hold of the slots before its base: whoever told of
    /// them may be gone, and another ballot may do without. Safety does not depend on it.
    pub(super) fn check_quorum(&mut self, cx: &mut Cx<'_>) {
        let applied = self.learner.applied;
        let Role::Leading(leadership) = &mut self.proposer.role else { return };
        leadership.active.insert(self.config.me);
        let stuck = applied < leadership.base && leadership.applied_before == Some(applied);
        leadership.applied_before = Some(applied);
        if leadership.active.len() < self.config.quorum() || stuck {
            self.step_down(cx);
            return;
        }
        leadership.active.clear();
        cx.set_timer(Timer::Quorum, self.config.election_max);
    }
}
