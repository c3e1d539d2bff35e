//! Atomic commitment: the properties AC1 to AC4 of Bernstein, Hadzilacos and Goodman, section 7.3.

use std::collections::{BTreeMap, BTreeSet};

use rashomon_core::{Invariant, NodeId, Probe, Time, Violation};

use super::{Name, decisions, list, show, transaction};
use crate::chapter::{bound, text, violation};

/// AC1: all that decide decide the same.
#[derive(Debug, Default)]
pub(super) struct Agreement {
    /// The first decision on a transaction, and whose it is.
    first: BTreeMap<Name, (&'static str, NodeId)>,
}

impl Invariant for Agreement {
    fn name(&self) -> &'static str {
        "ac1-agreement"
    }

    fn about(&self) -> &'static str {
        "AC1: all that reach a decision reach the same, also those that recover"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        for (name, decision) in decisions(probe) {
            bound(&mut self.first);
            let (first, who) = *self.first.entry(name).or_insert((decision, node));
            if first != decision {
                let because = format!(
                    "{who} decided to {first} transaction {}, and {node} to {decision} it",
                    show(name)
                );
                return violation("ac1-agreement", because);
            }
        }
        Ok(())
    }
}

/// AC2: a decision stands.
#[derive(Debug, Default)]
pub(super) struct Irreversible {
    first: BTreeMap<(Name, NodeId), &'static str>,
}

impl Invariant for Irreversible {
    fn name(&self) -> &'static str {
        "ac2-irreversible"
    }

    fn about(&self) -> &'static str {
        "AC2: nobody goes back on a decision, also not after a restart"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        for (name, decision) in decisions(probe) {
            bound(&mut self.first);
            let first = *self.first.entry((name, node)).or_insert(decision);
            if first != decision {
                let because =
                    format!("{node} decided to {first} transaction {}, and then to {decision}", show(name));
                return violation("ac2-irreversible", because);
            }
        }
        Ok(())
    }
}

/// AC3: a commitment is unanimous.
#[derive(Debug, Default)]
pub(super) struct Unanimity {
    /// Who voted no.
    against: BTreeMap<Name, NodeId>,
    committed: BTreeMap<Name, NodeId>,
}

impl Unanimity {
    fn check(&self, name: Name) -> Result<(), Violation> {
        let (Some(voter), Some(node)) = (self.against.get(&name), self.committed.get(&name)) else {
            return Ok(());
        };
        let because =
            format!("{voter} voted no on transaction {}, and {node} decided to commit it", show(name));
        violation("ac3-unanimity", because)
    }
}

impl Invariant for Unanimity {
    fn name(&self) -> &'static str {
        "ac3-unanimity"
    }

    fn about(&self) -> &'static str {
        "AC3: the decision is to commit only if all voted yes"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        let Some(name) = transaction(probe) else { return Ok(()) };
        match probe.probe.as_str() {
            "vote" if text(probe, "vote") == Some("no") => {
                bound(&mut self.against);
                self.against.insert(name, node);
                self.check(name)
            }
            "decide" if text(probe, "decision") == Some("commit") => {
                if let Some(missing) = silent(probe).first() {
                    let because = format!(
                        "{node} decided to commit transaction {} without the vote of {missing}",
                        show(name)
                    );
                    return violation("ac3-unanimity", because);
                }
                bound(&mut self.committed);
                self.committed.entry(name).or_insert(node);
                self.check(name)
            }
            _ => Ok(()),
        }
    }
}

/// AC4: what all voted for is committed.
#[derive(Debug)]
pub(super) struct NonTriviality;

impl Invariant for NonTriviality {
    fn name(&self) -> &'static str {
        "ac4-non-triviality"
    }

    fn about(&self) -> &'static str {
        "AC4: a coordinator that has the yes of all does not abort"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        let ("decide", Some("abort"), Some(name)) =
            (probe.probe.as_str(), text(probe, "decision"), transaction(probe))
        else {
            return Ok(());
        };
        if list(probe, "participants").is_none_or(|all| all.is_empty()) || !silent(probe).is_empty() {
            return Ok(());
        }
        let because = format!("all voted for transaction {}, and {node} decided to abort it", show(name));
        violation("ac4-non-triviality", because)
    }
}

/// The participants that did not vote for a transaction, by the word of who decided on it.
fn silent(probe: &Probe) -> BTreeSet<&str> {
    let (Some(all), Some(agreed)) = (list(probe, "participants"), list(probe, "agreed")) else {
        return BTreeSet::new();
    };
    all.difference(&agreed).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::super::all;

    fn violated(script: &str) -> Vec<String> {
        crate::chapter::violated(all(), script)
    }

    #[test]
    fn two_decisions_on_one_transaction() {
        let second = |line: &str| violated(&format!("n1 decide transaction=t1.4 decision=commit\n {line}"));
        assert_eq!(second("n2 decide transaction=t1.4 decision=commit"), [""; 0]);
        assert_eq!(second("n2 decide transaction=t1.5 decision=abort"), [""; 0]);
        assert_eq!(second("n2 decide transaction=t1.4 decision=abort"), ["ac1-agreement"]);
        assert_eq!(second(r#"n2 boot prepared=[] committed=[] aborted=["t1.4"]"#), ["ac1-agreement"]);
    }

    #[test]
    fn a_decision_taken_back() {
        let twice = |second: &str| {
            violated(&format!(
                "n2 decide transaction=t1.4 decision=abort\n n2 decide transaction=t1.4 decision={second}"
            ))
        };
        assert_eq!(twice("abort"), [""; 0]);
        assert_eq!(twice("commit"), ["ac1-agreement", "ac2-irreversible"]);
    }

    #[test]
    fn a_commitment_against_a_vote() {
        let no = "n3 vote transaction=t1.4 vote=no";
        let commit = "n1 decide transaction=t1.4 decision=commit";
        assert_eq!(violated(no), [""; 0]);
        assert_eq!(violated(&format!("{no}\n n1 decide transaction=t1.4 decision=abort")), [""; 0]);
        assert_eq!(violated(&format!("{no}\n {commit}")), ["ac3-unanimity"]);
        assert_eq!(violated(&format!("{commit}\n {no}")), ["ac3-unanimity"], "whichever is heard first");
        let counted =
            |agreed: &str| violated(&format!(r#"{commit} participants=["n2","n3"] agreed={agreed}"#));
        assert_eq!(counted(r#"["n2","n3"]"#), [""; 0]);
        assert_eq!(counted(r#"["n2"]"#), ["ac3-unanimity"]);
    }

    #[test]
    fn an_abort_that_nobody_wanted() {
        let abort = |agreed: &str| {
            violated(&format!(
                r#"n1 decide transaction=t1.4 decision=abort participants=["n2","n3"] agreed={agreed}"#
            ))
        };
        assert_eq!(abort(r#"["n2"]"#), [""; 0]);
        assert_eq!(abort("[]"), [""; 0]);
        assert_eq!(abort(r#"["n2","n3"]"#), ["ac4-non-triviality"]);
        assert_eq!(
            violated("n2 decide transaction=t1.4 decision=abort"),
            [""; 0],
            "a participant counts no votes"
        );
    }
}
