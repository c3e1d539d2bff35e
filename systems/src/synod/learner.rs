//! The learner: it counts who accepted what (2.3).

use std::collections::BTreeMap;

use rashomon_core::{NodeId, Probe};

use super::bugs::Bug;
use super::decree::Decree;
use super::node::Cx;
use super::value::{Value, Vote};

/// What a learner knows. Nothing of it is on disk: what is chosen can always be found out again.
#[derive(Debug, Default)]
pub(super) struct Learner {
    /// What each acceptor accepted last, as far as this node heard.
    votes: BTreeMap<NodeId, Vote>,
    /// What is chosen.
    pub(super) chosen: Option<Value>,
}

impl Decree {
    /// Takes an acceptance into account. What a majority accepted in one ballot is chosen (2.2).
    ///
    /// Of each acceptor the last acceptance is enough: that a majority of an older ballot goes unnoticed, because one
    /// of it has accepted anew, costs time and no safety.
    pub(super) fn on_accepted(&mut self, acceptor: NodeId, vote: Vote, cx: &mut Cx<'_>) {
        let across_ballots = self.has(Bug::AcceptsCountedAcrossBallots);
        let Learner { votes, chosen } = &mut self.learner;
        if chosen.is_some() || votes.get(&acceptor).is_some_and(|last| last.ballot >= vote.ballot) {
            return;
        }
        votes.insert(acceptor, vote);
        let count = votes.values().filter(|other| across_ballots || other.ballot == vote.ballot).count();
        if count >= self.config.quorum() {
            cx.probe(
                Probe::new("chosen")
                    .with("key", &*self.key)
                    .with("ballot", vote.ballot)
                    .with("value", vote.value),
            );
            votes.clear();
            *chosen = Some(vote.value);
            self.rest(cx);
            self.answer(Some(vote.value), cx);
        }
    }
}
