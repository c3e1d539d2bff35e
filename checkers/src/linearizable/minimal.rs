//! The certificate of an invalid history: a minimal core.
//!
//! To *set aside* an operation is to forget when it happened and whether it did: its answer, if it only
//! observed, vanishes; an update may take effect at any time or never. Whatever explains a history also explains
//! it with operations set aside, so if the rest still cannot be explained, nor can the whole. That is why
//! operations are set aside and not deleted: a deleted write would leave its readers unexplained, and the
//! history invalid for a reason that is no fault of the system.
//!
//! A *core* is a set of operations that cannot be explained with all others set aside. It is minimal: set any
//! one of them aside too, and the rest can be explained. (A core alone, with the others deleted, is invalid as
//! well, since an update that may take effect or not can only help.)

use rashomon_core::{History, HistoryError, Kind, Op, Process};

use super::drawing;
use super::monitors::Clash;
use super::partition::{Known, NEVER, Partition};
use super::problem::{self, Item};
use super::rounds::{Spent, decide};
use super::search::{Farthest, Search};
use crate::{Budget, Effect, Model};

/// The steps that each question of the reduction may take, and all of them together: a core that is not minimal,
/// soon, serves better than a minimal one too late.
const STEPS_PER_QUESTION: u64 = 1_000_000;
const STEPS: u64 = 10_000_000;

/// Operations with the same state as the culprit, up to so many, are tried for a core first.
const RELATED: usize = 64;

/// A monitor's clash is confirmed by a search when it has no more claims than this, and no more could matter to it
/// besides.
const CONFIRMED: usize = 1_000;

/// The groups of which claims are first set aside are so many, and each time they do not go they are so many times as
/// small. Of the claims that are tried, about a third belong to the core in the end: larger groups would rarely go.
const AT_ONCE: usize = 6;
const SMALLER: usize = 4;

/// Keys judged by a monitor are placed as far as possible, for pictures, up to so many claims.
const ATTEMPTED: usize = 10_000;

/// The few claims that exclude every order.
#[derive(Clone, Debug)]
pub(crate) struct Core {
    /// Places in the partition, in the order of their calls.
    pub(crate) claims: Vec<usize>,
    /// Whether setting any one aside makes the rest possible; false when the budget ran out before that was
    /// known.
    pub(crate) minimal: bool,
    /// The configuration of the shortest prefix without an order from which it could not go on, where that was
    /// looked for.
    pub(crate) stuck: Option<Farthest>,
}

/// Confirms with another seed that a partition has no order, and reduces it.
///
/// `None` says that the second search found an order: the first mistook two configurations for each other.
pub(crate) fn reduce<M: Model>(
    model: &M,
    partition: &mut Partition<M>,
    farthest: &Farthest,
    budget: &Budget<'_>,
) -> Result<Option<Core>, Spent> {
    let mut reduction = Reduction::new(model, partition, budget);
    let Some(end) = reduction.shortest_prefix(farthest)? else { return Ok(None) };
    let stuck = drawing::attempt(model, reduction.partition, &problem::prefix(reduction.partition, end));
    let mut claims = reduction.neighbourhood(end, &stuck);
    let left = reduction.left;
    let field = partition.around(&claims);
    let mut excerpt = partition.excerpt(model, &field);
    let mut reduction = Reduction { left, ..Reduction::new(model, &mut excerpt, budget) };
    let mut core = within(&field, &claims);
    let minimal = reduction.shrink(&mut core);
    claims = without(&field, core);
    Ok(Some(Core { claims, minimal, stuck: Some(stuck) }))
}

/// Confirms with a search that claims found by a monitor have no order, and reduces them.
///
/// `None` says that the search found an order: the monitor is wrong.
pub(crate) fn confirm<M: Model>(
    model: &M,
    partition: &mut Partition<M>,
    clash: &Clash,
    budget: &Budget<'_>,
) -> Result<Option<Core>, Spent> {
    let mut claims: Vec<usize> = clash.pool.iter().map(|claim| *claim as usize).collect();
    if (budget.expired)() {
        return Err(Spent::Time);
    }
    if clash.pool.len().max(clash.others.len()) > CONFIRMED {
        return Ok(Some(Core { claims, minimal: false, stuck: None }));
    }
    let mut field: Vec<usize> = clash.pool.iter().chain(&clash.others).map(|claim| *claim as usize).collect();
    field.sort_unstable();
    field.dedup();
    let mut excerpt = partition.excerpt(model, &field);
    let mut reduction = Reduction::new(model, &mut excerpt, budget);
    let mut core = within(&field, &claims);
    let confirmed = reduction.impossible(&core);
    if confirmed == Some(false) {
        return Ok(None);
    }
    let minimal = reduction.shrink(&mut core);
    claims = without(&field, core);
    let end = claims.iter().map(|place| partition.claims[*place].ret).filter(|ret| *ret != NEVER).max();
    let stuck = end
        .filter(|_| partition.claims.len() <= ATTEMPTED)
        .map(|end| drawing::attempt(model, partition, &problem::prefix(partition, end + 1)));
    Ok(Some(Core { claims, minimal: minimal && confirmed.is_some(), stuck }))
}

