//! The seeded bugs: each is one small mistake that somebody made, and nothing else.

use rashomon_core::{BugInfo, Shows};

use crate::chapter::{Mistake, infos};

/// A mistake that a node can be told to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bug {
    /// A primary answers commands before the backup has them: a wait is missing.
    AckBeforeReplication,
    /// A backup is promoted before it has the state of the view: a condition is missing.
    LaggingBackupPromoted,
    /// A primary answers reads without its backup's word: a round is not waited for.
    LocalRead,
    /// A backup answers reads itself.
    ReadFromBackup,
    /// The state is handed over without the session table.
    SessionsNotTransferred,
    /// A server acknowledges what was sent in a view that it has left: a condition is missing.
    SplitBrain,
    /// A server does not write down the view that it enters.
    ViewNotPersisted,
}

/// Each with what the harness is told about it.
const ALL: [(Bug, BugInfo); 7] = [
    (
        Bug::AckBeforeReplication,
        BugInfo {
            name: "ack-before-replication",
            summary: "a primary answers commands before its backup has them, as asynchronous replication does by \
                      default in many databases",
            anomaly: "acknowledged writes are lost at the failover",
            shows: Shows::Live,
            plan: Some(include_str!("plans/ack-before-replication.json")),
        },
    ),
    (
        Bug::LaggingBackupPromoted,
        BugInfo {
            name: "lagging-backup-promoted",
            summary: "the view service promotes a backup that has not been given the state of the view: the trap of \
                      the course's view service, which knows who is alive and not who is complete",
            anomaly: "a primary serves from a state that lacks acknowledged writes",
            shows: Shows::Live,
            plan: Some(include_str!("plans/lagging-backup-promoted.json")),
        },
    ),
    (
        Bug::LocalRead,
        BugInfo {
            name: "local-read",
            summary: "a primary answers reads from its own state, without its backup's word that it still is the \
                      primary",
            anomaly: "a primary that was replaced serves stale reads",
            shows: Shows::Live,
            plan: Some(include_str!("plans/local-read.json")),
        },
    ),
    (
        Bug::ReadFromBackup,
        BugInfo {
            name: "read-from-backup",
            summary: "a backup answers reads from its own state, to share the load",
            anomaly: "a backup that was replaced serves stale reads",
            shows: Shows::Live,
            plan: Some(include_str!("plans/read-from-backup.json")),
        },
    ),
    (
        Bug::SessionsNotTransferred,
        BugInfo {
            name: "sessions-not-transferred",
            summary: "the state is handed to a new backup without the session table, so it runs repeated requests \
                      again",
            anomaly: "primary and backup differ after the same command",
            shows: Shows::Live,
            plan: Some(include_str!("plans/sessions-not-transferred.json")),
        },
    ),
    (
        Bug::SplitBrain,
        BugInfo {
            name: "split-brain",
            summary: "a server acknowledges what was sent in a view that it has left, so a primary that was replaced \
                      finds its former backup at its service",
            anomaly: "two servers serve at once: stale reads and lost writes",
            shows: Shows::Live,
            plan: Some(include_str!("plans/split-brain.json")),
        },
    ),
    (
        Bug::ViewNotPersisted,
        BugInfo {
            name: "view-not-persisted",
            summary: "a server enters a view in memory alone, so one that starts again is where its last checkpoint \
                      was; as a primary without a backup it would serve beside its successor",
            anomaly: "the view of a server goes back",
            shows: Shows::Live,
            plan: None,
        },
    ),
];

/// All of them, as the harness sees them.
pub(super) const BUGS: &[BugInfo] = &infos(&ALL);

impl Mistake for Bug {
    const CHAPTER: &'static str = "primary_backup";
    const ALL: &'static [(Bug, BugInfo)] = &ALL;
}
