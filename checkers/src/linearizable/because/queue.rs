//! Why a queue has no order, in words.

use super::super::minimal::Core;
use super::super::partition::Claim;
use super::{Story, Teller};
use crate::{Model, Passage};

impl<M: Model> Teller<'_, '_, M> {
    /// What the core shows of a first-in first-out queue, if the model is one.
    pub(super) fn queue(&self, core: &Core) -> Option<Story> {
        let passages: Option<Vec<(Passage, &Claim)>> = core
            .claims
            .iter()
            .map(|place| {
                let passage = self.model.passage(&self.partition.actions[*place])?;
                Some((passage, &self.partition.claims[*place]))
            })
            .collect();
        let passages = passages?;
        let find = |wanted: Passage| passages.iter().find(|(passage, _)| *passage == wanted);
        match passages.as_slice() {
            [(Passage::Leaves(value), claim)] => {
                let entered = self
                    .partition
                    .actions
                    .iter()
                    .any(|action| self.model.passage(action) == Some(Passage::Enters(*value)));
                (!entered).then(|| Story {
                    name: "phantom-dequeue",
                    because: format!("{}, but nothing ever enqueued it", self.testimony(claim)),
                })
            }
            [(Passage::Leaves(one), first), (Passage::Leaves(two), second)] if one == two => Some(Story {
                name: "duplicate-dequeue",
                because: format!(
                    "{} and {} both took the same value, which was not enqueued that often",
                    self.name(first),
                    self.name(second)
                ),
            }),
            [(Passage::Leaves(one), out), (Passage::Enters(two), into)]
                if one == two && out.ret < into.call =>
            {
                Some(Story {
                    name: "future-dequeue",
                    because: format!("{} before {} had begun", self.testimony(out), self.name(into)),
                })
            }
            _ => passages.iter().find_map(|(passage, out)| {
                let Passage::Leaves(later) = *passage else { return None };
                let (_, second) = find(Passage::Enters(later))?;
                let (passage, first) = passages.iter().find(|(passage, claim)| {
                    matches!(passage, Passage::Enters(value) if *value != later) && claim.ret < second.call
                })?;
                let Passage::Enters(earlier) = *passage else { return None };
                let still = match find(Passage::Leaves(earlier)) {
                    Some((_, end)) if passages.len() == 4 && out.ret < end.call => {
                        format!("did not come out before {}", self.name(end))
                    }
                    None if passages.len() == 3 => "never came out".to_owned(),
                    Some(_) | None => return None,
                };
                Some(Story {
                    name: "out-of-order",
                    because: format!(
                        "{} although {} had completed before {} began, and what it enqueued {still}",
                        self.testimony(out),
                        self.name(first),
                        self.name(second)
                    ),
                })
            }),
        }
    }
}
