//! Multi-Paxos as the harness sees it.

use rashomon_core::{BootError, Invariant, Node, Setup, System, SystemInfo};

use super::bugs::BUGS;
use super::invariants;
use super::node::{PaxosNode, PaxosProtocol};
use super::options::OPTIONS;
use super::record::Record;

/// Multi-Paxos, under the name `paxos`.
#[derive(Clone, Copy, Debug)]
pub struct Paxos;

impl System for Paxos {
    type Protocol = PaxosProtocol;

    fn info() -> SystemInfo {
        SystemInfo {
            name: "paxos",
            summary: "multi-Paxos, a sequence of agreements on a log: registers and sets, linearizable",
            paper: "Lamport, Paxos Made Simple, 2001; van Renesse and Altinbuken, Paxos Made Moderately Complex, \
                    2015",
            nodes: 5,
            workloads: &["register", "set"],
            sessions: true,
            durable: true,
            leader_probe: "leader",
            membership: false,
            options: OPTIONS,
            bugs: BUGS,
            controls: &[],
            weak: None,
        }
    }

    fn boot(setup: &Setup, records: Vec<Record>) -> Result<Box<dyn Node<PaxosProtocol>>, BootError> {
        Ok(Box::new(PaxosNode::boot(setup, records)?))
    }

    fn invariants() -> Vec<Box<dyn Invariant>> {
        invariants::all()
    }
}
