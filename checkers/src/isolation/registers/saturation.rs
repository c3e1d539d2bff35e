//! In which order two must have written the same, as another saw one of them and read what the other wrote.
//!
//! Whoever reads a key sees, of all who wrote it and whom it sees, the one that came last. So if T3 sees T2, which wrote
//! the key, and reads from it what T1 wrote, T2 came before T1. Under read atomic a transaction sees whom it read from,
//! and whom the column's order puts before it; under causal consistency also all whom those see. When this order, together
//! with that of reading and with the column's, contradicts itself, the level is violated; when it does not, the level
//! holds, as nothing else is asked of the order of writes (Biswas and Enea, 2019).

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::accesses::{Read, Source};
use super::dependencies::Observed;
use crate::Budget;
use crate::isolation::graph::{Class, Edges, Graph, TooLarge};
use crate::isolation::level::Order;

/// One who wrote a key comes before another, as this reader of the other saw both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Implied {
    pub(super) before: u32,
    pub(super) after: u32,
    pub(super) reader: u32,
    pub(super) key: u32,
}

/// No more chains than so many are followed.
const CHAINS: usize = 1024;

/// The vertices between two looks at the budget.
const STEPS: usize = 1 << 12;

impl Observed<'_> {
    /// The order of reading and of the column.
    pub(super) fn visible(&self, order: Order, edges: &mut Edges) {
        let Observed { registers, transactions, happened, .. } = self;
        match order {
            Order::Plain => {}
            Order::Session => {
                for (number, earlier) in (0..).zip(transactions.earlier()) {
                    if let Some(earlier) = earlier {
                        edges.add(earlier, number, Class::PROCESS);
                    }
                }
            }
            Order::RealTime => transactions.order(&transactions.numbers().collect::<Vec<_>>(), edges),
        }
        for number in transactions.numbers() {
            let writers = registers.reads_of(number).filter_map(|read| registers.writer(read));
            for writer in writers.filter(|writer| happened[*writer as usize]) {
                edges.add(writer, number, Class::WR);
            }
        }
    }

    /// Who wrote what a read shows, and was seen by others so.
    fn source(&self, read: Read) -> Option<u32> {
        match read.source {
            Source::Write(write) => {
                let writer = self.registers.writes[write as usize].transaction;
                (self.happened[writer as usize] && self.registers.is_last(write)).then_some(writer)
            }
            Source::Nothing | Source::Nobody(_) => None,
        }
    }

    /// What read atomic implies, in each column.
    pub(super) fn implied_directly(&self, order: Order) -> Vec<Implied> {
        let Observed { registers, transactions, .. } = self;
        let mut implied = Vec::new();
        // Of each process and key, the last who wrote it.
        let mut last: FxHashMap<(u64, u32), u32> = FxHashMap::default();
        for reader in transactions.numbers() {
            let process = transactions.get(reader).process;
            for read in registers.reads_of(reader) {
                let Some(after) = self.source(read) else { continue };
                let key = read.key;
                let others = registers.reads_of(reader).filter_map(|other| self.source(other));
                let own = last.get(&(process, key)).copied().filter(|_| order == Order::Session);
                let seen = others.filter(|other| registers.writes_to(*other, key)).chain(own);
                let seen = seen.filter(|before| *before != after && *before != reader);
                implied.extend(seen.map(|before| Implied { before, after, reader, key }));
            }
            if order == Order::Session && transactions.success_of(reader).is_some() {
                last.extend(registers.writes_of(reader).iter().map(|write| ((process, write.key), reader)));
            }
        }
        if order == Order::RealTime {
            self.implied_by_time(&mut implied);
        }
        implied.sort_unstable();
        implied.dedup_by_key(|one| (one.before, one.after));
        implied
    }

    /// Who ended before somebody began is seen by that one. Where one ended before another began, both are in order
    /// already.
    fn implied_by_time(&self, implied: &mut Vec<Implied>) {
        let Observed { registers, transactions, readers, .. } = self;
        let end = |write: &u32| self.end(registers.writes[*write as usize].transaction);
        let writers = self.writers(&self.by_end());
        for after in self.all() {
            for (version, write) in registers.last_writes_of(after) {
                // Those who read it stand in the order in which they began.
                let Some(reader) = readers.row(version).last().copied() else { continue };
                let row = writers.row(write.key);
                let first = row.partition_point(|other| end(other) < transactions.invoke_of(after));
                let began = transactions.invoke_of(reader);
                for other in row[first..].iter().take_while(|other| end(other) < began) {
                    let before = registers.writes[*other as usize].transaction;
                    if before != after && before != reader {
                        implied.push(Implied { before, after, reader, key: write.key });
                        // One that began when the other had ended is a contradiction, and enough.
                        if transactions.invoke_of(before) > self.end(after) {
                            break;
                        }
                    }
                }
            }
        }
    }

    /// What causal consistency implies, in a column; nothing when too many who do not see each other are to be followed, or
    /// time is over, or what is seen contradicts itself.
    pub(super) fn implied_causally(
        &self,
        order: Order,
        budget: &Budget<'_>,
    ) -> Result<Option<Vec<Implied>>, TooLarge> {
        let graph = Graph::build(self.transactions.len() as u32, |edges| self.visible(order, edges))?;
        let mut waiting = vec![0_u32; graph.vertices()];
        for vertex in 0..graph.vertices() as u32 {
            for (target, _) in graph.out(vertex) {
                waiting[target as usize] += 1;
            }
        }
        let mut free: Vec<u32> =
            (0..graph.vertices() as u32).filter(|vertex| waiting[*vertex as usize] == 0).collect();
        let mut pasts: FxHashMap<u32, Past> = FxHashMap::default();
        let mut causes = Causes::new(self, order);
        let mut left = graph.vertices();
        while let Some(vertex) = free.pop() {
            left -= 1;
            if left.is_multiple_of(STEPS) && (budget.expired)() {
                return Ok(None);
            }
            let mut past = pasts.remove(&vertex).unwrap_or_default();
            if graph.is_real(vertex) && self.happened[vertex as usize] && !causes.follow(vertex, &mut past) {
                return Ok(None);
            }
            for (target, _) in graph.out(vertex) {
                pasts.entry(target).or_default().join(&past);
                let waiting = &mut waiting[target as usize];
                *waiting -= 1;
                if *waiting == 0 {
                    free.push(target);
                }
            }
        }
        let mut implied = causes.implied;
        implied.sort_unstable();
        implied.dedup_by_key(|one| (one.before, one.after));
        Ok((left == 0).then_some(implied))
    }
}

