//! All keys of a history searched in turns.

use super::method::{Assigned, Method};
use super::monitors::{self, Clash, Finding};
use super::partition::Partition;
use super::problem::{self, Item};
use super::search::{Farthest, Progress, Search};
use crate::{Budget, Model};

/// The seed of the first search of each key.
pub(crate) const FIRST_SEED: u64 = 0x7261_7368_6f6d_6f6e;
/// The seed of the searches that confirm and reduce what the first found impossible.
pub(crate) const SECOND_SEED: u64 = 0x6b75_726f_7361_7761;

/// The steps between two looks at the budget.
const STRIDE: u64 = 256;
/// The steps of a key's first turn; each turn is twice as long as the one before.
const FIRST_TURN: u64 = 1024;

/// Why a search stopped before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spent {
    /// The caller says so.
    Time,
    /// Its structures reached the limit.
    Memory,
}

impl Spent {
    pub(crate) fn cause(self) -> &'static str {
        match self {
            Spent::Time => "time budget exhausted",
            Spent::Memory => "memory budget exhausted",
        }
    }
}

/// What the search of one key came to.
#[derive(Clone, Debug)]
pub(crate) enum Settled {
    /// This order explains it: claims.
    Found(Vec<u32>),
    /// No order does, says the search.
    Impossible(Farthest),
    /// No order does, says a monitor.
    Refuted(Clash),
    /// The budget ran out, or another key was impossible first.
    Open { farthest: Farthest, size: usize },
}

/// What the searches of all keys came to.
#[derive(Debug)]
pub(crate) struct Rounds {
    /// One for each partition, in the same order.
    pub(crate) settled: Vec<Settled>,
    /// Likewise: to which algorithm each was given.
    pub(crate) assigned: Vec<Assigned>,
    pub(crate) configurations: u64,
    pub(crate) spent: Option<Spent>,
}

/// Judges all keys, and stops at the first that is impossible. Monitors go first, if they are wanted. The keys that
/// they decline are searched: the smallest first, in turns that grow, so that one hard key holds up no easy one.
pub(crate) fn run<M: Model>(
    model: &M,
    partitions: &mut [Partition<'_, M>],
    monitored: bool,
    budget: &Budget<'_>,
) -> Rounds {
    let mut order: Vec<usize> = (0..partitions.len()).collect();
    order.sort_by_key(|place| partitions[*place].claims.len());
    let mut searches: Vec<Option<Search>> = partitions.iter().map(|_| None).collect();
    let mut settled: Vec<Option<Settled>> = partitions.iter().map(|_| None).collect();
    let why = if monitored { "not begun" } else { "it was asked for" };
    let mut assigned = vec![Assigned { method: Method::Search, why }; partitions.len()];
    let mut configurations = 0;
    let mut spent = None;
    let mut over = false;
    for place in order.iter().filter(|_| monitored) {
        match monitors::judge(model, &partitions[*place], budget) {
            Ok((chosen, found)) => {
                assigned[*place] = chosen;
                over = matches!(found, Some(Finding::Clash(_)));
                settled[*place] = found.map(|found| match found {
                    Finding::Order(order) => Settled::Found(order),
                    Finding::Clash(clash) => Settled::Refuted(clash),
                });
            }
            Err(cause) => {
                spent = Some(cause);
                over = true;
            }
        }
        if over {
            break;
        }
    }
    let mut turn = FIRST_TURN;
    // The memory of all searches that are open but not running now.
    let mut resting = 0;
    'rounds: while !over && settled.iter().any(Option::is_none) {
        for place in &order {
            if settled[*place].is_some() {
                continue;
            }
            let partition = &mut partitions[*place];
            let search = searches[*place]
                .get_or_insert_with(|| Search::new(partition, &problem::whole(partition), FIRST_SEED));
            if turn > FIRST_TURN {
                resting -= search.bytes() + partition.states.bytes();
            }
            let (progress, stopped) = slice(model, partition, search, turn, budget, resting);
            spent = stopped;
            resting += search.bytes() + partition.states.bytes();
            match progress {
                Progress::Running => {}
                Progress::Found => settled[*place] = Some(Settled::Found(search.order().collect())),
                Progress::Exhausted => {
                    settled[*place] = Some(Settled::Impossible(search.farthest().clone()));
                }
            }
            if progress != Progress::Running {
                resting -= search.bytes() + partition.states.bytes();
                configurations += search.configurations() as u64;
                searches[*place] = None;
            }
            if progress == Progress::Exhausted || spent.is_some() {
                break 'rounds;
            }
        }
        turn = turn.saturating_mul(2);
    }
    let mut open = searches.into_iter();
    let settled = settled
        .into_iter()
        .zip(partitions)
        .map(|(settled, partition)| {
            let search = open.next().flatten();
            configurations += search.as_ref().map_or(0, |search| search.configurations() as u64);
            settled.unwrap_or_else(|| Settled::Open {
                size: search.as_ref().map_or(partition.claims.len(), Search::size),
                farthest: search.map(|search| search.reached(partition.initial)).unwrap_or_default(),
            })
        })
        .collect();
    Rounds { settled, assigned, configurations, spent }
}

/// Runs a search for a number of steps within the budget, `others` bytes of which are in use elsewhere.
fn slice<M: Model>(
    model: &M,
    partition: &mut Partition<'_, M>,
    search: &mut Search,
    steps: u64,
    budget: &Budget<'_>,
    others: usize,
) -> (Progress, Option<Spent>) {
    let mut left = steps;
    while left > 0 {
        let stride = left.min(STRIDE);
        left -= stride;
        let progress = search.run(model, partition, stride);
        if progress != Progress::Running {
            return (progress, None);
        }
        if (budget.expired)() {
            return (progress, Some(Spent::Time));
        }
        if search.bytes() + partition.states.bytes() + others > budget.bytes {
            return (progress, Some(Spent::Memory));
        }
    }
    (Progress::Running, None)
}

/// Decides whether the items have an order, within the budget and a number of steps. Also answers how many steps
/// it took.
pub(crate) fn decide<M: Model>(
    model: &M,
    partition: &mut Partition<'_, M>,
    items: &[Item],
    steps: u64,
    budget: &Budget<'_>,
) -> (Result<bool, Spent>, u64) {
    if (budget.expired)() {
        return (Err(Spent::Time), 0);
    }
    let mut search = Search::new(partition, items, SECOND_SEED);
    let answer = match slice(model, partition, &mut search, steps, budget, 0) {
        (Progress::Found, _) => Ok(true),
        (Progress::Exhausted, _) => Ok(false),
        (Progress::Running, spent) => Err(spent.unwrap_or(Spent::Time)),
    };
    (answer, search.steps())
}
