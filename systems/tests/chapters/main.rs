//! The chapters' nodes, moved by hand through the scenes of their papers, as prose that was read and approved.
//!
//! A *stage* is common to all; the *cast* of a chapter says how its messages, timers and probes are told.

mod stage;

mod lock;
mod paxos;
mod primary_backup;
mod raft;
mod synod;
mod two_phase_commit;
