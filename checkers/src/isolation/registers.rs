//! Registers that transactions write and read: what was written and read, and the dependencies that this shows.

use std::collections::BTreeMap;

use rashomon_core::Kind;
use rustc_hash::FxHashMap;

use super::finding::{Findings, Mark};
use super::graph::{Class, Edges, TooLarge};
use super::micro_ops::{Argument, MicroOp, Names, Verb};
use super::reasons::tell;
use super::stream::Twice;
use super::transactions::Transactions;
use super::versions::Versions;

/// One access of one transaction to one register: a write, or a read of what others wrote.
#[derive(Clone, Copy, Debug)]
pub(super) struct Access {
    pub(super) transaction: u32,
    pub(super) key: u32,
    /// `None`: nothing, as before the first write.
    pub(super) value: Option<u32>,
}

/// A transaction that contradicts itself: what it read, and where this differs from what it had read or written before,
/// that. It may have read what it wrote only later.
#[derive(Clone, Copy, Debug)]
pub(super) struct Contradiction {
    transaction: u32,
    key: u32,
    /// The place of the read among its micro-ops.
    place: u32,
    found: Option<u32>,
    kind: ContradictionKind,
}

#[derive(Clone, Copy, Debug)]
enum ContradictionKind {
    Internal { before: Option<u32> },
    Future,
}

/// All registers of a history.
#[derive(Debug, Default)]
pub(super) struct Registers {
    pub(super) writes: Vec<Access>,
    /// The reads of transactions that ended ok, but those of what the transaction itself wrote or read before.
    pub(super) reads: Vec<Access>,
    written: FxHashMap<(u32, u32), u32>,
    pub(super) contradictions: Vec<Contradiction>,
    /// For each transaction, where its writes begin, and where its reads begin and end.
    begins: Vec<u32>,
    spans: Vec<[u32; 2]>,
    /// How many reads there were.
    pub(super) read: usize,
}

impl Registers {
    /// A transaction begins: it may write from now on, even if it fails, and then nobody must read it.
    pub(super) fn begin(&mut self, number: u32, micro_ops: &[MicroOp]) -> Result<(), Twice> {
        self.begins.push(self.writes.len() as u32);
        self.spans.push([0; 2]);
        for MicroOp { key, argument, .. } in micro_ops {
            let Argument::Value(value) = *argument else { continue };
            let write = self.writes.len() as u32;
            if self.written.insert((*key, value), write).is_some() {
                return Err(Twice { key: *key, value });
            }
            self.writes.push(Access { transaction: number, key: *key, value: Some(value) });
        }
        Ok(())
    }

    /// A transaction ends ok: goes through it as it happened.
    pub(super) fn end(&mut self, number: u32, micro_ops: &[MicroOp]) {
        let first = self.reads.len() as u32;
        let value = |one: &MicroOp| match one.argument {
            Argument::Value(value) => Some(value),
            Argument::Nothing | Argument::List(..) => None,
        };
        for (place, one) in micro_ops.iter().enumerate().filter(|(_, one)| one.verb == Verb::Read) {
            self.read += 1;
            let (key, found) = (one.key, value(one));
            let (before, later) = (&micro_ops[..place], &micro_ops[place + 1..]);
            let mut contradict = |kind| {
                let place = place as u32;
                self.contradictions.push(Contradiction { transaction: number, key, place, found, kind });
            };
            let writes_it = |other: &MicroOp| {
                other.verb == Verb::Write && other.key == key && other.argument == one.argument
            };
            if later.iter().any(writes_it) {
                contradict(ContradictionKind::Future);
            }
            let before = before.iter().rfind(|other| other.key == key).map(value);
            if before == Some(found) {
                continue;
            }
            if let Some(before) = before {
                contradict(ContradictionKind::Internal { before });
            }
            self.reads.push(Access { transaction: number, key, value: found });
        }
        self.spans[number as usize] = [first, self.reads.len() as u32];
    }

    fn writer(&self, key: u32, value: u32) -> Option<u32> {
        self.written.get(&(key, value)).map(|write| self.writes[*write as usize].transaction)
    }

    pub(super) fn writes_of(&self, transaction: u32) -> &[Access] {
        let first = self.begins[transaction as usize] as usize;
        let end = self.begins.get(transaction as usize + 1).map_or(self.writes.len(), |end| *end as usize);
        &self.writes[first..end]
    }

