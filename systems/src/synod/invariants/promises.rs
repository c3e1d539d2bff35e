//! What an acceptor promised.

use std::collections::BTreeMap;

use rashomon_core::{Invariant, NodeId, Probe, Time, Violation};

use super::{ballot, key};
use crate::chapter::{bound, violation};
use crate::paxos::Ballot;

/// The highest ballot that each acceptor promised or accepted in.
#[derive(Debug, Default)]
struct Highest(BTreeMap<(String, NodeId), Ballot>);

impl Highest {
    /// Takes note of a ballot, and tells the higher one that the acceptor stood at before, if it did.
    fn raise(&mut self, key: &str, node: NodeId, ballot: Ballot) -> Option<Ballot> {
        bound(&mut self.0);
        let highest = self.0.entry((key.to_owned(), node)).or_default();
        if ballot < *highest {
            return Some(*highest);
        }
        *highest = ballot;
        None
    }
}

/// A promise never goes back.
#[derive(Debug, Default)]
pub(super) struct PromisesNeverFall {
    highest: Highest,
}

impl Invariant for PromisesNeverFall {
    fn name(&self) -> &'static str {
        "promises-never-fall"
    }

    fn about(&self) -> &'static str {
        "the ballot that an acceptor has promised never falls, also when it starts again (2.2, 2.5)"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        let ("promise", Some(key), Some(number)) =
            (probe.probe.as_str(), key(probe), ballot(probe, "ballot"))
        else {
            return Ok(());
        };
        match self.highest.raise(&key, node, number) {
            None => Ok(()),
            Some(highest) => violation(
                self.name(),
                format!("for key {key}, {node} promised ballot {number} after it had promised {highest}"),
            ),
        }
    }
}

/// Nothing is accepted below a promise.
#[derive(Debug, Default)]
pub(super) struct NothingBelowPromise {
    highest: Highest,
}

impl Invariant for NothingBelowPromise {
    fn name(&self) -> &'static str {
        "nothing-below-promise"
    }

    fn about(&self) -> &'static str {
        "an acceptor accepts a proposal only if it has not promised a higher ballot (P1a, 2.2)"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        let ("promise" | "accept", Some(key), Some(number)) =
            (probe.probe.as_str(), key(probe), ballot(probe, "ballot"))
        else {
            return Ok(());
        };
        match self.highest.raise(&key, node, number) {
            Some(highest) if probe.probe == "accept" => violation(
                self.name(),
                format!(
                    "for key {key}, {node} accepted a value in ballot {number} after it had promised {highest}"
                ),
            ),
            _ => Ok(()),
        }
    }
}
