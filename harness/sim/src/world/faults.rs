//! What the nemesis does, and what came of it.
//!
//! A fault *bit* when something came of it that somebody could notice: a message was touched, or an op or a
//! message had to do with a process while it was dead or stopped. So each strike on a process remembers what
//! had come for the node before, and looks again when the node is back.

use rashomon_core::{
    Disruption, FaultId, Happening, Impact, NodeId, System, TRUE_RATE, Time, WallClock, WorldError,
};

use super::SimWorld;
use crate::span::Span;

/// A disruption that has not been healed.
#[derive(Debug)]
pub(super) struct InForce {
    disruption: Disruption,
    strikes: Vec<Strike>,
    lost_bytes: u64,
}

/// One process that was killed or stopped, or one machine whose disk was slowed or whose clocks were set wrong.
#[derive(Debug)]
struct Strike {
    node: NodeId,
    /// What had come for the node before it; for a disk, its slowed syncs; for clocks, the steps of the node.
    before: u64,
    /// What had come when the node was back.
    after: Option<u64>,
}

impl<S: System> SimWorld<S> {
    /// Puts a disruption in force.
    pub(super) fn strike(&mut self, id: FaultId, disruption: &Disruption) -> Result<(), WorldError> {
        if let Some(stranger) = disruption.nodes().iter().find(|node| self.index(**node).is_none()) {
            let reason = "there is no such node".to_owned();
            return Err(WorldError::Node { node: *stranger, reason });
        }
        if self.faults.contains_key(&id) || self.healed.contains_key(&id) {
            return Err(WorldError::NotHealed(format!("{disruption}: {id:?} was injected before")));
        }
        let fault = InForce { disruption: disruption.clone(), strikes: Vec::new(), lost_bytes: 0 };
        self.faults.insert(id, fault);
        match disruption {
            Disruption::Links { links, rule, .. } => self.switch.install(id, links, *rule),
            Disruption::Kill { nodes } => {
                for node in nodes {
                    self.strike_dead(id, *node, false);
                    self.host(*node).killed_by.insert(id);
                }
            }
            Disruption::PowerOff { nodes } => {
                for node in nodes {
                    self.strike_dead(id, *node, true);
                    self.host(*node).killed_by.insert(id);
                }
            }
            Disruption::Restart { nodes } => {
                for node in nodes {
                    if self.strike_dead(id, *node, false) {
                        self.launch(*node);
                    }
                }
            }
            Disruption::Pause { nodes } => nodes.iter().for_each(|node| self.strike_still(id, *node)),
            Disruption::SlowDisk { nodes, at_least, at_most } => {
                let slowness = Span { at_least: *at_least, at_most: (*at_most).max(*at_least) };
                for node in nodes {
                    let before = self.host_ref(*node).counters.slow_syncs;
                    self.remember(id, Strike { node: *node, before, after: None });
                    self.host(*node).slowed_by.insert(id, slowness);
                }
            }
            // It is asked of the system by requests, and there is nothing to do here.
            Disruption::Membership { .. } => {}
            Disruption::Clock { nodes, skew } => {
                for node in nodes {
                    let before = self.host_ref(*node).counters.steps;
                    self.remember(id, Strike { node: *node, before, after: None });
                    self.host(*node).skewed_by.insert(id, *skew);
                    self.set_clocks(*node);
                }
            }
        }
        Ok(())
    }

    fn remember(&mut self, id: FaultId, strike: Strike) {
        self.faults.get_mut(&id).expect("the fault is in force").strikes.push(strike);
    }

    /// Kills a process for a fault. Tells whether there was one.
    fn strike_dead(&mut self, id: FaultId, node: NodeId, power_off: bool) -> bool {
        if !self.host_ref(node).is_alive() {
            return false;
        }
        // If it was stopped, that is over now, and what comes from here on is not that fault's doing.
        self.close_strikes(node);
        let before = self.host_ref(node).counters.missed;
        self.leaves(node);
        let lost = self.kill(node, power_off);
        self.remember(id, Strike { node, before, after: None });
        self.faults.get_mut(&id).expect("the fault is in force").lost_bytes += lost;
        true
    }

    /// Stops a process for a fault; a dead one cannot be stopped.
    fn strike_still(&mut self, id: FaultId, node: NodeId) {
        if !self.host_ref(node).is_alive() {
            return;
        }
        let before = self.host_ref(node).counters.missed;
        self.host(node).paused_by.insert(id);
        let at = self.now;
        self.tracer.note(at, || Happening::Stopped { at, node });
        self.leaves(node);
        self.remember(id, Strike { node, before, after: None });
    }

