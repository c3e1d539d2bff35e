//! What happens next: generators of client ops and of faults.
//!
//! A generator is polled like a future: it gives the next action, or says until when there is none, or that it
//! is done. It is told about every event, so it can react to what happened. Combinators build one generator from
//! others, as iterators do:
//!
//! ```
//! use std::time::Duration;
//! use rashomon_core::generator::{self, Generator as _, Invocation};
//!
//! let read = |_: &mut generator::Asked<'_>| Invocation::new("read", "x", ());
//! let write = |_: &mut generator::Asked<'_>| Invocation::new("write", "x", 1);
//! let clients = generator::mix(vec![(2, generator::repeat(read).boxed()), (1, generator::repeat(write).boxed())])
//!     .stagger(Duration::from_millis(10))
//!     .time_limit(Duration::from_secs(15));
//! # let _ = clients;
//! ```

mod combine;
mod keys;
mod pace;

use serde_json::Value;

use crate::{Op, Rng, Time};

pub use combine::{Limit, Mix, Phases, Repeat, Reserve, UntilOk, mix, phases, repeat, reserve};
pub use keys::Keys;
pub use pace::{Stagger, TimeLimit};

/// The answer of a generator.
#[derive(Clone, Debug, PartialEq)]
pub enum Next<A> {
    /// This, now, by that thread.
    Do(usize, A),
    /// Nothing before this time; `None`: nothing before the next event.
    Wait(Option<Time>),
    /// Nothing, ever again.
    Done,
}

/// What a generator may know when it is asked.
pub struct Asked<'a> {
    /// The time.
    pub now: Time,
    /// The threads that are free, in ascending order; never empty.
    pub free: &'a [usize],
    /// How many of all threads are this generator's.
    pub threads: usize,
    /// Its stream of random draws.
    pub rng: &'a mut Rng,
}

impl Asked<'_> {
    /// One of the free threads, at random.
    pub fn thread(&mut self) -> usize {
        use rand::seq::IndexedRandom;
        *self.free.choose(self.rng).expect("a generator is asked only when a thread is free")
    }
}

/// An op to be invoked.
#[derive(Clone, Debug, PartialEq)]
pub struct Invocation {
    /// Its name.
    pub f: &'static str,
    /// The part of the data it concerns.
    pub key: Option<String>,
    /// Its argument.
    pub value: Value,
}

impl Invocation {
    /// An op on a key.
    pub fn new(f: &'static str, key: impl Into<String>, value: impl Into<Value>) -> Invocation {
        Invocation { f, key: Some(key.into()), value: value.into() }
    }
}

/// Something that says what happens next.
pub trait Generator<A>: Send {
    /// The next action. Asking is not doing: a generator that answered `Do` counts it as done.
    fn next(&mut self, asked: &mut Asked<'_>) -> Next<A>;

    /// Takes an op into account that was invoked or completed by `thread`.
    fn update(&mut self, thread: usize, op: &Op) {
        let _ = (thread, op);
    }

    /// The same behind a pointer, to put different ones side by side.
    fn boxed<'a>(self) -> Box<dyn Generator<A> + 'a>
    where
        Self: Sized + 'a,
    {
        Box::new(self)
    }

    /// At most `count` actions.
    fn limit(self, count: u64) -> Limit<Self>
    where
        Self: Sized,
    {
        Limit::new(self, count)
    }

    /// Actions at random intervals, `mean` on the average, over all threads together.
    fn stagger(self, mean: std::time::Duration) -> Stagger<Self, A>
    where
        Self: Sized,
    {
        Stagger::new(self, mean)
    }

    /// Nothing later than `limit` after the first time it was asked.
    fn time_limit(self, limit: std::time::Duration) -> TimeLimit<Self>
    where
        Self: Sized,
    {
        TimeLimit::new(self, limit)
    }

    /// Goes on until one of its ops is ok.
    fn until_ok(self) -> UntilOk<Self>
    where
        Self: Sized,
    {
        UntilOk::new(self)
    }
}

impl<A, G: Generator<A> + ?Sized> Generator<A> for &mut G {
    fn next(&mut self, asked: &mut Asked<'_>) -> Next<A> {
        (**self).next(asked)
    }

    fn update(&mut self, thread: usize, op: &Op) {
        (**self).update(thread, op);
    }
}

impl<A> Generator<A> for Box<dyn Generator<A> + '_> {
    fn next(&mut self, asked: &mut Asked<'_>) -> Next<A> {
        (**self).next(asked)
    }

    fn update(&mut self, thread: usize, op: &Op) {
        (**self).update(thread, op);
    }
}

#[cfg(test)]
mod tests;
