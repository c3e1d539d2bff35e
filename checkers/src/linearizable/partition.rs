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
    /// The same key with no more than these claims, at these places in order, and the states that they name.
    pub(crate) fn excerpt(&self, model: &M, places: &[usize]) -> Partition<M> {
        let mut states = States::new();
        let mut number = |state: u32| states.intern(model, self.states.get(state).clone());
        let initial = number(self.initial);
        let claims = places.iter().map(|place| {
            let claim = self.claims[*place];
            let effect = match claim.effect {
                Known::Observe(state) => Known::Observe(number(state)),
                Known::Set(state) => Known::Set(number(state)),
                Known::Swap(from, to) => Known::Swap(number(from), number(to)),
                Known::Pure => Known::Pure,
                Known::Any => Known::Any,
            };
            Claim { effect, ..claim }
        });
        let claims = claims.collect();
        let actions = places.iter().map(|place| self.actions[*place].clone()).collect();
        Partition { key: self.key.clone(), claims, actions, states, initial, dropped: self.dropped }
    }

    /// The claims that could matter, in order, when all but some of these are set aside: these, and the updates that may
    /// help to explain them.
    pub(crate) fn around(&self, core: &[usize]) -> Vec<usize> {
        let effect = |place: usize| self.claims[place].effect;
        let sorted = |mut places: Vec<usize>| {
            places.sort_unstable();
            places.dedup();
            places
        };
        let known = self.claims.iter().all(|claim| claim.effect != Known::Any);
        if !known || core.iter().any(|place| effect(*place) == Known::Pure) {
            let updates = (0..self.claims.len()).filter(|place| !effect(*place).is_pure());
            return sorted(updates.chain(core.iter().copied()).collect());
        }
        // Only what leads to a state that is needed can help, directly or through others.
        let mut latest = vec![NEVER; self.states.len()];
        let mut before = vec![NEVER; self.claims.len()];
        for (claim, place) in self.claims.iter().zip(0..) {
            if let Some(state) = claim.effect.gives() {
                before[place as usize] = std::mem::replace(&mut latest[state as usize], place);
            }
        }
        let mut field = core.to_vec();
        let mut next = 0;
        while let Some(place) = field.get(next).copied() {
            next += 1;
            let Some(state) = effect(place).needs() else { continue };
            let mut giver = std::mem::replace(&mut latest[state as usize], NEVER);
            while giver != NEVER {
                field.push(giver as usize);
                giver = before[giver as usize];
            }
        }
        sorted(field)
    }
}
