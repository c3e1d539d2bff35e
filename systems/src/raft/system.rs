//! Raft as the harness sees it.

use rashomon_core::{BootError, Invariant, Node, Setup, System, SystemInfo};

use super::bugs::BUGS;
use super::invariants;
use super::node::{RaftNode, RaftProtocol};
use super::options::OPTIONS;
use super::record::Record;

/// Raft, under the name `raft`.
#[derive(Clone, Copy, Debug)]
pub struct Raft;

impl System for Raft {
    type Protocol = RaftProtocol;

    fn info() -> SystemInfo {
        SystemInfo {
            name: "raft",
            summary: "a replicated log with a leader: registers and sets, linearizable",
            paper: "Ongaro and Ousterhout, In Search of an Understandable Consensus Algorithm, 2014",
            nodes: 5,
            workloads: &["register", "set"],
            sessions: true,
            durable: true,
            leader_probe: "leader",
            membership: true,
            options: OPTIONS,
            bugs: BUGS,
            controls: &[],
            weak: None,
        }
    }

    fn boot(setup: &Setup, records: Vec<Record>) -> Result<Box<dyn Node<RaftProtocol>>, BootError> {
        Ok(Box::new(RaftNode::boot(setup, records)?))
    }

    fn invariants() -> Vec<Box<dyn Invariant>> {
        invariants::all()
    }
}
