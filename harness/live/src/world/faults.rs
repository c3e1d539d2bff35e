//! What the nemesis does, and what came of it.
//!
//! A fault *bit* when something came of it that somebody could notice: a message was touched, or an op or a
//! message had to do with a process while it was dead or stopped. So each strike on a process remembers what
//! had come for the node before, and looks again when the node is back.

use std::time::Duration;

use rashomon_core::{Disruption, FaultId, Impact, NodeId, WorldError};

use super::slot::{Skewed, Slot};
use super::{LiveWorld, doing};
use crate::control::{ClockState, Order, Slowness};
use crate::wal;

/// How long the nodes may take to acknowledge an order about their disk or their clocks.
const ACKNOWLEDGEMENT: Duration = Duration::from_secs(1);

/// A disruption that has not been healed.
#[derive(Debug)]
pub(super) struct InForce {
    disruption: Disruption,
    strikes: Vec<Strike>,
    lost_bytes: u64,
}

/// One process that was killed or stopped, or one disk that was slowed.
#[derive(Debug)]
struct Strike {
    node: NodeId,
    /// What had come for the node before it.
    before: u64,
    /// What had come when the node was back.
    after: Option<u64>,
}

impl LiveWorld {
    /// Puts a disruption in force.
    pub(super) fn strike(&mut self, id: FaultId, disruption: &Disruption) -> Result<(), WorldError> {
        if let Some(stranger) = disruption.nodes().iter().find(|node| !self.slots.contains_key(node)) {
            let reason = "there is no such node".to_owned();
            return Err(WorldError::Node { node: *stranger, reason });
        }
        // Remembered before anything is done, so that a failure half-way can still be healed.
        let fault = InForce { disruption: disruption.clone(), strikes: Vec::new(), lost_bytes: 0 };
        let replaced = self.faults.insert(id, fault);
        assert!(replaced.is_none() && !self.healed.contains_key(&id), "fault {id:?} is injected twice");
        match disruption {
            Disruption::Links { links, rule, .. } => self.fabric.install(id, links, *rule),
            Disruption::Kill { nodes } => {
                for node in nodes {
                    self.strike_dead(id, *node)?;
                    self.slot(*node).killed_by.insert(id);
                }
            }
            Disruption::PowerOff { nodes } => {
                for node in nodes {
                    self.strike_dead(id, *node)?;
                    self.slot(*node).killed_by.insert(id);
                    let log = self.slot(*node).dir.join("wal");
                    let lost = wal::lose_tail(&log, &mut self.tearing)
                        .map_err(doing(format!("taking the power from {node}")))?;
                    self.fault(id).lost_bytes += lost;
                }
            }
            Disruption::Restart { nodes } => {
                for node in nodes {
                    if self.strike_dead(id, *node)? {
                        self.launch(*node)?;
                    }
                }
            }
            Disruption::Pause { nodes } => {
                for node in nodes {
                    self.strike_still(id, *node)?;
                }
            }
            Disruption::SlowDisk { nodes, at_least, at_most } => {
                let slowness = Slowness { at_least: *at_least, at_most: *at_most };
                for node in nodes {
                    let before = self.slots[node].counters().slow_syncs;
                    self.fault(id).strikes.push(Strike { node: *node, before, after: None });
                    self.slot(*node).slowed_by.insert(id, slowness);
                }
                self.settle_disks(nodes);
            }
            // It is asked of the system by requests, and there is nothing to do here.
            Disruption::Membership { .. } => {}
            Disruption::Clock { nodes, skew } => {
                let mut orders = Vec::new();
                for node in nodes {
                    // A process that is not told by an order finds it in its configuration.
                    let order = self.slots[node].is_alive().then_some(self.next_order);
                    let skewed = Skewed { skew: *skew, order, acknowledged: false };
                    self.slot(*node).skewed_by.insert(id, skewed);
                    orders.extend(self.set_clocks(*node));
                }
                // One that is silent has not acknowledged, and it is not said that it did.
                self.await_orders(&orders, ACKNOWLEDGEMENT);
            }
        }
        Ok(())
    }

    fn fault(&mut self, id: FaultId) -> &mut InForce {
        self.faults.get_mut(&id).expect("the fault is in force")
    }

