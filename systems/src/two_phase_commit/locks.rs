//! Locks on accounts: shared to read, exclusive to change.
//!
//! A transaction that cannot have a lock at once does not wait for it: it is refused, and aborts. Where nobody waits
//! nobody waits in a circle, so there is no deadlock, at one participant or across several. (Bernstein, Hadzilacos and
//! Goodman, *Concurrency Control and Recovery in Database Systems*, 1987, section 3.5, call it *no waiting*.)

use std::collections::{BTreeMap, BTreeSet};

use super::account::AccountId;
use super::transaction::TransactionId;

/// Who may do what.
#[derive(Debug)]
enum Lock {
    Shared(BTreeSet<TransactionId>),
    Exclusive(TransactionId),
}

/// The locks of one participant.
#[derive(Debug, Default)]
pub(super) struct Locks {
    table: BTreeMap<AccountId, Lock>,
    held: BTreeMap<TransactionId, BTreeSet<AccountId>>,
}

impl Locks {
    /// Gives the transaction all these locks, or, if one of them is not free, none.
    pub(super) fn acquire(&mut self, by: TransactionId, accounts: &[AccountId], exclusive: bool) -> bool {
        let free = |account: &AccountId| match self.table.get(account) {
            None => true,
            Some(Lock::Exclusive(holder)) => *holder == by,
            Some(Lock::Shared(holders)) => !exclusive || holders.iter().all(|holder| *holder == by),
        };
        if !accounts.iter().all(free) {
            return false;
        }
        for account in accounts {
            let lock = self.table.entry(account.clone()).or_insert(Lock::Shared(BTreeSet::new()));
            match lock {
                Lock::Exclusive(_) => {}
                Lock::Shared(_) if exclusive => *lock = Lock::Exclusive(by),
                Lock::Shared(holders) => drop(holders.insert(by)),
            }
        }
        self.held.entry(by).or_default().extend(accounts.iter().cloned());
        true
    }

    /// Takes all its locks from the transaction; false if it had none.
    pub(super) fn release(&mut self, by: TransactionId) -> bool {
        let Some(held) = self.held.remove(&by) else { return false };
        for account in held {
            let free = match self.table.get_mut(&account) {
                Some(Lock::Shared(holders)) => {
                    holders.remove(&by);
                    holders.is_empty()
                }
                Some(Lock::Exclusive(holder)) => *holder == by,
                None => false,
            };
            if free {
                self.table.remove(&account);
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::two_phase_commit::account::AccountNumber;

    fn id(number: u64) -> TransactionId {
        TransactionId { epoch: 1, number }
    }

    fn accounts(numbers: &[u32]) -> Vec<AccountId> {
        numbers.iter().map(|number| ("b".to_owned(), AccountNumber(*number))).collect()
    }

    #[test]
    fn readers_share_and_writers_do_not() {
        let mut locks = Locks::default();
        assert!(locks.acquire(id(1), &accounts(&[0, 1]), false));
        assert!(locks.acquire(id(2), &accounts(&[1, 2]), false));
        assert!(!locks.acquire(id(3), &accounts(&[2]), true));
        assert!(locks.acquire(id(3), &accounts(&[3]), true));
        assert!(!locks.acquire(id(1), &accounts(&[3]), false));
        assert!(locks.release(id(2)));
        assert!(!locks.release(id(2)));
        assert!(locks.acquire(id(4), &accounts(&[2]), true));
        assert!(!locks.acquire(id(4), &accounts(&[1]), true), "the first still reads it");
        assert!(locks.release(id(1)));
        assert!(locks.acquire(id(4), &accounts(&[0, 1]), true));
    }

    #[test]
    fn who_is_refused_one_lock_is_given_none() {
        let mut locks = Locks::default();
        assert!(locks.acquire(id(1), &accounts(&[1]), true));
        assert!(!locks.acquire(id(2), &accounts(&[0, 1]), true));
        assert!(locks.acquire(id(3), &accounts(&[0]), true));
    }

    #[test]
    fn an_exclusive_lock_serves_its_holder_for_everything() {
        let mut locks = Locks::default();
        assert!(locks.acquire(id(1), &accounts(&[1]), false));
        assert!(locks.acquire(id(1), &accounts(&[1]), true), "alone among the readers");
        assert!(locks.acquire(id(1), &accounts(&[1]), false));
        assert!(!locks.acquire(id(2), &accounts(&[1]), false));
        assert!(locks.release(id(1)));
        assert!(locks.acquire(id(2), &accounts(&[1]), false));
    }
}
