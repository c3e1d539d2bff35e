//! A holder: takes locks and works under them, on behalf of clients.
//!
//! A section asks for the lock, reads the value at the resource, works, writes, works, writes again, and gives the lock
//! back. It renews its lease while it lives. It stops as soon as it knows that the lease is over; but between what it
//! knows and what it does there is always a moment, and a process can stand still for as long as it likes in it.
//!
//! A holder keeps nothing on disk: when it dies its sections die with it, and their leases run out.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::RngExt;
use rashomon_core::rpc::{ErrorCode, RpcError};
use rashomon_core::{BootError, Node, NodeId, Probe, Ticket};

use super::message::Message;
use super::options::Config;
use super::record::Record;
use super::request::{Reply, Request};
use super::section::{Claim, Section, Stage, Standing, WRITES};
use super::system::{Cx, LockProtocol, Timer};
use super::token::{Owner, Round, SectionId, Token};

/// A holder of locks.
#[derive(Debug)]
pub(super) struct Holder {
    config: Config,
    /// Marks the life of this process; drawn when it begins.
    life: u64,
    last: SectionId,
    sections: BTreeMap<SectionId, Section>,
}

impl Holder {
    /// A holder without any lock.
    pub(super) fn boot(config: Config, records: &[Record]) -> Result<Holder, BootError> {
        if !records.is_empty() {
            return Err(BootError("a holder of locks has a log".to_owned()));
        }
        Ok(Holder { config, life: 0, last: SectionId(0), sections: BTreeMap::new() })
    }

    fn begin(&mut self, ticket: Ticket, key: String, work: u64, cx: &mut Cx<'_>) {
        self.last = SectionId(self.last.0 + 1);
        let owner = Owner { node: self.config.me, life: self.life, section: self.last };
        let section = Section { owner, ticket, key, work, stage: Stage::Acquiring, claim: Claim::default() };
        self.sections.insert(self.last, section);
        cx.set_timer(Timer::Patience(self.last), self.config.patience);
        self.begin_round(self.last, cx);
    }

    /// Asks every lock server for the lease, as of now.
    fn begin_round(&mut self, id: SectionId, cx: &mut Cx<'_>) {
        let Some(section) = self.sections.get_mut(&id) else { return };
        let round = section.claim.begin_round();
        cx.set_timer(Timer::Lease(id, round), self.config.belief());
        self.ask(id, cx);
    }

    /// Asks the lock servers that have not answered this round.
    fn ask(&self, id: SectionId, cx: &mut Cx<'_>) {
        let Some(section) = self.sections.get(&id) else { return };
        let (owner, round) = (section.owner, section.claim.round);
        for server in self.config.servers.iter().filter(|server| !section.claim.answered(**server)) {
            let lock = section.key.clone();
            let message = if section.stage == Stage::Acquiring {
                Message::Acquire { lock, owner, round }
            } else {
                Message::Renew { lock, owner, round }
            };
            cx.send(*server, message);
        }
        if section.stage == Stage::Acquiring {
            cx.set_timer(Timer::Retry(id), self.config.retry);
        }
    }

    /// Asks the resource for what the stage wants.
    fn act(&self, id: SectionId, cx: &mut Cx<'_>) {
        let Some(Section { owner, key, work, stage, claim, .. }) = self.sections.get(&id) else { return };
        let (key, owner, token, work) = (key.clone(), *owner, claim.token, *work);
        let (step, message) = match *stage {
            Stage::Acquiring | Stage::Working { .. } => return,
            Stage::Opening => (0, Message::Open { key: key.clone(), owner, token, work }),
            Stage::Writing { read, step } => {
                (step, Message::Write { key: key.clone(), owner, token, work, step, value: read + step })
            }
        };
        cx.probe(
            Probe::new("act")
                .with("lock", key)
                .with("token", token.map(|token| token.0))
                .with("owner", owner.to_string())
                .with("step", step),
        );
        cx.send(self.config.resource, message);
        cx.set_timer(Timer::Retry(id), self.config.retry);
    }

