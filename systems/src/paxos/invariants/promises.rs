//! What an acceptor promised.

use std::collections::BTreeMap;

use rashomon_core::{Invariant, NodeId, Probe, Time, Violation};

use super::ballot;
use crate::chapter::violation;

/// A promise never goes back.
#[derive(Debug, Default)]
pub(super) struct PromisesNeverFall {
    promised: BTreeMap<NodeId, u64>,
}

impl Invariant for PromisesNeverFall {
    fn name(&self) -> &'static str {
        "promises-never-fall"
    }

    fn about(&self) -> &'static str {
        "the ballot that an acceptor has promised never falls, also when it starts again (2.2, 2.5)"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        let number = match probe.probe.as_str() {
            "boot" => probe.number("promised"),
            "promise" | "accept" => probe.number("ballot"),
            _ => None,
        };
        let Some(number) = number else { return Ok(()) };
        let highest = self.promised.entry(node).or_default();
        // What is accepted below the promise is the business of the predicate below.
        if number >= *highest || probe.probe == "accept" {
            *highest = number.max(*highest);
            return Ok(());
        }
        let because = format!(
            "{node} stands at ballot {} (`{}`) after it had promised {}",
            ballot(number),
            probe.probe,
            ballot(*highest)
        );
        violation(self.name(), because)
    }
}

/// Nothing is accepted below a promise.
#[derive(Debug, Default)]
pub(super) struct NothingBelowPromise {
    promised: BTreeMap<NodeId, u64>,
}

impl Invariant for NothingBelowPromise {
    fn name(&self) -> &'static str {
        "nothing-below-promise"
    }

    fn about(&self) -> &'static str {
        "an acceptor accepts a proposal only if it has not promised a higher ballot (P1a, 2.2)"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        let Some(number) = probe.number("ballot") else { return Ok(()) };
        let highest = self.promised.entry(node).or_default();
        match probe.probe.as_str() {
            "accept" if number < *highest => {
                let because = format!(
                    "{node} accepted a value in ballot {} after it had promised {}",
                    ballot(number),
                    ballot(*highest)
                );
                return violation(self.name(), because);
            }
            "accept" | "promise" => *highest = number.max(*highest),
            _ => {}
        }
        Ok(())
    }
}