    pub(super) fn reads_of(&self, transaction: u32) -> &[Access] {
        let [first, end] = self.spans[transaction as usize];
        &self.reads[first as usize..end as usize]
    }

    /// About how much memory it takes.
    pub(super) fn bytes(&self) -> usize {
        (self.writes.capacity() + self.reads.capacity()) * size_of::<Access>()
            + self.written.capacity() * 16
            + self.spans.capacity() * 12
            + self.contradictions.capacity() * size_of::<Contradiction>()
    }

    /// Whether each transaction is known to have happened.
    pub(super) fn happened(&self, transactions: &Transactions) -> Vec<bool> {
        let mut happened: Vec<bool> =
            transactions.numbers().map(|number| transactions.outcome(number) == Kind::Ok).collect();
        for read in &self.reads {
            if let Some(writer) = read.value.and_then(|value| self.writer(read.key, value)) {
                happened[writer as usize] |= transactions.outcome(writer) == Kind::Info;
            }
        }
        happened
    }

    /// What each transaction shows of the order of the values of a key: it read one and wrote another.
    pub(super) fn versions(&self, happened: &[bool]) -> Result<Versions, TooLarge> {
        let steps = self.reads.iter().flat_map(|read| {
            let from = read.value.filter(|_| happened[read.transaction as usize]);
            let writes = self.writes_of(read.transaction).iter().filter(|write| write.key == read.key);
            writes.filter_map(move |write| Some((read.key, from?, write.value?)))
        });
        Versions::of(steps.filter(|(_, from, to)| from != to))
    }

    /// Adds the dependencies that are known: a reader comes after the writer; who read a version and wrote the next comes
    /// after the version's other readers; and who read nothing comes before all writers. Where what transactions show of
    /// the order of a key's values contradicts itself, it is not used.
    ///
    /// Who read a version and wrote the next also comes after the version's writer, which is known from the read alone.
    pub(super) fn depend(&self, happened: &[bool], versions: &Versions, edges: &mut Edges) {
        let mut readers: BTreeMap<(u32, Option<u32>), Vec<u32>> = BTreeMap::new();
        let mut writers: BTreeMap<(u32, Option<u32>), Vec<u32>> = BTreeMap::new();
        for read in &self.reads {
            let writer = read.value.and_then(|value| self.writer(read.key, value));
            if let Some(writer) = writer.filter(|writer| happened[*writer as usize]) {
                edges.add(writer, read.transaction, Class::WR);
            }
            readers.entry((read.key, read.value)).or_default().push(read.transaction);
            if read.value.is_some()
                && !versions.contradict(read.key)
                && self.writes_of(read.transaction).iter().any(|write| write.key == read.key)
            {
                writers.entry((read.key, read.value)).or_default().push(read.transaction);
            }
        }
        for write in self.writes.iter().filter(|write| happened[write.transaction as usize]) {
            writers.entry((write.key, None)).or_default().push(write.transaction);
        }
        for (version, mut readers) in readers {
            if let Some(mut writers) = writers.remove(&version) {
                readers.sort_unstable();
                readers.dedup();
                writers.sort_unstable();
                writers.dedup();
                edges.fan(&readers, &writers, Class::RW);
            }
        }
    }

