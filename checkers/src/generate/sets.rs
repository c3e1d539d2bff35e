//! Sets: those that grow and are read as a whole, and one that tells of each element whether it is there.

use std::collections::{BTreeSet, VecDeque};

use rashomon_core::{Op, Value};

use super::registers::GARBAGE;
use super::stream::{Answer, Asked, Lie, Object};
use super::{Draws, Plant};

/// After so many adds a set retires and a fresh one takes its place.
const ADDS: usize = 32;

/// Sets under keys, one in use at a time.
pub(super) struct Sets {
    /// The sets that an operation may still be on its way to; the last one is in use.
    kept: VecDeque<Vec<u64>>,
    /// How many sets have been forgotten.
    forgotten: usize,
    /// How many sets a slow client may be behind.
    room: usize,
    asked: usize,
    added: u64,
}

impl Sets {
    pub(super) fn new(clients: u64) -> Sets {
        Sets {
            kept: VecDeque::from([Vec::new()]),
            forgotten: 0,
            room: 4 + clients as usize,
            asked: 0,
            added: 0,
        }
    }

    fn of(&mut self, op: &Op) -> Option<&mut Vec<u64>> {
        let number: usize = op.key.as_deref()?.parse().ok()?;
        self.kept.get_mut(number.checked_sub(self.forgotten)?)
    }
}

impl Object for Sets {
    fn next(&mut self, draws: &mut Draws) -> Asked {
        if self.asked == ADDS {
            self.asked = 0;
            self.kept.push_back(Vec::new());
            if self.kept.len() > self.room {
                self.kept.pop_front();
                self.forgotten += 1;
            }
        }
        let key = Some((self.forgotten + self.kept.len() - 1).to_string());
        if draws.below(2) == 0 {
            return Asked { f: "read", value: Value::Null, key };
        }
        self.asked += 1;
        self.added += 1;
        Asked { f: "add", value: self.added.into(), key }
    }

    fn apply(&mut self, op: &Op) -> Answer {
        // A client that was asleep while so many sets came and went is refused.
        let Some(set) = self.of(op) else { return Answer::fail(op.value.clone()) };
        match op.value.as_u64() {
            Some(element) => {
                set.push(element);
                Answer::ok(element)
            }
            None => Answer::ok(set.clone()),
        }
    }

    fn lie(&mut self, plant: Plant, op: &Op) -> Option<Lie> {
        let set = self.of(op)?;
        let answer = match (plant, op.value.as_u64()) {
            // Many reads are still to come.
            (Plant::Lost, Some(element)) if set.len() < ADDS / 2 => Answer::ok(element),
            (Plant::Garbage, None) => {
                let mut shown: Vec<Value> = set.iter().copied().map(Value::from).collect();
                shown.push(GARBAGE.into());
                Answer::ok(shown)
            }
            (Plant::Duplicate, None) if !set.is_empty() => {
                let mut shown = set.clone();
                shown.push(set[0]);
                Answer::ok(shown)
            }
            _ => return None,
        };
        Some(Lie::Told(answer))
    }
}

/// Adds, removes and questions in equal shares, which answer whether the element was there or not.
pub(super) struct ElementSet {
    there: BTreeSet<u64>,
    elements: u64,
}

impl ElementSet {
    pub(super) fn new(elements: u64) -> ElementSet {
        ElementSet { there: BTreeSet::new(), elements }
    }
}

impl Object for ElementSet {
    fn next(&mut self, draws: &mut Draws) -> Asked {
        let f = ["add", "remove", "contains"][draws.below(3) as usize];
        Asked::new(f, draws.below(self.elements))
    }

    fn apply(&mut self, op: &Op) -> Answer {
        let element = op.value.as_u64().unwrap_or_default();
        Answer::ok(match op.f.as_str() {
            "add" => self.there.insert(element),
            "remove" => self.there.remove(&element),
            _ => self.there.contains(&element),
        })
    }
}
