//! Operations that may take effect or not, kept off the main list of a search.

use rustc_hash::FxHashMap;

use super::partition::Known;
use super::problem::Item;

/// Optional operations that do the same thing.
///
/// None of them ever has to happen, so they can stand for each other: they are used in the order of their
/// calls, which is no restriction and removes the symmetry between them.
#[derive(Clone, Debug)]
pub(crate) struct Class {
    pub(crate) effect: Known,
    /// The claims, in the order of their calls, with the calls.
    members: Vec<(u32, u32)>,
    used: u32,
}

impl Class {
    /// The claim that is used next, if it was called before the rank `bound`.
    pub(crate) fn next(&self, bound: u32) -> Option<u32> {
        self.members.get(self.used as usize).filter(|(_, call)| *call < bound).map(|(claim, _)| *claim)
    }
}

/// All optional operations of a search.
#[derive(Clone, Debug)]
pub(crate) struct Optionals {
    classes: Vec<Class>,
    /// The classes that lead to a state.
    by_result: FxHashMap<u32, Vec<u32>>,
    /// The classes that lead to a known state.
    resets: Vec<u32>,
}

impl Optionals {
    /// Groups the optional items, which come in the order of their calls; `same` numbers equal actions.
    pub(crate) fn new(items: &[Item], effect: impl Fn(u32) -> Known, same: impl Fn(u32) -> u32) -> Optionals {
        let mut optionals =
            Optionals { classes: Vec::new(), by_result: FxHashMap::default(), resets: Vec::new() };
        let mut places: FxHashMap<(Known, u32), u32> = FxHashMap::default();
        for item in items {
            let known = effect(item.claim);
            let same = if known == Known::Any { same(item.claim) } else { 0 };
            let place = *places.entry((known, same)).or_insert_with(|| {
                let place = optionals.classes.len() as u32;
                optionals.classes.push(Class { effect: known, members: Vec::new(), used: 0 });
                if let Some(state) = known.gives() {
                    optionals.by_result.entry(state).or_default().push(place);
                    optionals.resets.push(place);
                }
                place
            });
            optionals.classes[place as usize].members.push((item.claim, item.call));
        }
        optionals
    }

    pub(crate) fn len(&self) -> usize {
        self.classes.len()
    }

    pub(crate) fn class(&self, place: u32) -> &Class {
        &self.classes[place as usize]
    }

    pub(crate) fn leading_to(&self, state: u32) -> &[u32] {
        self.by_result.get(&state).map_or(&[], Vec::as_slice)
    }

    /// The states to which unused operations called before the rank `bound` lead.
    pub(crate) fn resets(&self, bound: u32) -> impl Iterator<Item = u32> {
        self.resets
            .iter()
            .map(|place| self.class(*place))
            .filter(move |class| class.next(bound).is_some())
            .filter_map(|class| class.effect.gives())
    }

    pub(crate) fn take(&mut self, place: u32) {
        self.classes[place as usize].used += 1;
    }

    pub(crate) fn put_back(&mut self, place: u32) {
        self.classes[place as usize].used -= 1;
    }
}
