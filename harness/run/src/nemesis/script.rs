//! Faults as written: each step waits for its own trigger.

use std::collections::BTreeSet;

use rashomon_core::{Cluster, FaultId, NodeId, Probe, Rng, Time};

use super::Order;
use crate::plan::{ProbeMatch, Script, ScriptStep};

#[derive(Debug)]
pub(super) struct ScriptedFaults {
    steps: Vec<(ScriptStep, State)>,
    /// The names of the steps that have struck.
    struck: BTreeSet<String>,
    next_id: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// For earlier steps, or for its trigger.
    Waiting,
    /// Its trigger has come; it strikes at this time.
    Armed { at: Time, source: Option<NodeId> },
    /// In force, until healed at this time.
    Active { id: FaultId, until: Option<Time> },
    /// Over.
    Done,
}

impl ScriptedFaults {
    pub(super) fn new(script: &Script) -> ScriptedFaults {
        let steps = script.steps.iter().map(|step| (step.clone(), State::Waiting)).collect();
        let mut faults = ScriptedFaults { steps, struck: BTreeSet::new(), next_id: 0 };
        faults.arm(Time::ZERO);
        faults
    }

    /// Arms the steps that wait for nothing but the clock.
    fn arm(&mut self, now: Time) {
        for (step, state) in &mut self.steps {
            let ready =
                *state == State::Waiting && step.once_after.iter().all(|name| self.struck.contains(name));
            if ready && step.on.is_none() {
                let trigger = step.at.map_or(now, |at| (Time::ZERO + at).max(now));
                *state = State::Armed { at: trigger + step.after, source: None };
            }
        }
    }

    pub(super) fn observe(&mut self, now: Time, node: NodeId, probe: &Probe) {
        for (step, state) in &mut self.steps {
            let ready =
                *state == State::Waiting && step.once_after.iter().all(|name| self.struck.contains(name));
            if ready && step.on.as_ref().is_some_and(|on| matches(on, node, probe)) {
                *state = State::Armed { at: now + step.after, source: Some(node) };
            }
        }
    }

    pub(super) fn next_due(&self) -> Option<Time> {
        self.steps
            .iter()
            .filter_map(|(_, state)| match state {
                State::Armed { at, .. } => Some(*at),
                State::Active { until, .. } => *until,
                State::Waiting | State::Done => None,
            })
            .min()
    }

    pub(super) fn due(&mut self, now: Time, cluster: &Cluster<'_>, rng: &mut Rng) -> Vec<Order> {
        let mut orders = Vec::new();
        // A step that strikes may arm others that are due at once.
        while let Some(position) = self.next_due_step(now) {
            let (step, state) = self.steps[position].clone();
            match state {
                State::Active { id, .. } => {
                    orders.push(Order::Heal { id });
                    self.steps[position].1 = if step.repeat { State::Waiting } else { State::Done };
                }
                State::Armed { source, .. } => {
                    self.steps[position].1 = self.strike(&step, source, now, cluster, rng, &mut orders);
                    self.struck.extend(step.name);
                    self.arm(now);
                }
                State::Waiting | State::Done => unreachable!("only armed and active steps are ever due"),
            }
        }
        orders
    }

    /// The step that was due first.
    fn next_due_step(&self, now: Time) -> Option<usize> {
        self.steps
            .iter()
            .enumerate()
            .filter_map(|(position, (_, state))| match state {
                State::Armed { at, .. } | State::Active { until: Some(at), .. } => Some((*at, position)),
                State::Active { until: None, .. } | State::Waiting | State::Done => None,
            })
            .filter(|(at, _)| *at <= now)
            .min()
            .map(|(_, position)| position)
    }

    fn strike(
        &mut self,
        step: &ScriptStep,
        source: Option<NodeId>,
        now: Time,
        cluster: &Cluster<'_>,
        rng: &mut Rng,
        orders: &mut Vec<Order>,
    ) -> State {
        for (other, state) in &mut self.steps {
            if let (Some(name), State::Active { id, .. }) = (&other.name, *state)
                && step.heal.contains(name)
            {
                orders.push(Order::Heal { id });
                *state = State::Done;
            }
        }
        let Some(fault) = step.fault.clone() else { return State::Done };
        let id = FaultId(self.next_id);
        self.next_id += 1;
        if let Some(disruption) = fault.resolve(&Cluster { source, ..cluster.clone() }, rng) {
            orders.push(Order::Inject { id, fault, disruption });
            State::Active { id, until: step.lasts.map(|lasts| now + lasts) }
        } else {
            orders.push(Order::Skip { id, fault });
            if step.repeat { State::Waiting } else { State::Done }
        }
    }
}

fn matches(on: &ProbeMatch, node: NodeId, probe: &Probe) -> bool {
    probe.probe == *on.probe
        && on.node.is_none_or(|wanted| wanted == node)
        && on
            .fields
            .iter()
            .all(|(field, values)| probe.fields.get(field).is_some_and(|value| values.contains(value)))
}
