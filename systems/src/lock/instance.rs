//! A lock server of the Redlock algorithm: one of several that know nothing of each other.
//!
//! Each is what a Redis instance is to the algorithm: a key that is set if it is not there, with a time to live, and
//! deleted by whoever set it. It keeps nothing on disk, and it counts nothing that a resource could compare.

use std::collections::BTreeMap;

use rashomon_core::{BootError, Node, NodeId, Probe, Ticket};

use super::message::Message;
use super::options::Config;
use super::record::Record;
use super::request::Request;
use super::system::{Cx, LockProtocol, Timer};
use super::token::{Owner, Round};

/// One of the lock servers.
#[derive(Debug)]
pub(super) struct Instance {
    config: Config,
    /// Who has which lock, since which round.
    leases: BTreeMap<String, (Owner, Round)>,
}

impl Instance {
    /// An instance that begins with nothing.
    pub(super) fn boot(config: Config, records: &[Record]) -> Result<Instance, BootError> {
        if !records.is_empty() {
            return Err(BootError("a lock server of redlock has a log".to_owned()));
        }
        Ok(Instance { config, leases: BTreeMap::new() })
    }

    fn on_ask(&mut self, lock: String, owner: Owner, round: Round, is_new: bool, cx: &mut Cx<'_>) {
        let holder = self.leases.get(&lock).map(|(holder, _)| *holder);
        if holder == Some(owner) || holder.is_none() && is_new {
            self.leases.insert(lock.clone(), (owner, round));
            cx.set_timer(Timer::Lapse(lock.clone()), self.config.lease);
            cx.send(owner.node, Message::Granted { lock, owner, token: None, round });
        } else {
            cx.send(owner.node, Message::Denied { lock, owner, round });
        }
    }
}

impl Node<LockProtocol> for Instance {
    fn on_start(&mut self, cx: &mut Cx<'_>) {
        cx.probe(Probe::new("boot").with("role", "instance"));
    }

    fn on_message(&mut self, from: NodeId, message: Message, cx: &mut Cx<'_>) {
        match message {
            Message::Acquire { lock, owner, round } if owner.node == from => {
                self.on_ask(lock, owner, round, true, cx);
            }
            Message::Renew { lock, owner, round } if owner.node == from => {
                self.on_ask(lock, owner, round, false, cx);
            }
            Message::Release { lock, owner, round } if owner.node == from => {
                if self.leases.get(&lock).is_some_and(|(holder, since)| *holder == owner && *since <= round) {
                    self.leases.remove(&lock);
                    cx.cancel_timer(Timer::Lapse(lock));
                }
            }
            // These speak for another, or are said to others.
            Message::Acquire { .. }
            | Message::Renew { .. }
            | Message::Release { .. }
            | Message::Granted { .. }
            | Message::Denied { .. }
            | Message::Open { .. }
            | Message::Opened { .. }
            | Message::Write { .. }
            | Message::Written { .. }
            | Message::Fenced { .. } => {}
        }
    }

    fn on_timer(&mut self, timer: Timer, _cx: &mut Cx<'_>) {
        match timer {
            Timer::Lapse(lock) => drop(self.leases.remove(&lock)),
            Timer::Retry(_) | Timer::Patience(_) | Timer::Renew(_) | Timer::Work(_) | Timer::Lease(..) => {}
        }
    }

    fn on_request(&mut self, ticket: Ticket, request: Request, cx: &mut Cx<'_>) {
        self.config.refer(ticket, &request, cx);
    }
}
