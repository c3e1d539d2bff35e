//! The reference systems: one chapter each, written as pure state machines.
//!
//! A chapter follows its paper, says what must hold, and can be told to make the mistakes that people have made
//! when they built the thing. Invariant: nothing here reads a clock, opens a socket or a file, starts a thread,
//! or sees a history. A world carries out what the nodes wish.

mod chapter;
pub mod echo;
pub mod kv;
pub mod lock;
pub mod paxos;
pub mod primary_backup;
pub mod raft;
pub mod synod;
pub mod two_phase_commit;
