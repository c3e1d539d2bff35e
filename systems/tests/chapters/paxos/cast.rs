//! How the story of multi-Paxos is told.

use std::fmt::Write;

use rashomon_core::Probe;
use rashomon_systems::paxos::{Ballot, Message, Operation, Paxos, Timer, Value};

use crate::stage::Cast;

pub(super) type Stage = crate::stage::Stage<Paxos>;

impl Cast for Paxos {
    /// Acceptances are many, and what they lead to is told anyway.
    fn message(message: &Message) -> Option<String> {
        Some(match message {
            Message::Prepare { ballot, from } => {
                format!("promise me {ballot}; what did you accept from slot {from} on?")
            }
            Message::Promise { ballot, base, votes, next, .. } => {
                let mut text = format!("I promise {ballot}");
                if base.0 > 0 {
                    write!(text, "; all up to slot {base} is chosen").unwrap();
                }
                for vote in votes {
                    write!(
                        text,
                        "; in slot {} I accepted in {} {}",
                        vote.slot,
                        vote.ballot,
                        value(&vote.value)
                    )
                    .unwrap();
                }
                if next.is_some() {
                    text.push_str("; and more");
                }
                text
            }
            Message::Accept { ballot, first, values: list } => {
                format!("accept in {ballot} from slot {first} on {}", values(list))
            }
            Message::Accepted { .. } | Message::Heard { .. } => return None,
            Message::Preempted { promised } => format!("I promised {promised}"),
            Message::Heartbeat { ballot, chosen } => {
                format!("I lead in {ballot}; all up to slot {chosen} is chosen")
            }
            Message::Learn { from } => format!("what was chosen from slot {from} on?"),
            Message::Chosen { first, values: list, .. } => {
                format!("chosen from slot {first} on: {}", values(list))
            }
            Message::Fetch { at, offset } => {
                format!("chunk {} of the state after slot {at}, please", offset + 1)
            }
            Message::State { at, offset, total, .. } => {
                format!("chunk {} of {total} of the state after slot {at}", offset + 1)
            }
        })
    }

    fn timer(timer: &Timer) -> Option<String> {
        let text = match timer {
            Timer::Election => "has not heard a leader for too long",
            Timer::Heartbeat => "repeats itself",
            Timer::Quorum => "checks its quorum",
        };
        Some(text.to_owned())
    }

    fn probe(probe: &Probe) -> Option<String> {
        let number = |field| probe.number(field).unwrap_or_default();
        let ballot = |field| format!("{}.n{}", number(field) / 1000, number(field) % 1000);
        match probe.probe.as_str() {
            "prepare" => Some(format!("begins ballot {}", ballot("ballot"))),
            "leader" => Some(format!("leads in ballot {}", ballot("term"))),
            "chosen" => {
                Some(format!("holds slot {} to be chosen in ballot {}", number("slot"), ballot("ballot")))
            }
            "learn" => Some(format!("learns slot {}", number("slot"))),
            "snapshot" => Some(format!("takes a snapshot after slot {}", number("slot"))),
            "restore" => Some(format!("begins from the state after slot {}", number("slot"))),
            _ => None,
        }
    }
}

fn values(values: &[Value]) -> String {
    let words: Vec<String> = values.iter().map(value).collect();
    words.join(", ")
}

fn value(value: &Value) -> String {
    let Ballot { round, node } = value.origin;
    let what = match &value.operation {
        Operation::Noop => "a no-op".to_owned(),
        Operation::Read => "a read".to_owned(),
        Operation::Run(proposal) => serde_json::to_string(&proposal.command).unwrap(),
    };
    format!("{what} of {round}.{node}")
}
