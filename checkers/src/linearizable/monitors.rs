//! Near-linear algorithms for special cases.
//!
//! Linearizability is hard in general since the same value may have been there many times. Where each value came
//! once only, an answer says *when* it was given, and sorting replaces searching.

mod blocks;
mod queue;
mod register;
mod spans;

use super::method::{Assigned, Method};
use super::partition::Partition;
use super::rounds::Spent;
use crate::{Budget, Model};

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
pub(crate) fn judge<M: Model>(
    model: &M,
    partition: &Partition<'_, M>,
    budget: &Budget<'_>,
) -> Result<(Assigned, Option<Finding>), Spent> {
    if (budget.expired)() {
        return Err(Spent::Time);
    }
    let method = match partition.actions.first().and_then(|action| model.passage(action)) {
        Some(_) => Method::Queue,
        None => Method::Register,
    };
    let (bytes, why) = match method {
        Method::Queue => (queue::bytes(partition), "each value was enqueued once only"),
        Method::Register | Method::Search => (register::bytes(partition), "each value was written once only"),
    };
    if bytes > budget.bytes {
        return Err(Spent::Memory);
    }
    let found = match method {
        Method::Queue => queue::judge(model, partition),
        Method::Register | Method::Search => register::judge(partition),
    };
    Ok(match found {
        Ok(finding) => (Assigned { method, why }, Some(finding)),
        Err(why) => (Assigned { method: Method::Search, why }, None),
    })
}
