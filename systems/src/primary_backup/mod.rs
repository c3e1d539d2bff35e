//! Primary and backup: one server runs the operations, a second one has them all, and a third party says who is who.
//!
//! # The problem
//!
//! Two copies of a service survive the loss of either, without votes and majorities: the primary takes the requests of
//! clients and hands each to the backup before it answers; when it fails, the backup takes over. The difficulty is to
//! tell *when it fails*. A primary that is merely cut off believes itself in office, and if both serve, clients see two
//! histories. So the servers do not judge each other. A *view service* numbers the *views*, each of which names one
//! primary and at most one backup, and the servers obey it.
//!
//! The scheme of a primary that answers only when its backup has the operation is Peter Alsberg's and John Day's,
//! *A Principle for Resilient Sharing of Distributed Resources* (1976). The view service with its pings, and the
//! rule that a view must be acknowledged by its primary before the next, are those of the second laboratory of MIT's
//! course 6.824 (2012 to 2015), *Primary/Backup Key/Value Service*. Departures from it are named below.
//!
//! # The protocol
//!
//! The first node is the view service; the others are servers. Each server pings the service and names the view that
//! it is in; a server that was not heard for a while counts as dead. The service forms the next view when the backup
//! is dead or missing and a spare is there, when the backup is dead and no spare is there, or when the primary is dead
//! and the backup can take its place. It does so only when the primary of the present view has acknowledged that view,
//! and it never passes over both members of a view. `service.rs`
//!
//! A server writes down the view that it enters before it says anything in it. The primary of a new view first hands its
//! whole state to the backup, in chunks, and only then answers clients. `server.rs`, `transfer.rs`
//!
//! The primary gives each command the next number, writes it to its log, runs it, and sends it to the backup, which does
//! the same and acknowledges. Only then is the client answered. A read is held until the backup has acknowledged
//! all that the read saw, and a *round* that began after the read arrived. `primary.rs`, `backup.rs`
//!
//! A server acknowledges only what was sent in the view that it is in itself. That is what makes two
//! primaries harmless: before a backup serves as primary it has left the view in which the old primary needs it.
//! A primary without a backup needs nobody; but every view after one without a backup has the same primary, until
//! that primary itself has written down that it left.
//!
//! # What must hold
//!
//! | invariant              | says                                                                                |
//! |------------------------|-------------------------------------------------------------------------------------|
//! | `one-primary-per-view` | at most one server serves as primary in a view                                      |
//! | `views-never-go-back`  | the view of a node never goes back, restarts included                               |
//! | `view-succession`      | a view follows one that its primary acknowledged, and its primary was in that, complete if backup |
//! | `same-sequence`        | servers of a view have the same state after the same operation                      |
//! | `committed-stays`      | what was committed in a view is in the state of the primary of every later view     |
//!
//! They are judged from probes, of which a node emits `boot`, `view` (the service), `enter`, `primary`, `transfer`,
//! `restore`, `apply` and `commit` (the primary alone).
//!
//! # Disk
//!
//! The view service keeps the view and whether it was acknowledged. A server keeps its view, its state as a checkpoint,
//! and the commands since; a backup also whether it has been given the state of its view. So a server that
//! comes back is what it was: a primary is primary of its view, a complete backup has every command that it ever
//! acknowledged. When all nodes lose power at once, all of them come back so, and nothing that was answered is lost.
//!
//! A primary that comes back does not know how far its backup is. It hands over its whole state again, in the same view.
//! That loses nothing: it wrote each command to its log before it sent it, so it is never behind its backup. By
//! the [law of effects](rashomon_core::Effect) the order of lines says all this.
//!
//! # What is guaranteed, and what is not
//!
//! Every answer is linearizable as long as disks keep what was synced. There is no such promise of *availability*:
//! nobody serves while the view service is down and a member of the view too; while the only complete server is
//! down; or while primary and backup cannot hear each other but the service hears both. All end when the fault does.
//! If a disk is lost for good, a view with a complete backup survives it, any other does not.
//!
//! # What is left out
//!
//! - The view service is one node, and not replicated.
//! - Sessions never expire; a plan bounds their number.
//! - A server that comes back as backup gets the whole state, however little it missed.
//!
//! # Departures
//!
//! - In the laboratory a primary that acknowledged a view may die before the backup has the state, which is then lost, or
//!   acknowledges only afterwards, so that a death of the backup meanwhile blocks the service for good. Here the two
//!   things are told apart: the primary acknowledges a view when it has entered it, and the backup itself says, with each
//!   ping, whether it is complete. Only a complete backup is promoted, while an incomplete one may be replaced.
//! - In the laboratory servers keep nothing on disk, and a restart counts as a death. Here they do, and it does not.
//! - Reads do not become commands: they are acknowledged, and not written to logs.

mod system;

mod message;
mod record;
mod view;

mod service;

mod backup;
mod primary;
mod server;
mod transfer;

mod bugs;
mod controls;
mod invariants;
mod options;

pub use bugs::Bug;
pub use message::{Message, Operation};
pub use record::Record;
pub use system::{PrimaryBackup, PrimaryBackupProtocol, Timer};
pub use view::{OpNumber, View, ViewNumber};
