//! What is said of sets and lists that have no order: each kind of core by a history of its own.

use rashomon_checkers::linearizable::Linearizable;
use rashomon_checkers::models::{ElementSet, GrowList, GrowSet};
use rashomon_checkers::notation::history;
use rashomon_checkers::{Budget, Checker};
use rashomon_core::Validity;

/// The name of the only anomaly, and its reason.
fn said(checker: &dyn Checker, text: &str) -> (String, String) {
    let verdict = checker.check(&history(text), &Budget::unlimited());
    assert_eq!((verdict.valid, verdict.anomalies.len()), (Validity::Invalid, 1), "{text}\n{verdict:?}");
    let anomaly = &verdict.anomalies[0];
    (anomaly.name.clone(), anomaly.because.clone())
}

/// The history is told so, in each kind of object for which it is meant.
#[track_caller]
fn says(checker: &dyn Checker, text: &str, name: &str, because: &str) {
    assert_eq!(said(checker, text), (name.to_owned(), because.to_owned()), "{text}");
}

fn set() -> Linearizable<GrowSet> {
    Linearizable::new(GrowSet::default())
}

fn list() -> Linearizable<GrowList> {
    Linearizable::new(GrowList::default())
}

fn elements() -> Linearizable<ElementSet> {
    Linearizable::new(ElementSet::default())
}

const ADD_1: &str = "0 invoke add 1\n0 ok add 1\n";
const ADD_2: &str = "1 invoke add 2\n1 ok add 2\n";

/// A read of process 3.
fn read(answer: &str) -> String {
    format!("3 invoke read node=n3\n3 ok read {answer} node=n3\n")
}

#[test]
fn a_whole_set_that_cannot_be() {
    says(
        &set(),
        &format!("{ADD_1}{}", read("[1,7]")),
        "garbage-read",
        "n3 answered read -> [1,7] (op 2), but nothing ever added 7",
    );
    says(
        &set(),
        &format!("{ADD_1}0 invoke add 7\n0 fail add 7\n{}", read("[1,7]")),
        "dirty-read",
        "n3 answered read -> [1,7] (op 4), but the only operation that added 7, add 7 (op 2), failed and so certainly \
         did not happen",
    );
    says(
        &set(),
        &format!("{ADD_1}{}", read("[1,1]")),
        "duplicate-element",
        "n3 answered read -> [1,1] (op 2), where 1 stands 2 times: a set has an element once",
    );
    says(
        &set(),
        &format!("{ADD_1}{}", read("[]")),
        "lost-element",
        "n3 answered read -> [] (op 2), without 1, although add 1 (op 0) had completed before the read began",
    );
    says(
        &set(),
        &format!("{ADD_1}{}{}", read("[]"), read("[1]")),
        "stale-read",
        "n3 answered read -> [] (op 2), without 1, although add 1 (op 0) had completed before the read began",
    );
    says(
        &set(),
        &format!("{}{ADD_1}", read("[1]")),
        "future-read",
        "n3 answered read -> [1] (op 0) before add 1 (op 2) had begun",
    );
}

#[test]
fn whole_sets_that_contradict_each_other() {
    let open = "0 invoke add 1\n1 invoke add 2\n";
    says(
        &set(),
        &format!("{open}{}{}", read("[1]"), read("[2]")),
        "incompatible-reads",
        "n3 answered read -> [1] (op 2) with 1 and without 2, and n3 answered read -> [2] (op 4) with 2 and without 1, \
         but nothing is ever removed",
    );
    says(
        &set(),
        &format!("{open}{}{}", read("[1,2]"), read("[2]")),
        "stale-read",
        "n3 answered read -> [2] (op 4), without 1, although read -> [1,2] (op 2) had already been answered before the \
         read began, and nothing is ever removed",
    );
    let reading = format!("3 invoke read node=n3\n{ADD_1}{ADD_2}3 ok read [2] node=n3");
    says(
        &set(),
        &reading,
        "lost-element",
        "n3 answered read -> [2] (op 0), with 2 and without 1, although add 1 (op 1) had completed before add 2 (op 3) \
         began",
    );
}

