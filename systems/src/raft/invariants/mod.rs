//! What must hold of the nodes, judged by what they say of themselves.
//!
//! Each predicate reads the probes alone. Those of one node come in the order it emitted them; those of different
//! nodes in any order, so a predicate never concludes anything from which of two nodes was heard first. A probe
//! that is missing never accuses. What is remembered of entries is bounded: the oldest are forgotten.

mod elections;
mod logs;
mod membership;
mod state;

use rashomon_core::Invariant;

/// A fresh set of all predicates.
pub(super) fn all() -> Vec<Box<dyn Invariant>> {
    vec![
        Box::new(elections::ElectionSafety::default()),
        Box::new(elections::OneVote::default()),
        Box::new(elections::TermsNeverFall::default()),
        Box::new(logs::LeaderAppendOnly::default()),
        Box::new(logs::LogMatching::default()),
        Box::new(logs::LeaderCompleteness::default()),
        Box::new(logs::CommittedStays),
        Box::new(state::StateMachineSafety::default()),
        Box::new(state::AppliedInOrder::default()),
        Box::new(membership::OneServerAtATime),
    ]
}

#[cfg(test)]
mod tests {
    fn violated(script: &str) -> Vec<String> {
        crate::chapter::violated(super::all(), script)
    }

    #[test]
    fn two_leaders_in_a_term() {
        assert_eq!(violated("n1 leader term=2\n n2 leader term=3\n n1 leader term=2"), [""; 0]);
        assert_eq!(violated("n1 leader term=2\n n2 leader term=2"), ["election-safety"]);
    }

    #[test]
    fn two_votes_in_a_term() {
        assert_eq!(violated("n1 vote term=2 candidate=n2\n n1 vote term=3 candidate=n3"), [""; 0]);
        assert_eq!(
            violated("n1 vote term=2 candidate=n2\n n1 boot term=2\n n1 vote term=2 candidate=n3"),
            ["one-vote"]
        );
    }

    #[test]
    fn a_term_that_falls() {
        assert_eq!(violated("n1 follower term=4\n n1 boot term=4\n n2 boot term=3"), [""; 0]);
        assert_eq!(violated("n1 follower term=4\n n1 boot term=3 snapshot=0"), ["terms-never-fall"]);
    }

    #[test]
    fn a_leader_that_cuts_its_log() {
        assert_eq!(violated("n1 leader term=2\n n1 truncate term=3 from=5 commit=4"), [""; 0]);
        assert_eq!(violated("n1 leader term=2\n n1 truncate term=2 from=5 commit=4"), ["leader-append-only"]);
    }

    #[test]
    fn logs_that_end_alike_and_differ() {
        assert_eq!(
            violated("n1 append index=5 term=2 chain=aa\n n2 append index=5 term=3 chain=bb"),
            [""; 0]
        );
        assert_eq!(
            violated("n1 append index=5 term=2 chain=aa\n n2 append index=5 term=2 chain=bb"),
            ["log-matching"]
        );
    }

    #[test]
    fn a_leader_without_a_committed_entry() {
        let committed = "n1 commit index=7 term=2 during=4\n";
        let leader = |line: &str| violated(&format!("{committed}{line}"));
        assert_eq!(leader("n2 leader term=5 last=7 last_term=2"), [""; 0]);
        assert_eq!(leader("n2 leader term=5 last=9 last_term=4"), [""; 0], "and perhaps more");
        assert_eq!(leader("n2 leader term=5 last=3 last_term=3"), ["leader-completeness"], "Figure 8");
        assert_eq!(leader("n2 leader term=5 last=6 last_term=2"), ["leader-completeness"]);
        assert_eq!(leader("n2 leader term=3 last=6 last_term=2"), [""; 0], "it led before the commitment");
        let reversed = format!("n2 leader term=5 last=6 last_term=2\n{committed}");
        assert_eq!(violated(&reversed), ["leader-completeness"], "whichever is heard first");
    }

    #[test]
    fn a_committed_entry_that_is_cut_off() {
        assert_eq!(violated("n1 truncate term=2 from=5 commit=5 last=9"), ["committed-stays"]);
    }

    #[test]
    fn nodes_that_apply_different_things() {
        let apply = |second: &str| violated(&format!("n1 apply index=5 term=2 digest=aa\n n2 {second}"));
        assert_eq!(apply("apply index=5 term=2 digest=aa"), [""; 0]);
        assert_eq!(apply("apply index=5 term=3 digest=aa"), ["state-machine-safety"]);
        assert_eq!(apply("apply index=5 term=2 digest=bb"), ["state-machine-safety"]);
        assert_eq!(apply("restore index=5 term=2 digest=bb"), ["state-machine-safety"]);
    }

    #[test]
    fn a_node_that_applies_out_of_order() {
        let probes = |second: &str| {
            violated(&format!("n1 boot term=0 snapshot=4\n n1 apply index=5 term=1 digest=a\n {second}"))
        };
        assert_eq!(probes("n1 apply index=6 term=1 digest=b"), [""; 0]);
        assert_eq!(probes("n1 boot term=1 snapshot=4\n n1 apply index=5 term=1 digest=a"), [""; 0]);
        assert_eq!(probes("n1 restore index=9 term=1 digest=c\n n1 apply index=10 term=1 digest=d"), [""; 0]);
        assert_eq!(probes("n1 apply index=7 term=1 digest=b"), ["applied-in-order"]);
        assert_eq!(probes("n1 restore index=4 term=1 digest=c"), ["applied-in-order"]);
    }

    #[test]
    fn a_membership_that_changes_too_much_or_too_soon() {
        let change = |before: &str, after: &str, rest: &str| {
            violated(&format!("n1 configuration term=2 index=9 before={before} members={after} {rest}"))
        };
        let four = r#"["n1","n2","n3","n4"]"#;
        assert_eq!(change(four, r#"["n1","n2","n3"]"#, "before_index=4 commit=4"), [""; 0]);
        assert_eq!(change(r#"["n1","n2","n3"]"#, four, "before_index=4 commit=7"), [""; 0]);
        assert_eq!(change(four, four, "before_index=4 commit=7"), ["one-server-at-a-time"]);
        assert_eq!(change(four, r#"["n1","n2"]"#, "before_index=4 commit=7"), ["one-server-at-a-time"]);
        assert_eq!(change(four, r#"["n1","n2","n5"]"#, "before_index=4 commit=7"), ["one-server-at-a-time"]);
        assert_eq!(change(four, r#"["n1","n2","n3"]"#, "before_index=5 commit=4"), ["one-server-at-a-time"]);
    }

    #[test]
    fn garbage_accuses_nobody() {
        assert_eq!(
            violated("n1 leader\n n1 leader term=x\n n2 vote term=1\n n1 apply index=1\n n1 zap"),
            [""; 0]
        );
    }
}
