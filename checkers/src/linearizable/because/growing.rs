//! Why a set or a list that only grows, and is read as a whole, has no order, in words.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use rashomon_core::{HistoryError, Kind, Value};

use super::super::minimal::Core;
use super::super::partition::Claim;
use super::{Story, Teller, describe};
use crate::archive::Archive;
use crate::{Model, Passage, Shape};

/// What an operation did to something that grows.
enum Part<'a> {
    Adds(&'a Value),
    Reads(&'a [Value]),
}

/// The operations that would have added a value.
#[derive(Default)]
struct Adders {
    /// How many may have.
    count: usize,
    /// The first that certainly did not.
    failed: Option<(u64, String)>,
}

/// How people speak of it.
#[derive(Clone, Copy)]
struct Words {
    is_list: bool,
    added: &'static str,
}

impl<'a, M: Model> Teller<'a, M> {
    /// What the core shows of a set or a list that only grows, if the model is one.
    pub(super) fn growing(&self, core: &Core, archive: &dyn Archive) -> Result<Option<Story>, HistoryError> {
        let words = match self.model.shape() {
            Shape::GrowingSet => Words { is_list: false, added: "added" },
            Shape::GrowingList => Words { is_list: true, added: "appended" },
            Shape::Register | Shape::Queue | Shape::Stack | Shape::PriorityQueue | Shape::Set => {
                return Ok(None);
            }
        };
        let parts: Option<Vec<(Part<'a>, &Claim)>> = core
            .claims
            .iter()
            .map(|place| Some((self.part(*place)?, &self.partition.claims[*place])))
            .collect();
        let Some(parts) = parts else { return Ok(None) };
        if let [(Part::Reads(answer), read)] = parts.as_slice() {
            return self.impossible_answer(answer, read, words, archive);
        }
        Ok(self.disagreement(&parts, words))
    }

    /// What several operations say against each other.
    fn disagreement(&self, parts: &[(Part<'a>, &Claim)], words: Words) -> Option<Story> {
        match parts {
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
    fn part(&self, place: usize) -> Option<Part<'a>> {
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

    /// Who added these values, or certainly did not.
    fn adders(
        &self,
        values: &[Value],
        archive: &dyn Archive,
    ) -> Result<BTreeMap<String, Adders>, HistoryError> {
        let mut model = self.model.clone();
        let mut all: BTreeMap<String, Adders> =
            values.iter().map(|value| (value.to_string(), Adders::default())).collect();
        archive.each(&mut |pair| {
            if pair.invoke.key == self.partition.key
                && let Some(adders) = all.get_mut(&pair.invoke.value.to_string())
            {
                let index = pair.invoke.index;
                if pair.outcome() == Kind::Fail {
                    if adders.failed.as_ref().is_none_or(|(first, _)| index < *first) {
                        adders.failed = Some((index, describe(pair)));
                    }
                } else if let Ok(Some(action)) = model.action(pair) {
                    adders.count += usize::from(matches!(model.passage(&action), Passage::Grows(_)));
                }
            }
            ControlFlow::Continue(())
        })?;
        Ok(all)
    }

    /// An answer that cannot be whatever came when.
    fn impossible_answer(
        &self,
        answer: &[Value],
        read: &Claim,
        words: Words,
        archive: &dyn Archive,
    ) -> Result<Option<Story>, HistoryError> {
        let Words { is_list, added } = words;
        let testimony = self.testimony(read);
        let all = self.adders(answer, archive)?;
        let count = |value: &Value| answer.iter().filter(|other| *other == value).count();
        for value in answer {
            let Some(adders) = all.get(&value.to_string()) else { continue };
            if adders.count == 0 {
                return Ok(Some(match &adders.failed {
                    Some((index, operation)) => Story {
                        name: "dirty-read",
                        because: format!(
                            "{testimony}, but the only operation that {added} {value}, {operation} (op {index}), failed \
                             and so certainly did not happen"
                        ),
                    },
                    None => Story {
                        name: "garbage-read",
                        because: format!("{testimony}, but nothing ever {added} {value}"),
                    },
                }));
            }
            let times = count(value);
            if times > adders.count || (!is_list && times > 1) {
                let reason = if is_list {
                    format!(
                        "where {value} stands {times} times and was {added} {} times at most",
                        adders.count
                    )
                } else {
                    format!("where {value} stands {times} times: a set has an element once")
                };
                let because = format!("{testimony}, {reason}");
                return Ok(Some(Story { name: "duplicate-element", because }));
            }
        }
        Ok(None)
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
            name: self.missing(add),
            because: format!(
                "{testimony}, without {value}, although {} had completed before the read began",
                self.name(add)
            ),
        })
    }

    /// What to call it when an answer lacks what was added: nobody saw it, or others did.
    fn missing(&self, add: &Claim) -> &'static str {
        let actions = &self.partition.actions;
        let place = self.partition.claims.binary_search_by_key(&add.call, |claim| claim.call);
        let Ok(Passage::Grows(value)) = place.map(|place| self.model.passage(&actions[place])) else {
            return "lost-element";
        };
        let shows = |action: &M::Action| matches!(self.model.passage(action), Passage::Whole(all) if all.contains(&value));
        if actions.iter().any(shows) { "stale-read" } else { "lost-element" }
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
                name: self.missing(first),
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
