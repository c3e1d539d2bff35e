//! A node as a pure state machine: inputs in, effects out.
//!
//! # The law of effects
//!
//! A node's effects happen in the order emitted, and a [`persist`](Context::persist) (or
//! [`checkpoint`](Context::checkpoint)) holds back every message, reply and probe emitted after it, in that
//! step *and in later steps*, until the record is durable. So safety reads as line order: what stands below a
//! `persist` has not happened when the power fails above it. Timers are the node's own memory and not visible
//! to anyone else; they act at once.

use std::fmt::Debug;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::rpc::RpcError;
use crate::{NodeId, Probe, Rng, Time};

/// The types that the nodes of one system speak with.
///
/// Messages and records are JSON on the wire and on disk, so that a message journal and a log can be read by
/// people. An encoded message must stay below 8 KiB: a default socket buffer silently drops what is larger
/// than a few packets, so big transfers are chunked by the protocol.
pub trait Protocol: Sized + 'static {
    /// What nodes tell each other. May be lost, duplicated, delayed and reordered.
    type Message: Clone + Debug + Serialize + DeserializeOwned + Send;
    /// Names a timer: setting one again moves it.
    type Timer: Clone + Debug + Ord + Send;
    /// What a node writes to its log, and is given back when it starts again.
    type Record: Clone + Debug + Serialize + DeserializeOwned + Send;
    /// What a client asks.
    type Request: Clone + Debug + DeserializeOwned + Send;
    /// What a client is told when the request succeeded.
    type Reply: Clone + Debug + Serialize + Send;
}

/// A client's request that awaits its reply, in the life of one node process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// One thing a node wants done.
#[derive(Debug)]
pub enum Effect<P: Protocol> {
    /// Append the record to the log, and hold back what follows until it is durable.
    Persist(P::Record),
    /// Replace the whole log by these records, and hold back what follows until they are durable.
    Checkpoint(Vec<P::Record>),
    /// Send a message to a node; sending to oneself is a mistake.
    Send(NodeId, P::Message),
    /// Answer a client.
    Reply(Ticket, Result<P::Reply, RpcError>),
    /// Fire the timer after this much of the node's monotonic time; replaces one of the same name.
    SetTimer(P::Timer, Duration),
    /// Forget the timer.
    CancelTimer(P::Timer),
    /// Tell the harness.
    Probe(Probe),
}

/// What a node may see and do while it handles one input.
pub struct Context<'a, P: Protocol> {
    me: NodeId,
    now: Time,
    rng: &'a mut Rng,
    effects: &'a mut Vec<Effect<P>>,
}

impl<'a, P: Protocol> Context<'a, P> {
    /// A context for one step. `now` is the node's wall clock; the effects are appended to `effects`.
    pub fn new(me: NodeId, now: Time, rng: &'a mut Rng, effects: &'a mut Vec<Effect<P>>) -> Self {
        Context { me, now, rng, effects }
    }

    /// The node itself.
    pub fn me(&self) -> NodeId {
        self.me
    }

    /// The node's wall clock, which may be wrong and may jump. Timers do not follow it.
    pub fn now(&self) -> Time {
        self.now
    }

    /// The node's own stream of random draws.
    pub fn rng(&mut self) -> &mut Rng {
        self.rng
    }

    /// Appends a record to the log: nothing emitted from here on happens before it is durable.
    pub fn persist(&mut self, record: P::Record) {
        self.effects.push(Effect::Persist(record));
    }

    /// Replaces the whole log: a later start is given these records and those persisted after them.
    pub fn checkpoint(&mut self, records: Vec<P::Record>) {
        self.effects.push(Effect::Checkpoint(records));
    }

    /// Sends a message, which may be lost, duplicated, delayed and reordered.
    pub fn send(&mut self, to: NodeId, message: P::Message) {
        assert_ne!(to, self.me, "a node does not send to itself");
        self.effects.push(Effect::Send(to, message));
    }

    /// Sends a message to every node but this one.
    pub fn broadcast(&mut self, nodes: &[NodeId], message: &P::Message) {
        for node in nodes.iter().filter(|node| **node != self.me) {
            self.effects.push(Effect::Send(*node, message.clone()));
        }
    }

    /// Answers a request with success.
    pub fn reply(&mut self, ticket: Ticket, reply: P::Reply) {
        self.effects.push(Effect::Reply(ticket, Ok(reply)));
    }

    /// Answers a request with an error. A definite code promises that the request has no effect, now or later.
    pub fn refuse(&mut self, ticket: Ticket, error: RpcError) {
        self.effects.push(Effect::Reply(ticket, Err(error)));
    }

    /// Sets a timer, or moves it.
    pub fn set_timer(&mut self, timer: P::Timer, after: Duration) {
        self.effects.push(Effect::SetTimer(timer, after));
    }

    /// Forgets a timer.
    pub fn cancel_timer(&mut self, timer: P::Timer) {
        self.effects.push(Effect::CancelTimer(timer));
    }

    /// Tells the harness something; no node ever hears it.
    pub fn probe(&mut self, probe: Probe) {
        self.effects.push(Effect::Probe(probe));
    }
}

/// A node: a deterministic state machine. Every input is one call, and every wish an effect on the context.
pub trait Node<P: Protocol>: Send {
    /// The process begins, its durable records already restored.
    fn on_start(&mut self, cx: &mut Context<'_, P>);
    /// A message arrived.
    fn on_message(&mut self, from: NodeId, message: P::Message, cx: &mut Context<'_, P>);
    /// A timer fired.
    fn on_timer(&mut self, timer: P::Timer, cx: &mut Context<'_, P>);
    /// A client asks; the ticket is answered at most once, now or later.
    fn on_request(&mut self, ticket: Ticket, request: P::Request, cx: &mut Context<'_, P>);
}
