//! Banks, their accounts, and who keeps which.

use std::collections::BTreeMap;

use rashomon_core::NodeId;
use serde::{Deserialize, Serialize};

/// The accounts of a bank, numbered from 0. A bank exists as soon as somebody names it.
pub const ACCOUNTS: u32 = 6;

/// What is in each account at first.
pub const OPENING: i64 = 20;

/// The most transfers that an account takes part in. An account tells them all when it is read, and an answer must fit
/// into one message.
pub const MOST_TRANSFERS: usize = 200;

/// Which account of its bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountNumber(pub u32);

/// An account of a bank.
pub(super) type AccountId = (String, AccountNumber);

/// What is in an account, and how it came to be there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The amount, never negative.
    pub balance: i64,
    /// The transfers that took from it or gave to it, in the order in which they took effect here: so a reader can
    /// tell of each transfer whether it is there, on both sides.
    pub transfers: Vec<u32>,
}

/// An amount that moves from one account of a bank to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// The client's name for it, which both accounts will show.
    pub id: u32,
    /// Who gives.
    pub from: AccountNumber,
    /// Who takes.
    pub to: AccountNumber,
    /// How much; above 0.
    pub amount: i64,
}

/// One account after a transfer: the after-image that a participant promises to install.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Write {
    /// The bank.
    pub bank: String,
    /// The account.
    pub account: AccountNumber,
    /// What will be in it.
    pub balance: i64,
    /// The transfer that makes it so.
    pub transfer: u32,
}

/// The accounts that one participant keeps.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    /// Those that were ever changed.
    changed: BTreeMap<AccountId, Account>,
}

impl Default for Account {
    fn default() -> Account {
        Account { balance: OPENING, transfers: Vec::new() }
    }
}

impl Accounts {
    pub(super) fn get(&self, bank: &str, account: AccountNumber) -> Account {
        self.changed.get(&(bank.to_owned(), account)).cloned().unwrap_or_default()
    }

    /// Installs an after-image.
    pub(super) fn install(&mut self, write: &Write) {
        let account = self.changed.entry((write.bank.clone(), write.account)).or_default();
        account.balance = write.balance;
        account.transfers.push(write.transfer);
    }

    /// Sets an account as a checkpoint kept it.
    pub(super) fn restore(&mut self, id: AccountId, account: Account) {
        self.changed.insert(id, account);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&AccountId, &Account)> {
        self.changed.iter()
    }
}

/// The participant that keeps the account: each has a range of numbers, the same in all banks.
pub(super) fn shard(participants: &[NodeId], account: AccountNumber) -> NodeId {
    participants[account.0 as usize * participants.len() / ACCOUNTS as usize]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_account_has_one_keeper_and_ranges_are_as_even_as_can_be() {
        for participants in 1..=9_u16 {
            let nodes = NodeId::first(participants);
            let keepers: Vec<NodeId> =
                (0..ACCOUNTS).map(|account| shard(&nodes, AccountNumber(account))).collect();
            assert!(keepers.is_sorted());
            let distinct: BTreeSet<NodeId> = keepers.iter().copied().collect();
            assert_eq!(distinct.len(), usize::from(participants).min(ACCOUNTS as usize));
        }
    }
}
