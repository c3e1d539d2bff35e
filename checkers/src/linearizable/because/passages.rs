//! Why a queue, a stack or a priority queue has no order, in words.

use super::super::minimal::Core;
use super::super::partition::Claim;
use super::{Story, Teller};
use crate::{Model, Passage, Shape};

/// How people speak of the operations of a shape.
struct Words {
    phantom: &'static str,
    duplicate: &'static str,
    future: &'static str,
    entered: &'static str,
}

impl Words {
    fn of(shape: Shape) -> Option<Words> {
        let words = |phantom, duplicate, future, entered| Some(Words { phantom, duplicate, future, entered });
        match shape {
            Shape::Queue => words("phantom-dequeue", "duplicate-dequeue", "future-dequeue", "enqueued"),
            Shape::Stack => words("phantom-pop", "duplicate-pop", "future-pop", "pushed"),
            Shape::PriorityQueue => words("phantom-poll", "duplicate-poll", "future-poll", "inserted"),
            Shape::Register | Shape::Set | Shape::GrowingSet | Shape::GrowingList => None,
        }
    }
}

/// The core's claims with what each does.
type Passages<'a> = [(Passage<'a>, &'a Claim)];

fn find<'a>(passages: &Passages<'a>, wanted: Passage<'_>) -> Option<&'a Claim> {
    passages.iter().find(|(passage, _)| *passage == wanted).map(|(_, claim)| *claim)
}

impl<M: Model> Teller<'_, M> {
    /// What the core shows of an object that values enter and leave, if the model is one.
    pub(super) fn passages(&self, core: &Core) -> Option<Story> {
        let words = Words::of(self.model.shape())?;
        let passages: Vec<(Passage<'_>, &Claim)> = core
            .claims
            .iter()
            .map(|place| {
                (self.model.passage(&self.partition.actions[*place]), &self.partition.claims[*place])
            })
            .collect();
        match passages.as_slice() {
            [(Passage::Leaves(value), claim)] => {
                let actions = &self.partition.actions;
                let entered =
                    actions.iter().any(|action| self.model.passage(action) == Passage::Enters(*value));
                (!entered).then(|| Story {
                    name: words.phantom,
                    because: format!("{}, but nothing ever {} it", self.testimony(claim), words.entered),
                })
            }
            [(Passage::Leaves(one), first), (Passage::Leaves(two), second)] if one == two => Some(Story {
                name: words.duplicate,
                because: format!(
                    "{} and {} both took the same value, which was not {} that often",
                    self.name(first),
                    self.name(second),
                    words.entered
                ),
            }),
            [(Passage::Leaves(one), out), (Passage::Enters(two), into)]
                if one == two && out.ret < into.call =>
            {
                Some(Story {
                    name: words.future,
                    because: format!("{} before {} had begun", self.testimony(out), self.name(into)),
                })
            }
            several => match self.model.shape() {
                Shape::Queue => self.overtaken(several),
                Shape::Stack => self.buried(several),
                Shape::PriorityQueue => self.outranked(several),
                Shape::Register | Shape::Set | Shape::GrowingSet | Shape::GrowingList => None,
            },
        }
    }

    /// Of a queue: a value came out before one that had gone in before it.
    fn overtaken(&self, passages: &Passages<'_>) -> Option<Story> {
        passages.iter().find_map(|(passage, out)| {
            let Passage::Leaves(later) = *passage else { return None };
            let second = find(passages, Passage::Enters(later))?;
            let (earlier, first) = passages.iter().find_map(|(passage, claim)| match passage {
                Passage::Enters(value) if *value != later && claim.ret < second.call => {
                    Some((*value, *claim))
                }
                _ => None,
            })?;
            let still = self.still_in(passages, earlier, out)?;
            Some(Story {
                name: "out-of-order",
                because: format!(
                    "{} although {} had completed before {} began, and what it enqueued {still}",
                    self.testimony(out),
                    self.name(first),
                    self.name(second)
                ),
            })
        })
    }

    /// Of a stack: a value came out from under one that had been put on top of it.
    fn buried(&self, passages: &Passages<'_>) -> Option<Story> {
        passages.iter().find_map(|(passage, out)| {
            let Passage::Leaves(lower) = *passage else { return None };
            let first = find(passages, Passage::Enters(lower))?;
            let (upper, second) = passages.iter().find_map(|(passage, claim)| match passage {
                Passage::Enters(value)
                    if *value != lower && first.ret < claim.call && claim.ret < out.call =>
                {
                    Some((*value, *claim))
                }
                _ => None,
            })?;
            let still = self.still_in(passages, upper, out)?;
            Some(Story {
                name: "out-of-order",
                because: format!(
                    "{} although {}, which began after {} had completed, lay on top of it and {still}",
                    self.testimony(out),
                    self.name(second),
                    self.name(first)
                ),
            })
        })
    }

    /// Of a priority queue: a value came out while a greater one was in.
    fn outranked(&self, passages: &Passages<'_>) -> Option<Story> {
        passages.iter().find_map(|(passage, out)| {
            let Passage::Leaves(lesser) = *passage else { return None };
            let (greater, into) = passages.iter().find_map(|(passage, claim)| match passage {
                Passage::Enters(value)
                    if self.model.priority(*value) > self.model.priority(lesser) && claim.ret < out.call =>
                {
                    Some((*value, *claim))
                }
                _ => None,
            })?;
            let still = self.still_in(passages, greater, out)?;
            Some(Story {
                name: "out-of-order",
                because: format!(
                    "{} although {} had completed before it began, and what it inserted {still}",
                    self.testimony(out),
                    self.name(into)
                ),
            })
        })
    }

    /// How it is known that a value was still in when another had come out, if the core says no more than that.
    fn still_in(&self, passages: &Passages<'_>, value: crate::models::Datum, out: &Claim) -> Option<String> {
        match find(passages, Passage::Leaves(value)) {
            Some(end) if passages.len() <= 4 && out.ret < end.call => {
                Some(format!("did not come out before {}", self.name(end)))
            }
            None if passages.len() <= 3 => Some("never came out".to_owned()),
            Some(_) | None => None,
        }
    }
}
