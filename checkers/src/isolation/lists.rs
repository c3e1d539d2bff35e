//! Lists that transactions append to: what was appended and read, in compact arrays.

use rustc_hash::FxHashMap;

use super::appends::{Append, Appends};
use super::micro_ops::{Argument, MicroOp, MicroOps, Names, Verb};

/// A read of a prefix of its key's order: only its length is kept. A transaction's own appends at its end do not count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Read {
    pub(super) key: u32,
    pub(super) length: u32,
}

/// A read that does not agree with its key's order.
#[derive(Clone, Debug)]
pub(super) struct Stray {
    pub(super) transaction: u32,
    pub(super) key: u32,
    /// All that was read.
    pub(super) list: Vec<u32>,
    /// How much of it others wrote.
    pub(super) length: u32,
    /// The element that is there twice, if this is why.
    pub(super) twice: Option<u32>,
    /// The transaction whose read it contradicts, when the order was as it was then.
    pub(super) against: Option<u32>,
}

/// A transaction that contradicts itself.
#[derive(Clone, Debug)]
pub(super) struct Contradiction {
    pub(super) transaction: u32,
    pub(super) key: u32,
    pub(super) kind: ContradictionKind,
    /// The place of the read among its micro-ops.
    pub(super) place: usize,
    pub(super) because: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ContradictionKind {
    /// A read differs from what the transaction itself read or appended before.
    Internal,
    /// A read shows what the transaction appends only later.
    Future,
}

/// An element in its key's order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Version {
    pub(super) element: u32,
    /// Who appended it; [`NOBODY`] when no transaction did.
    pub(super) writer: u32,
}

/// In place of a transaction.
pub(super) const NOBODY: u32 = u32::MAX;

/// The order of a key's elements, as the longest read shows it.
#[derive(Clone, Debug, Default)]
pub(super) struct Chain {
    pub(super) versions: Vec<Version>,
    /// Who read the whole of it first.
    pub(super) shown: Option<u32>,
}

impl Chain {
    /// Its first elements.
    pub(super) fn elements(&self, length: u32) -> Vec<u32> {
        self.versions[..length as usize].iter().map(|version| version.element).collect()
    }
}

/// All lists of a history.
#[derive(Debug, Default)]
pub(super) struct Lists {
    pub(super) appends: Appends,
    pub(super) reads: Vec<Read>,
    pub(super) strays: Vec<Stray>,
    pub(super) contradictions: Vec<Contradiction>,
    pub(super) chains: Vec<Chain>,
    /// Elements that were read and that nobody had been asked to append until then, with their places.
    strangers: FxHashMap<(u32, u32), u32>,
    /// For each transaction, where its appends begin; they end where those of the next begin.
    begins: Vec<u32>,
    /// For each transaction, where its reads begin and end.
    spans: Vec<[u32; 2]>,
    /// How many reads there were.
    pub(super) read: usize,
    /// About how much memory the strays and contradictions take.
    odd: usize,
}

impl Lists {
    /// A transaction begins: it may append from now on, even if it fails, and then nobody must read it.
    pub(super) fn begin(&mut self, number: u32, micro_ops: &MicroOps, names: &Names) -> Result<(), String> {
        self.begins.push(self.appends.list.len() as u32);
        self.spans.push([0; 2]);
        if self.chains.len() < names.keys() {
            self.chains.resize_with(names.keys(), Chain::default);
        }
        for MicroOp { key, argument, .. } in &micro_ops.list {
            let Argument::Value(element) = *argument else { continue };
            let append = self.appends.list.len() as u32;
            if !self.appends.push(number, *key, element) {
                return Err(format!(
                    "{} is appended to key {} a second time: values must differ",
                    names.value(element),
                    names.key(*key)
                ));
            }
            if let Some(place) = self.strangers.remove(&(*key, element)) {
                self.appends.put(append, place);
                self.chains[*key as usize].versions[place as usize].writer = number;
            }
        }
        Ok(())
    }

    /// A transaction ends ok: goes through it as it happened.
    pub(super) fn end(&mut self, number: u32, micro_ops: &MicroOps, names: &Names) {
        let first = self.reads.len() as u32;
        for place in 0..micro_ops.list.len() {
            if micro_ops.list[place].verb == Verb::Read {
                self.read += 1;
                self.observe(number, micro_ops, place, names);
            }
        }
        self.spans[number as usize] = [first, self.reads.len() as u32];
    }

