//! What nodes write to their disks, and how they begin again from there.
//!
//! Presumed abort says what must be *forced*, which is to be durable before anybody is told: the participant's
//! `Prepared` before its vote, the coordinator's `Commit` before it tells anybody, the participant's decision to
//! commit before it acknowledges. An abort and the end of a transaction need not be: whoever forgets them asks again,
//! or is asked again, and hears the same. Those records stand last in their step, so that nothing in it waits for them.

use std::collections::{BTreeMap, BTreeSet};

use rashomon_core::rpc::RequestId;
use rashomon_core::{BootError, NodeId};
use serde::{Deserialize, Serialize};

use super::account::{Account, AccountNumber, Accounts, Write};
use super::outcomes::{Outcome, Outcomes};
use super::transaction::{Decision, TransactionId};

/// A record of a write-ahead log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// The coordinator begins to count anew.
    Epoch {
        /// Its life.
        epoch: u64,
    },
    /// The coordinator has decided to commit.
    Commit {
        /// The transaction.
        transaction: TransactionId,
        /// Who asked for it, so that the same request is not carried out again.
        request: Option<RequestId>,
        /// Who must be told.
        writers: Vec<NodeId>,
    },
    /// All have acknowledged the commitment. Not forced.
    End {
        /// The transaction.
        transaction: TransactionId,
    },
    /// A checkpoint of the coordinator: the last request of this session that committed.
    Session(RequestId),
    /// A participant can commit: these are the after-images. It will vote yes.
    Prepared {
        /// The transaction.
        transaction: TransactionId,
        /// What will be installed.
        writes: Vec<Write>,
        /// Everybody who changes something.
        writers: Vec<NodeId>,
    },
    /// A participant has learned the decision. Forced only if it is to commit.
    Decided {
        /// The transaction.
        transaction: TransactionId,
        /// What becomes of it.
        decision: Decision,
    },
    /// A checkpoint of a participant: this transaction and all before it are over, but for those that are prepared.
    Forgotten {
        /// The transaction.
        transaction: TransactionId,
    },
    /// A checkpoint of a participant: this is in the account.
    Account {
        /// The bank.
        bank: String,
        /// The account.
        account: AccountNumber,
        /// What is in it.
        state: Account,
    },
}

/// A commitment that somebody may not know of.
#[derive(Clone, Debug)]
pub(super) struct Committed {
    pub(super) request: Option<RequestId>,
    /// Everybody who changed something.
    pub(super) writers: Vec<NodeId>,
    /// Those who have not acknowledged it.
    pub(super) untold: BTreeSet<NodeId>,
}

/// What a coordinator remembers.
#[derive(Debug, Default)]
pub(super) struct CoordinatorDisk {
    pub(super) epoch: u64,
    pub(super) committed: BTreeMap<TransactionId, Committed>,
    /// The last request of each session that committed.
    pub(super) sessions: BTreeMap<u64, u64>,
    /// The records in the log.
    pub(super) logged: u64,
}

/// A part of a transaction that is prepared.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    pub(super) writes: Vec<Write>,
    pub(super) writers: Vec<NodeId>,
}

/// What a participant remembers.
#[derive(Debug, Default)]
pub(super) struct ParticipantDisk {
    pub(super) accounts: Accounts,
    pub(super) prepared: BTreeMap<TransactionId, Prepared>,
    pub(super) outcomes: Outcomes,
    /// The records in the log behind its checkpoint.
    pub(super) logged: u64,
}

fn foreign<T>(whose: &str, record: &Record) -> Result<T, BootError> {
    Err(BootError(format!("the log of a {whose} holds {record:?}")))
}

impl CoordinatorDisk {
    /// What the records add up to.
    pub(super) fn replay(records: Vec<Record>) -> Result<CoordinatorDisk, BootError> {
        let mut disk = CoordinatorDisk { logged: records.len() as u64, ..CoordinatorDisk::default() };
        for record in records {
            match record {
                Record::Epoch { epoch } => disk.epoch = epoch,
                Record::Session(RequestId { session, sequence }) => disk.commits(session, sequence),
                Record::Commit { transaction, request, writers } => {
                    if let Some(RequestId { session, sequence }) = request {
                        disk.commits(session, sequence);
                    }
                    let untold = writers.iter().copied().collect();
                    disk.committed.insert(transaction, Committed { request, writers, untold });
                }
                Record::End { transaction } => drop(disk.committed.remove(&transaction)),
                Record::Prepared { .. }
                | Record::Decided { .. }
                | Record::Forgotten { .. }
                | Record::Account { .. } => {
                    return foreign("coordinator", &record);
                }
            }
        }
        Ok(disk)
    }

    fn commits(&mut self, session: u64, sequence: u64) {
        let last = self.sessions.entry(session).or_default();
        *last = (*last).max(sequence);
    }
}

impl ParticipantDisk {
    /// What the records add up to.
    pub(super) fn replay(records: Vec<Record>) -> Result<ParticipantDisk, BootError> {
        let mut disk = ParticipantDisk { logged: records.len() as u64, ..ParticipantDisk::default() };
        for record in records {
            match record {
                Record::Forgotten { transaction } => disk.outcomes.forget(transaction),
                Record::Account { bank, account, state } => disk.accounts.restore((bank, account), state),
                Record::Prepared { transaction, writes, writers } => {
                    disk.prepared.insert(transaction, Prepared { writes, writers });
                }
                Record::Decided { transaction, decision } => {
                    let prepared = disk.prepared.remove(&transaction);
                    let outcome = match decision {
                        Decision::Commit => {
                            // A checkpoint holds the decision alone, and the accounts as it left them.
                            for write in prepared.iter().flat_map(|prepared| &prepared.writes) {
                                disk.accounts.install(write);
                            }
                            Outcome::Committed
                        }
                        Decision::Abort => Outcome::Aborted,
                    };
                    disk.outcomes.insert(transaction, outcome);
                }
                Record::Epoch { .. } | Record::Commit { .. } | Record::End { .. } | Record::Session(_) => {
                    return foreign("participant", &record);
                }
            }
        }
        Ok(disk)
    }
}