/// How much of each chain comes before a transaction.
#[derive(Clone, Debug, Default)]
struct Past(Vec<u32>);

impl Past {
    fn of(&self, chain: u32) -> u32 {
        self.0.get(chain as usize).copied().unwrap_or(0)
    }

    fn add(&mut self, chain: u32, length: u32) {
        if self.0.len() <= chain as usize {
            self.0.resize(chain as usize + 1, 0);
        }
        self.0[chain as usize] = length;
    }

    fn join(&mut self, other: &Past) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (own, other) in self.0.iter_mut().zip(&other.0) {
            *own = (*own).max(*other);
        }
    }
}

/// Those of a chain who wrote a key: the place of each in its chain, and its number.
#[derive(Debug)]
struct Writers {
    chain: u32,
    list: Vec<(u32, u32)>,
}

/// What each transaction sees, one after another. Transactions are divided into chains of which each sees all before it:
/// those of one process, and of another after it where that is so.
struct Causes<'a> {
    observed: &'a Observed<'a>,
    order: Order,
    /// How long each chain is.
    chains: Vec<u32>,
    /// The chain of each process.
    processes: FxHashMap<u64, u32>,
    /// Chains that no process goes on with.
    free: Vec<u32>,
    writers: FxHashMap<u32, Vec<Writers>>,
    /// What those see whose writes are still to be read, with themselves, and by how many.
    pasts: FxHashMap<u32, (Rc<Past>, usize)>,
    implied: Vec<Implied>,
}

impl<'a> Causes<'a> {
    fn new(observed: &'a Observed<'a>, order: Order) -> Causes<'a> {
        Causes {
            observed,
            order,
            chains: Vec::new(),
            processes: FxHashMap::default(),
            free: Vec::new(),
            writers: FxHashMap::default(),
            pasts: FxHashMap::default(),
            implied: Vec::new(),
        }
    }

    /// Takes the next transaction, after all that it sees; it is added to its own past. Answers whether there are few
    /// enough chains.
    fn follow(&mut self, transaction: u32, past: &mut Past) -> bool {
        let Observed { registers, transactions, readers, .. } = self.observed;
        for read in registers.reads_of(transaction) {
            if let Some(after) = self.observed.source(read) {
                self.see(transaction, read.key, after, past);
            }
        }
        // Only who ended comes before what its process does later.
        let goes_on = self.order != Order::Plain && transactions.success_of(transaction).is_some();
        let process = transactions.get(transaction).process;
        let known = self.processes.get(&process).copied().filter(|_| goes_on);
        let chain = known.unwrap_or_else(|| self.free_chain(past));
        if goes_on {
            self.processes.insert(process, chain);
        } else {
            self.free.push(chain);
        }
        let place = self.chains[chain as usize] + 1;
        self.chains[chain as usize] = place;
        past.add(chain, place);
        let mut read = 0;
        for (version, write) in registers.last_writes_of(transaction) {
            read += readers.row(version).iter().filter(|reader| **reader != transaction).count();
            let chains = self.writers.entry(write.key).or_default();
            let known = chains.iter().position(|writers| writers.chain == chain);
            let known = known.unwrap_or_else(|| {
                chains.push(Writers { chain, list: Vec::new() });
                chains.len() - 1
            });
            chains[known].list.push((place, transaction));
        }
        if read > 0 {
            self.pasts.insert(transaction, (Rc::new(past.clone()), read));
        }
        self.chains.len() <= CHAINS
    }

    /// A chain that no process goes on with, and of which all is seen; else a new one.
    fn free_chain(&mut self, past: &Past) -> u32 {
        let seen = |chain: &u32| past.of(*chain) == self.chains[*chain as usize];
        if let Some(place) = self.free.iter().position(seen) {
            return self.free.swap_remove(place);
        }
        self.chains.push(0);
        self.chains.len() as u32 - 1
    }

    /// A transaction reads from a key what one wrote. Of each chain, the last whom it sees and who wrote the key came before
    /// that one.
    fn see(&mut self, reader: u32, key: u32, after: u32, past: &Past) {
        let Some((known, left)) = self.pasts.get_mut(&after) else { return };
        let known = Rc::clone(known);
        *left -= 1;
        if *left == 0 {
            self.pasts.remove(&after);
        }
        for Writers { chain, list } in self.writers.get(&key).into_iter().flatten() {
            let seen = list.partition_point(|(place, _)| *place <= past.of(*chain));
            let Some((place, before)) = seen.checked_sub(1).map(|last| list[last]) else { continue };
            if before != after && known.of(*chain) < place {
                self.implied.push(Implied { before, after, reader, key });
            }
        }
    }
}
