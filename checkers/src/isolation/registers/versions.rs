//! What transactions show of the order of a register's values, and where that contradicts itself.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::accesses::{Registers, Source, Write};
use crate::Budget;
use crate::isolation::graph::{Class, Graph, TooLarge};
use crate::isolation::walk::{Rule, Walk};

/// The keys whose values come before themselves.
#[derive(Debug, Default)]
pub(super) struct Versions {
    /// For each such key, a shortest cycle of writes.
    cycles: BTreeMap<u32, Vec<u32>>,
}

impl Versions {
    /// What transactions show that read one value and wrote another.
    pub(super) fn of(registers: &Registers, happened: &[bool]) -> Result<Versions, TooLarge> {
        let happened = (0..).zip(happened).filter(|(_, happened)| **happened).map(|(number, _)| number);
        let steps = happened.flat_map(|number| {
            registers.reads_of(number).flat_map(move |read| {
                let writes = registers.range_of(number).zip(registers.writes_of(number));
                writes.filter_map(move |(write, Write { key, .. })| match read.source {
                    Source::Write(from) if *key == read.key && from != write => Some((from, write)),
                    _ => None,
                })
            })
        });
        Versions::shown(registers, steps)
    }

    /// What is shown by steps from one write to a later one of the same key.
    fn shown(registers: &Registers, steps: impl Iterator<Item = (u32, u32)>) -> Result<Versions, TooLarge> {
        let mut places: FxHashMap<u32, u32> = FxHashMap::default();
        let mut writes: Vec<u32> = Vec::new();
        let mut place = |write: u32| {
            *places.entry(write).or_insert_with(|| {
                writes.push(write);
                writes.len() as u32 - 1
            })
        };
        let steps: Vec<(u32, u32)> = steps.map(|(from, to)| (place(from), place(to))).collect();
        let graph = Graph::build(writes.len() as u32, |edges| {
            for (from, to) in &steps {
                edges.add(*from, *to, Class::WW);
            }
        })?;
        let mut versions = Versions::default();
        if !graph.is_cyclic() {
            return Ok(versions);
        }
        let mut places = vec![u32::MAX; graph.vertices()];
        for members in (Walk { graph: &graph, rule: Rule::Free, classes: Class::WW }).groups() {
            let part = graph.part(&members, &mut places);
            let walk = Walk { graph: &part, rule: Rule::Free, classes: Class::WW };
            let cycle = walk.shortest(Class::WW, &Budget::unlimited()).ok().flatten().unwrap_or_default();
            let cycle = cycle.iter().map(|(place, _)| writes[members[*place as usize] as usize]).collect();
            let key = registers.writes[writes[members[0] as usize] as usize].key;
            versions.cycles.entry(key).or_insert(cycle);
        }
        Ok(versions)
    }

    /// Whether what is shown of this key contradicts itself.
    pub(super) fn contradict(&self, key: u32) -> bool {
        self.cycles.contains_key(&key)
    }

    /// The keys of which it does, each with a cycle of writes.
    pub(super) fn contradictions(&self) -> impl Iterator<Item = (u32, &[u32])> {
        self.cycles.iter().map(|(key, cycle)| (*key, cycle.as_slice()))
    }
}
