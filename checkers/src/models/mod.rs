//! The models that come with Rashomon.

mod kv;
mod register;
mod set;
mod values;

pub use kv::{Kv, KvAction};
pub use register::{Register, RegisterAction};
pub use set::{GrowSet, GrowSetAction};
pub use values::{Datum, Values};

/// The names by which people ask for a model.
pub const NAMES: [&str; 4] = ["register", "cas-register", "kv", "set"];
