//! What nodes write to their disks.

use serde::{Deserialize, Serialize};

use super::token::{Owner, Round, Token};

/// Who has a lock for the time being.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Whose it is.
    pub owner: Owner,
    /// The last round in which the owner asked for it.
    pub round: Round,
    /// Its fencing token.
    pub token: Token,
}

/// Something that a critical section did at the resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// Whose section.
    pub owner: Owner,
    /// The work that the section does.
    pub work: u64,
    /// The token that was shown.
    pub token: Option<Token>,
    /// 0: the value was read; otherwise the how-manieth write of the section it is.
    pub step: u64,
    /// The value that was read or written.
    pub value: u64,
}

/// A record of a write-ahead log. Holders keep none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// The lock server: this is how the lock stands now.
    Lock {
        /// The lock.
        lock: String,
        /// The last token that was given out.
        token: Token,
        /// Who has it, if anybody.
        lease: Option<Lease>,
    },
    /// The resource: this happened to the key, after all before it.
    Effect {
        /// The key.
        key: String,
        /// What happened.
        effect: Effect,
    },
}
