//! What the operations on one key claim.

use std::collections::BTreeMap;

use rashomon_core::{History, Kind};

use super::states::States;
use crate::{Effect, Model};

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
pub(crate) struct Partition<'h, M: Model> {
    pub(crate) key: Option<&'h str>,
    pub(crate) claims: Vec<Claim>,
    /// `actions[i]` is what `claims[i]` says.
    pub(crate) actions: Vec<M::Action>,
    pub(crate) states: States<M::State>,
    pub(crate) initial: u32,
    /// How many operations were left out since they constrain nothing.
    pub(crate) dropped: usize,
}

impl<M: Model> Partition<'_, M> {
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

/// Sorts the operations of a history by key, leaving out what constrains nothing.
///
/// The error says which operation the model does not know.
pub(crate) fn partitions<'h, M: Model>(
    model: &mut M,
    history: &'h History,
) -> Result<Vec<Partition<'h, M>>, String> {
    let mut partitions: Vec<Partition<'h, M>> = Vec::new();
    let mut places: BTreeMap<Option<&str>, usize> = BTreeMap::new();
    let mut last: Option<usize> = None;
    for pair in history.pairs() {
        let key = pair.invoke.key.as_deref();
        let same = last.filter(|place| partitions[*place].key == key);
        let place = same.unwrap_or_else(|| {
            *places.entry(key).or_insert_with(|| {
                let mut states = States::new();
                let initial = states.intern(model, model.initial());
                partitions.push(Partition {
                    key,
                    claims: Vec::new(),
                    actions: Vec::new(),
                    states,
                    initial,
                    dropped: 0,
                });
                partitions.len() - 1
            })
        });
        last = Some(place);
        let partition = &mut partitions[place];
        let ret = match pair.outcome() {
            Kind::Ok => pair.completion.map_or(NEVER, |op| op.index as u32),
            Kind::Info | Kind::Invoke => NEVER,
            Kind::Fail => {
                partition.dropped += 1;
                continue;
            }
        };
        let Some(action) =
            model.action(&pair).map_err(|reason| format!("op {}: {reason}", pair.invoke.index))?
        else {
            partition.dropped += 1;
            continue;
        };
        let mut number = |state| partition.states.intern(model, state);
        let effect = match model.effect(&action) {
            Effect::Observe(state) => Known::Observe(number(state)),
            Effect::Set(state) => Known::Set(number(state)),
            Effect::Swap(from, to) => match (number(from), number(to)) {
                (from, to) if from == to => Known::Observe(from),
                (from, to) => Known::Swap(from, to),
            },
            Effect::Pure => Known::Pure,
            Effect::Any => Known::Any,
        };
        if ret == NEVER && effect.is_pure() {
            partition.dropped += 1;
            continue;
        }
        partition.claims.push(Claim { call: pair.invoke.index as u32, ret, effect });
        partition.actions.push(action);
    }
    Ok(partitions)
}
