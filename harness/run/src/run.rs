//! One run, from its folder to its report, in whichever world.

mod live;
mod simulated;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use rashomon_core::{History, Value, Verdict, World, WorldError};
use rashomon_results::{Ended, Network, RunFolder, RunVerdict, StoreError};
use thiserror::Error;

use crate::interpreter::{Files, Interpreter, InterpreterError, Record};
use crate::judge::{self, Limits};
use crate::plan::Plan;
use crate::progress::{Event, Observer, Phase};
use crate::registry::{self, SystemEntry};
pub use live::live;
pub use simulated::{in_memory, simulated};

/// A world that can be ended.
pub trait Stage: World {
    /// Ends it, and tells what the network did.
    fn finish(self: Box<Self>) -> Result<Network, WorldError>;
}

/// How a plan is to be run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The folder that gets the run's own folder.
    pub out: PathBuf,
    /// The program that is a node when it is called with `node SYSTEM --config FILE`.
    pub executable: PathBuf,
    /// The command that repeats the run, for people.
    pub command: String,
    /// What the checkers may spend.
    pub limits: Limits,
}

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// Where it is kept.
    pub folder: RunFolder,
    /// The plan as it is kept, with the command that repeats it.
    pub plan: Value,
    /// What to think of it.
    pub verdict: RunVerdict,
    /// Its history, as read back from the folder.
    pub history: History,
    /// Why the harness could not go on to the end, if so.
    pub failure: Option<InterpreterError>,
}

/// Why there is no outcome.
#[derive(Debug, Error)]
pub enum RunError {
    /// The run's folder cannot be written or read back.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system did not start. What its nodes wrote is in the folder.
    #[error("the system did not start: {source}\nits output is in {}", folder.display())]
    Start {
        /// Why.
        source: WorldError,
        /// Where the nodes' output is.
        folder: PathBuf,
    },
}

/// Runs the plan in the world that `start` makes, judges it, and writes everything down.
fn play(
    plan: &Plan,
    settings: &Settings,
    observer: &mut dyn Observer,
    interrupted: &AtomicBool,
    start: impl FnOnce(&SystemEntry, &Path) -> Result<Box<dyn Stage>, WorldError>,
) -> Result<Outcome, RunError> {
    let entry = registry::system(plan.system.name).expect("a plan names a system that exists");
    let workload = rashomon_workloads::by_name(plan.workload).expect("a plan names a workload that exists");
    let folder = RunFolder::create_fresh(&settings.out, plan.system.name)?;
    let file = crate::plan::PlanFile { command: Some(settings.command.clone()), ..plan.to_file() };
    let kept = serde_json::to_value(file).expect("a plan is plain data");
    folder.write_plan(&kept)?;
    let mut sink = Files { history: folder.history_writer()?, schedule: folder.schedule_writer()? };

    observer.event(&Event::Phase(Phase::Starting));
    let mut world = start(&entry, folder.path())
        .map_err(|source| RunError::Start { source, folder: folder.path().to_owned() })?;
    let invariants = (entry.invariants)();
    let names: Vec<&str> = invariants.iter().map(|invariant| invariant.name()).collect();
    let mut clients = (workload.make)();
    let interpreter = Interpreter::new(
        world.as_mut(),
        clients.as_mut(),
        plan,
        invariants,
        &mut sink,
        observer,
        interrupted,
    );
    let (mut record, failure) = interpreter.run();
    drop(sink);
    if let Some(error) = &failure {
        record.problems.push(format!("the harness could not go on: {error}"));
        record.ended = Ended::Failed;
    }

    observer.event(&Event::Phase(Phase::Stopping));
    match world.finish() {
        Ok(network) => folder.write_network(&network)?,
        Err(error) => record.problems.push(format!("the nodes did not end in order: {error}")),
    }

    observer.event(&Event::Phase(Phase::Checking));
    let history = folder.history()?.unwrap_or_default();
    let verdict = conclude(&names, workload.checkers, &history, record, settings.limits);

    observer.event(&Event::Phase(Phase::Reporting));
    folder.write_verdict(&verdict)?;
    folder.write_junit(&verdict)?;
    folder.write_report()?;
    Ok(Outcome { folder, plan: kept, verdict, history, failure })
}

/// Asks every checker, and takes the worst of all.
fn conclude(
    invariants: &[&str],
    checkers: &[&str],
    history: &History,
    record: Record,
    limits: Limits,
) -> RunVerdict {
    let mut verdicts: Vec<Verdict> = Vec::new();
    if !invariants.is_empty() {
        verdicts.push(judge::invariants(invariants, &record));
    }
    verdicts.extend(judge::ask(checkers, history, limits));
    let coverage = record.coverage.into_values().collect();
    let verdict = RunVerdict::new(verdicts, coverage, record.problems, record.totals, record.ended);
    RunVerdict { weaknesses: record.weaknesses, ..verdict }
}
