//! What clients get: who may serve them, and what is told to whom when an entry is applied (8).

use rashomon_core::rpc::RpcError;
use rashomon_core::{Probe, Ticket};

use super::bugs::Bug;
use super::log::Payload;
use super::node::{Cx, RaftNode, Role};
use super::request::{Changed, Request};
use crate::kv::{self, Applied, Ask, Proposal};

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
        match request {
            Request::Change(change) => self.change(ticket, change, cx),
            Request::Serve(kv::Request { ask: Ask::Query(query), .. }) => self.read(ticket, query, cx),
            Request::Serve(kv::Request { ask: Ask::Command(command), id }) => {
                self.propose(ticket, Payload::Run(Proposal { id, command }), cx);
            }
        }
    }

    /// Appends what somebody waits for to the log. A repeated command is appended again: the session table, which
    /// every node reads at the same place of the log, is the one judge of what is a repetition.
    pub(super) fn propose(&mut self, ticket: Ticket, payload: Payload, cx: &mut Cx<'_>) {
        let index = self.append_own(payload, cx);
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
                Payload::Noop | Payload::Configuration(_) => (entry.term, None),
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
            {
                match outcome.map(Applied::reply) {
                    Some(Ok(reply)) => cx.reply(ticket, reply.into()),
                    Some(Err(error)) => cx.refuse(ticket, error),
                    // Whoever waits for an entry that is no command has asked for a membership.
                    None => cx.reply(ticket, Changed::MembershipOk.into()),
                }
            }
        }
        self.serve_reads(cx);
        self.snapshot_if_due(cx);
    }
}
