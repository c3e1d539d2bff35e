//! The verdict as text that a person understands in five seconds.
//!
//! From the top: the one word that matters and what it is about; a line per checker; the few events of an
//! anomaly and *because*; what the faults did; the figures; where to look further, and how to do it again.

mod paint;
mod table;
mod text;

pub use text::{Shown, render};
