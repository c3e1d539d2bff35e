//! What nodes tell each other.

use std::time::Duration;

use rashomon_core::switch::{Delivery, Fate};
use rashomon_core::{Happening, Link, NodeId, Protocol, System, Time};

use super::{Due, SimWorld};
use crate::config::Override;
use crate::host::{Input, Letter};
use crate::trace;

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
        let mut arrivals = std::mem::take(&mut self.arrivals);
        self.deliver(link, &fate, &mut arrivals);
        let at = self.now;
        self.tracer.note(at, || Happening::Message {
            at,
            link,
            sequence: fate.sequence,
            arrivals: arrivals.clone(),
            fate: match self.config.overrides.get(&(link, fate.sequence)) {
                Some(Override::Drop) => vec!["dropped".to_owned()],
                Some(Override::Pass | Override::Deliver(_)) => Vec::new(),
                None => trace::names(fate.marks),
            },
            text: trace::text(&message),
        });
        let incarnation = self.host_ref(from).incarnation;
        let letter = |message| Letter { from, incarnation, sequence: fate.sequence, message };
        if let Some((last, before)) = arrivals.split_last() {
            for at in before {
                self.queue.push(*at, Due::Letter(to, letter(message.clone())));
            }
            self.queue.push(*last, Due::Letter(to, letter(message)));
        }
        self.arrivals = arrivals;
        Ok(())
    }

    /// When the copies of a message arrive, into `arrivals`.
    fn deliver(&mut self, link: Link, fate: &Fate, arrivals: &mut Vec<Time>) {
        arrivals.clear();
        let number = u64::from(link.from.0) << 16 | u64::from(link.to.0);
        let key = self.seeds.message.split_number(number).split_number(fate.sequence);
        let span = self.config.timing.message;
        match self.config.overrides.get(&(link, fate.sequence)) {
            Some(Override::Drop) => return,
            // Not at once, for what takes no time could go on for ever.
            Some(Override::Deliver(way)) => {
                return arrivals.push(self.now + (*way).max(Duration::from_nanos(1)));
            }
            Some(Override::Pass) => return arrivals.push(self.now + span.draw(key.split_number(0))),
            None => {}
        }
        let host = &mut self.hosts[usize::from(link.to.0) - 1];
        let arrive = |(copy, delivery): (u64, &Delivery)| {
            if delivery.flip.is_some() {
                // Its checksum gives it away.
                host.counters.damaged += 1;
                host.counters.missed += u64::from(host.absent);
                return None;
            }
            Some(delivery.at + span.draw(key.split_number(copy)))
        };
        arrivals.extend((0..).zip(&fate.deliveries).filter_map(arrive));
    }

    /// A message arrives at a node's door.
    pub(super) fn arrive(&mut self, to: NodeId, letter: Letter<<S::Protocol as Protocol>::Message>) {
        let host = self.host(to);
        host.counters.missed += u64::from(host.absent);
        let (from, sequence) = (letter.from, letter.sequence);
        if !host.listens() {
            return self.unheard(Link { from, to }, sequence, "nobody was there");
        }
        if host.is_paused() {
            if !host.wait(Input::Message(letter)) {
                host.counters.overflowed += 1;
                self.switch.kernel_dropped(Link { from, to });
                self.unheard(Link { from, to }, sequence, "too many were waiting");
            }
            return;
        }
        self.hear(to, letter);
    }

    /// A process takes up a message. What an earlier life of its sender said, and came too late, it drops.
    pub(super) fn hear(&mut self, to: NodeId, letter: Letter<<S::Protocol as Protocol>::Message>) {
        let Letter { from, incarnation, sequence, message } = letter;
        let host = self.host(to);
        let latest = &mut host.heard[usize::from(from.0) - 1];
        if incarnation < *latest {
            host.counters.stale += 1;
            return self.unheard(Link { from, to }, sequence, "a later life of its sender had been heard");
        }
        *latest = incarnation;
        host.counters.received += 1;
        self.step(to, |state, cx| state.on_message(from, message, cx));
    }

    fn unheard(&mut self, link: Link, sequence: u64, because: &'static str) {
        let at = self.now;
        self.tracer.note(at, || Happening::Unheard { at, link, sequence, because: because.to_owned() });
    }
}
