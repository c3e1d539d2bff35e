//! A node: many decrees, each for itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use rashomon_core::{BootError, Context, Node, NodeId, Protocol, Setup, Ticket};

use super::acceptor::Acceptor;
use super::client::{Reply, Request};
use super::decree::Decree;
use super::message::Message;
use super::options::Config;
use super::record::{Record, replay};

/// The types that the nodes of the Synod speak with.
#[derive(Clone, Copy, Debug)]
pub struct SynodProtocol;

impl Protocol for SynodProtocol {
    type Message = Message;
    type Timer = Timer;
    type Record = Record;
    type Request = Request;
    type Reply = Reply;
}

/// What a node waits for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// A ballot came to nothing, or is about to: begin a higher one.
    Retry {
        /// The decree.
        key: String,
    },
}

pub(super) type Cx<'a> = Context<'a, SynodProtocol>;

/// A node.
#[derive(Debug)]
pub(super) struct SynodNode {
    config: Arc<Config>,
    decrees: BTreeMap<String, Decree>,
}

impl SynodNode {
    /// A node that begins from what its disk remembers.
    pub(super) fn boot(setup: &Setup, records: Vec<Record>) -> Result<SynodNode, BootError> {
        let config = Arc::new(Config::new(setup)?);
        let decree = |(key, acceptor): (String, Acceptor)| {
            (key.clone(), Decree::new(key, Arc::clone(&config), acceptor))
        };
        let decrees = replay(records).into_iter().map(decree).collect();
        Ok(SynodNode { config, decrees })
    }

    fn decree(&mut self, key: &str) -> &mut Decree {
        let fresh = || Decree::new(key.to_owned(), Arc::clone(&self.config), Acceptor::default());
        self.decrees.entry(key.to_owned()).or_insert_with(fresh)
    }
}

impl Node<SynodProtocol> for SynodNode {
    fn on_start(&mut self, _cx: &mut Cx<'_>) {}

    fn on_message(&mut self, from: NodeId, message: Message, cx: &mut Cx<'_>) {
        if from != self.config.me && self.config.nodes.contains(&from) {
            self.decree(&message.key).on_step(from, message.step, cx);
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Cx<'_>) {
        let Timer::Retry { key } = timer;
        self.decree(&key).on_retry(cx);
    }

    fn on_request(&mut self, ticket: Ticket, request: Request, cx: &mut Cx<'_>) {
        let decree = self.decree(request.key());
        match request {
            Request::Propose { value, .. } => decree.serve(ticket, Some(value), cx),
            Request::Learn { .. } => decree.serve(ticket, None, cx),
        }
    }
}
