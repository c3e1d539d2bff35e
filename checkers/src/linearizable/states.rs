//! The states met by a search, numbered.

use std::hash::Hash;

use rustc_hash::FxHashMap;

/// The distinct states of one key: a search compares and stores their numbers only.
///
/// Equal states have the same number, exactly: no verdict rests on the hash of a state.
#[derive(Clone, Debug)]
pub(crate) struct States<S> {
    list: Vec<S>,
    numbers: FxHashMap<S, u32>,
    bytes: usize,
}

impl<S: Clone + Eq + Hash> States<S> {
    pub(crate) fn new() -> States<S> {
        States { list: Vec::new(), numbers: FxHashMap::default(), bytes: 0 }
    }

    /// The number of a state, which takes about `bytes` of memory if it is a new one.
    pub(crate) fn intern(&mut self, state: S, bytes: impl FnOnce(&S) -> usize) -> u32 {
        if let Some(number) = self.numbers.get(&state) {
            return *number;
        }
        let number = self.list.len() as u32;
        self.bytes += bytes(&state) + 3 * size_of::<S>();
        self.list.push(state.clone());
        self.numbers.insert(state, number);
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
