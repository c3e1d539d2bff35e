//! One decree at one node, which plays every role in it (2.5).

use std::sync::Arc;

use rashomon_core::NodeId;

use super::acceptor::Acceptor;
use super::bugs::Bug;
use super::client::Waiting;
use super::learner::Learner;
use super::message::{Message, Step};
use super::node::Cx;
use super::options::Config;
use super::proposer::Proposer;

/// What a node knows of one decree.
#[derive(Debug)]
pub(super) struct Decree {
    pub(super) key: String,
    pub(super) config: Arc<Config>,
    pub(super) acceptor: Acceptor,
    pub(super) proposer: Proposer,
    pub(super) learner: Learner,
    /// Who is told when the decree is decided.
    pub(super) waiting: Vec<Waiting>,
}

impl Decree {
    /// A decree of which nothing is known but what the acceptor has on disk.
    pub(super) fn new(key: String, config: Arc<Config>, acceptor: Acceptor) -> Decree {
        let (proposer, learner) = (Proposer::default(), Learner::default());
        Decree { key, config, acceptor, proposer, learner, waiting: Vec::new() }
    }

    pub(super) fn has(&self, bug: Bug) -> bool {
        self.config.has(bug)
    }

    /// Takes a step of another node.
    pub(super) fn on_step(&mut self, from: NodeId, step: Step, cx: &mut Cx<'_>) {
        match step {
            Step::Prepare { ballot } => self.on_prepare(from, ballot, cx),
            Step::Promise { ballot, vote } => self.on_promise(from, ballot, vote, cx),
            Step::Accept { vote } => self.on_accept(from, vote, cx),
            Step::Accepted { vote } => self.on_accepted(from, vote, cx),
            Step::Preempted { promised } => self.on_preempted(promised, cx),
        }
    }

    pub(super) fn send(&self, to: NodeId, step: Step, cx: &mut Cx<'_>) {
        cx.send(to, Message { key: self.key.clone(), step });
    }

    pub(super) fn broadcast(&self, step: Step, cx: &mut Cx<'_>) {
        cx.broadcast(&self.config.nodes, &Message { key: self.key.clone(), step });
    }
}
