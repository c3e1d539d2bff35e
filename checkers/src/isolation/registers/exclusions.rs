//! Orders of two that cannot all be at once.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

/// One transaction comes before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Before(pub(super) u32, pub(super) u32);

/// Some orders that cannot all be at once.
#[derive(Clone, Debug, Default)]
pub(super) struct Exclusion {
    pub(super) orders: Vec<Before>,
    /// Transactions that show it.
    pub(super) shown: Vec<u32>,
    /// The exclusions that it follows from besides.
    pub(super) from: Vec<u32>,
}

/// All that were found, by the transactions that come first in their orders.
#[derive(Debug, Default)]
pub(super) struct Exclusions {
    list: Vec<Exclusion>,
    firsts: FxHashMap<u32, Vec<u32>>,
}

impl Exclusions {
    /// Adds one that has any orders, if it is new.
    pub(super) fn note(&mut self, exclusion: Exclusion) {
        let known = |number: &u32| self.list[*number as usize].orders == exclusion.orders;
        let first = exclusion.orders.first().and_then(|order| self.firsts.get(&order.0));
        if first.is_some_and(|numbers| numbers.iter().any(known)) {
            return;
        }
        let number = self.list.len() as u32;
        for Before(first, _) in &exclusion.orders {
            let numbers = self.firsts.entry(*first).or_default();
            if numbers.last() != Some(&number) {
                numbers.push(number);
            }
        }
        self.list.push(exclusion);
    }

    /// The orders that cannot all be.
    pub(super) fn orders(&self, number: u32) -> &[Before] {
        &self.list[number as usize].orders
    }

    /// Whom a transaction must let go first, and the number of the exclusion that says so: one of which all orders have
    /// come to be if the transaction comes now. It may be one of several, as few as possible.
    pub(super) fn completed(&self, transaction: u32, comes: impl Fn(Before) -> bool) -> Option<(u32, u32)> {
        let numbers = self.firsts.get(&transaction)?.iter().copied();
        let own = |number: u32| self.orders(number).iter().filter(|order| order.0 == transaction);
        let completed = numbers.filter(|number| self.orders(*number).iter().all(|order| comes(*order)));
        let number = completed.min_by_key(|number| own(*number).count())?;
        Some((own(number).next()?.1, number))
    }

    /// The transactions that show an exclusion, with those that show what it follows from.
    pub(super) fn origin(&self, exclusion: Exclusion) -> Vec<u32> {
        let mut shown: BTreeSet<u32> = exclusion.shown.into_iter().collect();
        let mut open = exclusion.from;
        let mut seen: BTreeSet<u32> = BTreeSet::new();
        while let Some(number) = open.pop() {
            if seen.insert(number) {
                let Exclusion { shown: more, from, .. } = &self.list[number as usize];
                shown.extend(more);
                open.extend(from);
            }
        }
        shown.into_iter().collect()
    }
}
