//! Transactions taken one event after another, so that nothing of the history but what was learnt of it is kept.

use rashomon_core::{History, HistoryError, Kind, Verdict};

use super::batch::{Batch, Event, Intake, Numbering};
use super::level::Level;
use super::lists::Lists;
use super::micro_ops::{Names, Reading};
use super::registers::Registers;
use super::transactions::{Misplaced, Transactions};
use super::{checker, registers};
use crate::archive::Archive;
use crate::follow::Turns;
use crate::{Budget, Fill, Follow};

/// Judges transactions while they are read.
///
/// Reads are compared with what is known and forgotten: what is kept grows with the transactions and with what they
/// write.
#[derive(Debug)]
pub(super) struct Stream {
    promised: Level,
    numbering: Numbering,
    learning: Learning,
}

/// What was learnt from events.
#[derive(Debug)]
struct Learning {
    subject: Subject,
    transactions: Transactions,
    /// Why the history cannot be judged, once that is known.
    unknown: Option<Unknown>,
}

#[derive(Debug)]
enum Subject {
    Lists(Lists),
    Registers(Registers),
}

/// Why a history cannot be judged.
#[derive(Clone, Debug)]
enum Unknown {
    Because(String),
    /// At this event a value is written to a key for the second time.
    Twice {
        event: u64,
        key: u32,
        value: u32,
    },
}

/// A value was written to a key a second time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Twice {
    pub(super) key: u32,
    pub(super) value: u32,
}

impl Stream {
    /// Of transactions over lists, as [`ListAppend`](super::ListAppend) judges them.
    pub(super) fn lists(promised: Level) -> Stream {
        Stream::of(Subject::Lists(Lists::default()), promised)
    }

    /// Of events whose order is not that of real time: only that of each process counts.
    pub(super) fn untimed(mut self) -> Stream {
        self.learning.transactions = Transactions::new(false);
        self
    }

    /// Of transactions over registers, as [`RwRegister`](super::RwRegister) judges them.
    pub(super) fn registers(promised: Level) -> Stream {
        Stream::of(Subject::Registers(Registers::default()), promised)
    }

    fn of(subject: Subject, promised: Level) -> Stream {
        let reading = match subject {
            Subject::Lists(_) => Reading::Lists,
            Subject::Registers(_) => Reading::Values,
        };
        Stream {
            promised,
            numbering: Numbering::new(reading),
            learning: Learning { subject, transactions: Transactions::new(true), unknown: None },
        }
    }

    /// Takes a whole history.
    pub(super) fn follow(&mut self, history: &History, budget: &Budget<'_>) {
        let mut ops = history.ops().iter();
        let fill = |intake: &mut Intake<'_>| -> Result<bool, HistoryError> {
            while !intake.is_full() {
                let Some(op) = ops.next() else { return Ok(false) };
                intake.take(0, op);
            }
            Ok(true)
        };
        let fed = self.feed_with(fill, budget);
        debug_assert!(fed.is_ok(), "the events of a history follow each other");
    }

    /// Takes all that `fill` puts into batches, until it says that there is no more.
    fn feed_with(
        &mut self,
        mut fill: impl FnMut(&mut Intake<'_>) -> Result<bool, HistoryError> + Send,
        budget: &Budget<'_>,
    ) -> Result<(), HistoryError> {
        let mut turns: Turns<Batch> = Turns::new();
        let mut events = 0;
        loop {
            let (ready, next) = turns.boxes();
            self.look_at(budget, events, ready.bytes() + next.bytes());
            events += ready.len();
            let Stream { numbering, learning, .. } = self;
            let fill = |batch: &mut Batch| {
                batch.clear();
                fill(&mut Intake { numbering, batch })
            };
            if !turns.take(fill, |batch| learning.learn(batch), budget)? {
                return Ok(());
            }
        }
    }

    /// Looks at what is left of the budget once so many events were learnt.
    fn look_at(&mut self, budget: &Budget<'_>, events: usize, besides: usize) {
        if let Err(spent) = budget.spend(0, self.bytes() + besides) {
            self.learning.because(|| format!("event {events}: {spent}"));
        }
    }

    fn bytes(&self) -> usize {
        let subject = match &self.learning.subject {
            // Besides, it is counted who read each version, and kept who has been put in order.
            Subject::Lists(lists) => lists.bytes() + lists.appended() * 4,
            // The graph of dependencies takes about as much again once all is read.
            Subject::Registers(registers) => 2 * registers.bytes(),
        };
        subject + 2 * self.learning.transactions.bytes() + self.numbering.names.bytes()
    }

    /// Judges what was taken.
    pub(super) fn verdict(self, budget: &Budget<'_>) -> Verdict {
        let Stream { promised, numbering: Numbering { names, .. }, learning } = self;
        let Learning { subject, transactions, unknown } = learning;
        let name = match subject {
            Subject::Lists(_) => "list-append",
            Subject::Registers(_) => "rw-register",
        };
        let judged = match (unknown, subject) {
            (Some(unknown), Subject::Lists(_)) => Err(unknown.told("appended", &names)),
            (Some(unknown), Subject::Registers(_)) => Err(unknown.told("written", &names)),
            (None, Subject::Lists(lists)) => checker::judge(&lists, &names, &transactions, promised, budget),
            (None, Subject::Registers(registers)) => {
                registers::judge(registers, &names, &transactions, promised, budget)
            }
        };
        judged.unwrap_or_else(|reason| Verdict::unknown(name, reason))
    }
}

