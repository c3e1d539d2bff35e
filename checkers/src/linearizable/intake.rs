//! Operations sorted by key as they come.

use rashomon_core::history::Pair;
use rashomon_core::{Kind, Op};
use rustc_hash::FxHashMap;

use super::partition::{Claim, Known, NEVER, Partition};
use super::states::States;
use crate::{Effect, Model};

/// Makes claims of operations, leaving out what constrains nothing, and sorts them by key.
///
/// An operation is announced when it begins, which gives it its place, and told when it has ended; those that never
/// end are told last.
#[derive(Debug)]
pub(crate) struct Intake<M: Model> {
    model: M,
    lots: Vec<Lot<M>>,
    places: FxHashMap<Option<String>, usize>,
    /// Where the last operation went: most often the next one goes there too.
    last: usize,
    /// How many operations there may be.
    expected: usize,
    /// The first operation that the model does not know, and the reason.
    unfit: Option<(u32, String)>,
}

/// What is known of a key so far.
#[derive(Debug)]
struct Lot<M: Model> {
    key: Option<String>,
    /// One for each operation announced, in the order of their calls.
    claims: Vec<Claim>,
    /// `None` until the operation is told, and afterwards if it constrains nothing.
    actions: Vec<Option<M::Action>>,
    states: States<M::State>,
    initial: u32,
}

/// The place of an operation that was announced.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seat {
    lot: usize,
    claim: usize,
}

impl<M: Model> Intake<M> {
    pub(crate) fn new(model: M) -> Intake<M> {
        Intake { model, lots: Vec::new(), places: FxHashMap::default(), last: 0, expected: 0, unfit: None }
    }

    /// Takes an operation that begins.
    pub(crate) fn announce(&mut self, invoke: &Op) -> Seat {
        let same = self.lots.get(self.last).is_some_and(|lot| lot.key == invoke.key);
        if !same {
            self.last = match self.places.get(&invoke.key) {
                Some(place) => *place,
                None => self.open(invoke.key.clone()),
            };
        }
        let lot = &mut self.lots[self.last];
        lot.claims.push(Claim { call: invoke.index as u32, ret: NEVER, effect: Known::Any });
        lot.actions.push(None);
        Seat { lot: self.last, claim: lot.claims.len() - 1 }
    }

    fn open(&mut self, key: Option<String>) -> usize {
        let expected = std::mem::take(&mut self.expected);
        let mut states = States::new();
        states.expect(expected);
        let initial = states.intern(&self.model, self.model.initial());
        let place = self.lots.len();
        self.places.insert(key.clone(), place);
        let (mut claims, mut actions) = (Vec::new(), Vec::new());
        // Without that room it goes on all the same.
        let _ = claims.try_reserve_exact(expected).and_then(|()| actions.try_reserve_exact(expected));
        self.lots.push(Lot { key, claims, actions, states, initial });
        place
    }

    /// Takes the end of the operation with that seat.
    pub(crate) fn tell(&mut self, seat: Seat, pair: &Pair<'_>) {
        let Lot { claims, actions, states, .. } = &mut self.lots[seat.lot];
        let claim = &mut claims[seat.claim];
        claim.ret = match pair.outcome() {
            Kind::Ok => pair.completion.map_or(NEVER, |op| op.index as u32),
            Kind::Info | Kind::Invoke => NEVER,
            Kind::Fail => return,
        };
        let action = match self.model.action(pair) {
            Ok(Some(action)) => action,
            Ok(None) => return,
            Err(reason) => {
                if self.unfit.as_ref().is_none_or(|(call, _)| claim.call < *call) {
                    self.unfit = Some((claim.call, reason));
                }
                return;
            }
        };
        let mut number = |state| states.intern(&self.model, state);
        claim.effect = match self.model.effect(&action) {
            Effect::Observe(state) => Known::Observe(number(state)),
            Effect::Set(state) => Known::Set(number(state)),
            Effect::Swap(from, to) => match (number(from), number(to)) {
                (from, to) if from == to => Known::Observe(from),
                (from, to) => Known::Swap(from, to),
            },
            Effect::Pure => Known::Pure,
            Effect::Any => Known::Any,
        };
        if claim.ret != NEVER || !claim.effect.is_pure() {
            actions[seat.claim] = Some(action);
        }
    }

    /// What an operation takes, in bytes.
    pub(crate) const EACH: usize = size_of::<Claim>() + size_of::<Option<M::Action>>();

    /// Makes room for so many operations of the first key, which most often is the only one. Memory that is not used
    /// in the end was never there: the system gives it when it is first written to.
    pub(crate) fn expect(&mut self, operations: usize) {
        self.expected = operations;
        self.model.expect(operations);
    }

    /// About how much memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.lots.iter().map(|lot| lot.claims.len() * Self::EACH + lot.states.bytes()).sum()
    }

    /// The keys in the order in which they were met, and the model, which knows their values.
    ///
    /// The error says which operation the model does not know.
    pub(crate) fn sorted(self) -> Result<(M, Vec<Partition<M>>), String> {
        if let Some((call, reason)) = self.unfit {
            return Err(format!("op {call}: {reason}"));
        }
        Ok((self.model, self.lots.into_iter().map(Lot::close).collect()))
    }
}

impl<M: Model> Lot<M> {
    fn close(self) -> Partition<M> {
        let Lot { key, mut claims, actions, states, initial } = self;
        let announced = claims.len();
        let mut told = actions.iter().map(Option::is_some);
        claims.retain(|_| told.next().unwrap_or(false));
        let actions: Vec<M::Action> = actions.into_iter().flatten().collect();
        Partition { key, dropped: announced - claims.len(), claims, actions, states, initial }
    }
}
