//! The lock server: it gives each lock to one owner at a time, for one lease, and numbers the grants.
//!
//! A lease is measured by a timer, and so by a clock that nobody sets. The clock on the wall may say what it likes.

use std::collections::BTreeMap;

use rashomon_core::{BootError, Node, NodeId, Probe, Ticket, Time};

use super::bugs::Bug;
use super::message::Message;
use super::options::Config;
use super::record::{Lease, Record};
use super::request::Request;
use super::system::{Cx, LockProtocol, Timer};
use super::token::{Owner, Round, Token};

/// The records after which the log is replaced by the state.
const CHECKPOINT_EVERY: usize = 512;

/// The lock server. Who has a lock, and how often it was given out, is on disk before the owner is told.
#[derive(Debug)]
pub(super) struct Server {
    config: Config,
    locks: BTreeMap<String, Lock>,
    /// The records behind the last checkpoint.
    logged: usize,
}

#[derive(Debug, Default)]
struct Lock {
    /// The last token that was given out.
    token: Token,
    /// Who has it, if anybody.
    lease: Option<Lease>,
    /// When the lease runs out by the clock on the wall, which only a mistaken server looks at.
    until: Time,
}

impl Server {
    /// A lock server that begins from what its disk remembers.
    pub(super) fn boot(config: Config, records: Vec<Record>) -> Result<Server, BootError> {
        let logged = records.len();
        let mut locks: BTreeMap<String, Lock> = BTreeMap::new();
        for record in records {
            match record {
                Record::Lock { lock, token, lease } => {
                    let token = if config.has(Bug::TokenReused) { Token(0) } else { token };
                    let lease = lease.filter(|_| !config.has(Bug::RestartAmnesia));
                    locks.insert(lock, Lock { token, lease, until: Time::ZERO });
                }
                Record::Effect { .. } => {
                    return Err(BootError(
                        "the log of the lock server holds a record of the resource".to_owned(),
                    ));
                }
            }
        }
        Ok(Server { config, locks, logged })
    }

    /// Lets the lease of a lock begin anew.
    fn begin_lease(&mut self, name: &str, cx: &mut Cx<'_>) {
        if let Some(lock) = self.locks.get_mut(name) {
            lock.until = cx.now() + self.config.lease;
        }
        cx.set_timer(Timer::Lapse(name.to_owned()), self.config.lease);
    }

    /// Writes down how a lock stands.
    fn remember(&mut self, name: &str, cx: &mut Cx<'_>) {
        let record = |(name, lock): (&String, &Lock)| Record::Lock {
            lock: name.clone(),
            token: lock.token,
            lease: lock.lease,
        };
        self.logged += 1;
        if self.logged >= CHECKPOINT_EVERY {
            self.logged = self.locks.len();
            cx.checkpoint(self.locks.iter().map(record).collect());
        } else if let Some(entry) = self.locks.get_key_value(name) {
            cx.persist(record(entry));
        }
    }

    fn on_acquire(&mut self, name: String, owner: Owner, round: Round, cx: &mut Cx<'_>) {
        let lock = self.locks.entry(name.clone()).or_default();
        if lock.lease.is_some() {
            return self.on_renew(name, owner, round, cx);
        }
        lock.token = lock.token.next();
        let token = lock.token;
        lock.lease = Some(Lease { owner, round, token });
        self.begin_lease(&name, cx);
        self.remember(&name, cx);
        cx.probe(about("grant", &name, token).with("owner", owner.to_string()));
        cx.send(owner.node, Message::Granted { lock: name, owner, token: Some(token), round });
    }

    fn on_renew(&mut self, name: String, owner: Owner, round: Round, cx: &mut Cx<'_>) {
        let lease = self.locks.get_mut(&name).and_then(|lock| lock.lease.as_mut());
        match lease {
            Some(lease) if lease.owner == owner => {
                lease.round = lease.round.max(round);
                let token = lease.token;
                self.begin_lease(&name, cx);
                cx.probe(about("renew", &name, token));
                cx.send(owner.node, Message::Granted { lock: name, owner, token: Some(token), round });
            }
            Some(lease) => {
                cx.probe(about("deny", &name, lease.token));
                cx.send(owner.node, Message::Denied { lock: name, owner, round });
            }
            None => cx.send(owner.node, Message::Denied { lock: name, owner, round }),
        }
    }

    fn on_release(&mut self, name: &str, owner: Owner, round: Round, cx: &mut Cx<'_>) {
        let anybody = self.config.has(Bug::ReleaseByNonOwner);
        let Some(lock) = self.locks.get_mut(name) else { return };
        let Some(lease) = lock.lease.take_if(|lease| anybody || lease.owner == owner && lease.round <= round)
        else {
            return;
        };
        cx.cancel_timer(Timer::Lapse(name.to_owned()));
        self.remember(name, cx);
        cx.probe(
            about("release", name, lease.token)
                .with("owner", lease.owner.to_string())
                .with("by", owner.to_string()),
        );
    }

    /// The lease has run its time. Whoever was last in it may still believe in it, which is what tokens are for.
    fn on_lapse(&mut self, name: String, cx: &mut Cx<'_>) {
        let mistaken = self.config.has(Bug::ClockJumpExtendsLease);
        let Some(lock) = self.locks.get_mut(&name) else { return };
        let Some(lease) = lock.lease else { return };
        cx.probe(about("timeout", &name, lease.token));
        if mistaken && cx.now() < lock.until {
            cx.set_timer(Timer::Lapse(name), lock.until.since(cx.now()));
            return;
        }
        // Not written down: a server that starts again grants the lease its whole time once more.
        lock.lease = None;
    }
}

fn about(probe: &'static str, lock: &str, token: Token) -> Probe {
    Probe::new(probe).with("lock", lock).with("token", token)
}

impl Node<LockProtocol> for Server {
    fn on_start(&mut self, cx: &mut Cx<'_>) {
        cx.probe(Probe::new("boot").with("role", "server"));
        // How much of them had passed nobody knows any more; their owners are promised what is left.
        let leased: Vec<String> = self
            .locks
            .iter()
            .filter(|(_, lock)| lock.lease.is_some())
            .map(|(name, _)| name.clone())
            .collect();
        for name in leased {
            self.begin_lease(&name, cx);
        }
    }

    fn on_message(&mut self, from: NodeId, message: Message, cx: &mut Cx<'_>) {
        match message {
            Message::Acquire { lock, owner, round } if owner.node == from => {
                self.on_acquire(lock, owner, round, cx);
            }
            Message::Renew { lock, owner, round } if owner.node == from => {
                self.on_renew(lock, owner, round, cx);
            }
            Message::Release { lock, owner, round } if owner.node == from => {
                self.on_release(&lock, owner, round, cx);
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

    fn on_timer(&mut self, timer: Timer, cx: &mut Cx<'_>) {
        match timer {
            Timer::Lapse(name) => self.on_lapse(name, cx),
            Timer::Retry(_) | Timer::Patience(_) | Timer::Renew(_) | Timer::Work(_) | Timer::Lease(..) => {}
        }
    }

    fn on_request(&mut self, ticket: Ticket, request: Request, cx: &mut Cx<'_>) {
        self.config.refer(ticket, &request, cx);
    }
}
