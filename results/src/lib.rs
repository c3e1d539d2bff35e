//! The store of runs, and everything that is made from it.
//!
//! A run is a folder ([`RunFolder`]): what was planned, what the clients saw, what was done to the nodes and
//! the network, and the [`RunVerdict`]. From it come the text on the terminal ([`terminal`]), the
//! self-contained page ([`report`]) and the file that continuous integration reads ([`junit`]).
//!
//! Invariant: nothing here judges. A verdict arrives from the checkers and is only combined, shown and kept;
//! what is missing is said to be missing.

pub mod store;
pub mod verdict;

mod describe;
pub mod disruption;
mod faults;
mod plan;

pub mod junit;
pub mod report;
pub mod terminal;

pub use store::{
    Accusation, HistoryWriter, LinkReport, Network, NodeReport, RunFolder, Schedule, ScheduleEntry,
    ScheduleEvent, ScheduleWriter, Shrunk, Size, StoreError,
};
pub use verdict::{Coverage, Ended, RunVerdict, Totals, Weakness};
