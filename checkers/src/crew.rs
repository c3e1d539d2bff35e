//! Who does the work of a checker.

/// One job, which is done when it returns.
pub type Job<'a> = Box<dyn FnOnce() + Send + 'a>;

/// Workers that a caller lends to a checker.
///
/// Checkers have no threads of their own, since they run inside simulations and other people's programs. Where work
/// falls into parts they hand these to the crew of their [`Budget`](crate::Budget), and go on when all are done. What
/// the parts are does not depend on the crew, and nor does what is made of their results, so a verdict is the same
/// whether one works or many do.
pub trait Crew: Sync {
    /// Does all jobs, in any order, perhaps at the same time, and returns when they are done.
    fn work(&self, jobs: Vec<Job<'_>>);
}

/// Nobody but the caller: one job after the other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

impl Crew for Alone {
    fn work(&self, jobs: Vec<Job<'_>>) {
        for job in jobs {
            job();
        }
    }
}
