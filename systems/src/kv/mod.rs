//! The replicated state machine that the chapters on agreement share: registers and sets, with sessions.
//!
//! A chapter orders [`Proposal`]s and hands each to [`Machine::apply`] on every node; the machine does the rest
//! deterministically. Reads are [`Query`]s, which a chapter serves from the machine whenever its own rules say
//! that this is safe.
//!
//! *Sessions.* A client repeats a request under the same session and sequence until it knows the answer. The
//! machine remembers, per session, the last sequence and its answer, so a repetition is answered from memory
//! and not run twice. The table is replicated state like any other: it is in every snapshot and in the digest.
//! It holds one small line per client process and is never trimmed, so the plan bounds it.
//!
//! *Digest.* Each item of the state has a hash, and the digest is their sum. So it can be kept up to date by the
//! item that changes, computed anew from a snapshot, and compared between nodes at equal positions of the log.

mod digest;
mod machine;
mod request;
mod snapshot;

pub use digest::{Digest, Hasher};
pub use machine::{Answer, Applied, Machine};
pub use request::{Ask, Command, LONGEST_KEY, Proposal, Query, Reply, Request};
pub use snapshot::{Chunk, Item, RestoreError};
