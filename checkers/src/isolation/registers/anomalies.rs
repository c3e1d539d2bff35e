//! The anomalies that single reads of registers show, and why one transaction comes before another.

use rashomon_core::Kind;
use serde_json::Map;

use super::accesses::{Contradiction, ContradictionKind, Read, Source, Write};
use super::dependencies::Observed;
use super::minimal::{Core, core};
use super::versions::Versions;
use crate::isolation::finding::{Finding, Findings, Mark};
use crate::isolation::graph::Class;
use crate::isolation::level::{Isolation, Levels, Order};
use crate::isolation::micro_ops::{Names, Verb};
use crate::isolation::reasons::tell;

impl Observed<'_> {
    /// The anomalies that need no cycle.
    pub(super) fn anomalies(&self, names: &Names, versions: &Versions) -> Findings {
        let Observed { registers, transactions, .. } = self;
        let show =
            |value: Option<u32>| value.map_or_else(|| "nothing".to_owned(), |value| names.value(value));
        let mut found = Findings::default();
        for (key, cycle) in versions.contradictions() {
            found.note("cyclic-versions", || {
                let values: Vec<String> = cycle.iter().map(|write| names.value(registers.writes[*write as usize].value)).collect();
                let because = format!(
                    "transactions that read one value of key {} and wrote another put {} before {}: this order of its \
                     values was not used",
                    names.key(key),
                    values.join(" before "),
                    values[0]
                );
                let mark = |write: &u32| {
                    let Write { transaction, value, .. } = registers.writes[*write as usize];
                    Mark::new(transaction, Verb::Write).of(names.raw(value))
                };
                (names.key(key), cycle.iter().map(mark).collect(), because)
            });
        }
        for Contradiction { transaction, key, place, found: shown, kind } in &registers.contradictions {
            let (name, otherwise) = match kind {
                ContradictionKind::Internal { before } => {
                    ("internal", format!("after it had read or written {}", show(*before)))
                }
                ContradictionKind::Future => ("future-read", "before it wrote it".to_owned()),
            };
            found.note(name, || {
                let (key, shown) = (names.key(*key), show(*shown));
                let because =
                    format!("{}: it read {shown} from key {key} {otherwise}", self.tell(*transaction));
                let read = Mark::new(*transaction, Verb::Read).at(*place as usize).illegal();
                (key, vec![read], because)
            });
        }
        for number in transactions.numbers() {
            for read in registers.reads_of(number) {
                self.uncommitted(number, read, names, &mut found);
            }
        }
        for version in 0..registers.versions() as u32 {
            self.lost_updates(version, names, &mut found);
        }
        found
    }

    /// Two who read a version and both wrote the next.
    fn lost_updates(&self, version: u32, names: &Names, found: &mut Findings) {
        let Observed { registers, .. } = self;
        let readers = self.readers.row(version);
        if readers.len() < 2 {
            return;
        }
        let (key, value) = registers.of_version(version);
        let writers = readers.iter().copied().filter(|reader| registers.writes_to(*reader, key));
        let writers: Vec<u32> = writers.collect();
        if let [first, second, ..] = writers[..] {
            found.note("lost-update", || {
                let name = names.key(key);
                let shown = value.map_or_else(|| "nothing".to_owned(), |value| names.value(value));
                let because = format!(
                    "{} and {} both found {shown} at key {name} and both wrote it",
                    self.tell(first),
                    self.tell(second),
                );
                let both = |transaction| [Verb::Read, Verb::Write].map(|verb| Mark::new(transaction, verb));
                (name, writers.iter().copied().flat_map(both).collect(), because)
            });
        }
    }

    /// No order of few transactions explains them, if the suspects hold such few.
    pub(super) fn unserializable(&self, order: Order, suspects: &[u32]) -> Option<Finding> {
        let Core { transactions, is_minimal } = core(self, order, suspects)?;
        let kept = match order {
            Order::Plain => "",
            Order::Session => ", which keeps to that of each process,",
            Order::RealTime => ", which keeps to real time,",
        };
        let told: Vec<String> = transactions.iter().map(|number| self.tell(*number)).collect();
        let fewer = if is_minimal { ", and without any one of them there is one" } else { "" };
        let because = format!(
            "no order of these {} transactions{kept} explains what they read of each other{fewer}: {}",
            transactions.len(),
            told.join(", ")
        );
        Some(Finding {
            name: "unserializable".to_owned(),
            key: None,
            transactions,
            because,
            rules_out: Levels::from(&[Isolation::RepeatableRead], order),
            details: Map::new(),
            marks: Vec::new(),
        })
    }

    pub(super) fn tell(&self, transaction: u32) -> String {
        tell(&self.transactions.get(transaction))
    }

    /// A read of what was never committed, or never so.
    fn uncommitted(&self, reader: u32, read: Read, names: &Names, found: &mut Findings) {
        let Observed { registers, transactions, .. } = self;
        let value = match read.source {
            Source::Nothing => return,
            Source::Write(write) => registers.writes[write as usize].value,
            Source::Nobody(value) => value,
        };
        let marked = || Mark::new(reader, Verb::Read).of(names.raw(value)).illegal();
        let written = |by: u32| Mark::new(by, Verb::Write).of(names.raw(value));
        let shown =
            || format!("{} read {} from key {}", self.tell(reader), names.value(value), names.key(read.key));
        let Source::Write(write) = read.source else {
            found.note("garbage-read", || {
                (names.key(read.key), vec![marked()], format!("{}, and nobody wrote it", shown()))
            });
            return;
        };
        let writer = registers.writes[write as usize].transaction;
        if transactions.outcome(writer) == Kind::Fail {
            found.note("G1a", || {
                let because = format!("{}, and {}, which wrote it, failed", shown(), self.tell(writer));
                (names.key(read.key), vec![written(writer), marked()], because)
            });
        } else if writer != reader && !registers.is_last(write) {
            found.note("G1b", || {
                let because = format!("{}, which {} replaced before it ended", shown(), self.tell(writer));
                (names.key(read.key), vec![written(writer), marked()], because)
            });
        }
    }

    /// Why one transaction comes before another: the key, and a sentence.
    pub(super) fn why(&self, names: &Names, from: u32, class: Class, to: u32) -> Option<(String, String)> {
        let registers = self.registers;
        let show =
            |value: Option<u32>| value.map_or_else(|| "nothing".to_owned(), |value| names.value(value));
        let shown = |read: Read| show(registers.value(read));
        let writes = |key: u32| registers.writes_of(to).iter().find(move |write| write.key == key);
        let (key, because) = match class {
            Class::WR => {
                let read = registers.reads_of(to).find(|read| registers.writer(*read) == Some(from))?;
                let (key, value) = (names.key(read.key), shown(read));
                (read.key, format!("it wrote {value} to key {key}, and the other read it"))
            }
            Class::RW => {
                let (read, write) = registers.reads_of(from).find_map(|read| {
                    let replaced =
                        read.source == Source::Nothing || registers.reads_of(to).any(|same| same == read);
                    writes(read.key).filter(|_| replaced).map(|write| (read, write))
                })?;
                let (key, value) = (names.key(read.key), shown(read));
                let next = names.value(write.value);
                (read.key, format!("it read {value} from key {key}, which the other replaced by {next}"))
            }
            _ => return None,
        };
        Some((names.key(key), because))
    }
}
