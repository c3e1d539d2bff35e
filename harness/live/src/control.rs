//! What the harness and a node tell each other beside the run: orders on stdin, reports on stdout.
//!
//! One JSON object per line. A line of stdout with `probe` is a probe of the state machine; one with `report`
//! is the driver's own.

use std::ops::AddAssign;
use std::time::Duration;

use rand::RngExt;
use rashomon_core::{Rng, TRUE_RATE, WallClock};
use serde::{Deserialize, Serialize};

/// The longest line of stdin and stdout.
pub(crate) const LONGEST_LINE: usize = 256 * 1024;

/// Something that the harness wants of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Order {
    /// Say that you are there.
    Ping {
        /// Comes back in the acknowledgement.
        id: u64,
    },
    /// From now on each fsync takes this much longer.
    SlowDisk {
        /// Comes back in the acknowledgement.
        id: u64,
        /// How much; nothing lifts it.
        slowness: Option<Slowness>,
    },
    /// From now on this is the wall clock, and timers keep to its rate.
    Clock {
        /// Comes back in the acknowledgement.
        id: u64,
        /// A function of the run's time: it means the same however late the order comes.
        wall: WallClock,
    },
}

/// How much longer an fsync takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Slowness {
    /// At least.
    pub(crate) at_least: Duration,
    /// At most.
    pub(crate) at_most: Duration,
}

impl Slowness {
    /// A delay between the two.
    pub(crate) fn draw(self, rng: &mut Rng) -> Duration {
        let nanoseconds = |duration: Duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let least = nanoseconds(self.at_least);
        Duration::from_nanos(rng.random_range(least..=nanoseconds(self.at_most).max(least)))
    }
}

/// Something that a node's driver tells the harness.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "report", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Report {
    /// The log is restored and every socket listens.
    Ready,
    /// An order was carried out.
    Done {
        /// The order's.
        id: u64,
        /// As of now.
        counters: NodeCounters,
        /// As of now.
        clock: ClockState,
    },
    /// The counters have changed.
    Counters {
        /// As of now.
        counters: NodeCounters,
    },
}

/// How wrong the clocks of a node are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClockState {
    /// Nanoseconds that the wall clock is ahead.
    pub(crate) ahead: i64,
    /// What its timers' clock counts in a million.
    pub(crate) rate: u32,
}

impl ClockState {
    /// Nothing is wrong.
    pub(crate) const RIGHT: ClockState = ClockState { ahead: 0, rate: TRUE_RATE };
}

/// What the driver of a node counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeCounters {
    /// Messages handed to the kernel.
    pub sent: u64,
    /// Messages that the kernel refused to take.
    pub unsent: u64,
    /// Messages that reached the state machine.
    pub received: u64,
    /// Datagrams dropped because they were damaged or no frame at all.
    pub damaged: u64,
    /// Frames dropped because they belong to another run.
    pub foreign: u64,
    /// Frames dropped because sender or receiver are not who they should be.
    pub misaddressed: u64,
    /// Frames dropped because their sender has started again since.
    pub stale: u64,
    /// Records written to the log.
    pub records: u64,
    /// Fsyncs.
    pub syncs: u64,
    /// Fsyncs that a slow disk made longer.
    pub slow_syncs: u64,
}

impl AddAssign for NodeCounters {
    fn add_assign(&mut self, other: NodeCounters) {
        let NodeCounters {
            sent,
            unsent,
            received,
            damaged,
            foreign,
            misaddressed,
            stale,
            records,
            syncs,
            slow_syncs,
        } = other;
        self.sent += sent;
        self.unsent += unsent;
        self.received += received;
        self.damaged += damaged;
        self.foreign += foreign;
        self.misaddressed += misaddressed;
        self.stale += stale;
        self.records += records;
        self.syncs += syncs;
        self.slow_syncs += slow_syncs;
    }
}
