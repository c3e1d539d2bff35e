//! The resource: what the locks protect, and the last line of defence.
//!
//! For each key it keeps a value, everything that was ever done to it, and the *fence*: the greatest token that it was
//! shown. Whoever shows a smaller one is too late, whatever he believes. The fence rises with reads as well: a section
//! decides by what it reads, so what it has read must not change under its hands.

use std::collections::BTreeMap;

use rashomon_core::{BootError, Node, NodeId, Probe, Ticket};

use super::bugs::Bug;
use super::message::Message;
use super::options::Config;
use super::record::{Effect, Record};
use super::request::{Entry, Reply, Request};
use super::system::{Cx, LockProtocol, Timer};
use super::token::{Owner, Token};

/// The resource. What it accepted is on disk before anybody is told.
#[derive(Debug)]
pub(super) struct Resource {
    config: Config,
    cells: BTreeMap<String, Cell>,
}

#[derive(Debug, Default)]
struct Cell {
    value: u64,
    /// The greatest token that was shown.
    fence: Token,
    journal: Vec<Effect>,
}

impl Cell {
    /// What the owner did in this step, if it did. A message that is repeated does nothing twice.
    fn done(&self, owner: Owner, step: u64) -> Option<&Effect> {
        self.journal.iter().rev().find(|effect| effect.owner == owner && effect.step == step)
    }

    fn accept(&mut self, effect: Effect, raises_fence: bool) {
        if effect.step > 0 {
            self.value = effect.value;
        }
        if raises_fence {
            self.fence = self.fence.max(effect.token.unwrap_or_default());
        }
        self.journal.push(effect);
    }
}

impl Resource {
    /// A resource that begins from what its disk remembers.
    pub(super) fn boot(config: Config, records: Vec<Record>) -> Result<Resource, BootError> {
        let mut cells: BTreeMap<String, Cell> = BTreeMap::new();
        for record in records {
            match record {
                Record::Effect { key, effect } => cells.entry(key).or_default().accept(effect, true),
                Record::Lock { .. } => {
                    return Err(BootError(
                        "the log of the resource holds a record of the lock server".to_owned(),
                    ));
                }
            }
        }
        Ok(Resource { config, cells })
    }

    /// Does something in the name of a section, unless that was done before, or a newer section was here. An opening
    /// has no value of its own: it finds one.
    fn on_effect(&mut self, key: String, mut effect: Effect, cx: &mut Cx<'_>) {
        let Effect { owner, step, token, .. } = effect;
        let unfenced =
            self.config.has(Bug::LeaseWithoutFencing) || step == 0 && self.config.has(Bug::FenceOnWritesOnly);
        let cell = self.cells.entry(key.clone()).or_default();
        if let Some(before) = cell.done(owner, step) {
            cx.send(owner.node, answer(before));
            return;
        }
        // A section that has no token cannot be told from a later one.
        if !unfenced && token.is_some_and(|token| token < cell.fence) {
            cx.probe(
                Probe::new("fenced")
                    .with("key", key)
                    .with("token", token.map(|token| token.0))
                    .with("fence", cell.fence),
            );
            cx.send(owner.node, Message::Fenced { owner, step });
            return;
        }
        if step == 0 {
            effect.value = cell.value;
        }
        cell.accept(effect, !unfenced);
        let probe = Probe::new("effect")
            .with("key", key.as_str())
            .with("owner", owner.to_string())
            .with("token", token.map(|token| token.0))
            .with("step", step);
        cx.persist(Record::Effect { key, effect });
        cx.probe(probe);
        cx.send(owner.node, answer(&effect));
    }
}

fn answer(effect: &Effect) -> Message {
    let Effect { owner, step, value, .. } = *effect;
    if step == 0 { Message::Opened { owner, value } } else { Message::Written { owner, step } }
}

impl Node<LockProtocol> for Resource {
    fn on_start(&mut self, cx: &mut Cx<'_>) {
        cx.probe(Probe::new("boot").with("role", "resource"));
    }

    fn on_message(&mut self, from: NodeId, message: Message, cx: &mut Cx<'_>) {
        match message {
            Message::Open { key, owner, token, work } if owner.node == from => {
                self.on_effect(key, Effect { owner, work, token, step: 0, value: 0 }, cx);
            }
            Message::Write { key, owner, token, work, step, value } if owner.node == from && step > 0 => {
                self.on_effect(key, Effect { owner, work, token, step, value }, cx);
            }
            // These speak for another, or are said to others.
            Message::Open { .. }
            | Message::Write { .. }
            | Message::Acquire { .. }
            | Message::Renew { .. }
            | Message::Release { .. }
            | Message::Granted { .. }
            | Message::Denied { .. }
            | Message::Opened { .. }
            | Message::Written { .. }
            | Message::Fenced { .. } => {}
        }
    }

    fn on_timer(&mut self, _timer: Timer, _cx: &mut Cx<'_>) {}

    fn on_request(&mut self, ticket: Ticket, request: Request, cx: &mut Cx<'_>) {
        match request {
            Request::Read { key } => {
                let journal = self.cells.get(&key).map_or(&[][..], |cell| &cell.journal);
                cx.reply(ticket, Reply::ReadOk { value: journal.iter().copied().map(Entry).collect() });
            }
            Request::Work { .. } => self.config.refer(ticket, &request, cx),
        }
    }
}
