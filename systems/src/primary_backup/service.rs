//! The view service: who is alive, and who serves.
//!
//! It keeps three rules. A view follows only one that its primary has acknowledged, so no server serves in a view whose
//! predecessor's primary might be unaware of its own. The primary of a view was a member of the one before. And a backup
//! is promoted only when it says itself that it has been given the state of the view.

use std::collections::BTreeSet;

use rashomon_core::rpc::RpcError;
use rashomon_core::{BootError, Node, NodeId, Probe, Setup, Ticket};

use super::bugs::Bug;
use super::message::Message;
use super::options::Config;
use super::record::{Record, ServiceDisk};
use super::system::{Cx, PrimaryBackupProtocol, Timer};
use super::view::{View, ViewNumber};
use crate::kv::Request;

/// The view service. `view` and `acknowledged` are on disk before anybody is told.
#[derive(Debug)]
pub(super) struct ViewService {
    config: Config,
    view: View,
    /// Whether the primary of the view has said that it is in it.
    acknowledged: bool,
    /// Whether the backup of the view has said that it is complete. Not on disk: it says so with every ping.
    complete: bool,
    /// The servers that were heard of late.
    alive: BTreeSet<NodeId>,
}

impl ViewService {
    /// A view service that begins from what its disk remembers.
    pub(super) fn boot(setup: &Setup, records: Vec<Record>) -> Result<ViewService, BootError> {
        let config = Config::new(setup)?;
        let ServiceDisk { view, acknowledged } = ServiceDisk::replay(records)?;
        Ok(ViewService { config, view, acknowledged, complete: false, alive: BTreeSet::new() })
    }

    fn hears(&mut self, from: NodeId, cx: &mut Cx<'_>) {
        self.alive.insert(from);
        cx.set_timer(Timer::Dead(from), self.config.dead_after);
    }

    fn on_ping(&mut self, from: NodeId, view: ViewNumber, complete: bool, cx: &mut Cx<'_>) {
        self.hears(from, cx);
        if view == self.view.number {
            if self.view.is_primary(from) && !self.acknowledged {
                self.acknowledged = true;
                cx.persist(Record::Acknowledged { view });
            }
            if self.view.is_backup(from) && complete {
                self.complete = true;
            }
        }
        if !self.advance(cx) {
            cx.send(from, Message::View(self.view));
        }
    }

    /// Forms the next view if there is reason to, and it is allowed.
    fn advance(&mut self, cx: &mut Cx<'_>) -> bool {
        let Some(primary) = self.view.primary.filter(|_| self.acknowledged) else { return false };
        let backup = self.view.backup.filter(|backup| self.alive.contains(backup));
        let successor = if self.alive.contains(&primary) {
            if backup.is_some() {
                return false;
            }
            self.view.successor(primary, self.spare(primary))
        } else {
            let promotable = self.complete || self.config.has(Bug::LaggingBackupPromoted);
            let Some(backup) = backup.filter(|_| promotable) else { return false };
            self.view.successor(backup, self.spare(backup))
        };
        if successor.primary == self.view.primary && successor.backup == self.view.backup {
            return false;
        }
        self.form(successor, cx);
        true
    }

    /// A server that could be the backup of this primary.
    fn spare(&self, primary: NodeId) -> Option<NodeId> {
        self.alive.iter().copied().find(|node| *node != primary)
    }

    fn form(&mut self, view: View, cx: &mut Cx<'_>) {
        let acknowledged = if self.acknowledged { self.view.number } else { ViewNumber(0) };
        let complete = self.complete;
        self.view = view;
        self.acknowledged = false;
        self.complete = false;
        cx.checkpoint(vec![Record::View(view)]);
        let mut probe = Probe::new("view")
            .with("view", view.number)
            .with("acknowledged", acknowledged)
            .with("complete", complete);
        for (field, node) in [("primary", view.primary), ("backup", view.backup)] {
            if let Some(node) = node {
                probe = probe.with(field, node.to_string());
            }
        }
        cx.probe(probe);
        cx.broadcast(&self.config.nodes, &Message::View(view));
    }
}

impl Node<PrimaryBackupProtocol> for ViewService {
    fn on_start(&mut self, cx: &mut Cx<'_>) {
        cx.probe(Probe::new("boot").with("view", self.view.number));
        // Whoever served before gets the time to say that it still does.
        for member in [self.view.primary, self.view.backup].into_iter().flatten() {
            self.hears(member, cx);
        }
        if self.view.number == ViewNumber(0) {
            cx.set_timer(Timer::First, self.config.dead_after);
        }
    }

    fn on_message(&mut self, from: NodeId, message: Message, cx: &mut Cx<'_>) {
        if from == self.config.me || !self.config.nodes.contains(&from) {
            return;
        }
        match message {
            Message::Ping { view, complete } => self.on_ping(from, view, complete, cx),
            // These are said among servers, or by this node itself.
            Message::View(_)
            | Message::Replicate { .. }
            | Message::Acknowledge { .. }
            | Message::Transfer { .. }
            | Message::Received { .. } => {}
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Cx<'_>) {
        match timer {
            Timer::Dead(server) => {
                self.alive.remove(&server);
                self.advance(cx);
            }
            Timer::First => match self.alive.first() {
                // Nobody has any state, so anybody may begin, and the others need not be waited for.
                Some(first) => self.form(self.view.successor(*first, self.spare(*first)), cx),
                None => cx.set_timer(Timer::First, self.config.dead_after),
            },
            Timer::Ping | Timer::Resend => {}
        }
    }

    fn on_request(&mut self, ticket: Ticket, _request: Request, cx: &mut Cx<'_>) {
        cx.refuse(ticket, RpcError::unavailable("the view service serves no requests", self.view.primary));
    }
}