    /// Kills a process for a fault. Tells whether there was one.
    fn strike_dead(&mut self, id: FaultId, node: NodeId) -> Result<bool, WorldError> {
        if !self.slots[&node].is_alive() {
            return Ok(false);
        }
        // If it was stopped, that is over now, and what comes from here on is not that fault's doing.
        self.close_strikes(node);
        let before = self.came_for(node);
        self.set_absent(node, true);
        if self.kill(node)? {
            self.fault(id).strikes.push(Strike { node, before, after: None });
            return Ok(true);
        }
        self.set_absent(node, false);
        Ok(false)
    }

    /// Stops a process for a fault; a dead one cannot be stopped.
    fn strike_still(&mut self, id: FaultId, node: NodeId) -> Result<(), WorldError> {
        let before = self.came_for(node);
        let Some(process) = self.slot(node).process() else { return Ok(()) };
        process.stop().map_err(doing(format!("stopping {node}")))?;
        self.slot(node).paused_by.insert(id);
        self.set_absent(node, true);
        self.fault(id).strikes.push(Strike { node, before, after: None });
        Ok(())
    }

    /// Ends a disruption and says what it did.
    pub(super) fn lift(&mut self, id: FaultId) -> Result<Impact, WorldError> {
        let Some(fault) = self.faults.get(&id) else {
            return Ok(self.healed.get(&id).cloned().unwrap_or_default());
        };
        let disruption = fault.disruption.clone();
        let mut impact = Impact::default();
        match &disruption {
            Disruption::Links { .. } => {
                impact.messages = self.fabric.remove(id);
                impact.bit = impact.messages > 0;
            }
            Disruption::Kill { nodes } | Disruption::PowerOff { nodes } => {
                // What happens until the process is there again is still the fault's doing, but the world
                // goes on meanwhile: it is reckoned up to now.
                impact = self.reckon(id);
                for node in nodes {
                    let slot = self.slot(*node);
                    let kept_dead = slot.killed_by.remove(&id);
                    if kept_dead && slot.killed_by.is_empty() && slot.is_vacant() {
                        self.launch(*node)?;
                    }
                }
            }
            Disruption::Restart { .. } => impact = self.reckon(id),
            Disruption::Membership { .. } => {}
            Disruption::Pause { nodes } => {
                impact = self.reckon(id);
                for node in nodes {
                    let patience = self.config.patience;
                    let due = self.clock.now() + patience;
                    let slot = self.slot(*node);
                    let kept_still = slot.paused_by.remove(&id);
                    if !kept_still || !slot.paused_by.is_empty() {
                        continue;
                    }
                    let ready = slot.ready;
                    slot.due = slot.due.max(due);
                    if let Some(process) = slot.process() {
                        process.resume().map_err(doing(format!("resuming {node}")))?;
                    }
                    if ready {
                        self.returns(*node);
                    }
                }
            }
            Disruption::SlowDisk { nodes, .. } => {
                self.await_starting(nodes);
                for node in nodes {
                    self.slot(*node).slowed_by.remove(&id);
                }
                self.settle_disks(nodes);
                let strikes = &self.faults[&id].strikes;
                impact.slow_syncs = strikes
                    .iter()
                    .map(|strike| {
                        let now = self.slots[&strike.node].counters().slow_syncs;
                        now.saturating_sub(strike.before)
                    })
                    .sum();
                impact.bit = impact.slow_syncs > 0;
            }
            Disruption::Clock { nodes, .. } => {
                self.await_starting(nodes);
                let (mut orders, mut lifted) = (Vec::new(), Vec::new());
                for node in nodes {
                    lifted.extend(self.slot(*node).skewed_by.remove(&id).map(|skewed| (*node, skewed)));
                    orders.extend(self.set_clocks(*node));
                }
                // `verify_healed` asks the silent ones again.
                self.await_orders(&orders, ACKNOWLEDGEMENT);
                for (node, skewed) in lifted {
                    // Orders are carried out one by one: who did a later one did this one, though its word was slow.
                    let later = skewed.order.is_some_and(|order| self.slots[&node].acknowledged >= order);
                    impact.clocks += u64::from(skewed.acknowledged || later);
                }
                impact.bit = impact.clocks > 0;
            }
        }
        self.faults.remove(&id);
        self.healed.insert(id, impact.clone());
        Ok(impact)
    }

    /// What a fault on processes has done so far.
    fn reckon(&self, id: FaultId) -> Impact {
        let fault = &self.faults[&id];
        let noticed =
            |strike: &&Strike| strike.after.unwrap_or_else(|| self.came_for(strike.node)) > strike.before;
        let processes = fault.strikes.iter().filter(noticed).count() as u64;
        Impact { bit: processes > 0, processes, lost_bytes: fault.lost_bytes, ..Impact::default() }
    }

