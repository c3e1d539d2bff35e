//! From a history to a verdict: a library that stands alone.
//!
//! A [`Checker`] reads a [`History`](rashomon_core::History) and answers with a
//! [`Verdict`](rashomon_core::Verdict). It knows nothing of the system that was tested and has no clock: its
//! caller lends it a [`Budget`], and a checker that uses it up says *unknown*, never *valid*.
//!
//! - [`linearizable`]: whether one order of the operations, consistent with real time, explains every answer;
//!   for any [`Model`], of which [`models`] has a few.
//! - [`set`]: what became of each element that was added; [`queues`]: the same, where elements are taken out again.
//! - [`counters`]: which sums may be read; [`unique_ids`]: whether none is given out twice.
//! - [`consensus`]: whether what was decided was decided once, and was proposed.
//! - [`bank`]: whether money was made or lost; [`atomic_commitment`]: whether every transfer happened as a whole or not
//!   at all.
//! - [`isolation`]: which isolation level transactions had; [`sessions`]: what each session of a register saw.
//! - [`long_fork`], [`causal`], [`causal_reverse`], [`adya`]: single anomalies, by operations made to bring them out.
//! - [`kafka`]: logs of messages, and what consumers see of them.
//! - [`stats`] and [`availability`]: how often, how fast, and when operations succeeded.
//! - [`formats`]: histories recorded by other tools; [`judge()`] is the way from such a file to a verdict.
//! - [`notation`] and [`generate`]: histories written by hand and by machine, for tests and benchmarks.
//!
//! Invariant: a verdict is a function of the history and of when the budget ran out. Nothing here reads a
//! clock or iterates over a map of random order.

mod accusations;
mod archive;
mod budget;
mod checker;
mod circle;
mod crew;
mod follow;

mod model;
pub mod models;
mod passage;

pub mod consensus;
pub mod linearizable;
pub mod lock;
pub mod set;

pub mod counters;
pub mod queues;
pub mod unique_ids;

pub mod atomic_commitment;
pub mod bank;

pub mod isolation;
pub mod sessions;

pub mod adya;
pub mod causal;
pub mod causal_reverse;
pub mod kafka;
pub mod long_fork;

pub mod availability;
mod quantiles;
pub mod stats;

pub mod formats;
mod judge;
mod scan;

pub mod generate;
pub mod notation;

pub use archive::{Archive, Spans};
pub use budget::Budget;
pub use checker::{BANK, Checker, all, by_name};
pub use crew::{Alone, Crew, Job};
pub use follow::{Fill, Follow, Inbox, Taken};
pub use judge::{JudgeError, Question, checker_of, judge, names};
pub use model::{Effect, Model};
pub use passage::{Passage, Shape};
pub use scan::Notation;
