//! The vocabulary of Rashomon.
//!
//! Everything else is written in these words: what a client did ([`Op`], [`History`]), what a node is
//! ([`Node`], [`Protocol`], [`System`]), what can go wrong ([`Fault`], [`switch`]), what happens next
//! ([`Generator`]), where it happens ([`World`]), and what to think of it ([`Verdict`]).
//!
//! Invariant: nothing in this crate reads a clock, opens a socket or a file, or starts a thread. Time is an
//! argument and randomness a stream of the run's one [`Seed`], so the same code serves real processes and
//! virtual time.

mod id;
mod seed;
mod time;

pub mod history;
mod op;
mod verdict;

pub use serde_json::{Map, Value};

pub use history::{History, HistoryError};
pub use id::{Link, NodeId, Process, RunId};
pub use op::{Kind, Op};
pub use seed::{Rng, Seed};
pub use time::Time;
pub use verdict::{Anomaly, Validity, Verdict};
