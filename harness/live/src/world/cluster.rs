//! Processes coming and going.

use std::os::unix::process::ExitStatusExt;
use std::thread::JoinHandle;
use std::time::Duration;

use rashomon_core::{Event, Link, NodeId, Time, WorldError};

use super::slot::Tenant;
use super::{LiveWorld, PROCESSES, Slot, doing};
use crate::capture::Said;
use crate::control::{NodeCounters, Order, Report};
use crate::node::{NodeConfig, Peer, VERSION};
use crate::poller::Interest;
use crate::process::{Launch, NodeProcess, describe};

impl LiveWorld {
    pub(super) fn slot(&mut self, node: NodeId) -> &mut Slot {
        self.slots.get_mut(&node).expect("every node has a slot")
    }

    /// Starts a node's process. It says later that it is ready.
    pub(super) fn launch(&mut self, node: NodeId) -> Result<(), WorldError> {
        let due = self.clock.now() + self.config.patience;
        let slot = self.slots.get_mut(&node).expect("every node has a slot");
        slot.incarnation += 1;
        slot.skewed_by.values_mut().for_each(|skewed| skewed.order = None);
        let link = |from, to| Link { from, to };
        let config = NodeConfig {
            version: VERSION,
            run: self.config.run,
            me: node,
            nodes: self.nodes.clone(),
            incarnation: slot.incarnation,
            parent: std::process::id().cast_signed(),
            clock: self.clock,
            seed: self.config.seed,
            clients: self.addresses.clients(node),
            peers: self
                .nodes
                .iter()
                .filter(|peer| **peer != node)
                .map(|peer| Peer {
                    node: *peer,
                    address: self.addresses.relay(link(node, *peer)),
                    listen: self.addresses.ear(link(*peer, node)),
                })
                .collect(),
            bugs: self.config.bugs.clone(),
            options: self.config.options.clone(),
            log: slot.dir.join("wal"),
            slowness: slot.slowness(),
            wall: slot.wall.clone(),
        };
        let path = slot.dir.join("config.json");
        serde_json::to_vec_pretty(&config)
            .map_err(std::io::Error::from)
            .and_then(|text| std::fs::write(&path, text))
            .map_err(doing(format!("writing {}", path.display())))?;
        let launch = Launch {
            executable: &self.config.executable,
            system: &self.config.system,
            node,
            incarnation: slot.incarnation,
            dir: slot.dir.clone(),
        };
        let process = NodeProcess::launch(&self.spawner, &launch, self.notifier.clone())
            .map_err(doing(format!("spawning {node}")))?;
        self.poller
            .add(&process, PROCESSES + u64::from(node.0), Interest::Read)
            .map_err(doing(format!("watching {node}")))?;
        slot.tenant = Tenant::Process(process);
        slot.ready = false;
        slot.due = due;
        Ok(())
    }

    /// Waits until every node is ready, at the start of a run.
    pub(super) fn await_ready(&mut self) -> Result<(), WorldError> {
        loop {
            for slot in self.slots.values() {
                if let Tenant::Crashed(reason) = &slot.tenant {
                    return Err(WorldError::Node { node: slot.node, reason: reason.clone() });
                }
            }
            if let Some(Event::Garbage { node, line }) =
                self.events.iter().find(|event| matches!(event, Event::Garbage { .. }))
            {
                let (node, line) = (*node, line.clone());
                let said = format!("wrote what is no probe to its standard output: `{line}`");
                let reason = match self.slot(node).process() {
                    Some(process) => {
                        let _ = process.kill();
                        process.epitaph(&said)
                    }
                    None => said,
                };
                return Err(WorldError::Node { node, reason });
            }
            if self.slots.values().all(|slot| slot.ready) {
                return Ok(());
            }
            self.pump(Time::MAX);
        }
    }

    /// When the first node that is starting should be ready.
    pub(super) fn next_due(&self) -> Option<Time> {
        self.slots.values().filter(|slot| slot.is_running() && !slot.ready).map(|slot| slot.due).min()
    }

    /// Ends the nodes that did not get ready in time.
    pub(super) fn check_overdue(&mut self, now: Time) {
        let overdue = |slot: &&Slot| slot.is_running() && !slot.ready && slot.due <= now;
        let overdue: Vec<NodeId> = self.slots.values().filter(overdue).map(|slot| slot.node).collect();
        for node in overdue {
            let end = format!("did not say that it is ready within {:?}", self.config.patience);
            if let Some(process) = self.slot(node).process() {
                // It is given up either way.
                let _ = process.kill();
            }
            self.crashed(node, &end);
        }
    }

    /// A process has ended, and nobody here ended it.
    pub(super) fn process_ended(&mut self, node: NodeId) {
        let Some(process) = self.slots.get_mut(&node).and_then(Slot::process) else { return };
        // Not yet: it will be told again.
        let Ok(Some(status)) = process.exit_status() else { return };
        self.crashed(node, &describe(status));
    }

