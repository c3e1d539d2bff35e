//! Near-linear algorithms for special cases.
//!
//! Linearizability is hard in general since the same value may have been there many times. Where each value came
//! once only, an answer says *when* it was given, and sorting replaces searching.

mod blocks;
mod register;

mod queue;
mod spans;

mod priority_queue;
mod stack;

mod growing;
mod set;

mod events;
mod seen;
mod view;

use super::method::{Assigned, Method};
use super::partition::Partition;
use super::rounds::Spent;
use crate::{Budget, Job, Model, Shape};
use view::{Key, View};

/// What a monitor found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// This order explains the key: claims.
    Order(Vec<u32>),
    /// No order does.
    Clash(Clash),
}

/// Claims that no order explains, whatever the others are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Clash {
    /// Few claims, among which is a minimal core.
    pub(crate) pool: Vec<u32>,
    /// The other claims that could matter when all but the pool is set aside.
    pub(crate) others: Vec<u32>,
}

impl Clash {
    fn of(pool: impl IntoIterator<Item = u32>) -> Clash {
        let mut pool: Vec<u32> = pool.into_iter().collect();
        pool.sort_unstable();
        pool.dedup();
        Clash { pool, others: Vec::new() }
    }
}

/// What became of a key: to which algorithm it was given, and what that found, if it is a monitor.
type Answer = (Assigned, Option<Finding>);

/// The same of the key at this place, or why that is not known.
pub(crate) type Judged = (usize, Result<Answer, Spent>);

/// Judges some of the keys, at these places, with the crew of the budget.
pub(crate) fn judge_all<M: Model>(
    model: &M,
    partitions: &[Partition<M>],
    places: &[usize],
    budget: &Budget<'_>,
) -> Vec<Judged> {
    if (budget.expired)() {
        return places.iter().map(|place| (*place, Err(Spent::Time))).collect();
    }
    let monitor = Monitor::of(model.shape());
    let needed = |place: &usize| {
        let partition = &partitions[*place];
        (monitor.bytes)(&View::of(&Key { model, partition }))
    };
    if places.iter().map(needed).sum::<usize>() > budget.bytes {
        // Not all at the same time, then.
        let alone = |place: &usize| {
            let fits = needed(place) <= budget.bytes;
            (*place, if fits { Ok(monitor.ask(model, &partitions[*place])) } else { Err(Spent::Memory) })
        };
        return places.iter().map(alone).collect();
    }
    let mut judged: Vec<(usize, Option<Answer>)> = places.iter().map(|place| (*place, None)).collect();
    let jobs = judged.iter_mut().map(|(place, found)| {
        let (monitor, partition) = (&monitor, &partitions[*place]);
        Box::new(move || *found = Some(monitor.ask(model, partition))) as Job<'_>
    });
    budget.crew.work(jobs.collect());
    judged.into_iter().map(|(place, found)| (place, found.ok_or(Spent::Time))).collect()
}

/// One of the monitors.
struct Monitor {
    method: Method,
    /// Why it may judge a key that it does not decline.
    why: &'static str,
    /// About how much memory it needs.
    bytes: fn(&View<'_>) -> usize,
    judge: fn(&View<'_>) -> Result<Finding, &'static str>,
}

impl Monitor {
    /// Gives a key to the monitor; the search gets it when that declines, and then nothing was found.
    fn ask<M: Model>(&self, model: &M, partition: &Partition<M>) -> Answer {
        match (self.judge)(&View::of(&Key { model, partition })) {
            Ok(finding) => (Assigned { method: self.method, why: self.why }, Some(finding)),
            Err(why) => (Assigned { method: Method::Search, why }, None),
        }
    }

    /// The monitor of a shape.
    fn of(shape: Shape) -> Monitor {
        match shape {
            Shape::Register => Monitor {
                method: Method::Register,
                why: "each value was written once only",
                bytes: register::bytes,
                judge: register::judge,
            },
            Shape::Queue => Monitor {
                method: Method::Queue,
                why: "each value was enqueued once only",
                bytes: queue::bytes,
                judge: queue::judge,
            },
            Shape::Stack => Monitor {
                method: Method::Stack,
                why: "each value was pushed once only",
                bytes: stack::bytes,
                judge: stack::judge,
            },
            Shape::PriorityQueue => Monitor {
                method: Method::PriorityQueue,
                why: "each value was inserted once only",
                bytes: priority_queue::bytes,
                judge: priority_queue::judge,
            },
            Shape::Set => Monitor {
                method: Method::Set,
                why: "each answer says whether the element was there",
                bytes: set::bytes,
                judge: set::judge,
            },
            Shape::GrowingSet | Shape::GrowingList => Monitor {
                method: Method::Growing,
                why: "each element was added once only",
                bytes: growing::bytes,
                judge: growing::judge,
            },
        }
    }
}
