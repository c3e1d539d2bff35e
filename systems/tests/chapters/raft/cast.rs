//! How the story of Raft is told.

use std::fmt::Write;

use rashomon_core::{NodeId, Probe, Value};
use rashomon_systems::raft::{Entry, Index, Message, Payload, Position, Raft, Record, Term, Timer};

use crate::stage::Cast;

pub(super) type Stage = crate::stage::Stage<Raft>;

impl Cast for Raft {
    fn message(message: &Message) -> Option<String> {
        Some(match message {
            Message::PreVote { term, last } => {
                format!("would you vote for me in term {term}? my log ends at {}", place(*last))
            }
            Message::PreVoted { granted: true, .. } => "I would".to_owned(),
            Message::PreVoted { .. } => "I would not".to_owned(),
            Message::Vote { term, last } => {
                format!("vote for me in term {term}; my log ends at {}", place(*last))
            }
            Message::Voted { granted: true, .. } => "you have my vote".to_owned(),
            Message::Voted { term, .. } => format!("no; I am in term {term}"),
            Message::Append { prev, entries, commit, .. } if entries.is_empty() => {
                format!("I lead; do we agree at {}? committed: {commit}", place(*prev))
            }
            Message::Append { prev, entries, commit, .. } => {
                let terms: Vec<String> = entries.iter().map(|entry| entry.term.to_string()).collect();
                let terms = terms.join(" ");
                format!("after {} come entries of terms {terms}; committed: {commit}", place(*prev))
            }
            Message::Appended { matched, .. } => format!("we agree up to {matched}"),
            Message::Rejected { prev, hint, .. } => match hint.term {
                None => format!("we do not agree at {prev}: my log ends before {}", hint.first),
                Some(term) => {
                    format!(
                        "we do not agree at {prev}: there I have term {term}, which begins at {}",
                        hint.first
                    )
                }
            },
            Message::Install { at, offset, total, .. } => {
                format!("snapshot up to {}, chunk {} of {total}", at.index, offset + 1)
            }
            Message::Installing { received, .. } => format!("I have {received} chunks of it"),
            Message::Deposed { term } => format!("your term is over; I am in {term}"),
        })
    }

    fn timer(timer: &Timer) -> Option<String> {
        let text = match timer {
            Timer::Election => "has not heard a leader for too long",
            Timer::Silence => "would vote again",
            Timer::Heartbeat => "repeats itself",
            Timer::Quorum => "checks its quorum",
            Timer::CatchUp => "thinks that the new server takes long",
        };
        Some(text.to_owned())
    }

    fn probe(probe: &Probe) -> Option<String> {
        let number = |field| probe.number(field).unwrap_or_default();
        match probe.probe.as_str() {
            "leader" => Some(format!("leads term {}", number("term"))),
            "candidate" => Some(format!("campaigns in term {}", number("term"))),
            "follower" => Some(format!("follows in term {}", number("term"))),
            "commit" => Some(format!("commits up to {}, of term {}", number("index"), number("term"))),
            "configuration" => Some(format!("has the members {}", names(&probe.fields["members"]))),
            "truncate" => Some(format!("cuts its log from {} on", number("from"))),
            "snapshot" => Some(format!("takes a snapshot up to {}", number("index"))),
            "restore" => Some(format!("begins from a snapshot up to {}", number("index"))),
            _ => None,
        }
    }
}

impl Stage {
    /// Holds an election among these nodes, without the first heartbeats; only its outcome is told.
    pub(super) fn elects(&mut self, node: u16, voters: &[u16]) {
        self.fires(node, Timer::Election);
        let member = |of: u16| of == node || voters.contains(&of);
        let passes = |from, to, message: &Message| member(from) && member(to) && is_election(message);
        let vote = |message: &Message| match message {
            Message::Voted { granted: true, .. } => Some("you have my vote".to_owned()),
            Message::Voted { .. } => Some("you do not have my vote".to_owned()),
            _ => None,
        };
        while self.deliver_one(passes, vote) {}
        self.keep(|message| !is_election(message));
    }

    /// The terms of the logs on disk, one node a line.
    pub(super) fn logs(&mut self) {
        let lines: Vec<String> = self.disks().map(|(node, disk)| log_line(node, disk)).collect();
        for line in lines {
            self.tell(&line);
        }
    }
}

/// The records of a node that stands in `term` and whose log has entries of these terms.
pub(super) fn history(term: u64, terms: &[u64]) -> Vec<Record> {
    let entries: Vec<Entry> =
        terms.iter().map(|term| Entry { term: Term(*term), payload: Payload::Noop }).collect();
    vec![Record::Term { term: Term(term), vote: None }, Record::Append { first: Index(1), entries }]
}

fn is_election(message: &Message) -> bool {
    matches!(
        message,
        Message::PreVote { .. } | Message::PreVoted { .. } | Message::Vote { .. } | Message::Voted { .. }
    )
}

fn log_line(node: NodeId, disk: &[Record]) -> String {
    let mut base = 0;
    let mut terms: Vec<u64> = Vec::new();
    for record in disk {
        match record {
            Record::Append { entries, .. } => terms.extend(entries.iter().map(|entry| entry.term.0)),
            Record::Truncate { from } => terms.truncate((from.0 - base - 1) as usize),
            Record::Base { at, .. } => {
                base = at.index.0;
                terms.clear();
            }
            Record::Term { .. } | Record::Snapshot { .. } | Record::Chunk { .. } => {}
        }
    }
    let mut line = format!("{node}:");
    if base > 0 {
        write!(line, " [to {base}]").unwrap();
    }
    for term in terms {
        write!(line, " {term}").unwrap();
    }
    line
}

fn names(members: &Value) -> String {
    members.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect::<Vec<_>>().join(" ")
}

fn place(at: Position) -> String {
    if at.index == Index::ZERO { "the beginning".to_owned() } else { at.to_string() }
}
