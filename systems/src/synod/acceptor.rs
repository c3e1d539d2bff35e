//! The acceptor: it promises, accepts, and forgets neither (2.2).

use rashomon_core::{NodeId, Probe};

use super::bugs::Bug;
use super::decree::Decree;
use super::message::Step;
use super::node::Cx;
use super::record::Record;
use super::value::Vote;
use crate::paxos::Ballot;

/// What an acceptor remembers, in this life and the next.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Acceptor {
    /// It accepts nothing below this ballot.
    pub(super) promised: Ballot,
    /// What it accepted in the highest ballot in which it accepted anything.
    pub(super) vote: Option<Vote>,
}

impl Acceptor {
    /// Takes note of a promise.
    pub(super) fn raise(&mut self, ballot: Ballot) {
        self.promised = self.promised.max(ballot);
    }

    /// Takes note of an accepted proposal: who accepts in a ballot has promised it.
    pub(super) fn remember(&mut self, vote: Vote) {
        self.raise(vote.ballot);
        self.vote = Some(vote);
    }
}

impl Decree {
    /// Phase 1b. A request that comes twice is answered twice.
    pub(super) fn on_prepare(&mut self, proposer: NodeId, ballot: Ballot, cx: &mut Cx<'_>) {
        let step = if self.promise(ballot, cx) {
            Step::Promise { ballot, vote: self.acceptor.vote }
        } else {
            Step::Preempted { promised: self.acceptor.promised }
        };
        self.send(proposer, step, cx);
    }

    /// Promises a ballot, unless a higher one is promised; whether the ballot may go on here.
    pub(super) fn promise(&mut self, ballot: Ballot, cx: &mut Cx<'_>) -> bool {
        if ballot < self.acceptor.promised {
            return false;
        }
        if ballot > self.acceptor.promised {
            self.acceptor.raise(ballot);
            if !self.has(Bug::PromiseForgotten) {
                cx.persist(Record::Promise { key: self.key.clone(), ballot });
            }
            cx.probe(Probe::new("promise").with("key", &*self.key).with("ballot", ballot));
        }
        true
    }

    /// Phase 2b: accepts, unless that would break a promise, and tells every learner.
    pub(super) fn on_accept(&mut self, proposer: NodeId, vote: Vote, cx: &mut Cx<'_>) {
        if vote.ballot < self.acceptor.promised {
            self.send(proposer, Step::Preempted { promised: self.acceptor.promised }, cx);
            return;
        }
        self.accept(vote, cx);
    }

    /// Accepts what no promise forbids.
    pub(super) fn accept(&mut self, vote: Vote, cx: &mut Cx<'_>) {
        if self.has(Bug::AcceptedBeforeDisk) {
            self.broadcast(Step::Accepted { vote }, cx);
        }
        if self.acceptor.vote != Some(vote) {
            self.acceptor.remember(vote);
            cx.persist(Record::Accept { key: self.key.clone(), vote });
            cx.probe(
                Probe::new("accept")
                    .with("key", &*self.key)
                    .with("ballot", vote.ballot)
                    .with("value", vote.value),
            );
        }
        if !self.has(Bug::AcceptedBeforeDisk) {
            self.broadcast(Step::Accepted { vote }, cx);
        }
        self.on_accepted(self.config.me, vote, cx);
    }
}