    /// Takes leave of a process that has ended by itself and been reaped.
    fn crashed(&mut self, node: NodeId, end: &str) {
        let Some(process) = self.slot(node).process() else { return };
        let report = process.epitaph(end);
        self.vacate(node, Tenant::Crashed(report.clone()));
        self.events.push_back(Event::Crash { node, report });
    }

    /// Takes a reaped process out of its slot.
    fn vacate(&mut self, node: NodeId, successor: Tenant) {
        // What it said before it died comes first.
        self.take_notices();
        for link in self.links.iter().filter(|link| link.to == node) {
            self.drops.ear_is_gone(*link);
        }
        self.clients.forget_idle(node);
        let slot = self.slot(node);
        slot.ready = false;
        // A stop ends with the process that was stopped.
        slot.paused_by.clear();
        slot.past = slot.counters();
        slot.latest = NodeCounters::default();
        if let Tenant::Process(process) = std::mem::replace(&mut slot.tenant, successor) {
            self.threads.extend(process.into_threads());
        }
    }

    /// Kills a node's process and sees it reaped. Tells whether there was one to kill.
    pub(super) fn kill(&mut self, node: NodeId) -> Result<bool, WorldError> {
        self.sample_drops()?;
        let Some(process) = self.slot(node).process() else { return Ok(false) };
        let status = process.kill().map_err(doing(format!("killing {node}")))?;
        if status.signal() == Some(rustix::process::Signal::KILL.as_raw()) {
            self.vacate(node, Tenant::Nobody);
            return Ok(true);
        }
        // It ended by itself just before, which must not pass for the fault's work.
        self.crashed(node, &describe(status));
        Ok(false)
    }

    /// Reads what the kernel has dropped so far.
    pub(super) fn sample_drops(&mut self) -> Result<(), WorldError> {
        self.drops.sample(&self.addresses, &self.links).map_err(doing("reading /proc/net/udp"))
    }

    /// Takes up what the nodes have said.
    pub(super) fn take_notices(&mut self) {
        self.notifier.waker.seen();
        while let Ok(notice) = self.notices.try_recv() {
            let node = notice.node;
            match notice.said {
                Said::Probe(at, probe) => {
                    self.events.push_back(Event::Probe { at: self.clock.time_of(at), node, probe });
                }
                Said::Garbage(line) => self.events.push_back(Event::Garbage { node, line }),
                Said::Report(report) => {
                    let slot = self.slot(node);
                    if slot.incarnation != notice.incarnation || !slot.is_alive() {
                        continue;
                    }
                    match report {
                        Report::Ready => {
                            slot.ready = true;
                            slot.knows(None);
                            if slot.paused_by.is_empty() {
                                self.returns(node);
                            }
                        }
                        Report::Done { id, counters, clock } => {
                            slot.acknowledged = id;
                            slot.knows(Some(id));
                            slot.clock = clock;
                            slot.latest = counters;
                        }
                        Report::Counters { counters } => slot.latest = counters,
                    }
                }
            }
        }
    }

    /// Gives an order to a node, and its number. Nothing to wait for when there is nobody to take it.
    pub(super) fn order(&mut self, node: NodeId, order: impl FnOnce(u64) -> Order) -> Option<u64> {
        let id = self.next_order;
        let slot = self.slots.get_mut(&node)?;
        let (running, ready) = (slot.is_running(), slot.ready);
        let process = slot.process()?;
        self.next_order += 1;
        // A pipe that is broken belongs to a process that is about to be seen dead.
        process.order(&order(id)).ok()?;
        (running && ready).then_some(id)
    }

    /// Waits until each of these nodes has acknowledged its order, or has died. Gives those that did not in time.
    pub(super) fn await_orders(&mut self, orders: &[(NodeId, u64)], patience: Duration) -> Vec<NodeId> {
        let until = self.clock.now() + patience;
        loop {
            let open: Vec<NodeId> = orders
                .iter()
                .filter(|(node, id)| {
                    let slot = &self.slots[node];
                    slot.is_running() && slot.acknowledged < *id
                })
                .map(|(node, _)| *node)
                .collect();
            if open.is_empty() || self.clock.now() >= until {
                return open;
            }
            self.pump(until);
        }
    }

    /// Ends every process and joins every thread that reads from one.
    pub(super) fn end_processes(&mut self) {
        self.clients.hang_up();
        for slot in self.slots.values_mut() {
            if let Tenant::Process(mut process) = std::mem::replace(&mut slot.tenant, Tenant::Nobody) {
                // What cannot be killed dies with the spawner.
                let _ = process.kill();
                self.threads.extend(process.into_threads());
            }
        }
        self.spawner.stop();
        // Readers that wait for room in the channel must get on: they end with their pipes. A pipe that a
        // stranger has inherited may stay open; its reader is left behind.
        let until = self.clock.now() + self.config.patience;
        while self.threads.iter().any(|thread| !thread.is_finished()) && self.clock.now() < until {
            while self.notices.recv_timeout(Duration::from_millis(1)).is_ok() {}
        }
        for thread in self.threads.drain(..).filter(JoinHandle::is_finished) {
            // A reader that panicked has lost lines of a log, and nothing else.
            let _ = thread.join();
        }
    }
}
