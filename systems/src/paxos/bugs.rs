//! The seeded bugs: each is one small mistake that somebody made, and nothing else.

use rashomon_core::{BugInfo, Shows};

use crate::chapter::{Mistake, infos};

/// A mistake that a node can be told to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bug {
    /// A learner counts acceptors without looking at the ballots in which they accepted.
    AcceptsCountedAcrossBallots,
    /// A proposer that starts again takes the ballot on its disk for unused.
    BallotReused,
    /// A new leader takes slots that an acceptor has discarded for slots in which nothing was accepted.
    DiscardedTakenForEmpty,
    /// Of several accepted values a new leader takes the first that it is told of: a comparison is missing.
    HighestNotAdopted,
    /// A promise is not written down.
    PromiseForgotten,
    /// A quorum is half of the nodes: a `+ 1` is missing.
    QuorumOfHalf,
}

/// Each with what the harness is told about it.
const ALL: [(Bug, BugInfo); 6] = [
    (
        Bug::AcceptsCountedAcrossBallots,
        BugInfo {
            name: "accepts-counted-across-ballots",
            summary: "a learner counts acceptors per slot and does not look at the ballots in which they accepted",
            anomaly: "a value is taken for chosen that no quorum accepted",
            shows: Shows::Live,
            plan: Some(include_str!("plans/accepts-counted-across-ballots.json")),
        },
    ),
    (
        Bug::BallotReused,
        BugInfo {
            name: "ballot-reused",
            summary: "a proposer that starts again finds a ballot of its own on its disk and goes on with it, although \
                      it has forgotten what it proposed there",
            anomaly: "two values are proposed for one slot in one ballot",
            shows: Shows::Live,
            plan: Some(include_str!("plans/ballot-reused.json")),
        },
    ),
    (
        Bug::DiscardedTakenForEmpty,
        BugInfo {
            name: "discarded-taken-for-empty",
            summary: "a new leader that lags behind takes slots which an acceptor has discarded for slots in which \
                      nothing was accepted, and fills them anew: what the papers leave out when they say that logs are \
                      truncated",
            anomaly: "a chosen value is replaced by another",
            shows: Shows::Live,
            plan: Some(include_str!("plans/discarded-taken-for-empty.json")),
        },
    ),
    (
        Bug::HighestNotAdopted,
        BugInfo {
            name: "highest-not-adopted",
            summary: "of the values that acceptors report for a slot, a new leader takes the first and not that of the \
                      highest ballot: half of P2c",
            anomaly: "a chosen value is replaced by another",
            shows: Shows::Live,
            plan: Some(include_str!("plans/highest-not-adopted.json")),
        },
    ),
    (
        Bug::PromiseForgotten,
        BugInfo {
            name: "promise-forgotten",
            summary: "an acceptor keeps its promise in memory alone, and starts again with what it accepted last",
            anomaly: "a promise goes back; a value is accepted below it",
            shows: Shows::Live,
            plan: Some(include_str!("plans/promise-forgotten.json")),
        },
    ),
    (
        Bug::QuorumOfHalf,
        BugInfo {
            name: "quorum-of-half",
            summary: "a quorum is n/2 nodes instead of n/2 + 1, so two of five decide, and two others as well",
            anomaly: "two values are chosen for one slot",
            shows: Shows::Live,
            plan: Some(include_str!("plans/quorum-of-half.json")),
        },
    ),
];

/// All of them, as the harness sees them.
pub(super) const BUGS: &[BugInfo] = &infos(&ALL);

impl Mistake for Bug {
    const CHAPTER: &'static str = "paxos";
    const ALL: &'static [(Bug, BugInfo)] = &ALL;
}
