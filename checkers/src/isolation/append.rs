//! What lists show: the dependencies between transactions, and the anomalies that are no cycles.

use std::collections::BTreeMap;

use rashomon_core::Kind;

use super::appends::Append;
use super::finding::{Findings, Mark};
use super::graph::{Class, Edges};
use super::lists::{ContradictionKind, Lists, NOBODY, Read};
use super::micro_ops::{Names, Verb};
use super::transactions::{Transaction, Transactions};

/// How much is added to the dependencies that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// A reader comes before the next writer, and so before all later ones; for whether there is a cycle this is enough.
    Next,
    /// It gets edges to the later ones too: read atomic and causal consistency forbid it to see any of them, and not only
    /// by way of the next.
    All,
    /// Besides, appends that no read shows were made in the order in which their transactions ended. If that explains
    /// everything, it does not matter in which order they really were.
    Guessed,
}

/// The lists of a history once all of it was read.
#[derive(Debug)]
pub(super) struct Observed<'a> {
    lists: &'a Lists,
    names: &'a Names,
    transactions: &'a Transactions,
    /// Whether each transaction is known to have happened.
    happened: Vec<bool>,
    /// For each key that has any, the transactions that happened and whose append to it no read shows: their place is
    /// after the longest read, their order unknown.
    unobserved: BTreeMap<u32, Vec<u32>>,
}

