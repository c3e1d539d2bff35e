//! One bad history by hand for each property of consensus, and good ones that resemble it.

use rashomon_checkers::consensus::Consensus;
use rashomon_checkers::notation::history;
use rashomon_checkers::{Budget, Checker};
use rashomon_core::{Validity, Verdict};

fn check(text: &str) -> Verdict {
    Consensus.check(&history(text), &Budget::unlimited())
}

/// The anomalies are these, each with its events and why.
#[track_caller]
fn accused(verdict: &Verdict, anomalies: &[(&str, &[u64], &str)]) {
    assert_eq!(verdict.valid, Validity::Invalid, "{verdict:?}");
    let found: Vec<(&str, &[u64], &str)> = verdict
        .anomalies
        .iter()
        .map(|anomaly| (anomaly.name.as_str(), anomaly.events.as_slice(), anomaly.because.as_str()))
        .collect();
    assert_eq!(found, anomalies);
}

#[track_caller]
fn acquitted(verdict: &Verdict) {
    assert_eq!(verdict.valid, Validity::Valid, "{verdict:?}");
}

#[test]
fn two_proposers_are_told_two_decisions() {
    let verdict = check(
        "0 invoke propose 1 key=x\n1 invoke propose 2 key=x\n\
         0 ok propose 1 key=x node=n1\n1 ok propose 2 key=x node=n4",
    );
    let because =
        "n1 said that 1 is decided (op 2), and n4 said that 2 is decided (op 3): two values for one key";
    accused(&verdict, &[("agreement", &[0, 1, 2, 3], because)]);
    assert_eq!(verdict.anomalies[0].key.as_deref(), Some("x"));
    assert!(verdict.summary.starts_with("agreement does not hold: n1 said"), "{}", verdict.summary);
}

#[test]
fn each_key_is_decided_for_itself() {
    acquitted(&check(
        "0 invoke propose 1 key=x\n1 invoke propose 2 key=y\n0 ok propose 1 key=x\n1 ok propose 2 key=y",
    ));
}

#[test]
fn a_proposer_may_be_told_the_value_of_another() {
    acquitted(&check("0 invoke propose 1\n1 invoke propose 2\n0 ok propose 2\n1 ok propose 2"));
}

#[test]
fn a_node_that_decides_twice() {
    let verdict = check(
        "0 invoke propose 1\n1 invoke propose 2\n0 ok propose 1 node=n1\n1 info propose 2\n\
         2 invoke learn\n2 ok learn 1 node=n2\n\
         3 invoke learn\n3 ok learn 2 node=n1",
    );
    accused(
        &verdict,
        &[
            (
                "agreement",
                &[0, 2, 6, 7],
                "n1 said that 1 is decided (op 2), and n1 said that 2 is decided (op 7): two values for one key",
            ),
            (
                "integrity",
                &[0, 2, 6, 7],
                "n1 said that 1 is decided (op 2), and later n1 said that 2 is decided (op 7): n1 decided twice",
            ),
        ],
    );
}

#[test]
fn a_node_may_forget_and_learn_again() {
    let verdict = check(
        "0 invoke propose 1\n0 ok propose 1 node=n1\n1 invoke learn\n1 ok learn null node=n1\n\
         1 invoke learn\n1 ok learn 1 node=n1",
    );
    acquitted(&verdict);
    assert_eq!(verdict.stats["late_nils"], 1);
}

#[test]
fn nil_during_the_decision_is_not_late() {
    let verdict = check("0 invoke propose 1\n1 invoke learn\n0 ok propose 1\n1 ok learn null");
    acquitted(&verdict);
    assert_eq!(verdict.stats["late_nils"], 0);
}

#[test]
fn a_value_that_nobody_proposed() {
    let verdict = check("0 invoke propose 1\n1 invoke learn\n1 ok learn 3 node=n2\n0 info propose 1");
    accused(
        &verdict,
        &[("validity", &[1, 2], "n2 said that 3 is decided (op 2), but nobody ever proposed it")],
    );
}

