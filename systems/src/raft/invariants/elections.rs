//! Terms, votes and leaders.

use std::collections::BTreeMap;

use rashomon_core::{Invariant, NodeId, Probe, Time, Value, Violation};

use crate::chapter::violation;

/// At most one leader in a term.
#[derive(Debug, Default)]
pub(super) struct ElectionSafety {
    leaders: BTreeMap<u64, NodeId>,
}

impl Invariant for ElectionSafety {
    fn name(&self) -> &'static str {
        "election-safety"
    }

    fn about(&self) -> &'static str {
        "at most one leader can be elected in a given term (5.2)"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        let ("leader", Some(term)) = (probe.probe.as_str(), probe.number("term")) else { return Ok(()) };
        let first = *self.leaders.entry(term).or_insert(node);
        if first == node {
            return Ok(());
        }
        violation(self.name(), format!("{first} and {node} both became leader of term {term}"))
    }
}

/// At most one vote per node in a term.
#[derive(Debug, Default)]
pub(super) struct OneVote {
    votes: BTreeMap<(u64, NodeId), String>,
}

impl Invariant for OneVote {
    fn name(&self) -> &'static str {
        "one-vote"
    }

    fn about(&self) -> &'static str {
        "a node votes for at most one candidate in a given term, also when it starts again in between (5.2)"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        let ("vote", Some(term), Some(candidate)) = (
            probe.probe.as_str(),
            probe.number("term"),
            probe.fields.get("candidate").and_then(Value::as_str),
        ) else {
            return Ok(());
        };
        let first = self.votes.entry((term, node)).or_insert_with(|| candidate.to_owned());
        if first == candidate {
            return Ok(());
        }
        let because = format!("{node} voted for {first} and for {candidate} in term {term}");
        violation(self.name(), because)
    }
}

/// The term of a node never falls.
#[derive(Debug, Default)]
pub(super) struct TermsNeverFall {
    terms: BTreeMap<NodeId, u64>,
}

impl Invariant for TermsNeverFall {
    fn name(&self) -> &'static str {
        "terms-never-fall"
    }

    fn about(&self) -> &'static str {
        "the term of a node never falls, also when it starts again (5.1)"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        if !matches!(probe.probe.as_str(), "boot" | "follower" | "candidate" | "leader" | "vote") {
            return Ok(());
        }
        let Some(term) = probe.number("term") else { return Ok(()) };
        let highest = self.terms.entry(node).or_default();
        if term >= *highest {
            *highest = term;
            return Ok(());
        }
        let because =
            format!("{node} is in term {term} (`{}`) after it had reached term {highest}", probe.probe);
        violation(self.name(), because)
    }
}
