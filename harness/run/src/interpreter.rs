//! Drives a world: invokes what the workload generates, injects what the nemesis orders, records everything.
//!
//! The interpreter alone assigns index and time: an invocation is recorded before the request leaves, a
//! completion after the reply is parsed. It keeps no history, only what is open, so its memory does not grow
//! with the length of a run.
//!
//! The end of a run: at the limit nothing more is invoked; open ops have one deadline to end, and the rest
//! becomes `info`; every fault is healed and the healing verified; then fresh processes read every key through
//! every node, retried for a while. If none of these reads succeeds, the system has not recovered.

mod faults;
mod membership;
mod record;

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rashomon_core::generator::{Asked, Generator, Invocation, Next, Stagger};
use rashomon_core::rpc::Body;
use rashomon_core::{
    Call, Event as WorldEvent, Invariant, Kind, NodeId, Op, Outcome, Process, Rng, Time, Value, World,
    WorldError,
};
use rashomon_results::{Ended, StoreError};
use rashomon_workloads::Workload;
use thiserror::Error;

use crate::nemesis::Director;
use crate::plan::Plan;
use crate::progress::{Event, Observer, Phase};
pub use faults::Faults;
pub use record::{Files, Record, Sink};

/// The longest that the interpreter sleeps: how often the history is flushed and an interruption noticed.
const TICK: Duration = Duration::from_millis(100);
/// How long the final reads may take.
const FINAL_READS: Duration = Duration::from_secs(10);
/// The pause before a final read that failed is tried again.
const RETRY: Duration = Duration::from_millis(50);
/// Of violations and problems, so many are kept: the first ones tell the story.
const MOST_KEPT: usize = 20;

/// Why a run could not go on.
#[derive(Debug, Error)]
pub enum InterpreterError {
    /// The world refused.
    #[error(transparent)]
    World(#[from] WorldError),
    /// The record could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is needed to interpret a plan.
pub struct Interpreter<'a> {
    world: &'a mut dyn World,
    /// The workload at the pace of the plan.
    clients: Stagger<&'a mut dyn Workload, Invocation>,
    plan: &'a Plan,
    sink: &'a mut dyn Sink,
    observer: &'a mut dyn Observer,
    interrupted: &'a AtomicBool,
    rng: Rng,
    nodes: Vec<NodeId>,
    open: BTreeMap<u64, Open>,
    threads: Vec<Thread>,
    /// How many of them are clients; those beyond make the final reads.
    clients_at_a_time: usize,
    /// The threads without an open op, in ascending order.
    free: Vec<usize>,
    next_process: u64,
    faults: Faults,
    invariants: Vec<Box<dyn Invariant>>,
    /// The legal weaknesses of the system, each with the invariant that it breaks.
    controls: Vec<(&'static str, Box<dyn Invariant>)>,
    index: u64,
    last_flush: Time,
    record: Record,
}

/// An op that has not ended.
struct Open {
    thread: usize,
    invocation: Invocation,
    home: NodeId,
}

/// A client thread: one process after the other.
struct Thread {
    process: u64,
    sequence: u64,
    /// The node that it asks first.
    home: NodeId,
}

/// How an op ended, for whoever asked for it.
enum Ending {
    Ok,
    Fail,
    Info,
}

impl<'a> Interpreter<'a> {
    /// An interpreter for one run of `plan` in `world`.
    pub fn new(
        world: &'a mut dyn World,
        workload: &'a mut dyn Workload,
        plan: &'a Plan,
        invariants: Vec<Box<dyn Invariant>>,
        sink: &'a mut dyn Sink,
        observer: &'a mut dyn Observer,
        interrupted: &'a AtomicBool,
    ) -> Interpreter<'a> {
        let nodes = world.nodes().to_vec();
        let mean = match plan.rate {
            0 => Duration::ZERO,
            rate => Duration::from_secs(1) / rate,
        };
        let director = Director::new(&plan.nemesis, plan.seed.split("nemesis").rng());
        Interpreter {
            faults: Faults::new(director, nodes.clone(), plan.system.leader_probe),
            rng: plan.seed.split("clients").rng(),
            open: BTreeMap::new(),
            threads: (0..plan.concurrency)
                .map(|thread| Thread {
                    process: thread as u64,
                    sequence: 0,
                    home: nodes[thread % nodes.len()],
                })
                .collect(),
            clients_at_a_time: plan.concurrency,
            free: (0..plan.concurrency).collect(),
            next_process: plan.concurrency as u64,
            index: 0,
            last_flush: Time::ZERO,
            record: Record::new(plan.kinds()),
            world,
            clients: workload.stagger(mean),
            plan,
            sink,
            observer,
            interrupted,
            nodes,
            invariants,
            controls: plan
                .system
                .controls
                .iter()
                .map(|control| (control.name, (control.tempting)()))
                .collect(),
        }
    }

    /// The same with these clients in place of as many as the plan says: each with its number and its home.
    pub fn with_clients(mut self, clients: &[(u64, NodeId)]) -> Interpreter<'a> {
        let thread = |(process, home): &(u64, NodeId)| Thread { process: *process, sequence: 0, home: *home };
        self.threads = clients.iter().map(thread).collect();
        self.free = (0..clients.len()).collect();
        self.clients_at_a_time = clients.len();
        self.next_process = clients.iter().map(|(process, _)| process + 1).max().unwrap_or(0);
        self
    }

