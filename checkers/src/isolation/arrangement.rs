//! One order in which all transactions may have happened, and who stands in the way of any.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::graph::TooLarge;
use super::lists::Read;
use super::observed::Observed;
use super::transactions::Transactions;
use crate::{Budget, Job};

/// What a transaction must wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Cause {
    /// A transaction: it wrote what this one read, or the version before the one that this one wrote.
    Transaction(u32),
    /// All who read a version of which this transaction wrote the next.
    Readers(u32),
}

/// The transactions among which all cycles of dependencies are, in an order; none, when there is no cycle.
///
/// Appends that no read shows may have been made in any order. Here they are in that in which their transactions come, so
/// that where there are no suspects no cycle is there even if they were made in this order.
///
/// Transactions are put into one order, as in Kahn's algorithm, each when all that must come before it were. No edge is
/// stored for that: what a transaction waits for is found from the orders of the keys, and for each version it is counted
/// how many of its readers are still to come. A transaction is looked at only once all that ended before it began have
/// their places, so that only about as many wait at a time as there are clients.
///
/// Where none can go on, one of those that wait is put next in spite of it, and what it should have waited for is noted as
/// owed until it comes. Whoever gets a place while anything is owed is a suspect. A cycle leads back in this order
/// somewhere, and between the two ends of an edge that leads back something is owed all the time: so a cycle whose
/// transactions stand on both sides of a moment at which nothing was owed would have to cross that moment backwards, which
/// none of its edges does. All cycles are thus among suspects.
///
/// The budget's crew does something else in the meantime.
pub(super) fn suspects(
    observed: &Observed<'_>,
    meanwhile: Job<'_>,
    budget: &Budget<'_>,
) -> Result<Vec<u32>, String> {
    let precedence = Precedence::new(observed)?;
    let mut arrangement = Arrangement::new(&precedence);
    let mut is_over = false;
    budget.crew.work(vec![Box::new(|| is_over = arrangement.run()), meanwhile]);
    while !is_over {
        if (budget.expired)() {
            return Err("time budget exhausted".to_owned());
        }
        is_over = arrangement.run();
    }
    Ok(arrangement.suspects)
}

/// The steps between two looks at the budget.
const STEPS: u32 = 1 << 21;

/// So far one waiting transaction is followed to another to find who holds up the rest. Where that ends makes a difference
/// only to how many become suspects.
const FOLLOW: usize = 64;

/// What must come before what, as far as the orders of the keys tell.
struct Precedence<'a> {
    observed: &'a Observed<'a>,
    /// For each key, the number of its first version, which is that of nothing; the others follow.
    versions: Vec<u32>,
    /// How many versions there are.
    count: u32,
    /// Where nothing is known of real time, for each transaction the one that its process did before.
    earlier: Vec<Option<u32>>,
}

impl<'a> Precedence<'a> {
    fn new(observed: &'a Observed<'a>) -> Result<Precedence<'a>, TooLarge> {
        let mut versions = Vec::with_capacity(observed.lists.chains.len());
        let mut count = 0_u32;
        for chain in &observed.lists.chains {
            versions.push(count);
            let more = u32::try_from(chain.versions.len() + 1).ok();
            count = more.and_then(|more| count.checked_add(more)).ok_or(TooLarge)?;
        }
        let timed = observed.transactions.timed();
        let earlier = if timed { Vec::new() } else { observed.transactions.earlier() };
        Ok(Precedence { observed, versions, count, earlier })
    }

    /// The numbers of the versions that a transaction read, but those of which it wrote the next itself. A version counts
    /// as the one before the next writer that happened; the last version of a key, after which there are only appends of
    /// unknown order, counts once.
    fn read(&self, transaction: u32) -> impl Iterator<Item = u32> {
        let observed = self.observed;
        let reads = move || observed.lists.reads_of(transaction);
        reads().enumerate().filter_map(move |(number, read)| {
            let first = self.versions[read.key as usize];
            if let Some((writer, place)) = observed.writer_from(read.key, read.length) {
                return (writer != transaction).then(|| first + place);
            }
            let again = |other: Read| {
                other.key == read.key && observed.writer_from(other.key, other.length).is_none()
            };
            (!reads().take(number).any(again)).then(|| first + observed.length(read.key))
        })
    }

    /// All that a transaction must come after; it may be among it itself.
    fn causes(&self, transaction: u32) -> impl Iterator<Item = Cause> {
        let (observed, lists) = (self.observed, self.observed.lists);
        let after = |writer: Option<(u32, u32)>| writer.map(|(writer, _)| Cause::Transaction(writer));
        let read = lists
            .reads_of(transaction)
            .filter_map(move |read| after(observed.writer_before(read.key, read.length)));
        let appended = lists.appends_of(transaction).flat_map(move |append| {
            let length = observed.length(append.key);
            let readers = |place: u32| Some(Cause::Readers(self.versions[append.key as usize] + place));
            match append.place {
                Some(place) => [after(observed.writer_before(append.key, place)), readers(place)],
                None => [after(observed.writer_before(append.key, length)), readers(length)],
            }
        });
        let others = observed.sources(transaction).iter().copied().map(Cause::Transaction);
        let earlier = self.earlier.get(transaction as usize).copied().flatten().map(Cause::Transaction);
        read.chain(appended.flatten()).chain(others).chain(earlier)
    }
}

