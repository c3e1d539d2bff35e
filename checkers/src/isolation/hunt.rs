//! The search for cycles: in every strongly connected component, for every level, the shortest that rules it out.

use super::cycle::Cycle;
use super::graph::{Class, Graph};
use super::level::{Isolation, Level, Levels, Order};
use super::walk::{Exhausted, Rule, Walk};
use crate::Budget;

/// What the search found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) cycles: Vec<Cycle>,
    /// How many components have more than one transaction.
    pub(super) components: usize,
    /// Whether the budget was spent before all components were searched.
    pub(super) exhausted: bool,
}

impl Found {
    /// The same, where each vertex is called what stands at its place here.
    pub(super) fn renamed(mut self, names: &[u32]) -> Found {
        for step in self.cycles.iter_mut().flat_map(|cycle| &mut cycle.0) {
            step.0 = names[step.0 as usize];
        }
        self
    }
}

/// What to look for: a cycle that rules out `isolation`. The order matters: as one looks for a level only where nothing
/// found in the same component rules it out, a cycle found carries the name that belongs to its place in this list.
struct Quarry {
    isolation: Isolation,
    rule: Rule,
    /// The classes that the cycle may use besides those of the column's order.
    classes: Class,
    /// The classes of which it must have one.
    needed: Class,
}

const DEPENDENCIES: Class = Class::WW.with(Class::WR);
const ALL: Class = DEPENDENCIES.with(Class::RW);

const QUARRIES: [Quarry; 9] = [
    Quarry { isolation: Isolation::ReadUncommitted, rule: Rule::Free, classes: Class::WW, needed: Class::WW },
    Quarry {
        isolation: Isolation::ReadCommitted,
        rule: Rule::Free,
        classes: DEPENDENCIES,
        needed: Class::WR,
    },
    Quarry { isolation: Isolation::ParallelSnapshot, rule: Rule::Single, classes: ALL, needed: Class::RW },
    Quarry { isolation: Isolation::Snapshot, rule: Rule::Apart, classes: ALL, needed: Class::RW },
    Quarry { isolation: Isolation::Serializable, rule: Rule::Free, classes: ALL, needed: Class::RW },
    Quarry { isolation: Isolation::Prefix, rule: Rule::Prefix, classes: ALL, needed: Class::RW },
    Quarry {
        isolation: Isolation::Causal,
        rule: Rule::Single,
        classes: Class::WR.with(Class::RW),
        needed: Class::RW,
    },
    // Read atomic: an rw and the column's order, or an rw and one wr, for which there is a rule of its own.
    Quarry { isolation: Isolation::ReadAtomic, rule: Rule::Single, classes: Class::RW, needed: Class::RW },
    Quarry { isolation: Isolation::ReadAtomic, rule: Rule::Fracture, classes: ALL, needed: Class::RW },
];

fn classes(order: Order) -> Class {
    match order {
        Order::Plain => Class::NONE,
        Order::Session => Class::PROCESS,
        Order::RealTime => Class::PROCESS.with(Class::REALTIME),
    }
}

/// The strongly connected components of a graph, in its vertices, transactions first.
fn components(graph: &Graph, order: Order) -> Vec<Vec<u32>> {
    Walk { graph, rule: Rule::Free, classes: ALL.with(classes(order)) }.groups()
}

/// Searches the whole graph.
pub(super) fn hunt(graph: &Graph, budget: &Budget<'_>) -> Found {
    let mut found = Found::default();
    let mut places = vec![u32::MAX; graph.vertices()];
    for outer in components(graph, Order::RealTime) {
        found.components += 1;
        let whole = graph.part(&outer, &mut places);
        let mut cycles: Vec<(Cycle, Levels)> = Vec::new();
        let mut inside = vec![u32::MAX; whole.vertices()];
        for order in Order::ALL {
            for inner in components(&whole, order) {
                let part = whole.part(&inner, &mut inside);
                let covered = cycles
                    .iter()
                    .filter(|(cycle, _)| inner.binary_search(&cycle.0[0].0).is_ok())
                    .fold(Levels::default(), |levels, (_, ruled)| levels.and(*ruled));
                let search = search(&part, order, covered, budget);
                for (mut cycle, ruled) in search.0 {
                    for step in &mut cycle.0 {
                        step.0 = inner[step.0 as usize];
                    }
                    cycles.push((cycle, ruled));
                }
                found.exhausted |= search.1.is_err();
            }
        }
        found.cycles.extend(cycles.into_iter().map(|(mut cycle, _)| {
            for step in &mut cycle.0 {
                step.0 = outer[step.0 as usize];
            }
            cycle
        }));
    }
    found
}

/// The cycles in one component that rule out more than is ruled out already, and whether the search was finished.
fn search(
    graph: &Graph,
    order: Order,
    mut covered: Levels,
    budget: &Budget<'_>,
) -> (Vec<(Cycle, Levels)>, Result<(), Exhausted>) {
    let mut found = Vec::new();
    for quarry in &QUARRIES {
        let level = Level { isolation: quarry.isolation, order };
        if covered.contains(level) {
            continue;
        }
        let walk = Walk { graph, rule: quarry.rule, classes: quarry.classes.with(classes(order)) };
        match walk.shortest(quarry.needed, budget) {
            Err(exhausted) => return (found, Err(exhausted)),
            Ok(None) => {}
            Ok(Some(walk)) => {
                for cycle in Cycle::of_walk(graph, &walk) {
                    let ruled = cycle.rules_out();
                    if !covered.includes(ruled) {
                        covered = covered.and(ruled);
                        found.push((cycle, ruled));
                    }
                }
                assert!(covered.contains(level), "a cycle found for {level} rules it out");
            }
        }
    }
    (found, Ok(()))
}
