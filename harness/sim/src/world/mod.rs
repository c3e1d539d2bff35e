//! The cluster in virtual time, as the interpreter sees it.

mod calls;
mod faults;
mod lives;
mod messages;
mod steps;

use std::collections::{BTreeMap, VecDeque};
use std::io;

use rashomon_core::client::Attempt;
use rashomon_core::switch::{LinkCounts, Switch};
use rashomon_core::{
    Call, Disruption, Effect, Event, FaultId, Impact, Link, NodeId, Protocol, Seed, Setup, System, Time,
    Trace, World, WorldError,
};

use crate::config::Config;
use crate::host::{Asked, Host, Letter, NodeCounters};
use crate::queue::Queue;
use crate::trace::Tracer;
use calls::Calls;
use faults::InForce;

/// The most nodes of a cluster.
const MOST_NODES: u16 = 1000;

/// What the network did, link by link and node by node.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// The messages of each link. Their bytes are an estimate unless they travel as JSON.
    pub links: BTreeMap<Link, LinkCounts>,
    /// What happened to each node.
    pub nodes: BTreeMap<NodeId, NodeCounters>,
}

/// Something that is going to happen.
enum Due<P: Protocol> {
    /// A message arrives.
    Letter(NodeId, Letter<P::Message>),
    /// A request arrives at that incarnation of a node.
    Request(NodeId, u32, Asked<P::Request>),
    /// A node has asked to be woken for its timers.
    Wake(NodeId),
    /// A sync of that incarnation is over.
    Synced(NodeId, u32),
    /// A process begins.
    Boot(NodeId, u32),
    /// An attempt ends for the client that made it.
    Ended(u64, u64, Attempt),
    /// A client has waited long enough.
    Patience(u64, u64),
}

/// The streams from which the world draws, each from a seed of its own.
#[derive(Clone, Copy, Debug)]
struct Seeds {
    message: Seed,
    client: Seed,
    sync: Seed,
    boot: Seed,
    power_off: Seed,
    resume: Seed,
    node: Seed,
}

/// A cluster in virtual time.
///
/// Nothing happens but in [`poll`](World::poll), and there only as much as it takes to have something to tell:
/// so whoever polls sees every probe before the next input of any node.
pub struct SimWorld<S: System> {
    config: Config,
    setup: Setup,
    seeds: Seeds,
    now: Time,
    queue: Queue<Due<S::Protocol>>,
    events: VecDeque<Event>,
    hosts: Vec<Host<S::Protocol>>,
    switch: Switch,
    calls: Calls<<S::Protocol as Protocol>::Request>,
    faults: BTreeMap<FaultId, InForce>,
    healed: BTreeMap<FaultId, Impact>,
    tracer: Tracer,
    /// Kept between steps for its room.
    effects: Vec<Effect<S::Protocol>>,
    /// Likewise.
    arrivals: Vec<Time>,
}

impl<S: System> SimWorld<S> {
    /// Starts every node at time zero.
    ///
    /// A configuration that makes no sense and a node that does not boot are errors.
    pub fn start(config: Config) -> Result<SimWorld<S>, WorldError> {
        let refuse = |reason: String| WorldError::Io {
            context: "starting the cluster".to_owned(),
            source: io::Error::other(reason),
        };
        if config.nodes == 0 || config.nodes > MOST_NODES {
            return Err(refuse(format!("{} nodes; a simulated run has 1 to {MOST_NODES}", config.nodes)));
        }
        if let Some(trouble) = config.timing.trouble() {
            return Err(refuse(trouble));
        }
        let nodes = NodeId::first(config.nodes);
        let seeds = Seeds {
            message: config.seed.split("message"),
            client: config.seed.split("client"),
            sync: config.seed.split("sync"),
            boot: config.seed.split("boot"),
            power_off: config.seed.split("power-off"),
            resume: config.seed.split("resume"),
            node: config.seed.split("node"),
        };
        let mut world = SimWorld {
            setup: Setup {
                me: nodes[0],
                nodes: nodes.clone(),
                bugs: config.bugs.clone(),
                options: config.options.clone(),
            },
            seeds,
            now: Time::ZERO,
            queue: Queue::new(),
            events: VecDeque::new(),
            hosts: nodes.iter().map(|node| Host::new(*node, nodes.len(), seeds.node.rng())).collect(),
            switch: Switch::new(config.seed.split("switch")),
            calls: Calls::new(config.policy),
            faults: BTreeMap::new(),
            healed: BTreeMap::new(),
            tracer: Tracer::new(config.trace, config.trace_from),
            effects: Vec::new(),
            arrivals: Vec::new(),
            config,
        };
        for node in nodes {
            world.host(node).incarnation = 1;
            world.boot(node);
            if let Some(Event::Crash { node, report }) =
                world.events.iter().find(|event| matches!(event, Event::Crash { .. }))
            {
                return Err(WorldError::Node { node: *node, reason: report.clone() });
            }
        }
        Ok(world)
    }