struct Arrangement<'a> {
    precedence: &'a Precedence<'a>,
    transactions: &'a Transactions,
    /// For each version, how many of its readers have no place yet.
    readers: Vec<u32>,
    placed: Vec<bool>,
    /// The first transaction that was not looked at yet.
    next: u32,
    /// No transaction before this one waits.
    lowest: u32,
    /// When those that were looked at and have no place ended; some have got one since.
    ends: BinaryHeap<Reverse<(u32, u32)>>,
    /// Those that may have nothing to wait for any more.
    ready: Vec<u32>,
    waiting: FxHashMap<Cause, Vec<u32>>,
    /// Lists of `waiting` that are free again.
    spare: Vec<Vec<u32>>,
    owed: FxHashSet<Cause>,
    suspects: Vec<u32>,
}

impl<'a> Arrangement<'a> {
    fn new(precedence: &'a Precedence<'a>) -> Arrangement<'a> {
        let transactions = precedence.observed.transactions;
        let mut readers = vec![0; precedence.count as usize];
        for version in transactions.numbers().flat_map(|transaction| precedence.read(transaction)) {
            readers[version as usize] += 1;
        }
        Arrangement {
            precedence,
            transactions,
            readers,
            placed: vec![false; transactions.len()],
            next: 0,
            lowest: 0,
            ends: BinaryHeap::new(),
            ready: Vec::new(),
            waiting: FxHashMap::default(),
            spare: Vec::new(),
            owed: FxHashSet::default(),
            suspects: Vec::new(),
        }
    }

    /// Goes on for some steps; answers whether all have their places.
    fn run(&mut self) -> bool {
        let total = self.transactions.len() as u32;
        for _ in 0..STEPS {
            if let Some(transaction) = self.ready.pop() {
                self.consider(transaction);
            } else if self.next < total && self.may_begin(self.next) {
                self.begin();
            } else if let Some(first) = self.first_waiting() {
                self.force(first);
            } else if self.next == total {
                return true;
            }
        }
        false
    }

    /// Whether a transaction need not wait for this.
    fn is_over(&self, transaction: u32, cause: Cause) -> bool {
        match cause {
            Cause::Transaction(writer) => writer == transaction || self.placed[writer as usize],
            Cause::Readers(version) => match self.readers[version as usize] {
                0 => true,
                1 => self.precedence.read(transaction).any(|own| own == version),
                _ => false,
            },
        }
    }

    /// What a transaction still has to wait for.
    fn open(&self, transaction: u32) -> impl Iterator<Item = Cause> {
        self.precedence.causes(transaction).filter(move |cause| !self.is_over(transaction, *cause))
    }

    /// Whether all that ended before a transaction began have their places.
    fn may_begin(&mut self, transaction: u32) -> bool {
        if !self.transactions.timed() {
            return true;
        }
        while let Some(Reverse((end, other))) = self.ends.peek() {
            if !self.placed[*other as usize] {
                return *end > self.transactions.invoke_of(transaction);
            }
            self.ends.pop();
        }
        true
    }

    /// Looks at the next transaction from now on, if it happened.
    fn begin(&mut self) {
        let transaction = self.next;
        self.next += 1;
        if self.precedence.observed.happened(transaction) {
            if self.transactions.timed()
                && let Some(end) = self.transactions.success_of(transaction)
            {
                self.ends.push(Reverse((end, transaction)));
            }
            self.ready.push(transaction);
        }
    }

    /// Gives a transaction its place, or lets it wait.
    fn consider(&mut self, transaction: u32) {
        if self.placed[transaction as usize] {
            return;
        }
        let cause = self.open(transaction).next();
        match cause {
            None => self.place(transaction),
            Some(cause) => {
                let spare = &mut self.spare;
                let list = self.waiting.entry(cause).or_insert_with(|| spare.pop().unwrap_or_default());
                list.push(transaction);
            }
        }
    }

    fn place(&mut self, transaction: u32) {
        self.placed[transaction as usize] = true;
        if !self.owed.is_empty() {
            self.suspects.push(transaction);
        }
        self.end(Cause::Transaction(transaction));
        for version in self.precedence.read(transaction) {
            let readers = &mut self.readers[version as usize];
            *readers -= 1;
            match *readers {
                0 => self.end(Cause::Readers(version)),
                // The last may be one who waits for the others.
                1 => self.wake(Cause::Readers(version)),
                _ => {}
            }
        }
    }

    /// Nothing has to wait for this any more.
    fn end(&mut self, cause: Cause) {
        self.wake(cause);
        if !self.owed.is_empty() {
            self.owed.remove(&cause);
        }
    }

    fn wake(&mut self, cause: Cause) {
        if let Some(mut list) = self.waiting.remove(&cause) {
            self.ready.append(&mut list);
            self.spare.push(list);
        }
    }

    /// One that waits: of those that hold up others by having ended, the first.
    fn first_waiting(&mut self) -> Option<u32> {
        while let Some(Reverse((_, transaction))) = self.ends.peek() {
            if !self.placed[*transaction as usize] {
                return Some(*transaction);
            }
            self.ends.pop();
        }
        let waits = |transaction: u32| {
            self.precedence.observed.happened(transaction) && !self.placed[transaction as usize]
        };
        let lowest = (self.lowest..self.next).find(|transaction| waits(*transaction));
        self.lowest = lowest.unwrap_or(self.next);
        lowest
    }

    /// Puts next one that waits, though it should not be: the first, or who holds it up.
    fn force(&mut self, first: u32) {
        let mut chosen = first;
        for _ in 0..FOLLOW {
            match self.open(chosen).next() {
                Some(Cause::Transaction(writer)) if writer < self.next && writer != first => chosen = writer,
                Some(Cause::Transaction(_) | Cause::Readers(_)) | None => break,
            }
        }
        let open: Vec<Cause> = self.open(chosen).collect();
        self.owed.extend(open);
        self.place(chosen);
    }
}
