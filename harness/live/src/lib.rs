//! The live world: every node an OS process of its own, on this machine and without privilege.
//!
//! [`LiveWorld`] is the side of the harness. It spawns the nodes, carries their messages through one
//! [`Switch`](rashomon_core::switch::Switch), plays their clients, and does to them what the nemesis asks.
//! [`node::run`] is the side of a node process: it drives one sans-IO state machine under the law of effects,
//! with a write-ahead log, UDP to its peers and TCP to its clients.
//!
//! Invariants: nothing outlives the harness, even when it is killed; an effect that stands behind a record
//! is never seen before the record is durable; what the kernel or a checksum dropped is counted, never
//! claimed as delivered.

mod address;
mod agenda;
mod clock;
mod poller;

mod frame;
mod wal;

pub mod node;

mod capture;
mod clients;
mod control;
mod fabric;
mod process;

mod config;
mod world;

#[cfg(test)]
mod lines;

pub use config::Config;
pub use control::NodeCounters;
pub use fabric::JournalSummary;
pub use world::{LiveWorld, Network};
