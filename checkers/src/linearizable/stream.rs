//! Operations taken one event after another, so that nothing of the history is kept but what they claim.

use rashomon_core::history::Pair;
use rashomon_core::{History, HistoryError, Kind, Op, Process, Verdict};
use rustc_hash::FxHashMap;

use super::Linearizable;
use super::intake::{Intake, Seat};
use super::partition::NEVER;
use super::witness::Ledger;
use crate::archive::Archive;
use crate::follow::Turns;
use crate::{Budget, Fill, Follow, Inbox, Model};

/// What is known of a history that was read up to some event: what the monitors and the search need, and, apart from
/// that, what the verifier of their orders needs.
#[derive(Debug)]
pub(super) struct Gathered<M: Model> {
    pub(super) intake: Intake<M>,
    pub(super) ledger: Ledger<M>,
    /// Whether any operation succeeded.
    pub(super) succeeded: bool,
}

/// The places of an operation that has not ended.
#[derive(Clone, Copy, Debug)]
struct Places {
    seat: Seat,
    line: usize,
}

impl<M: Model> Gathered<M> {
    pub(super) fn new(model: &M) -> Gathered<M> {
        let (intake, ledger) = (Intake::new(model.clone()), Ledger::new(model.clone()));
        Gathered { intake, ledger, succeeded: false }
    }

    /// All that a history says.
    pub(super) fn of(model: &M, history: &History) -> Gathered<M> {
        let mut gathered = Gathered::new(model);
        let mut open: FxHashMap<u64, Places> = FxHashMap::default();
        for op in history.ops() {
            let Process::Client(process) = op.process else { continue };
            if op.kind == Kind::Invoke {
                open.insert(process, gathered.announce(op));
            } else if let (Some(invoke), Some(places)) = (history.partner_of(op), open.remove(&process)) {
                gathered.tell(places, &Pair { invoke, completion: Some(op) });
            }
        }
        for pair in history.pairs().filter(|pair| pair.completion.is_none()) {
            if let Process::Client(process) = pair.invoke.process
                && let Some(places) = open.remove(&process)
            {
                gathered.tell(places, &pair);
            }
        }
        gathered
    }

    fn announce(&mut self, invoke: &Op) -> Places {
        Places { seat: self.intake.announce(invoke), line: self.ledger.announce(invoke) }
    }

    fn tell(&mut self, places: Places, pair: &Pair<'_>) {
        self.succeeded |= pair.outcome() == Kind::Ok;
        self.intake.tell(places.seat, pair);
        self.ledger.tell(places.line, pair);
    }

    fn bytes(&self) -> usize {
        self.intake.bytes() + self.ledger.bytes()
    }
}

/// Judges linearizability while a history is read.
#[derive(Debug)]
pub(super) struct Stream<M: Model> {
    checker: Linearizable<M>,
    gathered: Gathered<M>,
    /// What has not ended, with its places if it still matters.
    open: FxHashMap<u64, (Op, Option<Places>)>,
    /// Ops that are not needed any more, for the memory that their text has.
    spare: Vec<Op>,
    /// Why the history cannot be judged, once that is known.
    unknown: Option<String>,
}

impl<M: Model> Stream<M> {
    pub(super) fn new(checker: Linearizable<M>) -> Stream<M> {
        let gathered = Gathered::new(checker.model());
        Stream { checker, gathered, open: FxHashMap::default(), spare: Vec::new(), unknown: None }
    }

    /// Takes the next event. The error says why it cannot follow those before it.
    fn take(&mut self, op: &mut Op) -> Result<(), String> {
        let Process::Client(process) = op.process else { return Ok(()) };
        if op.index >= u64::from(NEVER) {
            return Err("there are more events than can be numbered".to_owned());
        }
        if op.kind == Kind::Invoke {
            if self.open.contains_key(&process) {
                return Err(format!("process {process} invokes `{}` while its last op is open", op.f));
            }
            // Where nothing can be judged any more, only the order of events is looked at.
            let places = self.unknown.is_none().then(|| self.gathered.announce(op));
            let mut kept = self.spare.pop().unwrap_or_else(Op::blank);
            std::mem::swap(&mut kept, op);
            self.open.insert(process, (kept, places));
            return Ok(());
        }
        let Some((invoke, places)) = self.open.remove(&process) else {
            return Err(format!("process {process} completes `{}` ({}) without invoking it", op.f, op.kind));
        };
        if invoke.f != op.f {
            return Err(format!("process {process} invoked `{}` and completes `{}`", invoke.f, op.f));
        }
        if self.unknown.is_none() {
            let places = places.expect("it matters now, and did when it began");
            self.gathered.tell(places, &Pair { invoke: &invoke, completion: Some(op) });
        }
        self.spare.push(invoke);
        Ok(())
    }
}

impl<M: Model> Follow for Stream<M> {
    fn expect(&mut self, events: u64, budget: &Budget<'_>) {
        let each = Intake::<M>::EACH + Ledger::<M>::EACH;
        let operations = usize::try_from(events / 2).unwrap_or(usize::MAX).min(budget.bytes / each);
        self.gathered.intake.expect(operations);
        self.gathered.ledger.expect(operations);
    }

    fn feed(&mut self, fill: &mut Fill<'_>, budget: &Budget<'_>) -> Result<(), HistoryError> {
        let mut turns: Turns<Events> = Turns::new();
        loop {
            let fill = |events: &mut Events| {
                events.length = 0;
                fill(events)
            };
            let learn = |events: &mut Events| {
                events.list[..events.length].iter_mut().try_for_each(|(line, op)| {
                    self.take(op).map_err(|reason| HistoryError::at(*line, reason))
                })
            };
            let goes_on = turns.take(fill, learn, budget)?;
            if self.unknown.is_none() {
                self.unknown = budget.spend(0, self.gathered.bytes()).err();
            }
            if !goes_on {
                return Ok(());
            }
        }
    }

    fn endless(&self) -> Vec<u64> {
        let mut open: Vec<u64> = self.open.values().map(|(invoke, _)| invoke.index).collect();
        open.sort_unstable();
        open
    }

    fn verdict(mut self: Box<Self>, archive: &dyn Archive, budget: &Budget<'_>) -> Verdict {
        if let Some(reason) = self.unknown {
            return Verdict::unknown(self.checker.title(), reason);
        }
        let mut open: Vec<(Op, Option<Places>)> = self.open.into_values().collect();
        open.sort_unstable_by_key(|(invoke, _)| invoke.index);
        for (invoke, places) in &open {
            let places = places.expect("all that can be judged matters");
            self.gathered.tell(places, &Pair { invoke, completion: None });
        }
        self.checker.conclude_on(self.gathered, archive, budget)
    }
}

/// Events on their way from a file, with the lines on which they stand.
#[derive(Debug, Default)]
struct Events {
    /// The events of this time and, behind them, ops that are not needed any more, for the memory that their text has.
    list: Vec<(usize, Op)>,
    length: usize,
}

/// So many events are enough for one time.
const ENOUGH: usize = 4096;

impl Inbox for Events {
    fn is_full(&self) -> bool {
        self.length >= ENOUGH
    }

    fn take(&mut self, line: usize, op: &mut Op) {
        if self.length == self.list.len() {
            self.list.push((line, Op::blank()));
        }
        let place = &mut self.list[self.length];
        place.0 = line;
        std::mem::swap(&mut place.1, op);
        self.length += 1;
    }
}
