//! One order of the transactions over registers, found by trying to do them one after another.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::{Class, Graph};
use super::registers::Registers;
use super::transactions::Transactions;
use crate::Budget;

/// How many of the transactions whose turn it may be are looked at, those that ended first.
const LOOK: usize = 64;

/// Whether doing the transactions one by one, in an order that keeps to the edges of these classes, explains every read.
///
/// The next is always the first to have ended of those that may be next and find what they read. There is no way back, so
/// *no* means only that this order was not one; *yes* is a proof.
pub(super) fn replay(
    registers: &Registers,
    transactions: &Transactions,
    happened: &[bool],
    graph: &Graph,
    classes: Class,
    budget: &Budget<'_>,
) -> bool {
    let kept = |class: Class| class == Class::LINK || classes.contains(class);
    let mut waiting = vec![0_u32; graph.vertices()];
    for vertex in 0..graph.vertices() as u32 {
        for (target, class) in graph.out(vertex) {
            waiting[target as usize] += u32::from(kept(class));
        }
    }
    let mut ready: BTreeSet<(u64, u32)> = BTreeSet::new();
    let mut free: Vec<u32> = (0..graph.vertices() as u32).filter(|one| waiting[*one as usize] == 0).collect();
    let mut state: BTreeMap<u32, Option<u32>> = BTreeMap::new();
    let mut done = 0_usize;
    loop {
        while let Some(vertex) = free.pop() {
            if graph.is_real(vertex) {
                let end = transactions.get(vertex).completion.unwrap_or(u64::MAX);
                ready.insert((end, vertex));
            } else {
                release(graph, vertex, kept, &mut waiting, &mut free);
            }
        }
        if done.is_multiple_of(512) && (budget.expired)() {
            return false;
        }
        let fits = |(_, vertex): &&(u64, u32)| {
            !happened[*vertex as usize]
                || registers
                    .reads_of(*vertex)
                    .iter()
                    .all(|read| state.get(&read.key).copied().flatten() == read.value)
        };
        let Some(next) = ready.iter().take(LOOK).find(fits).copied() else { break };
        ready.remove(&next);
        done += 1;
        if happened[next.1 as usize] {
            for write in registers.writes_of(next.1) {
                state.insert(write.key, write.value);
            }
        }
        release(graph, next.1, kept, &mut waiting, &mut free);
    }
    done == transactions.len()
}

fn release(
    graph: &Graph,
    vertex: u32,
    kept: impl Fn(Class) -> bool,
    waiting: &mut [u32],
    free: &mut Vec<u32>,
) {
    for (target, class) in graph.out(vertex) {
        if kept(class) {
            waiting[target as usize] -= 1;
            if waiting[target as usize] == 0 {
                free.push(target);
            }
        }
    }
}
