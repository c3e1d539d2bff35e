//! What a leader knows and does: heartbeats, replication, commitment (5.3, 5.4.2).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rashomon_core::rpc::{ErrorCode, RpcError};
use rashomon_core::{NodeId, Probe, Ticket};

use super::bugs::Bug;
use super::log::{Entry, Payload};
use super::membership::CatchUp;
use super::message::{Hint, Message};
use super::node::{Cx, RaftNode, Role, Timer};
use super::position::{Index, Position, Term};
use super::read::PendingRead;
use super::record::Record;
use super::snapshot::Transfer;

/// What a leader knows of one follower.
#[derive(Debug)]
pub(super) struct Progress {
    /// `matchIndex`: the follower's log is known to agree up to here, on its disk.
    pub(super) matched: Index,
    /// `nextIndex`: the next entry to send; a guess, corrected by rejections.
    pub(super) next: Index,
    /// The last index of the entries that are on their way. Until they are acknowledged, or a heartbeat is due,
    /// no more are sent: one batch per round trip is plenty here, and nothing piles up.
    pub(super) in_flight: Option<Index>,
    /// The latest round of heartbeats that it answered.
    pub(super) round: u64,
    /// The snapshot that is being sent to it.
    pub(super) transfer: Option<Transfer>,
}

/// What a leader knows; all of it is forgotten when it steps down.
#[derive(Debug)]
pub(super) struct Leadership {
    pub(super) followers: BTreeMap<NodeId, Progress>,
    /// Who answered since the last check of the quorum.
    pub(super) active: BTreeSet<NodeId>,
    /// The latest round of heartbeats.
    pub(super) round: u64,
    /// Where the entry stands with which it began its term.
    pub(super) noop: Index,
    /// Who waits for which entry to be applied.
    pub(super) writes: BTreeMap<Index, Ticket>,
    /// Reads that wait, in the order of their rounds.
    pub(super) reads: VecDeque<PendingRead>,
    /// The new server that catches up before it is added.
    pub(super) catch_up: Option<CatchUp>,
}

impl Progress {
    /// Of a follower of which nothing is known: its log may go as far as the leader's, up to `last`.
    pub(super) fn unknown(last: Index) -> Progress {
        Progress { matched: Index::ZERO, next: last.next(), in_flight: None, round: 0, transfer: None }
    }
}

/// The largest value that a quorum has reached, given what each node has.
pub(super) fn agreed<T: Ord + Copy>(mut values: Vec<T>, quorum: usize) -> T {
    values.sort_unstable_by(|a, b| b.cmp(a));
    values[quorum - 1]
}

impl Leadership {
    /// Tells the clients that wait what is true. A write stands in the log and may yet be committed by another
    /// leader, so its fate is open; a read never started.
    pub(super) fn abandon(self, leader: Option<NodeId>, cx: &mut Cx<'_>) {
        for ticket in self.writes.into_values() {
            cx.refuse(
                ticket,
                RpcError::new(ErrorCode::Crash, "no longer the leader; it may yet be committed"),
            );
        }
        if let Some(catch_up) = self.catch_up {
            cx.refuse(catch_up.ticket, RpcError::unavailable("no longer the leader", leader));
        }
        for read in self.reads {
            cx.refuse(read.ticket, RpcError::unavailable("no longer the leader", leader));
        }
    }
}

impl RaftNode {
    /// Begins to lead: appends an entry of its own term, which tells it what is committed as soon as it is (8).
    pub(super) fn lead(&mut self, cx: &mut Cx<'_>) {
        let last = self.log.last();
        self.role = Role::Leader(Leadership {
            followers: self
                .log
                .members()
                .iter()
                .filter(|member| **member != self.config.me)
                .map(|member| (*member, Progress::unknown(last.index)))
                .collect(),
            active: BTreeSet::new(),
            round: 0,
            noop: last.index.next(),
            writes: BTreeMap::new(),
            reads: VecDeque::new(),
            catch_up: None,
        });
        self.leader = Some(self.config.me);
        cx.cancel_timer(Timer::Election);
        cx.set_timer(Timer::Quorum, self.config.election_max);
        cx.probe(
            Probe::new("leader")
                .with("term", self.term)
                .with("last", last.index)
                .with("last_term", last.term),
        );
        self.append_own(Payload::Noop, cx);
        self.heartbeat(cx);
        self.advance_commit(cx);
    }

