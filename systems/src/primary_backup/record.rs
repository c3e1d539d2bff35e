//! What nodes write to their disks, and how they begin again from there.

use rashomon_core::BootError;
use serde::{Deserialize, Serialize};

use super::message::Operation;
use super::view::{OpNumber, View, ViewNumber};
use crate::kv::{Chunk, Machine};

/// A record of a write-ahead log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// The view service formed this view; a server entered it.
    View(View),
    /// The view service: the view's primary has acknowledged it.
    Acknowledged {
        /// The view.
        view: ViewNumber,
    },
    /// A server: the state after this command; its chunks follow.
    State {
        /// The last command that it includes.
        number: OpNumber,
        /// Whether, as backup, the server was given the state of its view.
        complete: bool,
    },
    /// The next part of the state.
    Chunk {
        /// The part.
        items: Chunk,
    },
    /// A command, run after all before it.
    Operation(Operation),
}

/// What the view service remembers.
#[derive(Debug, Default)]
pub(super) struct ServiceDisk {
    pub(super) view: View,
    pub(super) acknowledged: bool,
}

impl ServiceDisk {
    /// What the records add up to.
    pub(super) fn replay(records: Vec<Record>) -> Result<ServiceDisk, BootError> {
        let mut disk = ServiceDisk::default();
        for record in records {
            match record {
                Record::View(view) => disk = ServiceDisk { view, acknowledged: false },
                Record::Acknowledged { view } => disk.acknowledged = view == disk.view.number,
                Record::State { .. } | Record::Chunk { .. } | Record::Operation(_) => {
                    return Err(BootError("the log of the view service holds a server's record".to_owned()));
                }
            }
        }
        Ok(disk)
    }
}

/// What a server remembers.
#[derive(Debug, Default)]
pub(super) struct ServerDisk {
    pub(super) view: View,
    pub(super) complete: bool,
    pub(super) number: OpNumber,
    pub(super) machine: Machine,
    /// The commands behind the last checkpoint.
    pub(super) logged: u64,
}

impl ServerDisk {
    /// What the records add up to.
    pub(super) fn replay(records: Vec<Record>) -> Result<ServerDisk, BootError> {
        let mut disk = ServerDisk::default();
        let mut items = Chunk::new();
        let mut restored = true;
        for record in records {
            if !restored && !matches!(record, Record::State { .. } | Record::Chunk { .. }) {
                disk.machine = restore(&items)?;
                restored = true;
            }
            match record {
                Record::View(view) => {
                    disk.view = view;
                    disk.complete = false;
                }
                Record::State { number, complete } => {
                    items.clear();
                    restored = false;
                    disk.number = number;
                    disk.complete = complete;
                    disk.logged = 0;
                }
                Record::Chunk { items: more } => items.extend(more),
                Record::Operation(operation) => {
                    if operation.number != disk.number.next() {
                        return Err(BootError(format!(
                            "command {} follows {} in the log",
                            operation.number, disk.number
                        )));
                    }
                    disk.machine.apply(&operation.proposal);
                    disk.number = operation.number;
                    disk.logged += 1;
                }
                Record::Acknowledged { .. } => {
                    return Err(BootError("the log of a server holds the view service's record".to_owned()));
                }
            }
        }
        if !restored {
            disk.machine = restore(&items)?;
        }
        Ok(disk)
    }

    /// The records that add up to this state.
    pub(super) fn records(view: View, complete: bool, number: OpNumber, machine: &Machine) -> Vec<Record> {
        let mut records = vec![Record::View(view), Record::State { number, complete }];
        records.extend(machine.chunks().into_iter().map(|items| Record::Chunk { items }));
        records
    }
}

fn restore(items: &Chunk) -> Result<Machine, BootError> {
    Machine::restore(items).map_err(|error| BootError(error.to_string()))
}
