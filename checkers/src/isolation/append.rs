//! What lists show: the dependencies between transactions, and the anomalies that are no cycles.

use std::collections::BTreeMap;

use rashomon_core::Kind;

use super::finding::Findings;
use super::graph::{Class, Edges};
use super::lists::{Append, ContradictionKind, Lists, Read};
use super::transactions::{Transaction, Transactions};

/// The lists of a history once all of it was read.
#[derive(Debug)]
pub(super) struct Observed<'a> {
    lists: &'a Lists,
    transactions: &'a [Transaction],
    /// Whether each transaction is known to have happened.
    happened: Vec<bool>,
    /// For each key, the transactions that happened and whose append to it no read shows: their place is after the
    /// longest read, their order unknown.
    unobserved: Vec<Vec<u32>>,
}

impl<'a> Observed<'a> {
    pub(super) fn new(lists: &'a Lists, transactions: &'a [Transaction]) -> Observed<'a> {
        let mut happened: Vec<bool> =
            transactions.iter().map(|transaction| transaction.outcome == Kind::Ok).collect();
        for append in &lists.appends {
            if lists.element(append.key, append.element).place.is_some() {
                let outcome = transactions[append.transaction as usize].outcome;
                happened[append.transaction as usize] |= outcome == Kind::Info;
            }
        }
        let mut unobserved = vec![Vec::new(); lists.chains.len()];
        for append in &lists.appends {
            let list: &mut Vec<u32> = &mut unobserved[append.key as usize];
            if happened[append.transaction as usize]
                && lists.element(append.key, append.element).place.is_none()
                && list.last() != Some(&append.transaction)
            {
                list.push(append.transaction);
            }
        }
        Observed { lists, transactions, happened, unobserved }
    }

    /// Whether there is a key of which the order of two transactions' appends is unknown.
    pub(super) fn order_is_open(&self) -> bool {
        self.unobserved.iter().any(|list| list.len() > 1)
    }

    /// The writer of the element at a place, when it is one that happened.
    fn writer_at(&self, key: u32, place: u32) -> Option<u32> {
        let element = self.lists.chains[key as usize].elements[place as usize];
        self.lists.writer(key, element).filter(|writer| self.happened[*writer as usize])
    }

    /// The last writer that happened before a place, and the place of its append.
    pub(super) fn writer_before(&self, key: u32, place: u32) -> Option<(u32, u32)> {
        (0..place).rev().find_map(|place| Some((self.writer_at(key, place)?, place)))
    }

    /// The first writer that happened from a place on, and the place of its append.
    pub(super) fn writer_from(&self, key: u32, place: u32) -> Option<(u32, u32)> {
        let length = self.lists.chains[key as usize].elements.len() as u32;
        (place..length).find_map(|place| Some((self.writer_at(key, place)?, place)))
    }

    pub(super) fn unobserved(&self, key: u32) -> &[u32] {
        &self.unobserved[key as usize]
    }

    /// Adds the dependencies. Elements of transactions that failed, and of nobody, are passed over.
    ///
    /// A reader comes before the next writer, and so before all later ones; for whether there is a cycle this is enough.
    /// With `all` it gets edges to the later ones too: read atomic and causal consistency forbid it to see any of them,
    /// and not only by way of the next.
    pub(super) fn depend(&self, edges: &mut Edges, all: bool) {
        for key in 0..self.lists.chains.len() as u32 {
            let length = self.lists.chains[key as usize].elements.len() as u32;
            let mut last = None;
            for place in 0..length {
                let Some(writer) = self.writer_at(key, place) else { continue };
                if let Some(last) = last {
                    edges.add(last, writer, Class::WW);
                }
                last = Some(writer);
            }
            for writer in self.unobserved(key) {
                if let Some(last) = last {
                    edges.add(last, *writer, Class::WW);
                }
            }
        }
        for read in &self.lists.reads {
            if let Some((writer, _)) = self.writer_before(read.key, read.length) {
                edges.add(writer, read.transaction, Class::WR);
            }
        }
        for stray in &self.lists.strays {
            let last = stray.list[..stray.length as usize].last();
            if let Some(writer) = last.and_then(|element| self.lists.writer(stray.key, *element))
                && self.happened[writer as usize]
            {
                edges.add(writer, stray.transaction, Class::WR);
            }
        }
        if all {
            self.precede_all_later(edges);
        } else {
            self.precede_next(edges);
        }
    }

    /// An edge from each reader to the next writer, or to all of unknown place behind.
    fn precede_next(&self, edges: &mut Edges) {
        let mut readers: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for read in &self.lists.reads {
            match self.writer_from(read.key, read.length) {
                Some((writer, _)) => edges.add(read.transaction, writer, Class::RW),
                None if self.unobserved(read.key).is_empty() => {}
                None => readers.entry(read.key).or_default().push(read.transaction),
            }
        }
        for (key, mut readers) in readers {
            readers.dedup();
            edges.fan(&readers, self.unobserved(key), Class::RW);
        }
    }

    /// Edges from each reader to every later writer, by way of a row of links along each key's order. A reader that
    /// writes the key too must not reach itself: it gets edges of its own, up to its own append.
    fn precede_all_later(&self, edges: &mut Edges) {
        let mut readers: BTreeMap<u32, Vec<Read>> = BTreeMap::new();
        for read in &self.lists.reads {
            readers.entry(read.key).or_default().push(*read);
        }
        for (key, reads) in readers {
            let length = self.lists.chains[key as usize].elements.len() as u32;
            let row: Vec<u32> = (0..length).map(|_| edges.link()).collect();
            for (place, link) in (0..).zip(&row) {
                if let Some(writer) = self.writer_at(key, place) {
                    edges.add(*link, writer, Class::LINK);
                }
                if let Some(next) = row.get(place as usize + 1) {
                    edges.add(*link, *next, Class::LINK);
                }
            }
            let mut last: Vec<u32> = Vec::new();
            for read in reads {
                let own = self.lists.appends_of(read.transaction).iter().filter(|append| append.key == key);
                let places =
                    own.map(|append| self.lists.element(key, append.element).place.unwrap_or(length));
                let own = places.min();
                if let Some(end) = own {
                    for writer in (read.length..end).filter_map(|place| self.writer_at(key, place)) {
                        edges.add(read.transaction, writer, Class::RW);
                    }
                } else if let Some(link) = row.get(read.length as usize) {
                    edges.add(read.transaction, *link, Class::RW);
                }
                if own.is_none_or(|own| own == length) {
                    last.push(read.transaction);
                }
            }
            last.sort_unstable();
            last.dedup();
            if !self.unobserved(key).is_empty() {
                edges.fan(&last, self.unobserved(key), Class::RW);
            }
        }
    }

    /// The anomalies that need no cycle.
    pub(super) fn anomalies(&self) -> Findings {
        let mut found = Findings::default();
        self.contradictions(&mut found);
        self.strays(&mut found);
        self.chains(&mut found);
        self.intermediate(&mut found);
        self.own_order(&mut found);
        self.lost_updates(&mut found);
        found
    }

    fn contradictions(&self, found: &mut Findings) {
        for one in &self.lists.contradictions {
            let name = match one.kind {
                ContradictionKind::Internal => "internal",
                ContradictionKind::Future => "future-read",
            };
            found.note(name, || {
                let because = format!("{}: {}", self.tell(one.transaction), one.because);
                (self.lists.key(one.key), vec![one.transaction], because)
            });
        }
    }

    fn strays(&self, found: &mut Findings) {
        for stray in &self.lists.strays {
            let told =
                || (self.lists.key(stray.key), self.lists.show(&stray.list), self.tell(stray.transaction));
            if let Some(element) = stray.twice {
                found.note("duplicate-elements", || {
                    let ((key, shown, reader), value) = (told(), self.lists.value(element));
                    let because = format!(
                        "{reader} read {shown} from key {key}: {value} is there twice and was appended once"
                    );
                    (key, vec![stray.transaction], because)
                });
            } else {
                found.note("incompatible-order", || {
                    let (key, shown, reader) = told();
                    let because = format!(
                        "{reader} read {shown} from key {key}, while the order of appends that other reads show is \
                         {}: neither begins with the other",
                        self.lists.show(&self.lists.chains[stray.key as usize].elements)
                    );
                    let mut transactions = vec![stray.transaction];
                    transactions.extend(stray.against.filter(|other| *other != stray.transaction));
                    (key, transactions, because)
                });
            }
            for element in &stray.list {
                self.origin(stray.key, *element, || stray.transaction, found);
            }
        }
    }

    /// Accuses a read of an element that nobody wrote, or a transaction that failed.
    fn origin(&self, key: u32, element: u32, reader: impl Fn() -> u32, found: &mut Findings) {
        let told = || (self.lists.key(key), self.lists.value(element), reader());
        match self.lists.writer(key, element) {
            None => found.note("garbage-read", || {
                let (key, value, reader) = told();
                let because =
                    format!("{} read {value} from key {key}, and nobody appended it", self.tell(reader));
                (key, vec![reader], because)
            }),
            Some(writer) if self.transactions[writer as usize].outcome == Kind::Fail => {
                found.note("G1a", || {
                    let (key, value, reader) = told();
                    let (reading, writing) = (self.tell(reader), self.tell(writer));
                    let because = format!("{reading} read {value} from key {key}, and {writing}, failed");
                    (key, vec![writer, reader], because)
                });
            }
            Some(_) => {}
        }
    }

    /// Goes through every key's order.
    fn chains(&self, found: &mut Findings) {
        for (key, chain) in (0..).zip(&self.lists.chains) {
            let mut failed: Option<(u32, u32)> = None;
            for (place, element) in (0..).zip(&chain.elements) {
                let writer = self.lists.writer(key, *element);
                let outcome = writer.map(|writer| self.transactions[writer as usize].outcome);
                if outcome.is_none_or(|outcome| outcome == Kind::Fail) {
                    self.origin(key, *element, || self.first_reader(key, place), found);
                }
                match (outcome, writer) {
                    (Some(Kind::Fail), Some(writer)) => failed = Some((writer, *element)),
                    (Some(Kind::Ok), Some(writer)) => {
                        if let Some((aborted, value)) = failed.take() {
                            found.note("dirty-update", || {
                                let name = self.lists.key(key);
                                let because = format!(
                                    "{} appended {} to key {name} after {} of {}, which failed",
                                    self.tell(writer),
                                    self.lists.value(*element),
                                    self.lists.value(value),
                                    self.tell(aborted)
                                );
                                let transactions = vec![aborted, writer, self.first_reader(key, place)];
                                (name, transactions, because)
                            });
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    /// A transaction that read the element at a place.
    fn first_reader(&self, key: u32, place: u32) -> u32 {
        let long = |read: &&Read| read.key == key && read.length > place;
        let read = self.lists.reads.iter().find(long).map(|read| read.transaction);
        read.or(self.lists.chains[key as usize].shown).expect("an element of the order was read")
    }

    /// Reads that end in the middle of what another transaction appended: G1b.
    fn intermediate(&self, found: &mut Findings) {
        let ends = self.lists.reads.iter().filter(|read| read.length > 0).map(|read| {
            let elements = &self.lists.chains[read.key as usize].elements;
            (read.transaction, read.key, elements[read.length as usize - 1])
        });
        let stray = self.lists.strays.iter().filter_map(|stray| {
            let last = stray.list[..stray.length as usize].last()?;
            Some((stray.transaction, stray.key, *last))
        });
        for (reader, key, element) in ends.chain(stray) {
            let Some(writer) = self.lists.writer(key, element).filter(|writer| *writer != reader) else {
                continue;
            };
            if self.transactions[writer as usize].outcome == Kind::Fail {
                continue;
            }
            let last = self.lists.appends_of(writer).iter().rev().find(|append| append.key == key);
            if let Some(last) = last.filter(|append| append.element != element) {
                found.note("G1b", || {
                    let name = self.lists.key(key);
                    let because = format!(
                        "{} read key {name} up to {}, in the middle of {}, whose last append to it is {}",
                        self.tell(reader),
                        self.lists.value(element),
                        self.tell(writer),
                        self.lists.value(last.element)
                    );
                    (name, vec![writer, reader], because)
                });
            }
        }
    }

    /// Appends of one transaction that stand in another order than it made them.
    fn own_order(&self, found: &mut Findings) {
        let mut last: BTreeMap<u32, (Option<u32>, u32)> = BTreeMap::new();
        let mut of = None;
        for append in &self.lists.appends {
            if of != Some(append.transaction) {
                last.clear();
                of = Some(append.transaction);
            }
            let place = self.lists.element(append.key, append.element).place;
            let before = last.insert(append.key, (place, append.element));
            // What no read shows can only come after what a read shows.
            if let (Some((before, element)), Some(place)) = (before, place)
                && before.is_none_or(|before| before > place)
            {
                found.note("incompatible-order", || {
                    let key = self.lists.key(append.key);
                    let because = format!(
                        "{} appended {} to key {key} before {}, and reads show the later one first, or alone",
                        self.tell(append.transaction),
                        self.lists.value(element),
                        self.lists.value(append.element)
                    );
                    let reader = self.first_reader(append.key, place);
                    let mut transactions = vec![append.transaction];
                    transactions.extend(Some(reader).filter(|reader| *reader != append.transaction));
                    (key, transactions, because)
                });
            }
        }
    }

    /// Transactions that read the same version of a key and all wrote it.
    fn lost_updates(&self, found: &mut Findings) {
        let mut updates: Vec<(u32, u32, u32)> = self
            .lists
            .reads
            .iter()
            .filter(|read| {
                self.lists.appends_of(read.transaction).iter().any(|append| append.key == read.key)
            })
            .map(|read| (read.key, read.length, read.transaction))
            .collect();
        updates.sort_unstable();
        updates.dedup();
        for group in updates.chunk_by(|one, two| (one.0, one.1) == (two.0, two.1)) {
            if let [(key, length, first), (.., second), ..] = group {
                found.note("lost-update", || {
                    let name = self.lists.key(*key);
                    let list = &self.lists.chains[*key as usize].elements[..*length as usize];
                    let because = format!(
                        "{} and {} both found {} at key {name} and both appended to it",
                        self.tell(*first),
                        self.tell(*second),
                        self.lists.show(list)
                    );
                    let transactions = group.iter().map(|(.., transaction)| *transaction).collect();
                    (name, transactions, because)
                });
            }
        }
    }

    /// A transaction as sentences name it.
    fn tell(&self, transaction: u32) -> String {
        tell(&self.transactions[transaction as usize])
    }

    /// Why one transaction comes before another: the key, and a sentence.
    pub(super) fn why(&self, from: u32, class: Class, to: u32) -> Option<(String, String)> {
        let lists = self.lists;
        match class {
            Class::WW => lists.appends_of(from).iter().find_map(|append| {
                let place = lists.element(append.key, append.element).place?;
                let (key, first) = (lists.key(append.key), lists.value(append.element));
                match self.writer_from(append.key, place + 1) {
                    Some((writer, next)) if writer == to => {
                        let second = lists.value(lists.chains[append.key as usize].elements[next as usize]);
                        Some((key.clone(), format!(
                            "it appended {first} to key {key} at place {place}, and the other {second} at place {next}"
                        )))
                    }
                    None if self.unobserved(append.key).contains(&to) => Some((key.clone(), format!(
                        "it appended {first} to key {key}, which is in the longest read, and what the other appended \
                         is in none"
                    ))),
                    _ => None,
                }
            }),
            Class::WR => {
                let whole = lists.reads_of(to).iter().find_map(|read| {
                    let (writer, place) = self.writer_before(read.key, read.length)?;
                    (writer == from).then(|| (read.key, lists.chains[read.key as usize].elements[place as usize]))
                });
                let stray = || lists.strays.iter().filter(|stray| stray.transaction == to).find_map(|stray| {
                    let last = *stray.list[..stray.length as usize].last()?;
                    (lists.writer(stray.key, last) == Some(from)).then_some((stray.key, last))
                });
                whole.or_else(stray).map(|(key, element)| {
                    let (key, element) = (lists.key(key), lists.value(element));
                    (key.clone(), format!("it appended {element} to key {key}, and the other read it"))
                })
            }
            Class::RW => lists.reads_of(from).iter().find_map(|read| {
                let later = |append: &&Append| {
                    let place = lists.element(append.key, append.element).place;
                    append.key == read.key && place.is_none_or(|place| place >= read.length)
                };
                let append = lists.appends_of(to).iter().find(later)?;
                let key = lists.key(read.key);
                let elements = &lists.chains[read.key as usize].elements;
                let shown = lists.show(&elements[..read.length as usize]);
                let missing = lists.value(append.element);
                let because =
                    format!("it read {shown} from key {key}, without {missing} that the other appended");
                Some((key, because))
            }),
            _ => None,
        }
    }
}

/// A transaction as sentences name it.
pub(super) fn tell(transaction: &Transaction) -> String {
    match transaction.completion {
        Some(completion) => {
            format!(
                "the transaction of process {} (events {}-{completion})",
                transaction.process, transaction.invoke
            )
        }
        None => format!("the transaction of process {} (event {})", transaction.process, transaction.invoke),
    }
}

/// How many transactions ended so.
pub(super) fn count(transactions: &Transactions, outcome: Kind) -> usize {
    transactions.list.iter().filter(|transaction| transaction.outcome == outcome).count()
}
