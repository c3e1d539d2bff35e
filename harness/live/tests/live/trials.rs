//! All trials, by name.

use crate::{clients, clocks, disk, network, processes, start};

/// A trial passes when it does not panic.
pub(crate) type Trial = (&'static str, fn());

/// Every trial.
pub(crate) fn all() -> Vec<Trial> {
    [start::TRIALS, processes::TRIALS, network::TRIALS, clients::TRIALS, disk::TRIALS, clocks::TRIALS]
        .concat()
}
