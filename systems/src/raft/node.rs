//! A node: its state, its roles, and who handles what.

use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use rashomon_core::{BootError, Context, Node, NodeId, Probe, Protocol, Setup, Ticket};

use super::bugs::Bug;
use super::election::Campaign;
use super::leader::Leadership;
use super::log::Log;
use super::message::Message;
use super::options::Config;
use super::position::{Index, Term};
use super::record::{Durable, Record};
use super::request::{Reply, Request};
use super::snapshot::{Assembly, Snapshot};
use crate::kv::Machine;

/// The types that Raft's nodes speak with.
#[derive(Clone, Copy, Debug)]
pub struct RaftProtocol;

impl Protocol for RaftProtocol {
    type Message = Message;
    type Timer = Timer;
    type Record = Record;
    type Request = Request;
    type Reply = Reply;
}

/// What a node waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// Nobody leads, as far as this node can tell: try to (5.2).
    Election,
    /// The leader was last heard the shortest election time-out ago: from now on this node would vote for another
    /// (dissertation 9.6). A timer and not a reading of the wall clock, which may jump.
    Silence,
    /// A leader says that it is there; a candidate asks again those who have not answered.
    Heartbeat,
    /// A leader makes sure that a quorum still answers it (dissertation 6.2).
    Quorum,
    /// A new server has had an election time-out to catch up (dissertation 4.2.1).
    CatchUp,
}

/// What a node is, in its term.
#[derive(Debug)]
pub(super) enum Role {
    /// It answers others.
    Follower,
    /// It asks whether an election would be worth it.
    PreCandidate(Campaign),
    /// It asks for votes.
    Candidate(Campaign),
    /// It serves clients and replicates its log.
    Leader(Leadership),
}

pub(super) type Cx<'a> = Context<'a, RaftProtocol>;

/// A Raft node. The first three fields of its state are on disk before anybody can tell that they changed.
#[derive(Debug)]
pub(super) struct RaftNode {
    pub(super) config: Config,
    /// `currentTerm`: the latest term it knows of.
    pub(super) term: Term,
    /// `votedFor`: whom it voted for in that term.
    pub(super) vote: Option<NodeId>,
    /// `log[]`.
    pub(super) log: Log,
    /// The latest snapshot, from which the node begins again; the empty state when it took none.
    pub(super) snapshot: Arc<Snapshot>,
    /// `commitIndex`.
    pub(super) commit: Index,
    /// `lastApplied`.
    pub(super) applied: Index,
    /// The state after the entry at `applied`.
    pub(super) machine: Machine,
    /// Whom it believes to lead; a hint for clients.
    pub(super) leader: Option<NodeId>,
    /// Whether it heard from that leader less than the shortest election time-out ago.
    pub(super) hears_leader: bool,
    /// A snapshot that is arriving in chunks.
    pub(super) assembly: Option<Assembly>,
    pub(super) role: Role,
}

impl RaftNode {
    /// A node that begins from what its disk remembers.
    pub(super) fn boot(setup: &Setup, records: Vec<Record>) -> Result<RaftNode, BootError> {
        let config = Config::new(setup)?;
        let Durable { term, vote, log, snapshot } =
            Durable::replay(records, config.nodes.iter().copied().collect())?;
        let machine = snapshot.restore().map_err(|error| BootError(error.to_string()))?;
        Ok(RaftNode {
            config,
            term,
            vote,
            log,
            commit: snapshot.at.index,
            applied: snapshot.at.index,
            snapshot,
            machine,
            leader: None,
            hears_leader: false,
            assembly: None,
            role: Role::Follower,
        })
    }

    pub(super) fn has(&self, bug: Bug) -> bool {
        self.config.has(bug)
    }

    /// Writes down the term and the vote.
    pub(super) fn persist_term(&self, cx: &mut Cx<'_>) {
        cx.persist(Record::Term { term: self.term, vote: self.vote });
    }

    /// Begins a term that somebody else began, as a follower without a vote (5.1).
    fn adopt(&mut self, term: Term, cx: &mut Cx<'_>) {
        self.term = term;
        self.vote = None;
        if !self.has(Bug::TermNotPersisted) {
            self.persist_term(cx);
        }
        self.hears_leader = false;
        self.step_down(None, cx);
        cx.probe(Probe::new("follower").with("term", self.term));
    }

