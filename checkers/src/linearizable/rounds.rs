//! All keys of a history searched in turns.

use super::method::{Assigned, Method};
use super::monitors::{self, Clash, Finding};
use super::partition::Partition;
use super::problem::{self, Item};
use super::search::{Farthest, Progress, Search};
use crate::{Budget, Job, Model};

/// The seed of the first search of each key.
pub(crate) const FIRST_SEED: u64 = 0x7261_7368_6f6d_6f6e;
/// The seed of the searches that confirm and reduce what the first found impossible.
pub(crate) const SECOND_SEED: u64 = 0x6b75_726f_7361_7761;

/// The steps between two looks at the budget.
const STRIDE: u64 = 256;
/// The steps of a key's first turn; each turn is twice as long as the one before.
const FIRST_TURN: u64 = 1024;
/// The keys that have their turns together, and the steps between two looks at the budget then.
const TOGETHER: usize = 16;
const STRIDE_TOGETHER: u64 = 2048;
/// Monitors judge keys together until they have so many claims.
const MONITORED: usize = 32_768;

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

/// Judges all keys, and stops at one that is impossible. Monitors go first, if they are wanted. The keys that they
/// decline are searched: the smallest first, in turns that grow, so that one hard key holds up no easy one.
///
/// Keys are judged some at a time, by the crew of the budget. Which ones and for how many steps does not depend on the
/// crew, and of several that turn out impossible together the first in order counts: the smallest. So the verdict is
/// a function of the history and of when the budget ran out.
pub(crate) fn run<M: Model>(
    model: &M,
    partitions: &mut [Partition<M>],
    monitored: bool,
    budget: &Budget<'_>,
) -> Rounds {
    let why = if monitored { "not begun" } else { "it was asked for" };
    let mut rounds = Rounds {
        settled: Vec::new(),
        assigned: vec![Assigned { method: Method::Search, why }; partitions.len()],
        configurations: 0,
        spent: None,
    };
    let mut settled: Vec<Option<Settled>> = partitions.iter().map(|_| None).collect();
    let mut over = false;
    if monitored {
        let sizes: Vec<usize> = partitions.iter().map(|partition| partition.claims.len()).collect();
        for group in groups(&sizes, MONITORED) {
            for (place, judged) in monitors::judge_all(model, partitions, &group, budget) {
                match judged {
                    Ok((chosen, found)) => {
                        rounds.assigned[place] = chosen;
                        over |= matches!(found, Some(Finding::Clash(_)));
                        settled[place] = found.map(|found| match found {
                            Finding::Order(order) => Settled::Found(order),
                            Finding::Clash(clash) => Settled::Refuted(clash),
                        });
                    }
                    Err(cause) => {
                        rounds.spent = rounds.spent.or(Some(cause));
                        over = true;
                    }
                }
            }
            if over {
                break;
            }
        }
    }
    let mut open: Vec<Turn<'_, M>> = partitions
        .iter_mut()
        .zip(settled.iter_mut().enumerate())
        .filter(|(_, (_, settled))| settled.is_none())
        .map(|(partition, (_, settled))| Turn { partition, settled, search: None, bytes: 0 })
        .collect();
    open.sort_by_key(|turn| turn.partition.claims.len());
    if !over {
        rounds.spent = search_all(model, &mut open, budget);
    }
    for turn in open {
        let search = turn.search;
        rounds.configurations += search.as_ref().map_or(0, |search| search.configurations() as u64);
        if turn.settled.is_none() {
            *turn.settled = Some(Settled::Open {
                size: search.as_ref().map_or(turn.partition.claims.len(), Search::size),
                farthest: search.map(|search| search.reached(turn.partition.initial)).unwrap_or_default(),
            });
        }
    }
    rounds.settled = settled.into_iter().flatten().collect();
    rounds
}

/// The places of the sizes, the smallest first, in groups that together reach the size `enough`.
fn groups(sizes: &[usize], enough: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|place| sizes[*place]);
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut size = enough;
    for place in order {
        if size >= enough {
            groups.push(Vec::new());
            size = 0;
        }
        size += sizes[place];
        groups.last_mut().expect("the first one begins a group").push(place);
    }
    groups
}

