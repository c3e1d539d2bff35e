//! The machine's monotonic clock, told in the run's time.

use rashomon_core::Time;
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// The run's clock: nanoseconds of `CLOCK_MONOTONIC` since the run began.
///
/// The processes of one machine share that clock, so the nodes are told the epoch and need no agreement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Clock {
    epoch: u64,
}

impl Clock {
    /// A clock that begins now.
    pub(crate) fn starting_now() -> Clock {
        Clock { epoch: monotonic() }
    }

    /// The time since the run began.
    pub(crate) fn now(self) -> Time {
        self.time_of(monotonic())
    }

    /// A reading of `CLOCK_MONOTONIC`, in the run's time.
    pub(crate) fn time_of(self, nanoseconds: u64) -> Time {
        Time(nanoseconds.saturating_sub(self.epoch))
    }
}

/// `CLOCK_MONOTONIC`, in nanoseconds.
pub(crate) fn monotonic() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}