    /// Adds an entry to its own log. What is emitted from here on waits for it to be on disk.
    pub(super) fn append_own(&mut self, payload: Payload, cx: &mut Cx<'_>) -> Index {
        let entry = Entry { term: self.term, payload };
        let index = self.log.push(entry.clone());
        cx.persist(Record::Append { first: index, entries: vec![entry] });
        self.probe_appended(cx);
        index
    }

    /// Begins a round of heartbeats, and gives up waiting for what was sent before.
    pub(super) fn heartbeat(&mut self, cx: &mut Cx<'_>) {
        let Role::Leader(leadership) = &mut self.role else { return };
        for progress in leadership.followers.values_mut() {
            progress.in_flight = None;
        }
        for peer in self.peers() {
            self.send_chunk(peer, cx);
        }
        self.begin_round(cx);
        cx.set_timer(Timer::Heartbeat, self.config.heartbeat);
    }

    /// Asks every follower to confirm that this node still leads.
    pub(super) fn begin_round(&mut self, cx: &mut Cx<'_>) {
        let Role::Leader(leadership) = &mut self.role else { return };
        leadership.round += 1;
        for peer in self.peers() {
            self.send_append(peer, cx);
        }
    }

    /// Whom it replicates to: the others of its configuration, and a server that is to join them.
    pub(super) fn peers(&self) -> Vec<NodeId> {
        match &self.role {
            Role::Leader(leadership) => leadership.followers.keys().copied().collect(),
            Role::Follower | Role::PreCandidate(_) | Role::Candidate(_) => Vec::new(),
        }
    }

    /// Sends a follower what it needs next, unless something is on its way to it.
    pub(super) fn replicate(&mut self, to: NodeId, cx: &mut Cx<'_>) {
        let end = self.log.last().index;
        if let Role::Leader(leadership) = &self.role
            && let Some(progress) = leadership.followers.get(&to)
            && progress.in_flight.is_none()
            && progress.transfer.is_none()
            && progress.next <= end
        {
            self.send_append(to, cx);
        }
    }

    /// Sends an `AppendEntries`, with entries unless some are on their way or a snapshot must come first.
    pub(super) fn send_append(&mut self, to: NodeId, cx: &mut Cx<'_>) {
        let Role::Leader(leadership) = &mut self.role else { return };
        let Some(progress) = leadership.followers.get_mut(&to) else { return };
        let mut begun = false;
        if progress.transfer.is_none() && progress.next <= self.log.base().index {
            // The entries that it needs were discarded (7).
            progress.transfer = Some(Transfer { snapshot: self.snapshot.clone(), offset: 0 });
            progress.in_flight = None;
            begun = true;
        }
        let (prev, entries) = if let Some(transfer) = &progress.transfer {
            (transfer.snapshot.at, Vec::new())
        } else {
            let index = progress.next.prev();
            let term = self.log.term_at(index).expect("a leader's log reaches from its base to `next`");
            let entries = match progress.in_flight {
                Some(_) => Vec::new(),
                None => self.log.batch(progress.next, self.config.batch),
            };
            if !entries.is_empty() {
                progress.in_flight = Some(index.plus(entries.len()));
            }
            (Position { term, index }, entries)
        };
        let message =
            Message::Append { term: self.term, prev, entries, commit: self.commit, round: leadership.round };
        cx.send(to, message);
        if begun {
            self.send_chunk(to, cx);
        }
    }

    /// Takes note that a follower answered in this term; whether this node leads it at all.
    pub(super) fn hears(&mut self, from: NodeId, term: Term, round: u64) -> bool {
        let Role::Leader(leadership) = &mut self.role else { return false };
        let Some(progress) = leadership.followers.get_mut(&from) else { return false };
        if term != self.term {
            return false;
        }
        progress.round = progress.round.max(round);
        leadership.active.insert(from);
        true
    }

