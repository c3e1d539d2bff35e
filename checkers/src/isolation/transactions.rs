//! The transactions of a history, one after another, and in which order they happened.

use rashomon_core::Kind;
use rustc_hash::FxHashMap;

use super::graph::{Class, Edges};
use super::micro_ops::{MicroOp, MicroOps, Verb};

/// One transaction: where it stands in the history.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transaction {
    pub(super) process: u64,
    pub(super) invoke: u64,
    pub(super) completion: Option<u64>,
}

/// A transaction as it is kept: small, as there are many.
#[derive(Clone, Copy, Debug)]
struct Kept {
    /// Its process, and in the two bits above how it ended.
    process: u32,
    invoke: u32,
    /// `NEVER` while it has none.
    completion: u32,
}

const NEVER: u32 = u32::MAX;
const OUTCOME_SHIFT: u32 = 30;
const PROCESS: u32 = (1 << OUTCOME_SHIFT) - 1;
const INFO: u32 = 0;
const OK: u32 = 1;
const FAIL: u32 = 2;

/// A process: what it asked for last, while that is open.
#[derive(Debug)]
struct Asking {
    id: u64,
    open: Option<u32>,
    f: String,
    micro_ops: Vec<MicroOp>,
}

/// All transactions, numbered in the order in which they were invoked.
#[derive(Debug)]
pub(super) struct Transactions {
    /// Whether the order of events is that of real time.
    timed: bool,
    list: Vec<Kept>,
    processes: FxHashMap<u64, u32>,
    asking: Vec<Asking>,
}

/// Why an event cannot follow those before it.
#[derive(Debug)]
pub(super) enum Misplaced {
    /// The process has not ended its last transaction.
    StillOpen,
    /// The process has none to end.
    NotOpen,
    /// There are more events than can be numbered.
    TooMany,
    /// It began under this other name.
    Begun(String),
    /// The transaction ended with other micro-ops than it began with.
    Other,
}

impl Transactions {
    pub(super) fn new(timed: bool) -> Transactions {
        Transactions { timed, list: Vec::new(), processes: FxHashMap::default(), asking: Vec::new() }
    }