    /// Runs the plan to its end. What was recorded stands even when the harness could not go on.
    pub fn run(mut self) -> (Record, Option<InterpreterError>) {
        let failure = match self.phases() {
            Ok(ended) => {
                self.record.ended = ended;
                None
            }
            Err(error) => Some(error),
        };
        self.record.totals.leader_changes = self.faults.leader_changes();
        (self.record, failure)
    }

    fn phases(&mut self) -> Result<Ended, InterpreterError> {
        self.observer.event(&Event::Phase(Phase::Main));
        let ended = self.main()?;
        self.observer.event(&Event::Phase(Phase::Draining));
        self.drain()?;
        self.observer.event(&Event::Phase(Phase::Healing));
        if self.heal()? && ended != Ended::Interrupted {
            self.observer.event(&Event::Phase(Phase::FinalReads));
            self.final_reads()?;
        }
        self.sink.flush()?;
        Ok(ended)
    }

    fn main(&mut self) -> Result<Ended, InterpreterError> {
        let end = self.world.now() + self.plan.time_limit;
        loop {
            if self.interrupted.load(Ordering::Relaxed) {
                return Ok(Ended::Interrupted);
            }
            let now = self.world.now();
            if now >= end {
                return Ok(Ended::TimeLimit);
            }
            self.nemesis(now)?;
            let mut wake = end.min(now + TICK);
            while !self.free.is_empty() {
                let now = self.world.now();
                let threads = self.clients_at_a_time;
                let mut asked = Asked { now, free: &self.free, threads, rng: &mut self.rng };
                match self.clients.next(&mut asked) {
                    Next::Do(thread, invocation) => self.invoke(thread, invocation)?,
                    Next::Wait(until) => {
                        wake = wake.min(until.unwrap_or(Time::MAX));
                        break;
                    }
                    Next::Done if self.open.is_empty() => return Ok(Ended::Complete),
                    Next::Done => break,
                }
            }
            let wake = self.faults.next_due().map_or(wake, |due| wake.min(due));
            self.wait(wake)?;
        }
    }

    /// Waits for one event, and takes it and all that are there with it into account.
    fn wait(&mut self, until: Time) -> Result<(), InterpreterError> {
        let mut next = self.world.poll(until);
        while let Some(event) = next {
            self.happened(event)?;
            // What is there already is taken at once, unless the nemesis is due meanwhile.
            let now = self.world.now();
            if self.faults.next_due().is_some_and(|due| due <= now) {
                break;
            }
            next = self.world.poll(Time::ZERO);
        }
        self.tick()
    }

    fn tick(&mut self) -> Result<(), InterpreterError> {
        let now = self.world.now();
        if now.since(self.last_flush) >= TICK {
            self.last_flush = now;
            self.sink.flush()?;
            self.observer.event(&Event::Tick(now));
        }
        Ok(())
    }

    /// Carries out what the nemesis orders.
    fn nemesis(&mut self, now: Time) -> Result<(), InterpreterError> {
        if self.faults.next_due().is_none_or(|due| due > now) {
            return Ok(());
        }
        for order in self.faults.due(now, self.world) {
            let ops = self.faults.carry_out(order, self.world, self.sink, self.observer, &mut self.record)?;
            for op in ops {
                self.write(op)?;
            }
        }
        self.faults.administer(self.world);
        Ok(())
    }

    fn invoke(&mut self, thread: usize, invocation: Invocation) -> Result<(), InterpreterError> {
        self.free.retain(|free| *free != thread);
        self.call(thread, invocation)
    }

