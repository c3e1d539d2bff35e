//! What the operations on one key claim.

use super::states::States;
use crate::Model;

/// The rank of the return of an operation that never returned.
pub(crate) const NEVER: u32 = u32::MAX;

/// One operation that constrains the order, or that may explain others.
///
/// Ranks are the indices of events in the history, so they are distinct and the order of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    /// The rank of its invocation, which also names it.
    pub(crate) call: u32,
    /// The rank of its return; [`NEVER`] for one that may take effect at any time or not at all.
    pub(crate) ret: u32,
    pub(crate) effect: Known,
}

/// [`Effect`] with numbered states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Known {
    Observe(u32),
    Set(u32),
    Swap(u32, u32),
    Pure,
    Any,
}

impl Known {
    /// The one state in which the action is possible, when that is known.
    pub(crate) fn needs(self) -> Option<u32> {
        match self {
            Known::Observe(state) | Known::Swap(state, _) => Some(state),
            Known::Set(_) | Known::Pure | Known::Any => None,
        }
    }

    /// The one state to which the action can lead, when it changes the state and that is known.
    pub(crate) fn gives(self) -> Option<u32> {
        match self {
            Known::Set(state) | Known::Swap(_, state) => Some(state),
            Known::Observe(_) | Known::Pure | Known::Any => None,
        }
    }

    /// Whether the action never changes the state.
    pub(crate) fn is_pure(self) -> bool {
        matches!(self, Known::Observe(_) | Known::Pure)
    }
}

/// The claims about one key, in the order of their calls.
#[derive(Debug)]
pub(crate) struct Partition<M: Model> {
    pub(crate) key: Option<String>,
    pub(crate) claims: Vec<Claim>,
    /// `actions[i]` is what `claims[i]` says.
    pub(crate) actions: Vec<M::Action>,
    pub(crate) states: States<M::State>,
    pub(crate) initial: u32,
    /// How many operations were left out since they constrain nothing.
    pub(crate) dropped: usize,
}

impl<M: Model> Partition<M> {
    /// The number of the state after the claim, when it is possible in `state`.
    #[inline]
    pub(crate) fn step(&mut self, model: &M, state: u32, claim: usize) -> Option<u32> {
        match self.claims[claim].effect {
            Known::Observe(only) => (only == state).then_some(state),
            Known::Set(next) => Some(next),
            Known::Swap(from, to) => (from == state).then_some(to),
            Known::Pure => model.step(self.states.get(state), &self.actions[claim]).map(|_| state),
            Known::Any => {
                let next = model.step(self.states.get(state), &self.actions[claim])?;
                Some(self.states.intern(model, next))
            }
        }
    }
}
