//! What transactions show of the order of a register's values, and where that contradicts itself.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::graph::{Class, Graph, TooLarge};
use super::walk::{Rule, Walk};
use crate::Budget;

/// The keys whose values come before themselves.
#[derive(Debug, Default)]
pub(super) struct Versions {
    /// For each such key, a shortest cycle of values.
    cycles: BTreeMap<u32, Vec<u32>>,
}

impl Versions {
    /// What these steps show: a key, a value, and a later one.
    pub(super) fn of(steps: impl Iterator<Item = (u32, u32, u32)>) -> Result<Versions, TooLarge> {
        let mut numbers: FxHashMap<(u32, u32), u32> = FxHashMap::default();
        let mut names: Vec<(u32, u32)> = Vec::new();
        let mut number = |key: u32, value: u32| {
            *numbers.entry((key, value)).or_insert_with(|| {
                names.push((key, value));
                names.len() as u32 - 1
            })
        };
        let steps: Vec<(u32, u32)> =
            steps.map(|(key, from, to)| (number(key, from), number(key, to))).collect();
        let graph = Graph::build(names.len() as u32, |edges| {
            for (from, to) in &steps {
                edges.add(*from, *to, Class::WW);
            }
        })?;
        let mut versions = Versions::default();
        if !graph.is_cyclic() {
            return Ok(versions);
        }
        let mut places = vec![u32::MAX; graph.vertices()];
        for mut members in (Walk { graph: &graph, rule: Rule::Free, classes: Class::WW }).components() {
            for state in &mut members {
                *state >>= 1;
            }
            let part = graph.part(&members, &mut places);
            let walk = Walk { graph: &part, rule: Rule::Free, classes: Class::WW };
            let cycle = walk.shortest(Class::WW, &Budget::unlimited()).ok().flatten().unwrap_or_default();
            let cycle = cycle.iter().map(|(place, _)| names[members[*place as usize] as usize].1).collect();
            versions.cycles.entry(names[members[0] as usize].0).or_insert(cycle);
        }
        Ok(versions)
    }

    /// Whether what is shown of this key contradicts itself.
    pub(super) fn contradict(&self, key: u32) -> bool {
        self.cycles.contains_key(&key)
    }

    /// The keys of which it does, each with a cycle of values.
    pub(super) fn contradictions(&self) -> impl Iterator<Item = (u32, &[u32])> {
        self.cycles.iter().map(|(key, cycle)| (*key, cycle.as_slice()))
    }
}
