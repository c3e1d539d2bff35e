//! The anomalies of lists that are no cycles.

use rashomon_core::Kind;

use super::finding::{Findings, Mark};
use super::lists::{Append, ContradictionKind, NOBODY, Read};
use super::micro_ops::Verb;
use super::observed::Observed;

impl Observed<'_> {
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
            let (names, key) = (self.names, || self.names.key(one.key));
            let (name, because) = match &one.kind {
                ContradictionKind::Internal { shown, known, own } => ("internal", {
                    let had = match known {
                        None => format!("appended {}", names.show(own)),
                        Some(known) => format!("read or made {}", names.show(&[&known[..], own].concat())),
                    };
                    format!("it read {} from key {} after it had {had}", names.show(shown), key())
                }),
                ContradictionKind::Future { element } => (
                    "future-read",
                    format!("it read {} from key {} before it appended it", names.value(*element), key()),
                ),
            };
            found.note(name, || {
                let read = Mark::new(one.transaction, Verb::Read).at(one.place as usize).illegal();
                (key(), vec![read], format!("{}: {because}", self.tell(one.transaction)))
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
                let writer = self.writer_in(stray, *element);
                self.origin(stray.key, *element, writer, || stray.transaction, found);
            }
        }
    }

    /// Accuses a read of an element that nobody wrote, or a transaction that failed.
    fn origin(
        &self,
        key: u32,
        element: u32,
        writer: Option<u32>,
        reader: impl Fn() -> u32,
        found: &mut Findings,
    ) {
        let told = || (self.names.key(key), self.names.value(element), reader());
        match writer {
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
                    self.origin(key, element, writer, || self.first_reader(key, place), found);
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
        read.or(self.lists.chains[key as usize].shown()).expect("an element of the order was read")
    }

    /// Reads that end in the middle of what another transaction appended: G1b.
    fn intermediate(&self, found: &mut Findings) {
        for (reader, read) in self.lists.all_reads().filter(|(_, read)| read.length > 0) {
            let last = self.lists.chains[read.key as usize].versions[read.length as usize - 1];
            if last.writer != NOBODY {
                self.ends(reader, read.key, last.element, last.writer, found);
            }
        }
        for stray in &self.lists.strays {
            if let Some(last) = stray.list[..stray.length as usize].last()
                && let Some(writer) = self.writer_in(stray, *last)
            {
                self.ends(stray.transaction, stray.key, *last, writer, found);
            }
        }
    }

    /// Accuses a read whose last element, of this writer, is not the last that it appended.
    fn ends(&self, reader: u32, key: u32, element: u32, writer: u32, found: &mut Findings) {
        if writer == reader || self.transactions.outcome(writer) == Kind::Fail {
            return;
        }
        let last = self.lists.appends_of(writer).rfind(|append| append.key == key);
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

    /// Appends of one transaction that stand in another order than it made them.
    fn own_order(&self, found: &mut Findings) {
        let mut own: Vec<Append> = Vec::new();
        for transaction in self.transactions.numbers() {
            own.clear();
            own.extend(self.lists.appends_of(transaction));
            own.sort_by_key(|append| append.key);
            for pair in own.windows(2) {
                let (before, append) = (pair[0], pair[1]);
                // What no read shows can only come after what a read shows.
                if before.key == append.key
                    && let Some(place) = append.place
                    && before.place.is_none_or(|before| before > place)
                {
                    found.note("incompatible-order", || {
                        let key = self.names.key(append.key);
                        let because = format!(
                            "{} appended {} to key {key} before {}, and reads show the later one first, or alone",
                            self.tell(transaction),
                            self.names.value(before.element),
                            self.names.value(append.element)
                        );
                        let reader = self.first_reader(append.key, place);
                        let own =
                            |element| Mark::new(transaction, Verb::Append).of(self.names.raw(element));
                        let read = Mark::new(reader, Verb::Read).of(self.names.raw(append.element));
                        (key, vec![own(before.element), own(append.element), read], because)
                    });
                }
            }
        }
    }

    /// Transactions that read the same version of a key and all wrote it.
    fn lost_updates(&self, found: &mut Findings) {
        let mut updates: Vec<(u32, u32, u32)> = self
            .lists
            .all_reads()
            .filter(|(transaction, read)| {
                self.lists.appends_of(*transaction).any(|append| append.key == read.key)
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
}
