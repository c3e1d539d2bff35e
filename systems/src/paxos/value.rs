//! What is proposed and chosen.

use serde::{Deserialize, Serialize};

use super::ballot::{Ballot, Slot};
use crate::kv::{Command, Digest, Hasher, Proposal};

/// The bytes of JSON that the values of one message or record fill at most: with the rest of the message and the
/// frame around it, they stay below 8 KiB.
const BATCH_BYTES: usize = 6 << 10;

/// What a slot does when it is applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Nothing: a new leader fills gaps with it (3).
    Noop,
    /// A read takes its place in the order; its question and its answer are the leader's own business.
    Read,
    /// A client's command.
    Run(Proposal),
}

/// What a slot is decided to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Value {
    /// The ballot in which it was first proposed. A ballot proposes once for a slot, so with the slot it names the
    /// value: a leader can tell its own read from any other, and validity can be checked.
    pub origin: Ballot,
    /// What it does.
    #[serde(rename = "do")]
    pub operation: Operation,
}

impl Value {
    /// The fingerprint of the value.
    pub fn digest(&self) -> Digest {
        let hasher = Hasher::new("value").number(self.origin.number());
        match &self.operation {
            Operation::Noop => hasher.text("noop"),
            Operation::Read => hasher.text("read"),
            Operation::Run(proposal) => proposal.hash(hasher.text("run")),
        }
        .finish()
    }

    /// An upper bound of its JSON's length: a byte of a key takes six at worst.
    fn bytes(&self) -> usize {
        match &self.operation {
            Operation::Noop | Operation::Read => 96,
            Operation::Run(Proposal { command, .. }) => {
                let (Command::Write { key, .. } | Command::Cas { key, .. } | Command::Add { key, .. }) =
                    command;
                256 + 6 * key.len()
            }
        }
    }
}

/// What an acceptor accepted for a slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    /// The slot.
    pub slot: Slot,
    /// The highest ballot in which it accepted something there.
    pub ballot: Ballot,
    /// What it accepted in that ballot.
    pub value: Value,
}

impl Vote {
    fn bytes(&self) -> usize {
        128 + self.value.bytes()
    }
}

/// The longest beginning whose parts fit into one message; it has at least one part, unless there is none.
fn fitting<T>(parts: impl Iterator<Item = T>, bytes: impl Fn(&T) -> usize) -> Vec<T> {
    let mut filled = 0;
    let mut fits = Vec::new();
    for part in parts {
        filled += bytes(&part);
        if filled > BATCH_BYTES && !fits.is_empty() {
            break;
        }
        fits.push(part);
    }
    fits
}

/// As many of these votes as fit into one message.
pub(super) fn votes_that_fit(votes: impl Iterator<Item = Vote>) -> Vec<Vote> {
    fitting(votes, Vote::bytes)
}

/// The values of neighbouring slots, as many as fit into one message.
pub(super) fn values_that_fit<'a>(first: Slot, slots: impl Iterator<Item = (Slot, &'a Value)>) -> Vec<Value> {
    let neighbours =
        slots.zip(0..).take_while(|((slot, _), at)| *slot == first.plus(*at)).map(|((_, value), _)| value);
    fitting(neighbours, |value| value.bytes()).into_iter().cloned().collect()
}

/// Values in ascending slots, cut into runs of neighbours that each fit into one message or record.
pub(super) fn runs<'a>(slots: impl Iterator<Item = (Slot, &'a Value)> + Clone) -> Vec<(Slot, Vec<Value>)> {
    let mut runs = Vec::new();
    let mut rest = slots.peekable();
    while let Some(&(first, _)) = rest.peek() {
        let values = values_that_fit(first, rest.clone());
        rest.nth(values.len() - 1);
        runs.push((first, values));
    }
    runs
}

#[cfg(test)]
mod tests {
    use rashomon_core::NodeId;
    use rashomon_core::rpc::RequestId;

    use super::*;
    use crate::kv::LONGEST_KEY;

    fn fullest(key: &str) -> Value {
        let command = Command::Cas { key: key.to_owned(), from: Some(i64::MIN), to: i64::MIN };
        let id = Some(RequestId { session: u64::MAX, sequence: u64::MAX });
        let origin = Ballot { round: u64::MAX, node: NodeId(u16::MAX) };
        Value { origin, operation: Operation::Run(Proposal { id, command }) }
    }

    #[test]
    fn the_bound_of_a_value_is_one() {
        let length = |value: &Value| serde_json::to_string(value).unwrap().len() + 1;
        let full = fullest(&"\u{1}".repeat(LONGEST_KEY));
        for value in [&full, &fullest("x"), &Value { operation: Operation::Read, ..full.clone() }] {
            assert!(length(value) <= value.bytes(), "{} {}", length(value), value.bytes());
            let vote = Vote { slot: Slot(u64::MAX), ballot: value.origin, value: value.clone() };
            assert!(serde_json::to_string(&vote).unwrap().len() < vote.bytes());
        }
    }

    #[test]
    fn runs_are_neighbours_and_fit_into_messages() {
        let value = fullest("x");
        let slots: Vec<u64> = (1..=100).chain(103..=104).collect();
        let runs = runs(slots.iter().map(|slot| (Slot(*slot), &value)));
        let back: Vec<u64> =
            runs.iter().flat_map(|(first, values)| (0..values.len() as u64).map(|at| first.0 + at)).collect();
        assert_eq!(back, slots);
        for (_, values) in &runs {
            assert!(serde_json::to_string(values).unwrap().len() <= BATCH_BYTES);
        }
        assert!(runs.len() > 3 && runs.len() < 10, "{}", runs.len());
    }
}
