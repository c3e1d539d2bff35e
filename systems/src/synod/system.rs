//! The Synod as the harness sees it.

use rashomon_core::{BootError, Invariant, Node, Setup, System, SystemInfo};

use super::bugs::BUGS;
use super::invariants;
use super::node::{SynodNode, SynodProtocol};
use super::options::OPTIONS;
use super::record::Record;

/// Single-decree Paxos, under the name `synod`.
#[derive(Clone, Copy, Debug)]
pub struct Synod;

impl System for Synod {
    type Protocol = SynodProtocol;

    fn info() -> SystemInfo {
        SystemInfo {
            name: "synod",
            summary: "single-decree Paxos: agreement on one value for each key",
            paper: "Lamport, The Part-Time Parliament, 1998; Paxos Made Simple, 2001, section 2",
            nodes: 5,
            workloads: &["consensus"],
            sessions: true,
            durable: true,
            leader_probe: "",
            membership: false,
            options: OPTIONS,
            bugs: BUGS,
            controls: &[],
            weak: None,
        }
    }

    fn boot(setup: &Setup, records: Vec<Record>) -> Result<Box<dyn Node<SynodProtocol>>, BootError> {
        Ok(Box::new(SynodNode::boot(setup, records)?))
    }

    fn invariants() -> Vec<Box<dyn Invariant>> {
        invariants::all()
    }
}
