//! The acceptor: it promises, accepts, and forgets neither (2.2).
//!
//! Its state is on disk before anybody can tell that it changed. A promise is one for all slots, because a leader
//! runs phase 1 for all of them at once (3).

use std::collections::BTreeMap;

use rashomon_core::{NodeId, Probe};

use super::ballot::{Ballot, Slot};
use super::bugs::Bug;
use super::message::Message;
use super::node::{Cx, PaxosNode};
use super::record::Record;
use super::value::{Value, Vote, votes_that_fit};

/// What an acceptor remembers.
#[derive(Debug, Default)]
pub(super) struct Acceptor {
    /// It accepts nothing below this ballot.
    promised: Ballot,
    /// The last slot whose vote is discarded. What was chosen up to here is in the node's snapshot.
    base: Slot,
    /// For each later slot, the highest ballot in which it accepted a value, and the value.
    votes: BTreeMap<Slot, (Ballot, Value)>,
}

impl Acceptor {
    pub(super) fn promised(&self) -> Ballot {
        self.promised
    }

    pub(super) fn base(&self) -> Slot {
        self.base
    }

    /// What it accepted for a slot.
    pub(super) fn vote(&self, slot: Slot) -> Option<&(Ballot, Value)> {
        self.votes.get(&slot)
    }

    /// What it accepted from a slot on.
    pub(super) fn votes_from(&self, from: Slot) -> impl Iterator<Item = Vote> + use<'_> {
        self.votes.range(from..).map(|(slot, (ballot, value))| Vote {
            slot: *slot,
            ballot: *ballot,
            value: value.clone(),
        })
    }

    /// What it accepted, in runs of one ballot.
    pub(super) fn groups(&self) -> Vec<Vec<(Slot, Ballot, &Value)>> {
        let votes: Vec<_> =
            self.votes.iter().map(|(slot, (ballot, value))| (*slot, *ballot, value)).collect();
        votes.chunk_by(|a, b| a.1 == b.1).map(<[_]>::to_vec).collect()
    }

    pub(super) fn raise(&mut self, ballot: Ballot) {
        self.promised = self.promised.max(ballot);
    }

    /// Takes note of an accepted value; whether that is news.
    pub(super) fn remember(&mut self, slot: Slot, ballot: Ballot, value: Value) -> bool {
        if slot <= self.base {
            return false;
        }
        let vote = (ballot, value);
        if self.votes.get(&slot) == Some(&vote) {
            return false;
        }
        self.votes.insert(slot, vote);
        true
    }

    pub(super) fn discard_to(&mut self, base: Slot) {
        self.base = self.base.max(base);
        self.votes = self.votes.split_off(&self.base.next());
    }
}

impl PaxosNode {
    /// Makes a promise, unless a higher one stands; whether the ballot may go on here.
    pub(super) fn promise(&mut self, ballot: Ballot, cx: &mut Cx<'_>) -> bool {
        if ballot < self.acceptor.promised {
            return false;
        }
        if ballot > self.acceptor.promised {
            self.acceptor.raise(ballot);
            if !self.has(Bug::PromiseForgotten) {
                cx.persist(Record::Promise { ballot });
            }
            cx.probe(Probe::new("promise").with("ballot", ballot));
        }
        true
    }

    /// Phase 1b. A repeated request is answered again, and so is one for the next part of the answer.
    pub(super) fn on_prepare(&mut self, leader: NodeId, ballot: Ballot, from: Slot, cx: &mut Cx<'_>) {
        let fresh = ballot > self.acceptor.promised;
        if !self.promise(ballot, cx) {
            cx.send(leader, Message::Preempted { promised: self.acceptor.promised });
            return;
        }
        self.yield_to(ballot, cx);
        if fresh {
            // The new leader gets its chance. A repeated request earns no more of it, lest a node that is heard and
            // hears nobody keep all others waiting.
            self.await_leader(cx);
        }
        let votes = votes_that_fit(self.acceptor.votes_from(from));
        let next = votes
            .last()
            .map(|vote| vote.slot.next())
            .filter(|next| self.acceptor.votes.range(*next..).next().is_some());
        cx.send(leader, Message::Promise { ballot, from, base: self.acceptor.base, votes, next });
    }

    /// Phase 2b, for what another leader proposed.
    pub(super) fn on_accept(
        &mut self,
        leader: NodeId,
        ballot: Ballot,
        first: Slot,
        values: Vec<Value>,
        cx: &mut Cx<'_>,
    ) {
        if ballot < self.acceptor.promised {
            cx.send(leader, Message::Preempted { promised: self.acceptor.promised });
            return;
        }
        self.yield_to(ballot, cx);
        self.accept(ballot, first, values, cx);
    }

    /// Accepts values in a ballot that no promise forbids, and tells every learner.
    ///
    /// For a slot that was discarded there is nothing to remember: whoever leads later is told that the slot is
    /// chosen. The acceptor says all the same that it accepted, as it would have done had it kept the vote.
    pub(super) fn accept(&mut self, ballot: Ballot, first: Slot, values: Vec<Value>, cx: &mut Cx<'_>) {
        let raised = ballot > self.acceptor.promised;
        self.acceptor.raise(ballot);
        let count = values.len();
        let mut news = Vec::new();
        for (at, value) in values.iter().enumerate() {
            let slot = first.plus(at);
            if self.acceptor.remember(slot, ballot, value.clone()) {
                news.push((slot, value.digest()));
            }
        }
        if !news.is_empty() {
            cx.persist(Record::Accept { ballot, first, values });
        } else if raised {
            cx.persist(Record::Promise { ballot });
        }
        for (slot, digest) in news {
            cx.probe(Probe::new("accept").with("slot", slot).with("ballot", ballot).with("digest", digest));
        }
        cx.broadcast(&self.config.nodes, &Message::Accepted { ballot, first, count });
        self.on_accepted(self.config.me, ballot, first, count, cx);
    }
}
