//! The models that come with Rashomon.

mod bank;
mod kv;
mod mutex;
mod queue;
mod register;
mod set;
mod values;

pub use bank::{AccountState, Bank, BankAction};
pub use kv::{Kv, KvAction};
pub use mutex::{Held, Mutex, MutexAction};
pub use queue::{Queue, QueueAction};
pub use register::{Register, RegisterAction};
pub use set::{GrowSet, GrowSetAction};
pub use values::{Datum, Values};

/// The names by which people ask for a model. `set` follows each element ([`Set`](crate::set::Set));
/// `linearizable-set` judges a small set exactly ([`GrowSet`]); `lock` is a mutex with fencing tokens. `consensus` and
/// `sections` are no data types but questions of their own ([`Consensus`](crate::consensus::Consensus),
/// [`Lock`](crate::lock::Lock)). Of a bank, `bank` adds up each read ([`Bank`](crate::bank::Bank)),
/// `atomic-commitment` follows each transfer ([`AtomicCommitment`](crate::atomic_commitment::AtomicCommitment)), and
/// `linearizable-bank` asks for one order. `list-append` and `rw-register` ask which isolation level transactions had
/// ([`isolation`](crate::isolation)).
pub const NAMES: [&str; 15] = [
    "register",
    "cas-register",
    "kv",
    "queue",
    "set",
    "linearizable-set",
    "mutex",
    "lock",
    "consensus",
    "sections",
    "bank",
    "atomic-commitment",
    "linearizable-bank",
    "list-append",
    "rw-register",
];
