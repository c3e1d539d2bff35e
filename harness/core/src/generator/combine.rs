//! Generators made of others.

use std::collections::BTreeSet;

use rand::RngExt;

use super::{Asked, Generator, Next};
use crate::{Kind, Op, Process};

/// Asks a function for ever. See [`repeat`].
pub struct Repeat<F>(F);

/// A generator that calls a function each time, for a thread at random.
pub fn repeat<A, F: FnMut(&mut Asked<'_>) -> A + Send>(make: F) -> Repeat<F> {
    Repeat(make)
}

impl<A, F: FnMut(&mut Asked<'_>) -> A + Send> Generator<A> for Repeat<F> {
    fn next(&mut self, asked: &mut Asked<'_>) -> Next<A> {
        Next::Do(asked.thread(), (self.0)(asked))
    }
}

/// See [`Generator::limit`].
pub struct Limit<G> {
    inner: G,
    left: u64,
}

impl<G> Limit<G> {
    pub(super) fn new(inner: G, left: u64) -> Self {
        Limit { inner, left }
    }
}

impl<A, G: Generator<A>> Generator<A> for Limit<G> {
    fn next(&mut self, asked: &mut Asked<'_>) -> Next<A> {
        if self.left == 0 {
            return Next::Done;
        }
        let next = self.inner.next(asked);
        if matches!(next, Next::Do(..)) {
            self.left -= 1;
        }
        next
    }

    fn update(&mut self, thread: usize, op: &Op) {
        self.inner.update(thread, op);
    }
}

/// See [`mix`].
pub struct Mix<'a, A> {
    parts: Vec<(u32, Box<dyn Generator<A> + 'a>)>,
}

/// One of several generators at random each time, by weight. One that is done leaves; all done, it is done.
pub fn mix<'a, A>(parts: Vec<(u32, Box<dyn Generator<A> + 'a>)>) -> Mix<'a, A> {
    assert!(parts.iter().all(|(weight, _)| *weight > 0), "a part without weight would never be drawn");
    Mix { parts }
}

impl<A> Generator<A> for Mix<'_, A> {
    fn next(&mut self, asked: &mut Asked<'_>) -> Next<A> {
        while !self.parts.is_empty() {
            let total = self.parts.iter().map(|(weight, _)| *weight).sum();
            let mut draw = asked.rng.random_range(0..total);
            let drawn = self.parts.iter().position(|(weight, _)| match draw.checked_sub(*weight) {
                Some(rest) => {
                    draw = rest;
                    false
                }
                None => true,
            });
            let drawn = drawn.expect("the draw is below the total weight");
            match self.parts[drawn].1.next(asked) {
                Next::Done => drop(self.parts.remove(drawn)),
                next => return next,
            }
        }
        Next::Done
    }

    fn update(&mut self, thread: usize, op: &Op) {
        for (_, part) in &mut self.parts {
            part.update(thread, op);
        }
    }
}

/// See [`phases`].
pub struct Phases<'a, A> {
    /// In reverse order: the current one is last.
    rest: Vec<Box<dyn Generator<A> + 'a>>,
}

/// One generator after the other; each begins only when all threads are free.
pub fn phases<A>(mut parts: Vec<Box<dyn Generator<A> + '_>>) -> Phases<'_, A> {
    parts.reverse();
    Phases { rest: parts }
}

impl<A> Generator<A> for Phases<'_, A> {
    fn next(&mut self, asked: &mut Asked<'_>) -> Next<A> {
        while let Some(current) = self.rest.last_mut() {
            match current.next(asked) {
                Next::Done if asked.free.len() < asked.threads && self.rest.len() > 1 => {
                    return Next::Wait(None);
                }
                Next::Done => drop(self.rest.pop()),
                next => return next,
            }
        }
        Next::Done
    }

    fn update(&mut self, thread: usize, op: &Op) {
        if let Some(current) = self.rest.last_mut() {
            current.update(thread, op);
        }
    }
}

/// See [`reserve`].
pub struct Reserve<'a, A> {
    parts: Vec<(usize, Box<dyn Generator<A> + 'a>)>,
}

/// Threads set apart: the first `count` threads run the first part, the next ones the second, and so on. Give
/// the last part as many as are left.
pub fn reserve<A>(parts: Vec<(usize, Box<dyn Generator<A> + '_>)>) -> Reserve<'_, A> {
    Reserve { parts }
}

impl<A> Generator<A> for Reserve<'_, A> {
    fn next(&mut self, asked: &mut Asked<'_>) -> Next<A> {
        let mut begin = 0;
        let mut soonest: Option<Next<A>> = None;
        for (count, part) in &mut self.parts {
            let end = begin + *count;
            let free: Vec<usize> =
                asked.free.iter().copied().filter(|thread| (begin..end).contains(thread)).collect();
            begin = end;
            let next = if free.is_empty() {
                Next::Wait(None)
            } else {
                part.next(&mut Asked { now: asked.now, free: &free, threads: *count, rng: asked.rng })
            };
            soonest = Some(match (soonest, next) {
                (_, Next::Do(thread, action)) => return Next::Do(thread, action),
                (None | Some(Next::Done), next) => next,
                (Some(wait), Next::Done) => wait,
                (Some(Next::Wait(a)), Next::Wait(b)) => Next::Wait([a, b].into_iter().flatten().min()),
                (Some(Next::Do(..)), Next::Wait(_)) => unreachable!("an action was returned at once"),
            });
        }
        soonest.unwrap_or(Next::Done)
    }

    fn update(&mut self, thread: usize, op: &Op) {
        let mut begin = 0;
        for (count, part) in &mut self.parts {
            if (begin..begin + *count).contains(&thread) {
                part.update(thread, op);
            }
            begin += *count;
        }
    }
}

/// See [`Generator::until_ok`].
pub struct UntilOk<G> {
    inner: G,
    /// The processes whose open op is this generator's.
    open: BTreeSet<Process>,
    /// Threads that were told to act and whose invocation is awaited.
    awaited: BTreeSet<usize>,
    done: bool,
}

impl<G> UntilOk<G> {
    pub(super) fn new(inner: G) -> Self {
        UntilOk { inner, open: BTreeSet::new(), awaited: BTreeSet::new(), done: false }
    }
}

impl<A, G: Generator<A>> Generator<A> for UntilOk<G> {
    fn next(&mut self, asked: &mut Asked<'_>) -> Next<A> {
        if self.done {
            return Next::Done;
        }
        let next = self.inner.next(asked);
        if let Next::Do(thread, _) = next {
            self.awaited.insert(thread);
        }
        next
    }

    fn update(&mut self, thread: usize, op: &Op) {
        match op.kind {
            Kind::Invoke => {
                if self.awaited.remove(&thread) {
                    self.open.insert(op.process);
                }
            }
            kind => self.done |= self.open.remove(&op.process) && kind == Kind::Ok,
        }
        self.inner.update(thread, op);
    }
}
