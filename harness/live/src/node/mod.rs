//! One node as a process: the driver of a sans-IO state machine.
//!
//! A single thread owns the state machine, its timers, its sockets and the effects that are held back; a
//! second one writes the log. The gate between them is the law of effects: what was emitted
//! after a record is released when the disk says that the record is durable, and not before.
//!
//! The driver trusts nobody. Datagrams and lines of clients are bounded, parsed, and dropped or answered with
//! an error. Trouble of its own (a full disk, a damaged log, a message too large for a frame) ends the
//! process loudly: a node that cannot keep its promises must not keep running.

mod config;
mod console;
mod disk;
mod driver;
mod peers;
mod server;

use std::io;
use std::path::Path;

use rashomon_core::{BootError, System};
use thiserror::Error;

pub(crate) use config::{NodeConfig, Peer, VERSION};
pub(crate) use peers::RECEIVE_BUFFER;

pub use crate::wal::WalError;

/// Why a node process ended by itself.
#[derive(Debug, Error)]
pub enum NodeError {
    /// The configuration cannot be used.
    #[error("config: {0}")]
    Config(String),
    /// The harness that spawned it is gone.
    #[error("the harness, process {0}, is not my parent any more")]
    Orphan(i32),
    /// The state machine refused to start.
    #[error("boot: {0}")]
    Boot(#[from] BootError),
    /// The log cannot be used.
    #[error(transparent)]
    Log(#[from] WalError),
    /// A record of the log has a valid checksum, but is none of this system's.
    #[error("record {number} of the log cannot be read: {reason}")]
    Record {
        /// Its position, from 0.
        number: usize,
        /// What is wrong.
        reason: String,
    },
    /// A message, record or reply has no JSON.
    #[error("{what} cannot be written as JSON: {reason}")]
    Unspeakable {
        /// Which of them.
        what: &'static str,
        /// Why.
        reason: String,
    },
    /// A message does not fit into a frame.
    #[error("a message of {bytes} bytes to {to} is too large for a frame of 8 KiB: it begins {beginning}")]
    TooLarge {
        /// The size of its JSON.
        bytes: usize,
        /// The receiver.
        to: rashomon_core::NodeId,
        /// Its first bytes.
        beginning: String,
    },
    /// The machine refused.
    #[error("{context}: {source}")]
    Io {
        /// What was being done.
        context: &'static str,
        /// The refusal.
        source: io::Error,
    },
}

/// Says what was being done when the machine refused.
fn doing(context: &'static str) -> impl FnOnce(io::Error) -> NodeError {
    move |source| NodeError::Io { context, source }
}

/// Runs a node of system `S` until its standard input ends: the whole of a node process.
///
/// Call it from the main thread and first of all: it arranges that the kernel kills the process when the
/// harness is gone.
pub fn run<S: System>(config: &Path) -> Result<(), NodeError> {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))
        .map_err(|error| doing("asking to die with the harness")(error.into()))?;
    let config = NodeConfig::read(config)?;
    // The harness may have died before the line above: then nobody would ever send that signal.
    let parent = rustix::process::getppid().map_or(0, rustix::process::Pid::as_raw_pid);
    if parent != config.parent {
        return Err(NodeError::Orphan(config.parent));
    }
    driver::Driver::<S>::start(config)?.run()
}
