//! Registers that transactions write and read: what was written and read, in compact arrays.

use rashomon_core::Kind;
use rustc_hash::FxHashMap;

use crate::isolation::micro_ops::{Argument, MicroOp, Verb};
use crate::isolation::stream::Twice;
use crate::isolation::transactions::Transactions;

/// One write of one transaction to one register.
#[derive(Clone, Copy, Debug)]
pub(super) struct Write {
    pub(super) transaction: u32,
    pub(super) key: u32,
    pub(super) value: u32,
}

/// One read of what others wrote to a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Read {
    pub(super) key: u32,
    pub(super) source: Source,
}

/// Where a value that was read comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Nothing was read, as before the first write.
    Nothing,
    /// This write.
    Write(u32),
    /// This value, which nobody wrote.
    Nobody(u32),
}

/// A read as it is kept.
#[derive(Clone, Copy, Debug)]
struct Found {
    key: u32,
    /// The number of the write, or [`NOTHING`], or above [`STRANGE`] the place of a stranger.
    source: u32,
}

const NOTHING: u32 = u32::MAX;
const STRANGE: u32 = 1 << 31;

/// A value that was read while nobody had been asked to write it.
#[derive(Clone, Copy, Debug)]
struct Stranger {
    value: u32,
    /// The place of the read.
    read: u32,
}

/// A transaction that contradicts itself: what it read, and where this differs from what it had read or written before,
/// that. It may have read what it wrote only later.
#[derive(Clone, Copy, Debug)]
pub(super) struct Contradiction {
    pub(super) transaction: u32,
    pub(super) key: u32,
    /// The place of the read among its micro-ops.
    pub(super) place: u32,
    pub(super) found: Option<u32>,
    pub(super) kind: ContradictionKind,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum ContradictionKind {
    Internal { before: Option<u32> },
    Future,
}

/// All registers of a history.
#[derive(Debug, Default)]
pub(in crate::isolation) struct Registers {
    pub(super) writes: Vec<Write>,
    /// The reads of transactions that ended ok, but those of what the transaction itself wrote or read before.
    reads: Vec<Found>,
    strangers: Vec<Stranger>,
    /// The number of each write, by key and value.
    written: FxHashMap<(u32, u32), u32>,
    pub(super) contradictions: Vec<Contradiction>,
    /// For each transaction, where its writes begin, and where its reads begin and end.
    begins: Vec<u32>,
    spans: Vec<[u32; 2]>,
    /// No key has this number or a higher one.
    keys: u32,
    /// How many reads there were.
    pub(super) read: usize,
}

impl Registers {
    /// A transaction begins: it may write from now on, even if it fails, and then nobody must read it.
    pub(in crate::isolation) fn begin(&mut self, number: u32, micro_ops: &[MicroOp]) -> Result<(), Twice> {
        self.begins.push(self.writes.len() as u32);
        self.spans.push([0; 2]);
        for MicroOp { key, argument, .. } in micro_ops {
            self.keys = self.keys.max(*key + 1);
            let Argument::Value(value) = *argument else { continue };
            let write = self.writes.len() as u32;
            if self.written.insert((*key, value), write).is_some() {
                return Err(Twice { key: *key, value });
            }
            self.writes.push(Write { transaction: number, key: *key, value });
        }
        Ok(())
    }

    /// A transaction ends ok: goes through it as it happened.
    pub(in crate::isolation) fn end(&mut self, number: u32, micro_ops: &[MicroOp]) {
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
            let source = found.map_or(NOTHING, |value| {
                self.written.get(&(key, value)).copied().unwrap_or_else(|| {
                    self.strangers.push(Stranger { value, read: self.reads.len() as u32 });
                    STRANGE | (self.strangers.len() as u32 - 1)
                })
            });
            self.reads.push(Found { key, source });
        }
        self.spans[number as usize] = [first, self.reads.len() as u32];
    }

    /// All was read: who is still said to have read what nobody wrote then did so.
    pub(super) fn settled(mut self) -> Registers {
        for Stranger { value, read } in &self.strangers {
            let Found { key, source } = &mut self.reads[*read as usize];
            if let Some(write) = self.written.get(&(*key, *value)) {
                *source = *write;
            }
        }
        // Nobody asks for a write by its value any more.
        self.written = FxHashMap::default();
        self
    }

    /// How many keys there are.
    pub(super) fn keys(&self) -> usize {
        self.keys as usize
    }

