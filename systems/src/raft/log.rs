//! The replicated log: entries behind a base up to which they were discarded.

use std::collections::{BTreeSet, VecDeque};

use rashomon_core::NodeId;
use serde::{Deserialize, Serialize};

use super::position::{Index, Position, Term};
use crate::kv::{Digest, Hasher, Proposal};

/// The bytes of JSON that the entries of one message fill at most: with the rest of the message and the frame
/// around it, they stay below 8 KiB.
const BATCH_BYTES: usize = 6 << 10;

/// What an entry does when it is applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payload {
    /// Nothing: a leader begins its term with it, because only an entry of its own term tells it what is
    /// committed (5.4.2, 8).
    Noop,
    /// A client's command.
    Run(Proposal),
    /// From here on these nodes make up the cluster: in force as soon as it is in a log (dissertation 4.1).
    Configuration(BTreeSet<NodeId>),
}

/// An entry of the log; its index is its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The term of the leader that made it.
    pub term: Term,
    /// What it does.
    #[serde(rename = "do")]
    pub payload: Payload,
}

impl Entry {
    /// The fingerprint of a log that ends with this entry, given that of the log before it.
    fn chain(&self, before: Digest) -> Digest {
        let hasher = Hasher::new("entry").number(before.0).number(self.term.0);
        match &self.payload {
            Payload::Noop => hasher.text("noop"),
            Payload::Run(proposal) => proposal.hash(hasher),
            Payload::Configuration(members) => members
                .iter()
                .fold(hasher.text("configuration"), |hasher, member| hasher.number(member.0.into())),
        }
        .finish()
    }

    fn bytes(&self) -> usize {
        serde_json::to_string(self).expect("an entry is plain data").len() + 1
    }
}

#[derive(Clone, Debug)]
struct Slot {
    entry: Entry,
    chain: Digest,
    bytes: usize,
}

/// The log of one node.
///
/// Beside each entry it keeps the *chain*, a fingerprint of the whole log up to there. Log matching (5.3) then
/// reads: equal index and term, equal chain.
#[derive(Clone, Debug, Default)]
pub(super) struct Log {
    base: Position,
    base_chain: Digest,
    base_members: BTreeSet<NodeId>,
    slots: VecDeque<Slot>,
    /// The configurations behind the base, with their places.
    configurations: VecDeque<(Index, BTreeSet<NodeId>)>,
}

impl Log {
    /// A log without entries, of a cluster that begins with these nodes.
    pub(super) fn of(members: BTreeSet<NodeId>) -> Log {
        Log { base_members: members, ..Log::default() }
    }

    /// A log whose entries up to `base` were discarded; the last configuration among them was `members`.
    pub(super) fn starting_at(base: Position, chain: Digest, members: BTreeSet<NodeId>) -> Log {
        Log { base, base_chain: chain, ..Log::of(members) }
    }

    /// The latest configuration, committed or not.
    pub(super) fn members(&self) -> &BTreeSet<NodeId> {
        self.configurations.back().map_or(&self.base_members, |(_, members)| members)
    }

    /// Where the latest configuration stands; the base, when it stands no further.
    pub(super) fn configured_at(&self) -> Index {
        self.configurations.back().map_or(self.base.index, |(index, _)| *index)
    }

    /// The configuration in force at a place that was not discarded.
    pub(super) fn members_at(&self, place: Index) -> &BTreeSet<NodeId> {
        let behind = self.configurations.iter().rev().find(|(index, _)| *index <= place);
        behind.map_or(&self.base_members, |(_, members)| members)
    }

    /// The last place that was discarded; zero when nothing was.
    pub(super) fn base(&self) -> Position {
        self.base
    }

    /// The place of the last entry.
    pub(super) fn last(&self) -> Position {
        match self.slots.back() {
            None => self.base,
            Some(slot) => Position { term: slot.entry.term, index: self.base.index.plus(self.slots.len()) },
        }
    }

    fn slot(&self, index: Index) -> Option<&Slot> {
        self.slots.get(index.0.checked_sub(self.base.index.0 + 1)? as usize)
    }

