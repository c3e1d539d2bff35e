//! Registers that transactions write and read: what was written and read, and the dependencies that this shows.

use std::collections::BTreeMap;

use rashomon_core::{Kind, Value};
use rustc_hash::FxHashMap;

use super::append::tell;
use super::finding::Findings;
use super::graph::{Class, Edges};
use super::lists::text;
use super::transactions::{Transaction, Verb, micro_op};
use crate::models::{Datum, Values};

/// One access of one transaction to one register: a write, or a read of what others wrote.
#[derive(Clone, Copy, Debug)]
pub(super) struct Access {
    pub(super) transaction: u32,
    pub(super) key: u32,
    /// `None`: nothing, as before the first write.
    pub(super) value: Option<u32>,
}

/// All registers of a history.
#[derive(Debug, Default)]
pub(super) struct Registers {
    keys: Values,
    values: Values,
    pub(super) writes: Vec<Access>,
    /// The reads of transactions that ended ok, but those of what the transaction itself wrote or read before.
    pub(super) reads: Vec<Access>,
    written: FxHashMap<(u32, u32), u32>,
    pub(super) contradictions: Vec<(u32, u32, &'static str, String)>,
    /// For each transaction, where its writes and its reads stand.
    spans: Vec<[u32; 4]>,
    /// How many reads there were.
    pub(super) read: usize,
}

impl Registers {
    /// Takes the micro-ops of one transaction, which counts even when it failed: its values must not be read.
    pub(super) fn take(
        &mut self,
        transaction: u32,
        outcome: Kind,
        micro_ops: &[Value],
    ) -> Result<(), String> {
        let starts = [self.writes.len() as u32, self.reads.len() as u32];
        let mut parsed = Vec::with_capacity(micro_ops.len());
        for micro in micro_ops {
            let (verb, key, argument) = micro_op(micro)?;
            let key = self.keys.intern(key).number();
            let value = (!argument.is_null()).then(|| self.values.intern(argument).number());
            match (verb, value) {
                (Verb::Read, _) => {}
                (Verb::Write, Some(value)) => {
                    let number = self.writes.len() as u32;
                    if self.written.insert((key, value), number).is_some() {
                        let (key, value) = (self.key(key), self.show(Some(value)));
                        return Err(format!(
                            "{value} is written to key {key} a second time: values must differ"
                        ));
                    }
                    self.writes.push(Access { transaction, key, value: Some(value) });
                }
                (Verb::Write, None) => {
                    return Err(format!("{micro}: null stands for nothing and is not written"));
                }
                (Verb::Append, _) => return Err(format!("{micro}: a register takes w and r, not append")),
            }
            parsed.push((verb, key, value));
        }
        if outcome == Kind::Ok {
            self.observe(transaction, &parsed);
        }
        if self.spans.len() <= transaction as usize {
            self.spans.resize(transaction as usize + 1, [0; 4]);
        }
        let ends = [self.writes.len() as u32, self.reads.len() as u32];
        self.spans[transaction as usize] = [starts[0], ends[0], starts[1], ends[1]];
        Ok(())
    }

    fn observe(&mut self, transaction: u32, micro_ops: &[(Verb, u32, Option<u32>)]) {
        let mut known: Vec<(u32, Option<u32>)> = Vec::new();
        for (place, (verb, key, value)) in micro_ops.iter().enumerate() {
            let before = known.iter().rfind(|(other, _)| other == key).map(|(_, value)| *value);
            if *verb == Verb::Read {
                self.read += 1;
                let later = &micro_ops[place + 1..];
                if later
                    .iter()
                    .any(|(verb, other, written)| *verb == Verb::Write && other == key && written == value)
                {
                    let because = format!(
                        "it read {} from key {} before it wrote it",
                        self.show(*value),
                        self.key(*key)
                    );
                    self.contradictions.push((transaction, *key, "future-read", because));
                }
                match before {
                    Some(before) if before == *value => {}
                    before => {
                        self.reads.push(Access { transaction, key: *key, value: *value });
                        if let Some(before) = before {
                            let because = format!(
                                "it read {} from key {} after it had read or written {}",
                                self.show(*value),
                                self.key(*key),
                                self.show(before)
                            );
                            self.contradictions.push((transaction, *key, "internal", because));
                        }
                    }
                }
            }
            known.push((*key, *value));
        }
    }

    fn writer(&self, key: u32, value: u32) -> Option<u32> {
        self.written.get(&(key, value)).map(|write| self.writes[*write as usize].transaction)
    }

    pub(super) fn writes_of(&self, transaction: u32) -> &[Access] {
        let [first, end, ..] = self.span(transaction);
        &self.writes[first as usize..end as usize]
    }

    pub(super) fn reads_of(&self, transaction: u32) -> &[Access] {
        let [.., first, end] = self.span(transaction);
        &self.reads[first as usize..end as usize]
    }

    fn span(&self, transaction: u32) -> [u32; 4] {
        self.spans.get(transaction as usize).copied().unwrap_or_default()
    }

    fn key(&self, key: u32) -> String {
        text(&self.keys.get(Datum::from_number(key)))
    }

    fn show(&self, value: Option<u32>) -> String {
        value.map_or_else(
            || "nothing".to_owned(),
            |value| self.values.get(Datum::from_number(value)).to_string(),
        )
    }

    /// About how much memory it takes.
    pub(super) fn bytes(&self) -> usize {
        (self.writes.capacity() + self.reads.capacity()) * size_of::<Access>()
            + self.written.capacity() * 16
            + self.spans.capacity() * 16
    }

