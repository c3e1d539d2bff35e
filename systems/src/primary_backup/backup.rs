//! The backup: it runs what the primary sends, in the same order, and says so.

use rashomon_core::NodeId;

use super::bugs::Bug;
use super::message::{Message, Operation};
use super::server::{Role, Server};
use super::system::Cx;
use super::transfer::Assembly;
use super::view::ViewNumber;

/// What a backup keeps in mind.
#[derive(Debug)]
pub(super) struct Backup {
    /// Whether it has been given the state of the view. On disk, and said with every ping.
    pub(super) complete: bool,
    /// The state that is arriving.
    pub(super) assembly: Option<Assembly>,
}

impl Server {
    /// Runs the commands that are next, and acknowledges all that it has. `round` is the life and round to echo.
    pub(super) fn on_replicate(
        &mut self,
        from: NodeId,
        view: ViewNumber,
        operations: Vec<Operation>,
        round: (u64, u64),
        cx: &mut Cx<'_>,
    ) {
        if view == self.view.number {
            // Without the state of the view the commands would fall on the wrong ground.
            if !self.view.is_primary(from) || !self.complete() {
                return;
            }
            for operation in operations {
                if operation.number == self.number.next() {
                    self.run(operation, cx);
                }
            }
        } else if view > self.view.number || !self.has(Bug::SplitBrain) {
            return;
        }
        let (life, round) = round;
        cx.send(from, Message::Acknowledge { view, number: self.number, life, round });
    }

    /// Marks the state of the view as arrived.
    pub(super) fn become_complete(&mut self) {
        if let Role::Backup(backup) = &mut self.role {
            backup.complete = true;
            backup.assembly = None;
        }
    }
}
