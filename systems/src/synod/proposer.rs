//! The proposer: it asks what may have been chosen before it proposes anything (2.2).

use std::collections::BTreeSet;
use std::time::Duration;

use rand::RngExt;
use rashomon_core::{NodeId, Probe};

use super::bugs::Bug;
use super::decree::Decree;
use super::message::Step;
use super::node::{Cx, Timer};
use super::value::{Value, Vote};
use crate::paxos::Ballot;

/// How often the wait doubles at most, ballot after ballot lost: duelling proposers must leave each other time (2.4).
const MOST_DOUBLINGS: u32 = 4;

/// What a proposer knows. Nothing of it needs to be on disk: see [`Decree::next_ballot`].
#[derive(Debug, Default)]
pub(super) struct Proposer {
    /// What it would propose if it could choose: what its first client asked for.
    pub(super) wish: Option<Value>,
    /// Its latest ballot in the life of this process.
    ballot: Ballot,
    /// The highest ballot of others that it heard of.
    highest: Ballot,
    phase: Phase,
    /// How many ballots it gave up since it was asked.
    defeats: u32,
}

/// How far it got with its ballot.
#[derive(Debug, Default)]
enum Phase {
    /// Nobody asked for anything that is not answered.
    #[default]
    Idle,
    /// It gave its ballot up and will begin another.
    Waiting,
    /// Phase 1: it gathers promises.
    Preparing(Promises),
    /// Phase 2: what it proposes is out of its hands, and the learners will tell.
    Proposing,
}

/// The promises so far.
#[derive(Debug, Default)]
struct Promises {
    of: BTreeSet<NodeId>,
    /// Of all proposals that these acceptors have accepted, that of the highest ballot.
    highest: Option<Vote>,
}

impl Promises {
    /// Takes a promise into account: of the proposals told of, that of the highest ballot counts (P2c).
    fn take(&mut self, acceptor: NodeId, vote: Option<Vote>, first_wins: bool) {
        self.of.insert(acceptor);
        self.highest = match (self.highest, vote) {
            (Some(highest), Some(vote)) if vote.ballot > highest.ballot && !first_wins => Some(vote),
            (Some(highest), _) => Some(highest),
            (None, vote) => vote,
        };
    }
}

impl Decree {
    /// Whether its proposer is at work, or will be when it has waited.
    pub(super) fn is_proposing(&self) -> bool {
        !matches!(self.proposer.phase, Phase::Idle)
    }

    /// A ballot that this node never used. Each of its own is promised by its own acceptor, durably, before anybody
    /// hears of it, so the promise tells a new life of the process what the old ones may have used.
    fn next_ballot(&self) -> Ballot {
        let promised = self.acceptor.promised;
        if self.has(Bug::BallotReused) && promised.node == self.config.me && promised > self.proposer.ballot {
            return promised;
        }
        let highest = promised.max(self.proposer.highest).max(self.proposer.ballot);
        Ballot { round: highest.round + 1, node: self.config.me }
    }

    /// Phase 1a: begins a ballot, and will begin a higher one if nothing comes of it.
    pub(super) fn begin(&mut self, cx: &mut Cx<'_>) {
        let ballot = self.next_ballot();
        self.proposer.ballot = ballot;
        self.proposer.phase = Phase::Preparing(Promises::default());
        self.promise(ballot, cx);
        cx.probe(Probe::new("prepare").with("key", &*self.key).with("ballot", ballot));
        self.broadcast(Step::Prepare { ballot }, cx);
        self.wait(cx);
        self.on_promise(self.config.me, ballot, self.acceptor.vote, cx);
    }

    /// Counts a promise. With those of a majority it knows what it must propose, or that it may choose.
    pub(super) fn on_promise(
        &mut self,
        acceptor: NodeId,
        ballot: Ballot,
        vote: Option<Vote>,
        cx: &mut Cx<'_>,
    ) {
        let first_wins = self.has(Bug::HighestNotAdopted);
        let Phase::Preparing(promises) = &mut self.proposer.phase else { return };
        if ballot != self.proposer.ballot {
            return;
        }
        promises.take(acceptor, vote, first_wins);
        if promises.of.len() < self.config.quorum() {
            return;
        }
        let promises = std::mem::take(promises);
        match promises.highest.map(|vote| vote.value).or(self.proposer.wish) {
            Some(value) => self.propose(&promises, value, cx),
            None => self.nothing_is_chosen(cx),
        }
    }

    /// Phase 2a.
    fn propose(&mut self, promises: &Promises, value: Value, cx: &mut Cx<'_>) {
        let vote = Vote { ballot: self.proposer.ballot, value };
        self.proposer.phase = Phase::Proposing;
        let acceptors: Vec<u16> = promises.of.iter().map(|node| node.0).collect();
        cx.probe(
            Probe::new("propose")
                .with("key", &*self.key)
                .with("ballot", vote.ballot)
                .with("value", value)
                .with("promised", acceptors)
                .with("adopted", promises.highest.map_or(Ballot::default(), |vote| vote.ballot)),
        );
        self.broadcast(Step::Accept { vote }, cx);
        if vote.ballot >= self.acceptor.promised {
            self.accept(vote, cx);
        }
    }

    /// A majority has accepted nothing, and nobody here wants to propose anything.
    fn nothing_is_chosen(&mut self, cx: &mut Cx<'_>) {
        self.rest(cx);
        self.answer(None, cx);
    }

    /// Gives up a ballot of which an acceptor will have nothing.
    pub(super) fn on_preempted(&mut self, promised: Ballot, cx: &mut Cx<'_>) {
        self.proposer.highest = self.proposer.highest.max(promised);
        match self.proposer.phase {
            Phase::Idle | Phase::Waiting => {}
            Phase::Preparing(_) | Phase::Proposing => {
                if promised > self.proposer.ballot {
                    self.proposer.phase = Phase::Waiting;
                    self.proposer.defeats += 1;
                    self.wait(cx);
                }
            }
        }
    }

    /// It has waited long enough: for answers, or for another proposer to get through.
    pub(super) fn on_retry(&mut self, cx: &mut Cx<'_>) {
        match self.proposer.phase {
            Phase::Idle => return,
            Phase::Waiting => {}
            Phase::Preparing(_) | Phase::Proposing => self.proposer.defeats += 1,
        }
        self.begin(cx);
    }

    /// Waits for a time that differs between nodes and grows with every defeat.
    fn wait(&self, cx: &mut Cx<'_>) {
        let factor = 1 << self.proposer.defeats.min(MOST_DOUBLINGS);
        let shortest = self.config.retry_min.as_nanos() as u64;
        let longest = (self.config.retry_max.as_nanos() as u64).saturating_mul(factor);
        let wait = Duration::from_nanos(cx.rng().random_range(shortest..=longest));
        cx.set_timer(Timer::Retry { key: self.key.clone() }, wait);
    }

    /// Has no more to do: what its clients asked is answered.
    pub(super) fn rest(&mut self, cx: &mut Cx<'_>) {
        if self.is_proposing() {
            self.proposer.phase = Phase::Idle;
            self.proposer.wish = None;
            self.proposer.defeats = 0;
            cx.cancel_timer(Timer::Retry { key: self.key.clone() });
        }
    }
}
