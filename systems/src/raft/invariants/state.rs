//! What the state machines must have in common.

use std::collections::BTreeMap;

use rashomon_core::{Invariant, NodeId, Probe, Time, Violation};

use crate::chapter::{bound, text, violation};

/// All nodes have the same state after the same entry.
#[derive(Debug, Default)]
pub(super) struct StateMachineSafety {
    /// The term of the entry at an index, the fingerprint of the state after it, and who told so first.
    applied: BTreeMap<u64, (u64, String, NodeId)>,
}

impl Invariant for StateMachineSafety {
    fn name(&self) -> &'static str {
        "state-machine-safety"
    }

    fn about(&self) -> &'static str {
        "if a node has applied an entry at an index, no other ever applies a different one there (5.4.3)"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        let ("apply" | "restore", Some(index), Some(term), Some(digest)) =
            (probe.probe.as_str(), probe.number("index"), probe.number("term"), text(probe, "digest"))
        else {
            return Ok(());
        };
        bound(&mut self.applied);
        let (first_term, first_digest, first) =
            self.applied.entry(index).or_insert_with(|| (term, digest.to_owned(), node));
        if *first_term != term {
            let because = format!(
                "{first} applied an entry of term {first_term} at {index}, {node} one of term {term}"
            );
            return violation(self.name(), because);
        }
        if first_digest != digest {
            let because = format!(
                "{first} and {node} have different states after the entry of term {term} at {index}: \
                 {first_digest} and {digest}"
            );
            return violation(self.name(), because);
        }
        Ok(())
    }
}

/// A node applies the log in order, each entry once in the life of a process.
#[derive(Debug, Default)]
pub(super) struct AppliedInOrder {
    applied: BTreeMap<NodeId, u64>,
}

impl Invariant for AppliedInOrder {
    fn name(&self) -> &'static str {
        "applied-in-order"
    }

    fn about(&self) -> &'static str {
        "a node applies committed entries in the order of the log, and its state never goes back (5.3, 7)"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        match probe.probe.as_str() {
            "boot" => {
                match probe.number("snapshot") {
                    Some(snapshot) => self.applied.insert(node, snapshot),
                    None => self.applied.remove(&node),
                };
                Ok(())
            }
            "restore" => {
                let Some(index) = probe.number("index") else { return Ok(()) };
                match self.applied.insert(node, index) {
                    Some(applied) if index < applied => violation(
                        self.name(),
                        format!("{node} installed a snapshot up to {index} after it had applied {applied}"),
                    ),
                    _ => Ok(()),
                }
            }
            "apply" => {
                let Some(index) = probe.number("index") else { return Ok(()) };
                match self.applied.insert(node, index) {
                    Some(applied) if index != applied + 1 => {
                        violation(self.name(), format!("{node} applied {index} right after {applied}"))
                    }
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }
}
