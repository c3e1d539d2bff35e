//! Raft's nodes in virtual time: random faults, seeded bugs, and the paper's figures.
//!
//! `rig` is a test rig and not a simulator: it drives the nodes of this one chapter, obeys the law of effects,
//! and knows just enough of clients and checking to tell a clean system from a broken one.

mod bugs;
mod cast;
mod clean;
mod figures;
mod rig;