    /// Whether each transaction is known to have happened.
    pub(super) fn happened(&self, transactions: &[Transaction]) -> Vec<bool> {
        let mut happened: Vec<bool> = transactions.iter().map(|one| one.outcome == Kind::Ok).collect();
        for read in &self.reads {
            if let Some(writer) = read.value.and_then(|value| self.writer(read.key, value)) {
                happened[writer as usize] |= transactions[writer as usize].outcome == Kind::Info;
            }
        }
        happened
    }

    /// Adds the dependencies that are known: a reader comes after the writer; who read a version and wrote the next comes
    /// after the version's writer and its other readers; and who read nothing comes before all writers.
    pub(super) fn depend(&self, happened: &[bool], edges: &mut Edges) {
        let mut readers: BTreeMap<(u32, Option<u32>), Vec<u32>> = BTreeMap::new();
        let mut writers: BTreeMap<(u32, Option<u32>), Vec<u32>> = BTreeMap::new();
        for read in &self.reads {
            let writer = read.value.and_then(|value| self.writer(read.key, value));
            if let Some(writer) = writer.filter(|writer| happened[*writer as usize]) {
                edges.add(writer, read.transaction, Class::WR);
            }
            readers.entry((read.key, read.value)).or_default().push(read.transaction);
            if self.writes_of(read.transaction).iter().any(|write| write.key == read.key)
                && read.value.is_some()
            {
                if let Some(writer) = writer.filter(|writer| happened[*writer as usize]) {
                    edges.add(writer, read.transaction, Class::WW);
                }
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
    pub(super) fn anomalies(&self, transactions: &[Transaction]) -> Findings {
        let told = |transaction: u32| tell(&transactions[transaction as usize]);
        let mut found = Findings::default();
        for (transaction, key, name, because) in &self.contradictions {
            found.note(name, || {
                let because = format!("{}: {because}", told(*transaction));
                (self.key(*key), vec![*transaction], because)
            });
        }
        let mut updates = Vec::new();
        for read in &self.reads {
            if self.writes_of(read.transaction).iter().any(|write| write.key == read.key) {
                updates.push((read.key, read.value, read.transaction));
            }
            let Some(value) = read.value else { continue };
            let names = || (self.key(read.key), self.show(read.value), told(read.transaction));
            let Some(writer) = self.writer(read.key, value) else {
                found.note("garbage-read", || {
                    let (key, shown, reader) = names();
                    let because = format!("{reader} read {shown} from key {key}, and nobody wrote it");
                    (key, vec![read.transaction], because)
                });
                continue;
            };
            let both = vec![writer, read.transaction];
            let last = self.writes_of(writer).iter().rfind(|write| write.key == read.key);
            if transactions[writer as usize].outcome == Kind::Fail {
                found.note("G1a", || {
                    let (key, shown, reader) = names();
                    let because =
                        format!("{reader} read {shown} from key {key}, and {}, failed", told(writer));
                    (key, both, because)
                });
            } else if writer != read.transaction && last.is_some_and(|write| write.value != read.value) {
                found.note("G1b", || {
                    let (key, shown, reader) = names();
                    let because = format!(
                        "{reader} read {shown} from key {key}, which {} replaced before it ended",
                        told(writer)
                    );
                    (key, both, because)
                });
            }
        }
        updates.sort_unstable();
        updates.dedup();
        for group in updates.chunk_by(|one, two| (one.0, one.1) == (two.0, two.1)) {
            if let [(key, value, first), (.., second), ..] = group {
                found.note("lost-update", || {
                    let name = self.key(*key);
                    let because = format!(
                        "{} and {} both found {} at key {name} and both wrote it",
                        told(*first),
                        told(*second),
                        self.show(*value)
                    );
                    let transactions = group.iter().map(|(.., transaction)| *transaction).collect();
                    (name, transactions, because)
                });
            }
        }
        found
    }

    /// Why one transaction comes before another: the key, and a sentence.
    pub(super) fn why(&self, from: u32, class: Class, to: u32) -> Option<(String, String)> {
        let by = |read: &&Access| read.value.is_some_and(|value| self.writer(read.key, value) == Some(from));
        let writes = |key: u32| self.writes_of(to).iter().find(move |write| write.key == key);
        let (key, because) = match class {
            Class::WR => {
                let read = self.reads_of(to).iter().find(by)?;
                let (key, value) = (self.key(read.key), self.show(read.value));
                (read.key, format!("it wrote {value} to key {key}, and the other read it"))
            }
            Class::WW => {
                let read = self.reads_of(to).iter().filter(by).find(|read| writes(read.key).is_some())?;
                let (key, value) = (self.key(read.key), self.show(read.value));
                (read.key, format!("it wrote {value} to key {key}, which the other read and replaced"))
            }
            Class::RW => {
                let (read, write) = self.reads_of(from).iter().find_map(|read| {
                    let same = |other: &Access| (other.key, other.value) == (read.key, read.value);
                    let replaced = read.value.is_none() || self.reads_of(to).iter().any(same);
                    writes(read.key).filter(|_| replaced).map(|write| (read, write))
                })?;
                let (key, value) = (self.key(read.key), self.show(read.value));
                let next = self.show(write.value);
                (read.key, format!("it read {value} from key {key}, which the other replaced by {next}"))
            }
            _ => return None,
        };
        Some((self.key(key), because))
    }
}
