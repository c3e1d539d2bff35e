//! The lock service, and Redlock, as the harness sees them.

use rashomon_core::{BootError, Context, Invariant, KnownWeak, Node, Protocol, Setup, System, SystemInfo};

use super::bugs::BUGS;
use super::controls::CONTROLS;
use super::holder::Holder;
use super::instance::Instance;
use super::invariants;
use super::message::Message;
use super::options::{Config, OPTIONS};
use super::record::Record;
use super::request::{Reply, Request};
use super::resource::Resource;
use super::server::Server;
use super::token::{Round, SectionId};

/// The types that lock servers, holders and the resource speak with.
#[derive(Clone, Copy, Debug)]
pub struct LockProtocol;

impl Protocol for LockProtocol {
    type Message = Message;
    type Timer = Timer;
    type Record = Record;
    type Request = Request;
    type Reply = Reply;
}

pub(super) type Cx<'a> = Context<'a, LockProtocol>;

/// What a node waits for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// A lock server: the lease of this lock has run its time.
    Lapse(String),
    /// A holder: what was not answered is said again.
    Retry(SectionId),
    /// A holder: the lock was not to be had.
    Patience(SectionId),
    /// A holder: the lease is to be renewed.
    Renew(SectionId),
    /// A holder: the work before the next write is done.
    Work(SectionId),
    /// A holder: the lease that was asked for in this round is not to be believed in any longer.
    Lease(SectionId, Round),
}

/// The lock service with fencing tokens, under the name `lock`.
#[derive(Clone, Copy, Debug)]
pub struct Lock;

impl System for Lock {
    type Protocol = LockProtocol;

    fn info() -> SystemInfo {
        SystemInfo {
            name: "lock",
            summary: "a lock server with leases and fencing tokens, holders, and the resource that the locks protect",
            paper: "Gray and Cheriton, Leases, 1989; Burrows, The Chubby Lock Service, 2006",
            nodes: 5,
            workloads: &["lock"],
            sessions: false,
            durable: true,
            leader_probe: "",
            membership: false,
            options: OPTIONS,
            bugs: BUGS,
            controls: CONTROLS,
            weak: None,
        }
    }

    fn boot(setup: &Setup, records: Vec<Record>) -> Result<Box<dyn Node<LockProtocol>>, BootError> {
        let config = Config::lock(setup)?;
        if config.servers.contains(&setup.me) {
            Ok(Box::new(Server::boot(config, records)?))
        } else if config.resource == setup.me {
            Ok(Box::new(Resource::boot(config, records)?))
        } else {
            Ok(Box::new(Holder::boot(config, &records)?))
        }
    }

    fn invariants() -> Vec<Box<dyn Invariant>> {
        invariants::all()
    }
}

/// The Redlock algorithm, under the name `redlock`.
#[derive(Clone, Copy, Debug)]
pub struct Redlock;

impl System for Redlock {
    type Protocol = LockProtocol;

    fn info() -> SystemInfo {
        SystemInfo {
            name: "redlock",
            summary: "the Redlock algorithm: a majority of five independent lock servers, and no fencing tokens",
            paper: "Sanfilippo, Distributed Locks with Redis, 2014; Kleppmann, How to Do Distributed Locking, 2016",
            nodes: 8,
            workloads: &["lock"],
            sessions: false,
            durable: true,
            leader_probe: "",
            membership: false,
            options: OPTIONS,
            bugs: &[],
            controls: &[],
            weak: Some(KnownWeak {
                summary: "a holder that stands still for longer than its lease writes on afterwards, and nothing tells the \
                 resource that it is too late; servers that forget, or whose clocks run apart, give one lock to two",
                plan: Some(include_str!("plans/redlock.json")),
            }),
        }
    }

    fn boot(setup: &Setup, records: Vec<Record>) -> Result<Box<dyn Node<LockProtocol>>, BootError> {
        let config = Config::redlock(setup)?;
        if config.servers.contains(&setup.me) {
            Ok(Box::new(Instance::boot(config, &records)?))
        } else if config.resource == setup.me {
            Ok(Box::new(Resource::boot(config, records)?))
        } else {
            Ok(Box::new(Holder::boot(config, &records)?))
        }
    }

    fn invariants() -> Vec<Box<dyn Invariant>> {
        invariants::of_redlock()
    }
}
