//! Where a run happens: real processes, or virtual time.

use thiserror::Error;

use crate::client::Outcome;
use crate::rpc::Body;
use crate::{Disruption, FaultId, Impact, NodeId, Probe, Time};

/// A request that a client process makes.
#[derive(Clone, Debug)]
pub struct Call {
    /// The process, which is also its session.
    pub process: u64,
    /// Counts the ops of the process from 1.
    pub sequence: u64,
    /// The node to ask first; the others follow in order.
    pub home: NodeId,
    /// Whether it only reads: a doubtful read has no effect, so it is a `fail`.
    pub read_only: bool,
    /// The request, without `msg_id`, `session` and `sequence`.
    pub body: Body,
}

/// Something that happened in the world.
#[derive(Clone, Debug)]
pub enum Event {
    /// A call ended.
    Completion {
        /// Whose call.
        process: u64,
        /// How.
        outcome: Outcome,
    },
    /// A node told the harness something.
    Probe {
        /// When it said so.
        at: Time,
        /// Which node.
        node: NodeId,
        /// What.
        probe: Probe,
    },
    /// A node ended although nobody killed it.
    Crash {
        /// Which node.
        node: NodeId,
        /// How it ended, and its last lines of log.
        report: String,
    },
    /// A node wrote something to its standard output that is no probe.
    Garbage {
        /// Which node.
        node: NodeId,
        /// The line, or its beginning.
        line: String,
    },
}

/// Why the world could not do what was asked.
#[derive(Debug, Error)]
pub enum WorldError {
    /// The machine refused.
    #[error("{context}: {source}")]
    Io {
        /// What was being done.
        context: String,
        /// The refusal.
        source: std::io::Error,
    },
    /// A node did not do its part.
    #[error("{node}: {reason}")]
    Node {
        /// Which node.
        node: NodeId,
        /// What is wrong with it, with its last lines of log.
        reason: String,
    },
    /// A fault is still in force after it was healed.
    #[error("not healed: {0}")]
    NotHealed(String),
}

/// A cluster that can be asked, disturbed and watched. One interpreter drives every implementation.
pub trait World {
    /// The nodes, in order.
    fn nodes(&self) -> &[NodeId];

    /// The time since the start of the run.
    fn now(&self) -> Time;

    /// Starts a call; its end comes as [`Event::Completion`]. A process has one call open at most.
    fn call(&mut self, call: Call);

    /// Puts a disruption in force until it is healed.
    fn inject(&mut self, id: FaultId, disruption: &Disruption) -> Result<(), WorldError>;

    /// Ends a disruption and says what it did. Healing twice is harmless.
    fn heal(&mut self, id: FaultId) -> Result<Impact, WorldError>;

    /// Checks that nothing is in force any more: every node runs, every link is clear.
    fn verify_healed(&mut self) -> Result<(), WorldError>;

    /// Which nodes run now, neither dead nor paused.
    fn running(&self) -> Vec<NodeId>;

    /// The next event, waiting for it no later than `until`.
    fn poll(&mut self, until: Time) -> Option<Event>;
}
