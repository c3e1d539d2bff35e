//! What the logs must have in common.

use std::collections::{BTreeMap, BTreeSet};

use rashomon_core::{Invariant, NodeId, Probe, Time, Violation};

use crate::chapter::{bound, text, violation};

/// A leader only ever appends.
#[derive(Debug, Default)]
pub(super) struct LeaderAppendOnly {
    led: BTreeSet<(NodeId, u64)>,
}

impl Invariant for LeaderAppendOnly {
    fn name(&self) -> &'static str {
        "leader-append-only"
    }

    fn about(&self) -> &'static str {
        "a leader never overwrites or deletes entries in its log (5.3)"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        let Some(term) = probe.number("term") else { return Ok(()) };
        if probe.probe == "leader" {
            self.led.insert((node, term));
        } else if probe.probe == "truncate" && self.led.contains(&(node, term)) {
            let from = probe.number("from").unwrap_or_default();
            let because = format!("{node} cut its log from {from} on in term {term}, which it leads");
            return violation(self.name(), because);
        }
        Ok(())
    }
}

/// Two logs with an entry of the same index and term are the same up to there.
#[derive(Debug, Default)]
pub(super) struct LogMatching {
    /// The fingerprint of the log up to an entry, by its term and index, and who told it first.
    chains: BTreeMap<(u64, u64), (String, NodeId)>,
}

impl Invariant for LogMatching {
    fn name(&self) -> &'static str {
        "log-matching"
    }

    fn about(&self) -> &'static str {
        "logs that contain an entry with the same index and term are identical up to it (5.3)"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        let ("append", Some(index), Some(term), Some(chain)) =
            (probe.probe.as_str(), probe.number("index"), probe.number("term"), text(probe, "chain"))
        else {
            return Ok(());
        };
        bound(&mut self.chains);
        let (first, who) = self.chains.entry((term, index)).or_insert_with(|| (chain.to_owned(), node));
        if first == chain {
            return Ok(());
        }
        let because = format!(
            "the logs of {who} and {node} both have an entry of term {term} at {index}, and differ up to it"
        );
        violation(self.name(), because)
    }
}

/// A committed entry is in the log of every leader of a later term.
#[derive(Debug, Default)]
pub(super) struct LeaderCompleteness {
    /// The furthest entry that was committed in each term, and by whom.
    committed: BTreeMap<u64, Place>,
    /// The end of the log of each term's leader at its election.
    leaders: BTreeMap<u64, Place>,
}

/// An entry of a node's log. Of two entries of one leader the one with the higher index is the further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    index: u64,
    term: u64,
    node: NodeId,
}

impl LeaderCompleteness {
    /// Terms never fall along a log, so one that has an entry ends neither before its index nor before its term.
    fn check(during: u64, commit: Place, term: u64, leader: Place) -> Result<(), Violation> {
        if term <= during || (leader.term >= commit.term && leader.index >= commit.index) {
            return Ok(());
        }
        let because = format!(
            "{} committed entry {} of term {} in term {during}; {} became leader of term {term} with a log that ends \
             at {} of term {}, without it",
            commit.node, commit.index, commit.term, leader.node, leader.index, leader.term
        );
        violation("leader-completeness", because)
    }
}

impl Invariant for LeaderCompleteness {
    fn name(&self) -> &'static str {
        "leader-completeness"
    }

    fn about(&self) -> &'static str {
        "an entry committed in a term is in the logs of the leaders of all later terms (5.4)"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        let number = |field| probe.number(field);
        match probe.probe.as_str() {
            "commit" => {
                let (Some(index), Some(term), Some(during)) =
                    (number("index"), number("term"), number("during"))
                else {
                    return Ok(());
                };
                let commit = Place { index, term, node };
                let furthest = self.committed.entry(during).or_insert(commit);
                *furthest = (*furthest).max(commit);
                self.leaders
                    .range(during + 1..)
                    .try_for_each(|(term, leader)| LeaderCompleteness::check(during, commit, *term, *leader))
            }
            "leader" => {
                let (Some(term), Some(index), Some(last_term)) =
                    (number("term"), number("last"), number("last_term"))
                else {
                    return Ok(());
                };
                let leader = Place { index, term: last_term, node };
                self.leaders.insert(term, leader);
                self.committed.range(..term).try_for_each(|(during, commit)| {
                    LeaderCompleteness::check(*during, *commit, term, leader)
                })
            }
            _ => Ok(()),
        }
    }
}

/// No node cuts off what it knows to be committed.
#[derive(Debug)]
pub(super) struct CommittedStays;

impl Invariant for CommittedStays {
    fn name(&self) -> &'static str {
        "committed-stays"
    }

    fn about(&self) -> &'static str {
        "a node never removes from its log what it knows to be committed (5.3, 5.4)"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        let ("truncate", Some(from), Some(commit)) =
            (probe.probe.as_str(), probe.number("from"), probe.number("commit"))
        else {
            return Ok(());
        };
        if from > commit {
            return Ok(());
        }
        let because = format!(
            "{node} cut its log from {from} on although it knew entries up to {commit} to be committed"
        );
        violation(self.name(), because)
    }
}