    /// Whether the order of events is that of real time.
    pub(super) fn timed(&self) -> bool {
        self.timed
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn numbers(&self) -> std::ops::Range<u32> {
        0..self.list.len() as u32
    }

    pub(super) fn outcome(&self, number: u32) -> Kind {
        match self.list[number as usize].process >> OUTCOME_SHIFT {
            INFO => Kind::Info,
            OK => Kind::Ok,
            _ => Kind::Fail,
        }
    }

    /// The event with which it began.
    pub(super) fn invoke_of(&self, number: u32) -> u32 {
        self.list[number as usize].invoke
    }

    /// The event with which it ended ok.
    pub(super) fn success_of(&self, number: u32) -> Option<u32> {
        let kept = self.list[number as usize];
        (kept.process >> OUTCOME_SHIFT == OK).then_some(kept.completion)
    }

    pub(super) fn get(&self, number: u32) -> Transaction {
        let kept = self.list[number as usize];
        Transaction {
            process: self.asking[(kept.process & PROCESS) as usize].id,
            invoke: kept.invoke.into(),
            completion: (kept.completion != NEVER).then(|| kept.completion.into()),
        }
    }

    /// How many transactions ended so.
    pub(super) fn count(&self, outcome: Kind) -> usize {
        self.numbers().filter(|number| self.outcome(*number) == outcome).count()
    }

    /// A transaction begins; answers its number.
    pub(super) fn invoke(
        &mut self,
        process: u64,
        f: &str,
        index: u64,
        micro_ops: MicroOps<'_>,
    ) -> Result<u32, Misplaced> {
        let invoke = u32::try_from(index).ok().filter(|index| *index < NEVER).ok_or(Misplaced::TooMany)?;
        let fresh = self.asking.len() as u32;
        if fresh > PROCESS {
            return Err(Misplaced::TooMany);
        }
        let process = *self.processes.entry(process).or_insert_with(|| {
            self.asking.push(Asking { id: process, open: None, f: String::new(), micro_ops: Vec::new() });
            fresh
        });
        let number = self.list.len() as u32;
        let asking = &mut self.asking[process as usize];
        if asking.open.replace(number).is_some() {
            return Err(Misplaced::StillOpen);
        }
        asking.micro_ops.clear();
        asking.micro_ops.extend_from_slice(micro_ops.list);
        f.clone_into(&mut asking.f);
        self.list.push(Kept { process, invoke, completion: NEVER });
        Ok(number)
    }

    /// A transaction ends, with these micro-ops when it ended ok; answers its number.
    pub(super) fn complete(
        &mut self,
        process: u64,
        f: &str,
        outcome: Kind,
        index: u64,
        micro_ops: MicroOps<'_>,
    ) -> Result<u32, Misplaced> {
        let completion =
            u32::try_from(index).ok().filter(|index| *index < NEVER).ok_or(Misplaced::TooMany)?;
        let asking = self.processes.get(&process).map(|process| &mut self.asking[*process as usize]);
        let asking = asking.ok_or(Misplaced::NotOpen)?;
        let number = asking.open.take().ok_or(Misplaced::NotOpen)?;
        if asking.f != f {
            return Err(Misplaced::Begun(asking.f.clone()));
        }
        let kept = &mut self.list[number as usize];
        kept.completion = completion;
        kept.process |= match outcome {
            Kind::Ok => OK,
            Kind::Fail => FAIL,
            Kind::Invoke | Kind::Info => INFO,
        } << OUTCOME_SHIFT;
        if outcome == Kind::Ok && !same(&asking.micro_ops, micro_ops.list) {
            return Err(Misplaced::Other);
        }
        if outcome == Kind::Info {
            // The process is not used again.
            (asking.micro_ops, asking.f) = (Vec::new(), String::new());
        }
        Ok(number)
    }

    /// For each transaction the last that its process had done before.
    pub(super) fn earlier(&self) -> Vec<Option<u32>> {
        let mut last = vec![None; self.asking.len()];
        let mut earlier = Vec::with_capacity(self.list.len());
        for (number, kept) in (0..).zip(&self.list) {
            let last = &mut last[(kept.process & PROCESS) as usize];
            earlier.push(*last);
            if self.success_of(number).is_some() {
                *last = Some(number);
            }
        }
        earlier
    }

    /// Adds the orders that the history itself shows, between some of the transactions: of each process, and of real time.
    /// A vertex is the place of its transaction among them; they are in order of their numbers.
    ///
    /// A transaction that ended comes before all that were invoked later, which are those from some place on. A row of
    /// links stands for them, with one at each such place; it is as long as the history whatever the number of clients.
    pub(super) fn order(&self, among: &[u32], edges: &mut Edges) {
        let kept = |number: &u32| self.list[*number as usize];
        let mut last: FxHashMap<u32, u32> = FxHashMap::default();
        for (place, number) in (0..).zip(among) {
            let process = kept(number).process & PROCESS;
            if let Some(last) = last.get(&process) {
                edges.add(*last, place, Class::PROCESS);
            }
            if self.success_of(*number).is_some() {
                last.insert(process, place);
            }
        }
        if !self.timed {
            return;
        }
        let afters: Vec<Option<usize>> = (1..)
            .zip(among)
            .map(|(next, number)| {
                let end = self.success_of(*number)?;
                let later = among[next..].partition_point(|other| kept(other).invoke < end);
                (next + later < among.len()).then_some(next + later)
            })
            .collect();
        let mut links = vec![NEVER; among.len()];
        for after in afters.iter().flatten() {
            links[*after] = 0;
        }
        let mut current = None;
        for (place, link) in (0..).zip(&mut links) {
            if *link != NEVER {
                *link = edges.link();
                if let Some(before) = current {
                    edges.add(before, *link, Class::LINK);
                }
                current = Some(*link);
            }
            if let Some(link) = current {
                edges.add(link, place, Class::LINK);
            }
        }
        for (place, after) in (0..).zip(afters) {
            if let Some(after) = after {
                edges.add(place, links[after], Class::REALTIME);
            }
        }
    }

    /// About how much memory it takes.
    pub(super) fn bytes(&self) -> usize {
        self.list.capacity() * size_of::<Kept>() + self.asking.capacity() * 80
    }
}

/// Whether a transaction did what it was asked.
fn same(asked: &[MicroOp], done: &[MicroOp]) -> bool {
    let matches = |(asked, done): (&MicroOp, &MicroOp)| {
        (asked.verb, asked.key) == (done.verb, done.key)
            && (asked.verb == Verb::Read || asked.argument == done.argument)
    };
    asked.len() == done.len() && asked.iter().zip(done).all(matches)
}
