//! Primary and backup as the harness sees them.

use rashomon_core::{BootError, Context, Invariant, Node, NodeId, Protocol, Setup, System, SystemInfo};

use super::bugs::BUGS;
use super::controls::CONTROLS;
use super::invariants;
use super::message::Message;
use super::options::OPTIONS;
use super::record::Record;
use super::server::Server;
use super::service::ViewService;
use crate::kv::{Reply, Request};

/// The types that the view service and the servers speak with.
#[derive(Clone, Copy, Debug)]
pub struct PrimaryBackupProtocol;

impl Protocol for PrimaryBackupProtocol {
    type Message = Message;
    type Timer = Timer;
    type Record = Record;
    type Request = Request;
    type Reply = Reply;
}

pub(super) type Cx<'a> = Context<'a, PrimaryBackupProtocol>;

/// What a node waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// A server says that it is alive.
    Ping,
    /// A primary repeats what its backup has not answered.
    Resend,
    /// The view service has not heard this server for too long.
    Dead(NodeId),
    /// The view service forms the first view.
    First,
}

/// Primary and backup, under the name `primary_backup`.
#[derive(Clone, Copy, Debug)]
pub struct PrimaryBackup;

impl System for PrimaryBackup {
    type Protocol = PrimaryBackupProtocol;

    fn info() -> SystemInfo {
        SystemInfo {
            name: "primary_backup",
            summary: "a primary and its backup, named by a view service: registers and sets, linearizable",
            paper: "Alsberg and Day, A Principle for Resilient Sharing of Distributed Resources, 1976",
            nodes: 4,
            workloads: &["register", "set"],
            sessions: true,
            durable: true,
            leader_probe: "primary",
            membership: false,
            options: OPTIONS,
            bugs: BUGS,
            controls: CONTROLS,
            weak: None,
        }
    }

    fn boot(setup: &Setup, records: Vec<Record>) -> Result<Box<dyn Node<PrimaryBackupProtocol>>, BootError> {
        if setup.nodes.first() == Some(&setup.me) {
            Ok(Box::new(ViewService::boot(setup, records)?))
        } else {
            Ok(Box::new(Server::boot(setup, records)?))
        }
    }

    fn invariants() -> Vec<Box<dyn Invariant>> {
        invariants::all()
    }
}
