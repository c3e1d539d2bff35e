//! A node: its roles, and who handles what.

use std::collections::BTreeMap;
use std::sync::Arc;

use rashomon_core::{BootError, Context, Node, NodeId, Probe, Protocol, Setup, Ticket};

use super::acceptor::Acceptor;
use super::ballot::Slot;
use super::bugs::Bug;
use super::learner::Learner;
use super::message::Message;
use super::options::Config;
use super::proposer::Proposer;
use super::record::{Durable, Record};
use crate::kv::{Reply, Request};

/// The types that the nodes of multi-Paxos speak with.
#[derive(Clone, Copy, Debug)]
pub struct PaxosProtocol;

impl Protocol for PaxosProtocol {
    type Message = Message;
    type Timer = Timer;
    type Record = Record;
    type Request = Request;
    type Reply = Reply;
}

/// What a node waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// Nobody leads, as far as this node can tell: begin a ballot (2.4).
    Election,
    /// A leader says that it is there, and both a leader and who wants to be one repeat what was not answered.
    Heartbeat,
    /// A leader makes sure that a quorum still answers it.
    Quorum,
}

pub(super) type Cx<'a> = Context<'a, PaxosProtocol>;

/// A node, which plays every role (2.5).
#[derive(Debug)]
pub(super) struct PaxosNode {
    pub(super) config: Config,
    pub(super) acceptor: Acceptor,
    pub(super) proposer: Proposer,
    pub(super) learner: Learner,
}

impl PaxosNode {
    /// A node that begins from what its disk remembers.
    pub(super) fn boot(setup: &Setup, records: Vec<Record>) -> Result<PaxosNode, BootError> {
        let config = Config::new(setup)?;
        let Durable { acceptor, snapshot } = Durable::replay(records)?;
        let machine = snapshot.restore().map_err(|error| BootError(error.to_string()))?;
        let learner = Learner {
            tallies: BTreeMap::new(),
            chosen: BTreeMap::new(),
            base: snapshot.at,
            applied: snapshot.at,
            machine,
            previous: Arc::clone(&snapshot),
            snapshot,
            source: None,
            assembly: None,
        };
        Ok(PaxosNode { config, acceptor, proposer: Proposer::default(), learner })
    }

    pub(super) fn has(&self, bug: Bug) -> bool {
        self.config.has(bug)
    }
}

impl Node<PaxosProtocol> for PaxosNode {
    fn on_start(&mut self, cx: &mut Cx<'_>) {
        cx.probe(
            Probe::new("boot")
                .with("promised", self.acceptor.promised())
                .with("applied", self.learner.applied),
        );
        if self.learner.applied > Slot::default() {
            self.probe_restored(cx);
        }
        self.await_leader(cx);
    }

    fn on_message(&mut self, from: NodeId, message: Message, cx: &mut Cx<'_>) {
        if from == self.config.me || !self.config.nodes.contains(&from) {
            return;
        }
        match message {
            Message::Prepare { ballot, from: slot } => self.on_prepare(from, ballot, slot, cx),
            Message::Promise { ballot, from: slot, base, votes, next } => {
                self.on_promise(from, ballot, slot, base, votes, next, cx);
            }
            Message::Accept { ballot, first, values } => self.on_accept(from, ballot, first, values, cx),
            Message::Accepted { ballot, first, count } => self.on_accepted(from, ballot, first, count, cx),
            Message::Preempted { promised } => self.yield_to(promised, cx),
            Message::Heartbeat { ballot, chosen } => self.on_heartbeat(from, ballot, chosen, cx),
            Message::Heard { ballot } => self.on_heard(from, ballot),
            Message::Learn { from: slot } => self.on_learn(from, slot, cx),
            Message::Chosen { first, values, end } => self.on_chosen(from, first, values, end, cx),
            Message::Fetch { at, offset } => self.on_fetch(from, at, offset, cx),
            Message::State { at, offset, total, items } => {
                self.on_state(from, at, offset, total, items, cx);
            }
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Cx<'_>) {
        match timer {
            Timer::Election => self.campaign(cx),
            Timer::Heartbeat => self.repeat(cx),
            Timer::Quorum => self.check_quorum(cx),
        }
    }

    fn on_request(&mut self, ticket: Ticket, request: Request, cx: &mut Cx<'_>) {
        self.serve(ticket, request, cx);
    }
}