    /// The anomalies that need no cycle.
    pub(super) fn anomalies(
        &self,
        transactions: &Transactions,
        names: &Names,
        versions: &Versions,
    ) -> Findings {
        let told = |transaction: u32| tell(&transactions.get(transaction));
        let show =
            |value: Option<u32>| value.map_or_else(|| "nothing".to_owned(), |value| names.value(value));
        let mut found = Findings::default();
        for (key, cycle) in versions.contradictions() {
            found.note("cyclic-versions", || {
                let values: Vec<String> = cycle.iter().map(|value| names.value(*value)).collect();
                let because = format!(
                    "transactions that read one value of key {} and wrote another put {} before {}: this order of its \
                     values was not used",
                    names.key(key),
                    values.join(" before "),
                    values[0]
                );
                let write = |value: &u32| {
                    Some(Mark::new(self.writer(key, *value)?, Verb::Write).of(names.raw(*value)))
                };
                (names.key(key), cycle.iter().filter_map(write).collect(), because)
            });
        }
        for Contradiction { transaction, key, place, found: shown, kind } in &self.contradictions {
            let (name, otherwise) = match kind {
                ContradictionKind::Internal { before } => {
                    ("internal", format!("after it had read or written {}", show(*before)))
                }
                ContradictionKind::Future => ("future-read", "before it wrote it".to_owned()),
            };
            found.note(name, || {
                let (key, shown) = (names.key(*key), show(*shown));
                let because = format!("{}: it read {shown} from key {key} {otherwise}", told(*transaction));
                let read = Mark::new(*transaction, Verb::Read).at(*place as usize).illegal();
                (key, vec![read], because)
            });
        }
        let mut updates = Vec::new();
        for read in &self.reads {
            if self.writes_of(read.transaction).iter().any(|write| write.key == read.key) {
                updates.push((read.key, read.value, read.transaction));
            }
            let Some(value) = read.value else { continue };
            let marked = || Mark::new(read.transaction, Verb::Read).of(names.raw(value)).illegal();
            let written = |by: u32| Mark::new(by, Verb::Write).of(names.raw(value));
            let names = || (names.key(read.key), show(read.value), told(read.transaction));
            let Some(writer) = self.writer(read.key, value) else {
                found.note("garbage-read", || {
                    let (key, shown, reader) = names();
                    let because = format!("{reader} read {shown} from key {key}, and nobody wrote it");
                    (key, vec![marked()], because)
                });
                continue;
            };
            let last = self.writes_of(writer).iter().rfind(|write| write.key == read.key);
            if transactions.outcome(writer) == Kind::Fail {
                found.note("G1a", || {
                    let (key, shown, reader) = names();
                    let because = format!(
                        "{reader} read {shown} from key {key}, and {}, which wrote it, failed",
                        told(writer)
                    );
                    (key, vec![written(writer), marked()], because)
                });
            } else if writer != read.transaction && last.is_some_and(|write| write.value != read.value) {
                found.note("G1b", || {
                    let (key, shown, reader) = names();
                    let because = format!(
                        "{reader} read {shown} from key {key}, which {} replaced before it ended",
                        told(writer)
                    );
                    (key, vec![written(writer), marked()], because)
                });
            }
        }
        updates.sort_unstable();
        updates.dedup();
        for group in updates.chunk_by(|one, two| (one.0, one.1) == (two.0, two.1)) {
            if let [(key, value, first), (.., second), ..] = group {
                found.note("lost-update", || {
                    let name = names.key(*key);
                    let because = format!(
                        "{} and {} both found {} at key {name} and both wrote it",
                        told(*first),
                        told(*second),
                        show(*value)
                    );
                    let both =
                        |transaction| [Verb::Read, Verb::Write].map(|verb| Mark::new(transaction, verb));
                    let marks = group.iter().flat_map(|(.., transaction)| both(*transaction)).collect();
                    (name, marks, because)
                });
            }
        }
        found
    }

    /// Why one transaction comes before another: the key, and a sentence.
    pub(super) fn why(&self, names: &Names, from: u32, class: Class, to: u32) -> Option<(String, String)> {
        let show =
            |value: Option<u32>| value.map_or_else(|| "nothing".to_owned(), |value| names.value(value));
        let by = |read: &&Access| read.value.is_some_and(|value| self.writer(read.key, value) == Some(from));
        let writes = |key: u32| self.writes_of(to).iter().find(move |write| write.key == key);
        let (key, because) = match class {
            Class::WR => {
                let read = self.reads_of(to).iter().find(by)?;
                let (key, value) = (names.key(read.key), show(read.value));
                (read.key, format!("it wrote {value} to key {key}, and the other read it"))
            }
            Class::RW => {
                let (read, write) = self.reads_of(from).iter().find_map(|read| {
                    let same = |other: &Access| (other.key, other.value) == (read.key, read.value);
                    let replaced = read.value.is_none() || self.reads_of(to).iter().any(same);
                    writes(read.key).filter(|_| replaced).map(|write| (read, write))
                })?;
                let (key, value) = (names.key(read.key), show(read.value));
                let next = show(write.value);
                (read.key, format!("it read {value} from key {key}, which the other replaced by {next}"))
            }
            _ => return None,
        };
        Some((names.key(key), because))
    }
}
