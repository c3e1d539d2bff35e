//! What a monitor sees of a key.

use super::super::partition::{Claim, Partition};
use crate::models::Datum;
use crate::{Model, Passage, Shape};

/// The claims about one key, without the types of the model: so the monitors need not be compiled for each model.
#[derive(Clone, Copy)]
pub(crate) struct View<'v> {
    /// In the order of their calls.
    pub(super) claims: &'v [Claim],
    /// How many states the effects of the claims name.
    pub(super) states: usize,
    /// The number of the first one.
    pub(super) initial: u32,
    pub(super) shape: Shape,
    passages: &'v dyn Passages,
}

impl<'v> View<'v> {
    /// The view of a key through its model.
    pub(super) fn of<M: Model>(key: &'v Key<'v, M>) -> View<'v> {
        let Key { model, partition } = key;
        View {
            claims: &partition.claims,
            states: partition.states.len(),
            initial: partition.initial,
            shape: model.shape(),
            passages: key,
        }
    }

    /// What the claim does to the object.
    pub(super) fn passage(&self, claim: u32) -> Passage<'v> {
        self.passages.passage(claim as usize)
    }

    /// What all claims do, in their order.
    pub(super) fn passages(self) -> impl Iterator<Item = Passage<'v>> {
        (0..self.claims.len()).map(move |claim| self.passages.passage(claim))
    }

    /// How soon the value comes out of a priority queue.
    pub(super) fn priority(&self, value: Datum) -> i64 {
        self.passages.priority(value)
    }
}

/// A key and its model.
pub(super) struct Key<'v, M: Model> {
    pub(super) model: &'v M,
    pub(super) partition: &'v Partition<M>,
}

/// What only the model knows of its actions.
trait Passages {
    fn passage(&self, claim: usize) -> Passage<'_>;

    fn priority(&self, value: Datum) -> i64;
}

impl<M: Model> Passages for Key<'_, M> {
    fn passage(&self, claim: usize) -> Passage<'_> {
        self.model.passage(&self.partition.actions[claim])
    }

    fn priority(&self, value: Datum) -> i64 {
        self.model.priority(value)
    }
}