    /// The numbers of a transaction's writes.
    pub(super) fn range_of(&self, transaction: u32) -> std::ops::Range<u32> {
        let end = self.begins.get(transaction as usize + 1);
        self.begins[transaction as usize]..end.map_or(self.writes.len() as u32, |end| *end)
    }

    pub(super) fn writes_of(&self, transaction: u32) -> &[Write] {
        let range = self.range_of(transaction);
        &self.writes[range.start as usize..range.end as usize]
    }

    /// Whether a transaction writes a key.
    pub(super) fn writes_to(&self, transaction: u32, key: u32) -> bool {
        self.writes_of(transaction).iter().any(|write| write.key == key)
    }

    /// The writes of a transaction that others may see, as no other of its own to the same key follows.
    pub(super) fn last_writes_of(&self, transaction: u32) -> impl Iterator<Item = (u32, Write)> {
        let writes = self.writes_of(transaction);
        let is_last =
            move |place: usize| writes[place + 1..].iter().all(|later| later.key != writes[place].key);
        let all = self.range_of(transaction).zip(writes.iter().copied()).enumerate();
        all.filter(move |(place, _)| is_last(*place)).map(|(_, write)| write)
    }

    /// Whether no other write of the same transaction to the same key follows.
    pub(super) fn is_last(&self, write: u32) -> bool {
        let Write { transaction, key, .. } = self.writes[write as usize];
        let end = self.range_of(transaction).end;
        self.writes[write as usize + 1..end as usize].iter().all(|later| later.key != key)
    }

    pub(super) fn reads_of(&self, transaction: u32) -> impl Iterator<Item = Read> + Clone {
        let [first, end] = self.spans[transaction as usize];
        self.reads[first as usize..end as usize].iter().map(|Found { key, source }| Read {
            key: *key,
            source: match *source {
                NOTHING => Source::Nothing,
                strange if strange & STRANGE != 0 => {
                    Source::Nobody(self.strangers[(strange & !STRANGE) as usize].value)
                }
                write => Source::Write(write),
            },
        })
    }

    /// Who wrote what a read shows.
    pub(super) fn writer(&self, read: Read) -> Option<u32> {
        match read.source {
            Source::Write(write) => Some(self.writes[write as usize].transaction),
            Source::Nothing | Source::Nobody(_) => None,
        }
    }

    /// The value that a read shows; `None` when it is nothing.
    pub(super) fn value(&self, read: Read) -> Option<u32> {
        match read.source {
            Source::Nothing => None,
            Source::Write(write) => Some(self.writes[write as usize].value),
            Source::Nobody(value) => Some(value),
        }
    }

    /// The number of the version that a read shows: that of its write, or after those one for nothing under each key. What
    /// nobody wrote is no version.
    pub(super) fn version(&self, read: Read) -> Option<u32> {
        match read.source {
            Source::Nothing => Some(self.nothing(read.key)),
            Source::Write(write) => Some(write),
            Source::Nobody(_) => None,
        }
    }

    /// The number of the version of a key before its first write.
    pub(super) fn nothing(&self, key: u32) -> u32 {
        self.writes.len() as u32 + key
    }

    /// Key and value of a version; nothing has no value.
    pub(super) fn of_version(&self, version: u32) -> (u32, Option<u32>) {
        match self.writes.get(version as usize) {
            Some(write) => (write.key, Some(write.value)),
            None => (version - self.writes.len() as u32, None),
        }
    }

    /// How many versions there are.
    pub(super) fn versions(&self) -> usize {
        self.writes.len() + self.keys as usize
    }

    /// About how much memory it takes.
    pub(in crate::isolation) fn bytes(&self) -> usize {
        self.writes.capacity() * size_of::<Write>()
            + self.reads.capacity() * size_of::<Found>()
            + self.strangers.capacity() * size_of::<Stranger>()
            + self.written.capacity() * 16
            + (self.begins.capacity() + 2 * self.spans.capacity()) * 4
            + self.contradictions.capacity() * size_of::<Contradiction>()
    }

    /// Whether each transaction is known to have happened.
    pub(super) fn happened(&self, transactions: &Transactions) -> Vec<bool> {
        let mut happened: Vec<bool> =
            transactions.numbers().map(|number| transactions.outcome(number) == Kind::Ok).collect();
        for number in transactions.numbers() {
            for writer in self.reads_of(number).filter_map(|read| self.writer(read)) {
                happened[writer as usize] |= transactions.outcome(writer) == Kind::Info;
            }
        }
        happened
    }
}
