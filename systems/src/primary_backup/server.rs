//! A server: its state, its role in the view, and how it passes from one view to the next.

use rand::RngExt;
use rashomon_core::rpc::RpcError;
use rashomon_core::{BootError, Node, NodeId, Probe, Setup, Ticket};

use super::backup::Backup;
use super::bugs::Bug;
use super::message::{Message, Operation};
use super::options::Config;
use super::primary::Primary;
use super::record::{Record, ServerDisk};
use super::system::{Cx, PrimaryBackupProtocol, Timer};
use super::view::{OpNumber, View};
use crate::kv::{Applied, Ask, Machine, Request};

/// What a server is, in its view.
#[derive(Debug)]
pub(super) enum Role {
    /// It waits to be needed; what state it has is of no use to anybody.
    Spare,
    /// It has what the primary answered, or is about to get it.
    Backup(Backup),
    /// It takes requests.
    Primary(Primary),
}

/// A server. Its view and its state are on disk before anybody can tell that they changed.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) config: Config,
    /// The view that it is in.
    pub(super) view: View,
    /// The last command that it has run.
    pub(super) number: OpNumber,
    /// The state after that command.
    pub(super) machine: Machine,
    /// The commands in the log behind the last checkpoint.
    logged: u64,
    /// Marks the life of this process; drawn when it begins.
    pub(super) life: u64,
    pub(super) role: Role,
}

impl Server {
    /// A server that begins from what its disk remembers.
    pub(super) fn boot(setup: &Setup, records: Vec<Record>) -> Result<Server, BootError> {
        let config = Config::new(setup)?;
        let ServerDisk { view, complete, number, machine, logged } = ServerDisk::replay(records)?;
        let role = if view.is_backup(config.me) {
            Role::Backup(Backup { complete, assembly: None })
        } else {
            Role::Spare
        };
        Ok(Server { config, view, number, machine, logged, life: 0, role })
    }

    pub(super) fn has(&self, bug: Bug) -> bool {
        self.config.has(bug)
    }

    /// Whether it is the backup of its view, and has the state of it.
    pub(super) fn complete(&self) -> bool {
        matches!(&self.role, Role::Backup(backup) if backup.complete)
    }

    fn ping(&mut self, cx: &mut Cx<'_>) {
        let message = Message::Ping { view: self.view.number, complete: self.complete() };
        cx.send(self.config.service, message);
        cx.set_timer(Timer::Ping, self.config.ping);
    }

    /// Enters a later view: from here on it neither asks nor gives an acknowledgement in an earlier one.
    fn enter(&mut self, view: View, cx: &mut Cx<'_>) {
        if view.number <= self.view.number {
            return;
        }
        self.view = view;
        if !self.has(Bug::ViewNotPersisted) {
            cx.persist(Record::View(view));
        }
        cx.probe(Probe::new("enter").with("view", view.number));
        if view.is_primary(self.config.me) {
            self.lead(cx);
        } else {
            let role = if view.is_backup(self.config.me) {
                Role::Backup(Backup { complete: false, assembly: None })
            } else {
                Role::Spare
            };
            if let Role::Primary(primary) = std::mem::replace(&mut self.role, role) {
                cx.cancel_timer(Timer::Resend);
                primary.abandon(view.primary, cx);
            }
        }
        // The acknowledgement of the view, if this is its primary.
        self.ping(cx);
    }

    /// Writes a command to the log and runs it; its number is the next.
    pub(super) fn run(&mut self, operation: Operation, cx: &mut Cx<'_>) -> Applied {
        self.number = operation.number;
        let applied = self.machine.apply(&operation.proposal);
        self.logged += 1;
        cx.persist(Record::Operation(operation));
        cx.probe(self.describe("apply"));
        if self.logged >= self.config.checkpoint_every {
            self.checkpoint(cx);
        }
        applied
    }

    /// Replaces the log by the state.
    pub(super) fn checkpoint(&mut self, cx: &mut Cx<'_>) {
        self.logged = 0;
        cx.checkpoint(ServerDisk::records(self.view, self.complete(), self.number, &self.machine));
    }

    /// A probe that tells the state and where in the sequence it is.
    pub(super) fn describe(&self, name: &'static str) -> Probe {
        Probe::new(name)
            .with("view", self.view.number)
            .with("op", self.number)
            .with("digest", self.machine.digest())
    }

    /// Takes a request if it is the primary; otherwise nothing was started, and the primary may be known.
    fn serve(&mut self, ticket: Ticket, request: Request, cx: &mut Cx<'_>) {
        match (&self.role, &request.ask) {
            (Role::Primary(_), _) => self.take(ticket, request, cx),
            (Role::Backup(_), Ask::Query(query)) if self.complete() && self.has(Bug::ReadFromBackup) => {
                cx.reply(ticket, self.machine.answer(query));
            }
            (Role::Backup(_) | Role::Spare, _) => {
                cx.refuse(ticket, RpcError::unavailable("not the primary", self.view.primary));
            }
        }
    }
}

impl Node<PrimaryBackupProtocol> for Server {
    fn on_start(&mut self, cx: &mut Cx<'_>) {
        self.life = cx.rng().random();
        cx.probe(Probe::new("boot").with("view", self.view.number));
        if self.view.is_primary(self.config.me) {
            self.lead(cx);
        } else if self.complete() {
            cx.probe(self.describe("restore"));
        }
        self.ping(cx);
    }

    fn on_message(&mut self, from: NodeId, message: Message, cx: &mut Cx<'_>) {
        if from == self.config.me || !self.config.nodes.contains(&from) {
            return;
        }
        match message {
            Message::View(view) => {
                if from == self.config.service {
                    self.enter(view, cx);
                }
            }
            Message::Replicate { view, operations, life, round } => {
                self.on_replicate(from, view, operations, (life, round), cx);
            }
            Message::Acknowledge { view, number, life, round } => {
                if view == self.view.number && self.view.is_backup(from) {
                    self.on_acknowledge(number, (life, round), cx);
                }
            }
            Message::Transfer { view, number, offset, total, items } => {
                if view == self.view.number && self.view.is_primary(from) {
                    self.on_transfer(from, number, offset, total, items, cx);
                }
            }
            Message::Received { view, number, chunks } => {
                if view == self.view.number && self.view.is_backup(from) {
                    self.on_received(number, chunks, cx);
                }
            }
            // Only the view service is pinged.
            Message::Ping { .. } => {}
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Cx<'_>) {
        match timer {
            Timer::Ping => self.ping(cx),
            Timer::Resend => self.resend(cx),
            Timer::Dead(_) | Timer::First => {}
        }
    }

    fn on_request(&mut self, ticket: Ticket, request: Request, cx: &mut Cx<'_>) {
        self.serve(ticket, request, cx);
    }
}