    fn call(&mut self, thread: usize, invocation: Invocation) -> Result<(), InterpreterError> {
        let client = &mut self.threads[thread];
        client.sequence += 1;
        let Thread { process, sequence, home } = *client;
        let request = self.clients.inner().request(&invocation);
        let op = self.op(Kind::Invoke, process, &invocation, invocation.value.clone(), None, home);
        self.record.totals.ops += 1;
        let op = self.write(op)?;
        self.clients.update(thread, &op);
        let call = Call { process, sequence, home, read_only: request.read_only, body: request.body };
        self.open.insert(process, Open { thread, invocation, home });
        self.world.call(call);
        Ok(())
    }

    fn op(
        &self,
        kind: Kind,
        process: u64,
        invocation: &Invocation,
        value: Value,
        error: Option<String>,
        node: NodeId,
    ) -> Op {
        Op {
            index: 0,
            time: self.world.now(),
            kind,
            process: Process::Client(process),
            f: invocation.f.to_owned(),
            value,
            key: invocation.key.clone(),
            error,
            node: Some(node.to_string()),
        }
    }

    /// Records an op: this is where its index comes from.
    fn write(&mut self, mut op: Op) -> Result<Op, InterpreterError> {
        op.index = self.index;
        self.index += 1;
        self.sink.op(&op)?;
        self.observer.event(&Event::Op(&op));
        Ok(op)
    }

    fn happened(&mut self, event: WorldEvent) -> Result<Option<(usize, Ending)>, InterpreterError> {
        match event {
            WorldEvent::Completion { process, outcome } => {
                let now = self.world.now();
                if !self.faults.completed(now, process, &outcome) {
                    return self.complete(process, outcome).map(Some);
                }
            }
            WorldEvent::Probe { at, node, probe } => {
                let now = self.world.now();
                self.faults.observe(now, node, &probe);
                self.record.probes += 1;
                for invariant in &mut self.invariants {
                    if let Err(violation) = invariant.observe(at, node, &probe)
                        && self.record.violations.len() < MOST_KEPT
                    {
                        self.record.violations.push((at, violation));
                    }
                }
                for (control, tempting) in &mut self.controls {
                    if let Err(broken) = tempting.observe(at, node, &probe) {
                        self.record.weakness(control, broken.because);
                    }
                }
            }
            WorldEvent::Crash { node, report } => self.problem(format!("{node} ended by itself: {report}")),
            WorldEvent::Garbage { node, line } => {
                self.problem(format!("{node} wrote a line to its standard output that is no probe: {line}"));
            }
        }
        Ok(None)
    }

    fn problem(&mut self, problem: String) {
        if self.record.problems.len() < MOST_KEPT {
            self.observer.event(&Event::Problem(&problem));
            self.record.problems.push(problem);
        }
    }

    fn complete(&mut self, process: u64, outcome: Outcome) -> Result<(usize, Ending), InterpreterError> {
        let open = self.open.remove(&process).expect("a completion of an open op");
        let (kind, value, error, node) = self.meaning(&open, outcome);
        let op = self.op(kind, process, &open.invocation, value, error, node);
        let op = self.write(op)?;
        self.clients.update(open.thread, &op);
        let totals = &mut self.record.totals;
        totals.duration = op.time;
        let ending = match kind {
            Kind::Ok => {
                totals.ok += 1;
                totals.first_ok.get_or_insert(op.time);
                Ending::Ok
            }
            Kind::Fail => {
                totals.fail += 1;
                Ending::Fail
            }
            Kind::Info | Kind::Invoke => {
                totals.info += 1;
                // Its op may still be running, so nothing more may happen in its name.
                self.retire(open.thread);
                Ending::Info
            }
        };
        if open.thread < self.clients_at_a_time {
            let position = self.free.partition_point(|free| *free < open.thread);
            self.free.insert(position, open.thread);
        }
        Ok((open.thread, ending))
    }

    fn retire(&mut self, thread: usize) {
        let home = self.threads[thread].home;
        self.threads[thread] = Thread { process: self.next_process, sequence: 0, home };
        self.next_process += 1;
    }

    /// From the outcome of a call to the completion of its op.
    fn meaning(&self, open: &Open, outcome: Outcome) -> (Kind, Value, Option<String>, NodeId) {
        let asked = open.invocation.value.clone();
        match outcome {
            Outcome::Ok(node, reply) => match self.response(open, &reply) {
                Ok(value) => (Kind::Ok, value, None, node),
                // The request was answered, but with nonsense: it may have happened, unless it only reads.
                Err(reason) => (self.doubtful(open), asked, Some(reason), node),
            },
            Outcome::Fail(reason) => (Kind::Fail, asked, Some(reason), open.home),
            Outcome::Info(reason) => (Kind::Info, asked, Some(reason), open.home),
        }
    }

