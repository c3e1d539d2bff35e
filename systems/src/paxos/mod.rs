//! Multi-Paxos: agreement on one value after the other, and a log made of them.
//!
//! # The problem
//!
//! Several nodes must choose one of the values that are proposed to them, though messages are lost, delayed and
//! repeated, and nodes stop and start again: never two values, only one that was proposed, and nobody may take for
//! chosen what is not (2.1). A service that goes on when some of its nodes fail needs such a choice for each place of
//! a log of commands, which every node then applies in the same order (3).
//!
//! The chapter follows Leslie Lamport, *Paxos Made Simple* (2001); bare section numbers are this paper's. What it
//! leaves open, above all catching up and discarding, follows the needs that Robbert van Renesse and Deniz Altinbuken
//! describe in *Paxos Made Moderately Complex* (2015), cited as PMMC.
//!
//! # The protocol
//!
//! Every node plays every role. Each place of the log, a *slot*, is an instance of the algorithm that
//! [`synod`](crate::synod) is about. Where that one begins a ballot for each decree, this one begins a ballot for all
//! slots that are to come, so that a leader that stays pays for phase 2 alone.
//!
//! A node that hears no leader for a while begins a *ballot*: a round and its own name, so that no two nodes ever use
//! the same. In phase 1 it asks the acceptors to promise that they accept nothing below this ballot, for all slots at
//! once, and to tell what they have accepted so far. Two that compete take turns in defeating each other, so time-outs
//! are random and grow with every defeat. `proposer.rs`
//!
//! With the promises of a quorum it leads. For each slot of which it was told it proposes the value of the highest
//! ballot in which one was accepted, and in the gaps between them no-ops; behind them, what clients ask. This is
//! phase 2, and all that a command costs while the leader stays. `leader.rs`
//!
//! An acceptor keeps its promise and what it accepted, on disk, and tells every learner what it accepts. `acceptor.rs`
//!
//! A learner takes for chosen what a quorum accepted in one ballot. Leaders tell in their heartbeats how far they know
//! the log, and who missed something asks for it. `learner.rs`
//!
//! Every node applies the chosen values in the order of the slots; the leader then answers the client. A client names
//! its session and counts its requests, so a request that it repeats is answered from memory. Reads take slots like
//! commands do. `client.rs`
//!
//! From time to time a node writes down its state and discards the votes and values before. Who needs them gets the
//! state, in chunks. `snapshot.rs`
//!
//! # What must hold
//!
//! | invariant               | says                                                                  | section  |
//! |-------------------------|-----------------------------------------------------------------------|----------|
//! | `agreement`             | one value is chosen for a slot                                        | 2.1      |
//! | `validity`              | what is chosen was proposed                                           | 2.1      |
//! | `chosen-is-kept`        | a ballot above one that chose a value proposes that value             | 2.2, P2b |
//! | `one-value-per-ballot`  | a ballot has one value for a slot                                     | 2.2      |
//! | `promises-never-fall`   | the ballot that an acceptor promised never falls, restarts included   | 2.2, 2.5 |
//! | `nothing-below-promise` | an acceptor accepts nothing below its promise, restarts included      | 2.2, P1a |
//! | `states-agree`          | all nodes have the same state after the same slot                     | 3        |
//! | `applied-in-order`      | a node applies the slots in order, and its state never goes back      | 3        |
//!
//! They are judged from probes, of which a node emits `boot`, `prepare`, `promise`, `leader`, `propose`, `accept`,
//! `chosen` (counted), `learn` (told by another), `apply`, `snapshot` and `restore`. A value carries its ballot of
//! origin and is told by a fingerprint of all of it, a state by one of the whole state.
//!
//! # Disk
//!
//! Under the [law of effects](rashomon_core::Effect) what stands below a `persist` happens after it. The acceptor's
//! promise and votes are written before the answer that speaks of them (2.5), and that is all there is to write, the
//! snapshot apart. Three things deserve an argument.
//!
//! *A proposer never uses a ballot twice,* although it writes down none: before the first request of a ballot leaves
//! the node, its own acceptor has promised that ballot, durably. A new life begins above what its acceptor promised.
//! This matters because proposals leave the node *before* its own acceptor has them on disk; a node that lost power
//! in between has forgotten what it proposed.
//!
//! *A learner writes nothing.* What is chosen follows from what acceptors have, so a node that starts again begins
//! from its snapshot and asks others; if all have lost power, the next leader proposes it all anew.
//!
//! *An acceptor that discards votes* has applied those slots and says in every promise up to where they are chosen.
//! A new leader proposes nothing there and fetches the state instead, from whoever has it. If nobody who is alive
//! has, it steps down, because another quorum's promises may do without.
//!
//! # What is left out
//!
//! - Reconfiguration (3, end; PMMC 4.4): the nodes are fixed.
//! - Leases, and reads beside the log (PMMC 4.5): a read costs what a write does.
//! - Sessions never expire; a plan bounds their number. A command without a session is run as often as it is sent.
//!
//! # Departures
//!
//! - PMMC splits a leader into scouts and commanders. Here they are what a proposer knows while it prepares and what a
//!   leader knows of an open slot.
//! - A leader that no quorum answers for an election time-out steps down, so that one that is cut off does not keep
//!   clients waiting. Nothing relies on it for safety.
//! - A node whose ballot is not answered does not begin another: it repeats its requests. So one that is cut off comes
//!   back with a ballot that is a little too high, and not with one that grew all the while.

mod system;

mod ballot;
mod message;
mod value;

mod acceptor;
mod leader;
mod learner;
mod proposer;

mod client;
mod node;

mod record;
mod snapshot;

mod bugs;
mod invariants;
mod options;

pub use ballot::{Ballot, Slot};
pub use bugs::Bug;
pub use message::Message;
pub use node::{PaxosProtocol, Timer};
pub use record::Record;
pub use system::Paxos;
pub use value::{Operation, Value, Vote};
