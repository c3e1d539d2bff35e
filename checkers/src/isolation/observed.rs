//! What the lists of a whole history show: who wrote what in which order, and who must come before whom.

use std::collections::BTreeMap;

use rashomon_core::Kind;
use rustc_hash::FxHashMap;

use super::lists::{Lists, NOBODY, Stray};
use super::micro_ops::Names;
use super::transactions::Transactions;

/// The lists of a history once all of it was read.
///
/// The dependencies between transactions are not stored: who comes right before and after whom is found again, from the
/// order of each key and from what each transaction appended and read, whenever it is asked.
#[derive(Debug)]
pub(super) struct Observed<'a> {
    pub(super) lists: &'a Lists,
    pub(super) names: &'a Names,
    pub(super) transactions: &'a Transactions,
    /// Whether each transaction is known to have happened.
    happened: Vec<bool>,
    /// For each key that has any, the transactions that happened and whose append to it no read shows: their place is
    /// after the longest read, their order unknown.
    unobserved: BTreeMap<u32, Vec<u32>>,
    /// Who appended which element, for the keys of strays.
    writers: FxHashMap<(u32, u32), u32>,
    /// For each transaction that has strays, who appended what it read last there.
    sources: FxHashMap<u32, Vec<u32>>,
}

impl<'a> Observed<'a> {
    pub(super) fn new(lists: &'a Lists, names: &'a Names, transactions: &'a Transactions) -> Observed<'a> {
        let mut happened = Vec::with_capacity(transactions.len());
        let mut unobserved: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for number in transactions.numbers() {
            let shown = || lists.appends_of(number).any(|append| append.place.is_some());
            let happens = match transactions.outcome(number) {
                Kind::Ok => true,
                Kind::Info => shown(),
                Kind::Invoke | Kind::Fail => false,
            };
            happened.push(happens);
            if happens {
                for append in lists.appends_of(number).filter(|append| append.place.is_none()) {
                    let list = unobserved.entry(append.key).or_default();
                    if list.last() != Some(&number) {
                        list.push(number);
                    }
                }
            }
        }
        let (writers, sources) = (FxHashMap::default(), FxHashMap::default());
        let mut observed = Observed { lists, names, transactions, happened, unobserved, writers, sources };
        if !lists.strays.is_empty() {
            let mut keys: Vec<u32> = lists.strays.iter().map(|stray| stray.key).collect();
            keys.sort_unstable();
            for number in transactions.numbers() {
                let of_stray = lists.appends_of(number).filter(|one| keys.binary_search(&one.key).is_ok());
                observed.writers.extend(of_stray.map(|append| ((append.key, append.element), number)));
            }
        }
        for stray in &lists.strays {
            if let Some(source) = observed.source(stray) {
                observed.sources.entry(stray.transaction).or_default().push(source);
            }
        }
        observed
    }

    /// Whether a transaction is known to have happened.
    pub(super) fn happened(&self, transaction: u32) -> bool {
        self.happened[transaction as usize]
    }

    /// Whether there is a key of which the order of two transactions' appends is unknown.
    pub(super) fn order_is_open(&self) -> bool {
        self.unobserved.values().any(|list| list.len() > 1)
    }

    /// The writer of the element at a place, when it is one that happened.
    pub(super) fn writer_at(&self, key: u32, place: u32) -> Option<u32> {
        let writer = self.lists.chains[key as usize].versions[place as usize].writer;
        (writer != NOBODY && self.happened[writer as usize]).then_some(writer)
    }

    /// The last writer that happened before a place, and the place of its append.
    pub(super) fn writer_before(&self, key: u32, place: u32) -> Option<(u32, u32)> {
        (0..place).rev().find_map(|place| Some((self.writer_at(key, place)?, place)))
    }

    /// The first writer that happened from a place on, and the place of its append.
    pub(super) fn writer_from(&self, key: u32, place: u32) -> Option<(u32, u32)> {
        let length = self.length(key);
        (place..length).find_map(|place| Some((self.writer_at(key, place)?, place)))
    }

    /// The transactions that happened and whose append to the key no read shows.
    pub(super) fn unobserved(&self, key: u32) -> &[u32] {
        self.unobserved.get(&key).map_or(&[], Vec::as_slice)
    }

    /// How long the order of a key is known.
    pub(super) fn length(&self, key: u32) -> u32 {
        self.lists.chains[key as usize].versions.len() as u32
    }

    /// Who appended an element to the key of a stray.
    pub(super) fn writer_in(&self, stray: &Stray, element: u32) -> Option<u32> {
        self.writers.get(&(stray.key, element)).copied()
    }

    /// From whom a transaction read what does not agree with the order of its key.
    pub(super) fn sources(&self, transaction: u32) -> &[u32] {
        self.sources.get(&transaction).map_or(&[], Vec::as_slice)
    }

    /// Who appended the last element of a stray that others wrote, when it is one that happened.
    fn source(&self, stray: &Stray) -> Option<u32> {
        let last = stray.list[..stray.length as usize].last()?;
        self.writer_in(stray, *last).filter(|writer| self.happened(*writer))
    }
}
