//! Decides which faults strike when.
//!
//! A [`Director`] knows no world. It is asked what is due, told what nodes say, and answers with [`Order`]s,
//! which the interpreter carries out. So its decisions can be tested without a process.

mod bag;
mod random;
mod recorded;
mod script;

use rashomon_core::{Cluster, Disruption, Fault, FaultId, NodeId, Probe, Rng, Time};

use crate::plan::Nemesis;
use random::RandomFaults;
use recorded::RecordedFaults;
use script::ScriptedFaults;

/// What the interpreter is to do now.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// Put this in force.
    Inject {
        /// Its number in the run.
        id: FaultId,
        /// The fault as the plan has it.
        fault: Fault,
        /// The nodes and links that it strikes.
        disruption: Disruption,
    },
    /// The fault found nobody to strike.
    Skip {
        /// Its number in the run.
        id: FaultId,
        /// The fault as the plan has it.
        fault: Fault,
    },
    /// End this.
    Heal {
        /// Its number in the run.
        id: FaultId,
    },
}

/// The nemesis of a run.
#[derive(Debug)]
pub struct Director {
    rng: Rng,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Random(Box<RandomFaults>),
    Script(ScriptedFaults),
    Recorded(RecordedFaults),
}

impl Director {
    /// A nemesis that follows the plan.
    pub fn new(nemesis: &Nemesis, rng: Rng) -> Director {
        let kind = match nemesis {
            Nemesis::Random(random) => Kind::Random(Box::new(RandomFaults::new(random))),
            Nemesis::Script(script) => Kind::Script(ScriptedFaults::new(script)),
            Nemesis::Recorded(faults) => Kind::Recorded(RecordedFaults::new(faults)),
        };
        Director { rng, kind }
    }

    /// When it wants to be asked next; `None`: not before a node says something.
    pub fn next_due(&self) -> Option<Time> {
        match &self.kind {
            Kind::Random(random) => random.next_due(),
            Kind::Script(script) => script.next_due(),
            Kind::Recorded(recorded) => recorded.next_due(),
        }
    }

    /// What is to be done at `now`, in this order.
    pub fn due(&mut self, now: Time, cluster: &Cluster<'_>) -> Vec<Order> {
        match &mut self.kind {
            Kind::Random(random) => random.due(now, cluster, &mut self.rng),
            Kind::Script(script) => script.due(now, cluster, &mut self.rng),
            Kind::Recorded(recorded) => recorded.due(now),
        }
    }

    /// Takes into account what a node said at `now`.
    pub fn observe(&mut self, now: Time, node: NodeId, probe: &Probe) {
        match &mut self.kind {
            Kind::Random(_) | Kind::Recorded(_) => {}
            Kind::Script(script) => script.observe(now, node, probe),
        }
    }
}

#[cfg(test)]
mod tests;
