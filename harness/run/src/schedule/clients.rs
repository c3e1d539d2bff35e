//! Clients that ask what is listed.

use std::collections::{BTreeMap, VecDeque};

use rashomon_core::generator::{Asked, Generator, Invocation, Next};
use rashomon_core::rpc::Body;
use rashomon_core::{NodeId, Op, Time, Value};
use rashomon_workloads::{Request, Workload};

use super::ScheduledOp;

/// A workload whose ops stand in a list; what they mean on the wire is for the workload that they came from to say.
pub(crate) struct ScheduledClients {
    inner: Box<dyn Workload>,
    /// What each thread has yet to ask, in order of time.
    threads: Vec<VecDeque<(Time, Invocation)>>,
}

impl ScheduledClients {
    /// The threads are the clients, in this order.
    pub(super) fn new(
        inner: Box<dyn Workload>,
        clients: &[(u64, NodeId)],
        ops: &[ScheduledOp],
    ) -> ScheduledClients {
        let places: BTreeMap<u64, usize> =
            clients.iter().enumerate().map(|(place, (process, _))| (*process, place)).collect();
        let mut threads = vec![VecDeque::new(); clients.len()];
        for op in ops {
            threads[places[&op.process]].push_back((Time::ZERO + op.at, op.invocation.clone()));
        }
        ScheduledClients { inner, threads }
    }
}

impl Generator<Invocation> for ScheduledClients {
    fn next(&mut self, asked: &mut Asked<'_>) -> Next<Invocation> {
        let next = |thread: &usize| self.threads[*thread].front().map(|(at, _)| (*at, *thread));
        match asked.free.iter().filter_map(next).min() {
            Some((at, thread)) if at <= asked.now => {
                let (_, invocation) = self.threads[thread].pop_front().expect("it was there a moment ago");
                Next::Do(thread, invocation)
            }
            Some((at, _)) => Next::Wait(Some(at)),
            // Faults may be still to come, so the run goes on to its limit.
            None => Next::Wait(None),
        }
    }

    fn update(&mut self, thread: usize, op: &Op) {
        self.inner.update(thread, op);
    }
}

impl Workload for ScheduledClients {
    fn request(&self, invocation: &Invocation) -> Request {
        self.inner.request(invocation)
    }

    fn response(&self, invocation: &Invocation, reply: &Body) -> Result<Value, String> {
        self.inner.response(invocation, reply)
    }

    /// None: those of the run that was listed are in the list.
    fn final_reads(&self) -> Vec<Invocation> {
        Vec::new()
    }
}