impl<'a> Observed<'a> {
    pub(super) fn new(lists: &'a Lists, names: &'a Names, transactions: &'a Transactions) -> Observed<'a> {
        let mut happened: Vec<bool> =
            transactions.numbers().map(|number| transactions.outcome(number) == Kind::Ok).collect();
        for append in lists.appends.list.iter().filter(|append| append.place().is_some()) {
            happened[append.transaction as usize] |= transactions.outcome(append.transaction) == Kind::Info;
        }
        let mut unobserved: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for append in lists.appends.list.iter().filter(|append| append.place().is_none()) {
            if happened[append.transaction as usize] {
                let list = unobserved.entry(append.key).or_default();
                if list.last() != Some(&append.transaction) {
                    list.push(append.transaction);
                }
            }
        }
        Observed { lists, names, transactions, happened, unobserved }
    }

    /// Whether there is a key of which the order of two transactions' appends is unknown.
    pub(super) fn order_is_open(&self) -> bool {
        self.unobserved.values().any(|list| list.len() > 1)
    }

    /// The writer of the element at a place, when it is one that happened.
    fn writer_at(&self, key: u32, place: u32) -> Option<u32> {
        let writer = self.lists.chains[key as usize].versions[place as usize].writer;
        (writer != NOBODY && self.happened[writer as usize]).then_some(writer)
    }

    /// The last writer that happened before a place, and the place of its append.
    pub(super) fn writer_before(&self, key: u32, place: u32) -> Option<(u32, u32)> {
        (0..place).rev().find_map(|place| Some((self.writer_at(key, place)?, place)))
    }

    /// The first writer that happened from a place on, and the place of its append.
    pub(super) fn writer_from(&self, key: u32, place: u32) -> Option<(u32, u32)> {
        let length = self.length(key);
        (place..length).find_map(|place| Some((self.writer_at(key, place)?, place)))
    }

    fn unobserved(&self, key: u32) -> &[u32] {
        self.unobserved.get(&key).map_or(&[], Vec::as_slice)
    }

    /// How long the order of a key is known.
    fn length(&self, key: u32) -> u32 {
        self.lists.chains[key as usize].versions.len() as u32
    }

    /// Adds the dependencies. Elements of transactions that failed, and of nobody, are passed over.
    pub(super) fn depend(&self, edges: &mut Edges, depth: Depth) {
        for key in 0..self.lists.chains.len() as u32 {
            let mut last = None;
            for writer in (0..self.length(key)).filter_map(|place| self.writer_at(key, place)) {
                if let Some(last) = last {
                    edges.add(last, writer, Class::WW);
                }
                last = Some(writer);
            }
            if let (Some(last), Some(unobserved)) = (last, self.unobserved.get(&key)) {
                for writer in unobserved {
                    edges.add(last, *writer, Class::WW);
                }
            }
        }
        for (transaction, read) in self.lists.all_reads() {
            if let Some((writer, _)) = self.writer_before(read.key, read.length) {
                edges.add(writer, transaction, Class::WR);
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
        match depth {
            Depth::Next => self.precede_next(edges),
            Depth::All => self.precede_all_later(edges),
            Depth::Guessed => {
                self.precede_all_later(edges);
                self.guess(edges);
            }
        }
    }

    /// Puts appends that no read shows into the order in which their transactions ended.
    fn guess(&self, edges: &mut Edges) {
        for list in self.unobserved.values() {
            let mut list = list.clone();
            list.sort_by_key(|writer| {
                let transaction = self.transactions.get(*writer);
                (transaction.outcome != Kind::Ok, transaction.completion)
            });
            for pair in list.windows(2) {
                edges.add(pair[0], pair[1], Class::WW);
            }
        }
    }

    /// An edge from each reader to the next writer, or to all of unknown place behind.
    fn precede_next(&self, edges: &mut Edges) {
        let mut readers: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (transaction, read) in self.lists.all_reads() {
            match self.writer_from(read.key, read.length) {
                Some((writer, _)) => edges.add(transaction, writer, Class::RW),
                None if self.unobserved(read.key).is_empty() => {}
                None => readers.entry(read.key).or_default().push(transaction),
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
        let mut readers: BTreeMap<u32, Vec<(u32, Read)>> = BTreeMap::new();
        for (transaction, read) in self.lists.all_reads() {
            readers.entry(read.key).or_default().push((transaction, read));
        }
        for (key, reads) in readers {
            let length = self.length(key);
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
            for (transaction, read) in reads {
                let own = self.lists.appends_of(transaction).iter().filter(|append| append.key == key);
                let own = own.map(|append| append.place().unwrap_or(length)).min();
                if let Some(end) = own {
                    for writer in (read.length..end).filter_map(|place| self.writer_at(key, place)) {
                        edges.add(transaction, writer, Class::RW);
                    }
                } else if let Some(link) = row.get(read.length as usize) {
                    edges.add(transaction, *link, Class::RW);
                }
                if own.is_none_or(|own| own == length) {
                    last.push(transaction);
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
                let read = Mark::new(one.transaction, Verb::Read).at(one.place).illegal();
                (self.names.key(one.key), vec![read], because)
            });
        }
    }

    fn strays(&self, found: &mut Findings) {
        for stray in &self.lists.strays {
            let told =
                || (self.names.key(stray.key), self.names.show(&stray.list), self.tell(stray.transaction));
            let list = || stray.list.iter().map(|element| self.names.raw(*element)).collect();
            let read = || Mark::new(stray.transaction, Verb::Read).of(list());
            if let Some(element) = stray.twice {
                found.note("duplicate-elements", || {
                    let ((key, shown, reader), value) = (told(), self.names.value(element));
                    let because = format!(
                        "{reader} read {shown} from key {key}: {value} is there twice and was appended once"
                    );
                    (key, vec![read().illegal()], because)
                });
            } else {
                found.note("incompatible-order", || {
                    let (key, shown, reader) = told();
                    let because = format!(
                        "{reader} read {shown} from key {key}, while the order of appends that other reads show is \
                         {}: neither begins with the other",
                        self.names.show(&self.lists.chains[stray.key as usize].elements(self.length(stray.key)))
                    );
                    let other = stray.against.filter(|other| *other != stray.transaction);
                    let marks = Some(read()).into_iter().chain(other.map(|other| Mark::new(other, Verb::Read)));
                    (key, marks.collect(), because)
                });
            }
            for element in &stray.list {
                self.origin(stray.key, *element, || stray.transaction, found);
            }
        }
    }

    /// Accuses a read of an element that nobody wrote, or a transaction that failed.
    fn origin(&self, key: u32, element: u32, reader: impl Fn() -> u32, found: &mut Findings) {
        let told = || (self.names.key(key), self.names.value(element), reader());
        match self.lists.writer(key, element) {
            None => found.note("garbage-read", || {
                let (key, value, reader) = told();
                let because =
                    format!("{} read {value} from key {key}, and nobody appended it", self.tell(reader));
                (key, vec![Mark::new(reader, Verb::Read).of(self.names.raw(element)).illegal()], because)
            }),
            Some(writer) if self.transactions.outcome(writer) == Kind::Fail => {
                found.note("G1a", || {
                    let (key, value, reader) = told();
                    let (reading, writing) = (self.tell(reader), self.tell(writer));
                    let because = format!(
                        "{reading} read {value} from key {key}, and {writing}, which appended it, failed"
                    );
                    let value = || self.names.raw(element);
                    let read = Mark::new(reader, Verb::Read).of(value()).illegal();
                    (key, vec![Mark::new(writer, Verb::Append).of(value()), read], because)
                });
            }
            Some(_) => {}
        }
    }

    /// Goes through every key's order.
    fn chains(&self, found: &mut Findings) {
        for (key, chain) in (0..).zip(&self.lists.chains) {
            let mut failed: Option<(u32, u32)> = None;
            for (place, version) in (0..).zip(&chain.versions) {
                let element = version.element;
                let writer = Some(version.writer).filter(|writer| *writer != NOBODY);
                let outcome = writer.map(|writer| self.transactions.outcome(writer));
                if outcome.is_none_or(|outcome| outcome == Kind::Fail) {
                    self.origin(key, element, || self.first_reader(key, place), found);
                }
                match (outcome, writer) {
                    (Some(Kind::Fail), Some(writer)) => failed = Some((writer, element)),
                    (Some(Kind::Ok), Some(writer)) => {
                        if let Some((aborted, value)) = failed.take() {
                            found.note("dirty-update", || {
                                let name = self.names.key(key);
                                let because = format!(
                                    "{} appended {} to key {name} after {} of {}, which failed",
                                    self.tell(writer),
                                    self.names.value(element),
                                    self.names.value(value),
                                    self.tell(aborted)
                                );
                                let append = |writer, element| {
                                    Mark::new(writer, Verb::Append).of(self.names.raw(element))
                                };
                                let reader = Mark::new(self.first_reader(key, place), Verb::Read)
                                    .of(self.names.raw(value));
                                let marks = vec![append(aborted, value), append(writer, element), reader];
                                (name, marks, because)
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
        let long = |(_, read): &(u32, Read)| read.key == key && read.length > place;
        let read = self.lists.all_reads().find(long).map(|(transaction, _)| transaction);
        read.or(self.lists.chains[key as usize].shown).expect("an element of the order was read")
    }

    /// Reads that end in the middle of what another transaction appended: G1b.
    fn intermediate(&self, found: &mut Findings) {
        let ends = self.lists.all_reads().filter(|(_, read)| read.length > 0).map(|(transaction, read)| {
            let versions = &self.lists.chains[read.key as usize].versions;
            let last = versions[read.length as usize - 1];
            (transaction, read.key, last.element, Some(last.writer).filter(|writer| *writer != NOBODY))
        });
        let stray = self.lists.strays.iter().filter_map(|stray| {
            let last = stray.list[..stray.length as usize].last()?;
            Some((stray.transaction, stray.key, *last, self.lists.writer(stray.key, *last)))
        });
        for (reader, key, element, writer) in ends.chain(stray) {
            let Some(writer) = writer.filter(|writer| *writer != reader) else { continue };
            if self.transactions.outcome(writer) == Kind::Fail {
                continue;
            }
            let last = self.lists.appends_of(writer).iter().rev().find(|append| append.key == key);
            if let Some(last) = last.filter(|append| append.element != element) {
                found.note("G1b", || {
                    let name = self.names.key(key);
                    let because = format!(
                        "{} read key {name} up to {}, in the middle of {}, whose last append to it is {}",
                        self.tell(reader),
                        self.names.value(element),
                        self.tell(writer),
                        self.names.value(last.element)
                    );
                    let (read, append) = (self.names.raw(element), self.names.raw(last.element));
                    let marks = vec![
                        Mark::new(writer, Verb::Append).of(read.clone()),
                        Mark::new(writer, Verb::Append).of(append),
                        Mark::new(reader, Verb::Read).of(read).illegal(),
                    ];
                    (name, marks, because)
                });
            }
        }
    }

    /// Appends of one transaction that stand in another order than it made them.
    fn own_order(&self, found: &mut Findings) {
        let mut last: BTreeMap<u32, (Option<u32>, u32)> = BTreeMap::new();
        let mut of = None;
        for append in &self.lists.appends.list {
            if of != Some(append.transaction) {
                last.clear();
                of = Some(append.transaction);
            }
            let place = append.place();
            let before = last.insert(append.key, (place, append.element));
            // What no read shows can only come after what a read shows.
            if let (Some((before, element)), Some(place)) = (before, place)
                && before.is_none_or(|before| before > place)
            {
                found.note("incompatible-order", || {
                    let key = self.names.key(append.key);
                    let because = format!(
                        "{} appended {} to key {key} before {}, and reads show the later one first, or alone",
                        self.tell(append.transaction),
                        self.names.value(element),
                        self.names.value(append.element)
                    );
                    let reader = self.first_reader(append.key, place);
                    let own =
                        |element| Mark::new(append.transaction, Verb::Append).of(self.names.raw(element));
                    let read = Mark::new(reader, Verb::Read).of(self.names.raw(append.element));
                    (key, vec![own(element), own(append.element), read], because)
                });
            }
        }
    }

    /// Transactions that read the same version of a key and all wrote it.
    fn lost_updates(&self, found: &mut Findings) {
        let mut updates: Vec<(u32, u32, u32)> = self
            .lists
            .all_reads()
            .filter(|(transaction, read)| {
                self.lists.appends_of(*transaction).iter().any(|append| append.key == read.key)
            })
            .map(|(transaction, read)| (read.key, read.length, transaction))
            .collect();
        updates.sort_unstable();
        updates.dedup();
        for group in updates.chunk_by(|one, two| (one.0, one.1) == (two.0, two.1)) {
            if let [(key, length, first), (.., second), ..] = group {
                found.note("lost-update", || {
                    let name = self.names.key(*key);
                    let list = self.lists.chains[*key as usize].elements(*length);
                    let because = format!(
                        "{} and {} both found {} at key {name} and both appended to it",
                        self.tell(*first),
                        self.tell(*second),
                        self.names.show(&list)
                    );
                    let both =
                        |transaction| [Verb::Read, Verb::Append].map(|verb| Mark::new(transaction, verb));
                    let marks = group.iter().flat_map(|(.., transaction)| both(*transaction)).collect();
                    (name, marks, because)
                });
            }
        }
    }

    /// A transaction as sentences name it.
    fn tell(&self, transaction: u32) -> String {
        tell(&self.transactions.get(transaction))
    }

    /// Why one transaction comes before another: the key, and a sentence.
    pub(super) fn why(&self, from: u32, class: Class, to: u32) -> Option<(String, String)> {
        let (lists, names) = (self.lists, self.names);
        let element =
            |key: u32, place: u32| names.value(lists.chains[key as usize].versions[place as usize].element);
        match class {
            Class::WW => lists.appends_of(from).iter().find_map(|append| {
                let place = append.place()?;
                let (key, first) = (names.key(append.key), names.value(append.element));
                match self.writer_from(append.key, place + 1) {
                    Some((writer, next)) if writer == to => {
                        let second = element(append.key, next);
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
                    (writer == from).then(|| (read.key, element(read.key, place)))
                });
                let stray = || lists.strays.iter().filter(|stray| stray.transaction == to).find_map(|stray| {
                    let last = *stray.list[..stray.length as usize].last()?;
                    (lists.writer(stray.key, last) == Some(from)).then(|| (stray.key, names.value(last)))
                });
                whole.or_else(stray).map(|(key, element)| {
                    let key = names.key(key);
                    (key.clone(), format!("it appended {element} to key {key}, and the other read it"))
                })
            }
            Class::RW => lists.reads_of(from).iter().find_map(|read| {
                let later = |append: &&Append| {
                    append.key == read.key && append.place().is_none_or(|place| place >= read.length)
                };
                let append = lists.appends_of(to).iter().find(later)?;
                let key = names.key(read.key);
                let shown = names.show(&lists.chains[read.key as usize].elements(read.length));
                let missing = names.value(append.element);
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
