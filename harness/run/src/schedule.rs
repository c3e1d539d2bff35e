//! A run as a list: which ops, which faults and which messages, and when.
//!
//! A plan says what is drawn; a schedule says what was drawn. In virtual time it is the whole run, so it can be taken
//! apart, told with less, and told again bit for bit. Against real processes its faults can be injected at their
//! times; what single messages and ops did there is nobody's to repeat.

mod clients;
mod file;

use std::collections::BTreeMap;
use std::time::Duration;

use rashomon_core::generator::Invocation;
use rashomon_core::{History, Kind, Link, NodeId, Process, Time};
use rashomon_results::{ScheduleEntry, Shrunk};
use rashomon_sim::Override;
use rashomon_workloads::Workload;

use crate::plan::{Nemesis, Plan, RecordedFault};
use crate::replay::recorded;
pub(crate) use clients::ScheduledClients;
pub use file::{parse, read};

/// What virtual time goes on for after the last event of a run that is told again.
const MARGIN: Duration = Duration::from_millis(1);

/// A run as a list.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// The system, its size, the seed, the time limit. Its nemesis is recorded; its rate and its clients are those of
    /// the run from which the schedule was taken, and serve only where the ops cannot be carried out as listed.
    pub plan: Plan,
    /// What clients ask, in order of time.
    pub ops: Vec<ScheduledOp>,
    /// What becomes of single messages, whatever the faults say.
    pub messages: BTreeMap<(Link, u64), Override>,
    /// What was shrunk to it, if anything was.
    pub shrunk: Option<Shrunk>,
}

/// An op that a client asks.
#[derive(Clone, Debug, PartialEq)]
pub struct ScheduledOp {
    /// When, or as soon after as its client is free.
    pub at: Duration,
    /// Which client.
    pub process: u64,
    /// The node that this client asks first: the same for all its ops.
    pub node: NodeId,
    /// What it asks.
    pub invocation: Invocation,
}

impl Schedule {
    /// What happened in a run of `plan`, as a list. Reads that ended the run are ops like the others.
    pub fn of(plan: &Plan, history: &History, entries: &[ScheduleEntry]) -> Schedule {
        let names = rashomon_workloads::by_name(plan.workload).map_or(&[][..], |workload| workload.ops);
        let invokes = history.ops().iter().filter(|op| op.kind == Kind::Invoke);
        let ops = invokes
            .filter_map(|op| {
                let Process::Client(process) = op.process else { return None };
                let f = names.iter().find(|name| **name == op.f)?;
                let node = op.node.as_ref()?.parse().ok()?;
                let invocation = Invocation { f, key: op.key.clone(), value: op.value.clone() };
                Some(ScheduledOp { at: Duration::from_nanos(op.time.0), process, node, invocation })
            })
            .collect();
        let end = history.ops().iter().map(|op| op.time).max().unwrap_or(Time::ZERO);
        let time_limit = end.since(Time::ZERO).max(plan.time_limit) + MARGIN;
        let plan = Plan { nemesis: Nemesis::Recorded(recorded(entries)), time_limit, ..plan.clone() };
        Schedule { plan, ops, messages: BTreeMap::new(), shrunk: None }
    }

    /// Its faults.
    pub fn faults(&self) -> &[RecordedFault] {
        match &self.plan.nemesis {
            Nemesis::Recorded(faults) => faults,
            Nemesis::Random(_) | Nemesis::Script(_) => &[],
        }
    }

    /// The same with other faults.
    pub fn with_faults(&self, faults: Vec<RecordedFault>) -> Schedule {
        let plan = Plan { nemesis: Nemesis::Recorded(faults), ..self.plan.clone() };
        Schedule { plan, ..self.clone() }
    }

    /// The clients, each with the node that it asks first.
    pub fn clients(&self) -> Vec<(u64, NodeId)> {
        let homes: BTreeMap<u64, NodeId> = self.ops.iter().map(|op| (op.process, op.node)).collect();
        homes.into_iter().collect()
    }

    /// What the interpreter is to follow: as many clients as there are, at no pace but that of the list.
    pub(crate) fn script(&self) -> Plan {
        Plan { rate: 0, concurrency: self.clients().len(), ..self.plan.clone() }
    }

    /// The workload that asks what is listed.
    pub(crate) fn workload(&self, inner: Box<dyn Workload>) -> ScheduledClients {
        ScheduledClients::new(inner, &self.clients(), &self.ops)
    }

    /// What of it can be done to real processes: its faults, under the load that they were found with.
    pub fn live(&self) -> Plan {
        const TO_SETTLE: Duration = Duration::from_secs(2);
        Plan { time_limit: self.plan.time_limit + TO_SETTLE, ..self.plan.clone() }
    }
}

#[cfg(test)]
mod tests;
