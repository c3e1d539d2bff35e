//! The nodes of multi-Paxos, their messages delivered by hand: contested ballots as prose that was read and approved.

mod cast;
mod contests;
