//! Which row of the timeline a process is on.

use std::collections::{BTreeMap, BTreeSet};

use rashomon_core::{History, Process};
use serde::Serialize;

/// The most rows that are drawn.
const MOST: usize = 64;

/// A row: one client thread, whose processes follow one another.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    /// Its first process.
    first: u64,
    /// How many processes it was in turn.
    processes: u64,
    /// The node that its ops were sent to, where it was the same for most.
    node: Option<String>,
}

/// The rows, and who is on which.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) drawn: Vec<Row>,
    of: BTreeMap<u64, usize>,
    /// Rows beyond those drawn.
    pub(crate) beyond: u64,
}

impl Rows {
    /// The row of a process; `None` when it is not drawn.
    pub(crate) fn of(&self, process: Process) -> Option<usize> {
        match process {
            Process::Client(number) => self.of.get(&number).copied(),
            Process::Nemesis => None,
        }
    }
}

/// The first and the last index of a process.
type Life = (u64, u64);

/// Puts processes on rows: by thread where the number of threads is known, else wherever there is room.
/// The rows of the ops in `core` are always among those drawn.
pub(crate) fn assign<'a>(
    history: &History,
    threads: Option<u64>,
    core: impl IntoIterator<Item = &'a u64>,
) -> Rows {
    let mut lives: BTreeMap<u64, Life> = BTreeMap::new();
    let mut nodes: BTreeMap<u64, BTreeMap<&str, u64>> = BTreeMap::new();
    for op in history.ops() {
        let Process::Client(number) = op.process else { continue };
        lives.entry(number).or_insert((op.index, op.index)).1 = op.index;
        if let Some(node) = op.node.as_deref() {
            let of_process = nodes.entry(number).or_default();
            // Hostile files may name a fresh node with every op.
            if of_process.len() < 64 || of_process.contains_key(node) {
                *of_process.entry(node).or_default() += 1;
            }
        }
    }
    let by_thread = threads.and_then(|threads| by_thread(&lives, threads));
    let of = by_thread.unwrap_or_else(|| by_room(&lives));

    let wanted: BTreeSet<usize> = core
        .into_iter()
        .filter_map(|index| history.op(*index))
        .filter_map(|op| match op.process {
            Process::Client(number) => of.get(&number).copied(),
            Process::Nemesis => None,
        })
        .collect();
    let all: BTreeSet<usize> = of.values().copied().collect();
    let others = all.difference(&wanted).copied();
    let kept: BTreeSet<usize> = wanted.iter().copied().chain(others).take(MOST).collect();
    let place: BTreeMap<usize, usize> = kept.iter().enumerate().map(|(place, row)| (*row, place)).collect();

    let of: BTreeMap<u64, usize> =
        of.into_iter().filter_map(|(process, row)| place.get(&row).map(|place| (process, *place))).collect();
    let mut rows: Vec<Row> = kept.iter().map(|_| Row { first: u64::MAX, processes: 0, node: None }).collect();
    let mut tallies: Vec<BTreeMap<&str, u64>> = vec![BTreeMap::new(); rows.len()];
    for (process, place) in &of {
        let row = &mut rows[*place];
        row.first = row.first.min(*process);
        row.processes += 1;
        for (node, count) in nodes.get(process).into_iter().flatten() {
            *tallies[*place].entry(node).or_default() += count;
        }
    }
    for (row, tally) in rows.iter_mut().zip(tallies) {
        let total: u64 = tally.values().sum();
        let most = tally.into_iter().max_by_key(|(_, count)| *count);
        row.node = most
            .filter(|(_, count)| count * 10 >= total * 6)
            .map(|(node, _)| crate::describe::clean(node, 12));
    }
    Rows { drawn: rows, of, beyond: (all.len() - kept.len()) as u64 }
}

/// A process and its successors share a thread: their numbers differ by multiples of the number of threads.
/// `None` when two processes of one thread overlap, so that the number cannot be right.
fn by_thread(lives: &BTreeMap<u64, Life>, threads: u64) -> Option<BTreeMap<u64, usize>> {
    let mut last: BTreeMap<u64, u64> = BTreeMap::new();
    let mut of = BTreeMap::new();
    // A thread's processes have growing numbers, so their lives must follow in that order.
    for (process, (begin, end)) in lives {
        let thread = process % threads;
        if last.insert(thread, *end).is_some_and(|before| before > *begin) {
            return None;
        }
        of.insert(*process, thread as usize);
    }
    Some(of)
}

/// The first row that is free when a process begins.
fn by_room(lives: &BTreeMap<u64, Life>) -> BTreeMap<u64, usize> {
    let mut order: Vec<(&u64, &Life)> = lives.iter().collect();
    order.sort_by_key(|(_, life)| life.0);
    let mut free_at: BTreeSet<(u64, usize)> = BTreeSet::new();
    let mut rows = 0;
    let mut of = BTreeMap::new();
    for (process, (begin, end)) in order {
        let row = match free_at.first().copied() {
            Some((before, row)) if before < *begin => {
                free_at.pop_first();
                row
            }
            _ => {
                rows += 1;
                rows - 1
            }
        };
        free_at.insert((*end, row));
        of.insert(*process, row);
    }
    of
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retired_process_and_its_successor_share_a_row() {
        let lives = BTreeMap::from([(0, (0, 9)), (1, (1, 30)), (2, (10, 40))]);
        assert_eq!(by_thread(&lives, 2), Some(BTreeMap::from([(0, 0), (1, 1), (2, 0)])));
        assert_eq!(by_room(&lives), BTreeMap::from([(0, 0), (1, 1), (2, 0)]));
    }

    #[test]
    fn a_wrong_number_of_threads_is_noticed() {
        let lives = BTreeMap::from([(0, (0, 20)), (1, (1, 30))]);
        assert_eq!(by_thread(&lives, 1), None);
    }
}
