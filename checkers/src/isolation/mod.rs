//! Which isolation level a history of transactions shows.
//!
//! Transactions are lists of micro-ops: `["append", key, value]` or `["w", key, value]`, and `["r", key, value]`. What they
//! read shows which of them must have come before which others: it wrote the version before (ww), wrote what was read
//! (wr), read the version before (rw); besides, the same process did it earlier, or it ended before the other began. A
//! cycle of such dependencies is an anomaly, named by the kinds of its edges, and rules out the levels that forbid it.
//!
//! - [`ListAppend`]: over lists, where a read shows the order of all writes before it.
//! - [`RwRegister`]: over registers, where the order of writes shows only in part.
//! - [`Level`]: the levels, and [`table`]: which of them hold, are violated, or are unknown.
//!
//! Invariant: a witness of a cycle is as short as any of its kind in its component, unless the budget ran out meanwhile, and
//! carries the name that its edges have; the search is polynomial and has no time-out of its own.

mod level;

mod batch;
mod beginnings;
mod micro_ops;
mod scan;
mod stream;
mod transactions;

mod lists;
mod observed;

mod anomalies;
mod arrangement;
mod dependencies;
mod graph;
mod reasons;

mod cycle;
mod hunt;
mod walk;

mod because;
mod checker;

mod registers;

mod finding;
mod table;

pub use checker::ListAppend;
pub use level::{Isolation, Level, Order};
pub use registers::RwRegister;
pub use table::table;