/// A key that is searched.
struct Turn<'t, M: Model> {
    partition: &'t mut Partition<M>,
    settled: &'t mut Option<Settled>,
    search: Option<Search>,
    /// The memory that it had when it was last looked at.
    bytes: usize,
}

impl<M: Model> Turn<'_, M> {
    /// Goes on for some steps.
    fn run(&mut self, model: &M, steps: u64) {
        let partition = &mut *self.partition;
        let search =
            self.search.get_or_insert_with(|| Search::new(partition, &problem::whole(partition), FIRST_SEED));
        match search.run(model, partition, steps) {
            Progress::Running => {}
            Progress::Found => *self.settled = Some(Settled::Found(search.order().collect())),
            Progress::Exhausted => *self.settled = Some(Settled::Impossible(search.farthest().clone())),
        }
    }

    /// How much more memory it has now than when it was last looked at, or less.
    fn grown(&mut self) -> isize {
        let open = self.search.as_ref().filter(|_| self.settled.is_none());
        let now = open.map_or(0, |search| search.bytes() + self.partition.states.bytes());
        let before = std::mem::replace(&mut self.bytes, now);
        now as isize - before as isize
    }
}

/// Searches keys in turns until each is settled, one is impossible, or the budget is spent: that is the answer.
fn search_all<M: Model>(model: &M, open: &mut [Turn<'_, M>], budget: &Budget<'_>) -> Option<Spent> {
    let mut turn = FIRST_TURN;
    let mut bytes = 0_isize;
    while open.iter().any(|key| key.settled.is_none()) {
        let mut running: Vec<&mut Turn<'_, M>> =
            open.iter_mut().filter(|key| key.settled.is_none()).collect();
        for together in running.chunks_mut(TOGETHER) {
            let stride = if together.len() == 1 { STRIDE } else { STRIDE_TOGETHER };
            let mut left = turn;
            while left > 0 && together.iter().any(|key| key.settled.is_none()) {
                let steps = stride.min(left);
                left -= steps;
                let running = together.iter_mut().filter(|key| key.settled.is_none());
                let jobs: Vec<Job<'_>> =
                    running.map(|key| Box::new(move || key.run(model, steps)) as Job<'_>).collect();
                budget.crew.work(jobs);
                if together.iter().any(|key| matches!(key.settled, Some(Settled::Impossible(_)))) {
                    return None;
                }
                if together.iter().all(|key| key.settled.is_some()) {
                    break;
                }
                if (budget.expired)() {
                    return Some(Spent::Time);
                }
                bytes += together.iter_mut().map(|key| key.grown()).sum::<isize>();
                if usize::try_from(bytes).is_ok_and(|bytes| bytes > budget.bytes) {
                    return Some(Spent::Memory);
                }
            }
            bytes += together.iter_mut().map(|key| key.grown()).sum::<isize>();
        }
        turn = turn.saturating_mul(2);
    }
    None
}

/// Runs a search for a number of steps within the budget.
fn slice<M: Model>(
    model: &M,
    partition: &mut Partition<M>,
    search: &mut Search,
    steps: u64,
    budget: &Budget<'_>,
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
        if search.bytes() + partition.states.bytes() > budget.bytes {
            return (progress, Some(Spent::Memory));
        }
    }
    (Progress::Running, None)
}

/// Decides whether the items have an order, within the budget and a number of steps, in the memory of a search. Also
/// answers how many steps it took.
pub(crate) fn decide<M: Model>(
    model: &M,
    partition: &mut Partition<M>,
    search: &mut Search,
    items: &[Item],
    steps: u64,
    budget: &Budget<'_>,
) -> (Result<bool, Spent>, u64) {
    if (budget.expired)() {
        return (Err(Spent::Time), 0);
    }
    search.begin(partition, items, SECOND_SEED);
    let answer = match slice(model, partition, search, steps, budget) {
        (Progress::Found, _) => Ok(true),
        (Progress::Exhausted, _) => Ok(false),
        (Progress::Running, spent) => Err(spent.unwrap_or(Spent::Time)),
    };
    (answer, search.steps())
}
