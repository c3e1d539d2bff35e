//! How a node comes to lead: pre-vote, then the vote (5.2, 5.4.1; dissertation 9.6).

use std::collections::{BTreeMap, BTreeSet};

use rashomon_core::{NodeId, Probe};

use super::bugs::Bug;
use super::message::Message;
use super::node::{Cx, RaftNode, Role, Timer};
use super::position::{Position, Term};

/// The answers so far: whether each node that answered would vote, or voted, for this one.
#[derive(Debug)]
pub(super) struct Campaign {
    answers: BTreeMap<NodeId, bool>,
}

impl Campaign {
    /// A campaign in which only its own node has spoken.
    fn of(me: NodeId) -> Campaign {
        Campaign { answers: BTreeMap::from([(me, true)]) }
    }

    /// How many of these would vote, or voted, for it.
    fn granted(&self, members: &BTreeSet<NodeId>) -> usize {
        self.answers.iter().filter(|(node, granted)| **granted && members.contains(node)).count()
    }

    /// Takes an answer. A node may refuse at first and agree when asked again, but never takes a yes back.
    fn answered(&mut self, from: NodeId, granted: bool) {
        *self.answers.entry(from).or_default() |= granted;
    }
}

impl RaftNode {
    /// Asks whether an election would be worth it, when no leader was heard for a whole time-out.
    pub(super) fn pre_campaign(&mut self, cx: &mut Cx<'_>) {
        if matches!(self.role, Role::Leader(_)) {
            return;
        }
        if self.is_removed() {
            return self.await_leader(cx);
        }
        self.leader = None;
        self.hears_leader = false;
        self.role = Role::PreCandidate(Campaign::of(self.config.me));
        self.await_leader(cx);
        self.ask_for_votes(cx);
        self.count_pre_votes(cx);
    }

    /// Asks all who have not said yes: requests and answers get lost (5.5).
    pub(super) fn ask_for_votes(&mut self, cx: &mut Cx<'_>) {
        let last = self.log.last();
        let (campaign, question) = match &self.role {
            Role::PreCandidate(campaign) => (campaign, Message::PreVote { term: self.term.next(), last }),
            Role::Candidate(campaign) => (campaign, Message::Vote { term: self.term, last }),
            Role::Follower | Role::Leader(_) => return,
        };
        for peer in self.log.members().iter().copied().filter(|member| *member != self.config.me) {
            if campaign.answers.get(&peer) != Some(&true) {
                cx.send(peer, question.clone());
            }
        }
        cx.set_timer(Timer::Heartbeat, self.config.heartbeat);
    }

    /// Whether the vote of `term` could still go to `candidate`, and its log holds all that is committed (5.4.1).
    ///
    /// A log with a later last term is more up-to-date; of two that end in the same term, the longer one.
    fn would_vote(&self, candidate: NodeId, term: Term, last: Position) -> bool {
        let free = term > self.term || (term == self.term && self.vote.is_none_or(|vote| vote == candidate));
        let mine = self.log.last();
        let up_to_date =
            if self.has(Bug::VoteByLengthAlone) { last.index >= mine.index } else { last >= mine };
        free && up_to_date
    }

    /// Says whether it would vote for the sender. A node that hears a leader would not: that leader can serve.
    pub(super) fn on_pre_vote(&mut self, from: NodeId, asked: Term, last: Position, cx: &mut Cx<'_>) {
        let leads = self.hears_leader || matches!(self.role, Role::Leader(_));
        let granted = !leads && self.would_vote(from, asked, last);
        cx.send(from, Message::PreVoted { term: self.term, asked, granted });
    }

    pub(super) fn on_pre_voted(&mut self, from: NodeId, asked: Term, granted: bool, cx: &mut Cx<'_>) {
        if let Role::PreCandidate(campaign) = &mut self.role
            && asked == self.term.next()
        {
            campaign.answered(from, granted);
            self.count_pre_votes(cx);
        }
    }

    fn count_pre_votes(&mut self, cx: &mut Cx<'_>) {
        if let Role::PreCandidate(campaign) = &self.role
            && campaign.granted(self.log.members()) >= self.quorum()
        {
            self.campaign(cx);
        }
    }

    /// Begins a new term, votes for itself, and asks for votes.
    fn campaign(&mut self, cx: &mut Cx<'_>) {
        let me = self.config.me;
        self.term = self.term.next();
        self.vote = Some(me);
        self.persist_term(cx);
        cx.probe(Probe::new("candidate").with("term", self.term));
        cx.probe(Probe::new("vote").with("term", self.term).with("candidate", me.to_string()));
        self.role = Role::Candidate(Campaign::of(me));
        self.await_leader(cx);
        self.ask_for_votes(cx);
        self.count_votes(cx);
    }

    /// Gives its vote of the term, once, and writes it down before it says so.
    pub(super) fn on_vote(&mut self, from: NodeId, term: Term, last: Position, cx: &mut Cx<'_>) {
        let granted = term == self.term && self.would_vote(from, term, last);
        if granted && self.vote.is_none() {
            self.vote = Some(from);
            // Somebody else's election is under way; its own can wait.
            self.step_down(None, cx);
            if !self.has(Bug::VoteNotPersisted) {
                self.persist_term(cx);
            }
            cx.probe(Probe::new("vote").with("term", self.term).with("candidate", from.to_string()));
            self.await_leader(cx);
        }
        cx.send(from, Message::Voted { term: self.term, granted });
    }

    pub(super) fn on_voted(&mut self, from: NodeId, term: Term, granted: bool, cx: &mut Cx<'_>) {
        if let Role::Candidate(campaign) = &mut self.role
            && term == self.term
        {
            campaign.answered(from, granted);
            self.count_votes(cx);
        }
    }

    fn count_votes(&mut self, cx: &mut Cx<'_>) {
        if let Role::Candidate(campaign) = &self.role
            && campaign.granted(self.log.members()) >= self.quorum()
        {
            self.lead(cx);
        }
    }
}
