//! What nodes tell each other.

use rashomon_core::{Link, NodeId, Protocol, System};

use super::{Due, SimWorld};
use crate::host::{Input, Letter};

/// The size of a message as far as the switch is concerned, unless it travels as JSON: sizes decide which bit a
/// damaged message has flipped, and a damaged message is a lost one whichever bit it was.
const TYPICAL_BYTES: usize = 256;
/// The longest message that a frame of the live world carries.
const LONGEST_MESSAGE: usize = 8 * 1024 - 64;

impl<S: System> SimWorld<S> {
    /// Sends a message, or says why no network could.
    pub(super) fn send(
        &mut self,
        from: NodeId,
        to: NodeId,
        message: <S::Protocol as Protocol>::Message,
    ) -> Result<(), String> {
        if from == to || self.index(to).is_none() {
            return Err(format!("the node sends to {to}, which is not in its address book"));
        }
        let (bytes, message) = if self.config.through_json {
            let text = serde_json::to_string(&message)
                .map_err(|error| format!("a message cannot be written as JSON: {error}"))?;
            if text.len() > LONGEST_MESSAGE {
                let beginning: String = text.chars().take(60).collect();
                return Err(format!("a message of {} bytes to {to} is too large: {beginning}", text.len()));
            }
            let message = serde_json::from_str(&text)
                .map_err(|error| format!("a message does not survive its own encoding: {error}: {text}"))?;
            (text.len(), message)
        } else {
            (TYPICAL_BYTES, message)
        };
        let link = Link { from, to };
        let fate = self.switch.route(self.now, link, bytes);
        let incarnation = self.host_ref(from).incarnation;
        let key = self
            .seeds
            .message
            .split_number(u64::from(from.0) << 16 | u64::from(to.0))
            .split_number(fate.sequence);
        let mut message = Some(message);
        let last = fate.deliveries.len().saturating_sub(1);
        for (copy, delivery) in fate.deliveries.iter().enumerate() {
            let text = if copy == last { message.take() } else { message.clone() };
            let Some(text) = text.filter(|_| delivery.flip.is_none()) else {
                // Its checksum gives it away.
                let host = self.host(to);
                host.counters.damaged += 1;
                host.counters.missed += u64::from(host.absent);
                continue;
            };
            let way = self.config.timing.message.draw(key.split_number(copy as u64));
            self.queue.push(delivery.at + way, Due::Letter(to, Letter { from, incarnation, message: text }));
        }
        Ok(())
    }

    /// A message arrives at a node's door.
    pub(super) fn arrive(&mut self, to: NodeId, letter: Letter<<S::Protocol as Protocol>::Message>) {
        let host = self.host(to);
        host.counters.missed += u64::from(host.absent);
        if !host.listens() {
            return;
        }
        if host.is_paused() {
            let from = letter.from;
            if !host.wait(Input::Message(letter)) {
                host.counters.overflowed += 1;
                self.switch.kernel_dropped(Link { from, to });
            }
            return;
        }
        self.hear(to, letter);
    }

    /// A process takes up a message. What an earlier life of its sender said, and came too late, it drops.
    pub(super) fn hear(&mut self, to: NodeId, letter: Letter<<S::Protocol as Protocol>::Message>) {
        let Letter { from, incarnation, message } = letter;
        let host = self.host(to);
        let latest = &mut host.heard[usize::from(from.0) - 1];
        if incarnation < *latest {
            host.counters.stale += 1;
            return;
        }
        *latest = incarnation;
        host.counters.received += 1;
        self.step(to, |state, cx| state.on_message(from, message, cx));
    }
}
