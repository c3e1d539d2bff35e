//! The simulated world at work.

mod driver;
mod pad;

mod clocks;
mod faults;
mod misuse;
mod raft;
mod replay;
mod story;