/// The places that claims have among those of a field, which are sorted and have all of them.
fn within(field: &[usize], claims: &[usize]) -> Vec<usize> {
    claims.iter().filter_map(|place| field.binary_search(place).ok()).collect()
}

/// The claims at these places among those of a field, in order.
fn without(field: &[usize], mut places: Vec<usize>) -> Vec<usize> {
    places.sort_unstable();
    places.into_iter().map(|place| field[place]).collect()
}

struct Reduction<'a, M: Model> {
    model: &'a M,
    partition: &'a mut Partition<M>,
    budget: &'a Budget<'a>,
    /// The steps left for questions.
    left: u64,
    /// The claims that do not only observe, those together that lead to the same state: so a search has them.
    updates: Vec<usize>,
    /// For one question after the other: what is kept, what is asked, and where it is answered.
    kept: Vec<bool>,
    items: Vec<Item>,
    search: Search,
}

impl<'a, M: Model> Reduction<'a, M> {
    fn new(model: &'a M, partition: &'a mut Partition<M>, budget: &'a Budget<'a>) -> Reduction<'a, M> {
        let effect = |place: &usize| partition.claims[*place].effect;
        let mut updates: Vec<usize> =
            (0..partition.claims.len()).filter(|place| !effect(place).is_pure()).collect();
        updates.sort_by_key(|place| (effect(place).gives(), effect(place).needs()));
        let kept = vec![false; partition.claims.len()];
        let (items, search) = (Vec::new(), Search::default());
        Reduction { model, partition, budget, left: STEPS, updates, kept, items, search }
    }

    /// The rank just after the first return by which no order is left.
    ///
    /// Prefixes without an order only have longer ones, so bisection finds it; the first search says where to
    /// begin.
    fn shortest_prefix(&mut self, farthest: &Farthest) -> Result<Option<u32>, Spent> {
        let returned = self.partition.claims.iter().map(|claim| claim.ret).filter(|ret| *ret != NEVER);
        let mut returns: Vec<u32> = returned.collect();
        returns.sort_unstable();
        let Some(last) = returns.len().checked_sub(1) else { return Ok(None) };
        let mut low = returns.partition_point(|ret| *ret < farthest.bound).min(last);
        let mut stride = 1;
        let mut high = low;
        while self.has_order(returns[high])? {
            if high == last {
                return Ok(None);
            }
            low = high + 1;
            high = (high + stride).min(last);
            stride *= 2;
        }
        while low < high {
            let middle = low.midpoint(high);
            if self.has_order(returns[middle])? {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(Some(returns[high] + 1))
    }

    /// Whether what is known just after a return has an order.
    fn has_order(&mut self, ret: u32) -> Result<bool, Spent> {
        let items = problem::prefix(self.partition, ret + 1);
        decide(self.model, self.partition, &mut self.search, &items, u64::MAX, self.budget).0
    }

    /// A core among the operations near the one that got stuck and those that share its state; in the worst
    /// case, everything.
    fn neighbourhood(&mut self, end: u32, stuck: &Farthest) -> Vec<usize> {
        let claims = &self.partition.claims;
        let culprits = stuck.window.iter().filter_map(|claim| claims[*claim as usize].effect.needs());
        let states: Vec<u32> = culprits.chain([stuck.state]).collect();
        let touches = |effect: Known| {
            [effect.needs(), effect.gives()].into_iter().flatten().any(|state| states.contains(&state))
        };
        let mut related: Vec<usize> =
            (0..claims.len()).filter(|place| touches(claims[*place].effect)).collect();
        if related.len() > RELATED {
            related.clear();
        }
        let count = claims.len();
        let before = claims.partition_point(|claim| claim.call < end);
        let mut reach = 8;
        loop {
            let near = before.saturating_sub(reach)..before.saturating_add(reach / 8).min(count);
            if near.len() == count || (self.budget.expired)() {
                return (0..count).collect();
            }
            let mut core: Vec<usize> = related.iter().copied().chain(near).collect();
            core.sort_unstable();
            core.dedup();
            if self.impossible(&core) == Some(true) {
                return core;
            }
            reach *= 2;
        }
    }

    /// Sets aside as many of the core as possible; true when the rest is minimal.
    ///
    /// What only observes goes first, so that where either would do, the core has the update: "9 was written" is
    /// a plainer fact than "9 was read".
    fn shrink(&mut self, core: &mut Vec<usize>) -> bool {
        let mut certain = true;
        for stage in [0, 1, 2] {
            let (part, rest): (Vec<usize>, Vec<usize>) = core.iter().partition(|place| {
                stage
                    == match self.partition.claims[**place].effect {
                        Known::Pure => 0,
                        Known::Observe(_) => 1,
                        Known::Set(_) | Known::Swap(..) | Known::Any => 2,
                    }
            });
            let (part, sure) = self.shrink_part(part, &rest);
            *core = rest;
            core.extend(part);
            certain &= sure;
        }
        certain
    }

    /// Sets aside as many of `part` as possible, in ever smaller groups, while `rest` is kept.
    fn shrink_part(&mut self, mut part: Vec<usize>, rest: &[usize]) -> (Vec<usize>, bool) {
        let mut group = part.len().div_ceil(AT_ONCE);
        let mut certain = true;
        while group > 0 {
            let mut from = 0;
            while from < part.len() {
                let mut fewer = part.clone();
                fewer.drain(from..(from + group).min(part.len()));
                let keep: Vec<usize> = fewer.iter().chain(rest).copied().collect();
                match self.impossible(&keep) {
                    Some(true) => part = fewer,
                    Some(false) => from += group,
                    None => {
                        certain &= group > 1;
                        from += group;
                    }
                }
                if (self.budget.expired)() {
                    return (part, false);
                }
            }
            // To set aside is to allow more, so what could not go once cannot go later: one pass of single
            // operations is enough.
            group = if group == 1 { 0 } else { group.div_ceil(SMALLER) };
        }
        (part, certain)
    }

    /// Whether what remains has no order when all but `keep` is set aside; `None` when that takes too long.
    fn impossible(&mut self, keep: &[usize]) -> Option<bool> {
        if keep.is_empty() {
            return Some(false);
        }
        for place in keep {
            self.kept[*place] = true;
        }
        let claims = &self.partition.claims;
        self.items.clear();
        let aside = self.updates.iter().filter(|place| !self.kept[**place]);
        self.items.extend(aside.map(|place| Item { claim: *place as u32, call: 0, ret: NEVER }));
        for (claim, place) in claims.iter().zip(0..) {
            if std::mem::take(&mut self.kept[place as usize]) {
                self.items.push(Item { claim: place, call: claim.call, ret: claim.ret });
            }
        }
        let steps = STEPS_PER_QUESTION.min(self.left);
        let (answer, taken) =
            decide(self.model, self.partition, &mut self.search, &self.items, steps, self.budget);
        self.left = self.left.saturating_sub(taken);
        answer.ok().map(|found| !found)
    }
}

/// The history with all operations on a key set aside, but those whose invocations are at the indices `keep`.
///
/// Operations on other keys are left out. An update whose answer matters, such as a dequeue, loses it here. With this,
/// for other models, anyone can test a core: keep it, and the history is
/// invalid; keep all of it but one, and it is valid.
pub fn set_aside<M: Model>(
    mut model: M,
    history: &History,
    key: Option<&str>,
    keep: &[u64],
) -> Result<History, HistoryError> {
    let mut possible = Vec::new();
    let mut kept = Vec::new();
    let numbers = history.ops().iter().filter_map(|op| match op.process {
        Process::Client(number) => Some(number.saturating_add(1)),
        Process::Nemesis => None,
    });
    let mut process = numbers.max().unwrap_or(0);
    for pair in history.pairs().filter(|pair| pair.invoke.key.as_deref() == key) {
        if keep.contains(&pair.invoke.index) {
            kept.push(pair.invoke.clone());
            kept.extend(pair.completion.cloned());
        } else if pair.outcome() != Kind::Fail {
            let updates = match model.action(&pair) {
                Ok(Some(action)) => match model.effect(&action) {
                    Effect::Observe(_) | Effect::Pure => false,
                    Effect::Swap(from, to) => from != to,
                    Effect::Set(_) | Effect::Any => true,
                },
                Ok(None) | Err(_) => false,
            };
            if updates {
                possible.push(Op { process: Process::Client(process), ..pair.invoke.clone() });
                process = process.saturating_add(1);
            }
        }
    }
    kept.sort_by_key(|op| op.index);
    History::new(possible.into_iter().chain(kept).collect())
}
