//! A node's write-ahead log: checksummed, segmented, and honest about what is durable.
//!
//! A record is first written, then synced, then *noted*: the note says up to which segment and length the log
//! is durable, and only then may the world see what stood behind the record. The note is written in place and
//! not synced: `kill -9` does not lose it, and after a (simulated) power failure it is what tells the bytes
//! that survived from those that were only in the page cache. See [`lose_tail`].
//!
//! ```text
//! 0000000000000001.wal   segment: header, then records (length, CRC-32C, JSON)
//! 0000000000000002.wal   a further segment, or a checkpoint that replaces all before it
//! synced                 the note: segment and length
//! ```

mod log;
mod note;
mod segment;
mod tear;
#[cfg(test)]
mod tests;

pub use log::WalError;
pub(crate) use log::{Log, Restored};
pub(crate) use tear::lose_tail;
