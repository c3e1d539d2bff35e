//! Linearizability: one order of the operations, consistent with real time, that explains every answer.
//!
//! An operation takes effect at one instant between its call and its return (Herlihy and Wing 1990). One that
//! ended `info` may take effect at any time after its call, or never; one that ended `fail` did not happen.
//! Keys are independent objects, and a history is linearizable when each of its objects is, so each key is
//! judged alone.
//!
//! The way of a history through this module: `intake` makes claims of operations and sorts them by key;
//! `monitors` decide the keys that meet their conditions, and `search` looks for an order of the others;
//! `witness` replays the order that was found, with code that shares nothing with either; `minimal` reduces a
//! key without any order to the few operations that exclude one; `because` says in words why they do.

mod intake;
pub(crate) mod partition;
mod states;

mod method;
mod monitors;

mod memo;
mod optional;
mod problem;
mod search;

mod witness;

mod because;
mod checker;
mod drawing;
mod minimal;
mod rounds;
mod stream;

pub(crate) use because::describe;
pub use checker::Linearizable;
pub(crate) use drawing::{node, operation};
pub use method::Method;
pub use minimal::set_aside;
pub use witness::{Witness, WitnessError, verify};
