//! Which optional operations are worth trying.

use super::super::partition::{Known, Partition};
use super::{Level, Search};
use crate::Model;

impl Search {
    /// The next class of optional operations worth trying.
    pub(super) fn next_choice<M: Model>(
        &mut self,
        model: &M,
        partition: &mut Partition<M>,
        top: Level,
    ) -> Option<u32> {
        if !top.listed {
            let depth = self.levels.len() - 1;
            self.levels[depth].listed = true;
            if self.optionals.len() > 0 {
                self.list_choices(model, partition, top);
            }
        }
        (self.choices.len() > top.choices as usize).then(|| self.choices.pop()).flatten()
    }

    /// Lists the classes that lead to a state needed by an operation in view, directly or through others.
    fn list_choices<M: Model>(&mut self, model: &M, partition: &mut Partition<M>, top: Level) {
        self.marks.clear();
        self.marks.insert(top.state);
        let mut wanted = std::mem::take(&mut self.ahead);
        wanted.clear();
        // One that is pure and still in view is impossible now, and which states it wants is not known.
        let mut blocked = false;
        let mut place = self.nodes[self.head as usize].next;
        while place != self.head && self.nodes[place as usize].call < top.bound {
            let node = self.nodes[place as usize];
            wanted.extend(node.effect.needs().filter(|state| self.marks.insert(*state)));
            blocked |= node.effect == Known::Pure;
            place = node.next;
        }
        if !self.is_exact() || blocked {
            self.list_all(model, partition, top, &wanted);
            self.ahead = wanted;
            return;
        }
        while let Some(state) = wanted.pop() {
            for place in self.optionals.leading_to(state) {
                if self.optionals.next(place, top.bound).is_none() {
                    continue;
                }
                match self.optionals.effect(place).needs() {
                    Some(from) if from != top.state => {
                        if self.marks.insert(from) {
                            wanted.push(from);
                        }
                    }
                    Some(_) | None => self.choices.push(place),
                }
            }
        }
        self.ahead = wanted;
    }

    /// Lists all classes that are possible now; those after which a wanted state can be reached are tried first.
    fn list_all<M: Model>(&mut self, model: &M, partition: &mut Partition<M>, top: Level, wanted: &[u32]) {
        let mut first = Vec::new();
        for place in 0..self.optionals.len() as u32 {
            let Some(claim) = self.optionals.next(place, top.bound) else { continue };
            let Some(next) = partition.step(model, top.state, claim as usize) else { continue };
            let next = partition.states.get(next);
            if wanted.iter().any(|state| model.reachable(next, partition.states.get(*state))) {
                first.push(place);
            } else {
                self.choices.push(place);
            }
        }
        self.choices.append(&mut first);
    }
}
