//! The harness's side of a live run.

mod cluster;
mod faults;
mod network;
mod slot;

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddrV4;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

use rashomon_core::{
    Call, Disruption, Event, FaultId, Impact, Link, NodeId, Rng, Seed, Time, World, WorldError,
};

use crate::address::{self, Network as Addresses};
use crate::capture::{Notice, Notifier};
use crate::clients::Clients;
use crate::clock::Clock;
use crate::config::Config;
use crate::fabric::{Fabric, JournalPlan, KernelDrops};
use crate::poller::{Interest, Poller, Ready, Waker};
use crate::process::Spawner;
use faults::InForce;
pub use network::Network;
use slot::{Slot, Tenant};

/// How many lines of the nodes may wait for the interpreter.
const NOTICES: usize = 64 * 1024;

const NOTICE: u64 = 0;
const PROCESSES: u64 = 1;
const CLIENTS: u64 = 1 << 20;

/// Real processes on this machine, and the network between them.
///
/// Everything that happens is taken up in [`poll`](World::poll), in the caller's thread; only the relay, the
/// journal and the readers of the nodes' output have threads of their own.
#[derive(Debug)]
pub struct LiveWorld {
    config: Config,
    nodes: Vec<NodeId>,
    links: Vec<Link>,
    clock: Clock,
    /// Draws what power failures take.
    tearing: Rng,
    addresses: Addresses,
    poller: Poller,
    ready: Vec<Ready>,
    events: VecDeque<Event>,
    clients: Clients,
    slots: BTreeMap<NodeId, Slot>,
    spawner: Spawner,
    notices: Receiver<Notice>,
    notifier: Notifier,
    threads: Vec<JoinHandle<()>>,
    fabric: Fabric,
    drops: KernelDrops,
    faults: BTreeMap<FaultId, InForce>,
    healed: BTreeMap<FaultId, Impact>,
    next_order: u64,
}

/// Says what was being done when the machine refused.
fn doing(context: impl Into<String>) -> impl FnOnce(io::Error) -> WorldError {
    move |source| WorldError::Io { context: context.into(), source }
}

impl LiveWorld {
    /// Starts every node and waits until all are ready.
    ///
    /// A node that dies, prints what is no probe, or does not get ready in time is an error, with its last
    /// lines of log; the others are ended.
    pub fn start(config: Config) -> Result<LiveWorld, WorldError> {
        if config.nodes == 0 || config.nodes > address::MOST_NODES {
            let limit = format!("{} nodes; a live run has 1 to {}", config.nodes, address::MOST_NODES);
            return Err(doing("starting the cluster")(io::Error::other(limit)));
        }
        let mut world = LiveWorld::prepare(config)?;
        for node in world.nodes.clone() {
            world.launch(node)?;
        }
        world.await_ready()?;
        Ok(world)
    }

    fn prepare(config: Config) -> Result<LiveWorld, WorldError> {
        let clock = Clock::starting_now();
        let dir = std::path::absolute(&config.dir).map_err(doing("finding the run's folder"))?;
        let config = Config { dir, ..config };
        let nodes = NodeId::first(config.nodes);
        let links: Vec<Link> = Link::all(&nodes).collect();
        // The network is drawn from the run's id and not from its seed: the same seed may run twice at once.
        let mut draws = Seed(config.run.0).split("network").split_number(std::process::id().into()).rng();
        let addresses = Addresses::claim(&mut draws).map_err(doing("claiming a loopback network"))?;
        let clients: BTreeMap<NodeId, SocketAddrV4> =
            nodes.iter().map(|node| (*node, addresses.clients(*node))).collect();
        let mut slots = BTreeMap::new();
        for node in &nodes {
            let dir = config.dir.join("nodes").join(node.to_string());
            std::fs::create_dir_all(&dir).map_err(doing(format!("making {}", dir.display())))?;
            slots.insert(*node, Slot::new(*node, dir));
        }
        let poller = Poller::new().map_err(doing("making a poller"))?;
        let waker = Waker::new().map_err(doing("making a waker"))?;
        poller.add(&waker, NOTICE, Interest::Read).map_err(doing("waiting for the nodes"))?;
        let (told, notices) = sync_channel(NOTICES);
        let journal = JournalPlan {
            path: config.dir.join("messages.jsonl.zst"),
            run: config.run,
            cap: config.journal_cap,
        };
        let fabric = Fabric::start(&addresses, &nodes, config.seed.split("switch"), clock, &journal)
            .map_err(doing("starting the fabric"))?;
        Ok(LiveWorld {
            tearing: config.seed.split("power-off").rng(),
            clients: Clients::new(config.policy, &clients, CLIENTS),
            spawner: Spawner::start().map_err(doing("starting the spawner"))?,
            notifier: Notifier { notices: told, waker },
            ready: Vec::new(),
            events: VecDeque::new(),
            threads: Vec::new(),
            drops: KernelDrops::default(),
            faults: BTreeMap::new(),
            healed: BTreeMap::new(),
            next_order: 1,
            config,
            nodes,
            links,
            clock,
            addresses,
            poller,
            slots,
            notices,
            fabric,
        })
    }