    /// What the network did so far.
    pub fn network(&self) -> Network {
        Network {
            links: self.switch.counts().clone(),
            nodes: self.hosts.iter().map(|host| (host.node, host.counters)).collect(),
        }
    }

    /// Hands over what the trace has noted since it was last asked; empty unless the configuration wants one.
    pub fn take_trace(&mut self) -> Trace {
        self.tracer.take()
    }

    /// How many inputs the nodes have handled: starts, messages, timers and requests.
    pub fn steps(&self) -> u64 {
        self.hosts.iter().map(|host| host.counters.steps).sum()
    }

    /// Where a node is in `hosts`, if it exists.
    fn index(&self, node: NodeId) -> Option<usize> {
        let index = usize::from(node.0).checked_sub(1)?;
        (index < self.hosts.len()).then_some(index)
    }

    fn host(&mut self, node: NodeId) -> &mut Host<S::Protocol> {
        &mut self.hosts[usize::from(node.0) - 1]
    }

    fn host_ref(&self, node: NodeId) -> &Host<S::Protocol> {
        &self.hosts[usize::from(node.0) - 1]
    }

    /// Lets the next thing happen, unless it is later than `until`. False when it is.
    fn advance(&mut self, until: Time) -> bool {
        let Some((at, due)) = self.queue.pop(until.max(self.now)) else { return false };
        // What was put down for an instant that has passed meanwhile happens now.
        self.now = self.now.max(at);
        match due {
            Due::Letter(to, letter) => self.arrive(to, letter),
            Due::Request(to, incarnation, asked) => self.ask(to, incarnation, asked),
            Due::Wake(node) => self.wake(node),
            Due::Synced(node, incarnation) => self.synced(node, incarnation),
            Due::Boot(node, incarnation) => self.begin(node, incarnation),
            Due::Ended(process, attempt, end) => self.ended(process, attempt, end),
            Due::Patience(process, wait) => self.expire(process, wait),
        }
        true
    }
}

impl<S: System> World for SimWorld<S> {
    fn nodes(&self) -> &[NodeId] {
        &self.setup.nodes
    }

    fn now(&self) -> Time {
        self.now
    }

    fn call(&mut self, call: Call) {
        self.begin_call(call);
    }

    fn inject(&mut self, id: FaultId, disruption: &Disruption) -> Result<(), WorldError> {
        self.strike(id, disruption)
    }

    fn heal(&mut self, id: FaultId) -> Result<Impact, WorldError> {
        Ok(self.lift(id))
    }

    fn verify_healed(&mut self) -> Result<(), WorldError> {
        self.verify()
    }

    fn running(&self) -> Vec<NodeId> {
        let running = self.hosts.iter().filter(|host| host.is_alive() && !host.is_paused());
        running.map(|host| host.node).collect()
    }

    fn poll(&mut self, until: Time) -> Option<Event> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            if !self.advance(until) {
                // Nothing is left to happen: time has no reason to run to its end.
                if until < Time::MAX {
                    self.now = self.now.max(until);
                }
                return None;
            }
        }
    }
}
