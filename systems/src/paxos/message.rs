//! What nodes tell each other.
//!
//! Messages may be lost, duplicated, delayed and reordered, so each names the ballot or the slots that it is
//! about. Questions are repeated until they are answered, and every handler is idempotent.

use serde::{Deserialize, Serialize};

use super::ballot::{Ballot, Slot};
use super::value::{Value, Vote};
use crate::kv::Chunk;

/// A message; the sections are those of *Paxos Made Simple*.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// Phase 1a: "promise to accept nothing below this ballot, and tell what you have accepted" (2.2), for all
    /// slots at once (3).
    Prepare {
        /// The ballot that begins.
        ballot: Ballot,
        /// The first slot of interest; what is before it, the sender has applied or was told already.
        from: Slot,
    },
    /// Phase 1b: the promise is made, and on disk.
    Promise {
        /// The ballot of the request.
        ballot: Ballot,
        /// The first slot that this part is about.
        from: Slot,
        /// The acceptor has discarded what it accepted up to here; all of that is chosen.
        base: Slot,
        /// What it accepted from there on, in the order of slots.
        votes: Vec<Vote>,
        /// Where the next part begins, if this is not the last. To be asked for by another request.
        next: Option<Slot>,
    },
    /// Phase 2a: "accept these values" (2.2).
    Accept {
        /// The ballot.
        ballot: Ballot,
        /// The slot of the first value; the others follow.
        first: Slot,
        /// The values, few enough for one message.
        values: Vec<Value>,
    },
    /// Phase 2b, said to every learner: values are accepted, and on disk (2.3). A ballot has one value for a slot,
    /// so the values need not be repeated.
    Accepted {
        /// The ballot in which they were proposed.
        ballot: Ballot,
        /// The first slot.
        first: Slot,
        /// How many slots.
        count: usize,
    },
    /// A ballot was refused: the responder has promised another. The paper asks for it in 2.2, as an optimisation.
    Preempted {
        /// What is promised.
        promised: Ballot,
    },
    /// A leader says that it is there, so that nobody else tries to lead (2.4).
    Heartbeat {
        /// Its ballot.
        ballot: Ballot,
        /// How far it knows the log: all slots up to here are chosen.
        chosen: Slot,
    },
    /// The answer to [`Message::Heartbeat`], by which a leader that nobody hears can tell.
    Heard {
        /// The ballot of the heartbeat.
        ballot: Ballot,
    },
    /// A learner asks another what was chosen (2.3).
    Learn {
        /// From which slot on.
        from: Slot,
    },
    /// The answer: the values chosen for these slots.
    Chosen {
        /// The first slot.
        first: Slot,
        /// The values, few enough for one message.
        values: Vec<Value>,
        /// How far the responder knows the log.
        end: Slot,
    },
    /// A learner asks for a chunk of the state, because the slots that it needs are gone.
    Fetch {
        /// The last slot that the state covers.
        at: Slot,
        /// Which chunk, counted from 0.
        offset: usize,
    },
    /// A chunk of the state, in answer to [`Message::Fetch`] or to a [`Message::Learn`] that comes too late.
    State {
        /// The last slot that the state covers.
        at: Slot,
        /// Which chunk.
        offset: usize,
        /// How many there are.
        total: usize,
        /// The part of the state.
        items: Chunk,
    },
}
