//! What must hold of the nodes, judged by what they say of themselves.
//!
//! Each predicate reads the probes alone. Those of one node come in the order it emitted them; those of different
//! nodes in any order, so a predicate never concludes anything from which of two nodes was heard first. A probe
//! that is missing never accuses. What is remembered is bounded: the oldest transactions are forgotten.
//!
//! The last of the five properties of atomic commitment, AC5, says that all decide once every failure is repaired. No
//! probe tells when that is; the checker `atomic-commitment` looks for it in the final reads.

mod decisions;
mod locks;
mod promises;

use std::collections::BTreeSet;

use rashomon_core::{Invariant, Probe, Value};

use crate::chapter::text;

/// A transaction as probes name it, in the order of their beginning.
type Name = (u64, u64);

/// A fresh set of all predicates.
pub(super) fn all() -> Vec<Box<dyn Invariant>> {
    vec![
        Box::new(decisions::Agreement::default()),
        Box::new(decisions::Irreversible::default()),
        Box::new(decisions::Unanimity::default()),
        Box::new(decisions::NonTriviality),
        Box::new(promises::VotesSurvive::default()),
        Box::new(promises::LocksHeldInDoubt::default()),
        Box::new(locks::ExclusiveLocks::default()),
    ]
}

/// The transaction that a probe is about.
fn transaction(probe: &Probe) -> Option<Name> {
    named(text(probe, "transaction")?)
}

fn named(text: &str) -> Option<Name> {
    let (epoch, number) = text.strip_prefix('t')?.split_once('.')?;
    Some((epoch.parse().ok()?, number.parse().ok()?))
}

/// A field that is a list of texts.
fn list<'a>(probe: &'a Probe, field: &str) -> Option<BTreeSet<&'a str>> {
    probe.fields.get(field)?.as_array()?.iter().map(Value::as_str).collect()
}

/// A field that is a list of transactions; empty when it is missing.
fn transactions(probe: &Probe, field: &str) -> BTreeSet<Name> {
    list(probe, field).unwrap_or_default().into_iter().filter_map(named).collect()
}

/// The decisions that a probe tells: one as it is made, or all that a node remembers when it starts.
fn decisions(probe: &Probe) -> Vec<(Name, &'static str)> {
    match probe.probe.as_str() {
        "decide" => {
            let decision = match text(probe, "decision") {
                Some("commit") => "commit",
                Some("abort") => "abort",
                _ => return Vec::new(),
            };
            transaction(probe).map(|name| (name, decision)).into_iter().collect()
        }
        "boot" => [("committed", "commit"), ("aborted", "abort")]
            .into_iter()
            .flat_map(|(field, decision)| {
                transactions(probe, field).into_iter().map(move |name| (name, decision))
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn show((epoch, number): Name) -> String {
    format!("t{epoch}.{number}")
}

#[cfg(test)]
mod tests {
    use super::all;

    #[test]
    fn garbage_accuses_nobody() {
        let script = "n1 decide\n n1 decide transaction=x decision=commit\n n1 decide transaction=t1.1 decision=7\n \
                      n2 vote\n n2 vote transaction=t1.1 vote=perhaps\n n2 boot\n n2 boot prepared=x committed=[1]\n \
                      n2 lock\n n2 lock transaction=t1.1 accounts=[2]\n n2 unlock\n n2 zap";
        assert_eq!(crate::chapter::violated(all(), script), [""; 0]);
    }
}
