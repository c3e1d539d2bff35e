//! Giving up early where states only grow.

use super::super::partition::Partition;
use super::{Foresight, Search};
use crate::Model;

/// How many operations [`Search::unreachable`] looks ahead.
const AHEAD: usize = 32;

impl Search {
    /// Whether an operation soon to come needs a state that nothing can lead to any more. Only where some effects
    /// are unknown; where all are known, abandonment does better.
    ///
    /// Looks some operations ahead: one that returns before the call of the first operation not looked at can
    /// only be preceded by those that were. Its state must be reachable from this one or from one that
    /// such an operation leads to.
    pub(super) fn unreachable<M: Model>(&self, model: &M, partition: &Partition<M>, state: u32) -> bool {
        if self.foresight != Foresight::Looking {
            return false;
        }
        let mut ahead = [self.nodes[self.head as usize]; AHEAD];
        let mut count = 0;
        let mut place = self.nodes[self.head as usize].next;
        while place != self.head && count < AHEAD {
            ahead[count] = self.nodes[place as usize];
            count += 1;
            place = self.nodes[place as usize].next;
        }
        let horizon = self.nodes[place as usize].call;
        let ahead = &ahead[..count];
        ahead.iter().filter(|node| node.ret < horizon).any(|node| {
            let Some(need) = node.effect.needs() else { return false };
            let target = partition.states.get(need);
            let leads = |from: u32| model.reachable(partition.states.get(from), target);
            let resets = || ahead.iter().filter(|other| other.call < node.ret);
            !leads(state)
                && !resets().any(|other| other.effect.gives().is_some_and(leads))
                && !self.optionals.resets(node.ret).any(leads)
        })
    }
}
