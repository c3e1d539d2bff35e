//! What a vote promises for the time after a crash, and until the decision is known.

use std::collections::{BTreeMap, BTreeSet};

use rashomon_core::{Invariant, NodeId, Probe, Time, Violation};

use super::{Name, decisions, show, transaction, transactions};
use crate::chapter::{text, violation};

/// The transactions that a node remembers as open: far more than ever are.
const MOST_OPEN: usize = 1 << 16;

/// Transactions that a node said something of, and that are not over for it.
#[derive(Debug, Default)]
struct Open(BTreeMap<NodeId, BTreeSet<Name>>);

impl Open {
    fn insert(&mut self, name: Name, node: NodeId) {
        let names = self.0.entry(node).or_default();
        names.insert(name);
        if names.len() > MOST_OPEN {
            names.pop_first();
        }
    }

    fn remove(&mut self, name: Name, node: NodeId) {
        self.0.entry(node).or_default().remove(&name);
    }

    fn contains(&self, name: Name, node: NodeId) -> bool {
        self.0.get(&node).is_some_and(|names| names.contains(&name))
    }

    /// The first that is open for the node and not among these.
    fn missing(&self, node: NodeId, known: &BTreeSet<Name>) -> Option<Name> {
        self.0.get(&node)?.difference(known).next().copied()
    }

    /// Takes a vote, or a decision, of the node into account.
    fn votes(&mut self, node: NodeId, probe: &Probe) {
        if let ("vote", Some("yes"), Some(name)) =
            (probe.probe.as_str(), text(probe, "vote"), transaction(probe))
        {
            self.insert(name, node);
        }
        for (name, _) in decisions(probe) {
            self.remove(name, node);
        }
    }
}

/// A yes survives a crash.
#[derive(Debug, Default)]
pub(super) struct VotesSurvive {
    open: Open,
}

impl Invariant for VotesSurvive {
    fn name(&self) -> &'static str {
        "votes-survive"
    }

    fn about(&self) -> &'static str {
        "a participant that voted yes and starts again knows what it voted for, or how it ended"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        self.open.votes(node, probe);
        if probe.probe != "boot" {
            return Ok(());
        }
        let Some(name) = self.open.missing(node, &transactions(probe, "prepared")) else { return Ok(()) };
        self.open.remove(name, node);
        let because = format!(
            "{node} voted yes on transaction {}, started again, and is not prepared for it",
            show(name)
        );
        violation("votes-survive", because)
    }
}

/// Who is in doubt keeps its locks.
#[derive(Debug, Default)]
pub(super) struct LocksHeldInDoubt {
    open: Open,
}

impl Invariant for LocksHeldInDoubt {
    fn name(&self) -> &'static str {
        "locks-held-in-doubt"
    }

    fn about(&self) -> &'static str {
        "a participant that voted yes keeps its locks until it knows the decision"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        self.open.votes(node, probe);
        match (probe.probe.as_str(), transaction(probe)) {
            ("unlock", Some(name)) if self.open.contains(name, node) => {
                self.open.remove(name, node);
                let because = format!(
                    "{node} voted yes on transaction {} and let its locks go before it knew the decision",
                    show(name)
                );
                violation("locks-held-in-doubt", because)
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::all;

    fn violated(script: &str) -> Vec<String> {
        crate::chapter::violated(all(), script)
    }

    #[test]
    fn a_vote_that_is_forgotten() {
        let boot = |line: &str| violated(&format!("n2 vote transaction=t1.4 vote=yes\n {line}"));
        assert_eq!(boot(r#"n2 boot prepared=["t1.4"] committed=[] aborted=[]"#), [""; 0]);
        assert_eq!(boot(r#"n2 boot prepared=[] committed=["t1.4"] aborted=[]"#), [""; 0]);
        assert_eq!(boot(r#"n2 boot prepared=[] committed=[] aborted=["t1.4"]"#), [""; 0]);
        assert_eq!(boot("n3 boot prepared=[] committed=[] aborted=[]"), [""; 0]);
        assert_eq!(boot("n2 decide transaction=t1.4 decision=abort\n n2 boot prepared=[]"), [""; 0]);
        assert_eq!(boot("n2 boot prepared=[] committed=[] aborted=[]"), ["votes-survive"]);
        assert_eq!(violated("n2 vote transaction=t1.4 vote=no\n n2 boot prepared=[]"), [""; 0]);
    }

    #[test]
    fn locks_let_go_in_doubt() {
        let voted = |line: &str| violated(&format!("n2 vote transaction=t1.4 vote=yes\n {line}"));
        assert_eq!(voted("n2 decide transaction=t1.4 decision=commit\n n2 unlock transaction=t1.4"), [""; 0]);
        assert_eq!(voted("n3 unlock transaction=t1.4"), [""; 0]);
        assert_eq!(voted("n2 unlock transaction=t1.4"), ["locks-held-in-doubt"]);
        assert_eq!(violated("n2 vote transaction=t1.4 vote=read-only\n n2 unlock transaction=t1.4"), [""; 0]);
    }
}
