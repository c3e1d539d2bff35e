//! The seeded bugs: each is one small mistake that somebody made, and nothing else.

use rashomon_core::{BugInfo, Shows};

use crate::chapter::{Mistake, infos};

/// A mistake that a node can be told to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bug {
    /// The lock server lets a lease last until a time on the wall: a jump of that clock moves the end.
    ClockJumpExtendsLease,
    /// The resource checks the tokens of writes alone.
    FenceOnWritesOnly,
    /// The resource does not check tokens.
    LeaseWithoutFencing,
    /// The lock server frees a lock for anybody who says that he is done: a condition is missing.
    ReleaseByNonOwner,
    /// The lock server forgets who has the locks when it starts again.
    RestartAmnesia,
    /// The lock server forgets how many tokens it gave out when it starts again.
    TokenReused,
}

/// Each with what the harness is told about it.
const ALL: [(Bug, BugInfo); 6] = [
    (
        Bug::ClockJumpExtendsLease,
        BugInfo {
            name: "clock-jump-extends-lease",
            summary: "the lock server reckons leases by the clock on the wall, as Redis did with expiring keys, so a \
                      clock that is set back lets a lease go on",
            anomaly: "a lease is in force after its time",
            shows: Shows::Live,
            plan: Some(include_str!("plans/clock-jump-extends-lease.json")),
        },
    ),
    (
        Bug::FenceOnWritesOnly,
        BugInfo {
            name: "fence-on-writes-only",
            summary: "the resource checks the tokens of writes and not of reads, so what a section has read may \
                      change before it writes",
            anomaly: "lost update: two sections read the same value",
            shows: Shows::Live,
            plan: Some(include_str!("plans/paused-holder.json")),
        },
    ),
    (
        Bug::LeaseWithoutFencing,
        BugInfo {
            name: "lease-without-fencing",
            summary: "the resource does not check tokens, as in early HBase, where a region server that stood still \
                      for a garbage collection wrote on after its lease had run out",
            anomaly: "two critical sections overlap",
            shows: Shows::Live,
            plan: Some(include_str!("plans/paused-holder.json")),
        },
    ),
    (
        Bug::ReleaseByNonOwner,
        BugInfo {
            name: "release-by-non-owner",
            summary: "the lock server frees a lock for whoever says that he is done, as a plain DEL does in Redis: a \
                      holder whose lease ran out frees the lock of the next",
            anomaly: "a lock is freed under its holder's feet",
            shows: Shows::Live,
            plan: Some(include_str!("plans/paused-holder.json")),
        },
    ),
    (
        Bug::RestartAmnesia,
        BugInfo {
            name: "restart-amnesia",
            summary: "the lock server does not remember who has the locks when it starts again, and gives them to \
                      the next who asks",
            anomaly: "two leases of one lock at a time",
            shows: Shows::Live,
            plan: Some(include_str!("plans/restart-amnesia.json")),
        },
    ),
    (
        Bug::TokenReused,
        BugInfo {
            name: "token-reused",
            summary: "the lock server counts tokens in memory, so it begins again at 1 when it starts again",
            anomaly: "two critical sections with the same token",
            shows: Shows::Live,
            plan: None,
        },
    ),
];

/// All of them, as the harness sees them.
pub(super) const BUGS: &[BugInfo] = &infos(&ALL);

impl Mistake for Bug {
    const CHAPTER: &'static str = "lock";
    const ALL: &'static [(Bug, BugInfo)] = &ALL;
}
