//! A node's place in the cluster, over all its incarnations.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use rashomon_core::{FaultId, NodeId, Skew, Time, WallClock};

use crate::control::{ClockState, NodeCounters, Slowness};
use crate::process::NodeProcess;

/// What is in a place.
#[derive(Debug)]
pub(super) enum Tenant {
    /// A process.
    Process(NodeProcess),
    /// Nobody: it was killed, or not yet started.
    Nobody,
    /// Nobody: it ended by itself, for this reason, and stays away.
    Crashed(String),
}

/// A fault that the clocks are under.
#[derive(Debug)]
pub(super) struct Skewed {
    /// How they are wrong.
    pub(super) skew: Skew,
    /// The order by which the process is told; none: its configuration says so.
    pub(super) order: Option<u64>,
    /// Whether it knows.
    pub(super) acknowledged: bool,
}

/// A node: its process, and the faults that it is under.
#[derive(Debug)]
pub(super) struct Slot {
    /// Which.
    pub(super) node: NodeId,
    /// Its folder.
    pub(super) dir: PathBuf,
    /// How often it was started.
    pub(super) incarnation: u32,
    /// Who is there.
    pub(super) tenant: Tenant,
    /// Whether the process has said that it is ready.
    pub(super) ready: bool,
    /// When it should have said so.
    pub(super) due: Time,
    /// The faults that keep it dead.
    pub(super) killed_by: BTreeSet<FaultId>,
    /// The faults that keep the process stopped.
    pub(super) paused_by: BTreeSet<FaultId>,
    /// The faults that slow the disk.
    pub(super) slowed_by: BTreeMap<FaultId, Slowness>,
    /// The faults that its clocks are under.
    pub(super) skewed_by: BTreeMap<FaultId, Skewed>,
    /// What its machine takes for the time.
    pub(super) wall: WallClock,
    /// How wrong the process's clocks are, as last told.
    pub(super) clock: ClockState,
    /// The last order that it has acknowledged.
    pub(super) acknowledged: u64,
    /// What earlier incarnations counted.
    pub(super) past: NodeCounters,
    /// What this one has counted, as last told.
    pub(super) latest: NodeCounters,
}

impl Slot {
    /// A place where nobody has been yet.
    pub(super) fn new(node: NodeId, dir: PathBuf) -> Slot {
        Slot {
            node,
            dir,
            incarnation: 0,
            tenant: Tenant::Nobody,
            ready: false,
            due: Time::MAX,
            killed_by: BTreeSet::new(),
            paused_by: BTreeSet::new(),
            slowed_by: BTreeMap::new(),
            skewed_by: BTreeMap::new(),
            wall: WallClock::default(),
            clock: ClockState::RIGHT,
            acknowledged: 0,
            past: NodeCounters::default(),
            latest: NodeCounters::default(),
        }
    }

    /// Its process, if it has one.
    pub(super) fn process(&mut self) -> Option<&mut NodeProcess> {
        match &mut self.tenant {
            Tenant::Process(process) => Some(process),
            Tenant::Nobody | Tenant::Crashed(_) => None,
        }
    }

    /// Whether there is a process.
    pub(super) fn is_alive(&self) -> bool {
        match self.tenant {
            Tenant::Process(_) => true,
            Tenant::Nobody | Tenant::Crashed(_) => false,
        }
    }

    /// Whether there is a process that is not stopped.
    pub(super) fn is_running(&self) -> bool {
        self.is_alive() && self.paused_by.is_empty()
    }

    /// Whether there is nobody, and a process may be started.
    pub(super) fn is_vacant(&self) -> bool {
        match self.tenant {
            Tenant::Nobody => true,
            Tenant::Process(_) | Tenant::Crashed(_) => false,
        }
    }

    /// Why it does not serve, if it does not.
    pub(super) fn trouble(&self) -> Option<String> {
        match &self.tenant {
            Tenant::Nobody => Some("is not running".to_owned()),
            Tenant::Crashed(reason) => Some(reason.clone()),
            Tenant::Process(_) if !self.paused_by.is_empty() => Some("is stopped".to_owned()),
            Tenant::Process(_) if !self.ready => Some("is not ready".to_owned()),
            Tenant::Process(_) => None,
        }
    }

    /// How slow the disk is now: as the first of the faults that slow it says.
    pub(super) fn slowness(&self) -> Option<Slowness> {
        self.slowed_by.values().next().copied()
    }

    /// The process has carried out that order, or, without one, has read its configuration.
    pub(super) fn knows(&mut self, order: Option<u64>) {
        for skewed in self.skewed_by.values_mut() {
            skewed.acknowledged |= skewed.order <= order;
        }
    }

    /// What all incarnations counted.
    pub(super) fn counters(&self) -> NodeCounters {
        let mut all = self.past;
        all += self.latest;
        all
    }
}
