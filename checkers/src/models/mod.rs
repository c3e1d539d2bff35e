//! The models that come with Rashomon.

mod bank;
mod kv;
mod queue;
mod register;
mod set;
mod values;

pub use bank::{AccountState, Bank, BankAction};
pub use kv::{Kv, KvAction};
pub use queue::{Queue, QueueAction};
pub use register::{Register, RegisterAction};
pub use set::{GrowSet, GrowSetAction};
pub use values::{Datum, Values};

/// The names by which people ask for a model. `set` follows each element ([`Set`](crate::set::Set));
/// `linearizable-set` judges a small set exactly ([`GrowSet`]); `consensus` is no data type but a
/// question of its own ([`Consensus`](crate::consensus::Consensus)).
pub const NAMES: [&str; 7] =
    ["register", "cas-register", "kv", "queue", "set", "linearizable-set", "consensus"];
