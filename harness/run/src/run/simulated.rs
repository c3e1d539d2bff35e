//! Runs in virtual time.

use std::sync::atomic::AtomicBool;

use rashomon_core::client::Policy;
use rashomon_core::{History, Op, System, WorldError};
use rashomon_results::{Ended, Network, NodeReport, RunVerdict, ScheduleEntry, StoreError};
use rashomon_sim::{Config, SimWorld};

use super::{Outcome, RunError, Settings, Stage, conclude, play};
use crate::interpreter::{Interpreter, Sink};
use crate::judge::Limits;
use crate::plan::Plan;
use crate::progress::{Nobody, Observer};
use crate::registry;

/// Runs the plan in virtual time, and leaves the same folder as a run against processes.
pub fn simulated(
    plan: &Plan,
    settings: &Settings,
    observer: &mut dyn Observer,
    interrupted: &AtomicBool,
) -> Result<Outcome, RunError> {
    play(plan, settings, observer, interrupted, |entry, _| (entry.simulate)(config(plan)))
}

/// Runs the plan in virtual time and judges it, without a file.
pub fn in_memory(plan: &Plan, limits: Limits, interrupted: &AtomicBool) -> Result<RunVerdict, WorldError> {
    let entry = registry::system(plan.system.name).expect("a plan names a system that exists");
    let workload = rashomon_workloads::by_name(plan.workload).expect("a plan names a workload that exists");
    let mut world = (entry.simulate)(config(plan))?;
    let invariants = (entry.invariants)();
    let names: Vec<&str> = invariants.iter().map(|invariant| invariant.name()).collect();
    let mut clients = (workload.make)();
    let (mut memory, mut nobody) = (Memory::default(), Nobody);
    let interpreter = Interpreter::new(
        world.as_mut(),
        clients.as_mut(),
        plan,
        invariants,
        &mut memory,
        &mut nobody,
        interrupted,
    );
    let (mut record, failure) = interpreter.run();
    if let Some(error) = failure {
        record.problems.push(format!("the harness could not go on: {error}"));
        record.ended = Ended::Failed;
    }
    let history = History::new(memory.ops).expect("the interpreter pairs its ops");
    Ok(conclude(&names, workload.checkers, &history, record, limits))
}

fn config(plan: &Plan) -> Config {
    Config {
        bugs: plan.bugs.clone(),
        options: plan.options.clone(),
        policy: Policy { sessions: plan.system.sessions, ..Policy::default() },
        ..Config::new(plan.nodes, plan.seed)
    }
}

impl<S: System> Stage for SimWorld<S> {
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
}

impl Sink for Memory {
    fn op(&mut self, op: &Op) -> Result<(), StoreError> {
        self.ops.push(op.clone());
        Ok(())
    }

    fn schedule(&mut self, _entry: &ScheduleEntry) -> Result<(), StoreError> {
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}
