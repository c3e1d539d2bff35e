//! A critical section, from the request that asked for it to the answer.

use std::collections::BTreeSet;

use rashomon_core::{NodeId, Ticket};

use super::token::{Owner, Round, Token};

/// How many times a section writes: more than once, so that it can be cut off in its midst.
pub(super) const WRITES: u64 = 2;

/// One piece of work under a lock.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) owner: Owner,
    /// Who is to be answered.
    pub(super) ticket: Ticket,
    /// The lock, and the key at the resource that it protects.
    pub(super) key: String,
    pub(super) work: u64,
    pub(super) stage: Stage,
    pub(super) claim: Claim,
}

/// How far a section is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It has no lease yet. Nothing was done.
    Acquiring,
    /// It asked the resource for the value.
    Opening,
    /// It works; then comes this write.
    Working { read: u64, step: u64 },
    /// It asked the resource to write.
    Writing { read: u64, step: u64 },
}

/// What a section knows of its lease.
#[derive(Debug, Default)]
pub(super) struct Claim {
    /// The round that is under way, or was last.
    pub(super) round: Round,
    /// Which servers granted it.
    granted: BTreeSet<NodeId>,
    /// Which denied it.
    denied: BTreeSet<NodeId>,
    /// The last round that enough servers granted.
    confirmed: Round,
    /// The last round whose time is over.
    over: Round,
    /// The token of the lease.
    pub(super) token: Option<Token>,
}

/// What the answer of one more server means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Not decided.
    Open,
    /// Enough servers granted the round: the lease lasts as long as one that began with the round.
    Won,
    /// So many servers denied it that it cannot be granted any more.
    Lost,
}

impl Claim {
    /// Begins another round.
    pub(super) fn begin_round(&mut self) -> Round {
        self.round = self.round.next();
        self.granted.clear();
        self.denied.clear();
        self.round
    }

    /// Whether that server has answered this round.
    pub(super) fn answered(&self, server: NodeId) -> bool {
        self.granted.contains(&server) || self.denied.contains(&server)
    }

    /// Takes a grant into account. What answers an earlier round comes too late.
    pub(super) fn granted(&mut self, server: NodeId, round: Round, quorum: usize) -> Standing {
        if round != self.round || round <= self.over || self.confirmed == round {
            return Standing::Open;
        }
        self.granted.insert(server);
        if self.granted.len() < quorum {
            return Standing::Open;
        }
        self.confirmed = round;
        Standing::Won
    }

    /// Takes a denial into account.
    pub(super) fn denied(&mut self, server: NodeId, round: Round, servers: usize, quorum: usize) -> Standing {
        if round != self.round || self.confirmed == round {
            return Standing::Open;
        }
        self.denied.insert(server);
        if servers - self.denied.len() < quorum { Standing::Lost } else { Standing::Open }
    }

    /// Whether the round cannot be granted any more.
    pub(super) fn lost(&self, servers: usize, quorum: usize) -> bool {
        servers - self.denied.len() < quorum
    }

    /// The time of a round is over. Tells whether the section has no lease from now on.
    pub(super) fn expire(&mut self, round: Round) -> bool {
        self.over = self.over.max(round);
        self.confirmed <= self.over
    }

    /// The rounds whose time is not over.
    pub(super) fn lasting(&self) -> impl Iterator<Item = Round> + use<> {
        (self.over.0 + 1..=self.round.0).map(Round)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVERS: [NodeId; 3] = [NodeId(1), NodeId(2), NodeId(3)];

    #[test]
    fn a_round_is_won_by_a_majority_and_lost_when_none_is_possible() {
        let mut claim = Claim::default();
        let first = claim.begin_round();
        assert_eq!(claim.granted(SERVERS[0], first, 2), Standing::Open);
        assert_eq!(claim.granted(SERVERS[0], first, 2), Standing::Open, "one server has one voice");
        assert_eq!(claim.denied(SERVERS[1], first, 3, 2), Standing::Open);
        assert_eq!(claim.denied(SERVERS[2], first, 3, 2), Standing::Lost);
        let second = claim.begin_round();
        assert_eq!(claim.granted(SERVERS[2], first, 2), Standing::Open, "an answer of the round before");
        assert_eq!(claim.granted(SERVERS[0], second, 2), Standing::Open);
        assert_eq!(claim.granted(SERVERS[2], second, 2), Standing::Won);
    }

    #[test]
    fn a_lease_is_over_when_the_last_confirmed_round_is() {
        let mut claim = Claim::default();
        let first = claim.begin_round();
        assert_eq!(claim.granted(SERVERS[0], first, 1), Standing::Won);
        let second = claim.begin_round();
        assert_eq!(claim.lasting().collect::<Vec<_>>(), [first, second]);
        assert_eq!(claim.granted(SERVERS[0], second, 1), Standing::Won);
        assert!(!claim.expire(first), "it was renewed");
        assert!(claim.expire(second));
        assert_eq!(claim.lasting().count(), 0);
    }

    #[test]
    fn a_grant_that_comes_after_its_time_is_none() {
        let mut claim = Claim::default();
        let first = claim.begin_round();
        assert!(claim.expire(first), "nothing was confirmed");
        assert_eq!(claim.granted(SERVERS[0], first, 1), Standing::Open);
    }
}