    fn response(&self, open: &Open, reply: &Body) -> Result<Value, String> {
        self.clients.inner().response(&open.invocation, reply)
    }

    fn doubtful(&self, open: &Open) -> Kind {
        if self.clients.inner().request(&open.invocation).read_only { Kind::Fail } else { Kind::Info }
    }

    /// Open ops have one deadline to end; the rest becomes `info`.
    fn drain(&mut self) -> Result<(), InterpreterError> {
        let end = self.world.now() + rashomon_core::client::Policy::default().deadline + TICK;
        while !self.open.is_empty() && self.world.now() < end {
            self.wait(end)?;
        }
        let late: Vec<u64> = self.open.keys().copied().collect();
        for process in late {
            self.complete(process, Outcome::Info("still open at the end of the run".to_owned()))?;
        }
        Ok(())
    }

    /// Lifts every fault, and checks that all are lifted.
    fn heal(&mut self) -> Result<bool, InterpreterError> {
        for id in self.faults.in_force() {
            let order = crate::nemesis::Order::Heal { id };
            let ops = self.faults.carry_out(order, self.world, self.sink, self.observer, &mut self.record)?;
            for op in ops {
                self.write(op)?;
            }
        }
        if let Err(error) = self.world.verify_healed() {
            self.problem(error.to_string());
            return Ok(false);
        }
        self.restore_membership()?;
        Ok(true)
    }

    /// Has every node belong to the cluster again.
    fn restore_membership(&mut self) -> Result<(), InterpreterError> {
        let end = self.world.now() + FINAL_READS;
        while !self.faults.membership_is_settled() && !self.interrupted.load(Ordering::Relaxed) {
            let now = self.world.now();
            if now >= end {
                let seconds = FINAL_READS.as_secs();
                self.problem(format!(
                    "not recovered: the membership was not restored within {seconds} s after all was healed"
                ));
                break;
            }
            self.faults.administer(self.world);
            let wake = end.min(now + TICK);
            // What the nemesis had still in mind is over, and no reason to wake.
            self.wait(self.faults.change_due().map_or(wake, |due| wake.min(due)))?;
        }
        Ok(())
    }

    /// Reads every key through every node, by one fresh process for each node.
    fn final_reads(&mut self) -> Result<(), InterpreterError> {
        let reads = self.clients.inner().final_reads();
        if reads.is_empty() {
            return Ok(());
        }
        let end = self.world.now() + FINAL_READS;
        let wanted = reads.len() * self.nodes.len();
        let mut done = 0;
        let mut left: BTreeMap<usize, VecDeque<Invocation>> = BTreeMap::new();
        for home in self.nodes.clone() {
            let thread = self.threads.len();
            self.threads.push(Thread { process: self.next_process, sequence: 0, home });
            self.next_process += 1;
            left.insert(thread, reads.iter().cloned().collect());
            self.call(thread, reads[0].clone())?;
        }
        let mut retries: VecDeque<(Time, usize)> = VecDeque::new();
        while self.world.now() < end && !self.interrupted.load(Ordering::Relaxed) {
            if self.open.is_empty() && retries.is_empty() {
                break;
            }
            let now = self.world.now();
            let mut again = Vec::new();
            while let Some((_, thread)) = retries.pop_front_if(|(due, _)| *due <= now) {
                again.push(thread);
            }
            let wake = retries.front().map_or(now + TICK, |(due, _)| *due);
            if again.is_empty()
                && let Some(event) = self.world.poll(wake)
                && let Some((thread, ending)) = self.happened(event)?
            {
                let queue = left.get_mut(&thread).expect("only final reads are open now");
                if matches!(ending, Ending::Ok) {
                    queue.pop_front();
                    done += 1;
                    again.push(thread);
                } else {
                    retries.push_back((self.world.now() + RETRY, thread));
                }
            }
            for thread in again {
                if let Some(read) = left[&thread].front().cloned() {
                    self.call(thread, read)?;
                }
            }
            self.tick()?;
        }
        self.drain()?;
        self.record.final_reads = Some((done, wanted));
        if done == 0 {
            let seconds = FINAL_READS.as_secs();
            self.problem(format!(
                "not recovered: no final read succeeded within {seconds} s after all was healed"
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