    /// One read of a transaction.
    fn observe(&mut self, transaction: u32, micro_ops: &MicroOps, place: usize, names: &Names) {
        let MicroOp { key, argument, .. } = micro_ops.list[place];
        let list = micro_ops.elements(argument);
        let of_key = |one: &&MicroOp| one.key == key;
        let appended = |one: &MicroOp| match one.argument {
            Argument::Value(element) => Some(element),
            Argument::Nothing | Argument::List(..) => None,
        };
        let (before, later) = (&micro_ops.list[..place], &micro_ops.list[place + 1..]);
        if let Some(element) =
            later.iter().filter(of_key).filter_map(appended).find(|element| list.contains(element))
        {
            let because =
                format!("it read {} from key {} before it appended it", names.value(element), names.key(key));
            let kind = ContradictionKind::Future;
            self.contradictions.push(Contradiction { transaction, key, kind, place, because });
        }
        // What the transaction knows of the key: its last read, and its own appends since then, or all of them.
        let previous = before.iter().rposition(|one| one.key == key && one.verb == Verb::Read);
        let since = previous.map_or(0, |previous| previous + 1);
        let own: Vec<u32> = before[since..].iter().filter(of_key).filter_map(appended).collect();
        let known = previous.map(|previous| micro_ops.elements(before[previous].argument));
        let expected = match known {
            None => list.ends_with(&own),
            Some(known) => list.strip_prefix(known) == Some(&own),
        };
        let is_own =
            |element: &&u32| before.iter().filter(of_key).filter_map(appended).any(|own| own == **element);
        let own_at_end = if expected { list.iter().rev().take_while(is_own).count() } else { 0 };
        let others = (list.len() - own_at_end) as u32;
        if !expected {
            let had = match known {
                None => format!("appended {}", names.show(&own)),
                Some(known) => format!("read or made {}", names.show(&[known, &own].concat())),
            };
            let because =
                format!("it read {} from key {} after it had {had}", names.show(list), names.key(key));
            let kind = ContradictionKind::Internal;
            self.contradictions.push(Contradiction { transaction, key, kind, place, because });
        }
        self.odd += if expected { 0 } else { size_of::<Contradiction>() + 128 + list.len() * 8 };
        let agrees = self.offer(transaction, key, list, others);
        if agrees && (known.is_none() || !expected) {
            self.reads.push(Read { key, length: others });
        }
    }

    /// Compares a list with its key's order, which it may prolong. What disagrees is kept as it is, and never mixed in:
    /// that would invent dependencies.
    fn offer(&mut self, transaction: u32, key: u32, list: &[u32], length: u32) -> bool {
        let chain = &mut self.chains[key as usize];
        let common = chain.versions.len().min(list.len());
        let mut twice = None;
        if chain.versions[..common].iter().map(|version| version.element).eq(list[..common].iter().copied()) {
            for element in &list[common..] {
                let place = chain.versions.len() as u32;
                let writer = if let Some(number) = self.appends.find(key, *element) {
                    let append = self.appends.list[number as usize];
                    if append.place().is_some() {
                        twice = Some(*element);
                        break;
                    }
                    self.appends.put(number, place);
                    append.transaction
                } else {
                    if self.strangers.contains_key(&(key, *element)) {
                        twice = Some(*element);
                        break;
                    }
                    self.strangers.insert((key, *element), place);
                    NOBODY
                };
                chain.versions.push(Version { element: *element, writer });
                chain.shown = Some(transaction);
            }
            if twice.is_none() {
                chain.shown.get_or_insert(transaction);
                return true;
            }
        } else {
            let mut sorted = list.to_vec();
            sorted.sort_unstable();
            twice = sorted.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0]);
        }
        let against = chain.shown.filter(|_| twice.is_none());
        self.odd += size_of::<Stray>() + list.len() * 4;
        self.strays.push(Stray { transaction, key, list: list.to_vec(), length, twice, against });
        false
    }

    pub(super) fn appends_of(&self, transaction: u32) -> &[Append] {
        let first = self.begins[transaction as usize] as usize;
        let end =
            self.begins.get(transaction as usize + 1).map_or(self.appends.list.len(), |end| *end as usize);
        &self.appends.list[first..end]
    }

    pub(super) fn reads_of(&self, transaction: u32) -> &[Read] {
        let [first, end] = self.spans[transaction as usize];
        &self.reads[first as usize..end as usize]
    }

    /// All reads, with their transactions.
    pub(super) fn all_reads(&self) -> impl Iterator<Item = (u32, Read)> {
        (0..self.spans.len() as u32)
            .flat_map(|number| self.reads_of(number).iter().map(move |read| (number, *read)))
    }

    pub(super) fn writer(&self, key: u32, element: u32) -> Option<u32> {
        self.appends.find(key, element).map(|append| self.appends.list[append as usize].transaction)
    }

    /// About how much memory it takes.
    pub(super) fn bytes(&self) -> usize {
        self.appends.bytes()
            + self.reads.capacity() * size_of::<Read>()
            + self.chains.capacity() * size_of::<Chain>()
            // Nearly every append gets a place.
            + self.appends.list.len() * size_of::<Version>()
            + self.strangers.capacity() * 16
            + self.odd
            + self.spans.capacity() * 12
    }
}
