//! The nemesis at work: resolves, injects, heals, and keeps account.

use std::collections::{BTreeMap, BTreeSet};

use rashomon_core::{
    Cluster, Disruption, FaultId, Kind, NodeId, Op, Outcome, Probe, Process, Time, Value, World,
};
use rashomon_results::{Coverage, ScheduleEntry, ScheduleEvent, disruption};

use super::membership::Membership;
use super::{InterpreterError, Record, Sink};
use crate::nemesis::{Director, Order};
use crate::progress::{Event, Observer};

/// The nemesis, what it has in force, and what it knows of the cluster.
pub struct Faults {
    director: Director,
    nodes: Vec<NodeId>,
    /// The same, for telling groups from links.
    all: BTreeSet<NodeId>,
    leader_probe: &'static str,
    /// The highest term in which each node said that it leads.
    leaders: BTreeMap<NodeId, u64>,
    /// Every term that had a leader.
    terms: BTreeSet<u64>,
    in_force: BTreeMap<FaultId, Disruption>,
    membership: Membership,
}

impl Faults {
    pub(super) fn new(director: Director, nodes: Vec<NodeId>, leader_probe: &'static str) -> Faults {
        Faults {
            director,
            all: nodes.iter().copied().collect(),
            membership: Membership::new(nodes.clone()),
            nodes,
            leader_probe,
            leaders: BTreeMap::new(),
            terms: BTreeSet::new(),
            in_force: BTreeMap::new(),
        }
    }

    pub(super) fn next_due(&self) -> Option<Time> {
        self.director.next_due().into_iter().chain(self.membership.next_due()).min()
    }

    pub(super) fn observe(&mut self, now: Time, node: NodeId, probe: &Probe) {
        if probe.probe == self.leader_probe
            && let Some(term) = probe.number("term")
        {
            self.leaders.insert(node, term);
            self.terms.insert(term);
        }
        self.director.observe(now, node, probe);
    }

    /// How often another term came to have a leader; `None` for a system without leaders.
    pub(super) fn leader_changes(&self) -> Option<u64> {
        (!self.leader_probe.is_empty()).then(|| (self.terms.len() as u64).saturating_sub(1))
    }

    /// What the nemesis orders now.
    pub(super) fn due(&mut self, now: Time, world: &mut dyn World) -> Vec<Order> {
        let running = world.running();
        let leader = running
            .iter()
            .filter_map(|node| self.leaders.get(node).map(|term| (*term, *node)))
            .max()
            .map(|(_, node)| node);
        let cluster = Cluster { nodes: &self.nodes, running: &running, leader, source: None };
        self.director.due(now, &cluster)
    }

    /// When the next change of the membership is to be asked for.
    pub(super) fn change_due(&self) -> Option<Time> {
        self.membership.next_due()
    }

    /// Asks the system for the change of its membership that is due.
    pub(super) fn administer(&mut self, world: &mut dyn World) {
        self.membership.act(world);
    }

    /// Takes the end of a call into account, if the nemesis made it.
    pub(super) fn completed(&mut self, now: Time, process: u64, outcome: &Outcome) -> bool {
        self.membership.completed(now, process, outcome)
    }

    /// Whether the membership is as the faults in force want it.
    pub(super) fn membership_is_settled(&self) -> bool {
        self.membership.is_settled()
    }

    /// The faults in force.
    pub(super) fn in_force(&self) -> Vec<FaultId> {
        self.in_force.keys().copied().collect()
    }

    /// Does as ordered, writes it to the schedule, and gives the ops that the history is to have: intent is
    /// recorded before acting.
    pub(super) fn carry_out(
        &mut self,
        order: Order,
        world: &mut dyn World,
        sink: &mut dyn Sink,
        observer: &mut dyn Observer,
        record: &mut Record,
    ) -> Result<Vec<Op>, InterpreterError> {
        match order {
            Order::Skip { id, fault } => {
                let mut entry = ScheduleEntry::new(world.now(), id, ScheduleEvent::Skipped);
                entry.fault = Some(fault);
                entry.note = Some("nobody was left to strike".to_owned());
                sink.schedule(&entry)?;
                Ok(Vec::new())
            }
            Order::Inject { id, fault, disruption } => {
                let mut entry = ScheduleEntry::new(world.now(), id, ScheduleEvent::Intent);
                entry.fault = Some(fault);
                entry.disruption = Some(disruption.clone());
                sink.schedule(&entry)?;
                let told = disruption::resolved(&disruption, &self.all);
                let begun = op(world.now(), "start", &disruption, &told);
                // In force from the moment it is tried: a half-done injection is healed as well.
                self.in_force.insert(id, disruption.clone());
                if let Err(error) = world.inject(id, &disruption) {
                    let mut entry = ScheduleEntry::new(world.now(), id, ScheduleEvent::Failed);
                    entry.note = Some(error.to_string());
                    sink.schedule(&entry)?;
                    return Err(error.into());
                }
                if let Disruption::Membership { steps } = &disruption {
                    self.membership.inject(id, steps);
                }
                sink.schedule(&ScheduleEntry::new(world.now(), id, ScheduleEvent::Injected))?;
                observer.event(&Event::Injected(id, disruption.kind(), &told));
                Ok(vec![begun, op(world.now(), "start", &disruption, &told)])
            }
            Order::Heal { id } => {
                let Some(disruption) = self.in_force.remove(&id) else { return Ok(Vec::new()) };
                let told = disruption::resolved(&disruption, &self.all);
                let begun = op(world.now(), "stop", &disruption, &told);
                let mut impact = world.heal(id)?;
                if let Disruption::Membership { .. } = disruption {
                    impact.changes = self.membership.heal(id);
                    impact.bit = impact.changes > 0;
                }
                let kind = disruption.kind();
                record.coverage.entry(kind).or_insert_with(|| Coverage::new(kind)).add(&impact);
                let mut entry = ScheduleEntry::new(world.now(), id, ScheduleEvent::Healed);
                entry.impact = Some(impact);
                sink.schedule(&entry)?;
                observer.event(&Event::Healed(id));
                Ok(vec![begun, op(world.now(), "stop", &disruption, &told)])
            }
        }
    }
}

/// What the history says of a fault: `start-kill` or `stop-kill`, twice, as Jepsen's nemesis does.
fn op(time: Time, verb: &str, disruption: &Disruption, told: &str) -> Op {
    Op {
        index: 0,
        time,
        kind: Kind::Info,
        process: Process::Nemesis,
        f: format!("{verb}-{}", disruption.kind()),
        value: Value::String(told.to_owned()),
        key: None,
        error: None,
        node: None,
    }
}
