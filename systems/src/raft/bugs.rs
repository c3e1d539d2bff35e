//! The seeded bugs: each is one small mistake that somebody made, and nothing else.

use rashomon_core::{BugInfo, Shows};

use crate::chapter::{Mistake, infos};

/// A mistake that a node can be told to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bug {
    /// A follower acknowledges entries before they are on disk: two lines in the wrong order.
    AckBeforePersist,
    /// A leader commits entries of earlier terms by counting: a condition is missing.
    CommitEarlierTerm,
    /// A leader counts its own log twice: it stands in the list, and is added once more.
    LeaderCountsTwice,
    /// A leader answers reads without asking whether it still leads: a round is not waited for.
    LocalRead,
    /// A fresh leader changes the membership before it has committed anything: a condition is missing.
    MembershipBeforeCommit,
    /// A fresh leader takes its own commit index for the read index: a condition is missing.
    ReadBeforeNoop,
    /// A repeated request is run again: the session table is written and not read.
    RetryNotDeduplicated,
    /// A snapshot holds the data without the session table.
    SessionsNotInSnapshot,
    /// A snapshot is installed although the node is further: a condition is missing.
    StaleSnapshotInstalled,
    /// A term that somebody else began is not written down.
    TermNotPersisted,
    /// Entries behind those of a message are cut off although nothing conflicts: a condition is missing.
    TruncateWithoutConflict,
    /// Voters compare the length of logs and not their last terms.
    VoteByLengthAlone,
    /// A vote is not written down.
    VoteNotPersisted,
}

/// Each with what the harness is told about it.
const ALL: [(Bug, BugInfo); 13] = [
    (
        Bug::AckBeforePersist,
        BugInfo {
            name: "ack-before-persist",
            summary: "a follower acknowledges entries before they are on disk, as stores do that leave syncing to the \
                      operating system; a crash of the process alone never shows it",
            anomaly: "an acknowledged write is lost when the power fails",
            shows: Shows::Live,
            plan: Some(include_str!("plans/ack-before-persist.json")),
        },
    ),
    (
        Bug::CommitEarlierTerm,
        BugInfo {
            name: "commit-earlier-term",
            summary: "a leader commits entries of earlier terms by counting replicas: the trap of the paper's Figure \
                      8, in which many first implementations were caught",
            anomaly: "a committed entry is overwritten by the leader of a later term",
            // A leader must lose its lead between two messages to one follower, and the next one must win with a log
            // that ends in a term between. In virtual time a plan can aim at that instant, against processes nobody can.
            shows: Shows::Sim,
            plan: Some(include_str!("plans/commit-earlier-term.json")),
        },
    ),
    (
        Bug::LeaderCountsTwice,
        BugInfo {
            name: "leader-counts-twice",
            summary: "a leader is in its own table of followers and counts itself on top, so two of five commit; an \
                      off-by-one that students of Raft make often",
            anomaly: "a leader in the minority commits and acknowledges what the majority never sees",
            shows: Shows::Live,
            plan: Some(include_str!("plans/leader-counts-twice.json")),
        },
    ),
    (
        Bug::LocalRead,
        BugInfo {
            name: "local-read",
            summary: "a leader answers reads from its own state without a quorum's word that it still leads, as etcd's \
                      and Consul's default reads did when they were first tested",
            anomaly: "a leader that is cut off serves stale reads",
            shows: Shows::Live,
            plan: Some(include_str!("plans/local-read.json")),
        },
    ),
    (
        Bug::MembershipBeforeCommit,
        BugInfo {
            name: "membership-before-commit",
            summary: "a fresh leader begins a change of the membership before an entry of its own term is committed, as \
                      the algorithm was published; Ongaro told of it, and of the condition that mends it, in 2015",
            anomaly: "two configurations without a common quorum: a committed entry is lost",
            // Two leaders in a row must each begin a change that the other does not see, within a few messages.
            shows: Shows::Sim,
            plan: Some(include_str!("plans/membership-before-commit.json")),
        },
    ),
    (
        Bug::ReadBeforeNoop,
        BugInfo {
            name: "read-before-noop",
            summary: "a fresh leader takes its commit index for the read index before an entry of its own term is \
                      committed: a step of ReadIndex that is easily forgotten",
            anomaly: "a fresh leader serves a read that misses acknowledged writes",
            // The round that confirms the read carries the very entry whose commitment it should wait for, so the
            // window is the few messages of a follower whose log needs repair.
            shows: Shows::Sim,
            plan: None,
        },
    ),
    (
        Bug::RetryNotDeduplicated,
        BugInfo {
            name: "retry-not-deduplicated",
            summary: "a request that a client repeats is run again, as it is wherever retries meet a log without \
                      sessions",
            anomaly: "a compare-and-set that took effect is answered as failed; an overwritten value comes back",
            shows: Shows::Live,
            plan: Some(include_str!("plans/retry-not-deduplicated.json")),
        },
    ),
    (
        Bug::SessionsNotInSnapshot,
        BugInfo {
            name: "sessions-not-in-snapshot",
            summary: "the snapshot holds the data and not the session table, so a node that begins from it runs \
                      repeated requests again",
            anomaly: "the states of nodes differ after the same entry",
            shows: Shows::Live,
            plan: Some(include_str!("plans/sessions-not-in-snapshot.json")),
        },
    ),
    (
        Bug::StaleSnapshotInstalled,
        BugInfo {
            name: "stale-snapshot-installed",
            summary: "a snapshot that was delayed or repeated is installed over a newer state",
            anomaly: "the state of a node goes back",
            // A chunk must be repeated after its snapshot was installed and more was applied.
            shows: Shows::Sim,
            plan: Some(include_str!("plans/stale-snapshot-installed.json")),
        },
    ),
    (
        Bug::TermNotPersisted,
        BugInfo {
            name: "term-not-persisted",
            summary: "a follower that learns of a newer term from its leader does not write it down",
            anomaly: "a node that starts again is back in an old term, and obeys the leader of that",
            shows: Shows::Live,
            plan: Some(include_str!("plans/term-not-persisted.json")),
        },
    ),
    (
        Bug::TruncateWithoutConflict,
        BugInfo {
            name: "truncate-without-conflict",
            summary: "a follower cuts its log behind the entries of every message, although none conflicts: the \
                      reading of Figure 2's step 3 that a delayed message punishes",
            anomaly: "an acknowledged entry is cut off",
            shows: Shows::Live,
            plan: Some(include_str!("plans/truncate-without-conflict.json")),
        },
    ),
    (
        Bug::VoteByLengthAlone,
        BugInfo {
            name: "vote-by-length-alone",
            summary: "voters compare the length of logs and not their last terms: half of 5.4.1",
            anomaly: "a leader is elected without a committed entry",
            shows: Shows::Sim,
            plan: None,
        },
    ),
    (
        Bug::VoteNotPersisted,
        BugInfo {
            name: "vote-not-persisted",
            summary: "a vote is kept in memory alone, so a node that starts again may vote a second time",
            anomaly: "a node votes twice in one term, and two nodes may lead in it",
            shows: Shows::Live,
            plan: Some(include_str!("plans/vote-not-persisted.json")),
        },
    ),
];

/// All of them, as the harness sees them.
pub(super) const BUGS: &[BugInfo] = &infos(&ALL);

impl Mistake for Bug {
    const CHAPTER: &'static str = "raft";
    const ALL: &'static [(Bug, BugInfo)] = &ALL;
}
