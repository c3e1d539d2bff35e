//! What clients get: who may serve them, and what is told to whom when a slot is applied.
//!
//! Reads take a slot like every command, which is the simplest way to make them linearizable: the answer is the
//! state at a place of the order that was taken after the question was asked. It costs a round of phase 2, and no
//! lease or clock is trusted.

use rashomon_core::rpc::{ErrorCode, RpcError};
use rashomon_core::{Probe, Ticket};

use super::node::{Cx, PaxosNode};
use super::proposer::Role;
use super::value::{Operation, Value};
use crate::kv::{Ask, Proposal, Query, Request};

/// The most requests that wait at one leader: one that is cut off must not collect them without end.
const MOST_WAITING: usize = 4096;

/// A client that waits for a slot.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) ticket: Ticket,
    /// The question, if it asked one.
    query: Option<Query>,
}

impl PaxosNode {
    /// Takes a request if it leads; otherwise nothing was started, and the leader may be known.
    pub(super) fn serve(&mut self, ticket: Ticket, request: Request, cx: &mut Cx<'_>) {
        let hint = self.proposer.leader.filter(|leader| *leader != self.config.me);
        let Role::Leading(leadership) = &mut self.proposer.role else {
            cx.refuse(ticket, RpcError::unavailable("not the leader", hint));
            return;
        };
        if leadership.waiting.len() + leadership.queue.len() >= MOST_WAITING {
            cx.refuse(ticket, RpcError::unavailable("too many requests wait already", None));
            return;
        }
        leadership.queue.push_back((ticket, request));
        self.propose_queued(cx);
    }

    /// Proposes what waits to be, as far as the window allows.
    ///
    /// A repeated request is proposed again: the session table, which every node reads at the same slot, is the one
    /// judge of what is a repetition.
    fn propose_queued(&mut self, cx: &mut Cx<'_>) {
        let room = self.room();
        let origin = self.proposer.ballot;
        let Some(mut slot) = self.next_slot() else { return };
        let Role::Leading(leadership) = &mut self.proposer.role else { return };
        let mut values = Vec::new();
        while values.len() < room
            && let Some((ticket, request)) = leadership.queue.pop_front()
        {
            let (operation, query) = match request.ask {
                Ask::Query(query) => (Operation::Read, Some(query)),
                Ask::Command(command) => (Operation::Run(Proposal { id: request.id, command }), None),
            };
            leadership.waiting.insert(slot, Waiting { ticket, query });
            values.push(Value { origin, operation });
            slot = slot.next();
        }
        if !values.is_empty() {
            self.propose(values, cx);
        }
    }

    /// Applies what is chosen, in the order of the slots, and answers those who wait for it.
    pub(super) fn apply(&mut self, cx: &mut Cx<'_>) {
        let before = self.learner.applied;
        while let Some(value) = self.learner.chosen.get(&self.learner.applied.next()) {
            let slot = self.learner.applied.next();
            let origin = value.origin;
            let applied = match &value.operation {
                Operation::Noop | Operation::Read => None,
                Operation::Run(proposal) => Some(self.learner.machine.apply(proposal)),
            };
            self.learner.applied = slot;
            self.learner.tallies.remove(&slot);
            cx.probe(Probe::new("apply").with("slot", slot).with("digest", self.learner.machine.digest()));
            let Role::Leading(leadership) = &mut self.proposer.role else { continue };
            // It may have been known to be chosen before this node led and proposed it again.
            leadership.close(slot);
            let Some(Waiting { ticket, query }) = leadership.waiting.remove(&slot) else { continue };
            if origin != self.proposer.ballot {
                let error = RpcError::new(ErrorCode::Crash, "another value was chosen for the slot");
                cx.refuse(ticket, error);
                continue;
            }
            let outcome = match (query, applied) {
                (Some(query), _) => Ok(self.learner.machine.answer(&query)),
                (None, Some(applied)) => applied.reply(),
                (None, None) => Err(RpcError::new(ErrorCode::Crash, "nothing was run in the slot")),
            };
            match outcome {
                Ok(reply) => cx.reply(ticket, reply),
                Err(error) => cx.refuse(ticket, error),
            }
        }
        if self.learner.applied > before {
            self.snapshot_if_due(cx);
            self.propose_queued(cx);
        }
    }
}
