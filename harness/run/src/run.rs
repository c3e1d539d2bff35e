//! One run, from its folder to its report, in whichever world.

mod live;
mod simulated;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use rashomon_core::{History, Trace, Value, Verdict, World, WorldError};
use rashomon_results::{Ended, Network, RunFolder, RunVerdict, StoreError};
use rashomon_workloads::Workload;
use thiserror::Error;

use crate::interpreter::{Files, Interpreter, InterpreterError, Record};
use crate::judge::{self, Limits};
use crate::plan::Plan;
use crate::progress::{Event, Observer, Phase};
use crate::registry::{self, SystemEntry};
use crate::schedule::Schedule;
pub use live::live;
pub(crate) use simulated::{Imagined, imagine};
pub use simulated::{in_memory, scheduled, scheduled_in, simulated};

/// A world that can be ended.
pub trait Stage: World {
    /// Hands over what it wrote down of itself since it was last asked: nothing, unless it was told to.
    fn take_trace(&mut self) -> Trace {
        Trace::default()
    }

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

/// What is to be run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Script<'a> {
    /// What a plan draws.
    Drawn(&'a Plan),
    /// What a schedule lists.
    Listed(&'a Schedule),
}

impl Script<'_> {
    /// The plan that is kept.
    fn kept(&self) -> &Plan {
        match self {
            Script::Drawn(plan) => plan,
            Script::Listed(schedule) => &schedule.plan,
        }
    }

    /// The plan that the interpreter follows.
    fn followed(&self) -> Plan {
        match self {
            Script::Drawn(plan) => (*plan).clone(),
            Script::Listed(schedule) => schedule.script(),
        }
    }

    /// What the clients do.
    fn workload(&self, drawn: Box<dyn Workload>) -> Box<dyn Workload> {
        match self {
            Script::Drawn(_) => drawn,
            Script::Listed(schedule) => Box::new(schedule.workload(drawn)),
        }
    }

    /// Tells the interpreter which clients there are, if they are listed.
    fn cast<'i>(&self, interpreter: Interpreter<'i>) -> Interpreter<'i> {
        match self {
            Script::Drawn(_) => interpreter,
            Script::Listed(schedule) => interpreter.with_clients(&schedule.clients()),
        }
    }
}

/// Runs the script in the world that `start` makes, judges it, and writes everything down in `folder`.
fn play(
    script: Script<'_>,
    folder: RunFolder,
    settings: &Settings,
    observer: &mut dyn Observer,
    interrupted: &AtomicBool,
    start: impl FnOnce(&SystemEntry, &Path) -> Result<Box<dyn Stage>, WorldError>,
) -> Result<Outcome, RunError> {
    let plan = script.followed();
    let entry = registry::system(plan.system.name).expect("a plan names a system that exists");
    let workload = rashomon_workloads::by_name(plan.workload).expect("a plan names a workload that exists");
    let file = crate::plan::PlanFile { command: Some(settings.command.clone()), ..script.kept().to_file() };
    let kept = serde_json::to_value(file).expect("a plan is plain data");
    folder.write_plan(&kept)?;
    let mut sink = Files { history: folder.history_writer()?, schedule: folder.schedule_writer()? };

    observer.event(&Event::Phase(Phase::Starting));
    let mut world = start(&entry, folder.path())
        .map_err(|source| RunError::Start { source, folder: folder.path().to_owned() })?;
    let invariants = (entry.invariants)();
    let names: Vec<&str> = invariants.iter().map(|invariant| invariant.name()).collect();
    let mut clients = script.workload((workload.make)());
    let interpreter = Interpreter::new(
        world.as_mut(),
        clients.as_mut(),
        &plan,
        invariants,
        &mut sink,
        observer,
        interrupted,
    );
    let (mut record, failure) = script.cast(interpreter).run();
    drop(sink);
    if let Some(error) = &failure {
        record.problems.push(format!("the harness could not go on: {error}"));
        record.ended = Ended::Failed;
    }

    let trace = world.take_trace();
    if !trace.happenings.is_empty() {
        folder.write_trace(trace)?;
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
