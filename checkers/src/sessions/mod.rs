//! Session guarantees and sequential consistency of registers whose written values are unique.
//!
//! A *session* is what one process does, in its order. Both questions forget real time, unlike
//! [`linearizable`](crate::linearizable), so that replicas may lag as long as each session sees a sensible story.
//!
//! - The four *session guarantees* (Terry et al. 1994), asked of each key: whether its versions have an order such that
//!   within each session no read sees an older version than the reads before it (monotonic reads) or than the writes
//!   before it (read your writes), and no write stands before the writes before it (monotonic writes) or the versions
//!   read before it (writes follow reads). Each is a set of pairs that the order must keep to, so a guarantee holds
//!   exactly when its pairs form no cycle.
//! - *Sequential consistency* (Lamport 1979): one order of all operations that keeps to each session's and explains
//!   every answer. For one key it exists exactly when the pairs of all four guarantees, with those that cas adds, form no
//!   cycle. For several keys together the question is NP-hard even where every read names its write (Gibbons and Korach
//!   1997): a key without an order of its own still refutes it, a linearizable history still has it, and everything else
//!   is `unknown`.
//!
//! Where a value was written twice, a read does not name its write, and these questions are NP-hard as well: `unknown`.
//!
//! A write or cas that ended `info` takes part when its value was read. It took effect after what its session had done
//! before, but nothing says that it did so before what the session did next.

mod accesses;
mod graph;
mod guarantee;
mod guarantees;
mod sequential;

pub use guarantee::Guarantee;
pub use guarantees::SessionGuarantees;
pub use sequential::Sequential;
