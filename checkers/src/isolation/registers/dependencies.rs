//! The dependencies between transactions that their registers show, as edges.

use super::accesses::Registers;
use super::rows::Rows;
use super::versions::Versions;
use crate::isolation::graph::{Class, Edges};
use crate::isolation::transactions::Transactions;

/// What transactions read and wrote, by version and by key.
#[derive(Debug)]
pub(super) struct Observed<'a> {
    pub(super) registers: &'a Registers,
    pub(super) transactions: &'a Transactions,
    /// Whether each transaction is known to have happened.
    pub(super) happened: Vec<bool>,
    /// The transactions that read each version.
    pub(super) readers: Rows,
}

impl<'a> Observed<'a> {
    pub(super) fn new(registers: &'a Registers, transactions: &'a Transactions) -> Observed<'a> {
        let versions = |number: u32| {
            let reads = registers.reads_of(number);
            // A transaction at odds with itself may have read a version twice.
            let again = reads.clone();
            let again = move |place: usize, read| again.clone().take(place).any(|earlier| earlier == read);
            let once = reads.enumerate().filter(move |(place, read)| !again(*place, *read));
            once.filter_map(move |(_, read)| Some((registers.version(read)?, number)))
        };
        let readers = Rows::of(registers.versions(), || transactions.numbers().flat_map(versions));
        Observed { registers, transactions, happened: registers.happened(transactions), readers }
    }

    /// The transactions that happened, in the order of their numbers.
    pub(super) fn all(&self) -> impl Iterator<Item = u32> {
        self.transactions.numbers().filter(|number| self.happened[*number as usize])
    }

    /// The transactions that happened, by when they ended; those of unknown end come last.
    pub(super) fn by_end(&self) -> Vec<u32> {
        let mut ends: Vec<u32> = self.all().collect();
        ends.sort_by_key(|number| self.end(*number));
        ends
    }

    /// When a transaction ended ok, if it did, and otherwise later than all.
    pub(super) fn end(&self, number: u32) -> u32 {
        self.transactions.success_of(number).unwrap_or(u32::MAX)
    }

    /// For each key the writes that others may see, in the order of these transactions.
    pub(super) fn writers(&self, transactions: &[u32]) -> Rows {
        let registers = self.registers;
        Rows::of(registers.keys(), || {
            let all = transactions.iter().flat_map(|number| registers.last_writes_of(*number));
            all.map(|(number, write)| (write.key, number))
        })
    }

    /// Adds the dependencies that are known: a reader comes after the writer; who read a version and wrote the next comes
    /// after the version's other readers; and who read nothing comes before all writers. Where what transactions show of
    /// the order of a key's values contradicts itself, it is not used.
    ///
    /// Who read a version and wrote the next also comes after the version's writer, which is known from the read alone.
    pub(super) fn depend(&self, versions: &Versions, edges: &mut Edges) {
        let Observed { registers, transactions, happened, readers } = self;
        for number in transactions.numbers() {
            for writer in registers.reads_of(number).filter_map(|read| registers.writer(read)) {
                if happened[writer as usize] {
                    edges.add(writer, number, Class::WR);
                }
            }
        }
        for (version, write) in (0..).zip(&registers.writes) {
            let readers = readers.row(version);
            if readers.len() > 1 && !versions.contradict(write.key) {
                let next = readers.iter().copied().filter(|reader| registers.writes_to(*reader, write.key));
                edges.fan(readers, &next.collect::<Vec<_>>(), Class::RW);
            }
        }
        let written = self.writers(&self.all().collect::<Vec<_>>());
        let of = |write: &u32| registers.writes[*write as usize].transaction;
        for key in 0..registers.keys() as u32 {
            let writers: Vec<u32> = written.row(key).iter().map(of).collect();
            edges.fan(readers.row(registers.nothing(key)), &writers, Class::RW);
        }
    }
}
