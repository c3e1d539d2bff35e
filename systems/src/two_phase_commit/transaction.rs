//! Transactions: their names, their work, and what becomes of them.

use std::fmt;

use rashomon_core::Value;
use serde::{Deserialize, Serialize};

use super::account::{AccountNumber, Transfer};

/// The name of a transaction. The coordinator gives each name once: it counts within its epoch, and begins a new epoch,
/// on disk, whenever it starts. Presumed abort needs that, since nothing else of an aborted transaction is remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TransactionId {
    /// The life of the coordinator.
    pub epoch: u64,
    /// Counted from 1 in that life.
    pub number: u64,
}

/// The part of a transaction that one participant carries out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Read these accounts.
    Read {
        /// The bank.
        bank: String,
        /// Its accounts.
        accounts: Vec<AccountNumber>,
    },
    /// Take from an account, or give to one, or both.
    Move {
        /// The bank.
        bank: String,
        /// The whole transfer; the participant does what concerns its own accounts.
        transfer: Transfer,
    },
}

/// What a participant says to the question whether it can commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Vote {
    /// It can, and will be able to whatever happens: its part of the transaction is on disk.
    Yes,
    /// It can, and has nothing more to do: it changed nothing, and has let its locks go.
    ReadOnly,
    /// It cannot, and has aborted its part.
    No,
}

/// What becomes of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// All of it happens.
    Commit,
    /// None of it does.
    Abort,
}

/// Why a participant does not carry out its task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Another transaction holds a lock that it needs.
    Conflict,
    /// The account has not enough.
    Insufficient,
    /// The account has had as many transfers as it takes.
    Full,
    /// It has already aborted its part.
    Aborted,
}

impl Task {
    /// Whether it changes anything.
    pub fn writes(&self) -> bool {
        match self {
            Task::Read { .. } => false,
            Task::Move { .. } => true,
        }
    }
}

impl Vote {
    pub(super) fn name(self) -> &'static str {
        match self {
            Vote::Yes => "yes",
            Vote::ReadOnly => "read-only",
            Vote::No => "no",
        }
    }
}

impl Decision {
    pub(super) fn name(self) -> &'static str {
        match self {
            Decision::Commit => "commit",
            Decision::Abort => "abort",
        }
    }
}

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "t{}.{}", self.epoch, self.number)
    }
}

impl From<TransactionId> for Value {
    fn from(id: TransactionId) -> Value {
        id.to_string().into()
    }
}
