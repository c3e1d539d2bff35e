//! The nemesis as administrator: it has nodes leave the cluster and join it again.
//!
//! A change is a request like any client's, made again until the system says that it is done, at one node after the
//! other: so it also reaches those that believe they lead and do not. Two are never asked for at a time, but one that
//! was left without an answer may still happen after the next.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rashomon_core::{Call, FaultId, MembershipChange, NodeId, Outcome, Time, World};

/// The number of the first process that asks for a change: no client ever gets so far.
const FIRST_PROCESS: u64 = 1 << 48;
/// The pause before a change that was not done is asked for again.
const RETRY: Duration = Duration::from_millis(50);

/// Who is to belong to the cluster, and who does.
#[derive(Debug)]
pub(super) struct Membership {
    nodes: Vec<NodeId>,
    /// What the faults in force want; the latest has its way, and without any all nodes belong.
    walks: BTreeMap<FaultId, Walk>,
    /// Whether each node belongs to the cluster, as the system last said; `None` when a request that concerned it was
    /// left without an answer.
    known: BTreeMap<NodeId, Option<bool>>,
    /// The next change on the way to what is wanted.
    pending: Option<MembershipChange>,
    open: Option<Open>,
    next_try: Time,
    calls: u64,
}

/// One membership after the other.
#[derive(Debug)]
struct Walk {
    steps: Vec<BTreeSet<NodeId>>,
    /// Which of them is wanted now.
    at: usize,
    /// How many changes were acknowledged for it.
    changes: u64,
}

#[derive(Debug)]
struct Open {
    process: u64,
    change: MembershipChange,
    asked_for: Option<FaultId>,
}

impl Membership {
    /// All nodes belong to the cluster when a run begins.
    pub(super) fn new(nodes: Vec<NodeId>) -> Membership {
        Membership {
            known: nodes.iter().map(|node| (*node, Some(true))).collect(),
            nodes,
            walks: BTreeMap::new(),
            pending: None,
            open: None,
            next_try: Time::ZERO,
            calls: 0,
        }
    }

    /// Wants these memberships, one after the other.
    pub(super) fn inject(&mut self, id: FaultId, steps: &[Vec<NodeId>]) {
        let steps = steps.iter().map(|step| step.iter().copied().collect()).collect();
        self.walks.insert(id, Walk { steps, at: 0, changes: 0 });
        self.advance();
    }

    /// Wants them no more. Gives the number of changes that were acknowledged meanwhile.
    pub(super) fn heal(&mut self, id: FaultId) -> u64 {
        let changes = self.walks.remove(&id).map_or(0, |walk| walk.changes);
        self.advance();
        changes
    }

    /// The next change on the way to what is wanted: nodes join before others leave.
    fn next_change(&self) -> Option<MembershipChange> {
        let wanted = self.walks.values().last().and_then(|walk| walk.steps.get(walk.at));
        let belongs = |node: &NodeId| wanted.is_none_or(|wanted| wanted.contains(node));
        let differs = |joins: bool| {
            self.nodes.iter().find(|node| belongs(node) == joins && self.known[node] != Some(joins)).copied()
        };
        differs(true).map(MembershipChange::Add).or_else(|| differs(false).map(MembershipChange::Remove))
    }

    /// Thinks again of what is next, after a change of what is wanted or known. A walk that has reached a step goes on
    /// to the next one.
    fn advance(&mut self) {
        self.pending = self.next_change();
        while self.pending.is_none()
            && let Some(mut walk) = self.walks.last_entry()
            && walk.get().at + 1 < walk.get().steps.len()
        {
            walk.get_mut().at += 1;
            self.pending = self.next_change();
        }
    }

    /// Whether all is as it is wanted, and nothing more may come of what was asked.
    pub(super) fn is_settled(&self) -> bool {
        self.open.is_none() && self.pending.is_none()
    }

    /// When it wants to ask next.
    pub(super) fn next_due(&self) -> Option<Time> {
        (self.open.is_none() && self.pending.is_some()).then_some(self.next_try)
    }

    /// Asks for what is due.
    pub(super) fn act(&mut self, world: &mut dyn World) {
        if self.next_due().is_none_or(|due| due > world.now()) {
            return;
        }
        let Some(change) = self.pending else { return };
        let process = FIRST_PROCESS + self.calls;
        let home = self.nodes[(self.calls % self.nodes.len() as u64) as usize];
        self.calls += 1;
        let asked_for = self.walks.keys().last().copied();
        self.open = Some(Open { process, change, asked_for });
        world.call(Call { process, sequence: 1, home, read_only: false, body: change.body() });
    }

    /// Takes the end of a call into account, if it is one of its own.
    pub(super) fn completed(&mut self, now: Time, process: u64, outcome: &Outcome) -> bool {
        let Some(open) = self.open.take_if(|open| open.process == process) else { return false };
        let node = open.change.node();
        self.next_try = now + RETRY;
        match outcome {
            Outcome::Ok(..) => {
                self.known.insert(node, Some(matches!(open.change, MembershipChange::Add(_))));
                self.next_try = now;
                if let Some(walk) = open.asked_for.and_then(|id| self.walks.get_mut(&id)) {
                    walk.changes += 1;
                }
            }
            Outcome::Fail(_) => {}
            Outcome::Info(_) => {
                self.known.insert(node, None);
            }
        }
        self.advance();
        true
    }
}

#[cfg(test)]
mod tests;
