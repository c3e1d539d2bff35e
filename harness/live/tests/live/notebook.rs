//! The system of the trials: every node keeps a notebook, and tells the others on request.

use std::time::Duration;

use rashomon_core::rpc::{ErrorCode, RpcError};
use rashomon_core::{
    BootError, Context, Invariant, Node, NodeId, Probe, Protocol, Setup, System, SystemInfo, Ticket,
};
use serde::{Deserialize, Serialize};

/// See the module.
pub(crate) struct Notebook;

/// The timer that tells the harness the time, and what it is told by.
pub(crate) const ALARM: &str = "alarm";

/// What nodes tell each other.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Message {
    /// This was said.
    Rumour(String),
    /// Say it back to me.
    Call(u64),
    /// I say it back.
    Response(u64),
}

/// What clients ask.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Request {
    /// Nothing but an answer.
    Echo {
        /// Comes back.
        value: u64,
    },
    /// Write this down, then answer.
    Write {
        /// What.
        value: String,
    },
    /// Replace the whole notebook by this, then answer.
    Replace {
        /// What.
        value: String,
    },
    /// What is in the notebook?
    Read,
    /// Tell the others, then answer.
    Spread {
        /// What.
        value: String,
    },
    /// Write this down, and tell the others a moment later, from another step.
    WriteAndSpread {
        /// What.
        value: String,
    },
    /// Ask all others, and answer when all have answered.
    RoundTrip,
    /// Ask what time it is.
    Time,
    /// Tell the harness what time it is, so many milliseconds from now.
    Alarm {
        /// How many.
        after: u64,
    },
    /// Never answer.
    Ignore,
    /// Write to standard output what does not belong there, then answer.
    Babble,
    /// Do nothing any more, for ever.
    Hang,
    /// Panic.
    Panic,
    /// Refuse.
    Refuse,
}

/// What clients are told.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Reply {
    /// It is done.
    Done,
    /// Here is what you sent.
    EchoOk {
        /// It.
        value: u64,
    },
    /// The wall clock.
    TimeIs {
        /// In nanoseconds.
        now: u64,
    },
    /// The notebook.
    Notes {
        /// Its lines.
        values: Vec<String>,
    },
}

impl Protocol for Notebook {
    type Message = Message;
    type Timer = String;
    type Record = String;
    type Request = Request;
    type Reply = Reply;
}

struct Keeper {
    nodes: Vec<NodeId>,
    notes: Vec<String>,
    waiting: Vec<(Ticket, u64, usize)>,
    rounds: u64,
}

impl Node<Notebook> for Keeper {
    fn on_start(&mut self, cx: &mut Context<'_, Notebook>) {
        cx.probe(Probe::new("awake").with("notes", self.notes.len()));
    }

    fn on_message(&mut self, from: NodeId, message: Message, cx: &mut Context<'_, Notebook>) {
        match message {
            Message::Rumour(value) => {
                cx.probe(Probe::new("heard").with("value", value).with("from", from.to_string()));
            }
            Message::Call(round) => cx.send(from, Message::Response(round)),
            Message::Response(round) => {
                if let Some(position) = self.waiting.iter().position(|(_, waits, _)| *waits == round) {
                    self.waiting[position].2 -= 1;
                    if self.waiting[position].2 == 0 {
                        cx.reply(self.waiting.swap_remove(position).0, Reply::Done);
                    }
                }
            }
        }
    }

    fn on_timer(&mut self, value: String, cx: &mut Context<'_, Notebook>) {
        if value == ALARM {
            return cx.probe(Probe::new(ALARM).with("now", cx.now().0));
        }
        cx.broadcast(&self.nodes, &Message::Rumour(value));
    }

    fn on_request(&mut self, ticket: Ticket, request: Request, cx: &mut Context<'_, Notebook>) {
        match request {
            Request::Echo { value } => cx.reply(ticket, Reply::EchoOk { value }),
            Request::Write { value } => {
                self.notes.push(value.clone());
                cx.persist(value);
                cx.reply(ticket, Reply::Done);
            }
            Request::Replace { value } => {
                self.notes = vec![value];
                cx.checkpoint(self.notes.clone());
                cx.reply(ticket, Reply::Done);
            }
            Request::Read => cx.reply(ticket, Reply::Notes { values: self.notes.clone() }),
            Request::Spread { value } => {
                cx.broadcast(&self.nodes, &Message::Rumour(value));
                cx.reply(ticket, Reply::Done);
            }
            Request::WriteAndSpread { value } => {
                self.notes.push(value.clone());
                cx.persist(value.clone());
                cx.set_timer(value, Duration::ZERO);
            }
            Request::RoundTrip => {
                self.rounds += 1;
                self.waiting.push((ticket, self.rounds, self.nodes.len() - 1));
                cx.broadcast(&self.nodes, &Message::Call(self.rounds));
            }
            Request::Time => cx.reply(ticket, Reply::TimeIs { now: cx.now().0 }),
            Request::Alarm { after } => {
                cx.set_timer(ALARM.to_owned(), Duration::from_millis(after));
                cx.reply(ticket, Reply::Done);
            }
            Request::Ignore => {}
            Request::Babble => {
                println!("left from debugging");
                cx.reply(ticket, Reply::Done);
            }
            Request::Hang => loop {
                std::thread::park();
            },
            Request::Panic => panic!("told to panic"),
            Request::Refuse => cx.refuse(ticket, RpcError::new(ErrorCode::PreconditionFailed, "no")),
        }
    }
}

impl System for Notebook {
    type Protocol = Notebook;

    fn info() -> SystemInfo {
        SystemInfo {
            name: "notebook",
            summary: "every node keeps a notebook",
            paper: "",
            nodes: 5,
            workloads: &[],
            sessions: false,
            durable: true,
            leader_probe: "",
            membership: false,
            options: &[],
            bugs: &[],
            controls: &[],
            weak: None,
        }
    }

    fn boot(setup: &Setup, notes: Vec<String>) -> Result<Box<dyn Node<Notebook>>, BootError> {
        Ok(Box::new(Keeper { nodes: setup.nodes.clone(), notes, waiting: Vec::new(), rounds: 0 }))
    }

    fn invariants() -> Vec<Box<dyn Invariant>> {
        Vec::new()
    }
}
