//! Histories recorded by other tools.
//!
//! [`read`] takes a whole file and gives a [`Recording`]: the history, and what its format says about how to
//! read it. [`Format::detect`] tells formats apart by content. Files come from outside, so an error names the
//! line and the reason, and nothing panics.

mod edn;
mod jepsen;
mod porcupine;
mod recording;

pub use edn::{Edn, EdnError, Reader};
pub use jepsen::{Keyed, write_edn};
pub use recording::{Format, Recording, read, read_keyed};
