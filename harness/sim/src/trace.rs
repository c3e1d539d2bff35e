//! What happened inside the world, in enough detail to draw it.

use std::fmt::Debug;

use rashomon_core::switch::Marks;
use rashomon_core::{Link, NodeId, Time};
use serde::Serialize;

/// The longest text of a message, request or timer.
const LONGEST_TEXT: usize = 400;

/// One thing that happened, or is certain to happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Happening {
    /// A node sent a message.
    Message {
        /// When.
        at: Time,
        /// From whom to whom.
        link: Link,
        /// How many messages the link carried before: with the link, the name of the message.
        sequence: u64,
        /// When its copies arrive; empty if it was dropped on the way.
        arrivals: Vec<Time>,
        /// Why it was dropped, or what else the network did to it: `cut`, `lost`, `delayed`, ...
        fate: Vec<&'static str>,
        /// What it says.
        text: String,
    },
    /// A message arrived, and nobody took it.
    Unheard {
        /// When.
        at: Time,
        /// From whom to whom.
        link: Link,
        /// Which.
        sequence: u64,
        /// Why.
        because: &'static str,
    },
    /// A client sent a request.
    Request {
        /// When.
        at: Time,
        /// Who.
        process: u64,
        /// To whom.
        node: NodeId,
        /// Numbers the attempts of all clients.
        attempt: u64,
        /// When it arrives; missing if the node refused it.
        arrives: Option<Time>,
        /// What it asks.
        text: String,
    },
    /// The end of an attempt went on its way to the client: an answer, or the news that the node died.
    Answer {
        /// When.
        at: Time,
        /// To whom.
        process: u64,
        /// From whom.
        node: NodeId,
        /// Of which attempt.
        attempt: u64,
        /// When it arrives.
        arrives: Time,
        /// What it says.
        text: String,
    },
    /// A timer fired.
    Timer {
        /// When.
        at: Time,
        /// Whose.
        node: NodeId,
        /// Which.
        timer: String,
    },
    /// Records became durable.
    Durable {
        /// When.
        at: Time,
        /// Whose.
        node: NodeId,
        /// How many records and checkpoints.
        writes: usize,
    },
    /// A process began.
    Boot {
        /// When.
        at: Time,
        /// Where.
        node: NodeId,
        /// How often the node was started.
        incarnation: u32,
    },
    /// A process ended.
    End {
        /// When.
        at: Time,
        /// Where.
        node: NodeId,
        /// `killed`, `power failed`, or how it ended by itself.
        how: String,
    },
    /// A process was stopped.
    Stopped {
        /// When.
        at: Time,
        /// Where.
        node: NodeId,
    },
    /// A stopped process went on.
    Resumed {
        /// When.
        at: Time,
        /// Where.
        node: NodeId,
    },
}

/// The happenings of a run, the first so many of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// In the order in which they happened.
    pub happenings: Vec<Happening>,
    /// How many came after those, and were left out.
    pub left_out: u64,
}

/// Writes a trace, if there is to be one.
#[derive(Debug, Default)]
pub(crate) struct Tracer {
    most: usize,
    trace: Trace,
}

impl Tracer {
    /// Keeps the first so many happenings.
    pub(crate) fn new(most: usize) -> Tracer {
        Tracer { most, trace: Trace::default() }
    }

    /// Notes a happening. Without a trace it costs nothing to describe.
    pub(crate) fn note(&mut self, happening: impl FnOnce() -> Happening) {
        if self.most == 0 {
            return;
        }
        if self.trace.happenings.len() < self.most {
            self.trace.happenings.push(happening());
        } else {
            self.trace.left_out += 1;
        }
    }

    /// Hands over what was noted so far.
    pub(crate) fn take(&mut self) -> Trace {
        std::mem::take(&mut self.trace)
    }
}

/// The text of something, cut where it is too long to be read.
pub(crate) fn text(of: &impl Debug) -> String {
    let mut text = format!("{of:?}");
    if text.len() > LONGEST_TEXT {
        text.truncate(text.floor_char_boundary(LONGEST_TEXT));
        text.push_str("...");
    }
    text
}

/// The names of what was done to a message.
pub(crate) fn names(marks: Marks) -> Vec<&'static str> {
    let Marks { cut, lost, delayed, duplicated, reordered, corrupted } = marks;
    let all = [
        (cut, "cut"),
        (lost, "lost"),
        (delayed, "delayed"),
        (duplicated, "duplicated"),
        (reordered, "reordered"),
        (corrupted, "corrupted"),
    ];
    all.into_iter().filter(|(marked, _)| *marked).map(|(_, name)| name).collect()
}
