//! The dependencies between transactions that their lists show, as edges.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use super::graph::{Class, Edges};
use super::lists::Read;
use super::observed::Observed;

/// How much is known of the order of appends that no read shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unobserved {
    /// Nothing.
    Open,
    /// They were made in the order in which the suspects came. If that explains everything, it does not matter in which
    /// order they really were.
    Guessed,
}

/// Some of the transactions, those among which cycles are looked for. A vertex of their graph is a place here.
#[derive(Debug)]
pub(super) struct Among {
    /// In the order of their numbers.
    pub(super) list: Vec<u32>,
    places: FxHashMap<u32, u32>,
    /// For each place, how many of them came before in the order in which they were given.
    ranks: Vec<u32>,
}

impl Among {
    pub(super) fn new(given: &[u32]) -> Among {
        let mut list = given.to_vec();
        list.sort_unstable();
        let places: FxHashMap<u32, u32> = list.iter().copied().zip(0..).collect();
        let mut ranks = vec![0; list.len()];
        for (rank, transaction) in (0..).zip(given) {
            ranks[places[transaction] as usize] = rank;
        }
        Among { list, places, ranks }
    }

    fn place(&self, transaction: u32) -> Option<u32> {
        self.places.get(&transaction).copied()
    }

    fn places(&self, transactions: &[u32]) -> Vec<u32> {
        transactions.iter().filter_map(|transaction| self.place(*transaction)).collect()
    }

    fn add(&self, edges: &mut Edges, from: u32, to: u32, class: Class) {
        if let (Some(from), Some(to)) = (self.place(from), self.place(to)) {
            edges.add(from, to, class);
        }
    }
}

/// Adds the dependencies between some of the transactions. Elements of transactions that failed, and of nobody, are passed
/// over.
///
/// A reader gets edges to all later writers and not only to the next: read atomic and causal consistency forbid it to see
/// any of them, and not only by way of the next.
pub(super) fn depend(observed: &Observed<'_>, among: &Among, unobserved: Unobserved, edges: &mut Edges) {
    let lists = observed.lists;
    let mut readers: BTreeMap<u32, Vec<(u32, Read)>> = BTreeMap::new();
    let mut open: BTreeSet<u32> = BTreeSet::new();
    for transaction in among.list.iter().copied().filter(|transaction| observed.happened(*transaction)) {
        for append in lists.appends_of(transaction) {
            if let Some(place) = append.place {
                if let Some((next, _)) = observed.writer_from(append.key, place + 1) {
                    among.add(edges, transaction, next, Class::WW);
                }
            } else {
                open.insert(append.key);
            }
        }
        for read in lists.reads_of(transaction) {
            if let Some((writer, _)) = observed.writer_before(read.key, read.length) {
                among.add(edges, writer, transaction, Class::WR);
            }
            readers.entry(read.key).or_default().push((transaction, read));
        }
        for writer in observed.sources(transaction) {
            among.add(edges, *writer, transaction, Class::WR);
        }
    }
    for key in open {
        let list = observed.unobserved(key);
        if let Some((last, _)) = observed.writer_before(key, observed.length(key)) {
            for writer in list {
                among.add(edges, last, *writer, Class::WW);
            }
        }
        if unobserved == Unobserved::Guessed {
            let mut list = among.places(list);
            list.sort_unstable_by_key(|place| among.ranks[*place as usize]);
            for pair in list.windows(2) {
                edges.add(pair[0], pair[1], Class::WW);
            }
        }
    }
    for (key, reads) in readers {
        precede_later(observed, among, key, &reads, edges);
    }
}

/// Edges from the readers of a key to every later writer, by way of a row of links along the key's order. A reader that
/// writes the key too must not reach itself: it gets edges of its own, up to its own append.
fn precede_later(observed: &Observed<'_>, among: &Among, key: u32, reads: &[(u32, Read)], edges: &mut Edges) {
    let length = observed.length(key);
    let writer_at = |place: u32| among.place(observed.writer_at(key, place)?);
    // Before the first reader, and behind the last writer, there is nothing to lead to.
    let first = reads.iter().map(|(_, read)| read.length).min().unwrap_or(length);
    let writers: Vec<(u32, u32)> =
        (first..length).filter_map(|place| Some((place, writer_at(place)?))).collect();
    let row: Vec<u32> = writers.iter().map(|_| edges.link()).collect();
    for (number, link) in row.iter().enumerate() {
        edges.add(*link, writers[number].1, Class::LINK);
        if let Some(next) = row.get(number + 1) {
            edges.add(*link, *next, Class::LINK);
        }
    }
    let from = |place: u32| writers.partition_point(|(other, _)| *other < place);
    let mut last: Vec<u32> = Vec::new();
    for (transaction, read) in reads {
        let Some(reader) = among.place(*transaction) else { continue };
        let own = observed.lists.appends_of(*transaction).filter(|append| append.key == key);
        let own = own.map(|append| append.place.unwrap_or(length)).min();
        if let Some(end) = own {
            for (_, writer) in &writers[from(read.length)..from(end).max(from(read.length))] {
                edges.add(reader, *writer, Class::RW);
            }
        } else if let Some(link) = row.get(from(read.length)) {
            edges.add(reader, *link, Class::RW);
        }
        if own.is_none_or(|own| own == length) {
            last.push(reader);
        }
    }
    last.sort_unstable();
    last.dedup();
    let unobserved = among.places(observed.unobserved(key));
    if !unobserved.is_empty() {
        edges.fan(&last, &unobserved, Class::RW);
    }
}
