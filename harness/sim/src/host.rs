//! A node's place in the cluster, over all its incarnations.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::AddAssign;

use rashomon_core::rpc::RpcError;
use rashomon_core::{
    FaultId, Gate, MonotonicClock, Node, NodeId, Probe, Protocol, Rng, Skew, TRUE_RATE, Ticket, Time,
    WallClock,
};

use crate::disk::Disk;
use crate::span::Span;
use crate::timers::Timers;

/// The most inputs that wait for a paused process; what comes beyond is dropped, as by a full socket buffer.
const MOST_WAITING: usize = 4096;

/// An effect that others can see.
#[derive(Debug)]
pub(crate) enum Visible<P: Protocol> {
    Send(NodeId, P::Message),
    Reply(Ticket, Result<P::Reply, RpcError>),
    Probe(Probe),
}

/// A message under way.
#[derive(Debug)]
pub(crate) struct Letter<M> {
    /// Who sent it.
    pub(crate) from: NodeId,
    /// Which life of the sender it comes from.
    pub(crate) incarnation: u32,
    /// How many messages the link carried before.
    pub(crate) sequence: u64,
    /// What it says.
    pub(crate) message: M,
}

/// A request under way.
#[derive(Debug)]
pub(crate) struct Asked<R> {
    /// The attempt, which is also the ticket.
    pub(crate) attempt: u64,
    /// What is asked, or the answer to what makes no sense.
    pub(crate) request: Result<R, RpcError>,
}

/// Something that comes for a process.
#[derive(Debug)]
pub(crate) enum Input<P: Protocol> {
    /// It is there now.
    Boot,
    Message(Letter<P::Message>),
    Request(Asked<P::Request>),
    /// A sync is over.
    Synced,
}

/// Who is in a place.
pub(crate) enum Tenant<P: Protocol> {
    /// A process that serves.
    Process(Box<dyn Node<P>>),
    /// A process that has not begun to listen.
    Booting,
    /// Nobody: it was killed.
    Nobody,
    /// Nobody: it ended by itself, for this reason, and stays away.
    Crashed(String),
}

/// What happened to a node and its disk, over all incarnations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeCounters {
    /// Inputs that its state machine handled: starts, messages, timers and requests.
    pub steps: u64,
    /// Messages that reached its state machine.
    pub received: u64,
    /// Messages that arrived damaged, and were dropped for their checksum.
    pub damaged: u64,
    /// Messages from a life of their sender that had been followed by another.
    pub stale: u64,
    /// Messages and attempts that had to do with the node while it was dead or stopped.
    pub missed: u64,
    /// Messages dropped because too many were waiting.
    pub overflowed: u64,
    /// Records written.
    pub records: u64,
    /// Syncs.
    pub syncs: u64,
    /// Syncs that were slowed.
    pub slow_syncs: u64,
}

impl AddAssign for NodeCounters {
    fn add_assign(&mut self, other: NodeCounters) {
        self.steps += other.steps;
        self.received += other.received;
        self.damaged += other.damaged;
        self.stale += other.stale;
        self.missed += other.missed;
        self.overflowed += other.overflowed;
        self.records += other.records;
        self.syncs += other.syncs;
        self.slow_syncs += other.slow_syncs;
    }
}

/// A node: its process, its machine, and the faults that it is under.
pub(crate) struct Host<P: Protocol> {
    /// Which.
    pub(crate) node: NodeId,
    /// How often it was started.
    pub(crate) incarnation: u32,
    /// Who is there.
    pub(crate) tenant: Tenant<P>,
    /// The draws of this incarnation.
    pub(crate) rng: Rng,
    /// What its machine takes for the time.
    pub(crate) wall: WallClock,
    /// What its timers keep to.
    pub(crate) monotonic: MonotonicClock,
    /// Its timers.
    pub(crate) timers: Timers<P::Timer>,
    /// What waits for its disk.
    pub(crate) gate: Gate<Visible<P>>,
    /// Its disk.
    pub(crate) disk: Disk<P::Record>,
    /// How many of its records will be durable when the sync under way is over.
    pub(crate) syncing: u64,
    /// The latest incarnation that this one has heard of each node.
    pub(crate) heard: Vec<u32>,
    /// What came while it was stopped.
    pub(crate) waiting: VecDeque<Input<P>>,
    /// Whether it is dead or stopped by a fault, so that what comes for it shows that the fault bit.
    pub(crate) absent: bool,
    /// The faults that keep it dead.
    pub(crate) killed_by: BTreeSet<FaultId>,
    /// The faults that keep the process stopped.
    pub(crate) paused_by: BTreeSet<FaultId>,
    /// The faults that slow the disk.
    pub(crate) slowed_by: BTreeMap<FaultId, Span>,
    /// The faults that its clocks are under.
    pub(crate) skewed_by: BTreeMap<FaultId, Skew>,
    /// What happened to it.
    pub(crate) counters: NodeCounters,
    /// The millisecond in which it stepped last, and how often it did.
    pub(crate) pace: (u64, u32),
}

