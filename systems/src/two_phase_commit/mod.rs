//! Two-phase commit: a transaction over several nodes happens on all of them or on none.
//!
//! # The problem
//!
//! An amount moves from one account to another, and different nodes keep them. Each node can make its own change
//! all or nothing, with a log; but one may crash when the other has made its change, and then money is lost or made. So
//! no node may go ahead before all are certain that they can, and once one has gone ahead all must follow, whatever
//! crashes meanwhile. That is *atomic commitment*.
//!
//! Two-phase commit is Jim Gray's, *Notes on Data Base Operating Systems* (1978), and Butler Lampson's and Howard
//! Sturgis's, *Crash Recovery in a Distributed Data Storage System* (1979). This chapter follows the variant *presumed
//! abort* of C. Mohan, Bruce Lindsay and Ron Obermarck, *Transaction Management in the R\* Distributed Database
//! Management System* (1986), which nearly everybody has used since, and the treatment by Philip Bernstein, Vassos
//! Hadzilacos and Nathan Goodman, *Concurrency Control and Recovery in Database Systems* (1987), chapter 7.
//!
//! # The system
//!
//! A bank has six accounts. The first node is the *coordinator*, who alone takes requests; the others are *participants*,
//! each of which keeps a range of the accounts. A transaction moves an amount between two accounts of a bank, or reads all
//! of them. An account keeps, beside its balance, the transfers that made it so: whoever reads can tell of each whether
//! it is there, and on both sides. `account.rs`, `request.rs`
//!
//! # The protocol
//!
//! *Execution.* The coordinator gives each participant its task. The participant takes the locks, shared to read and
//! exclusive to change, and works out the after-images; if a lock is not free or the account has not enough, it refuses,
//! and the transaction aborts. Nobody ever waits for a lock, so there is no deadlock. Until it votes, a participant may
//! abort on its own. `locks.rs`, `participant.rs`
//!
//! *The first phase.* When all tasks are done the coordinator asks: can you commit? A participant that changes
//! something writes its after-images to its log and votes *yes*: from then on it is *in doubt*, and may neither abort
//! nor commit before it is told. One that only reads votes *read-only*, lets its locks go, and is out. One that has
//! lost its work votes *no*. `coordinator.rs`
//!
//! *The second phase.* When all have voted, and nobody no, the coordinator writes to its log that it commits. That
//! record is the decision; before it nothing has happened, after it everything has. It answers the client and tells
//! the participants, who install the after-images, write down that they did, let their locks go, and acknowledge.
//! When all have, the coordinator may forget the transaction.
//!
//! *Locks.* All locks of a transaction are held at one moment, after the last task and before the first vote, and a
//! changed account is locked until the decision is known: strict two-phase locking, so that transactions are
//! serializable, in an order that agrees with real time. It is why a task is apart from the vote: a
//! reader that let go of one account before it had locked another could see half of a transfer. And it is why a vote
//! names the life of the process in which the task was done: locks are in memory, and a participant that crashed
//! in between held them twice, but not all the time.
//!
//! # Presumed abort
//!
//! | record                      | forced? | why                                                               |
//! |-----------------------------|---------|-------------------------------------------------------------------|
//! | participant: prepared       | yes     | before its vote: it promises to be able to commit after a crash   |
//! | coordinator: commit         | yes     | before it tells anybody: it is the decision                       |
//! | participant: commit         | yes     | before it acknowledges: the coordinator then forgets              |
//! | participant: abort          | no      | without it, it asks again, and hears the same                     |
//! | coordinator: abort          | none    | what it does not know is presumed aborted                         |
//! | coordinator: end            | no      | without it, all are told again, and acknowledge again             |
//! | whoever only reads          | none    | it makes no difference to it how the transaction ends             |
//!
//! In the presumption lies the need for names that are given once: the coordinator counts its lives on disk.
//! A record is forced by standing above what it must precede, by the [law of effects](rashomon_core::Effect); one that is
//! not forced stands last. `record.rs`
//!
//! # When something fails
//!
//! A participant in doubt asks: the coordinator, and the other writers. Any of them that knows tells; a writer that has
//! not voted aborts, and then knows. If nobody knows, it is *blocked*, and keeps its locks: it says so with the probe
//! `blocked`. **That is legal**: while the coordinator is down nobody else may know what it decided. `termination.rs`
//!
//! A coordinator that starts again tells everybody of the commitments that its log holds and that are not ended; all else
//! it presumes aborted. A participant that starts again is in doubt of what its log says it prepared, locks it, and asks.
//! Every message can be lost, repeated and late: what is not answered is repeated, what is heard twice is answered
//! as the first time, and what is over is not begun again. `outcomes.rs`
//!
//! A client that hears nothing repeats its request under the same name. The coordinator knows what became of it:
//! of a commitment from the log, of an abort from memory. What it has forgotten in a crash is aborted, and may be begun
//! anew. `sessions.rs`
//!
//! # What must hold
//!
//! | invariant             | says                                                                                     |
//! |-----------------------|------------------------------------------------------------------------------------------|
//! | `ac1-agreement`       | all that decide decide the same, also after recovery (AC1 of Bernstein et al., 7.3)       |
//! | `ac2-irreversible`    | nobody goes back on a decision (AC2)                                                     |
//! | `ac3-unanimity`       | the decision is to commit only if all voted yes (AC3)                                    |
//! | `ac4-non-triviality`  | a coordinator that has the yes of all does not abort (AC4)                               |
//! | `votes-survive`       | a participant that voted yes knows it after a crash                                      |
//! | `locks-held-in-doubt` | a participant that voted yes keeps its locks until it knows the decision                 |
//! | `exclusive-locks`     | an account that a transaction may change is locked by no other                           |
//!
//! They are judged from probes: `boot`, `coordinator`, `lock`, `unlock`, `vote`, `decide` and `blocked`. AC5, that
//! all decide once all failures are repaired, is judged by the final reads, which need every lock.
//!
//! # What is left out
//!
//! - There is one coordinator. R\* lets the node where a transaction begins coordinate it, and nests coordinators in a tree.
//! - The last participant's vote and decision are not joined, and a transaction with one participant takes both phases.
//! - Sessions never expire; a plan bounds their number. An account takes a bounded number of transfers.
//! - No operator overrides a participant in doubt.

mod system;

mod account;
mod message;
mod record;
mod request;
mod transaction;

mod coordinator;
mod sessions;

mod locks;
mod outcomes;
mod participant;
mod termination;

mod bugs;
mod controls;
mod invariants;
mod options;

pub use account::{ACCOUNTS, Account, AccountNumber, MOST_TRANSFERS, OPENING, Transfer, Write};
pub use bugs::Bug;
pub use message::Message;
pub use record::Record;
pub use request::{Ask, LONGEST_NAME, Reply, Request};
pub use system::{Timer, TwoPhaseCommit, TwoPhaseCommitProtocol};
pub use transaction::{Decision, Refusal, Task, TransactionId, Vote};
