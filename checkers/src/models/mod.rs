//! The models that come with Rashomon.

mod register;

mod counter;
mod kv;
mod multi_register;

mod priority_queue;
mod queue;
mod stack;

mod element_set;
mod list;
mod set;

mod bank;
mod mutex;

mod values;

pub use bank::{AccountState, Bank, BankAction};
pub use counter::{Counter, CounterAction};
pub use element_set::{ElementSet, ElementSetAction};
pub use kv::{Kv, KvAction};
pub use list::{GrowList, GrowListAction};
pub use multi_register::{Access, MultiRegister, MultiRegisterAction};
pub use mutex::{Held, Mutex, MutexAction};
pub use priority_queue::{PriorityQueue, PriorityQueueAction};
pub use queue::{Queue, QueueAction};
pub use register::{Register, RegisterAction};
pub use set::{GrowSet, GrowSetAction};
pub use stack::{Stack, StackAction};
pub use values::{Datum, Values};

/// The names by which people ask for a model. `set` follows each element ([`Set`](crate::set::Set));
/// `linearizable-set` asks for one order of adds and reads of the whole ([`GrowSet`]), `linearizable-list` likewise of
/// appends ([`GrowList`]), `linearizable-counter` of a counter's ([`Counter`]), and `element-set` of operations on one
/// element each ([`ElementSet`]); `lock` is a mutex with fencing tokens. `consensus` and
/// `sections` are no data types but questions of their own ([`Consensus`](crate::consensus::Consensus),
/// [`Lock`](crate::lock::Lock)). Of a bank, `bank` adds up each read ([`Bank`](crate::bank::Bank)),
/// `atomic-commitment` follows each transfer ([`AtomicCommitment`](crate::atomic_commitment::AtomicCommitment)), and
/// `linearizable-bank` asks for one order. `list-append` and `rw-register` ask which isolation level transactions had
/// ([`isolation`](crate::isolation)).
pub const NAMES: [&str; 21] = [
    "register",
    "cas-register",
    "multi-register",
    "kv",
    "linearizable-counter",
    "queue",
    "stack",
    "priority-queue",
    "set",
    "element-set",
    "linearizable-set",
    "linearizable-list",
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
