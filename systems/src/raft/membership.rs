//! Who belongs to the cluster, and how that changes while it serves (6; dissertation 4).
//!
//! A *configuration* is the set of servers that vote and whose copies count. It is an entry of the log, and a server
//! uses the latest in its log, committed or not. One server at a time is added or removed, because then any majority
//! of the configuration before and any majority of the one after have a server in common, and no two leaders can be
//! elected by servers that use either (4.1). Three rules keep it so:
//!
//! - A change begins only when the one before it is committed: two uncommitted ones may differ by two servers.
//! - A leader begins a change only when an entry of its own term is committed. Without this rule, which the
//!   dissertation lacks, an uncommitted configuration of an earlier leader may still be about, in a log that could
//!   win an election; with it no majority would elect that log. (Ongaro, *bug in single-server membership changes*,
//!   to the list raft-dev, 10 July 2015.)
//! - A leader that removes itself goes on until that is committed, and does not count itself meanwhile (4.2.2).
//!
//! A new server *catches up* before it is added, for otherwise the cluster could commit nothing until it has (4.2.1).
//! It is sent the log in rounds: a round ends when it holds what the log held when the round began. When a round took
//! less than an election time-out it is added; after ten that took longer, it is given up.
//!
//! A server that was removed hears no leader any more, and asks for pre-votes until the end of its days. Those that
//! hear a leader refuse, so it disturbs nobody (4.2.3, 9.6). Servers answer others whether these belong to their
//! configuration or not: it may be older than the one that is in force (4.1).

use std::collections::BTreeSet;

use rashomon_core::rpc::{ErrorCode, RpcError};
use rashomon_core::{MembershipChange, NodeId, Probe, Ticket, Value};

use super::bugs::Bug;
use super::leader::Progress;
use super::log::Payload;
use super::node::{Cx, RaftNode, Role, Timer};
use super::position::Index;

/// After so many rounds that took too long a new server is given up.
const ROUNDS: u32 = 10;

/// A new server that receives the log and does not count yet.
#[derive(Debug)]
pub(super) struct CatchUp {
    node: NodeId,
    /// Who asked for it.
    pub(super) ticket: Ticket,
    /// The end of the log when the round began: the round ends when the server holds it.
    goal: Index,
    /// Whether the round has taken an election time-out.
    slow: bool,
    /// How often more it may.
    left: u32,
}

impl RaftNode {
    /// How many servers are a majority of the configuration.
    pub(super) fn quorum(&self) -> usize {
        self.log.members().len() / 2 + 1
    }

    /// Whether it knows that it does not belong to the cluster. As long as the entry that says so is not committed,
    /// the cluster may still need it to lead (dissertation 4.2.2).
    pub(super) fn is_removed(&self) -> bool {
        !self.log.members().contains(&self.config.me) && self.log.configured_at() <= self.commit
    }

    /// Begins what an administrator asks for, unless it must wait: then nothing was begun.
    pub(super) fn change(&mut self, ticket: Ticket, change: MembershipChange, cx: &mut Cx<'_>) {
        let Role::Leader(leadership) = &self.role else { return };
        let node = change.node();
        if !self.config.nodes.contains(&node) {
            let reason = format!("there is no {node}");
            return cx.refuse(ticket, RpcError::new(ErrorCode::PreconditionFailed, reason));
        }
        let later = |reason| RpcError::unavailable(reason, None);
        if self.commit < leadership.noop && !self.has(Bug::MembershipBeforeCommit) {
            return cx.refuse(ticket, later("no entry of this term is committed yet"));
        }
        if leadership.catch_up.is_some() || self.log.configured_at() > self.commit {
            return cx.refuse(ticket, later("another change is under way"));
        }
        let mut members = self.log.members().clone();
        match change {
            // That it is so already is only true when this node still leads: an entry that changes nothing tells.
            MembershipChange::Add(node) if members.contains(&node) => self.propose(ticket, Payload::Noop, cx),
            MembershipChange::Remove(node) if !members.contains(&node) => {
                self.propose(ticket, Payload::Noop, cx);
            }
            MembershipChange::Add(node) => self.catch_up(node, ticket, cx),
            MembershipChange::Remove(node) => {
                members.remove(&node);
                if members.is_empty() {
                    let reason = "a cluster cannot be without servers";
                    return cx.refuse(ticket, RpcError::new(ErrorCode::PreconditionFailed, reason));
                }
                self.configure(members, ticket, cx);
            }
        }
    }

    /// Appends a configuration. It is in force from here on.
    fn configure(&mut self, members: BTreeSet<NodeId>, ticket: Ticket, cx: &mut Cx<'_>) {
        let names = |members: &BTreeSet<NodeId>| -> Value {
            members.iter().map(|member| Value::String(member.to_string())).collect()
        };
        let probe = Probe::new("configuration")
            .with("term", self.term)
            .with("index", self.log.last().index.next())
            .with("members", names(&members))
            .with("before", names(self.log.members()))
            .with("before_index", self.log.configured_at())
            .with("commit", self.commit);
        if let Role::Leader(leadership) = &mut self.role {
            leadership.followers.retain(|follower, _| members.contains(follower));
        }
        self.propose(ticket, Payload::Configuration(members), cx);
        cx.probe(probe);
    }

    /// Begins to send the log to a server that is to be added.
    fn catch_up(&mut self, node: NodeId, ticket: Ticket, cx: &mut Cx<'_>) {
        let goal = self.log.last().index;
        let Role::Leader(leadership) = &mut self.role else { return };
        leadership.followers.insert(node, Progress::unknown(goal));
        leadership.catch_up = Some(CatchUp { node, ticket, goal, slow: false, left: ROUNDS });
        cx.set_timer(Timer::CatchUp, self.config.election_min);
        self.send_append(node, cx);
    }

    /// Adds the new server when a round was short enough, or else begins the next.
    pub(super) fn catches_up(&mut self, from: NodeId, matched: Index, cx: &mut Cx<'_>) {
        let Role::Leader(leadership) = &mut self.role else { return };
        let Some(catch_up) = &mut leadership.catch_up else { return };
        if from != catch_up.node || matched < catch_up.goal {
            return;
        }
        if catch_up.slow {
            catch_up.slow = false;
            catch_up.goal = self.log.last().index;
            cx.set_timer(Timer::CatchUp, self.config.election_min);
            return;
        }
        let ticket = catch_up.ticket;
        leadership.catch_up = None;
        cx.cancel_timer(Timer::CatchUp);
        let mut members = self.log.members().clone();
        members.insert(from);
        self.configure(members, ticket, cx);
    }

    /// A round has taken an election time-out. A server that takes too long too often is given up.
    pub(super) fn catches_up_slowly(&mut self, cx: &mut Cx<'_>) {
        let Role::Leader(leadership) = &mut self.role else { return };
        let Some(catch_up) = &mut leadership.catch_up else { return };
        catch_up.slow = true;
        if let Some(left) = catch_up.left.checked_sub(1) {
            catch_up.left = left;
            cx.set_timer(Timer::CatchUp, self.config.election_min);
            return;
        }
        let (node, ticket) = (catch_up.node, catch_up.ticket);
        leadership.catch_up = None;
        leadership.followers.remove(&node);
        cx.refuse(ticket, RpcError::unavailable("the new server does not catch up", None));
    }

    /// Steps down when the configuration without it is committed: then the others can do without it.
    pub(super) fn leave_if_removed(&mut self, cx: &mut Cx<'_>) {
        if matches!(self.role, Role::Leader(_)) && self.is_removed() {
            self.step_down(None, cx);
            cx.probe(Probe::new("follower").with("term", self.term));
        }
    }
}