impl<P: Protocol> Host<P> {
    /// A place in a cluster of `nodes` where nobody has been yet.
    pub(crate) fn new(node: NodeId, nodes: usize, rng: Rng) -> Host<P> {
        Host {
            node,
            incarnation: 0,
            tenant: Tenant::Nobody,
            rng,
            wall: WallClock::default(),
            monotonic: MonotonicClock::new(Time::ZERO, TRUE_RATE),
            timers: Timers::new(),
            gate: Gate::new(),
            disk: Disk::new(),
            syncing: 0,
            heard: vec![0; nodes],
            waiting: VecDeque::new(),
            absent: false,
            killed_by: BTreeSet::new(),
            paused_by: BTreeSet::new(),
            slowed_by: BTreeMap::new(),
            skewed_by: BTreeMap::new(),
            counters: NodeCounters::default(),
            pace: (0, 0),
        }
    }

    /// Whether there is a process.
    pub(crate) fn is_alive(&self) -> bool {
        match self.tenant {
            Tenant::Process(_) | Tenant::Booting => true,
            Tenant::Nobody | Tenant::Crashed(_) => false,
        }
    }

    /// Whether there is a process that listens, even if it is stopped.
    pub(crate) fn listens(&self) -> bool {
        match self.tenant {
            Tenant::Process(_) => true,
            Tenant::Booting | Tenant::Nobody | Tenant::Crashed(_) => false,
        }
    }

    /// Whether the process is stopped.
    pub(crate) fn is_paused(&self) -> bool {
        !self.paused_by.is_empty()
    }

    /// Whether there is nobody, and a process may be started.
    pub(crate) fn is_vacant(&self) -> bool {
        match self.tenant {
            Tenant::Nobody => true,
            Tenant::Process(_) | Tenant::Booting | Tenant::Crashed(_) => false,
        }
    }

    /// Why it does not serve, if it does not.
    pub(crate) fn trouble(&self) -> Option<String> {
        match &self.tenant {
            Tenant::Nobody => Some("is not running".to_owned()),
            Tenant::Crashed(reason) => Some(reason.clone()),
            Tenant::Process(_) | Tenant::Booting if self.is_paused() => Some("is stopped".to_owned()),
            Tenant::Booting => Some("is not ready".to_owned()),
            Tenant::Process(_) => None,
        }
    }

    /// How slow the disk is now: as the first of the faults that slow it says.
    pub(crate) fn slowness(&self) -> Option<Span> {
        self.slowed_by.values().next().copied()
    }

    /// Lets something wait until the process goes on. False when too much waits already.
    pub(crate) fn wait(&mut self, input: Input<P>) -> bool {
        let fits = match input {
            Input::Message(_) | Input::Request(_) => self.waiting.len() < MOST_WAITING,
            // One of each at most.
            Input::Boot | Input::Synced => true,
        };
        if fits {
            self.waiting.push_back(input);
        }
        fits
    }

    /// Forgets all that was in the memory of a process.
    pub(crate) fn clear(&mut self) {
        self.timers = Timers::new();
        self.gate = Gate::new();
        self.heard.fill(0);
        self.waiting.clear();
        // A stop ends with the process that was stopped.
        self.paused_by.clear();
    }

    /// Counts a step. False when there have been more than any node could take in so little time.
    pub(crate) fn paces(&mut self, now: Time, limit: u32) -> bool {
        const MILLISECOND: u64 = 1_000_000;
        let millisecond = now.0 / MILLISECOND;
        if self.pace.0 != millisecond {
            self.pace = (millisecond, 0);
        }
        self.pace.1 += 1;
        self.counters.steps += 1;
        self.pace.1 <= limit
    }
}
