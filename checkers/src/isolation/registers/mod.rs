//! Transactions over registers, where the order of writes shows only in part.
//!
//! A read names the transaction that wrote what it shows, since values are unique. What follows from that is judged in
//! four ways: an order of all transactions that explains every read proves every level ([`serial`], replayed by
//! [`witness`]); a cycle of what is known of the order rules levels out ([`dependencies`]); for read atomic and causal
//! consistency, where what a transaction saw decides in which order the others wrote, the order is known as far as it
//! matters ([`saturation`], [`commits`]); and where it was found out that no order can be, few transactions are picked that
//! have none ([`minimal`]).

mod accesses;
mod anomalies;
mod checker;
mod commits;
mod dependencies;
mod exclusions;
mod minimal;
mod rows;
mod saturation;
mod serial;
mod versions;
mod witness;

pub(super) use accesses::Registers;
pub(super) use checker::judge;

pub use checker::RwRegister;