    /// Ends a disruption and says what it did.
    pub(super) fn lift(&mut self, id: FaultId) -> Impact {
        let Some(fault) = self.faults.get(&id) else {
            return self.healed.get(&id).cloned().unwrap_or_default();
        };
        let disruption = fault.disruption.clone();
        let mut impact = Impact::default();
        match &disruption {
            Disruption::Links { .. } => {
                impact.messages = self.switch.remove(id);
                impact.bit = impact.messages > 0;
            }
            Disruption::Kill { nodes } | Disruption::PowerOff { nodes } => {
                // What happens until the process is there again is still the fault's doing, but the world
                // goes on meanwhile: it is reckoned up to now.
                impact = self.reckon(id);
                for node in nodes {
                    let host = self.host(*node);
                    let kept_dead = host.killed_by.remove(&id);
                    if kept_dead && host.killed_by.is_empty() && host.is_vacant() {
                        self.launch(*node);
                    }
                }
            }
            Disruption::Restart { .. } => impact = self.reckon(id),
            Disruption::Membership { .. } => {}
            Disruption::Pause { nodes } => {
                impact = self.reckon(id);
                for node in nodes {
                    let host = self.host(*node);
                    let kept_still = host.paused_by.remove(&id);
                    if kept_still && host.paused_by.is_empty() {
                        if host.listens() {
                            self.returns(*node);
                        }
                        self.resume(*node);
                    }
                }
            }
            Disruption::SlowDisk { nodes, .. } => {
                for node in nodes {
                    self.host(*node).slowed_by.remove(&id);
                }
                let slowed = |strike: &Strike| self.host_ref(strike.node).counters.slow_syncs - strike.before;
                impact.slow_syncs = self.faults[&id].strikes.iter().map(slowed).sum();
                impact.bit = impact.slow_syncs > 0;
            }
            Disruption::Clock { nodes, .. } => {
                // A node that took a step was told the wrong time.
                let stepped = |strike: &&Strike| self.host_ref(strike.node).counters.steps > strike.before;
                impact.clocks = self.faults[&id].strikes.iter().filter(stepped).count() as u64;
                impact.bit = impact.clocks > 0;
                for node in nodes {
                    self.host(*node).skewed_by.remove(&id);
                    self.set_clocks(*node);
                }
            }
        }
        self.faults.remove(&id);
        self.healed.insert(id, impact.clone());
        impact
    }

    /// What a fault on processes has done so far.
    fn reckon(&self, id: FaultId) -> Impact {
        let fault = &self.faults[&id];
        let noticed = |strike: &&Strike| {
            strike.after.unwrap_or_else(|| self.host_ref(strike.node).counters.missed) > strike.before
        };
        let processes = fault.strikes.iter().filter(noticed).count() as u64;
        Impact { bit: processes > 0, processes, lost_bytes: fault.lost_bytes, ..Impact::default() }
    }

    /// The node is dead or stopped from now on; attempts under way have to do with it.
    fn leaves(&mut self, node: NodeId) {
        let pending = self.calls.pending(node) as u64;
        let host = self.host(node);
        if !host.absent {
            host.absent = true;
            host.counters.missed += pending;
        }
    }

    /// The node is there again: what comes from now on is nobody's doing.
    pub(super) fn returns(&mut self, node: NodeId) {
        self.close_strikes(node);
        self.host(node).absent = false;
    }

    fn close_strikes(&mut self, node: NodeId) {
        let now = self.host_ref(node).counters.missed;
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

    /// Checks that nothing is in force any more. Lets processes that are on their way get there first.
    pub(super) fn verify(&mut self) -> Result<(), WorldError> {
        let not_healed = |what: String| Err(WorldError::NotHealed(what));
        if let Some(fault) = self.faults.values().next() {
            return not_healed(format!("{} is still in force", fault.disruption));
        }
        if !self.switch.is_clear() {
            return not_healed("a rule is still in force on some links".to_owned());
        }
        let until: Time = self.now + self.config.timing.boot.at_most;
        while self.hosts.iter().any(|host| host.is_alive() && !host.listens()) && self.advance(until) {}
        for host in &self.hosts {
            if let Some(trouble) = host.trouble() {
                return not_healed(format!("{}: {trouble}", host.node));
            }
            if host.wall.reading(self.now) != self.now + WallClock::EPOCH
                || host.monotonic.rate() != TRUE_RATE
            {
                return not_healed(format!("{}: its clock is wrong", host.node));
            }
        }
        Ok(())
    }
}
