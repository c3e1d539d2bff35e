//! The simulated world at work.

mod driver;
mod pad;

mod faults;
mod misuse;
mod raft;
mod replay;
mod story;