impl Learning {
    /// Takes the events of a batch. An error says why one of them cannot follow those before it.
    fn learn(&mut self, batch: &Batch) -> Result<(), HistoryError> {
        let mut events = batch.events();
        events.try_for_each(|event| self.event(&event).map_err(|reason| HistoryError::at(event.line, reason)))
    }

    fn event(&mut self, event: &Event<'_>) -> Result<(), String> {
        let Event { index, kind, process, f, micro_ops, .. } = *event;
        if let Some(reason) = event.unknown {
            self.because(|| format!("event {index}: {reason}"));
        }
        let placed = if kind == Kind::Invoke {
            self.transactions.invoke(process, f, index, micro_ops)
        } else {
            self.transactions.complete(process, f, kind, index, micro_ops)
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
                self.because(|| {
                    format!("event {index}: the transaction ended with other micro-ops than it began with")
                });
                return Ok(());
            }
        };
        if self.unknown.is_some() {
            return Ok(());
        }
        let taken = match (&mut self.subject, kind) {
            (Subject::Lists(lists), Kind::Invoke) => lists.begin(number, micro_ops.list),
            (Subject::Registers(registers), Kind::Invoke) => registers.begin(number, micro_ops.list),
            (Subject::Lists(lists), Kind::Ok) => {
                lists.end(number, micro_ops);
                Ok(())
            }
            (Subject::Registers(registers), Kind::Ok) => {
                registers.end(number, micro_ops.list);
                Ok(())
            }
            (_, Kind::Fail | Kind::Info) => Ok(()),
        };
        let twice = taken.err();
        self.unknown = twice.map(|Twice { key, value }| Unknown::Twice { event: index, key, value });
        Ok(())
    }

    /// Notes why the history cannot be judged, if there is no earlier reason.
    fn because(&mut self, reason: impl FnOnce() -> String) {
        self.unknown.get_or_insert_with(|| Unknown::Because(reason()));
    }
}

impl Unknown {
    fn told(self, put: &str, names: &Names) -> String {
        match self {
            Unknown::Because(reason) => reason,
            Unknown::Twice { event, key, value } => format!(
                "event {event}: {} is {put} to key {} a second time: values must differ",
                names.value(value),
                names.key(key)
            ),
        }
    }
}

impl Follow for Stream {
    fn feed(&mut self, fill: &mut Fill<'_>, budget: &Budget<'_>) -> Result<(), HistoryError> {
        self.feed_with(|intake: &mut Intake<'_>| fill(intake), budget)
    }

    fn verdict(self: Box<Self>, _archive: &dyn Archive, budget: &Budget<'_>) -> Verdict {
        Stream::verdict(*self, budget)
    }
}