    fn on_granted(
        &mut self,
        from: NodeId,
        message: (String, Owner, Round),
        token: Option<Token>,
        cx: &mut Cx<'_>,
    ) {
        let (lock, owner, round) = message;
        let (quorum, renewal) = (self.config.quorum(), self.config.lease / 3);
        let Some(section) = self.own(owner) else {
            // The section has ended, or its process has: nobody else would give the lock back.
            cx.send(from, Message::Release { lock, owner, round });
            return;
        };
        let id = owner.section;
        if section.stage != Stage::Acquiring && token != section.claim.token {
            // What was granted is another lease; the one that this section began with is over.
            return self.cut_off(id, "its lease ran out", cx);
        }
        if section.claim.granted(from, round, quorum) != Standing::Won {
            return;
        }
        cx.set_timer(Timer::Renew(id), renewal);
        if section.stage == Stage::Acquiring {
            section.claim.token = token;
            section.stage = Stage::Opening;
            cx.cancel_timer(Timer::Patience(id));
            self.act(id, cx);
        }
    }

    fn on_denied(&mut self, from: NodeId, owner: Owner, round: Round, cx: &mut Cx<'_>) {
        let (servers, quorum) = (self.config.servers.len(), self.config.quorum());
        let Some(section) = self.own(owner) else { return };
        if section.claim.denied(from, round, servers, quorum) != Standing::Lost {
            return;
        }
        if section.stage != Stage::Acquiring {
            return self.cut_off(owner.section, "its lease ran out", cx);
        }
        if servers > 1 {
            // The few that it got are in the way of others.
            self.release(owner.section, cx);
        }
        let pause = cx.rng().random_range(4..=12);
        cx.set_timer(Timer::Retry(owner.section), Duration::from_millis(pause));
    }

    fn on_opened(&mut self, owner: Owner, read: u64, cx: &mut Cx<'_>) {
        if let Some(section) = self.own(owner).filter(|section| section.stage == Stage::Opening) {
            section.stage = Stage::Working { read, step: 1 };
            self.work(owner.section, cx);
        }
    }

    fn on_written(&mut self, owner: Owner, written: u64, cx: &mut Cx<'_>) {
        let Some(section) = self.own(owner) else { return };
        let Stage::Writing { read, step } = section.stage else { return };
        if step != written {
            return;
        }
        if step < WRITES {
            section.stage = Stage::Working { read, step: step + 1 };
            self.work(owner.section, cx);
        } else if let Some(section) = self.end(owner.section, cx) {
            let token = section.claim.token.map(|token| token.0);
            cx.reply(section.ticket, Reply::WorkOk { token, read, wrote: read + step });
        }
    }

    fn work(&self, id: SectionId, cx: &mut Cx<'_>) {
        cx.cancel_timer(Timer::Retry(id));
        cx.set_timer(Timer::Work(id), self.config.work);
    }

    fn on_fenced(&mut self, owner: Owner, refused: u64, cx: &mut Cx<'_>) {
        let Some(section) = self.own(owner) else { return };
        match section.stage {
            Stage::Opening if refused == 0 => {
                if let Some(section) = self.end(owner.section, cx) {
                    // The fence never falls, so this section never does anything.
                    let error = RpcError::new(ErrorCode::Abort, "a newer token was there before it began");
                    cx.refuse(section.ticket, error);
                }
            }
            Stage::Writing { step, .. } if refused == step => {
                self.cut_off(owner.section, "a newer token was there", cx);
            }
            Stage::Acquiring | Stage::Opening | Stage::Working { .. } | Stage::Writing { .. } => {}
        }
    }

    /// Ends a section that may have done some of its work.
    fn cut_off(&mut self, id: SectionId, reason: &str, cx: &mut Cx<'_>) {
        if let Some(section) = self.end(id, cx) {
            cx.refuse(section.ticket, RpcError::new(ErrorCode::Crash, format!("cut off: {reason}")));
        }
    }

