//! One order of transactions over registers that explains every read, found by doing them one after another.

use std::cell::Cell;

use rustc_hash::FxHashSet;

use super::accesses::Write;
use super::dependencies::Observed;
use super::exclusions::{Before, Exclusion, Exclusions};
use super::rows::Rows;
use super::witness::explains;
use crate::Budget;
use crate::isolation::level::Order;

/// Does the transactions one by one, in an order that keeps to this one, such that each finds what it read.
///
/// A transaction can be done when the registers hold what it reads, and when nobody is still to read what it replaces.
/// Whatever it waits for is done first, and what that waits for before. Where they wait for each other in a circle,
/// versions were replaced too early: not all of these orders of writers can be, which is noted, and the last of them is
/// undone. As what was noted may lead to another circle, this is a search for an order in the way of solvers for clauses
/// (conflict-driven clause learning), whose variables are who of two writers comes first. With real time little has to be
/// undone, as what decides is near.
pub(super) fn serial(observed: &Observed<'_>, order: Order, budget: &Budget<'_>) -> Outcome {
    if observed.registers.contradictions.is_empty() {
        let mut serial = Serial::new(observed, order);
        match serial.run(budget) {
            // What was found counts only if it is one for somebody who knows nothing of how it was found.
            Outcome::Found if !explains(observed, order, &serial.trail) => Outcome::Unknown,
            outcome => outcome,
        }
    } else {
        // Who contradicts itself does so in any order.
        Outcome::Unknown
    }
}

/// What came of looking for an order.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    /// There is one, which is a proof of every level.
    Found,
    /// There is none: these transactions, and who wrote what they read, show it.
    Impossible(Vec<u32>),
    /// Too much was tried, or single reads show that there is none.
    Unknown,
}

/// What a transaction waits for.
#[derive(Clone, Copy, Debug)]
enum Wait {
    /// For another.
    For(u32),
    /// For another that is to read this version, before it is replaced.
    Reader(u32, u32),
    /// For another, as orders with this number that cannot all be would be so otherwise.
    Excluded(u32, u32),
    /// It cannot be done any more, or never could.
    Never,
}

/// So many transactions may be undone for each that there is, and for each history.
const UNDONE: usize = 4;
const UNDONE_AT_LEAST: usize = 1 << 12;

/// The steps between two looks at the budget.
const STEPS: usize = 1 << 12;

/// The place of a transaction that is not done.
const LATER: u32 = u32::MAX;

struct Serial<'a> {
    observed: &'a Observed<'a>,
    order: Order,
    /// The transactions that happened, by when they ended; those of unknown end come last.
    ends: Vec<u32>,
    /// The place of each among them.
    ranks: Vec<u32>,
    /// All before this place are done.
    first: usize,
    /// Of a process's transactions, the one before each, where their order counts.
    earlier: Vec<Option<u32>>,
    /// For each transaction how many were done before it, or [`LATER`] while it is not done.
    places: Vec<u32>,
    /// The version that each register holds.
    current: Vec<u32>,
    /// For each version, how many are still to read it.
    left: Vec<u32>,
    /// For each write, when the last of its readers was invoked, where that counts.
    read_at: Vec<u32>,
    /// The writes to each key that others may see, by when they ended, and how many of them are done at least.
    writers: Rows,
    past: Vec<Cell<u32>>,
    /// Those done, in their order, and the versions that they replaced.
    trail: Vec<u32>,
    replaced: Vec<u32>,
    exclusions: Exclusions,
    /// Who can be done next.
    wanted: Option<u32>,
    /// For each transaction, how many stood below it and itself when it was put on the stack.
    depths: Vec<u32>,
}

