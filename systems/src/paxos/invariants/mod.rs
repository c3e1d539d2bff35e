//! What must hold of the nodes, judged by what they say of themselves.
//!
//! Each predicate reads the probes alone. Those of one node come in the order it emitted them; those of different
//! nodes in any order, so a predicate never concludes anything from which of two nodes was heard first. A probe
//! that is missing never accuses. What is remembered of slots is bounded: the oldest are forgotten.

mod choices;
mod promises;
mod state;

use rashomon_core::{Invariant, Probe};

use super::ballot::Ballot;
use crate::chapter::text;

/// A fresh set of all predicates.
pub(super) fn all() -> Vec<Box<dyn Invariant>> {
    vec![
        Box::new(choices::Agreement::default()),
        Box::new(choices::Validity::default()),
        Box::new(choices::ChosenIsKept::default()),
        Box::new(choices::OneValuePerBallot::default()),
        Box::new(promises::PromisesNeverFall::default()),
        Box::new(promises::NothingBelowPromise::default()),
        Box::new(state::StatesAgree::default()),
        Box::new(state::AppliedInOrder::default()),
    ]
}

fn digest(probe: &Probe) -> Option<&str> {
    text(probe, "digest")
}

/// A ballot, written as the nodes write it in their messages.
fn ballot(number: u64) -> Ballot {
    Ballot::numbered(number)
}

#[cfg(test)]
mod tests {
    fn violated(script: &str) -> Vec<String> {
        crate::chapter::violated(super::all(), script)
    }

    #[test]
    fn two_values_chosen_for_a_slot() {
        let chosen =
            |second: &str| violated(&format!("n1 chosen slot=3 ballot=1001 digest=aa\n n2 {second}"));
        assert_eq!(chosen("chosen slot=3 ballot=2002 digest=aa"), [""; 0]);
        assert_eq!(chosen("chosen slot=4 ballot=2002 digest=bb"), [""; 0]);
        assert_eq!(chosen("chosen slot=3 ballot=2002 digest=bb"), ["agreement"]);
        assert_eq!(chosen("learn slot=3 digest=bb"), ["agreement"]);
    }

    #[test]
    fn a_value_that_nobody_proposed() {
        let propose = "n1 propose slot=3 ballot=1001 origin=1001 digest=aa";
        let chosen = |digest: &str| format!("n2 chosen slot=3 ballot=2002 origin=1001 digest={digest}");
        assert_eq!(violated(&format!("{propose}\n{}", chosen("aa"))), [""; 0]);
        assert_eq!(violated(&format!("{propose}\n{}", chosen("bb"))), ["validity"]);
        assert_eq!(
            violated(&format!("{}\n{propose}", chosen("bb"))),
            ["validity"],
            "whichever is heard first"
        );
        assert_eq!(violated(&chosen("bb")), [""; 0], "the proposer may have died with its last words");
    }

    #[test]
    fn a_proposal_against_what_is_chosen() {
        let chosen = "n1 chosen slot=3 ballot=2001 digest=aa";
        let propose =
            |ballot: u64, digest: &str| format!("n2 propose slot=3 ballot={ballot} origin=1 digest={digest}");
        assert_eq!(violated(&format!("{chosen}\n{}", propose(3002, "aa"))), [""; 0]);
        assert_eq!(violated(&format!("{chosen}\n{}", propose(1002, "bb"))), [""; 0], "a lower ballot");
        assert_eq!(violated(&format!("{chosen}\n{}", propose(3002, "bb"))), ["chosen-is-kept"]);
        assert_eq!(violated(&format!("{}\n{chosen}", propose(3002, "bb"))), ["chosen-is-kept"]);
    }

    #[test]
    fn two_values_in_one_ballot() {
        let accept = |second: &str| violated(&format!("n1 accept slot=3 ballot=1001 digest=aa\n {second}"));
        assert_eq!(accept("n2 accept slot=3 ballot=1001 digest=aa"), [""; 0]);
        assert_eq!(accept("n2 accept slot=3 ballot=2001 digest=bb"), [""; 0]);
        assert_eq!(accept("n2 accept slot=3 ballot=1001 digest=bb"), ["one-value-per-ballot"]);
        assert_eq!(accept("n3 propose slot=3 ballot=1001 origin=1 digest=bb"), ["one-value-per-ballot"]);
    }

    #[test]
    fn a_promise_that_goes_back() {
        assert_eq!(
            violated("n1 promise ballot=2003\n n1 boot promised=2003\n n2 boot promised=1001"),
            [""; 0]
        );
        assert_eq!(violated("n1 promise ballot=2003\n n1 boot promised=1001"), ["promises-never-fall"]);
        assert_eq!(
            violated("n1 accept slot=1 ballot=2003 digest=a\n n1 promise ballot=1002"),
            ["promises-never-fall"]
        );
    }

    #[test]
    fn a_value_accepted_below_the_promise() {
        let accept = "n1 accept slot=1 ballot=1002 digest=a";
        assert_eq!(violated(&format!("n1 promise ballot=1002\n {accept}")), [""; 0]);
        assert_eq!(violated(&format!("n2 promise ballot=2003\n {accept}")), [""; 0]);
        assert_eq!(violated(&format!("n1 promise ballot=2003\n {accept}")), ["nothing-below-promise"]);
    }

    #[test]
    fn states_that_differ() {
        let apply = |second: &str| violated(&format!("n1 apply slot=5 digest=aa\n n2 {second}"));
        assert_eq!(apply("apply slot=5 digest=aa"), [""; 0]);
        assert_eq!(apply("apply slot=5 digest=bb"), ["states-agree"]);
        assert_eq!(apply("restore slot=5 digest=bb"), ["states-agree"]);
    }

    #[test]
    fn slots_out_of_order() {
        let probes = |second: &str| {
            violated(&format!("n1 boot promised=0 applied=4\n n1 apply slot=5 digest=a\n n1 {second}"))
        };
        assert_eq!(probes("apply slot=6 digest=b"), [""; 0]);
        assert_eq!(probes("boot promised=0 applied=4"), [""; 0]);
        assert_eq!(probes("restore slot=9 digest=b"), [""; 0]);
        assert_eq!(probes("apply slot=7 digest=b"), ["applied-in-order"]);
        assert_eq!(probes("restore slot=4 digest=b"), ["applied-in-order"]);
    }

    #[test]
    fn garbage_accuses_nobody() {
        assert_eq!(violated("n1 chosen\n n1 accept slot=x\n n2 promise\n n1 apply slot=1\n n1 zap"), [""; 0]);
    }
}
