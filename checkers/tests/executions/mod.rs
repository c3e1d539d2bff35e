//! Whether transactions can be explained at an isolation level, found by trying every order and every visibility.
//!
//! An execution orders the transactions that happened (arbitration) and says which of the earlier ones each sees
//! (visibility). The levels are those of Cerone, Bernardi and Gotsman (2015): axioms on these two relations.

#[path = "../cases/mod.rs"]
mod cases;

use std::fmt::Debug;

use proptest::prelude::*;
use rashomon_checkers::isolation::{Isolation, Level, Order};
use rashomon_core::{History, Kind, Process, Value, Verdict};

pub(crate) use cases::cases;

pub(crate) const KEYS: usize = 2;

#[derive(Clone, Debug)]
pub(crate) struct Transaction<M> {
    process: u64,
    pub(crate) kind: Kind,
    invoke: u64,
    completion: Option<u64>,
    pub(crate) micro_ops: Vec<M>,
}

/// What transactions write and read. Orders are of transactions; a place is one in an order.
pub(crate) trait Data: Sized {
    fn parse(verb: &str, key: usize, argument: &Value) -> Self;

    /// Whether it writes that key.
    fn writes(&self, key: usize) -> bool;

    /// Whether each transaction reads what the last visible writer left, and what it wrote itself so far.
    fn snapshots(order: &[&Transaction<Self>], visible: &[u32]) -> bool;

    /// Whether each read, for itself, shows what some earlier transaction left, or something of the transaction's own.
    fn committed(order: &[&Transaction<Self>]) -> bool;

    /// Whether reads show what somebody wrote, and the order of writes is one.
    fn uncommitted(order: &[&Transaction<Self>], all: &[Transaction<Self>]) -> bool;
}

/// The transactions of a history over the keys x and y, or 0 and 1.
pub(crate) fn parse<M: Data>(history: &History) -> Vec<Transaction<M>> {
    let pairs = history.pairs().map(|pair| {
        let kind = pair.outcome();
        let value = if kind == Kind::Ok { &pair.completion.unwrap().value } else { &pair.invoke.value };
        let micro_op = |value: &Value| {
            let key = usize::from(value[1] == "y" || value[1] == 1);
            M::parse(value[0].as_str().unwrap(), key, &value[2])
        };
        Transaction {
            process: match pair.invoke.process {
                Process::Client(number) => number,
                Process::Nemesis => unreachable!(),
            },
            kind,
            invoke: pair.invoke.index,
            completion: pair.completion.filter(|op| op.kind == Kind::Ok).map(|op| op.index),
            micro_ops: value.as_array().unwrap().iter().map(micro_op).collect(),
        }
    });
    pairs.collect()
}

impl<M: Data> Transaction<M> {
    pub(crate) fn writes(&self, key: usize) -> bool {
        self.micro_ops.iter().any(|micro_op| micro_op.writes(key))
    }

    fn before(&self, order: Order, other: &Transaction<M>) -> bool {
        let ended = self.completion.is_some_and(|end| end < other.invoke);
        match order {
            Order::Plain => false,
            Order::Session => ended && self.process == other.process,
            Order::RealTime => ended,
        }
    }
}

/// Whether this order explains the history at this level, with some visibility.
fn explains<M: Data>(order: &[&Transaction<M>], level: Level, all: &[Transaction<M>]) -> bool {
    let count = order.len();
    let pairs: Vec<(usize, usize)> = (0..count).flat_map(|two| (0..two).map(move |one| (one, two))).collect();
    let forced = |one: usize, two: usize| order[one].before(level.order, order[two]);
    // What comes later in the order cannot be seen.
    if pairs.iter().any(|(one, two)| forced(*two, *one)) {
        return false;
    }
    match level.isolation {
        Isolation::ReadUncommitted => return M::uncommitted(order, all),
        Isolation::ReadCommitted => return M::committed(order),
        _ => {}
    }
    (0..1_u32 << pairs.len()).any(|mask| {
        let mut visible = vec![0_u32; count];
        for (bit, (one, two)) in pairs.iter().enumerate() {
            visible[*two] |= (mask >> bit & 1) << one;
        }
        let sees = |two: usize, one: usize| visible[two] >> one & 1 == 1;
        let included = pairs.iter().all(|(one, two)| sees(*two, *one) || !forced(*one, *two));
        let transitive = || {
            (0..count).all(|two| {
                (0..two).filter(|one| sees(two, *one)).all(|one| visible[one] & !visible[two] == 0)
            })
        };
        let prefix = || {
            (0..count).all(|two| {
                (0..two).filter(|one| sees(two, *one)).all(|one| (0..one).all(|zero| sees(two, zero)))
            })
        };
        let no_conflict = || {
            pairs.iter().all(|(one, two)| {
                sees(*two, *one) || !(0..KEYS).any(|key| order[*one].writes(key) && order[*two].writes(key))
            })
        };
        let total = || pairs.iter().all(|(one, two)| sees(*two, *one));
        included
            && match level.isolation {
                Isolation::ReadUncommitted | Isolation::ReadCommitted => unreachable!(),
                Isolation::ReadAtomic => true,
                Isolation::Causal => transitive(),
                Isolation::Prefix => prefix(),
                Isolation::ParallelSnapshot => transitive() && no_conflict(),
                Isolation::Snapshot => prefix() && no_conflict(),
                Isolation::RepeatableRead | Isolation::Serializable => total(),
            }
            && M::snapshots(order, &visible)
    })
}

/// Whether the history can be explained at this level: with some of the transactions of unknown end, in some order.
pub(crate) fn explained<M: Data>(transactions: &[Transaction<M>], level: Level) -> bool {
    let of = |kind: Kind| transactions.iter().filter(move |one| one.kind == kind);
    let open: Vec<&Transaction<M>> = of(Kind::Info).collect();
    (0..1_usize << open.len()).any(|mask| {
        let mut list: Vec<&Transaction<M>> = of(Kind::Ok).collect();
        list.extend(open.iter().enumerate().filter(|(place, _)| mask >> place & 1 == 1).map(|(_, one)| *one));
        permutations(&mut list, 0, &mut |order| explains(order, level, transactions))
    })
}

fn permutations<'a, M>(
    list: &mut Vec<&'a Transaction<M>>,
    from: usize,
    found: &mut impl FnMut(&[&'a Transaction<M>]) -> bool,
) -> bool {
    if from == list.len() {
        return found(list);
    }
    (from..list.len()).any(|place| {
        list.swap(from, place);
        let answer = permutations(list, from + 1, found);
        list.swap(from, place);
        answer
    })
}

/// Whether what the verdict says of every level is so; unknown it may leave those of which `open` says so.
pub(crate) fn compare<M: Data + Debug>(
    verdict: &Verdict,
    history: &History,
    open: impl Fn(Level) -> bool,
) -> Result<(), TestCaseError> {
    let Some(levels) = verdict.stats.get("levels") else {
        prop_assert!(verdict.summary.starts_with("vacuous"), "{}", verdict.summary);
        return Ok(());
    };
    let transactions = parse::<M>(history);
    for level in Level::all() {
        let expected = explained(&transactions, level);
        let found = levels[level.isolation.name()][level.order.name()].as_str().unwrap();
        let agrees = match found {
            "holds" => expected,
            "violated" => !expected,
            _ => open(level),
        };
        prop_assert!(
            agrees,
            "{level}: {found}, and it is {expected} that it can be explained\n{verdict:#?}\n{transactions:#?}"
        );
    }
    Ok(())
}
