//! Whether read atomic and causal consistency hold, and if not, an order of commits that contradicts itself.

use super::dependencies::Observed;
use super::saturation::Implied;
use crate::Budget;
use crate::isolation::because::explain;
use crate::isolation::cycle::Cycle;
use crate::isolation::finding::Finding;
use crate::isolation::graph::{Class, Graph, TooLarge};
use crate::isolation::level::{Isolation, Level, Levels};
use crate::isolation::micro_ops::Names;
use crate::isolation::walk::{Rule, Walk};

/// What becomes of a level.
pub(super) enum Decision {
    Holds,
    Violated(Finding),
    Unknown,
}

impl Observed<'_> {
    /// Decides read atomic or causal consistency, in one column, where no cycle of what is known without them rules them
    /// out.
    pub(super) fn decide(
        &self,
        level: Level,
        names: &Names,
        budget: &Budget<'_>,
    ) -> Result<Decision, TooLarge> {
        let implied = match level.isolation {
            Isolation::ReadAtomic => Some(self.implied_directly(level.order)),
            _ => self.implied_causally(level.order, budget)?,
        };
        let Some(implied) = implied else { return Ok(Decision::Unknown) };
        let graph = Graph::build(self.transactions.len() as u32, |edges| {
            self.visible(level.order, edges);
            for Implied { before, after, .. } in &implied {
                edges.add(*before, *after, Class::WW);
            }
        })?;
        let classes = Class::WW.with(Class::WR).with(Class::PROCESS).with(Class::REALTIME);
        let groups = Walk { graph: &graph, rule: Rule::Free, classes }.groups();
        let Some(members) = groups.into_iter().min_by_key(Vec::len) else { return Ok(Decision::Holds) };
        let part = graph.part(&members, &mut vec![u32::MAX; graph.vertices()]);
        let walk = Walk { graph: &part, rule: Rule::Free, classes };
        let Ok(Some(steps)) = walk.shortest(Class::WW, budget) else { return Ok(Decision::Unknown) };
        let Some(mut cycle) = Cycle::of_walk(&part, &steps).into_iter().next() else {
            return Ok(Decision::Unknown);
        };
        for step in &mut cycle.0 {
            step.0 = members[step.0 as usize];
        }
        let mut finding = explain(&cycle, self.transactions, |from, class, to| match class {
            Class::WW => find(&implied, from, to).map(|one| self.implied_because(one, names)),
            class => self.why(names, from, class, to),
        });
        // Those who saw two show it too.
        let of = |(place, (from, _)): (usize, &(u32, Class))| {
            let (to, _) = cycle.0[(place + 1) % cycle.0.len()];
            find(&implied, *from, to).map(|one| one.reader)
        };
        finding
            .transactions
            .extend(cycle.0.iter().enumerate().filter(|(_, step)| step.1 == Class::WW).filter_map(of));
        // Without predicates, repeatable read is no less than serializable.
        let rules_out = Levels::from(&[level.isolation, Isolation::RepeatableRead], level.order);
        let because = format!("if {level} held, {}", finding.because);
        Ok(Decision::Violated(Finding { name: NAME.to_owned(), rules_out, because, ..finding }))
    }

    fn implied_because(&self, implied: &Implied, names: &Names) -> (String, String) {
        let Implied { reader, key, .. } = implied;
        let key = names.key(*key);
        let because =
            format!("{} saw both, and read from key {key} what the other wrote", self.tell(*reader));
        (key, because)
    }
}

/// What implies that one comes before another.
fn find(implied: &[Implied], from: u32, to: u32) -> Option<&Implied> {
    let place = implied.binary_search_by_key(&(from, to), |one| (one.before, one.after)).ok()?;
    Some(&implied[place])
}

/// The anomaly that such an order is.
const NAME: &str = "cyclic-commit-order";
