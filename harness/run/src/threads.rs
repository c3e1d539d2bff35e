//! Threads that are lent to checkers.

use std::num::NonZero;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;

use rashomon_checkers::{Crew, Job};

/// A crew of threads, which live as long as the work that they are given at once.
#[derive(Clone, Copy, Debug)]
pub struct Threads {
    count: NonZero<usize>,
}

impl Threads {
    /// As many as the machine runs at the same time. It is asked once: to find out takes it longer than to judge a small
    /// history.
    pub fn of_this_machine() -> Threads {
        static COUNT: OnceLock<NonZero<usize>> = OnceLock::new();
        let ask = || thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
        Threads { count: *COUNT.get_or_init(ask) }
    }

    /// So many.
    pub fn new(count: NonZero<usize>) -> Threads {
        Threads { count }
    }
}

impl Crew for Threads {
    fn work(&self, jobs: Vec<Job<'_>>) {
        let helpers = self.count.get().min(jobs.len()).saturating_sub(1);
        let jobs = Mutex::new(jobs.into_iter());
        let work = || {
            loop {
                // A job that panics does so outside the lock.
                let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).next();
                let Some(job) = next else { break };
                job();
            }
        };
        thread::scope(|scope| {
            for _ in 0..helpers {
                scope.spawn(work);
            }
            work();
        });
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZero;

    use rashomon_checkers::{Crew, Job};

    use super::Threads;

    #[test]
    fn every_job_is_done_once() {
        for count in [1, 2, 7] {
            let mut done = vec![0; 40];
            let jobs = done.iter_mut().map(|done| Box::new(move || *done += 1) as Job<'_>).collect();
            Threads::new(NonZero::new(count).unwrap()).work(jobs);
            assert_eq!(done, vec![1; 40]);
        }
        Threads::of_this_machine().work(Vec::new());
    }
}
