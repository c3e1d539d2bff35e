//! Runs in virtual time.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use rashomon_core::client::Policy;
use rashomon_core::{History, Op, System, Time, Trace, WorldError};
use rashomon_results::{Ended, Network, NodeReport, RunFolder, RunVerdict, ScheduleEntry, StoreError};
use rashomon_sim::{Config, SimWorld};

use super::{Outcome, RunError, Script, Settings, Stage, conclude, play};
use crate::interpreter::{Interpreter, Sink};
use crate::judge::Limits;
use crate::plan::Plan;
use crate::progress::{Nobody, Observer};
use crate::registry;
use crate::schedule::Schedule;

/// The most happenings that a trace keeps.
const MOST_TRACED: usize = 60_000;
/// The most ops for which room is made before there are any.
const MOST_FORESEEN: usize = 100_000;

/// Runs the plan in virtual time, and leaves the same folder as a run against processes.
pub fn simulated(
    plan: &Plan,
    settings: &Settings,
    observer: &mut dyn Observer,
    interrupted: &AtomicBool,
) -> Result<Outcome, RunError> {
    let folder = RunFolder::create_fresh(&settings.out, plan.system.name)?;
    let script = Script::Drawn(plan);
    play(script, folder, settings, observer, interrupted, |entry, _| (entry.simulate)(config(script)))
}

/// Runs the schedule in virtual time, leaves the same folder with the schedule and a trace in it.
pub fn scheduled(
    schedule: &Schedule,
    settings: &Settings,
    observer: &mut dyn Observer,
    interrupted: &AtomicBool,
) -> Result<Outcome, RunError> {
    let folder = RunFolder::create_fresh(&settings.out, schedule.plan.system.name)?;
    scheduled_in(folder, schedule, settings, observer, interrupted)
}

/// The same in a folder that is there.
pub fn scheduled_in(
    folder: RunFolder,
    schedule: &Schedule,
    settings: &Settings,
    observer: &mut dyn Observer,
    interrupted: &AtomicBool,
) -> Result<Outcome, RunError> {
    folder.write_shrunk(&schedule.to_text())?;
    let script = Script::Listed(schedule);
    play(script, folder, settings, observer, interrupted, |entry, _| {
        (entry.simulate)(Config { trace: MOST_TRACED, ..config(script) })
    })
}

/// Runs the plan in virtual time and judges it, without a file.
pub fn in_memory(plan: &Plan, limits: Limits, interrupted: &AtomicBool) -> Result<RunVerdict, WorldError> {
    imagine(Script::Drawn(plan), limits, None, &mut Nobody, interrupted).map(|imagined| imagined.verdict)
}

/// A run that left no file.
#[derive(Debug)]
pub(crate) struct Imagined {
    /// What to think of it.
    pub(crate) verdict: RunVerdict,
    /// What the clients saw.
    pub(crate) history: History,
    /// What the nemesis did.
    pub(crate) schedule: Vec<ScheduleEntry>,
    /// What happened inside, if that was wanted.
    pub(crate) trace: Trace,
    /// What became of the messages.
    pub(crate) network: Network,
}

/// Runs the script in virtual time and judges it, without a file; traced from that instant on, if there is one.
pub(crate) fn imagine(
    script: Script<'_>,
    limits: Limits,
    traced: Option<Time>,
    observer: &mut dyn Observer,
    interrupted: &AtomicBool,
) -> Result<Imagined, WorldError> {
    let plan = script.followed();
    let entry = registry::system(plan.system.name).expect("a plan names a system that exists");
    let workload = rashomon_workloads::by_name(plan.workload).expect("a plan names a workload that exists");
    let trace = traced.map_or(0, |_| MOST_TRACED);
    let config = Config { trace, trace_from: traced.unwrap_or_default(), ..config(script) };
    let mut world = (entry.simulate)(config)?;
    let invariants = (entry.invariants)();
    let names: Vec<&str> = invariants.iter().map(|invariant| invariant.name()).collect();
    let mut clients = script.workload((workload.make)());
    let mut memory = Memory::for_plan(&plan);
    let interpreter = Interpreter::new(
        world.as_mut(),
        clients.as_mut(),
        &plan,
        invariants,
        &mut memory,
        observer,
        interrupted,
    );
    let (mut record, failure) = script.cast(interpreter).run();
    if let Some(error) = failure {
        record.problems.push(format!("the harness could not go on: {error}"));
        record.ended = Ended::Failed;
    }
    let trace = world.take_trace();
    let network = world.finish()?;
    let history = History::new(memory.ops).expect("the interpreter pairs its ops");
    let verdict = conclude(&names, workload.checkers, &history, record, limits);
    Ok(Imagined { verdict, history, schedule: memory.schedule, trace, network })
}

fn config(script: Script<'_>) -> Config {
    let plan = script.kept();
    Config {
        bugs: plan.bugs.clone(),
        options: plan.options.clone(),
        policy: Policy { sessions: plan.system.sessions, ..Policy::default() },
        overrides: match script {
            Script::Drawn(_) => BTreeMap::new(),
            Script::Listed(schedule) => schedule.messages.clone(),
        },
        timing: plan.simulation.timing,
        through_json: plan.simulation.through_json,
        ..Config::new(plan.nodes, plan.seed)
    }
}

impl<S: System> Stage for SimWorld<S> {
    fn take_trace(&mut self) -> Trace {
        SimWorld::take_trace(self)
    }

    fn finish(self: Box<Self>) -> Result<Network, WorldError> {
        let counts = self.network();
        let nodes = counts
            .nodes
            .into_iter()
            .map(|(node, counters)| NodeReport {
                bad_checksum: counters.damaged,
                foreign: counters.stale,
                ..NodeReport::new(node)
            })
            .collect();
        Ok(Network::new(counts.links, nodes))
    }
}

/// A history that is kept nowhere else.
#[derive(Default)]
struct Memory {
    ops: Vec<Op>,
    schedule: Vec<ScheduleEntry>,
}

impl Memory {
    /// Room for the ops of a plan that has its way, so that they are not moved again and again as they come.
    fn for_plan(plan: &Plan) -> Memory {
        let invocations = u64::from(plan.rate).saturating_mul(plan.time_limit.as_secs() + 1);
        let ops = usize::try_from(invocations * 2).unwrap_or(MOST_FORESEEN).min(MOST_FORESEEN);
        Memory { ops: Vec::with_capacity(ops), schedule: Vec::new() }
    }
}

impl Sink for Memory {
    fn op(&mut self, op: &Op) -> Result<(), StoreError> {
        self.ops.push(op.clone());
        Ok(())
    }

    fn schedule(&mut self, entry: &ScheduleEntry) -> Result<(), StoreError> {
        self.schedule.push(entry.clone());
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}
