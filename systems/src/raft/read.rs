//! Reads that never touch the log, and are linearizable all the same (8; dissertation 6.4).
//!
//! A leader that is cut off may have been replaced without knowing it, so it must not answer from its own state
//! alone. It notes how far the log is committed (the *read index*), lets a quorum confirm in a round of
//! heartbeats that begins after the read arrived that it still leads, and answers once its state has reached the
//! read index. A fresh leader does not know what is committed until an entry of its own term is; for it, the
//! read index is that entry's.

use rashomon_core::Ticket;

use super::bugs::Bug;
use super::leader::agreed;
use super::node::{Cx, RaftNode, Role};
use super::position::Index;
use crate::kv::Query;

/// A read that waits.
#[derive(Debug)]
pub(super) struct PendingRead {
    pub(super) ticket: Ticket,
    pub(super) query: Query,
    /// The read index: the answer must reflect at least this much of the log.
    index: Index,
    /// The round that must be confirmed.
    round: u64,
}

impl RaftNode {
    /// Takes a read, if it leads.
    pub(super) fn read(&mut self, ticket: Ticket, query: Query, cx: &mut Cx<'_>) {
        let (local, before_noop) = (self.has(Bug::LocalRead), self.has(Bug::ReadBeforeNoop));
        let Role::Leader(leadership) = &mut self.role else { return };
        let index = if before_noop { self.commit } else { self.commit.max(leadership.noop) };
        let round = if local { 0 } else { leadership.round + 1 };
        leadership.reads.push_back(PendingRead { ticket, query, index, round });
        self.serve_reads(cx);
    }

    /// Answers the reads that may be answered, and begins a round for those that wait for one.
    pub(super) fn serve_reads(&mut self, cx: &mut Cx<'_>) {
        loop {
            let quorum = self.quorum();
            let members = self.log.members();
            let Role::Leader(leadership) = &mut self.role else { return };
            let voters = leadership.followers.iter().filter(|(node, _)| members.contains(node));
            let mut rounds: Vec<u64> = voters.map(|(_, progress)| progress.round).collect();
            rounds.extend(members.contains(&self.config.me).then_some(leadership.round));
            let confirmed = agreed(rounds, quorum);
            while let Some(read) =
                leadership.reads.pop_front_if(|read| read.round <= confirmed && read.index <= self.applied)
            {
                cx.reply(read.ticket, self.machine.answer(&read.query).into());
            }
            // Reads that arrive while a round is under way share the next one.
            let waits = leadership.reads.back().is_some_and(|read| read.round > leadership.round);
            if !waits || confirmed < leadership.round {
                return;
            }
            self.begin_round(cx);
        }
    }
}