    /// The process ids of the nodes that have a process.
    pub fn pids(&self) -> BTreeMap<NodeId, i32> {
        let pid = |slot: &Slot| match &slot.tenant {
            Tenant::Process(process) => Some(process.pid()),
            Tenant::Nobody | Tenant::Crashed(_) => None,
        };
        self.slots.values().filter_map(|slot| Some((slot.node, pid(slot)?))).collect()
    }

    /// Where the clients of each node connect.
    pub fn addresses(&self) -> BTreeMap<NodeId, SocketAddrV4> {
        self.nodes.iter().map(|node| (*node, self.addresses.clients(*node))).collect()
    }

    /// Takes up what has happened, waiting for it no later than `until`.
    fn pump(&mut self, until: Time) {
        let now = self.clock.now();
        let next = self.clients.next().into_iter().chain(self.next_due()).fold(until, Time::min);
        let timeout = (next < Time::MAX).then(|| next.since(now));
        let mut ready = std::mem::take(&mut self.ready);
        if let Err(error) = self.poller.wait(timeout, &mut ready) {
            // Without its poller the harness is blind; no run could mean anything.
            panic!("the harness cannot wait for its descriptors: {error}");
        }
        let now = self.clock.now();
        for ready in &ready {
            match ready.token {
                NOTICE => self.take_notices(),
                token if self.clients.owns(token) => {
                    self.clients.handle(*ready, now, &self.poller, &mut self.events);
                }
                token => self.process_ended(NodeId((token - PROCESSES) as u16)),
            }
        }
        self.ready = ready;
        self.clients.expire(now, &self.poller, &mut self.events);
        self.check_overdue(now);
    }
}

impl World for LiveWorld {
    fn nodes(&self) -> &[NodeId] {
        &self.nodes
    }

    fn now(&self) -> Time {
        self.clock.now()
    }

    fn call(&mut self, call: Call) {
        let now = self.clock.now();
        self.clients.call(call, now, &self.poller, &mut self.events);
    }

    fn inject(&mut self, id: FaultId, disruption: &Disruption) -> Result<(), WorldError> {
        self.strike(id, disruption)
    }

    fn heal(&mut self, id: FaultId) -> Result<Impact, WorldError> {
        self.lift(id)
    }

    fn verify_healed(&mut self) -> Result<(), WorldError> {
        self.verify()
    }

    fn running(&self) -> Vec<NodeId> {
        self.slots.values().filter(|slot| slot.is_running()).map(|slot| slot.node).collect()
    }

    fn poll(&mut self, until: Time) -> Option<Event> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            self.pump(until);
            if self.events.is_empty() && self.clock.now() >= until {
                return None;
            }
        }
    }
}

impl Drop for LiveWorld {
    fn drop(&mut self) {
        self.end_processes();
        // Whoever wanted to hear of trouble has called `shutdown`.
        let _ = self.fabric.stop();
    }
}
