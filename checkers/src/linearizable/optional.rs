//! Operations that may take effect or not, kept off the main list of a search.

use super::partition::Known;
use super::problem::Item;
use super::states::Marks;

/// Optional operations that do the same thing.
///
/// None of them ever has to happen, so they can stand for each other: they are used in the order of their
/// calls, which is no restriction and removes the symmetry between them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Class {
    pub(crate) effect: Known,
    /// Where its members begin that have not been used, and where they end.
    unused: u32,
    end: u32,
}

/// All optional operations of a search.
#[derive(Clone, Debug, Default)]
pub(crate) struct Optionals {
    /// In the order of the states to which they lead; those of which that is not known come first.
    classes: Vec<Class>,
    /// The members of the classes, class after class, each in the order of their calls.
    members: Vec<Member>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Member {
    /// The state to which it leads, or 0, counted from 1; and what else makes its class.
    result: u32,
    same: u32,
    call: u32,
    claim: u32,
}

impl Optionals {
    /// Takes optional items instead of those that there were; `same` numbers equal actions where the effect does not tell
    /// them apart. None of them only observes.
    pub(crate) fn fill(&mut self, items: &[Item], effect: impl Fn(u32) -> Known, same: impl Fn(u32) -> u32) {
        self.classes.clear();
        self.members.clear();
        self.members.extend(items.iter().map(|item| {
            let known = effect(item.claim);
            let from = known.needs().map_or(0, |state| state + 1);
            let same = if known == Known::Any { same(item.claim) } else { from };
            let result = known.gives().map_or(0, |state| state + 1);
            Member { result, same, call: item.call, claim: item.claim }
        }));
        self.members.sort_unstable();
    }

    /// Drops those whose result nothing needs, neither an operation that must be placed nor an optional one that is
    /// itself kept. What the former need are the `wanted` states, which are marked.
    pub(crate) fn drop_useless(
        &mut self,
        wanted: &mut Vec<u32>,
        marks: &mut Marks,
        effect: impl Fn(u32) -> Known,
    ) {
        while let Some(state) = wanted.pop() {
            let behind = self.members.partition_point(|member| member.result <= state);
            let leading = self.members[behind..].iter().take_while(|member| member.result == state + 1);
            let needs = leading.filter_map(|member| effect(member.claim).needs());
            wanted.extend(needs.filter(|need| marks.insert(*need)));
        }
        self.members.retain(|member| member.result > 0 && marks.contain(member.result - 1));
    }

    /// Makes classes of what was taken and not dropped.
    pub(crate) fn group(&mut self, effect: impl Fn(u32) -> Known) {
        let mut before = None;
        for (member, place) in self.members.iter().zip(0..) {
            if before.replace((member.result, member.same)) != Some((member.result, member.same)) {
                self.classes.push(Class { effect: effect(member.claim), unused: place, end: place });
            }
            if let Some(class) = self.classes.last_mut() {
                class.end += 1;
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.classes.len()
    }

    /// The effect of each operation.
    pub(crate) fn effects(&self) -> impl Iterator<Item = Known> {
        let all = |class: &Class| std::iter::repeat_n(class.effect, (class.end - class.unused) as usize);
        self.classes.iter().flat_map(all)
    }

    pub(crate) fn effect(&self, place: u32) -> Known {
        self.classes[place as usize].effect
    }

    /// The claim of a class that is used next, if it was called before the rank `bound`.
    pub(crate) fn next(&self, place: u32, bound: u32) -> Option<u32> {
        let Class { unused, end, .. } = self.classes[place as usize];
        let member = (unused < end).then(|| self.members[unused as usize])?;
        (member.call < bound).then_some(member.claim)
    }

    /// The classes that lead to a state.
    pub(crate) fn leading_to(&self, state: u32) -> impl Iterator<Item = u32> + use<> {
        let first = self.classes.partition_point(|class| class.effect.gives() < Some(state));
        let leads = |class: &&Class| class.effect.gives() == Some(state);
        let count = self.classes[first..].iter().take_while(leads).count();
        first as u32..(first + count) as u32
    }

    /// The states to which unused operations called before the rank `bound` lead.
    pub(crate) fn resets(&self, bound: u32) -> impl Iterator<Item = u32> {
        let places = (0..self.classes.len() as u32)
            .rev()
            .map_while(|place| Some((place, self.effect(place).gives()?)));
        places.filter(move |(place, _)| self.next(*place, bound).is_some()).map(|(_, state)| state)
    }

    pub(crate) fn take(&mut self, place: u32) {
        self.classes[place as usize].unused += 1;
    }

    pub(crate) fn put_back(&mut self, place: u32) {
        self.classes[place as usize].unused -= 1;
    }
}
