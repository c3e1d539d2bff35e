//! How the story of primary and backup is told.

use rashomon_core::{NodeId, Probe};
use rashomon_systems::primary_backup::{Message, PrimaryBackup, Timer, View};

use crate::stage::Cast;

pub(super) type Stage = crate::stage::Stage<PrimaryBackup>;

impl Cast for PrimaryBackup {
    fn message(message: &Message) -> Option<String> {
        Some(match message {
            Message::Ping { view, complete: false } => format!("I am in view {view}"),
            Message::Ping { view, complete: true } => format!("I am in view {view}, and complete"),
            Message::View(View { number, primary, backup }) => {
                let name =
                    |node: &Option<NodeId>| node.map_or_else(|| "nobody".to_owned(), |node| node.to_string());
                format!("view {number}: primary {}, backup {}", name(primary), name(backup))
            }
            Message::Replicate { view, operations, .. } => match &operations[..] {
                [] => format!("in view {view}: are you there?"),
                [only] => format!("in view {view}: run {}", only.number),
                [first, .., last] => format!("in view {view}: run {} to {}", first.number, last.number),
            },
            Message::Acknowledge { view, number, .. } => format!("in view {view}: I have all up to {number}"),
            Message::Transfer { view, number, offset, total, .. } => {
                format!("in view {view}: the state after {number}, chunk {} of {total}", offset + 1)
            }
            Message::Received { view, chunks, .. } => format!("in view {view}: I have {chunks} chunks"),
        })
    }

    fn timer(timer: &Timer) -> Option<String> {
        match timer {
            Timer::Ping | Timer::First => None,
            Timer::Resend => Some("repeats itself".to_owned()),
            Timer::Dead(server) => Some(format!("has not heard {server} for too long")),
        }
    }

    fn probe(probe: &Probe) -> Option<String> {
        let number = |field| probe.number(field).unwrap_or_default();
        match probe.probe.as_str() {
            "enter" => Some(format!("enters view {}", number("view"))),
            "primary" => Some(format!("serves in view {}, from {} on", number("term"), number("op"))),
            "restore" => Some(format!("has the state after {}", number("op"))),
            "commit" => Some(format!("commits up to {}", number("op"))),
            _ => None,
        }
    }
}

impl Stage {
    pub(super) fn ping(&mut self, server: u16) {
        self.fires(server, Timer::Ping);
        self.deliver(|from, to, _| from == server && to == 1);
    }

    pub(super) fn dead(&mut self, server: u16) {
        self.fires(1, Timer::Dead(NodeId(server)));
    }
}
