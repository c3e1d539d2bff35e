//! Runs a plan, from the first process to the verdict.
//!
//! [`plan`] turns flags and files into a [`Plan`] that cannot be wrong; [`registry`] knows every system,
//! workload, fault and checker by name; [`nemesis`] decides which faults strike when; [`interpreter`] drives a
//! world with clients and nemesis and records what happened; [`judge`] puts the checkers to it. [`live`] does all of
//! it against real processes, [`simulated`] in virtual time, and [`mod@sweep`] for many seeds;
//! [`zoo`] hunts every seeded bug. [`mod@shrink`] makes a failing run small, as a [`Schedule`] that can be told again.

pub mod interpreter;
pub mod judge;
pub mod nemesis;
pub mod plan;
pub mod progress;
pub mod registry;
mod replay;
mod run;
pub mod schedule;
pub mod shrink;
pub mod sweep;
mod threads;
pub mod zoo;

pub use plan::{Nemesis, Plan, PlanError};
pub use replay::replay;
pub use run::{Outcome, RunError, Settings, Stage, in_memory, live, scheduled, scheduled_in, simulated};
pub use schedule::Schedule;
pub use threads::Threads;
