//! The vocabulary of Rashomon.
//!
//! Everything else is written in these words: what a client did ([`Op`], [`History`]), what a node is
//! ([`Node`], [`Protocol`], [`System`]), what can go wrong ([`Fault`], [`switch`]), what happens next
//! ([`Generator`]), where it happens ([`World`]), and what to think of it ([`Verdict`]).
//!
//! Invariant: nothing in this crate reads a clock, opens a socket or a file, or starts a thread. Time is an
//! argument and randomness a stream of the run's one [`Seed`], so the same code serves real processes and
//! virtual time.

mod clock;
mod id;
mod seed;
mod time;

pub mod history;
mod op;
mod verdict;

pub mod client;
mod gate;
mod membership;
mod probe;
mod protocol;
pub mod rpc;
mod system;

mod fault;
pub mod switch;

pub mod generator;
mod trace;
mod world;

pub use serde_json::{Map, Value};

pub use client::Outcome;
pub use clock::{MonotonicClock, Skew, TRUE_RATE, WallClock};
pub use fault::{Cluster, Disruption, Fault, FaultId, FaultKind, Impact, Reshaping, Shape, Target};
pub use gate::Gate;
pub use generator::{Generator, Next};
pub use history::{History, HistoryError};
pub use id::{Link, NodeId, Process, RunId};
pub use membership::MembershipChange;
pub use op::{Kind, Op};
pub use probe::{Fields, Name, Probe};
pub use protocol::{Context, Effect, Node, Protocol, Ticket};
pub use seed::{Rng, Seed};
pub use system::{
    BootError, BugInfo, Control, Invariant, KnownWeak, OptionInfo, Setup, Shows, System, SystemInfo,
    Violation,
};
pub use time::Time;
pub use trace::{Happening, Trace};
pub use verdict::{Anomaly, Validity, Verdict};
pub use world::{Call, Event, World, WorldError};
