//! The Synod: agreement on one value, and nothing else.
//!
//! # The problem
//!
//! A collection of processes can propose values. A single one of them must be chosen: only a value that has been
//! proposed, only one, and a process never takes a value for chosen that is not (2.1). Processes run at any speed, stop
//! and start again; messages take any time, are repeated and lost, and are not corrupted.
//!
//! The chapter follows Leslie Lamport, *Paxos Made Simple* (2001), section 2, to which bare section numbers refer; the
//! algorithm is the Synod of his *The Part-Time Parliament* (1998), where a priest is a node and a decree what is
//! decided. Here there are many *decrees*, one for each key that a client names, and none knows of any other.
//!
//! # The protocol
//!
//! Every node plays every role.
//!
//! A *proposer* that is asked begins a *ballot*: a round and its own name, so that no two proposers ever use the same.
//! Phase 1: it asks the acceptors to promise that they will accept nothing below that ballot, and to say what they have
//! accepted so far. With the promises of a majority it knows all that may have been chosen below. Phase 2: it asks the
//! acceptors to accept the value of the highest ballot that it was told of; only if it was told of none may it propose
//! what its client wants. `proposer.rs`
//!
//! An *acceptor* keeps two things, on disk: the highest ballot that it promised, and what it accepted last.
//! `acceptor.rs`
//!
//! A *learner* takes for chosen what a majority accepted in one ballot. `learner.rs`
//!
//! A node that is asked what is chosen and does not know finds out as the paper says (2.3): its proposer issues a
//! proposal. If anything may be chosen already, that proposal gets it chosen; if a majority has accepted nothing, there
//! is nothing to propose, and the answer is that nothing is chosen.
//!
//! # What must hold
//!
//! | invariant               | says                                                                             | section  |
//! |-------------------------|----------------------------------------------------------------------------------|----------|
//! | `agreement`             | one value is chosen for a key                                                    | 2.1      |
//! | `chosen-is-kept`        | a ballot above one that chose a value proposes that value                        | 2.2, P2b |
//! | `highest-is-adopted`    | who proposes has asked a majority, and adopts the highest that any of it accepted | 2.2, P2c |
//! | `one-value-per-ballot`  | a ballot has one value                                                           | 2.2      |
//! | `promises-never-fall`   | the ballot that an acceptor promised never falls, restarts included              | 2.2, 2.5 |
//! | `nothing-below-promise` | an acceptor accepts nothing below its promise, restarts included                 | 2.2, P1a |
//!
//! They are judged from the probes `prepare`, `promise`, `propose`, `accept` and `chosen`; each names its key. P2b
//! follows from P2c by induction over the ballots, and agreement from P2b: the paper derives the algorithm in that
//! order, and a run that breaks one shows which step of the proof it broke. That what is chosen was proposed by a
//! client is for the clients to judge: the checker `consensus` does.
//!
//! # Disk
//!
//! Under the [law of effects](rashomon_core::Effect) what stands below a `persist` happens after it. An acceptor
//! writes its promise and its vote before it speaks of them (2.5). A proposer writes nothing of its own: before the
//! first request of a ballot leaves the node, the acceptor beside it has promised that ballot, durably, and a later
//! life begins above it. A learner writes nothing either, and asks again.
//!
//! # How multi-Paxos grows out of it
//!
//! [`paxos`](crate::paxos) takes the same ballots and makes a log of such decrees. What it adds is what this chapter
//! does without: one promise for all slots at once, so that a leader pays for phase 1 only when it changes; one leader,
//! so that proposers do not defeat each other; an order, so that values are commands that every node applies alike;
//! and snapshots, so that decrees can be forgotten. Nothing of the argument for safety changes.
//!
//! # What is left out
//!
//! - A distinguished proposer (2.4). Whoever is asked proposes, and waits for a random time that grows with every
//!   defeat. Progress is likely and not certain: which is all that there can be without a leader.
//! - A decree is never forgotten: a node keeps a promise and a vote for each key. The plan of a run bounds the keys.
//! - A learner that missed a message does not ask the acceptors, since a majority that accepted in different ballots
//!   would not tell it anything (2.3); it has a ballot of its own, if a client asks.

mod system;

mod message;
mod value;

mod acceptor;
mod learner;
mod proposer;

mod client;
mod decree;
mod node;

mod record;

mod bugs;
mod invariants;
mod options;

pub use bugs::Bug;
pub use client::{Reply, Request};
pub use message::{Message, Step};
pub use node::{SynodProtocol, Timer};
pub use record::Record;
pub use system::Synod;
pub use value::{Value, Vote};
