//! When a generator acts.

use std::time::Duration;

use rand::RngExt;

use super::{Asked, Generator, Next};
use crate::{Op, Time};

/// See [`Generator::stagger`].
pub struct Stagger<G, A> {
    inner: G,
    mean: Duration,
    due: Option<Time>,
    _action: std::marker::PhantomData<fn() -> A>,
}

impl<G, A> Stagger<G, A> {
    pub(super) fn new(inner: G, mean: Duration) -> Self {
        Stagger { inner, mean, due: None, _action: std::marker::PhantomData }
    }

    /// The generator that is paced.
    pub fn inner(&self) -> &G {
        &self.inner
    }
}

impl<A, G: Generator<A>> Generator<A> for Stagger<G, A> {
    fn next(&mut self, asked: &mut Asked<'_>) -> Next<A> {
        let due = *self.due.get_or_insert(asked.now);
        if asked.now < due {
            return Next::Wait(Some(due));
        }
        let next = self.inner.next(asked);
        if matches!(next, Next::Do(..)) {
            // Uniform between nothing and twice the mean. The next is due after this one was, so that a late poll
            // does not lower the rate; but a long stall is not made up for by a burst.
            let interval = asked.rng.random_range(0..=2 * self.mean.as_nanos() as u64);
            self.due = Some((due + Duration::from_nanos(interval)).max(asked.now - 10 * self.mean));
        }
        next
    }

    fn update(&mut self, thread: usize, op: &Op) {
        self.inner.update(thread, op);
    }
}

/// See [`Generator::time_limit`].
pub struct TimeLimit<G> {
    inner: G,
    limit: Duration,
    end: Option<Time>,
}

impl<G> TimeLimit<G> {
    pub(super) fn new(inner: G, limit: Duration) -> Self {
        TimeLimit { inner, limit, end: None }
    }
}

impl<A, G: Generator<A>> Generator<A> for TimeLimit<G> {
    fn next(&mut self, asked: &mut Asked<'_>) -> Next<A> {
        let end = *self.end.get_or_insert(asked.now + self.limit);
        if asked.now >= end {
            return Next::Done;
        }
        match self.inner.next(asked) {
            // Whoever waits longer than the limit is woken at the limit, to learn that it is over.
            Next::Wait(until) => Next::Wait(Some(until.map_or(end, |until| until.min(end)))),
            next => next,
        }
    }

    fn update(&mut self, thread: usize, op: &Op) {
        self.inner.update(thread, op);
    }
}
