//! Raft: a log that a majority of nodes agrees on, and on every node a state machine that follows it.
//!
//! # The problem
//!
//! A service must go on when some of its nodes crash, lose power, stand still, or cannot hear each other, and its
//! clients must not be able to tell it from a single node that never fails: every operation takes effect at one
//! instant between its request and its answer. Nodes that run the same commands in the same order stay alike, so
//! the problem comes down to agreeing on a log.
//!
//! The chapter follows Diego Ongaro and John Ousterhout, *In Search of an Understandable Consensus Algorithm*
//! (extended version, 2014); bare section numbers are the paper's. Ongaro's dissertation, *Consensus: Bridging
//! Theory and Practice* (2014), is cited as such for what the paper only hints at.
//!
//! # The protocol
//!
//! Time is divided into terms, and each term has at most one leader (5.1). A node that hears no leader for an
//! election time-out first asks whether others would vote for it (*pre-vote*), and only then begins a term and
//! asks for votes; a vote is given once per term, and only to a candidate whose log is at least as up-to-date.
//! `election.rs`
//!
//! The leader alone adds to the log. It sends each follower the entries that the follower lacks, together with the
//! place right before them; a follower whose log differs at that place says so, and the leader goes back until they
//! agree, a term at a time. What a majority holds is committed, provided that it ends with an entry of the leader's
//! own term. `leader.rs`, `follower.rs`
//!
//! Every node applies committed entries in order; the leader then answers the client. A client names its session and
//! counts its requests, so a request that it repeats, to whichever leader, is answered from memory. `client.rs`
//!
//! Reads do not go through the log: the leader has a majority confirm that it still leads, and answers when its state
//! has caught up with what was committed when the read arrived. `read.rs`
//!
//! Servers are added and removed while the cluster serves, one at a time. A configuration is an entry of the log and
//! counts as soon as it is there; a server that is to be added catches up first. `membership.rs`
//!
//! From time to time a node replaces the beginning of its log by a snapshot of its state. A follower that needs
//! entries which are gone gets the snapshot in chunks. `snapshot.rs`
//!
//! # What must hold
//!
//! | invariant              | says                                                               | section  |
//! |------------------------|--------------------------------------------------------------------|----------|
//! | `election-safety`      | at most one leader is elected in a term                            | 5.2      |
//! | `one-vote`             | a node votes for at most one candidate in a term                   | 5.2      |
//! | `terms-never-fall`     | the term of a node never falls, restarts included                  | 5.1      |
//! | `leader-append-only`   | a leader never overwrites or deletes entries of its log            | 5.3      |
//! | `log-matching`         | logs with an entry of the same index and term are the same up to it | 5.3      |
//! | `leader-completeness`  | a committed entry is in the log of every leader of a later term    | 5.4      |
//! | `committed-stays`      | a node never removes what it knows to be committed                 | 5.3, 5.4 |
//! | `state-machine-safety` | no two nodes apply different entries at the same index             | 5.4.3    |
//! | `applied-in-order`     | a node applies the log in order, and its state never goes back     | 5.3, 7   |
//! | `one-server-at-a-time` | a configuration differs by one server from the one before it, which is committed | dissertation 4.1 |
//!
//! They are judged from probes, of which a node emits `boot`, `follower`, `candidate`, `vote`, `leader`, `append`,
//! `truncate`, `commit` and `configuration` (the leader alone), `apply`, `snapshot` and `restore`. An `append` carries a fingerprint of
//! the whole log up to its last entry, an `apply` one of the whole state after it, so that equality is checked and
//! not supposed.
//!
//! # Disk
//!
//! The term, the vote and the log are written down before anything that depends on them is said; under the
//! [law of effects](rashomon_core::Effect) this is the order of lines. Two things deserve an argument.
//!
//! *A leader counts its own entry at once,* in memory, although the record may still be on its way to the disk. That
//! is safe because the record stands before everything that could follow from counting it: the entry is persisted in
//! the step that appends it, so the messages that carry it, the answers to clients, the commit index that followers
//! are told and every probe of it are emitted behind it, in that step or later ones, and none of them leaves the node
//! before the record is durable. If the power fails first, nobody has heard of it, and the node may as well never have
//! counted. By the same argument a follower may take entries into its memory before they are durable: its
//! acknowledgement stands behind the record, also when it answers a repeated message that found nothing new to write.
//! (The dissertation's 10.2.1 lets a leader write in parallel with sending; then it may not count itself early.)
//!
//! *The commit index is not written down.* A node that starts again knows what its snapshot covers and learns the
//! rest from a leader; it applies the entries between anew, to the state of the snapshot.
//!
//! # What is left out
//!
//! - Joint consensus (6): membership changes one server at a time, which needs less (dissertation 4.1).
//! - Sessions never expire; a plan bounds their number. A command without a session is run as often as it is sent.
//! - A leader does not hand over its lead, and does not check leases: each read costs a round of heartbeats, which
//!   reads that arrive meanwhile share.
//! - Entries go out one batch per follower and round trip, and not in a pipeline.
//!
//! # Departures
//!
//! - A voter that hears a leader refuses pre-votes, but not votes: with pre-vote, only a node that a majority would
//!   elect gets as far as asking (dissertation 9.6, and 4.2.3 for what this replaces).
//! - *Heard a leader lately* is a timer and not a comparison of clocks, because the wall clock may jump.
//! - The log keeps the entries since the snapshot before the last, so that a slightly slow follower needs no snapshot.
//! - A leader that hears no quorum for an election time-out steps down (dissertation 6.2). Nothing relies on it for
//!   safety: until then it neither commits nor answers reads.

mod system;

mod message;
mod node;
mod position;

mod election;
mod follower;
mod leader;
mod log;
mod membership;

mod client;
mod read;
mod request;

mod record;
mod snapshot;

mod bugs;
mod invariants;
mod options;

pub use bugs::Bug;
pub use log::{Entry, Payload};
pub use message::{Hint, Message};
pub use node::{RaftProtocol, Timer};
pub use position::{Index, Position, Term};
pub use record::Record;
pub use request::{Changed, Reply, Request};
pub use system::Raft;