    /// Ops and messages that came for a node while it was dead or stopped.
    fn came_for(&self, node: NodeId) -> u64 {
        self.clients.waits(node) + self.fabric.presence(node).missed()
    }

    fn set_absent(&mut self, node: NodeId, absent: bool) {
        self.fabric.presence(node).set_absent(absent);
        self.clients.set_absent(node, absent);
    }

    /// The node is there again: what comes from now on is nobody's doing.
    pub(super) fn returns(&mut self, node: NodeId) {
        self.close_strikes(node);
        self.set_absent(node, false);
    }

    fn close_strikes(&mut self, node: NodeId) {
        let now = self.came_for(node);
        for fault in self.faults.values_mut() {
            match fault.disruption {
                Disruption::Kill { .. }
                | Disruption::PowerOff { .. }
                | Disruption::Restart { .. }
                | Disruption::Pause { .. } => {
                    for strike in fault.strikes.iter_mut().filter(|strike| strike.node == node) {
                        strike.after.get_or_insert(now);
                    }
                }
                Disruption::Links { .. }
                | Disruption::SlowDisk { .. }
                | Disruption::Clock { .. }
                | Disruption::Membership { .. } => {}
            }
        }
    }

    /// Waits for those of these nodes that are starting: what one does, it may do before its word that it is ready
    /// has come.
    fn await_starting(&mut self, nodes: &[NodeId]) {
        let until = self.clock.now() + ACKNOWLEDGEMENT;
        let starting = |slot: &Slot| slot.is_running() && !slot.ready;
        while nodes.iter().any(|node| starting(&self.slots[node])) && self.clock.now() < until {
            self.pump(until);
        }
    }

    /// Tells these nodes how slow their disks are now, and waits until they know.
    fn settle_disks(&mut self, nodes: &[NodeId]) {
        let orders: Vec<(NodeId, u64)> = nodes
            .iter()
            .filter_map(|node| {
                let slowness = self.slots[node].slowness();
                Some((*node, self.order(*node, |id| Order::SlowDisk { id, slowness })?))
            })
            .collect();
        // One that is silent is not slower for it; `verify_healed` will find out what ails it.
        self.await_orders(&orders, ACKNOWLEDGEMENT);
    }

    /// Sets a node's clocks as its faults have them now. Gives the order to wait for, if somebody can carry it out.
    fn set_clocks(&mut self, node: NodeId) -> Option<(NodeId, u64)> {
        let now = self.clock.now();
        let slot = self.slot(node);
        slot.wall.set(now, slot.skewed_by.values().map(|skewed| skewed.skew).collect());
        let wall = slot.wall.clone();
        Some((node, self.order(node, |id| Order::Clock { id, wall })?))
    }

    /// Checks that nothing is in force any more.
    pub(super) fn verify(&mut self) -> Result<(), WorldError> {
        let not_healed = |what: String| Err(WorldError::NotHealed(what));
        if let Some(fault) = self.faults.values().next() {
            return not_healed(format!("{} is still in force", fault.disruption));
        }
        if !self.fabric.is_clear() {
            return not_healed("a rule is still in force on some links".to_owned());
        }
        if !self.fabric.is_running() {
            return not_healed("the fabric has stopped carrying messages".to_owned());
        }
        let until = self.clock.now() + self.config.patience;
        while self.slots.values().any(|slot| slot.is_alive() && !slot.ready) && self.clock.now() < until {
            self.pump(until);
        }
        for slot in self.slots.values() {
            if let Some(trouble) = slot.trouble() {
                return not_healed(format!("{}: {trouble}", slot.node));
            }
        }
        let nodes = self.nodes.clone();
        let orders: Vec<(NodeId, u64)> = nodes
            .iter()
            .filter_map(|node| Some((*node, self.order(*node, |id| Order::Ping { id })?)))
            .collect();
        let silent = self.await_orders(&orders, self.config.patience);
        match (silent.first(), nodes.iter().find(|node| !self.slots[node].is_running())) {
            (Some(node), _) => return not_healed(format!("{node} does not answer")),
            (None, Some(node)) => return not_healed(format!("{node} has ended")),
            (None, None) => {}
        }
        match self.slots.values().find(|slot| slot.clock != ClockState::RIGHT) {
            Some(slot) => not_healed(format!("{}: its clock is wrong: {:?}", slot.node, slot.clock)),
            None => Ok(()),
        }
    }
}
