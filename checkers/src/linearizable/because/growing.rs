//! Why a set or a list that only grows, and is read as a whole, has no order, in words.

use rashomon_core::{Kind, Value};

use super::super::minimal::Core;
use super::super::partition::Claim;
use super::{Story, Teller, describe};
use crate::{Model, Passage, Shape};

/// What an operation did to something that grows.
enum Part<'a> {
    Adds(&'a Value),
    Reads(&'a [Value]),
}

/// How people speak of it.
#[derive(Clone, Copy)]
struct Words {
    is_list: bool,
    added: &'static str,
}

impl<'h, M: Model> Teller<'_, 'h, M> {
    /// What the core shows of a set or a list that only grows, if the model is one.
    pub(super) fn growing(&self, core: &Core) -> Option<Story> {
        let words = match self.model.shape() {
            Shape::GrowingSet => Words { is_list: false, added: "added" },
            Shape::GrowingList => Words { is_list: true, added: "appended" },
            Shape::Register | Shape::Queue | Shape::Stack | Shape::PriorityQueue | Shape::Set => return None,
        };
        let parts: Option<Vec<(Part<'h>, &Claim)>> = core
            .claims
            .iter()
            .map(|place| Some((self.part(*place)?, &self.partition.claims[*place])))
            .collect();
        match parts?.as_slice() {
            [(Part::Reads(answer), read)] => self.impossible_answer(answer, read, words),
            [(Part::Adds(value), add), (Part::Reads(answer), read)]
            | [(Part::Reads(answer), read), (Part::Adds(value), add)] => {
                self.missed_or_foreseen(value, add, answer, read)
            }
            [(Part::Reads(one), first), (Part::Reads(two), second)] => {
                self.apart((one, first), (two, second), words)
            }
            [one, two, three] => {
                let all = [one, two, three];
                let adds: Vec<(&Value, &Claim)> = all
                    .iter()
                    .filter_map(|(part, claim)| match part {
                        Part::Adds(value) => Some((*value, *claim)),
                        Part::Reads(_) => None,
                    })
                    .collect();
                let read = all.iter().find_map(|(part, claim)| match part {
                    Part::Reads(answer) => Some((*answer, *claim)),
                    Part::Adds(_) => None,
                });
                let ([first, second], (answer, read)) = (adds.as_slice(), read?) else { return None };
                self.out_of_order(*first, *second, answer, read, words)
            }
            _ => None,
        }
    }

    /// What the claim at a place of the partition did.
    fn part(&self, place: usize) -> Option<Part<'h>> {
        let pair = self.pair(&self.partition.claims[place]);
        match self.model.passage(&self.partition.actions[place]) {
            Passage::Grows(_) => Some(Part::Adds(&pair.invoke.value)),
            Passage::Whole(_) | Passage::Impossible => {
                // A list that was never appended to may be read as null.
                let answer = &pair.completion?.value;
                Some(Part::Reads(answer.as_array().map_or(&[], Vec::as_slice)))
            }
            Passage::Enters(_)
            | Passage::Leaves(_)
            | Passage::AnyLeaves
            | Passage::FindsEmpty
            | Passage::Flips(..)
            | Passage::Turns(..)
            | Passage::Shows(..)
            | Passage::Unclear => None,
        }
    }

    /// The claims that add this value.
    fn adders<'s>(&'s self, value: &'s Value) -> impl Iterator<Item = &'s Claim> {
        let adds = move |(place, _): &(usize, &Claim)| matches!(self.part(*place), Some(Part::Adds(other)) if other == value);
        self.partition.claims.iter().enumerate().filter(adds).map(|(_, claim)| claim)
    }

    /// An answer that cannot be whatever came when.
    fn impossible_answer(&self, answer: &[Value], read: &Claim, words: Words) -> Option<Story> {
        let Words { is_list, added } = words;
        let testimony = self.testimony(read);
        let count = |value: &Value| answer.iter().filter(|other| *other == value).count();
        for value in answer {
            let adders = self.adders(value).count();
            if adders == 0 {
                let failed = self.history.pairs().find(|pair| {
                    pair.outcome() == Kind::Fail
                        && pair.invoke.key.as_deref() == self.partition.key
                        && pair.invoke.value == *value
                });
                return Some(match failed {
                    Some(pair) => Story {
                        name: "dirty-read",
                        because: format!(
                            "{testimony}, but the only operation that {added} {value}, {} (op {}), failed and so \
                             certainly did not happen",
                            describe(&pair),
                            pair.invoke.index
                        ),
                    },
                    None => Story {
                        name: "garbage-read",
                        because: format!("{testimony}, but nothing ever {added} {value}"),
                    },
                });
            }
            let times = count(value);
            if times > adders || (!is_list && times > 1) {
                let reason = if is_list {
                    format!("where {value} stands {times} times and was {added} {adders} times at most")
                } else {
                    format!("where {value} stands {times} times: a set has an element once")
                };
                return Some(Story { name: "duplicate-element", because: format!("{testimony}, {reason}") });
            }
        }
        None
    }

    /// The answer lacks what was there, or shows what was to come.
    fn missed_or_foreseen(
        &self,
        value: &Value,
        add: &Claim,
        answer: &[Value],
        read: &Claim,
    ) -> Option<Story> {
        let testimony = self.testimony(read);
        if answer.contains(value) {
            return (read.ret < add.call).then(|| Story {
                name: "future-read",
                because: format!("{testimony} before {} had begun", self.name(add)),
            });
        }
        (add.ret < read.call).then(|| Story {
            name: self.missing(value),
            because: format!(
                "{testimony}, without {value}, although {} had completed before the read began",
                self.name(add)
            ),
        })
    }

    /// What to call it when an answer lacks a value: nobody saw it, or others did.
    fn missing(&self, value: &Value) -> &'static str {
        let shows =
            |place: usize| matches!(self.part(place), Some(Part::Reads(answer)) if answer.contains(value));
        if (0..self.partition.claims.len()).any(shows) { "stale-read" } else { "lost-element" }
    }

    /// Two answers of which neither can be part of the other, or the smaller came later.
    fn apart(
        &self,
        (one, first): (&[Value], &Claim),
        (two, second): (&[Value], &Claim),
        words: Words,
    ) -> Option<Story> {
        if words.is_list {
            let common = one.iter().zip(two).take_while(|(one, two)| one == two).count();
            if let (Some(here), Some(there)) = (one.get(common), two.get(common)) {
                return Some(Story {
                    name: "incompatible-reads",
                    because: format!(
                        "{} and {}: at place {common} the one has {here} and the other {there}, but a list grows at \
                         its end only, so one answer had to begin with the other",
                        self.testimony(first),
                        self.testimony(second)
                    ),
                });
            }
        }
        let lacks = |of: &[Value], other: &[Value]| of.iter().find(|value| !other.contains(value)).cloned();
        match (lacks(one, two), lacks(two, one)) {
            (Some(here), Some(there)) => Some(Story {
                name: "incompatible-reads",
                because: format!(
                    "{} with {here} and without {there}, and {} with {there} and without {here}, but nothing is ever \
                     removed",
                    self.testimony(first),
                    self.testimony(second)
                ),
            }),
            (Some(gone), None) if first.ret < second.call => Some(self.shrunk(first, second, &gone)),
            (None, Some(gone)) if second.ret < first.call => Some(self.shrunk(second, first, &gone)),
            _ => None,
        }
    }

    fn shrunk(&self, before: &Claim, after: &Claim, gone: &Value) -> Story {
        Story {
            name: "stale-read",
            because: format!(
                "{}, without {gone}, although {} had already been answered before the read began, and nothing is ever \
                 removed",
                self.testimony(after),
                self.name(before)
            ),
        }
    }

    /// An answer that has what was added later and lacks what was added before that, or has them in the wrong order.
    fn out_of_order(
        &self,
        first: (&Value, &Claim),
        second: (&Value, &Claim),
        answer: &[Value],
        read: &Claim,
        words: Words,
    ) -> Option<Story> {
        let ((one, first), (two, second)) =
            if first.1.ret < second.1.call { (first, second) } else { (second, first) };
        let place = |value: &Value| answer.iter().position(|other| other == value);
        let (later, earlier) = (place(two)?, place(one));
        let fact =
            || format!("although {} had completed before {} began", self.name(first), self.name(second));
        match earlier {
            _ if first.ret >= second.call => None,
            None => Some(Story {
                name: self.missing(one),
                because: format!("{}, with {two} and without {one}, {}", self.testimony(read), fact()),
            }),
            Some(earlier) if words.is_list && later < earlier => Some(Story {
                name: "out-of-order",
                because: format!("{}, with {two} before {one}, {}", self.testimony(read), fact()),
            }),
            Some(_) => None,
        }
    }
}
