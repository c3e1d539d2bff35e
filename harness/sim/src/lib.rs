//! The simulated world: the very nodes that run as processes, in virtual time.
//!
//! [`SimWorld`] is an event queue ordered by virtual time. It boots each node from the records of its simulated
//! disk, carries messages through the core's [`Switch`](rashomon_core::switch::Switch), plays the clients by
//! the core's outcome rules, and does to the nodes what the nemesis asks. The law of effects, the rules of a
//! kill and of a power failure, and what it means that a fault bit are those of the live world.
//!
//! Invariants: the same configuration and the same calls give the same events at the same times, on any machine,
//! for nothing here reads a clock, depends on addresses or on the order of a hash map, or computes with floats.
//! Every draw is keyed by what it is for (the nth message of a link, the nth sync of a node), so a run that
//! differs in one place differs elsewhere only by its consequences. A node that panics, breaks the protocol or
//! never comes to rest is a crashed node and not a crashed harness.

mod config;
mod span;

mod disk;
mod queue;
mod timers;

mod host;
mod trace;
mod world;

pub use config::{Config, Override};
pub use host::NodeCounters;
pub use span::{Span, Timing};
pub use world::{Network, SimWorld};