    /// Becomes a follower in the current term, of `leader` if it is known.
    pub(super) fn step_down(&mut self, leader: Option<NodeId>, cx: &mut Cx<'_>) {
        self.leader = leader;
        match std::mem::replace(&mut self.role, Role::Follower) {
            Role::Follower => {}
            Role::PreCandidate(_) | Role::Candidate(_) => cx.cancel_timer(Timer::Heartbeat),
            Role::Leader(leadership) => {
                cx.cancel_timer(Timer::Heartbeat);
                cx.cancel_timer(Timer::Quorum);
                cx.cancel_timer(Timer::CatchUp);
                leadership.abandon(leader, cx);
                self.await_leader(cx);
            }
        }
    }

    /// Waits for a leader to show itself, for a time that differs between nodes lest votes be split (5.2).
    pub(super) fn await_leader(&self, cx: &mut Cx<'_>) {
        let shortest = self.config.election_min.as_nanos() as u64;
        let longest = self.config.election_max.as_nanos() as u64;
        let wait = Duration::from_nanos(cx.rng().random_range(shortest..=longest));
        cx.set_timer(Timer::Election, wait);
    }

    /// Takes a message of the leader of `term` for what it is, or says that the term is over.
    pub(super) fn follows(&mut self, from: NodeId, term: Term, cx: &mut Cx<'_>) -> bool {
        if term < self.term {
            cx.send(from, Message::Deposed { term: self.term });
            return false;
        }
        match self.role {
            // Two leaders in one term: the work of a seeded bug, which the invariants accuse.
            Role::Leader(_) => return false,
            Role::Follower => self.leader = Some(from),
            Role::PreCandidate(_) | Role::Candidate(_) => {
                self.step_down(Some(from), cx);
                cx.probe(Probe::new("follower").with("term", self.term));
            }
        }
        self.hears_leader = true;
        cx.set_timer(Timer::Silence, self.config.election_min);
        self.await_leader(cx);
        true
    }
}

impl Node<RaftProtocol> for RaftNode {
    fn on_start(&mut self, cx: &mut Cx<'_>) {
        let last = self.log.last();
        cx.probe(
            Probe::new("boot")
                .with("term", self.term)
                .with("last", last.index)
                .with("last_term", last.term)
                .with("snapshot", self.snapshot.at.index),
        );
        if self.snapshot.at.index > Index::ZERO {
            self.probe_restored(cx);
        }
        self.await_leader(cx);
    }

    fn on_message(&mut self, from: NodeId, message: Message, cx: &mut Cx<'_>) {
        if from == self.config.me || !self.config.nodes.contains(&from) {
            return;
        }
        if message.reached() > self.term {
            self.adopt(message.reached(), cx);
        }
        match message {
            Message::PreVote { term, last } => self.on_pre_vote(from, term, last, cx),
            Message::PreVoted { asked, granted, .. } => self.on_pre_voted(from, asked, granted, cx),
            Message::Vote { term, last } => self.on_vote(from, term, last, cx),
            Message::Voted { term, granted } => self.on_voted(from, term, granted, cx),
            Message::Append { term, prev, entries, commit, round } => {
                if self.follows(from, term, cx) {
                    self.on_append(from, prev, entries, commit, round, cx);
                }
            }
            Message::Appended { term, matched, round } => {
                if self.hears(from, term, round) {
                    self.on_appended(from, matched, cx);
                }
            }
            Message::Rejected { term, prev, hint, round } => {
                if self.hears(from, term, round) {
                    self.on_rejected(from, prev, hint, cx);
                }
            }
            Message::Install { term, at, chain, members, offset, total, items, round } => {
                if self.follows(from, term, cx) {
                    let snapshot = Snapshot { at, chain, members, chunks: vec![items] };
                    self.on_install(from, snapshot, offset, total, round, cx);
                }
            }
            Message::Installing { term, at, received, round } => {
                if self.hears(from, term, round) {
                    self.on_installing(from, at, received, cx);
                }
            }
            // That the term is over was all it had to say.
            Message::Deposed { .. } => {}
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Cx<'_>) {
        match timer {
            Timer::Election => self.pre_campaign(cx),
            Timer::Silence => self.hears_leader = false,
            Timer::Heartbeat => match self.role {
                Role::Follower => {}
                Role::PreCandidate(_) | Role::Candidate(_) => self.ask_for_votes(cx),
                Role::Leader(_) => self.heartbeat(cx),
            },
            Timer::Quorum => self.check_quorum(cx),
            Timer::CatchUp => self.catches_up_slowly(cx),
        }
    }

    fn on_request(&mut self, ticket: Ticket, request: Request, cx: &mut Cx<'_>) {
        self.serve(ticket, request, cx);
    }
}