    /// The entry there, unless it was discarded or is yet to come.
    pub(super) fn entry(&self, index: Index) -> Option<&Entry> {
        self.slot(index).map(|slot| &slot.entry)
    }

    /// The term there; known for the base too.
    pub(super) fn term_at(&self, index: Index) -> Option<Term> {
        if index == self.base.index {
            Some(self.base.term)
        } else {
            self.entry(index).map(|entry| entry.term)
        }
    }

    /// The fingerprint of the log up to there; known for the base too.
    pub(super) fn chain_at(&self, index: Index) -> Option<Digest> {
        if index == self.base.index { Some(self.base_chain) } else { self.slot(index).map(|slot| slot.chain) }
    }

    /// The first index that has the same term as `index`, as far as the log goes back.
    pub(super) fn first_of_term_at(&self, index: Index) -> Index {
        let term = self.term_at(index);
        let mut first = index;
        while first.prev() > self.base.index && self.term_at(first.prev()) == term {
            first = first.prev();
        }
        first
    }

    /// The last index up to `limit` whose entry has this term.
    pub(super) fn last_of_term(&self, term: Term, limit: Index) -> Option<Index> {
        let mut index = limit.min(self.last().index);
        // Terms never fall along a log, so the search ends where they get lower.
        while let Some(found) = self.term_at(index)
            && found >= term
        {
            if found == term {
                return Some(index);
            }
            if index == self.base.index {
                return None;
            }
            index = index.prev();
        }
        None
    }

    /// Adds an entry and gives its index.
    pub(super) fn push(&mut self, entry: Entry) -> Index {
        let before = self.slots.back().map_or(self.base_chain, |slot| slot.chain);
        let (chain, bytes) = (entry.chain(before), entry.bytes());
        if let Payload::Configuration(members) = &entry.payload {
            self.configurations.push_back((self.last().index.next(), members.clone()));
        }
        self.slots.push_back(Slot { entry, chain, bytes });
        self.last().index
    }

    /// Drops this entry and all that follow.
    pub(super) fn truncate_from(&mut self, index: Index) {
        let keep = index.0.saturating_sub(self.base.index.0 + 1) as usize;
        self.slots.truncate(keep);
        // With its entry a configuration is gone, and the one before it is in force again (dissertation 4.1).
        self.configurations.retain(|(place, _)| *place < index);
    }

    /// Drops all entries up to and with this one, if it is here.
    pub(super) fn discard_to(&mut self, index: Index) {
        if let (Some(term), Some(chain)) = (self.term_at(index), self.chain_at(index)) {
            self.slots.drain(..(index.0 - self.base.index.0) as usize);
            self.base_members = self.members_at(index).clone();
            self.configurations.retain(|(place, _)| *place > index);
            self.base = Position { term, index };
            self.base_chain = chain;
        }
    }

    /// The entries from `first` on that fit into one message: at most `count`, and at least one.
    pub(super) fn batch(&self, first: Index, count: usize) -> Vec<Entry> {
        let mut bytes = 0;
        let skip = first.0.saturating_sub(self.base.index.0 + 1) as usize;
        self.slots
            .iter()
            .skip(skip)
            .take(count)
            .take_while(|slot| {
                let fits = bytes == 0 || bytes + slot.bytes <= BATCH_BYTES;
                bytes += slot.bytes;
                fits
            })
            .map(|slot| slot.entry.clone())
            .collect()
    }

