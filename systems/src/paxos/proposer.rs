//! The proposer on its way to lead: ballots, phase 1, and stepping back (2.2, 2.4).

use std::collections::BTreeMap;
use std::time::Duration;

use rand::RngExt;
use rashomon_core::{NodeId, Probe};

use super::ballot::{Ballot, Slot};
use super::bugs::Bug;
use super::leader::Leadership;
use super::message::Message;
use super::node::{Cx, PaxosNode, Timer};
use super::value::{Value, Vote};

/// How often the time-out doubles at most, ballot after ballot lost: duelling proposers must leave each other time.
const MOST_DOUBLINGS: u32 = 3;

/// What a proposer knows. Nothing of it needs to be on disk: see [`PaxosNode::next_ballot`].
#[derive(Debug, Default)]
pub(super) struct Proposer {
    /// Its latest ballot in the life of this process.
    pub(super) ballot: Ballot,
    /// The highest ballot of others that it heard of.
    highest: Ballot,
    /// Whom it believes to lead; a hint for clients.
    pub(super) leader: Option<NodeId>,
    /// How many ballots it lost in a row.
    defeats: u32,
    pub(super) role: Role,
}

/// How far a proposer got with its ballot.
#[derive(Debug, Default)]
pub(super) enum Role {
    /// It leaves proposing to others.
    #[default]
    Follower,
    /// Phase 1: it gathers promises.
    Preparing(Preparation),
    /// Phase 2: it proposes.
    Leading(Leadership),
}

/// The promises so far.
#[derive(Debug)]
pub(super) struct Preparation {
    /// Where each acceptor's next part begins; `None` when it has told all.
    parts: BTreeMap<NodeId, Option<Slot>>,
    /// The first slot that it must ask about.
    from: Slot,
    /// All slots up to here are chosen, as acceptors tell that have discarded them.
    pub(super) base: Slot,
    /// For each slot, the highest ballot in which a value was accepted, and the value.
    pub(super) votes: BTreeMap<Slot, (Ballot, Value)>,
}

impl Preparation {
    /// Whether so many acceptors have promised, and told all that they accepted.
    fn complete(&self, quorum: usize) -> bool {
        self.parts.values().filter(|next| next.is_none()).count() >= quorum
    }

    /// Takes a vote into account: of the values accepted for a slot, that of the highest ballot counts (P2c).
    fn consider(&mut self, vote: Vote, first_wins: bool) {
        let Vote { slot, ballot, value } = vote;
        match self.votes.get(&slot) {
            Some((highest, _)) if first_wins || *highest >= ballot => {}
            Some(_) | None => {
                self.votes.insert(slot, (ballot, value));
            }
        }
    }
}

impl PaxosNode {
    /// A ballot that this node never used. Every ballot of its own is promised by its own acceptor, durably, before
    /// anybody hears of it, so that the promise tells a new life of the process what was used in the old ones.
    fn next_ballot(&self) -> Ballot {
        let promised = self.acceptor.promised();
        if self.has(Bug::BallotReused) && promised.node == self.config.me && promised > self.proposer.ballot {
            return promised;
        }
        let highest = promised.max(self.proposer.highest).max(self.proposer.ballot);
        Ballot { round: highest.round + 1, node: self.config.me }
    }

    /// Phase 1a: begins a ballot. It stands until a higher one is heard of, and its requests are repeated.
    pub(super) fn campaign(&mut self, cx: &mut Cx<'_>) {
        let ballot = self.next_ballot();
        self.proposer.ballot = ballot;
        self.proposer.leader = None;
        self.promise(ballot, cx);
        cx.probe(Probe::new("prepare").with("ballot", ballot));
        let from = self.learner.applied.next();
        let mut preparation = Preparation {
            parts: self.config.peers().map(|peer| (peer, Some(from))).collect(),
            from,
            base: self.learner.applied.max(self.acceptor.base()),
            votes: BTreeMap::new(),
        };
        preparation.parts.insert(self.config.me, None);
        for vote in self.acceptor.votes_from(from) {
            preparation.consider(vote, false);
        }
        self.proposer.role = Role::Preparing(preparation);
        self.ask_for_promises(cx);
        cx.cancel_timer(Timer::Election);
        cx.set_timer(Timer::Heartbeat, self.config.heartbeat);
        self.lead_if_promised(cx);
    }

