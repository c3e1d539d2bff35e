//! The network between the nodes: a relay for every link, and one switch that decides.
//!
//! For every ordered pair i->j the harness holds a UDP socket R(i,j). Node i takes it for node j. What arrives
//! there is given to the [`Switch`], and what is to be delivered is sent on to j from R(j,i), which j takes for
//! node i. The nodes cannot tell, and the kernel needs no privilege for it.
//!
//! One thread does all of this. The journal is written by another: the relay never waits for it.

mod drops;
mod journal;
mod relay;

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use rashomon_core::switch::{LinkCounts, LinkRule, Switch};
use rashomon_core::{FaultId, Link, NodeId, Seed};

use crate::address::Network;
use crate::clock::Clock;
use crate::poller::Waker;

pub(crate) use drops::KernelDrops;
pub use journal::JournalSummary;
pub(crate) use journal::{Journal, JournalPlan};

/// Whether a node can hear at all, and what came for it when it could not.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    absent: AtomicBool,
    missed: AtomicU64,
}

impl Presence {
    /// From now on it is dead or stopped, or not.
    pub(crate) fn set_absent(&self, absent: bool) {
        self.absent.store(absent, Ordering::SeqCst);
    }

    /// Messages that came for it while it was dead or stopped.
    pub(crate) fn missed(&self) -> u64 {
        self.missed.load(Ordering::SeqCst)
    }

    /// A message is handed to it. Tells whether it is there to hear.
    fn arrives(&self) -> bool {
        let absent = self.absent.load(Ordering::SeqCst);
        if absent {
            self.missed.fetch_add(1, Ordering::SeqCst);
        }
        !absent
    }
}

/// What the relay's thread and the harness share.
#[derive(Debug)]
struct Shared {
    switch: Mutex<Switch>,
    presence: BTreeMap<NodeId, Presence>,
    /// Datagrams that came to a relay from somebody who is not its node.
    strays: AtomicU64,
    stop: AtomicBool,
}

impl Shared {
    fn switch(&self) -> MutexGuard<'_, Switch> {
        // The switch has no state that a panic could leave half done.
        self.switch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The running fabric.
#[derive(Debug)]
pub(crate) struct Fabric {
    shared: Arc<Shared>,
    waker: Waker,
    thread: Option<JoinHandle<io::Result<()>>>,
    journal: Option<Journal>,
}

impl Fabric {
    /// Binds a relay for every link and starts carrying.
    pub(crate) fn start(
        network: &Network,
        nodes: &[NodeId],
        seed: Seed,
        clock: Clock,
        plan: &JournalPlan,
    ) -> io::Result<Fabric> {
        let shared = Arc::new(Shared {
            switch: Mutex::new(Switch::new(seed)),
            presence: nodes.iter().map(|node| (*node, Presence::default())).collect(),
            strays: AtomicU64::new(0),
            stop: AtomicBool::new(false),
        });
        let (journal, writer) = Journal::start(plan)?;
        let waker = Waker::new()?;
        let relay = relay::Relay::bind(network, nodes, clock, Arc::clone(&shared), waker.clone(), writer)?;
        let thread = std::thread::Builder::new().name("fabric".to_owned()).spawn(move || relay.run())?;
        Ok(Fabric { shared, waker, thread: Some(thread), journal: Some(journal) })
    }

    /// Puts a rule in force.
    pub(crate) fn install(&self, id: FaultId, links: &[Link], rule: LinkRule) {
        self.shared.switch().install(id, links, rule);
    }

    /// Lifts a rule and tells how many messages it touched.
    pub(crate) fn remove(&self, id: FaultId) -> u64 {
        self.shared.switch().remove(id)
    }

    /// Whether no rule is in force.
    pub(crate) fn is_clear(&self) -> bool {
        self.shared.switch().is_clear()
    }

    /// The messages so far, by link.
    pub(crate) fn counts(&self) -> BTreeMap<Link, LinkCounts> {
        self.shared.switch().counts().clone()
    }

    /// Datagrams that came to a relay from strangers, and were dropped.
    pub(crate) fn strays(&self) -> u64 {
        self.shared.strays.load(Ordering::Relaxed)
    }

    /// Whether a node can hear.
    pub(crate) fn presence(&self, node: NodeId) -> &Presence {
        &self.shared.presence[&node]
    }

    /// Whether the relay still runs; without it the nodes are alone.
    pub(crate) fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Stops carrying and closes the journal.
    pub(crate) fn stop(&mut self) -> io::Result<JournalSummary> {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.waker.wake();
        if let Some(thread) = self.thread.take() {
            thread.join().map_err(|_| io::Error::other("the fabric's thread panicked"))??;
        }
        match self.journal.take() {
            Some(journal) => journal.close(),
            None => Err(io::Error::other("the fabric was stopped before")),
        }
    }
}
