//! The transfer of the state with which a view begins, one chunk at a time.
//!
//! The state is known by the view and the number of the last command that it includes. That is enough: within a view
//! one primary alone numbers commands, it writes each down before it sends it, and so it never sends two that
//! differ under one number, even when it starts again in between.

use rashomon_core::NodeId;

use super::bugs::Bug;
use super::message::Message;
use super::server::{Role, Server};
use super::system::Cx;
use super::view::OpNumber;
use crate::kv::{Chunk, Item, Machine};

/// A state on its way to the backup.
#[derive(Debug)]
pub(super) struct Transfer {
    /// The last command that it includes.
    pub(super) number: OpNumber,
    chunks: Vec<Chunk>,
    /// The chunk that the backup needs next.
    offset: usize,
}

/// A state that arrives. It belongs to the view in which it began to arrive.
#[derive(Debug)]
pub(super) struct Assembly {
    number: OpNumber,
    chunks: Vec<Chunk>,
}

impl Server {
    /// The state as it is. Commands that follow are replicated once it has arrived.
    pub(super) fn begin_transfer(&self) -> Transfer {
        let mut chunks = self.machine.chunks();
        if self.has(Bug::SessionsNotTransferred) {
            for chunk in &mut chunks {
                chunk.retain(|item| !matches!(item, Item::Session { .. }));
            }
        }
        Transfer { number: self.number, chunks, offset: 0 }
    }

    /// Sends the backup the chunk that it needs next.
    pub(super) fn send_chunk(&mut self, cx: &mut Cx<'_>) {
        let (Role::Primary(primary), Some(backup)) = (&self.role, self.view.backup) else { return };
        let Some(transfer) = &primary.transfer else { return };
        let Some(items) = transfer.chunks.get(transfer.offset) else { return };
        let message = Message::Transfer {
            view: self.view.number,
            number: transfer.number,
            offset: transfer.offset,
            total: transfer.chunks.len(),
            items: items.clone(),
        };
        cx.send(backup, message);
    }

    /// Takes a chunk: adds it when it is the next, and makes the whole its state when it is the last.
    pub(super) fn on_transfer(
        &mut self,
        from: NodeId,
        number: OpNumber,
        offset: usize,
        total: usize,
        items: Chunk,
        cx: &mut Cx<'_>,
    ) {
        let view = self.view.number;
        let has_it = self.complete() && number <= self.number;
        let Role::Backup(backup) = &mut self.role else { return };
        if !has_it {
            let mut assembly = match backup.assembly.take() {
                Some(assembly) if assembly.number == number => assembly,
                _ => Assembly { number, chunks: Vec::new() },
            };
            if offset == assembly.chunks.len() {
                assembly.chunks.push(items);
            }
            let chunks = assembly.chunks.len();
            if chunks < total {
                backup.assembly = Some(assembly);
                cx.send(from, Message::Received { view, number, chunks });
                return;
            }
            let Ok(machine) = Machine::restore(assembly.chunks.iter().flatten()) else { return };
            self.machine = machine;
            self.number = number;
            self.become_complete();
            self.checkpoint(cx);
            cx.probe(self.describe("restore"));
        }
        cx.send(from, Message::Acknowledge { view, number: self.number, life: 0, round: 0 });
    }

    /// Goes on with a transfer. Only an answer that asks for more than was sent before is answered at once; what the
    /// backup lost is sent again by the timer.
    pub(super) fn on_received(&mut self, number: OpNumber, chunks: usize, cx: &mut Cx<'_>) {
        let Role::Primary(primary) = &mut self.role else { return };
        let Some(transfer) = primary.transfer.as_mut().filter(|transfer| transfer.number == number) else {
            return;
        };
        if chunks >= transfer.chunks.len() {
            return;
        }
        let advances = chunks > transfer.offset;
        transfer.offset = chunks;
        if advances {
            self.send_chunk(cx);
        }
    }
}
