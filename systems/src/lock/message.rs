//! What nodes tell each other.
//!
//! Messages may be lost, duplicated, delayed and reordered. Each names the owner, and so the one critical section that
//! it belongs to: whatever comes too late belongs to nobody.

use serde::{Deserialize, Serialize};

use super::token::{Owner, Round, Token};

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// Holder to lock server: give me the lock if nobody has it. An owner that has it already renews its lease.
    Acquire {
        /// The lock.
        lock: String,
        /// For whom.
        owner: Owner,
        /// Which time the owner asks.
        round: Round,
    },
    /// Holder to lock server: let my lease begin anew, if I still have it.
    Renew {
        /// The lock.
        lock: String,
        /// Whose.
        owner: Owner,
        /// Which time the owner asks.
        round: Round,
    },
    /// Holder to lock server: I am done. Never answered: if it is lost, the lease runs out.
    Release {
        /// The lock.
        lock: String,
        /// Whose.
        owner: Owner,
        /// The last time the owner asked; a grant of a later round is not meant.
        round: Round,
    },
    /// Lock server to holder: the lock is yours, for one lease from the beginning of this round.
    Granted {
        /// The lock.
        lock: String,
        /// Whose.
        owner: Owner,
        /// What to show the resource; a server that counts nothing gives none.
        token: Option<Token>,
        /// The round that is answered.
        round: Round,
    },
    /// Lock server to holder: the lock is another's.
    Denied {
        /// The lock.
        lock: String,
        /// Who may not have it.
        owner: Owner,
        /// The round that is answered.
        round: Round,
    },
    /// Holder to resource: the section begins; what is the value?
    Open {
        /// The key: that of the lock.
        key: String,
        /// Whose section.
        owner: Owner,
        /// The token of its lease.
        token: Option<Token>,
        /// The work that the section does.
        work: u64,
    },
    /// Resource to holder: this is the value.
    Opened {
        /// Whose section.
        owner: Owner,
        /// The value.
        value: u64,
    },
    /// Holder to resource: this is the value from now on.
    Write {
        /// The key.
        key: String,
        /// Whose section.
        owner: Owner,
        /// The token of its lease.
        token: Option<Token>,
        /// The work that the section does.
        work: u64,
        /// Which write of the section it is, counted from 1.
        step: u64,
        /// The value.
        value: u64,
    },
    /// Resource to holder: it is written.
    Written {
        /// Whose section.
        owner: Owner,
        /// Which write.
        step: u64,
    },
    /// Resource to holder: a newer token was here, so yours opens nothing and writes nothing any more.
    Fenced {
        /// Whose section.
        owner: Owner,
        /// Which write; 0 when it is the opening.
        step: u64,
    },
}
