//! What is proposed, accepted and chosen.

use std::collections::BTreeMap;

use rashomon_core::{Invariant, NodeId, Probe, Time, Violation};

use super::{ballot, digest};
use crate::chapter::{bound, violation};

/// One value is chosen per slot.
#[derive(Debug, Default)]
pub(super) struct Agreement {
    chosen: BTreeMap<u64, (String, NodeId)>,
}

impl Invariant for Agreement {
    fn name(&self) -> &'static str {
        "agreement"
    }

    fn about(&self) -> &'static str {
        "only a single value is chosen for a slot (2.1)"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        let ("chosen" | "learn", Some(slot), Some(value)) =
            (probe.probe.as_str(), probe.number("slot"), digest(probe))
        else {
            return Ok(());
        };
        bound(&mut self.chosen);
        let (first, who) = self.chosen.entry(slot).or_insert_with(|| (value.to_owned(), node));
        if first == value {
            return Ok(());
        }
        let because = format!("for slot {slot}, {who} holds {first} to be chosen, and {node} {value}");
        violation(self.name(), because)
    }
}

/// What is chosen was proposed.
#[derive(Debug, Default)]
pub(super) struct Validity {
    /// By slot and ballot of origin: what its leader proposed.
    proposed: BTreeMap<(u64, u64), String>,
    /// Likewise what was chosen.
    chosen: BTreeMap<(u64, u64), String>,
}

impl Invariant for Validity {
    fn name(&self) -> &'static str {
        "validity"
    }

    fn about(&self) -> &'static str {
        "only a value that has been proposed may be chosen (2.1): the one that its ballot of origin proposed there"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        let (Some(slot), Some(origin), Some(value)) =
            (probe.number("slot"), probe.number("origin"), digest(probe))
        else {
            return Ok(());
        };
        let (mine, other) = match probe.probe.as_str() {
            "propose" if probe.number("ballot") == Some(origin) => (&mut self.proposed, &self.chosen),
            "chosen" | "learn" => (&mut self.chosen, &self.proposed),
            _ => return Ok(()),
        };
        bound(mine);
        mine.insert((slot, origin), value.to_owned());
        match other.get(&(slot, origin)) {
            Some(known) if known != value => violation(
                self.name(),
                format!(
                    "for slot {slot} of ballot {}, what was proposed and what was chosen differ: {known} and, as \
                     {node} tells, {value}",
                    ballot(origin)
                ),
            ),
            Some(_) | None => Ok(()),
        }
    }
}

/// No ballot above one that chose a value proposes another.
#[derive(Debug, Default)]
pub(super) struct ChosenIsKept {
    /// By slot, the lowest ballot known to have chosen, and its value.
    chosen: BTreeMap<u64, (u64, String)>,
    /// By slot, what was proposed in which ballot.
    proposed: BTreeMap<u64, BTreeMap<u64, String>>,
}

impl Invariant for ChosenIsKept {
    fn name(&self) -> &'static str {
        "chosen-is-kept"
    }

    fn about(&self) -> &'static str {
        "if a value is chosen, then every proposal of a higher ballot for that slot has that value (P2b, 2.2)"
    }

    fn observe(&mut self, _at: Time, _node: NodeId, probe: &Probe) -> Result<(), Violation> {
        let (Some(slot), Some(number), Some(value)) =
            (probe.number("slot"), probe.number("ballot"), digest(probe))
        else {
            return Ok(());
        };
        match probe.probe.as_str() {
            "chosen" => {
                bound(&mut self.chosen);
                let lowest = self.chosen.entry(slot).or_insert_with(|| (number, value.to_owned()));
                if number < lowest.0 {
                    *lowest = (number, value.to_owned());
                }
            }
            "propose" => {
                bound(&mut self.proposed);
                self.proposed.entry(slot).or_default().insert(number, value.to_owned());
            }
            _ => return Ok(()),
        }
        let (Some((chosen_in, chosen)), Some(proposed)) = (self.chosen.get(&slot), self.proposed.get(&slot))
        else {
            return Ok(());
        };
        match proposed.range(chosen_in + 1..).find(|(_, value)| *value != chosen) {
            None => Ok(()),
            Some((later, value)) => violation(
                self.name(),
                format!(
                    "for slot {slot}, ballot {} chose {chosen}, and ballot {} proposed {value}",
                    ballot(*chosen_in),
                    ballot(*later)
                ),
            ),
        }
    }
}

/// A ballot has one value for a slot.
#[derive(Debug, Default)]
pub(super) struct OneValuePerBallot {
    values: BTreeMap<(u64, u64), (String, NodeId)>,
}

impl Invariant for OneValuePerBallot {
    fn name(&self) -> &'static str {
        "one-value-per-ballot"
    }

    fn about(&self) -> &'static str {
        "different proposals have different numbers, so a ballot has one value for a slot (2.2)"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        let ("propose" | "accept", Some(slot), Some(number), Some(value)) =
            (probe.probe.as_str(), probe.number("slot"), probe.number("ballot"), digest(probe))
        else {
            return Ok(());
        };
        bound(&mut self.values);
        let (first, who) = self.values.entry((slot, number)).or_insert_with(|| (value.to_owned(), node));
        if first == value {
            return Ok(());
        }
        let because = format!(
            "ballot {} has two values for slot {slot}: {first} at {who}, and {value} at {node}",
            ballot(number)
        );
        violation(self.name(), because)
    }
}