#[test]
fn a_list_that_cannot_be() {
    let appended = |text: &str| text.replace("add", "append");
    for (text, name) in [
        (format!("{ADD_1}{}", read("[1,7]")), "garbage-read"),
        (format!("{ADD_1}{}", read("null")), "lost-element"),
        (format!("{}{ADD_1}", read("[1]")), "future-read"),
        (format!("0 invoke add 1\n1 invoke add 2\n{}{}", read("[1,2]"), read("[1]")), "stale-read"),
        (format!("3 invoke read\n{ADD_1}{ADD_2}3 ok read [2]"), "lost-element"),
    ] {
        assert_eq!(said(&list(), &appended(&text)).0, name, "{text}");
    }
    says(
        &list(),
        &appended(&format!("{ADD_1}{}", read("[1,1]"))),
        "duplicate-element",
        "n3 answered read -> [1,1] (op 2), where 1 stands 2 times and was appended 1 times at most",
    );
    says(
        &list(),
        &appended(&format!("{ADD_1}{ADD_2}{}", read("[2,1]"))),
        "out-of-order",
        "n3 answered read -> [2,1] (op 4), with 2 before 1, although append 1 (op 0) had completed before append 2 (op \
         2) began",
    );
    says(
        &list(),
        &appended(&format!("0 invoke add 1\n1 invoke add 2\n{}{}", read("[1,2]"), read("[2,1]"))),
        "incompatible-reads",
        "n3 answered read -> [1,2] (op 2) and n3 answered read -> [2,1] (op 4): at place 0 the one has 1 and the other \
         2, but a list grows at its end only, so one answer had to begin with the other",
    );
}

#[test]
fn one_element_that_is_in_and_out_at_once() {
    let contains = |there: bool| format!("3 invoke contains 1 node=n3\n3 ok contains {there} node=n3\n");
    says(
        &elements(),
        &format!("{ADD_2}{}", contains(true)),
        "phantom-element",
        "n3 answered contains 1 -> true (op 2), but nothing ever added 1",
    );
    says(
        &elements(),
        &format!("{ADD_1}{}", contains(false)),
        "lost-element",
        "n3 answered contains 1 -> false (op 2) although add 1 (op 0) had completed before it began, and nothing ever \
         removes 1",
    );
    says(
        &elements(),
        &format!("{}{ADD_1}", contains(true)),
        "future-read",
        "n3 answered contains 1 -> true (op 0) before add 1 (op 2) had begun, which alone adds 1",
    );
    says(
        &elements(),
        "0 invoke add 1\n1 invoke add 1\n0 ok add true\n1 ok add true",
        "duplicate-add",
        "add 1 -> true (op 0) and add 1 -> true (op 1) each put 1 in and did not find it there, and nothing ever removes \
         it",
    );
    says(
        &elements(),
        &format!("{ADD_1}0 invoke remove 1\n1 invoke remove 1\n0 ok remove true\n1 ok remove true"),
        "duplicate-remove",
        "remove 1 -> true (op 2) and remove 1 -> true (op 3) each took 1 out, which was added only once",
    );
    says(
        &elements(),
        &format!("{ADD_1}0 invoke remove 1\n0 ok remove 1\n{}", contains(true)),
        "stale-read",
        "n3 answered contains 1 -> true (op 4) although remove 1 (op 2) had completed before it began, and only add 1 \
         (op 0) adds 1",
    );
    let (name, because) = said(
        &elements(),
        &format!("{ADD_1}{}{}{}0 invoke remove 1\n", contains(true), contains(false), contains(true)),
    );
    assert_eq!(name, "nonlinearizable");
    assert!(because.starts_with("no order of these"), "{because}");
}
