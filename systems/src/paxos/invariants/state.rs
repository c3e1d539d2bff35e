//! What the state machines must have in common.

use std::collections::BTreeMap;

use rashomon_core::{Invariant, NodeId, Probe, Time, Violation};

use super::digest;
use crate::chapter::{bound, violation};

/// All nodes have the same state after the same slot.
#[derive(Debug, Default)]
pub(super) struct StatesAgree {
    states: BTreeMap<u64, (String, NodeId)>,
}

impl Invariant for StatesAgree {
    fn name(&self) -> &'static str {
        "states-agree"
    }

    fn about(&self) -> &'static str {
        "all servers end up with the same state after the same sequence of commands (3)"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        let ("apply" | "restore", Some(slot), Some(state)) =
            (probe.probe.as_str(), probe.number("slot"), digest(probe))
        else {
            return Ok(());
        };
        bound(&mut self.states);
        let (first, who) = self.states.entry(slot).or_insert_with(|| (state.to_owned(), node));
        if first == state {
            return Ok(());
        }
        let because =
            format!("{who} and {node} have different states after slot {slot}: {first} and {state}");
        violation(self.name(), because)
    }
}

/// A node applies the slots in order, each once in the life of a process.
#[derive(Debug, Default)]
pub(super) struct AppliedInOrder {
    applied: BTreeMap<NodeId, u64>,
}

impl Invariant for AppliedInOrder {
    fn name(&self) -> &'static str {
        "applied-in-order"
    }

    fn about(&self) -> &'static str {
        "a node applies the slots in order, and its state never goes back (3)"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        match (probe.probe.as_str(), probe.number("slot")) {
            ("boot", _) => {
                match probe.number("applied") {
                    Some(applied) => self.applied.insert(node, applied),
                    None => self.applied.remove(&node),
                };
                Ok(())
            }
            ("restore", Some(slot)) => match self.applied.insert(node, slot) {
                Some(applied) if slot < applied => violation(
                    self.name(),
                    format!("{node} took over the state after slot {slot} when it had applied {applied}"),
                ),
                _ => Ok(()),
            },
            ("apply", Some(slot)) => match self.applied.insert(node, slot) {
                Some(applied) if slot != applied + 1 => {
                    violation(self.name(), format!("{node} applied slot {slot} right after {applied}"))
                }
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }
}
