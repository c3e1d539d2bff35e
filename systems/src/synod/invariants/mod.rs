//! What must hold of the nodes, judged by what they say of themselves.
//!
//! Each predicate reads the probes alone. Those of one node come in the order it emitted them; those of different
//! nodes in any order, so a predicate never concludes anything from which of two nodes was heard first. A probe
//! that is missing never accuses. What is remembered is bounded.

mod choices;
mod promises;

use rashomon_core::{Invariant, NodeId, Probe};

use super::value::Value;
use crate::chapter::text;
use crate::paxos::Ballot;

/// A fresh set of all predicates.
pub(super) fn all() -> Vec<Box<dyn Invariant>> {
    vec![
        Box::new(choices::Agreement::default()),
        Box::new(choices::ChosenIsKept::default()),
        Box::new(choices::HighestIsAdopted::default()),
        Box::new(choices::OneValuePerBallot::default()),
        Box::new(promises::PromisesNeverFall::default()),
        Box::new(promises::NothingBelowPromise::default()),
    ]
}

fn key(probe: &Probe) -> Option<String> {
    text(probe, "key").map(str::to_owned)
}

fn ballot(probe: &Probe, field: &str) -> Option<Ballot> {
    probe.number(field).map(Ballot::numbered)
}

fn value(probe: &Probe) -> Option<Value> {
    probe.fields.get("value").and_then(rashomon_core::Value::as_i64).map(Value)
}

/// The acceptors whose promises a proposer had.
fn promised(probe: &Probe) -> Option<Vec<NodeId>> {
    let nodes = probe.fields.get("promised")?.as_array()?;
    nodes.iter().map(|node| Some(NodeId(u16::try_from(node.as_u64()?).ok()?))).collect()
}

#[cfg(test)]
mod tests {
    fn violated(script: &str) -> Vec<String> {
        crate::chapter::violated(super::all(), script)
    }

    #[test]
    fn two_values_chosen_for_a_key() {
        let chosen =
            |second: &str| violated(&format!("n1 chosen key=x ballot=1001 value=7\n n2 chosen {second}"));
        assert_eq!(chosen("key=x ballot=2002 value=7"), [""; 0]);
        assert_eq!(chosen("key=y ballot=2002 value=8"), [""; 0]);
        assert_eq!(chosen("key=x ballot=2002 value=8"), ["agreement"]);
    }

    #[test]
    fn a_proposal_against_what_is_chosen() {
        let chosen = "n1 chosen key=x ballot=2001 value=7";
        let propose = |ballot: u64, value: i64| format!("n2 propose key=x ballot={ballot} value={value}");
        assert_eq!(violated(&format!("{chosen}\n{}", propose(3002, 7))), [""; 0]);
        assert_eq!(violated(&format!("{chosen}\n{}", propose(1002, 8))), [""; 0], "a lower ballot");
        assert_eq!(violated(&format!("{chosen}\n{}", propose(3002, 8))), ["chosen-is-kept"]);
        assert_eq!(violated(&format!("{}\n{chosen}", propose(3002, 8))), ["chosen-is-kept"]);
    }

    #[test]
    fn a_proposal_that_overlooks_an_acceptance() {
        let accept = "n4 accept key=x ballot=2003 value=8";
        let propose = |ballot: u64, adopted: u64, promised: &str| {
            format!("n2 propose key=x ballot={ballot} value=7 adopted={adopted} promised={promised}")
        };
        assert_eq!(violated(&format!("{accept}\n{}", propose(3002, 1001, "[1,2,5]"))), [""; 0], "not asked");
        assert_eq!(
            violated(&format!("{accept}\n{}", propose(2002, 1001, "[1,2,4]"))),
            [""; 0],
            "accepted later"
        );
        assert_eq!(
            violated(&format!("{accept}\n{}", propose(3002, 2004, "[1,2,4]"))),
            [""; 0],
            "a higher one"
        );
        assert_eq!(
            violated(&format!("{accept}\n{}", propose(3002, 1001, "[1,2,4]"))),
            ["highest-is-adopted"]
        );
        assert_eq!(violated(&format!("{}\n{accept}", propose(3002, 0, "[1,2,4]"))), ["highest-is-adopted"]);
    }

    #[test]
    fn two_values_in_one_ballot() {
        let accept = |second: &str| violated(&format!("n1 accept key=x ballot=1001 value=7\n {second}"));
        assert_eq!(accept("n2 accept key=x ballot=1001 value=7"), [""; 0]);
        assert_eq!(accept("n2 accept key=x ballot=2001 value=8"), [""; 0]);
        assert_eq!(accept("n2 accept key=x ballot=1001 value=8"), ["one-value-per-ballot"]);
        assert_eq!(accept("n3 propose key=x ballot=1001 value=8"), ["one-value-per-ballot"]);
    }

    #[test]
    fn a_promise_that_goes_back() {
        let promises = |second: &str| violated(&format!("n1 promise key=x ballot=2003\n {second}"));
        assert_eq!(promises("n1 promise key=x ballot=3001"), [""; 0]);
        assert_eq!(promises("n1 promise key=y ballot=1001"), [""; 0]);
        assert_eq!(promises("n2 promise key=x ballot=1001"), [""; 0]);
        assert_eq!(promises("n1 promise key=x ballot=1001"), ["promises-never-fall"]);
    }

    #[test]
    fn a_value_accepted_below_the_promise() {
        let accept = "n1 accept key=x ballot=1002 value=7";
        assert_eq!(violated(&format!("n1 promise key=x ballot=1002\n {accept}")), [""; 0]);
        assert_eq!(violated(&format!("n2 promise key=x ballot=2003\n {accept}")), [""; 0]);
        assert_eq!(violated(&format!("n1 promise key=y ballot=2003\n {accept}")), [""; 0]);
        assert_eq!(violated(&format!("n1 promise key=x ballot=2003\n {accept}")), ["nothing-below-promise"]);
    }

    #[test]
    fn garbage_accuses_nobody() {
        let garbage = "n1 chosen\n n1 accept key=x\n n2 promise key=5 ballot=1\n n1 propose key=x ballot=1001 value=1 \
                       promised=[70000]\n n1 propose key=x ballot=x value=7 promised=3\n n1 zap";
        assert_eq!(violated(garbage), [""; 0]);
    }
}
