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

use super::method::{Assigned, Method};
use super::partition::Partition;
use super::rounds::Spent;
use crate::{Budget, Model, Shape};

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

/// Gives a key to the monitor whose conditions it meets; the search gets it when there is none, and then nothing
/// was found.
pub(crate) fn judge<'p, 'h, M: Model>(
    model: &'p M,
    partition: &'p Partition<'h, M>,
    budget: &Budget<'_>,
) -> Result<(Assigned, Option<Finding>), Spent> {
    if (budget.expired)() {
        return Err(Spent::Time);
    }
    let monitor: Monitor<'p, 'h, M> = match model.shape() {
        Shape::Register => Monitor {
            method: Method::Register,
            why: "each value was written once only",
            bytes: register::bytes,
            judge: |_, partition| register::judge(partition),
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
    };
    if (monitor.bytes)(partition) > budget.bytes {
        return Err(Spent::Memory);
    }
    Ok(match (monitor.judge)(model, partition) {
        Ok(finding) => (Assigned { method: monitor.method, why: monitor.why }, Some(finding)),
        Err(why) => (Assigned { method: Method::Search, why }, None),
    })
}

/// One of the monitors.
struct Monitor<'p, 'h, M: Model> {
    method: Method,
    /// Why it may judge a key that it does not decline.
    why: &'static str,
    /// About how much memory it needs.
    bytes: fn(&'p Partition<'h, M>) -> usize,
    judge: fn(&'p M, &'p Partition<'h, M>) -> Result<Finding, &'static str>,
}
