//! From a failing run to a minimal story that fails in the same way.
//!
//! A run that fails is written down as a [`Schedule`]: its faults, its ops, each with its time. Then one thing after
//! the other is left out or made simpler, and what is left is run again. If the same checker still finds an anomaly
//! of the same name, the simpler run takes the place of the other. First go whole faults, then clients and ops,
//! then nodes and links from the faults that are left, quiet time between events, and at last the touch of the
//! network on single messages: see `shrink/passes`.
//!
//! What is found depends on the run and on the number of attempts alone: attempts may be made side by side, but the
//! first in order that fails is taken, whichever ends first. The time that is allowed is real time, so how many
//! attempts there are depends on the machine, and with it how far the shrinking gets.

mod bench;
mod minimize;
mod passes;

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use rashomon_core::{Happening, Time, Trace, Validity, WorldError};
use rashomon_results::{Accusation, RunVerdict, Shrunk, Size, StoreError};
use thiserror::Error;

use crate::judge::Limits;
use crate::plan::Plan;
use crate::progress::Nobody;
use crate::run::{Imagined, Outcome, Script, imagine};
use crate::schedule::Schedule;
use bench::Bench;
pub use bench::{Effort, Progress};

/// How long before what was found a trace of a run that was not shrunk begins.
const BEFORE: Duration = Duration::from_millis(500);

/// Why a run was not shrunk.
#[derive(Debug, Error)]
pub enum NotShrunk {
    /// The system did not start.
    #[error("the system did not start: {0}")]
    Start(#[from] WorldError),
    /// It is not invalid.
    #[error("the run accuses nobody: it is {0}")]
    NotInvalid(Validity),
    /// Time was up, or somebody stopped it, before anything was tried.
    #[error("there was no time to try anything")]
    NoTime,
    /// Its list of ops and faults alone does not make it fail.
    #[error("told as a list of ops and faults the run does not fail with {0}")]
    NotRepeated(Accusation),
}

/// Shrinks the run of `plan`. `command` repeats that run; `watch` hears of every attempt.
pub fn shrink(
    plan: &Plan,
    command: &str,
    effort: &Effort,
    interrupted: &AtomicBool,
    watch: &(dyn Fn(&Progress) + Sync),
) -> Result<Schedule, NotShrunk> {
    let begun = Instant::now();
    let limits = Limits::default();
    let original = imagine(Script::Drawn(plan), limits, None, &mut Nobody, interrupted)?;
    let accusation = Accusation::first(&original.verdict.checkers)
        .filter(|_| original.verdict.valid == Validity::Invalid)
        .ok_or(NotShrunk::NotInvalid(original.verdict.valid))?;
    let whole = Schedule::of(plan, &original.history, &original.schedule);
    let bench = Bench::new(accusation.clone(), effort, begun, interrupted, watch);
    if bench.fails(&whole).is_none() {
        if bench.is_over() {
            return Err(NotShrunk::NoTime);
        }
        return Err(NotShrunk::NotRepeated(accusation));
    }
    let story = passes::all(&bench, &whole);
    // What was found when somebody stopped it is measured all the same.
    let never = AtomicBool::new(false);
    let told = imagine(Script::Listed(&story), limits, Some(Time::ZERO), &mut Nobody, &never)?;
    let shrunk = Shrunk {
        accusation,
        seed: plan.seed.0,
        command: command.to_owned(),
        before: size(&whole, &original),
        after: size(&story, &told),
        attempts: bench.attempts(),
        took_ms: begun.elapsed().as_millis() as u64,
        unfinished: bench.is_over(),
    };
    Ok(Schedule { shrunk: Some(shrunk), ..story })
}

fn size(schedule: &Schedule, run: &Imagined) -> Size {
    let counts = || run.network.links.iter().map(|link| link.counts);
    let traced = |pick: fn(&Happening) -> bool| {
        run.trace.happenings.iter().filter(|happening| pick(happening)).count() as u64
    };
    let is_message = |happening: &Happening| matches!(happening, Happening::Message { .. });
    let (messages, touched) = if traced(is_message) > 0 && run.trace.left_out == 0 {
        // The trace knows which messages were let pass in spite of a fault.
        (traced(is_message), traced(|happening| bench::touched(happening).is_some()))
    } else {
        let touched = counts()
            .map(|link| {
                link.cut + link.lost + link.delayed + link.duplicated + link.reordered + link.corrupted
            })
            .sum();
        (counts().map(|link| link.sent).sum(), touched)
    };
    Size {
        faults: schedule.faults().len() as u64,
        nodes: schedule.plan.nodes.into(),
        clients: schedule.clients().len() as u64,
        ops: schedule.ops.len() as u64,
        messages,
        touched,
        lasts: schedule.plan.time_limit,
    }
}

/// Writes what happened in a run around what was found, and the report with it: for a run that was not shrunk.
pub fn trace(plan: &Plan, outcome: &Outcome, interrupted: &AtomicBool) -> Result<(), StoreError> {
    let found = found_at(&outcome.verdict, &outcome.history);
    let from = found.unwrap_or_default() - BEFORE;
    let imagined = imagine(Script::Drawn(plan), Limits::default(), Some(from), &mut Nobody, interrupted);
    // The run itself has started, and its verdict stands: a page without a drawing is better than none.
    let Ok(Imagined { trace, .. }) = imagined else { return Ok(()) };
    let until = found.map_or(Time::MAX, |found| found + BEFORE / 10);
    let (kept, late): (Vec<_>, Vec<_>) =
        trace.happenings.into_iter().partition(|happening| happening.at() <= until);
    let left_out = trace.left_out + late.len() as u64;
    outcome.folder.write_trace(Trace { happenings: kept, left_out })?;
    outcome.folder.write_report().map(|_| ())
}

/// When the first of the anomalies was complete: the time of the probe that shows it, or of the last of its ops.
fn found_at(verdict: &RunVerdict, history: &rashomon_core::History) -> Option<Time> {
    let accusation = Accusation::first(&verdict.checkers)?;
    bench::found_at(&accusation, verdict, history)
}

#[cfg(test)]
mod tests;
