//! The states met by a search, numbered.

use std::hash::Hash;

use rustc_hash::FxHashMap;

use crate::Model;

/// No number yet.
const NEW: u32 = u32::MAX;

/// The entries of the table that a state may cost, and those that it has in any case: the states of one key may be
/// few among those that the model numbers.
const TABLE_EACH: usize = 4;
const TABLE_LEAST: usize = 64;

/// The distinct states of one key: a search compares and stores their numbers only.
///
/// Equal states have the same number, exactly: no verdict rests on the hash of a state.
#[derive(Clone, Debug)]
pub(crate) struct States<S> {
    list: Vec<S>,
    numbers: FxHashMap<S, u32>,
    /// The numbers here by the numbers that the model gives, where it does, and so far as that wastes little.
    table: Vec<u32>,
    bytes: usize,
}

impl<S: Clone + Eq + Hash> States<S> {
    pub(crate) fn new() -> States<S> {
        States { list: Vec::new(), numbers: FxHashMap::default(), table: Vec::new(), bytes: 0 }
    }

    /// Makes room for so many states.
    pub(crate) fn expect(&mut self, states: usize) {
        // Without that room it goes on all the same.
        let _ = self.list.try_reserve_exact(states).and_then(|()| self.table.try_reserve_exact(states));
    }

    /// The number of a state.
    pub(crate) fn intern<M: Model<State = S>>(&mut self, model: &M, state: S) -> u32 {
        let place = model.number(&state).map(|number| number as usize);
        if let Some(number) = place.and_then(|place| self.table.get(place)).filter(|number| **number != NEW) {
            return *number;
        }
        if !self.numbers.is_empty()
            && let Some(number) = self.numbers.get(&state)
        {
            return *number;
        }
        let number = self.list.len() as u32;
        self.bytes += model.bytes(&state);
        self.list.push(state.clone());
        if let Some(place) = place.filter(|place| *place < self.list.len() * TABLE_EACH + TABLE_LEAST) {
            if place >= self.table.len() {
                self.bytes += (place + 1 - self.table.len()) * size_of::<u32>();
                self.table.resize(place + 1, NEW);
            }
            self.table[place] = number;
        } else {
            self.bytes += 2 * size_of::<S>();
            self.numbers.insert(state, number);
        }
        number
    }

    pub(crate) fn get(&self, number: u32) -> &S {
        &self.list[number as usize]
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// About how much memory the states take.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Some of the states.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marks {
    /// When each was marked last.
    stamps: Vec<u32>,
    now: u32,
}

impl Marks {
    /// Takes all marks away.
    pub(crate) fn clear(&mut self) {
        self.now = self.now.wrapping_add(1);
        if self.now == 0 {
            self.stamps.fill(0);
            self.now = 1;
        }
    }

    /// Marks a state; false when it is marked already. Only after a first `clear`.
    pub(crate) fn insert(&mut self, state: u32) -> bool {
        let place = state as usize;
        if place >= self.stamps.len() {
            self.stamps.resize(place + 1, 0);
        }
        std::mem::replace(&mut self.stamps[place], self.now) != self.now
    }

    pub(crate) fn contain(&self, state: u32) -> bool {
        self.stamps.get(state as usize) == Some(&self.now)
    }

    /// About how much memory they take.
    pub(crate) fn bytes(&self) -> usize {
        self.stamps.len() * size_of::<u32>()
    }
}
