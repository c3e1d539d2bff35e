//! What is proposed, accepted and chosen.

use std::collections::BTreeMap;

use rashomon_core::{Invariant, NodeId, Probe, Time, Violation};

use super::{ballot, key, promised, value};
use crate::chapter::{bound, violation};
use crate::paxos::Ballot;
use crate::synod::Value;

/// One value is chosen.
#[derive(Debug, Default)]
pub(super) struct Agreement {
    chosen: BTreeMap<String, (Value, NodeId)>,
}

impl Invariant for Agreement {
    fn name(&self) -> &'static str {
        "agreement"
    }

    fn about(&self) -> &'static str {
        "only a single value is chosen (2.1)"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        let ("chosen", Some(key), Some(value)) = (probe.probe.as_str(), key(probe), value(probe)) else {
            return Ok(());
        };
        bound(&mut self.chosen);
        let (first, who) = *self.chosen.entry(key.clone()).or_insert((value, node));
        if first == value {
            return Ok(());
        }
        let because = format!("{who} holds that {first} is chosen for key {key}, and {node} that {value} is");
        violation(self.name(), because)
    }
}

/// A ballot above one that chose a value proposes that value.
#[derive(Debug, Default)]
pub(super) struct ChosenIsKept {
    /// The lowest ballot in which each key was chosen, and the value.
    chosen: BTreeMap<String, (Ballot, Value)>,
    proposed: BTreeMap<(String, Ballot), Value>,
}

impl Invariant for ChosenIsKept {
    fn name(&self) -> &'static str {
        "chosen-is-kept"
    }

    fn about(&self) -> &'static str {
        "when a value is chosen in a ballot, every higher ballot proposes that value (P2b, 2.2)"
    }

    fn observe(&mut self, _at: Time, _node: NodeId, probe: &Probe) -> Result<(), Violation> {
        let (Some(key), Some(number), Some(value)) = (key(probe), ballot(probe, "ballot"), value(probe))
        else {
            return Ok(());
        };
        match probe.probe.as_str() {
            "chosen" => {
                bound(&mut self.chosen);
                let lowest = self.chosen.entry(key.clone()).or_insert((number, value));
                if number < lowest.0 {
                    *lowest = (number, value);
                }
            }
            "propose" => {
                bound(&mut self.proposed);
                self.proposed.insert((key.clone(), number), value);
            }
            _ => return Ok(()),
        }
        let Some((chosen_in, chosen)) = self.chosen.get(&key).copied() else { return Ok(()) };
        let of_key =
            self.proposed.range((key.clone(), chosen_in)..).take_while(|((other, _), _)| *other == key);
        match of_key.skip_while(|((_, number), _)| *number == chosen_in).find(|(_, value)| **value != chosen)
        {
            None => Ok(()),
            Some(((_, later), value)) => {
                let because = format!(
                    "for key {key}, ballot {chosen_in} chose {chosen}, and ballot {later} proposed {value}"
                );
                violation(self.name(), because)
            }
        }
    }
}

/// Who proposes adopts the highest that its majority accepted.
#[derive(Debug, Default)]
pub(super) struct HighestIsAdopted {
    /// In which ballots each acceptor accepted something.
    accepted: BTreeMap<(String, NodeId, Ballot), Value>,
    /// Of each ballot that proposed: the acceptors that had promised it, and the ballot whose value it adopted.
    proposed: BTreeMap<(String, Ballot), (Vec<NodeId>, Ballot)>,
}

/// What a ballot overlooked: which acceptor had accepted which value in which ballot.
type Overlooked = (Ballot, NodeId, Ballot, Value);

impl HighestIsAdopted {
    /// A proposal is heard of: what had its acceptors accepted between what it adopted and its own ballot? They did so
    /// before they promised that ballot, since afterwards they could not.
    fn proposed(&self, key: &str, suspect: Ballot) -> Option<Overlooked> {
        let (acceptors, adopted) = self.proposed.get(&(key.to_owned(), suspect))?;
        acceptors.iter().find_map(|acceptor| {
            let place = |ballot: Ballot| (key.to_owned(), *acceptor, ballot);
            let highest = self.accepted.range(place(*adopted)..place(suspect)).next_back();
            let ((_, _, ballot), value) = highest.filter(|((_, _, ballot), _)| ballot > adopted)?;
            Some((suspect, *acceptor, *ballot, *value))
        })
    }

    /// An acceptance is heard of: which later ballot asked this acceptor, and adopted less?
    fn accepted(&self, key: &str, acceptor: NodeId, ballot: Ballot, value: Value) -> Option<Overlooked> {
        let later =
            self.proposed.range((key.to_owned(), ballot)..).take_while(|((other, _), _)| other == key);
        later
            .filter(|((_, suspect), (acceptors, adopted))| {
                *suspect > ballot && *adopted < ballot && acceptors.contains(&acceptor)
            })
            .map(|((_, suspect), _)| (*suspect, acceptor, ballot, value))
            .next()
    }
}

impl Invariant for HighestIsAdopted {
    fn name(&self) -> &'static str {
        "highest-is-adopted"
    }

    fn about(&self) -> &'static str {
        "a ballot proposes the value of the highest ballot below it in which any acceptor of its majority accepted one \
         (P2c, 2.2)"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        let (Some(key), Some(number)) = (key(probe), ballot(probe, "ballot")) else { return Ok(()) };
        let overlooked = match (probe.probe.as_str(), value(probe), promised(probe), ballot(probe, "adopted"))
        {
            ("accept", Some(value), ..) => {
                bound(&mut self.accepted);
                self.accepted.insert((key.clone(), node, number), value);
                self.accepted(&key, node, number, value)
            }
            ("propose", _, Some(acceptors), Some(adopted)) => {
                bound(&mut self.proposed);
                self.proposed.insert((key.clone(), number), (acceptors, adopted));
                self.proposed(&key, number)
            }
            _ => None,
        };
        let Some((suspect, acceptor, ballot, value)) = overlooked else { return Ok(()) };
        let because = format!(
            "for key {key}, ballot {suspect} had the promise of {acceptor} and overlooked that it had accepted {value} \
             in ballot {ballot}"
        );
        violation(self.name(), because)
    }
}

/// A ballot has one value.
#[derive(Debug, Default)]
pub(super) struct OneValuePerBallot {
    values: BTreeMap<(String, Ballot), (Value, NodeId)>,
}

impl Invariant for OneValuePerBallot {
    fn name(&self) -> &'static str {
        "one-value-per-ballot"
    }

    fn about(&self) -> &'static str {
        "different proposals have different numbers, so a ballot has one value (2.2)"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        let ("propose" | "accept", Some(key), Some(number), Some(value)) =
            (probe.probe.as_str(), key(probe), ballot(probe, "ballot"), value(probe))
        else {
            return Ok(());
        };
        bound(&mut self.values);
        let (first, who) = *self.values.entry((key.clone(), number)).or_insert((value, node));
        if first == value {
            return Ok(());
        }
        let because =
            format!("for key {key}, ballot {number} has two values: {first} at {who}, and {value} at {node}");
        violation(self.name(), because)
    }
}
