//! What happened inside a world, in enough detail to draw it.

use serde::{Deserialize, Serialize};

use crate::{Link, NodeId, Probe, Time};

/// One thing that happened, or is certain to happen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case", deny_unknown_fields)]
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
        fate: Vec<String>,
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
        because: String,
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
    /// A node said something of itself.
    Probe {
        /// When.
        at: Time,
        /// Who.
        node: NodeId,
        /// What.
        said: Probe,
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

/// The happenings of a stretch of a run, the first so many of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Trace {
    /// In the order in which they happened.
    pub happenings: Vec<Happening>,
    /// How many came after those, and were left out.
    pub left_out: u64,
}

impl Happening {
    /// When it happened.
    pub fn at(&self) -> Time {
        match self {
            Happening::Message { at, .. }
            | Happening::Unheard { at, .. }
            | Happening::Request { at, .. }
            | Happening::Answer { at, .. }
            | Happening::Timer { at, .. }
            | Happening::Durable { at, .. }
            | Happening::Probe { at, .. }
            | Happening::Boot { at, .. }
            | Happening::End { at, .. }
            | Happening::Stopped { at, .. }
            | Happening::Resumed { at, .. } => *at,
        }
    }
}
