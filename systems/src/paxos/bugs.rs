//! The seeded bugs: each is one small mistake that somebody made, and nothing else.

use std::str::FromStr;

use rashomon_core::{BugInfo, Shows};

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

/// All of them, as the harness sees them.
pub(super) const BUGS: &[BugInfo] = &[
    BugInfo {
        name: "accepts-counted-across-ballots",
        summary: "a learner counts acceptors per slot and does not look at the ballots in which they accepted",
        anomaly: "a value is taken for chosen that no quorum accepted",
        shows: Shows::Live,
        plan: Some(include_str!("plans/accepts-counted-across-ballots.json")),
    },
    BugInfo {
        name: "ballot-reused",
        summary: "a proposer that starts again finds a ballot of its own on its disk and goes on with it, although \
                  it has forgotten what it proposed there",
        anomaly: "two values are proposed for one slot in one ballot",
        shows: Shows::Live,
        plan: Some(include_str!("plans/ballot-reused.json")),
    },
    BugInfo {
        name: "discarded-taken-for-empty",
        summary: "a new leader that lags behind takes slots which an acceptor has discarded for slots in which \
                  nothing was accepted, and fills them anew: what the papers leave out when they say that logs are \
                  truncated",
        anomaly: "a chosen value is replaced by another",
        shows: Shows::Live,
        plan: Some(include_str!("plans/discarded-taken-for-empty.json")),
    },
    BugInfo {
        name: "highest-not-adopted",
        summary: "of the values that acceptors report for a slot, a new leader takes the first and not that of the \
                  highest ballot: half of P2c",
        anomaly: "a chosen value is replaced by another",
        shows: Shows::Live,
        plan: Some(include_str!("plans/highest-not-adopted.json")),
    },
    BugInfo {
        name: "promise-forgotten",
        summary: "an acceptor keeps its promise in memory alone, and starts again with what it accepted last",
        anomaly: "a promise goes back; a value is accepted below it",
        shows: Shows::Live,
        plan: Some(include_str!("plans/promise-forgotten.json")),
    },
    BugInfo {
        name: "quorum-of-half",
        summary: "a quorum is n/2 nodes instead of n/2 + 1, so two of five decide, and two others as well",
        anomaly: "two values are chosen for one slot",
        shows: Shows::Live,
        plan: Some(include_str!("plans/quorum-of-half.json")),
    },
];

impl Bug {
    const NAMED: [(&'static str, Bug); 6] = [
        ("accepts-counted-across-ballots", Bug::AcceptsCountedAcrossBallots),
        ("ballot-reused", Bug::BallotReused),
        ("discarded-taken-for-empty", Bug::DiscardedTakenForEmpty),
        ("highest-not-adopted", Bug::HighestNotAdopted),
        ("promise-forgotten", Bug::PromiseForgotten),
        ("quorum-of-half", Bug::QuorumOfHalf),
    ];
}

impl FromStr for Bug {
    type Err = String;

    fn from_str(text: &str) -> Result<Bug, String> {
        Bug::NAMED.iter().find_map(|(name, bug)| (*name == text).then_some(*bug)).ok_or_else(|| {
            let names: Vec<&str> = Bug::NAMED.iter().map(|(name, _)| *name).collect();
            format!("paxos has no bug `{text}`; it has {}", names.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bug_is_listed_under_its_name_once() {
        let listed: Vec<&str> = BUGS.iter().map(|info| info.name).collect();
        let named: Vec<&str> = Bug::NAMED.iter().map(|(name, _)| *name).collect();
        assert_eq!(listed, named);
    }

    #[test]
    fn every_plan_is_an_object_of_version_1() {
        for info in BUGS {
            let Some(plan) = info.plan else { continue };
            let plan: serde_json::Value = serde_json::from_str(plan).expect(info.name);
            assert_eq!(plan["version"], 1, "{}", info.name);
            assert!(plan["nemesis"].is_object(), "{}", info.name);
        }
    }
}
