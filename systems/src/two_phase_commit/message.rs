//! What nodes tell each other.
//!
//! Messages may be lost, duplicated, delayed and reordered. Every message names its transaction, and a transaction is
//! never named twice, so each can be understood, or seen to be late, on its own.

use serde::{Deserialize, Serialize};

use super::account::{Account, AccountNumber};
use super::transaction::{Decision, Refusal, Task, TransactionId, Vote};
use rashomon_core::NodeId;

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// Coordinator to participant: take the locks and do this, as part of the transaction. Nothing is promised yet.
    Execute {
        /// The transaction.
        transaction: TransactionId,
        /// The participant's part of it.
        task: Task,
    },
    /// Participant to coordinator: done, and the locks are held.
    Executed {
        /// The transaction.
        transaction: TransactionId,
        /// Marks the life of the participant's process. Locks are lost with it.
        life: u64,
        /// What was read.
        accounts: Vec<(AccountNumber, Account)>,
    },
    /// Participant to coordinator: not done, and nothing is held.
    Refused {
        /// The transaction.
        transaction: TransactionId,
        /// Why.
        why: Refusal,
    },
    /// Coordinator to participant: can you commit? The first phase.
    Prepare {
        /// The transaction.
        transaction: TransactionId,
        /// The life in which the participant did its part: in another its locks were not held all the time.
        life: u64,
        /// Everybody who changes something, for whom it is that cannot reach the coordinator.
        writers: Vec<NodeId>,
    },
    /// Participant to coordinator: the answer to that.
    Vote {
        /// The transaction.
        transaction: TransactionId,
        /// The answer.
        vote: Vote,
    },
    /// What is decided: the second phase. From the coordinator, or from a participant that knows.
    Decide {
        /// The transaction.
        transaction: TransactionId,
        /// What becomes of it.
        decision: Decision,
    },
    /// Participant to coordinator: the commitment is on my disk, so you may forget it. An abort needs no such word.
    Acknowledge {
        /// The transaction.
        transaction: TransactionId,
    },
    /// A participant that voted yes, to the coordinator and the other writers: what became of it?
    Inquire {
        /// The transaction.
        transaction: TransactionId,
    },
}
