//! Transactions taken one event after another, so that nothing of the history but what was learnt of it is kept.

use rashomon_core::{History, Kind, Op, Process, Verdict};

use super::level::Level;
use super::lists::Lists;
use super::micro_ops::{MicroOps, Names, Reading};
use super::registers::Registers;
use super::scan;
use super::transactions::{Misplaced, Transactions};
use super::{checker, rw_register};
use crate::Budget;
use crate::scan::Notation;

/// Judges transactions while they are read.
///
/// Events are given in their order, by [`Stream::take`]; then [`Stream::verdict`] judges them. Reads are compared with
/// what is known and forgotten: what is kept grows with the transactions and with what they write.
#[derive(Debug)]
pub struct Stream {
    promised: Level,
    subject: Subject,
    names: Names,
    transactions: Transactions,
    micro_ops: MicroOps,
    /// Why the history cannot be judged, once that is known.
    unknown: Option<String>,
}

/// An event that was taken from its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Its index, where it names one.
    pub index: Option<u64>,
    /// Its time in nanoseconds, where it names one.
    pub time: Option<u64>,
    /// What it says of its transaction.
    pub kind: Kind,
}

#[derive(Debug)]
enum Subject {
    Lists(Lists),
    Registers(Registers),
}

/// How often the budget is looked at, in events.
const EVERY: u64 = 1024;

impl Stream {
    /// Of transactions over lists, as [`ListAppend`](super::ListAppend) judges them.
    pub fn lists(promised: Level) -> Stream {
        Stream::of(Subject::Lists(Lists::default()), promised)
    }

    /// Of events whose order is not that of real time: only that of each process counts.
    pub fn untimed(mut self) -> Stream {
        self.transactions = Transactions::new(false);
        self
    }

    /// Of transactions over registers, as [`RwRegister`](super::RwRegister) judges them.
    pub fn registers(promised: Level) -> Stream {
        Stream::of(Subject::Registers(Registers::default()), promised)
    }

    fn of(subject: Subject, promised: Level) -> Stream {
        Stream {
            promised,
            subject,
            names: Names::default(),
            transactions: Transactions::new(true),
            micro_ops: MicroOps::default(),
            unknown: None,
        }
    }

    /// Takes a whole history.
    pub(super) fn follow(&mut self, history: &History, budget: &Budget<'_>) {
        for op in history.ops() {
            if self.unknown.is_some() {
                break;
            }
            let taken = self.take(op, budget);
            debug_assert!(taken.is_ok(), "the events of a history follow each other");
        }
    }

    /// Takes the next event. An error says why it cannot follow the events before it.
    pub fn take(&mut self, op: &Op, budget: &Budget<'_>) -> Result<(), String> {
        let Process::Client(process) = op.process else { return Ok(()) };
        let asked = op.kind == Kind::Invoke;
        self.micro_ops.clear();
        if self.unknown.is_none() && matches!(op.kind, Kind::Invoke | Kind::Ok) {
            let taken = self.names.take(&op.value, asked, self.reading(), &mut self.micro_ops);
            self.unknown = taken.err().map(|reason| format!("event {}: {reason}", op.index));
        }
        self.event(op.kind, process, &op.f, op.index, budget)
    }

    /// Takes an event in JSON, if it is of a client and spelled as usual: then the answer is what it was, or why it
    /// cannot follow the events before it. Its place in the history is its index, if no other is given.
    pub fn take_json(
        &mut self,
        text: &[u8],
        place: Option<u64>,
        budget: &Budget<'_>,
    ) -> Option<Result<Taken, String>> {
        self.take_line(text, Notation::Json, place, budget)
    }

    /// The same for an event in EDN.
    pub fn take_edn(
        &mut self,
        text: &[u8],
        place: u64,
        budget: &Budget<'_>,
    ) -> Option<Result<Taken, String>> {
        self.take_line(text, Notation::Edn, Some(place), budget)
    }

