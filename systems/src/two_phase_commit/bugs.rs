//! The seeded bugs: each is one small mistake that somebody made, and nothing else.

use rashomon_core::{BugInfo, Shows};

use crate::chapter::{Mistake, infos};

/// A mistake that a node can be told to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bug {
    /// The coordinator does not write down that it commits.
    DecisionNotLogged,
    /// A participant lets its locks go when it votes.
    EarlyLockRelease,
    /// Reads take no locks.
    PartialVisibility,
    /// A coordinator that starts again aborts what it had not finished.
    RecoveryGuessesAbort,
    /// A participant that is blocked aborts on its own.
    UnilateralAbort,
    /// A participant votes before its part is on disk: two lines are swapped.
    VoteBeforeForce,
}

const ALL: [(Bug, BugInfo); 6] = [
    (
        Bug::DecisionNotLogged,
        BugInfo {
            name: "decision-not-logged",
            summary: "the coordinator tells everybody to commit and does not write it down, so after a crash it \
                      presumes that it aborted",
            anomaly: "one participant commits and another aborts the same transaction",
            shows: Shows::Live,
            plan: Some(include_str!("plans/decision-not-logged.json")),
        },
    ),
    (
        Bug::EarlyLockRelease,
        BugInfo {
            name: "early-lock-release",
            summary: "a participant lets its locks go when it votes, to shorten the time in which others wait, and not \
                      when it learns the decision",
            anomaly: "two transfers start from the same balance, and one of them is lost",
            shows: Shows::Live,
            plan: Some(include_str!("plans/early-lock-release.json")),
        },
    ),
    (
        Bug::PartialVisibility,
        BugInfo {
            name: "partial-visibility",
            summary: "reads take no locks, and see of a transfer what each participant has installed so far: the \
                      fractured reads of stores that commit atomically and read as they like",
            anomaly: "a read sees a transfer on one side only, and the total is wrong",
            shows: Shows::Live,
            plan: Some(include_str!("plans/partial-visibility.json")),
        },
    ),
    (
        Bug::RecoveryGuessesAbort,
        BugInfo {
            name: "recovery-guesses-abort",
            summary: "a coordinator that starts again tells everybody to abort what it had not finished, also what \
                      its log says is committed",
            anomaly: "one participant commits and another aborts the same transaction",
            shows: Shows::Live,
            plan: Some(include_str!("plans/recovery-guesses-abort.json")),
        },
    ),
    (
        Bug::UnilateralAbort,
        BugInfo {
            name: "unilateral-abort",
            summary: "a participant that voted yes and hears nothing aborts on its own, as operators do with XA \
                      transactions in doubt: a heuristic decision",
            anomaly: "one participant commits and another aborts the same transaction",
            shows: Shows::Live,
            plan: Some(include_str!("plans/unilateral-abort.json")),
        },
    ),
    (
        Bug::VoteBeforeForce,
        BugInfo {
            name: "vote-before-force",
            summary: "a participant votes yes before its part is on disk, so a power failure takes back what it \
                      promised",
            anomaly: "a committed transfer is installed on one side only",
            shows: Shows::Live,
            plan: Some(include_str!("plans/vote-before-force.json")),
        },
    ),
];

/// All of them, as the harness sees them.
pub(super) const BUGS: &[BugInfo] = &infos(&ALL);

impl Mistake for Bug {
    const CHAPTER: &'static str = "two_phase_commit";
    const ALL: &'static [(Bug, BugInfo)] = &ALL;
}