    /// Everything behind the base, in pieces, each with the index of its first entry.
    pub(super) fn pieces(&self) -> Vec<(Index, Vec<Entry>)> {
        let mut pieces = Vec::new();
        let mut first = self.base.index.next();
        while first <= self.last().index {
            let entries = self.batch(first, usize::MAX);
            let next = first.plus(entries.len());
            pieces.push((first, entries));
            first = next;
        }
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kv::{Command, LONGEST_KEY};

    fn log(terms: &[u64]) -> Log {
        let mut log = Log::default();
        for term in terms {
            log.push(Entry { term: Term(*term), payload: Payload::Noop });
        }
        log
    }

    fn position(index: u64, term: u64) -> Position {
        Position { term: Term(term), index: Index(index) }
    }

    #[test]
    fn discarding_keeps_places_and_fingerprints() {
        let mut log = log(&[1, 1, 2, 3]);
        let chain = log.chain_at(Index(4));
        log.discard_to(Index(2));
        assert_eq!(log.base(), position(2, 1));
        assert_eq!(log.last(), position(4, 3));
        assert_eq!(log.term_at(Index(2)), Some(Term(1)));
        assert_eq!(log.term_at(Index(1)), None);
        assert_eq!(log.chain_at(Index(4)), chain);
        log.truncate_from(Index(3));
        assert_eq!(log.last(), position(2, 1));
        log.discard_to(Index(9));
        assert_eq!(log.base(), position(2, 1), "what is not here cannot be discarded");
    }

    #[test]
    fn the_latest_configuration_counts_and_goes_with_its_entry() {
        let members = |count| NodeId::first(count).into_iter().collect::<BTreeSet<NodeId>>();
        let mut log = Log::of(members(5));
        let push = |log: &mut Log, payload| log.push(Entry { term: Term(1), payload });
        push(&mut log, Payload::Noop);
        assert_eq!((log.members(), log.configured_at()), (&members(5), Index::ZERO));
        push(&mut log, Payload::Configuration(members(4)));
        push(&mut log, Payload::Noop);
        push(&mut log, Payload::Configuration(members(3)));
        assert_eq!((log.members(), log.configured_at()), (&members(3), Index(4)));
        assert_eq!([1, 2, 3, 4].map(|at| log.members_at(Index(at)).len()), [5, 4, 4, 3]);
        log.truncate_from(Index(4));
        assert_eq!((log.members(), log.configured_at()), (&members(4), Index(2)));
        log.discard_to(Index(3));
        assert_eq!((log.members(), log.configured_at()), (&members(4), Index(3)));
    }

    #[test]
    fn chains_tell_logs_apart_although_they_end_alike() {
        assert_ne!(log(&[1, 2, 4]).chain_at(Index(3)), log(&[2, 2, 4]).chain_at(Index(3)));
        assert_eq!(log(&[1, 2, 4]).chain_at(Index(3)), log(&[1, 2, 4, 4]).chain_at(Index(3)));
    }

    #[test]
    fn terms_are_found_from_both_sides() {
        let mut log = log(&[1, 1, 4, 4, 5]);
        assert_eq!(log.first_of_term_at(Index(4)), Index(3));
        assert_eq!(log.last_of_term(Term(4), Index(5)), Some(Index(4)));
        assert_eq!(log.last_of_term(Term(3), Index(5)), None);
        assert_eq!(log.last_of_term(Term(1), Index(1)), Some(Index(1)));
        assert_eq!(
            log.last_of_term(Term(0), Index(3)),
            Some(Index(0)),
            "the place before the log has term 0"
        );
        log.discard_to(Index(3));
        assert_eq!(log.first_of_term_at(Index(4)), Index(4), "the base itself is gone");
        assert_eq!(log.last_of_term(Term(4), Index(3)), Some(Index(3)), "but its term is known");
        assert_eq!(log.last_of_term(Term(1), Index(5)), None);
    }

    #[test]
    fn a_batch_fits_into_a_message_and_is_never_empty() {
        let mut log = Log::default();
        for number in 0..100 {
            let command = Command::Write { key: "\u{1}".repeat(LONGEST_KEY), value: number };
            log.push(Entry { term: Term(1), payload: Payload::Run(Proposal { id: None, command }) });
        }
        let batch = log.batch(Index(3), 64);
        assert!(batch.len() > 1);
        assert!(serde_json::to_string(&batch).unwrap().len() <= BATCH_BYTES + 2);
        assert_eq!(log.batch(Index(100), 64).len(), 1);
        assert!(log.batch(Index(101), 64).is_empty());
        let pieces = log.pieces();
        assert_eq!(pieces[0].0, Index(1));
        assert_eq!(pieces.iter().map(|(_, entries)| entries.len()).sum::<usize>(), 100);
    }
}
