//! What was seen of an object that values enter and leave: a queue, a stack, a priority queue.

use rustc_hash::FxHashMap;

use super::super::partition::NEVER;
use super::Clash;
use super::register::NONE;
use super::view::View;
use crate::Passage;

/// The operations of one key, by the values that they name.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// For each value the claims by which it entered and left.
    pub(super) values: Vec<(u32, u32)>,
    /// Two claims by which the same value left.
    twice: Option<(u32, u32)>,
    /// The claims that nothing was there.
    pub(super) empty: Vec<u32>,
    /// The removals without answer.
    pub(super) unanswered: Vec<u32>,
}

/// The values of one key, numbered from 0: the model's numbers cover all keys.
enum Numbers {
    Table(Vec<u32>),
    Map(FxHashMap<u32, u32>),
}

impl Numbers {
    fn place(&mut self, number: u32, seen: &mut Seen) -> usize {
        let place = match self {
            Numbers::Table(table) => &mut table[number as usize],
            Numbers::Map(map) => map.entry(number).or_insert(NONE),
        };
        if *place == NONE {
            *place = seen.values.len() as u32;
            seen.values.push((NONE, NONE));
        }
        *place as usize
    }
}

impl Seen {
    /// About how much memory it takes.
    pub(super) fn bytes(view: &View<'_>) -> usize {
        view.claims.len() * 24
    }

    /// Sorts the claims by value. The error says why no monitor can judge them.
    pub(super) fn look(view: &View<'_>) -> Result<Seen, &'static str> {
        let passages = || view.passages();
        let number = |passage| match passage {
            Passage::Enters(value) | Passage::Leaves(value) => value.number(),
            _ => 0,
        };
        let most = passages().map(number).max().unwrap_or(0) as usize;
        let mut numbers = if most < view.claims.len() * 4 + 64 {
            Numbers::Table(vec![NONE; most + 1])
        } else {
            Numbers::Map(FxHashMap::default())
        };
        let mut seen = Seen::default();
        for (passage, claim) in passages().zip(0..) {
            match passage {
                Passage::Enters(value) => {
                    let place = numbers.place(value.number(), &mut seen);
                    if std::mem::replace(&mut seen.values[place].0, claim) != NONE {
                        return Err("a value went in twice");
                    }
                }
                Passage::Leaves(value) => {
                    let place = numbers.place(value.number(), &mut seen);
                    let first = seen.values[place].1;
                    if first == NONE {
                        seen.values[place].1 = claim;
                    } else if seen.twice.is_none() {
                        seen.twice = Some((first, claim));
                    }
                }
                Passage::AnyLeaves => seen.unanswered.push(claim),
                Passage::FindsEmpty => seen.empty.push(claim),
                Passage::Flips(..)
                | Passage::Turns(..)
                | Passage::Shows(..)
                | Passage::Grows(_)
                | Passage::Whole(_)
                | Passage::Impossible
                | Passage::Unclear => return Err("an operation neither puts a value in nor takes one out"),
            }
        }
        Ok(seen)
    }

    /// What no such object does, whatever its order: give out a value that never came, or twice, or before it began
    /// to come.
    pub(super) fn check(&self, view: &View<'_>) -> Result<(), Clash> {
        if let Some((one, two)) = self.twice {
            return Err(Clash::of([one, two]));
        }
        for (enters, leaves) in &self.values {
            if *leaves == NONE {
                continue;
            }
            if *enters == NONE {
                return Err(Clash::of([*leaves]));
            }
            if view.claims[*leaves as usize].ret < view.claims[*enters as usize].call {
                return Err(Clash::of([*enters, *leaves]));
            }
        }
        Ok(())
    }

    /// The values that were in for certain at some time, or came out: all but those that may never have entered.
    pub(super) fn taking_part(&self, view: &View<'_>) -> impl Iterator<Item = (u32, u32)> {
        let optional = |enters: u32| view.claims[enters as usize].ret == NEVER;
        self.values.iter().copied().filter(move |(enters, leaves)| *leaves != NONE || !optional(*enters))
    }

    /// The claims outside the sorted pool about the same values, and the removals without answer.
    pub(super) fn counterparts(&self, pool: &[u32]) -> Vec<u32> {
        let inside = |claim: &u32| pool.binary_search(claim).is_ok();
        let touched = self.values.iter().filter(|(one, two)| inside(one) || inside(two));
        let others = touched.flat_map(|(one, two)| [*one, *two]).chain(self.unanswered.iter().copied());
        others.filter(|claim| *claim != NONE && !inside(claim)).collect()
    }
}
