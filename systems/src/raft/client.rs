//! What clients get: who may serve them, and what is told to whom when an entry is applied (8).

use rashomon_core::rpc::RpcError;
use rashomon_core::{Probe, Ticket};

use super::bugs::Bug;
use super::log::Payload;
use super::node::{Cx, RaftNode, Role};
use crate::kv::{Applied, Ask, Proposal, Request};

/// The most requests that wait at one leader: one that is cut off must not collect them without end.
const MOST_WAITING: usize = 4096;

impl RaftNode {
    /// Takes a request if it leads; otherwise nothing was started, and the leader may be known.
    pub(super) fn serve(&mut self, ticket: Ticket, request: Request, cx: &mut Cx<'_>) {
        let Role::Leader(leadership) = &self.role else {
            let hint = self.leader.filter(|leader| *leader != self.config.me);
            cx.refuse(ticket, RpcError::unavailable("not the leader", hint));
            return;
        };
        if leadership.writes.len() + leadership.reads.len() >= MOST_WAITING {
            cx.refuse(ticket, RpcError::unavailable("too many requests wait already", None));
            return;
        }
        match request.ask {
            Ask::Query(query) => self.read(ticket, query, cx),
            Ask::Command(command) => {
                self.propose(ticket, Proposal { id: request.id, command }, cx);
            }
        }
    }

    /// Appends a command to the log. A repeated request is appended again: the session table, which every node
    /// reads at the same place of the log, is the one judge of what is a repetition.
    fn propose(&mut self, ticket: Ticket, proposal: Proposal, cx: &mut Cx<'_>) {
        let index = self.append_own(Payload::Run(proposal), cx);
        if let Role::Leader(leadership) = &mut self.role {
            leadership.writes.insert(index, ticket);
        }
        for peer in self.peers() {
            self.replicate(peer, cx);
        }
        // A cluster of one is a quorum of one.
        self.advance_commit(cx);
    }

    /// Applies what is committed, in the order of the log, and answers those who wait for it.
    pub(super) fn apply(&mut self, cx: &mut Cx<'_>) {
        while self.applied < self.commit {
            let index = self.applied.next();
            // Only a seeded bug can have cut off a committed entry; the invariants accuse it.
            let Some(entry) = self.log.entry(index) else { break };
            let (term, outcome) = match &entry.payload {
                Payload::Noop => (entry.term, None),
                Payload::Run(proposal) if self.config.has(Bug::RetryNotDeduplicated) => {
                    (entry.term, Some(Applied::Ran(self.machine.run(proposal))))
                }
                Payload::Run(proposal) => (entry.term, Some(self.machine.apply(proposal))),
            };
            self.applied = index;
            cx.probe(
                Probe::new("apply")
                    .with("index", index)
                    .with("term", term)
                    .with("digest", self.machine.digest()),
            );
            if let Role::Leader(leadership) = &mut self.role
                && let Some(ticket) = leadership.writes.remove(&index)
                && let Some(outcome) = outcome
            {
                match outcome.reply() {
                    Ok(reply) => cx.reply(ticket, reply),
                    Err(error) => cx.refuse(ticket, error),
                }
            }
        }
        self.serve_reads(cx);
        self.snapshot_if_due(cx);
    }
}
