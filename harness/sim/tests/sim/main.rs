//! The simulated world at work.

mod driver;
mod raft;
