//! Lists that transactions append to: what was appended and read, in compact arrays.

use rustc_hash::{FxHashMap, FxHashSet};

use super::micro_ops::{Argument, MicroOp, MicroOps, Verb};
use super::stream::Twice;

/// One element that a transaction appended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Append {
    pub(super) key: u32,
    pub(super) element: u32,
    /// Its place in its key's order, when a read shows it.
    pub(super) place: Option<u32>,
}

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
    /// The place of the read among its micro-ops.
    pub(super) place: u32,
    pub(super) kind: ContradictionKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ContradictionKind {
    /// A read differs from what the transaction itself read before, if it did, and has appended since.
    Internal { shown: Vec<u32>, known: Option<Vec<u32>>, own: Vec<u32> },
    /// A read shows what the transaction appends only later.
    Future { element: u32 },
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
#[derive(Clone, Debug)]
pub(super) struct Chain {
    pub(super) versions: Vec<Version>,
    /// Who read the whole of it first; [`NOBODY`] while nobody has.
    shown: u32,
    /// More than any element that a transaction was asked to append.
    above: u32,
}

impl Chain {
    const EMPTY: Chain = Chain { versions: Vec::new(), shown: NOBODY, above: 0 };

    /// Its first elements.
    pub(super) fn elements(&self, length: u32) -> Vec<u32> {
        self.versions[..length as usize].iter().map(|version| version.element).collect()
    }

    /// Who read the whole of it first.
    pub(super) fn shown(&self) -> Option<u32> {
        (self.shown != NOBODY).then_some(self.shown)
    }
}

/// An append as it is kept: its key, and its place in the key's order, or its element while no read shows it.
#[derive(Clone, Copy, Debug)]
struct Appended {
    key: u32,
    at: u32,
}

/// Above an element that no read shows: elements are less.
const UNSHOWN: u32 = 1 << 31;

/// A read as it is kept.
#[derive(Clone, Copy, Debug)]
struct Found {
    key: u32,
    /// Its length, and above that whether it is the last of its transaction.
    length: u32,
}

const LAST: u32 = 1 << 31;

/// So many elements are looked through one by one.
const FEW: usize = 64;

/// An append that no read has shown yet.
#[derive(Clone, Copy, Debug)]
struct Unshown {
    transaction: u32,
    /// Its place among all appends.
    append: u32,
}

/// All lists of a history.
#[derive(Debug, Default)]
pub(super) struct Lists {
    /// All appends, in the order in which their transactions were invoked.
    appends: Vec<Appended>,
    /// All reads that agree with their key's order, in the order in which their transactions ended.
    reads: Vec<Found>,
    pub(super) strays: Vec<Stray>,
    pub(super) contradictions: Vec<Contradiction>,
    pub(super) chains: Vec<Chain>,
    /// The appends that no read shows, by key and element.
    unshown: FxHashMap<(u32, u32), Unshown>,
    /// Elements that were read and that nobody had been asked to append until then, with their places.
    strangers: FxHashMap<(u32, u32), u32>,
    /// All elements in the order of a key, for keys of many that are not counted upwards: so that none is taken twice.
    scattered: FxHashMap<u32, FxHashSet<u32>>,
    /// For each transaction, where its appends begin; they end where those of the next begin.
    begins: Vec<u32>,
    /// For each transaction, where its reads begin.
    finds: Vec<u32>,
    /// How many reads there were.
    pub(super) read: usize,
    /// About how much memory the strays, the contradictions and the scattered take.
    odd: usize,
}

impl Lists {
    /// A transaction begins: it may append from now on, even if it fails, and then nobody must read it.
    pub(super) fn begin(&mut self, number: u32, micro_ops: &[MicroOp]) -> Result<(), Twice> {
        self.begins.push(self.appends.len() as u32);
        self.finds.push(NOBODY);
        for MicroOp { key, argument, .. } in micro_ops {
            if self.chains.len() <= *key as usize {
                self.chains.resize(*key as usize + 1, Chain::EMPTY);
            }
            let Argument::Value(element) = *argument else { continue };
            let name = (*key, element);
            let at = if let Some(place) = self.strangers.remove(&name) {
                self.chains[*key as usize].versions[place as usize].writer = number;
                place
            } else {
                if self.unshown.contains_key(&name) || self.is_in_order(*key, element) {
                    return Err(Twice { key: *key, value: element });
                }
                let append = self.appends.len() as u32;
                self.unshown.insert(name, Unshown { transaction: number, append });
                UNSHOWN | element
            };
            self.appends.push(Appended { key: *key, at });
            let above = &mut self.chains[*key as usize].above;
            *above = (*above).max(element + 1);
        }
        Ok(())
    }

    /// Whether an element that somebody was asked to append has its place in the key's order.
    fn is_in_order(&mut self, key: u32, element: u32) -> bool {
        let Chain { versions, above, .. } = &self.chains[key as usize];
        if element >= *above {
            return false;
        }
        if versions.len() <= FEW {
            return versions.iter().any(|version| version.element == element);
        }
        let odd = &mut self.odd;
        let scattered = self.scattered.entry(key).or_insert_with(|| {
            *odd += versions.len() * 8;
            versions.iter().map(|version| version.element).collect()
        });
        scattered.contains(&element)
    }

    /// A transaction ends ok: goes through it as it happened.
    pub(super) fn end(&mut self, number: u32, micro_ops: MicroOps<'_>) {
        let first = self.reads.len();
        for place in 0..micro_ops.list.len() {
            if micro_ops.list[place].verb == Verb::Read {
                self.read += 1;
                self.observe(number, micro_ops, place);
            }
        }
        if let Some(last) = self.reads[first..].last_mut() {
            last.length |= LAST;
            self.finds[number as usize] = first as u32;
        }
    }

    /// One read of a transaction.
    fn observe(&mut self, transaction: u32, micro_ops: MicroOps<'_>, place: usize) {
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
            let kind = ContradictionKind::Future { element };
            self.contradictions.push(Contradiction { transaction, key, place: place as u32, kind });
            self.odd += size_of::<Contradiction>();
        }
        // What the transaction knows of the key: its last read, and its own appends since then, or all of them.
        let previous = before.iter().rposition(|one| one.key == key && one.verb == Verb::Read);
        let since = previous.map_or(0, |previous| previous + 1);
        let own = || before[since..].iter().filter(of_key).filter_map(appended);
        let known = previous.map(|previous| micro_ops.elements(before[previous].argument));
        let length = known.map_or_else(|| list.len().checked_sub(own().count()), |known| Some(known.len()));
        let expected =
            length.and_then(|length| list.split_at_checked(length)).is_some_and(|(first, last)| {
                known.is_none_or(|known| known == first) && last.iter().copied().eq(own())
            });
        let is_own =
            |element: &&u32| before.iter().filter(of_key).filter_map(appended).any(|own| own == **element);
        let own_at_end = if expected { list.iter().rev().take_while(is_own).count() } else { 0 };
        let others = (list.len() - own_at_end) as u32;
        if !expected {
            let (known, own, shown) = (known.map(<[u32]>::to_vec), own().collect(), list.to_vec());
            self.odd += size_of::<Contradiction>() + 8 * list.len();
            let kind = ContradictionKind::Internal { shown, known, own };
            self.contradictions.push(Contradiction { transaction, key, place: place as u32, kind });
        }
        let agrees = self.offer(transaction, key, list, others);
        if agrees && (known.is_none() || !expected) {
            self.reads.push(Found { key, length: others });
        }
    }

    /// Compares a list with its key's order, which it may prolong. What disagrees is kept as it is, and never mixed in:
    /// that would invent dependencies.
    fn offer(&mut self, transaction: u32, key: u32, list: &[u32], length: u32) -> bool {
        if self.chains.len() <= key as usize {
            self.chains.resize(key as usize + 1, Chain::EMPTY);
        }
        let versions = &self.chains[key as usize].versions;
        let common = versions.len().min(list.len());
        let mut twice = None;
        if versions[..common].iter().map(|version| version.element).eq(list[..common].iter().copied()) {
            for element in &list[common..] {
                let place = self.chains[key as usize].versions.len() as u32;
                let name = (key, *element);
                let writer = if let Some(Unshown { transaction, append }) = self.unshown.remove(&name) {
                    self.appends[append as usize].at = place;
                    transaction
                } else if self.strangers.contains_key(&name) || self.is_in_order(key, *element) {
                    twice = Some(*element);
                    break;
                } else {
                    self.strangers.insert(name, place);
                    NOBODY
                };
                let chain = &mut self.chains[key as usize];
                chain.versions.push(Version { element: *element, writer });
                chain.shown = transaction;
                if let Some(scattered) = self.scattered.get_mut(&key) {
                    scattered.insert(*element);
                    self.odd += 8;
                }
            }
            if twice.is_none() {
                let chain = &mut self.chains[key as usize];
                if chain.shown == NOBODY {
                    chain.shown = transaction;
                }
                return true;
            }
        } else {
            let mut sorted = list.to_vec();
            sorted.sort_unstable();
            twice = sorted.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0]);
        }
        let chain = &self.chains[key as usize];
        let against = chain.shown().filter(|_| twice.is_none());
        self.odd += size_of::<Stray>() + list.len() * 4;
        self.strays.push(Stray { transaction, key, list: list.to_vec(), length, twice, against });
        false
    }

    /// How many appends there were.
    pub(super) fn appended(&self) -> usize {
        self.appends.len()
    }

    pub(super) fn appends_of(&self, transaction: u32) -> impl DoubleEndedIterator<Item = Append> + Clone {
        let first = self.begins[transaction as usize] as usize;
        let end = self.begins.get(transaction as usize + 1).map_or(self.appends.len(), |end| *end as usize);
        self.appends[first..end].iter().map(|append| self.told(*append))
    }

    fn told(&self, Appended { key, at }: Appended) -> Append {
        if at & UNSHOWN == 0 {
            let element = self.chains[key as usize].versions[at as usize].element;
            Append { key, element, place: Some(at) }
        } else {
            Append { key, element: at & !UNSHOWN, place: None }
        }
    }

    pub(super) fn reads_of(&self, transaction: u32) -> impl Iterator<Item = Read> {
        let first = self.finds[transaction as usize] as usize;
        let mut over = false;
        self.reads.get(first..).unwrap_or_default().iter().map_while(move |found| {
            let read = Read { key: found.key, length: found.length & !LAST };
            (!std::mem::replace(&mut over, found.length & LAST != 0)).then_some(read)
        })
    }

    /// All reads, with their transactions.
    pub(super) fn all_reads(&self) -> impl Iterator<Item = (u32, Read)> {
        (0..self.finds.len() as u32).flat_map(|number| self.reads_of(number).map(move |read| (number, read)))
    }

    /// About how much memory it takes.
    pub(super) fn bytes(&self) -> usize {
        self.appends.capacity() * size_of::<Appended>()
            + self.reads.capacity() * size_of::<Found>()
            + self.chains.capacity() * size_of::<Chain>()
            // Nearly every append gets a place.
            + self.appends.len() * size_of::<Version>()
            + self.unshown.capacity() * 17
            + self.strangers.capacity() * 13
            + self.odd
            + (self.begins.capacity() + self.finds.capacity()) * 4
    }
}