impl<'a> Serial<'a> {
    fn new(observed: &'a Observed<'a>, order: Order) -> Serial<'a> {
        let Observed { registers, transactions, readers, .. } = observed;
        let ends = observed.by_end();
        let mut ranks = vec![0; transactions.len()];
        for (rank, number) in (0..).zip(&ends) {
            ranks[*number as usize] = rank;
        }
        let versions = 0..registers.versions() as u32;
        let left = versions.map(|version| readers.row(version).len() as u32).collect();
        let mut read_at = Vec::new();
        if order == Order::RealTime {
            let latest =
                |write: u32| readers.row(write).last().map_or(0, |last| transactions.invoke_of(*last));
            read_at = (0..registers.writes.len() as u32).map(latest).collect();
        }
        Serial {
            observed,
            order,
            ranks,
            first: 0,
            earlier: if order == Order::Session { transactions.earlier() } else { Vec::new() },
            places: vec![LATER; transactions.len()],
            current: (0..registers.keys() as u32).map(|key| registers.nothing(key)).collect(),
            left,
            read_at,
            writers: observed.writers(&ends),
            past: vec![Cell::new(0); registers.keys()],
            trail: Vec::with_capacity(ends.len()),
            replaced: Vec::new(),
            exclusions: Exclusions::default(),
            wanted: None,
            depths: vec![0; transactions.len()],
            ends,
        }
    }

    fn run(&mut self, budget: &Budget<'_>) -> Outcome {
        let mut undone = UNDONE * self.ends.len() + UNDONE_AT_LEAST;
        // Of those that are not done, each but the last waits for the one above it.
        let mut stack: Vec<(u32, Wait)> = Vec::new();
        let mut steps = 0_usize;
        loop {
            steps += 1;
            if steps.is_multiple_of(STEPS) && (budget.expired)() {
                return Outcome::Unknown;
            }
            let Some((transaction, _)) = stack.last().copied() else {
                let Some(next) = self.wanted.take().or_else(|| self.ends.get(self.first).copied()) else {
                    return Outcome::Found;
                };
                self.push(next, &mut stack);
                continue;
            };
            let Some(wait) = self.wait(transaction) else {
                self.take(transaction);
                self.depths[transaction as usize] = 0;
                stack.pop();
                continue;
            };
            let (Wait::For(other) | Wait::Reader(other, _) | Wait::Excluded(other, _)) = wait else {
                return Outcome::Unknown;
            };
            stack.last_mut().expect("it was looked at").1 = wait;
            let depth = self.depths[other as usize] as usize;
            if depth == 0 {
                self.push(other, &mut stack);
                continue;
            }
            let kept = match self.resolve(&stack[depth - 1..]) {
                Ok(kept) => kept,
                Err(shown) => return Outcome::Impossible(shown),
            };
            let Some(rest) = undone.checked_sub(1 + self.trail.len() - kept) else { return Outcome::Unknown };
            undone = rest;
            self.undo(kept);
            for (other, _) in stack.drain(..) {
                self.depths[other as usize] = 0;
            }
        }
    }

    fn push(&mut self, transaction: u32, stack: &mut Vec<(u32, Wait)>) {
        stack.push((transaction, Wait::Never));
        self.depths[transaction as usize] = stack.len() as u32;
    }

    /// What a transaction must still wait for.
    fn wait(&self, transaction: u32) -> Option<Wait> {
        let Observed { registers, transactions, happened, readers } = self.observed;
        let is_open = |other: &u32| self.places[*other as usize] == LATER;
        if self.order == Order::RealTime {
            let first = self.ends[self.first];
            let ended = transactions.success_of(first);
            if ended.is_some_and(|end| end < transactions.invoke_of(transaction)) {
                return Some(Wait::For(first));
            }
        }
        let earlier = self.earlier.get(transaction as usize).copied().flatten();
        if let Some(earlier) = earlier.filter(is_open) {
            return Some(Wait::For(earlier));
        }
        for read in registers.reads_of(transaction) {
            let Some(version) = registers.version(read) else { return Some(Wait::Never) };
            if self.current[read.key as usize] != version {
                // One that failed is never done.
                let comes =
                    |writer: &u32| happened[*writer as usize] && is_open(writer) && *writer != transaction;
                let writer = registers.writer(read).filter(comes);
                return Some(writer.map_or(Wait::Never, Wait::For));
            }
        }
        if self.order == Order::RealTime {
            for (number, write) in registers.last_writes_of(transaction) {
                if let Some(other) = self.between(transaction, number, write.key) {
                    return Some(Wait::For(other));
                }
            }
        }
        for (_, write) in registers.last_writes_of(transaction) {
            let current = self.current[write.key as usize];
            let left = self.left[current as usize] as usize;
            if left > 0 {
                let readers = readers.row(current);
                // They mostly come in the order in which they stand.
                let (before, after) = readers.split_at(readers.len() - left);
                let mut open = after.iter().chain(before).copied().filter(is_open);
                if let Some(reader) = open.find(|reader| *reader != transaction) {
                    return Some(Wait::Reader(reader, current));
                }
            }
        }
        self.excluded(transaction)
    }

    /// Who ended before somebody began who reads this write: that one must not come between them.
    fn between(&self, transaction: u32, write: u32, key: u32) -> Option<u32> {
        let Observed { registers, transactions, .. } = self.observed;
        let row = self.writers.row(key);
        let of = |write: &u32| registers.writes[*write as usize].transaction;
        let done = |other: u32| self.places[other as usize] != LATER;
        let past = &self.past[key as usize];
        while row.get(past.get() as usize).is_some_and(|write| done(of(write))) {
            past.set(past.get() + 1);
        }
        let read_at = self.read_at[write as usize];
        let ended = |other: &u32| transactions.success_of(*other).is_some_and(|end| end < read_at);
        let mut before = row[past.get() as usize..].iter().map(of).take_while(ended);
        before.find(|other| *other != transaction && !done(*other))
    }

    /// Does a transaction that need not wait.
    fn take(&mut self, transaction: u32) {
        debug_assert!(self.places[transaction as usize] == LATER, "it is done once");
        let registers = self.observed.registers;
        for version in registers.reads_of(transaction).filter_map(|read| registers.version(read)) {
            self.left[version as usize] -= 1;
        }
        for (number, write) in registers.last_writes_of(transaction) {
            self.replaced.push(std::mem::replace(&mut self.current[write.key as usize], number));
        }
        self.places[transaction as usize] = self.trail.len() as u32;
        self.trail.push(transaction);
        while self.ends.get(self.first).is_some_and(|first| self.places[*first as usize] != LATER) {
            self.first += 1;
        }
    }

    /// Undoes all but so many.
    fn undo(&mut self, kept: usize) {
        let registers = self.observed.registers;
        for transaction in self.trail.split_off(kept).into_iter().rev() {
            let writes: Vec<_> = registers.last_writes_of(transaction).collect();
            for (_, write) in writes.into_iter().rev() {
                self.current[write.key as usize] =
                    self.replaced.pop().expect("each write replaced a version");
                let of = |write: &u32| self.ranks[registers.writes[*write as usize].transaction as usize];
                let rank = self.ranks[transaction as usize];
                let place = self.writers.row(write.key).partition_point(|write| of(write) < rank) as u32;
                let past = &self.past[write.key as usize];
                past.set(past.get().min(place));
            }
            for version in registers.reads_of(transaction).filter_map(|read| registers.version(read)) {
                self.left[version as usize] += 1;
            }
            self.places[transaction as usize] = LATER;
            self.first = self.first.min(self.ranks[transaction as usize] as usize);
        }
    }

    /// In a circle of those who wait for each other, finds which orders cannot all be, and notes that. Answers how many may
    /// remain done, or who shows that there is no order, when everybody waits for what must come before.
    fn resolve(&mut self, circle: &[(u32, Wait)]) -> Result<usize, Vec<u32>> {
        let mut cause = self.cause(circle);
        let is_open = |order: &Before| self.places[order.0 as usize] == LATER;
        if cause.orders.iter().any(is_open) {
            // Somebody waits for one of several. If any of them can go on, it is next.
            match self.blocked(circle) {
                Ok(ready) => {
                    self.wanted = Some(ready);
                    return Ok(self.trail.len());
                }
                Err(all) => cause = all,
            }
        }
        let Some(last) = cause.orders.iter().map(|order| self.places[order.0 as usize]).max() else {
            return Err(self.exclusions.origin(cause));
        };
        self.exclusions.note(cause);
        Ok(last as usize)
    }

    /// Who can go on among those in a circle and all for whom they may wait, be it one of several; else why nobody can.
    fn blocked(&self, circle: &[(u32, Wait)]) -> Result<u32, Exclusion> {
        let mut list: Vec<u32> = circle.iter().map(|(waits, _)| *waits).collect();
        let mut seen: FxHashSet<u32> = list.iter().copied().collect();
        let mut cause = Exclusion::default();
        let mut place = 0;
        while let Some(waits) = list.get(place).copied() {
            place += 1;
            let Some(wait) = self.wait(waits) else { return Ok(waits) };
            self.name(waits, wait, &mut cause);
            match wait {
                Wait::Never => {}
                Wait::For(other) | Wait::Reader(other, _) => list.extend(seen.insert(other).then_some(other)),
                Wait::Excluded(_, number) => {
                    let several = self.exclusions.orders(number).iter().filter(|order| order.0 == waits);
                    list.extend(several.map(|order| order.1).filter(|other| seen.insert(*other)));
                }
            }
        }
        // Whom else each of several could have waited for was looked at.
        cause.orders.retain(|order| self.places[order.0 as usize] != LATER);
        cause.orders.sort_unstable();
        cause.orders.dedup();
        Err(cause)
    }

    /// Why those in a circle wait for each other.
    fn cause(&self, circle: &[(u32, Wait)]) -> Exclusion {
        let mut cause = Exclusion::default();
        for (waits, wait) in circle {
            self.name(*waits, *wait, &mut cause);
        }
        cause.orders.sort_unstable();
        cause.orders.dedup();
        cause
    }

    /// Adds why one waits.
    fn name(&self, waits: u32, wait: Wait, cause: &mut Exclusion) {
        let Observed { registers, readers, .. } = self.observed;
        cause.shown.push(waits);
        match wait {
            Wait::Never => {}
            Wait::For(other) => {
                // Perhaps because of somebody who began later and read what this one is to write.
                let both = |(_, write): &(u32, Write)| registers.writes_to(other, write.key);
                let written = registers.last_writes_of(waits).filter(both);
                cause.shown.extend(written.filter_map(|(number, _)| readers.row(number).last()));
            }
            Wait::Reader(_, version) => {
                // What is read before any write cannot have been replaced too early.
                if let Some(write) = registers.writes.get(version as usize) {
                    cause.shown.push(write.transaction);
                    cause.orders.push(Before(write.transaction, waits));
                }
            }
            Wait::Excluded(other, number) => {
                let others = self.exclusions.orders(number).iter().copied();
                cause.orders.extend(others.filter(|order| *order != Before(waits, other)));
                cause.from.push(number);
            }
        }
    }

    /// Whom a transaction must let go first, as orders that it would complete cannot all be.
    fn excluded(&self, transaction: u32) -> Option<Wait> {
        let place =
            |one: u32| if one == transaction { self.trail.len() as u32 } else { self.places[one as usize] };
        let comes = |Before(first, second): Before| place(first) < place(second);
        let (other, number) = self.exclusions.completed(transaction, comes)?;
        Some(Wait::Excluded(other, number))
    }
}
