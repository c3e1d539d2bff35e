//! The transactions of a history, one after another, and in which order they happened.

use rashomon_core::Kind;
use rustc_hash::FxHashMap;

use super::graph::{Class, Edges};
use super::micro_ops::{MicroOp, MicroOps, Verb};

/// One transaction: where it stands in the history, and how it ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transaction {
    pub(super) process: u64,
    pub(super) invoke: u64,
    pub(super) completion: Option<u64>,
    pub(super) outcome: Kind,
}

/// A transaction as it is kept: small, as there are many.
#[derive(Clone, Copy, Debug)]
struct Kept {
    process: u32,
    invoke: u32,
    /// `NEVER` while it has none.
    completion: u32,
    /// How many transactions had begun when it ended; or how it ended, when that was not ok.
    after: u32,
}

const NEVER: u32 = u32::MAX;
const INFO: u32 = u32::MAX;
const FAIL: u32 = u32::MAX - 1;

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
        match self.list[number as usize].after {
            INFO => Kind::Info,
            FAIL => Kind::Fail,
            _ => Kind::Ok,
        }
    }

    pub(super) fn get(&self, number: u32) -> Transaction {
        let kept = self.list[number as usize];
        Transaction {
            process: self.asking[kept.process as usize].id,
            invoke: kept.invoke.into(),
            completion: (kept.completion != NEVER).then(|| kept.completion.into()),
            outcome: self.outcome(number),
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
        micro_ops: &MicroOps,
    ) -> Result<u32, Misplaced> {
        let invoke = u32::try_from(index).ok().filter(|index| *index < FAIL).ok_or(Misplaced::TooMany)?;
        let fresh = self.asking.len() as u32;
        let process = *self.processes.entry(process).or_insert_with(|| {
            self.asking.push(Asking { id: process, open: None, f: String::new(), micro_ops: Vec::new() });
            fresh
        });
        let number = self.list.len() as u32;
        let asking = &mut self.asking[process as usize];
        if asking.open.replace(number).is_some() {
            return Err(Misplaced::StillOpen);
        }
        asking.micro_ops.clone_from(&micro_ops.list);
        f.clone_into(&mut asking.f);
        self.list.push(Kept { process, invoke, completion: NEVER, after: INFO });
        Ok(number)
    }

    /// A transaction ends, with these micro-ops when it ended ok; answers its number.
    pub(super) fn complete(
        &mut self,
        process: u64,
        f: &str,
        outcome: Kind,
        index: u64,
        micro_ops: &MicroOps,
    ) -> Result<u32, Misplaced> {
        let completion = u32::try_from(index).ok().filter(|index| *index < FAIL).ok_or(Misplaced::TooMany)?;
        let asking = self.processes.get(&process).map(|process| &mut self.asking[*process as usize]);
        let asking = asking.ok_or(Misplaced::NotOpen)?;
        let number = asking.open.take().ok_or(Misplaced::NotOpen)?;
        if asking.f != f {
            return Err(Misplaced::Begun(asking.f.clone()));
        }
        let begun = self.list.len() as u32;
        let kept = &mut self.list[number as usize];
        kept.completion = completion;
        match outcome {
            Kind::Ok => kept.after = begun,
            Kind::Fail => kept.after = FAIL,
            Kind::Invoke | Kind::Info => {}
        }
        if outcome == Kind::Ok && !same(&asking.micro_ops, &micro_ops.list) {
            return Err(Misplaced::Other);
        }
        if outcome == Kind::Info {
            // The process is not used again.
            (asking.micro_ops, asking.f) = (Vec::new(), String::new());
        }
        Ok(number)
    }

    /// Adds the orders that the history itself shows: of each process, and of real time.
    ///
    /// A transaction that ended comes before all that were invoked later, which are those with the numbers from some
    /// place on. A row of links stands for them, with one at each such place; it is as long as the history whatever the
    /// number of clients.
    pub(super) fn order(&self, edges: &mut Edges) {
        let mut last = vec![NEVER; self.asking.len()];
        let mut links = vec![NEVER; self.list.len()];
        for (number, kept) in (0..).zip(&self.list) {
            let last = &mut last[kept.process as usize];
            if *last != NEVER {
                edges.add(*last, number, Class::PROCESS);
            }
            if kept.after < FAIL {
                *last = number;
                if let Some(link) = links.get_mut(kept.after as usize) {
                    *link = 0;
                }
            }
        }
        if !self.timed {
            return;
        }
        let mut current = None;
        for number in self.numbers() {
            if links[number as usize] != NEVER {
                let link = edges.link();
                if let Some(before) = current {
                    edges.add(before, link, Class::LINK);
                }
                links[number as usize] = link;
                current = Some(link);
            }
            if let Some(link) = current {
                edges.add(link, number, Class::LINK);
            }
        }
        for (number, kept) in (0..).zip(&self.list) {
            if kept.after < FAIL
                && let Some(link) = links.get(kept.after as usize)
            {
                edges.add(number, *link, Class::REALTIME);
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
