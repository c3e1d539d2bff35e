//! What became of the transactions that a participant took part in lately.

use std::collections::{BTreeMap, VecDeque};

use super::transaction::TransactionId;

/// The transactions that are remembered one by one.
const REMEMBERED: usize = 512;

/// How a participant's part of a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Committed,
    Aborted,
    /// It only read, voted so, and has let its locks go.
    Read,
}

/// The latest outcomes. An older transaction is over, and no more is known of it.
#[derive(Debug, Default)]
pub(super) struct Outcomes {
    latest: BTreeMap<TransactionId, Outcome>,
    /// Those in `latest`, the oldest first.
    order: VecDeque<TransactionId>,
    /// The greatest that was forgotten.
    forgotten: TransactionId,
}

impl Outcomes {
    pub(super) fn get(&self, id: TransactionId) -> Option<Outcome> {
        self.latest.get(&id).copied()
    }

    /// Whether a transaction that is not under way here is over, however it ended. One that never came here may be
    /// taken for over, when others have overtaken it by far: it is then refused.
    pub(super) fn is_over(&self, id: TransactionId) -> bool {
        id <= self.forgotten || self.latest.contains_key(&id)
    }

    /// Notes how a transaction ended.
    pub(super) fn insert(&mut self, id: TransactionId, outcome: Outcome) {
        if self.latest.insert(id, outcome).is_none() {
            self.order.push_back(id);
        }
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.latest.remove(&oldest);
            self.forget(oldest);
        }
    }

    /// Takes this one and all before it for over.
    pub(super) fn forget(&mut self, id: TransactionId) {
        self.forgotten = self.forgotten.max(id);
    }

    /// The greatest that was forgotten.
    pub(super) fn forgotten(&self) -> TransactionId {
        self.forgotten
    }

    /// The oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (TransactionId, Outcome)> + '_ {
        self.order.iter().filter_map(|id| Some((*id, self.get(*id)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_forgotten_and_remain_over() {
        let id = |number| TransactionId { epoch: 1, number };
        let mut outcomes = Outcomes::default();
        for number in 11..=REMEMBERED as u64 + 20 {
            assert!(!outcomes.is_over(id(number)));
            outcomes.insert(id(number), Outcome::Committed);
        }
        assert!(outcomes.is_over(id(11)));
        assert_eq!(outcomes.get(id(11)), None);
        assert_eq!(outcomes.get(id(21)), Some(Outcome::Committed));
        assert_eq!(outcomes.forgotten(), id(20));
        outcomes.insert(id(3), Outcome::Aborted);
        assert_eq!(outcomes.get(id(3)), Some(Outcome::Aborted), "it ended late, and just now");
        assert_eq!(outcomes.iter().count(), REMEMBERED);
        assert_eq!(outcomes.iter().last(), Some((id(3), Outcome::Aborted)));
    }
}
