//! The run as one page that needs nothing else: no server, no network, no other file.
//!
//! The verdict stands first, then the anomaly with its few ops drawn, then its story where the run has a trace, then
//! what happened around it. Words,
//! tables and the drawing of the anomaly are in the page as it is; the timeline and the curves are drawn by the
//! scripts from data that the page carries, so they fit any width.
//!
//! Invariants: the page stays small however long the run was (see `data`), what it leaves out it counts;
//! whatever is missing is said to be missing; text from outside is never markup.

mod anomaly;
mod availability;
mod data;
mod drawing;
mod effects;
mod network;
mod page;
mod parts;
mod story;
mod tables;
mod transactions;

pub use page::{render, render_parts};
pub use parts::{NodeLog, Parts};
