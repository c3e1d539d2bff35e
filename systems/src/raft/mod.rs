//! Raft: a log that a majority of nodes agrees on, and a state machine on every node that follows it.

mod bugs;
mod client;
mod election;
mod follower;
mod invariants;
mod leader;
mod log;
mod message;
mod node;
mod options;
mod position;
mod read;
mod record;
mod snapshot;
mod system;

pub use bugs::Bug;
pub use log::{Entry, Payload};
pub use message::{Hint, Message};
pub use node::{RaftProtocol, Timer};
pub use position::{Index, Position, Term};
pub use record::Record;
pub use system::Raft;