#[test]
fn a_value_that_was_proposed_for_another_key() {
    let verdict =
        check("0 invoke propose 1 key=y\n1 invoke learn key=x\n1 ok learn 1 key=x\n0 ok propose 1 key=y");
    let because = "the answer to process 1 said that 1 is decided (op 2), but nobody ever proposed it";
    accused(&verdict, &[("validity", &[1, 2], because)]);
    assert_eq!(verdict.anomalies[0].key.as_deref(), Some("x"));
}

#[test]
fn a_proposal_that_failed_cannot_be_decided() {
    let verdict = check("0 invoke propose 1\n0 fail propose 1\n1 invoke learn\n1 ok learn 1 node=n2");
    let because =
        "n2 said that 1 is decided (op 3), but its proposal (op 0) failed and so certainly did not happen";
    accused(&verdict, &[("validity", &[0, 1, 2, 3], because)]);
}

#[test]
fn a_proposal_whose_end_is_unknown_may_be_decided() {
    acquitted(&check("0 invoke propose 1\n0 info propose 1\n1 invoke learn\n1 ok learn 1"));
    acquitted(&check("0 invoke propose 1\n1 invoke learn\n1 ok learn 1"));
}

#[test]
fn a_decision_cannot_precede_its_proposal() {
    let verdict = check("1 invoke learn\n1 ok learn 1 node=n2\n0 invoke propose 1\n0 ok propose 1");
    let because = "n2 said that 1 is decided (op 1), but its proposal (op 2) began only later";
    accused(&verdict, &[("validity", &[0, 1, 2, 3], because)]);
    acquitted(&check("1 invoke learn\n0 invoke propose 1\n1 ok learn 1\n0 ok propose 1"));
}

#[test]
fn final_reads_count_like_all_others() {
    let verdict = check(
        "0 invoke propose 1\n1 invoke propose 2\n0 ok propose 1 node=n1\n1 info propose 2\n\
         10 invoke learn node=n1\n11 invoke learn node=n2\n10 ok learn 1 node=n1\n11 ok learn 2 node=n2",
    );
    assert_eq!(verdict.anomalies.len(), 1, "{verdict:?}");
    assert_eq!(verdict.anomalies[0].events, [0, 2, 5, 7]);
}

#[test]
fn where_nobody_was_told_a_decision_nothing_was_tested() {
    for text in ["", "0 invoke propose 1\n0 info propose 1", "0 invoke learn\n0 ok learn null"] {
        assert_eq!(check(text).valid, Validity::Unknown, "{text}");
    }
}

#[test]
fn what_cannot_be_understood_is_unknown_and_says_so() {
    let unknown = |text: &str| {
        let verdict = check(text);
        assert_eq!(verdict.valid, Validity::Unknown, "{verdict:?}");
        verdict.summary
    };
    let summary = unknown("0 invoke propose 1\n0 ok propose null");
    assert_eq!(summary, "op 1: a proposal was answered with nil and not with a decision");
    assert_eq!(unknown("0 invoke read\n0 ok read 1"), "op 0: consensus has no operation `read`");
}

#[test]
fn many_anomalies_are_counted_and_few_are_told() {
    let twice = |key: u8| {
        format!(
            "0 invoke propose 1 key={key}\n0 ok propose 1 key={key}\n\
             1 invoke propose 2 key={key}\n1 ok propose 2 key={key}\n"
        )
    };
    let keys: Vec<String> = (0..20).map(twice).collect();
    let verdict = check(&keys.concat());
    assert_eq!(verdict.anomalies.len(), 8);
    assert!(verdict.summary.ends_with("of 20 keys, violated: agreement on 20"), "{}", verdict.summary);
}

#[test]
fn a_spent_budget_is_unknown() {
    let verdict = Consensus.check(&history("0 invoke propose 1\n0 ok propose 1"), &Budget::new(0, &|| true));
    assert_eq!((verdict.valid, verdict.summary.as_str()), (Validity::Unknown, "time budget exhausted"));
}
