//! What a follower does with entries: checks that the logs agree, repairs its own, acknowledges (5.3).

use rashomon_core::{NodeId, Probe};

use super::bugs::Bug;
use super::log::Entry;
use super::message::{Hint, Message};
use super::node::{Cx, RaftNode};
use super::position::{Index, Position};
use super::record::Record;

impl RaftNode {
    /// Takes an `AppendEntries` of its leader.
    pub(super) fn on_append(
        &mut self,
        from: NodeId,
        prev: Position,
        mut entries: Vec<Entry>,
        commit: Index,
        round: u64,
        cx: &mut Cx<'_>,
    ) {
        if let Some(hint) = self.disagrees(prev) {
            cx.send(from, Message::Rejected { term: self.term, prev: prev.index, hint, round });
            return;
        }
        let matched = prev.index.plus(entries.len());
        let acknowledgement = Message::Appended { term: self.term, matched, round };
        // Whatever this log holds already stays: an old message must not undo what a newer one did.
        let base = self.log.base().index;
        let known = (prev.index.next().0..)
            .map(Index)
            .zip(&entries)
            .take_while(|(index, entry)| *index <= base || self.log.term_at(*index) == Some(entry.term))
            .count();
        let first = prev.index.plus(known).next();
        let fresh = entries.split_off(known);
        if self.has(Bug::AckBeforePersist) {
            cx.send(from, acknowledgement.clone());
        }
        let conflict = !fresh.is_empty() || self.has(Bug::TruncateWithoutConflict);
        if conflict && first <= self.log.last().index {
            self.truncate(first, cx);
        }
        if !fresh.is_empty() {
            for entry in &fresh {
                self.log.push(entry.clone());
            }
            cx.persist(Record::Append { first, entries: fresh });
            self.probe_appended(cx);
        }
        if !self.has(Bug::AckBeforePersist) {
            cx.send(from, acknowledgement);
        }
        // Beyond `matched` this log may still differ from the leader's.
        if commit.min(matched) > self.commit {
            self.commit = commit.min(matched);
            self.apply(cx);
        }
    }

    /// Where the log parts from one that has `prev`; `None` when it has `prev` too, or has discarded it.
    ///
    /// What was discarded was committed, and is the same in every leader's log (5.4.3).
    fn disagrees(&self, prev: Position) -> Option<Hint> {
        if prev.index < self.log.base().index {
            return None;
        }
        match self.log.term_at(prev.index) {
            None => Some(Hint { term: None, first: self.log.last().index.next() }),
            Some(term) if term == prev.term => None,
            Some(term) => Some(Hint { term: Some(term), first: self.log.first_of_term_at(prev.index) }),
        }
    }

    fn truncate(&mut self, from: Index, cx: &mut Cx<'_>) {
        let last = self.log.last().index;
        self.log.truncate_from(from);
        cx.persist(Record::Truncate { from });
        cx.probe(
            Probe::new("truncate")
                .with("term", self.term)
                .with("from", from)
                .with("commit", self.commit)
                .with("last", last),
        );
    }

    /// Says what its log ends with now.
    pub(super) fn probe_appended(&self, cx: &mut Cx<'_>) {
        let last = self.log.last();
        if let Some(chain) = self.log.chain_at(last.index) {
            cx.probe(
                Probe::new("append").with("index", last.index).with("term", last.term).with("chain", chain),
            );
        }
    }
}
