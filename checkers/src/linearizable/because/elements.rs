//! Why a set of which each operation concerns one element has no order, in words.

use super::super::minimal::Core;
use super::super::partition::Claim;
use super::{Story, Teller};
use crate::models::Datum;
use crate::{Model, Passage, Shape};

/// What an operation says of its element: whether it was there before, and whether it is there after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Says {
    found: Option<bool>,
    left: bool,
}

impl Says {
    fn of(passage: &Passage<'_>) -> Option<(Datum, Says)> {
        Some(match *passage {
            Passage::Flips(element, to) => (element, Says { found: Some(!to), left: to }),
            Passage::Turns(element, to) => (element, Says { found: None, left: to }),
            Passage::Shows(element, there) => (element, Says { found: Some(there), left: there }),
            Passage::Enters(_)
            | Passage::Leaves(_)
            | Passage::AnyLeaves
            | Passage::FindsEmpty
            | Passage::Grows(_)
            | Passage::Whole(_)
            | Passage::Impossible
            | Passage::Unclear => return None,
        })
    }

    /// Whether it may bring the element in, or take it out.
    fn turns(self, to: bool) -> bool {
        self.left == to && self.found != Some(to)
    }
}

impl<M: Model> Teller<'_, M> {
    /// What the core shows of one element of a set, if the model is one.
    pub(super) fn elements(&self, core: &Core) -> Option<Story> {
        if self.model.shape() != Shape::Set {
            return None;
        }
        let says = |place: usize| Says::of(&self.model.passage(&self.partition.actions[place]));
        let all: Option<Vec<(Datum, Says, &Claim)>> = core
            .claims
            .iter()
            .map(|place| says(*place).map(|(of, says)| (of, says, &self.partition.claims[*place])))
            .collect();
        let all = all?;
        let element = all.first()?.0;
        if all.iter().any(|(of, _, _)| *of != element) {
            return None;
        }
        let turning = |to: bool| {
            let of_element =
                (0..self.partition.claims.len()).filter_map(says).filter(|(of, _)| *of == element);
            of_element.filter(|(_, says)| says.turns(to)).count()
        };
        let value = &self.pair(all[0].2).invoke.value;
        let told: Vec<(Says, &Claim)> = all.iter().map(|(_, says, claim)| (*says, *claim)).collect();
        let specific = match told.as_slice() {
            [(one, claim)] if one.found == Some(true) && turning(true) == 0 => Some(Story {
                name: "phantom-element",
                because: format!("{}, but nothing ever added {value}", self.testimony(claim)),
            }),
            [(one, first), (two, second)] => {
                let ordered = if first.ret < second.call {
                    self.contradiction((*one, first), (*two, second), &turning, value)
                } else if second.ret < first.call {
                    self.contradiction((*two, second), (*one, first), &turning, value)
                } else {
                    None
                };
                ordered.or_else(|| self.twice((*one, first), (*two, second), &turning, value))
            }
            several => self.came_back(several, &turning, value),
        };
        Some(specific.unwrap_or_else(|| {
            let claims: Vec<&Claim> = told.iter().map(|(_, claim)| *claim).collect();
            Story {
                name: "nonlinearizable",
                because: match claims.as_slice() {
                    [only] => format!("{}, which no order of the others explains", self.testimony(only)),
                    several => format!(
                        "no order of these {} operations on the element {value} explains them: {}",
                        several.len(),
                        self.list(several)
                    ),
                },
            }
        }))
    }

    /// One operation was over before another began, and left the element as the other did not find it.
    fn contradiction(
        &self,
        (one, before): (Says, &Claim),
        (two, after): (Says, &Claim),
        turning: &impl Fn(bool) -> usize,
        value: &rashomon_core::Value,
    ) -> Option<Story> {
        if one.left && two.found == Some(false) && turning(false) == 0 {
            return Some(Story {
                name: "lost-element",
                because: format!(
                    "{} although {} had completed before it began, and nothing ever removes {value}",
                    self.testimony(after),
                    self.name(before)
                ),
            });
        }
        (one.found == Some(true) && two.turns(true) && turning(true) == 1).then(|| Story {
            name: "future-read",
            because: format!(
                "{} before {} had begun, which alone adds {value}",
                self.testimony(before),
                self.name(after)
            ),
        })
    }

    /// Two operations made the same change, which nothing undid in between.
    fn twice(
        &self,
        (one, first): (Says, &Claim),
        (two, second): (Says, &Claim),
        turning: &impl Fn(bool) -> usize,
        value: &rashomon_core::Value,
    ) -> Option<Story> {
        if one != two || one.found != Some(!one.left) {
            return None;
        }
        let both = self.list(&[first, second]);
        if one.left && turning(false) == 0 {
            return Some(Story {
                name: "duplicate-add",
                because: format!(
                    "{both} each put {value} in and did not find it there, and nothing ever removes it"
                ),
            });
        }
        (!one.left && turning(true) == 1).then(|| Story {
            name: "duplicate-remove",
            because: format!("{both} each took {value} out, which was added only once"),
        })
    }

    /// The element was there after it had been taken out for good.
    fn came_back(
        &self,
        told: &[(Says, &Claim)],
        turning: &impl Fn(bool) -> usize,
        value: &rashomon_core::Value,
    ) -> Option<Story> {
        let removed = told.iter().find(|(says, _)| says.turns(false))?;
        let added = told.iter().find(|(says, _)| says.turns(true))?;
        let (_, seen) = told.iter().find(|(says, claim)| {
            says.found == Some(true) && removed.1.ret < claim.call && claim.call != removed.1.call
        })?;
        let gone = removed.0.found == Some(true) || added.1.ret < removed.1.call;
        (told.len() == 3 && gone && turning(true) == 1).then(|| Story {
            name: "stale-read",
            because: format!(
                "{} although {} had completed before it began, and only {} adds {value}",
                self.testimony(seen),
                self.name(removed.1),
                self.name(added.1)
            ),
        })
    }
}
