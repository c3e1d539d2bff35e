//! What a checker may spend.

use std::fmt;

use rashomon_core::{Validity, Verdict};

use crate::crew::{Alone, Crew};

/// What a checker may spend: memory that it counts itself, time that its caller watches, and workers.
///
/// Checkers have no clock, so the caller decides what `expired` looks at: a deadline, a Ctrl-C, a count of
/// calls. It is asked every few hundred steps of a search and must be cheap. The workers are never asked to look at it.
#[derive(Clone, Copy)]
pub struct Budget<'a> {
    /// The most memory, in bytes, that the checker's own growing structures may take.
    pub bytes: usize,
    /// Whether to give up now.
    pub expired: &'a dyn Fn() -> bool,
    /// Who does what can be done at the same time.
    pub crew: &'a dyn Crew,
}

impl<'a> Budget<'a> {
    /// At most `bytes` of memory, until `expired` says so, with no help.
    pub fn new(bytes: usize, expired: &'a dyn Fn() -> bool) -> Budget<'a> {
        Budget { bytes, expired, crew: &Alone }
    }

    /// The same with workers.
    pub fn with_crew(self, crew: &'a dyn Crew) -> Budget<'a> {
        Budget { crew, ..self }
    }

    /// Whether this verdict is unknown because memory ran out. Every checker says so in the same words.
    pub fn is_out_of_memory(verdict: &Verdict) -> bool {
        verdict.valid == Validity::Unknown
            && verdict.unknown.iter().any(|cause| cause.contains("memory budget exhausted"))
    }

    /// Whether there is anything left at step `step`, with `bytes` in use: the error says what has run out. The caller's
    /// clock is looked at now and then only.
    pub(crate) fn spend(&self, step: u64, bytes: usize) -> Result<(), String> {
        if bytes > self.bytes {
            return Err("memory budget exhausted".to_owned());
        }
        if step.is_multiple_of(512) && (self.expired)() {
            return Err("time budget exhausted".to_owned());
        }
        Ok(())
    }

    /// No limit: for tests and for histories known to be small.
    pub fn unlimited() -> Budget<'static> {
        Budget::new(usize::MAX, &|| false)
    }
}

impl fmt::Debug for Budget<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budget").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}
