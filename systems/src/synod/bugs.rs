//! The seeded bugs: each is one small mistake that somebody made, and nothing else.

use rashomon_core::{BugInfo, Shows};

use crate::chapter::{Mistake, infos};

/// A mistake that a node can be told to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bug {
    /// An acceptor says that it accepted before that is on disk: two lines are swapped.
    AcceptedBeforeDisk,
    /// A learner counts acceptors without looking at the ballots in which they accepted.
    AcceptsCountedAcrossBallots,
    /// A proposer that starts again takes the ballot on its disk for unused.
    BallotReused,
    /// Of several accepted values a proposer takes the first that it is told of: a comparison is missing.
    HighestNotAdopted,
    /// A promise is not written down.
    PromiseForgotten,
    /// A quorum is half of the nodes: a `+ 1` is missing.
    QuorumOfHalf,
}

/// Each with what the harness is told about it.
const ALL: [(Bug, BugInfo); 6] = [
    (
        Bug::AcceptedBeforeDisk,
        BugInfo {
            name: "accepted-before-disk",
            summary: "an acceptor tells the learners that it accepted before that is on disk: stable storage comes \
                      first (2.5)",
            anomaly: "a value is chosen, nobody remembers it after a power failure, and another is chosen",
            shows: Shows::Live,
            plan: Some(include_str!("plans/accepted-before-disk.json")),
        },
    ),
    (
        Bug::AcceptsCountedAcrossBallots,
        BugInfo {
            name: "accepts-counted-across-ballots",
            summary: "a learner counts acceptors and does not look at the ballots in which they accepted",
            anomaly: "a value is taken for chosen that no majority accepted",
            shows: Shows::Live,
            plan: None,
        },
    ),
    (
        Bug::BallotReused,
        BugInfo {
            name: "ballot-reused",
            summary: "a proposer that starts again finds a ballot of its own on its disk and goes on with it, although \
                      it has forgotten what it proposed there",
            anomaly: "two values are proposed in one ballot",
            shows: Shows::Live,
            plan: Some(include_str!("plans/ballot-reused.json")),
        },
    ),
    (
        Bug::HighestNotAdopted,
        BugInfo {
            name: "highest-not-adopted",
            summary: "of the values that acceptors report, a proposer takes the first and not that of the highest \
                      ballot: half of P2c",
            anomaly: "a chosen value is replaced by another",
            shows: Shows::Live,
            plan: None,
        },
    ),
    (
        Bug::PromiseForgotten,
        BugInfo {
            name: "promise-forgotten",
            summary: "an acceptor keeps its promise in memory alone, and starts again with what it accepted last",
            anomaly: "a promise goes back; a value is accepted below it",
            shows: Shows::Live,
            plan: None,
        },
    ),
    (
        Bug::QuorumOfHalf,
        BugInfo {
            name: "quorum-of-half",
            summary: "a quorum is n/2 nodes instead of n/2 + 1, so two of five decide, and two others as well",
            anomaly: "two values are chosen",
            shows: Shows::Live,
            plan: None,
        },
    ),
];

/// All of them, as the harness sees them.
pub(super) const BUGS: &[BugInfo] = &infos(&ALL);

impl Mistake for Bug {
    const CHAPTER: &'static str = "synod";
    const ALL: &'static [(Bug, BugInfo)] = &ALL;
}