    fn take_line(
        &mut self,
        line: &[u8],
        notation: Notation,
        place: Option<u64>,
        budget: &Budget<'_>,
    ) -> Option<Result<Taken, String>> {
        let reading = self.reading();
        let event = scan::event(line, notation, reading, &mut self.names, &mut self.micro_ops)?;
        let taken = Taken { index: event.index, time: event.time, kind: event.kind };
        let at = place.or(event.index)?;
        Some(self.event(event.kind, event.process, event.f, at, budget).map(|()| taken))
    }

    fn reading(&self) -> Reading {
        match self.subject {
            Subject::Lists(_) => Reading::Lists,
            Subject::Registers(_) => Reading::Values,
        }
    }

    /// Takes the next event, whose micro-ops are there already.
    fn event(
        &mut self,
        kind: Kind,
        process: u64,
        f: &str,
        index: u64,
        budget: &Budget<'_>,
    ) -> Result<(), String> {
        if index.is_multiple_of(EVERY) {
            self.look_at(budget, index);
        }
        let placed = if kind == Kind::Invoke {
            self.transactions.invoke(process, f, index, &self.micro_ops)
        } else {
            self.transactions.complete(process, f, kind, index, &self.micro_ops)
        };
        let number = match placed {
            Ok(number) => number,
            Err(Misplaced::StillOpen) => {
                return Err(format!("process {process} invokes `{f}` while its last op is open"));
            }
            Err(Misplaced::NotOpen) => {
                return Err(format!("process {process} completes `{f}` ({kind}) without invoking it"));
            }
            Err(Misplaced::Begun(begun)) => {
                return Err(format!("process {process} invoked `{begun}` and completes `{f}`"));
            }
            Err(Misplaced::TooMany) => return Err("there are more events than can be numbered".to_owned()),
            Err(Misplaced::Other) => {
                self.unknown.get_or_insert_with(|| {
                    format!("event {index}: the transaction ended with other micro-ops than it began with")
                });
                return Ok(());
            }
        };
        if self.unknown.is_some() {
            return Ok(());
        }
        let (micro_ops, names) = (&self.micro_ops, &self.names);
        let taken = match (&mut self.subject, kind) {
            (Subject::Lists(lists), Kind::Invoke) => lists.begin(number, micro_ops, names),
            (Subject::Registers(registers), Kind::Invoke) => registers.begin(number, micro_ops, names),
            (Subject::Lists(lists), Kind::Ok) => {
                lists.end(number, micro_ops, names);
                Ok(())
            }
            (Subject::Registers(registers), Kind::Ok) => {
                registers.end(number, micro_ops, names);
                Ok(())
            }
            (_, Kind::Fail | Kind::Info) => Ok(()),
        };
        self.unknown = taken.err().map(|reason| format!("event {index}: {reason}"));
        Ok(())
    }

    fn look_at(&mut self, budget: &Budget<'_>, index: u64) {
        let spent = if (budget.expired)() {
            "time"
        } else if self.bytes() > budget.bytes {
            "memory"
        } else {
            return;
        };
        self.unknown.get_or_insert_with(|| format!("event {index}: {spent} budget exhausted"));
    }

    fn bytes(&self) -> usize {
        let subject = match &self.subject {
            Subject::Lists(lists) => lists.bytes(),
            Subject::Registers(registers) => registers.bytes(),
        };
        // The graph of dependencies takes about as much again once all is read.
        2 * (subject + self.transactions.bytes()) + self.names.bytes()
    }

    /// Judges what was taken.
    pub fn verdict(self, budget: &Budget<'_>) -> Verdict {
        let name = match self.subject {
            Subject::Lists(_) => "list-append",
            Subject::Registers(_) => "rw-register",
        };
        let Stream { promised, names, transactions, .. } = &self;
        let judged = match (&self.unknown, &self.subject) {
            (Some(reason), _) => Err(reason.clone()),
            (None, Subject::Lists(lists)) => checker::judge(lists, names, transactions, *promised, budget),
            (None, Subject::Registers(registers)) => {
                rw_register::judge(registers, names, transactions, *promised, budget)
            }
        };
        judged.unwrap_or_else(|reason| Verdict::unknown(name, reason))
    }
}
