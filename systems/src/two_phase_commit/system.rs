//! Two-phase commit as the harness sees it.

use rashomon_core::{BootError, Context, Invariant, Node, Protocol, Setup, System, SystemInfo};

use super::bugs::BUGS;
use super::controls::CONTROLS;
use super::coordinator::Coordinator;
use super::invariants;
use super::message::Message;
use super::options::OPTIONS;
use super::participant::Participant;
use super::record::Record;
use super::request::{Reply, Request};
use super::transaction::TransactionId;

/// The types that the coordinator and the participants speak with.
#[derive(Clone, Copy, Debug)]
pub struct TwoPhaseCommitProtocol;

impl Protocol for TwoPhaseCommitProtocol {
    type Message = Message;
    type Timer = Timer;
    type Record = Record;
    type Request = Request;
    type Reply = Reply;
}

pub(super) type Cx<'a> = Context<'a, TwoPhaseCommitProtocol>;

/// What a node waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// The coordinator repeats what was not answered.
    Resend,
    /// The coordinator aborts a transaction.
    GiveUp(TransactionId),
    /// A participant asks about what it is in doubt of.
    Inquire,
    /// A participant aborts what it was not asked to prepare.
    Idle(TransactionId),
}

/// Two-phase commit, under the name `two_phase_commit`.
#[derive(Clone, Copy, Debug)]
pub struct TwoPhaseCommit;

impl System for TwoPhaseCommit {
    type Protocol = TwoPhaseCommitProtocol;

    fn info() -> SystemInfo {
        SystemInfo {
            name: "two_phase_commit",
            summary: "transactions over shards, with two-phase locking and presumed abort: a bank, serializable",
            paper: "Mohan, Lindsay and Obermarck, Transaction Management in the R* Distributed Database Management \
                    System, 1986",
            nodes: 4,
            workloads: &["bank"],
            sessions: true,
            durable: true,
            leader_probe: "coordinator",
            membership: false,
            options: OPTIONS,
            bugs: BUGS,
            controls: CONTROLS,
            weak: None,
        }
    }

    fn boot(setup: &Setup, records: Vec<Record>) -> Result<Box<dyn Node<TwoPhaseCommitProtocol>>, BootError> {
        if setup.nodes.first() == Some(&setup.me) {
            Ok(Box::new(Coordinator::boot(setup, records)?))
        } else {
            Ok(Box::new(Participant::boot(setup, records)?))
        }
    }

    fn invariants() -> Vec<Box<dyn Invariant>> {
        invariants::all()
    }
}