    /// Ends a section: the lock is given back, and nothing is awaited any more.
    fn end(&mut self, id: SectionId, cx: &mut Cx<'_>) -> Option<Section> {
        self.release(id, cx);
        let section = self.sections.remove(&id)?;
        for timer in [Timer::Retry(id), Timer::Patience(id), Timer::Renew(id), Timer::Work(id)] {
            cx.cancel_timer(timer);
        }
        for round in section.claim.lasting() {
            cx.cancel_timer(Timer::Lease(id, round));
        }
        Some(section)
    }

    fn release(&self, id: SectionId, cx: &mut Cx<'_>) {
        let Some(Section { owner, key, claim, .. }) = self.sections.get(&id) else { return };
        for server in &self.config.servers {
            cx.send(*server, Message::Release { lock: key.clone(), owner: *owner, round: claim.round });
        }
    }

    fn own(&mut self, owner: Owner) -> Option<&mut Section> {
        self.sections.get_mut(&owner.section).filter(|section| section.owner == owner)
    }
}

impl Node<LockProtocol> for Holder {
    fn on_start(&mut self, cx: &mut Cx<'_>) {
        self.life = cx.rng().random();
        cx.probe(Probe::new("boot").with("role", "holder"));
    }

    fn on_message(&mut self, from: NodeId, message: Message, cx: &mut Cx<'_>) {
        let server = self.config.servers.contains(&from);
        let resource = from == self.config.resource;
        match message {
            Message::Granted { lock, owner, token, round } if server => {
                self.on_granted(from, (lock, owner, round), token, cx);
            }
            Message::Denied { owner, round, .. } if server => self.on_denied(from, owner, round, cx),
            Message::Opened { owner, value } if resource => self.on_opened(owner, value, cx),
            Message::Written { owner, step } if resource => self.on_written(owner, step, cx),
            Message::Fenced { owner, step } if resource => self.on_fenced(owner, step, cx),
            // These are said by others, or to others.
            Message::Granted { .. }
            | Message::Denied { .. }
            | Message::Opened { .. }
            | Message::Written { .. }
            | Message::Fenced { .. }
            | Message::Acquire { .. }
            | Message::Renew { .. }
            | Message::Release { .. }
            | Message::Open { .. }
            | Message::Write { .. } => {}
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Cx<'_>) {
        match timer {
            Timer::Retry(id) => {
                let (servers, quorum) = (self.config.servers.len(), self.config.quorum());
                match self.sections.get(&id) {
                    Some(section) if section.stage != Stage::Acquiring => self.act(id, cx),
                    Some(section) if section.claim.lost(servers, quorum) => self.begin_round(id, cx),
                    Some(_) => self.ask(id, cx),
                    None => {}
                }
            }
            Timer::Patience(id) => {
                if let Some(section) = self.end(id, cx) {
                    cx.refuse(section.ticket, RpcError::unavailable("the lock was not to be had", None));
                }
            }
            Timer::Renew(id) => {
                cx.set_timer(Timer::Renew(id), self.config.lease / 3);
                self.begin_round(id, cx);
            }
            Timer::Work(id) => {
                let Some(section) = self.sections.get_mut(&id) else { return };
                if let Stage::Working { read, step } = section.stage {
                    section.stage = Stage::Writing { read, step };
                    self.act(id, cx);
                }
            }
            Timer::Lease(id, round) => {
                let Some(section) = self.sections.get_mut(&id) else { return };
                let lapsed = section.claim.expire(round);
                if section.stage != Stage::Acquiring {
                    if lapsed {
                        self.cut_off(id, "its lease ran out", cx);
                    }
                } else if section.claim.round == round {
                    self.begin_round(id, cx);
                }
            }
            Timer::Lapse(_) => {}
        }
    }

    fn on_request(&mut self, ticket: Ticket, request: Request, cx: &mut Cx<'_>) {
        match request {
            Request::Work { key, work } => self.begin(ticket, key, work, cx),
            Request::Read { .. } => self.config.refer(ticket, &request, cx),
        }
    }
}