    /// Asks every acceptor for the part of its promise that is missing.
    pub(super) fn ask_for_promises(&self, cx: &mut Cx<'_>) {
        let Role::Preparing(preparation) = &self.proposer.role else { return };
        for (node, next) in &preparation.parts {
            if let Some(from) = next {
                cx.send(*node, Message::Prepare { ballot: self.proposer.ballot, from: *from });
            }
        }
    }

    /// Takes a part of a promise. Between two parts the acceptor can accept nothing in between: it promised.
    #[expect(clippy::too_many_arguments, reason = "they are the fields of the message")]
    pub(super) fn on_promise(
        &mut self,
        acceptor: NodeId,
        ballot: Ballot,
        from: Slot,
        base: Slot,
        votes: Vec<Vote>,
        next: Option<Slot>,
        cx: &mut Cx<'_>,
    ) {
        let first_wins = self.has(Bug::HighestNotAdopted);
        let Role::Preparing(preparation) = &mut self.proposer.role else { return };
        if ballot != self.proposer.ballot || preparation.parts.get(&acceptor) != Some(&Some(from)) {
            return;
        }
        preparation.parts.insert(acceptor, next);
        preparation.base = preparation.base.max(base);
        for vote in votes {
            if vote.slot >= preparation.from {
                preparation.consider(vote, first_wins);
            }
        }
        match next {
            Some(from) => cx.send(acceptor, Message::Prepare { ballot, from }),
            None => self.lead_if_promised(cx),
        }
    }

    fn lead_if_promised(&mut self, cx: &mut Cx<'_>) {
        match std::mem::take(&mut self.proposer.role) {
            Role::Preparing(preparation) if preparation.complete(self.config.quorum()) => {
                self.proposer.defeats = 0;
                self.lead(preparation, cx);
            }
            other => self.proposer.role = other,
        }
    }

    /// Gives up its own ballot for a higher one, and asks for no more until that had its chance.
    pub(super) fn yield_to(&mut self, ballot: Ballot, cx: &mut Cx<'_>) {
        self.proposer.highest = self.proposer.highest.max(ballot);
        match &self.proposer.role {
            Role::Follower => {}
            Role::Preparing(_) | Role::Leading(_) => {
                if ballot > self.proposer.ballot {
                    self.step_down(cx);
                }
            }
        }
    }

    /// Becomes a follower.
    pub(super) fn step_down(&mut self, cx: &mut Cx<'_>) {
        self.proposer.leader = None;
        match std::mem::take(&mut self.proposer.role) {
            Role::Follower => {}
            Role::Preparing(_) => self.proposer.defeats += 1,
            Role::Leading(leadership) => leadership.abandon(cx),
        }
        cx.cancel_timer(Timer::Heartbeat);
        cx.cancel_timer(Timer::Quorum);
        self.await_leader(cx);
    }

    /// Waits for a leader to show itself, for a time that differs between nodes and grows with every defeat (2.4).
    pub(super) fn await_leader(&self, cx: &mut Cx<'_>) {
        if !matches!(self.proposer.role, Role::Follower) {
            return;
        }
        let factor = 1 << self.proposer.defeats.min(MOST_DOUBLINGS);
        let shortest = self.config.election_min.as_nanos() as u64;
        let longest = (self.config.election_max.as_nanos() as u64).saturating_mul(factor);
        let wait = Duration::from_nanos(cx.rng().random_range(shortest..=longest));
        cx.set_timer(Timer::Election, wait);
    }

    /// Somebody leads: follows it, unless its ballot is over.
    pub(super) fn on_heartbeat(&mut self, from: NodeId, ballot: Ballot, chosen: Slot, cx: &mut Cx<'_>) {
        if ballot < self.acceptor.promised() {
            cx.send(from, Message::Preempted { promised: self.acceptor.promised() });
            return;
        }
        self.yield_to(ballot, cx);
        self.proposer.leader = Some(from);
        self.proposer.defeats = 0;
        self.await_leader(cx);
        cx.send(from, Message::Heard { ballot });
        self.hear_of(from, chosen, cx);
    }
}