    pub(super) fn on_appended(&mut self, from: NodeId, matched: Index, cx: &mut Cx<'_>) {
        // Nobody can hold more of this log than there is; a follower's committed entries are all in it (5.4.3).
        let matched = matched.min(self.log.last().index);
        let Role::Leader(leadership) = &mut self.role else { return };
        let Some(progress) = leadership.followers.get_mut(&from) else { return };
        if progress.transfer.as_ref().is_some_and(|transfer| matched >= transfer.snapshot.at.index) {
            progress.transfer = None;
        }
        if progress.in_flight.is_some_and(|last| matched >= last) {
            progress.in_flight = None;
        }
        // An answer may be old: what is known never shrinks.
        progress.matched = progress.matched.max(matched);
        progress.next = progress.next.max(matched.next());
        self.catches_up(from, matched, cx);
        self.advance_commit(cx);
        self.replicate(from, cx);
        self.serve_reads(cx);
    }

    /// Goes back to where the follower's hint says that the logs may agree (5.3).
    pub(super) fn on_rejected(&mut self, from: NodeId, prev: Index, hint: Hint, cx: &mut Cx<'_>) {
        let Role::Leader(leadership) = &mut self.role else { return };
        let Some(progress) = leadership.followers.get_mut(&from) else { return };
        // A rejection of anything but the last question is old.
        if progress.transfer.is_none() && prev == progress.next.prev() && prev > Index::ZERO {
            let skipped = hint.term.and_then(|term| self.log.last_of_term(term, prev));
            let next = skipped.map_or(hint.first, Index::next);
            progress.next = next.clamp(Index(1), prev);
            progress.in_flight = None;
            self.send_append(from, cx);
        }
        self.serve_reads(cx);
    }

    /// Commits what a quorum of the latest configuration holds (5.3), if it ends with an entry of this term (5.4.2).
    ///
    /// A leader that is not of its configuration does not count itself (dissertation 4.2.2).
    pub(super) fn advance_commit(&mut self, cx: &mut Cx<'_>) {
        let Role::Leader(leadership) = &self.role else { return };
        let own = self.log.last().index;
        let members = self.log.members();
        let voters = leadership.followers.iter().filter(|(node, _)| members.contains(node));
        let mut held: Vec<Index> = voters.map(|(_, progress)| progress.matched).collect();
        held.extend(members.contains(&self.config.me).then_some(own));
        if self.has(Bug::LeaderCountsTwice) {
            held.push(own);
        }
        let index = agreed(held, self.quorum());
        if index <= self.commit {
            return;
        }
        let Some(term) = self.log.term_at(index) else { return };
        if term == self.term || self.has(Bug::CommitEarlierTerm) {
            self.commit = index;
            cx.probe(Probe::new("commit").with("index", index).with("term", term).with("during", self.term));
            self.apply(cx);
            self.leave_if_removed(cx);
        }
    }

    /// Steps down when less than a quorum answered for a whole election time-out (dissertation 6.2).
    ///
    /// Safety does not need this. It lets clients of a leader that is cut off go elsewhere, and frees followers
    /// that hear a leader which cannot hear them.
    pub(super) fn check_quorum(&mut self, cx: &mut Cx<'_>) {
        let Role::Leader(leadership) = &mut self.role else { return };
        let active = std::mem::take(&mut leadership.active);
        let members = self.log.members();
        let answered = members.iter().filter(|member| active.contains(member) || **member == self.config.me);
        if answered.count() < self.quorum() {
            self.step_down(None, cx);
            cx.probe(Probe::new("follower").with("term", self.term));
        } else {
            cx.set_timer(Timer::Quorum, self.config.election_max);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quorum_agrees_on_what_most_have() {
        assert_eq!(agreed(vec![5, 1, 4], 2), 4);
        assert_eq!(agreed(vec![5, 1, 4, 1, 1], 3), 1);
        assert_eq!(agreed(vec![7], 1), 7);
        assert_eq!(agreed(vec![3, 9], 2), 3);
    }
}
