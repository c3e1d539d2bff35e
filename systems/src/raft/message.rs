//! What nodes tell each other.
//!
//! Messages may be lost, duplicated, delayed and reordered, so each says all that its receiver must know to
//! judge it: the term it was sent in, and what exactly it asks or answers. Requests are repeated until they are
//! answered (5.5); every handler is idempotent.

use std::collections::BTreeSet;

use rashomon_core::NodeId;
use serde::{Deserialize, Serialize};

use super::log::Entry;
use super::position::{Index, Position, Term};
use crate::kv::{Chunk, Digest};

/// A message. `term` is the sender's term unless the variant says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// "Would you vote for me?" Asked before an election, so that a node which cannot win does not disturb a
    /// leader that can still serve (dissertation 9.6).
    PreVote {
        /// The term that the sender would campaign in; it has not begun it.
        term: Term,
        /// The end of the sender's log.
        last: Position,
    },
    /// The answer to [`Message::PreVote`]. It binds nobody and is not written down.
    PreVoted {
        /// The responder's term.
        term: Term,
        /// The term of the question.
        asked: Term,
        /// Whether the responder would vote for the asker in that term.
        granted: bool,
    },
    /// `RequestVote`: "vote for me" (5.2).
    Vote {
        /// The term of the election.
        term: Term,
        /// The end of the candidate's log, by which voters protect committed entries (5.4.1).
        last: Position,
    },
    /// The answer to [`Message::Vote`].
    Voted {
        /// The responder's term.
        term: Term,
        /// Whether the candidate has the vote.
        granted: bool,
    },
    /// `AppendEntries`: entries to add; without entries it is a heartbeat (5.3).
    Append {
        /// The leader's term.
        term: Term,
        /// The place right before the entries, at which the logs must agree.
        prev: Position,
        /// The entries, few enough for one message.
        entries: Vec<Entry>,
        /// How far the leader knows the log to be committed.
        commit: Index,
        /// The leader's latest round of heartbeats, echoed in the answer: a quorum of echoes proves that it led
        /// after the round began, which is what a read must know (8; dissertation 6.4).
        round: u64,
    },
    /// The follower's log agrees with the leader's up to `matched`, and that much of it is on disk.
    Appended {
        /// The responder's term.
        term: Term,
        /// The last index known to agree.
        matched: Index,
        /// The round of the request.
        round: u64,
    },
    /// The logs do not agree at `prev`: go back and try again (5.3).
    Rejected {
        /// The responder's term.
        term: Term,
        /// The index at which agreement was asked for.
        prev: Index,
        /// Where to try next, so that the leader skips a term at a time and not an entry.
        hint: Hint,
        /// The round of the request.
        round: u64,
    },
    /// `InstallSnapshot`: one chunk of a snapshot, for a follower that needs entries the leader has discarded (7).
    Install {
        /// The leader's term.
        term: Term,
        /// The last place that the snapshot covers.
        at: Position,
        /// The fingerprint of the log up to there.
        chain: Digest,
        /// The configuration in force there.
        members: BTreeSet<NodeId>,
        /// Which chunk this is, counted from 0.
        offset: usize,
        /// How many chunks there are.
        total: usize,
        /// The part of the state.
        items: Chunk,
        /// The round, as in [`Message::Append`].
        round: u64,
    },
    /// How much of a snapshot the follower has; the whole is answered by [`Message::Appended`].
    Installing {
        /// The responder's term.
        term: Term,
        /// The last index that the snapshot covers.
        at: Index,
        /// How many chunks have arrived without a gap: the offset of the one it needs next.
        received: usize,
        /// The round of the request.
        round: u64,
    },
    /// The term of the leader that sent this is over.
    Deposed {
        /// The responder's term.
        term: Term,
    },
}

/// Where a follower's log parts from the leader's, as far as the follower can tell (5.3, last paragraphs).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hint {
    /// The term of the entry that conflicts; `None` when the follower's log is too short to have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub term: Option<Term>,
    /// The first index of that term, or the one behind the end of the log.
    pub first: Index,
}

impl Message {
    /// The term that the sender has certainly reached; a receiver behind it adopts it (5.1).
    pub(super) fn reached(&self) -> Term {
        match self {
            // Nobody has begun the term that a pre-candidate asks for; a question disturbs no leader.
            Message::PreVote { .. } => Term::default(),
            Message::PreVoted { term, .. }
            | Message::Vote { term, .. }
            | Message::Voted { term, .. }
            | Message::Append { term, .. }
            | Message::Appended { term, .. }
            | Message::Rejected { term, .. }
            | Message::Install { term, .. }
            | Message::Installing { term, .. }
            | Message::Deposed { term } => *term,
        }
    }
}
