//! Draws without repeats.

use rand::seq::SliceRandom;
use rashomon_core::Rng;

/// A shuffled bag: everything in it is drawn once before anything is drawn again.
#[derive(Debug)]
pub(super) struct Bag<T> {
    all: Vec<T>,
    left: Vec<T>,
}

impl<T: Clone> Bag<T> {
    pub(super) fn new(all: Vec<T>) -> Bag<T> {
        Bag { all, left: Vec::new() }
    }

    /// One more; `None` when the bag never held anything.
    pub(super) fn draw(&mut self, rng: &mut Rng) -> Option<T> {
        if self.left.is_empty() {
            self.left.clone_from(&self.all);
            self.left.shuffle(rng);
        }
        self.left.pop()
    }
}
