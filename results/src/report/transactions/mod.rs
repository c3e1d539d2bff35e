//! Anomalies of transactions: which of them come before which in a circle, or which micro-op cannot be.
//!
//! - [`Cycle`]: what an anomaly says of a cycle, and [`ring`]: its picture;
//! - [`marked`]: transactions side by side, with the micro-ops that show an anomaly which is no cycle;
//! - `card`: a transaction in short, its micro-ops a line each;
//! - [`levels`]: which isolation levels hold.

mod card;
mod cycle;
mod levels;
mod marked;
mod ring;

pub(crate) use cycle::Cycle;
pub(crate) use levels::levels;
pub(crate) use marked::marked;
pub(crate) use ring::ring;
