//! What nodes tell each other.
//!
//! Messages may be lost, duplicated, delayed and reordered. What a server is told by another names the view in which
//! it was said, and is heard in that view alone; what the view service is told stays true however late it arrives.

use serde::{Deserialize, Serialize};

use super::view::{OpNumber, View, ViewNumber};
use crate::kv::{Chunk, Command, Proposal};

/// A command with its place in the sequence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Its number.
    pub number: OpNumber,
    /// What the client asked for.
    pub proposal: Proposal,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// A server to the view service: "I am alive, and in this view". From the view's primary it is the
    /// acknowledgement without which there is no next view.
    Ping {
        /// The view that the sender has entered, and written down.
        view: ViewNumber,
        /// Whether the sender is the view's backup and has been given its state: only then it may be promoted.
        complete: bool,
    },
    /// The view service to a server: this is the view.
    View(View),
    /// Primary to backup: run these commands. Without commands it only asks for an acknowledgement.
    Replicate {
        /// The view.
        view: ViewNumber,
        /// The commands, in order and without gaps, few enough for one message.
        operations: Vec<Operation>,
        /// Marks the life of the primary's process: a round of an earlier life confirms nothing in this one.
        life: u64,
        /// The primary's latest round, echoed in the answer: an echo proves that the backup was still in the view
        /// after the round began, which is what a read must know.
        round: u64,
    },
    /// Backup to primary: everything up to here is on disk.
    Acknowledge {
        /// The view.
        view: ViewNumber,
        /// The last command that the backup has.
        number: OpNumber,
        /// The life of the request; 0 when it had none.
        life: u64,
        /// The round of the request; 0 when it had none.
        round: u64,
    },
    /// Primary to backup: one chunk of the state with which the view begins.
    Transfer {
        /// The view.
        view: ViewNumber,
        /// The last command that the state includes.
        number: OpNumber,
        /// Which chunk this is, counted from 0.
        offset: usize,
        /// How many chunks there are.
        total: usize,
        /// The part of the state.
        items: Chunk,
    },
    /// Backup to primary: how much of the state has arrived; the whole is answered by [`Message::Acknowledge`].
    Received {
        /// The view.
        view: ViewNumber,
        /// The last command that the state includes.
        number: OpNumber,
        /// How many chunks have arrived without a gap: the offset of the one that is needed next.
        chunks: usize,
    },
}

impl Operation {
    /// An upper bound of its JSON's length: a byte of a key takes six at worst.
    pub(super) fn bytes(&self) -> usize {
        let (Command::Write { key, .. } | Command::Cas { key, .. } | Command::Add { key, .. }) =
            &self.proposal.command;
        224 + 6 * key.len()
    }
}
