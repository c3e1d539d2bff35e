//! What must be there once: ids, and inserts that exclude each other.

mod histories;
mod verdicts;

use proptest::prelude::*;
use rashomon_checkers::{Budget, by_name};
use rashomon_core::{Kind, Validity, Value};
use serde_json::json;

use histories::{cases, choices, observe};
use verdicts::{accused, acquitted, gives_up, open};

const IDS: &str = "unique-ids";

#[test]
fn ids_of_any_type_that_differ() {
    acquitted(
        IDS,
        "0 invoke generate\n0 ok generate 1\n0 invoke generate\n0 ok generate \"1\"\n\
         0 invoke generate\n0 ok generate [1]\n1 invoke generate\n1 info generate",
    );
}

#[test]
fn duplicate_id() {
    let verdict = accused(
        IDS,
        "0 invoke generate\n1 invoke generate\n0 ok generate \"a\"\n1 ok generate \"a\"",
        &[("duplicate-id", &[0, 1, 2, 3])],
    );
    assert_eq!(verdict.anomalies[0].because, "the id \"a\" was given out twice, in op 0 and in op 1");
    // Each key has a generator of its own.
    acquitted(
        IDS,
        "0 invoke generate key=a\n0 ok generate 1 key=a\n0 invoke generate key=b\n0 ok generate 1 key=b",
    );
}

#[test]
fn ids_that_were_not_put_to_the_test_are_unknown() {
    open(IDS, "0 invoke generate\n0 ok generate 1", "vacuous: 1 ids asked for, 1 given out");
    open(IDS, "0 invoke generate\n0 ok generate", "op 1: the answer names no id");
    open(IDS, "0 invoke read\n0 ok read 1", "op 0: a generator of ids has no operation `read`");
    gives_up(IDS, "0 invoke generate\n0 ok generate 1");
}

const ADYA: &str = "adya";

#[test]
fn one_insert_of_a_key_may_succeed() {
    let verdict = acquitted(
        ADYA,
        "0 invoke insert [1,null] key=a\n1 invoke insert [null,2] key=a\n0 ok insert [1,null] key=a\n\
         1 fail insert [null,2] key=a\n0 invoke insert [3,null] key=b\n0 ok insert [3,null] key=b",
    );
    assert_eq!((verdict.stats["legal"].as_u64(), verdict.stats["tested"].as_u64()), (Some(2), Some(1)));
}

#[test]
fn predicate_anti_dependency_cycle() {
    let text = "0 invoke insert [7,[1,null]]\n1 invoke insert [7,[null,2]]\n\
                0 ok insert [7,[1,null]]\n1 ok insert [7,[null,2]]";
    let verdict = accused(ADYA, text, &[("G2", &[0, 1, 2, 3])]);
    assert_eq!(verdict.anomalies[0].key.as_deref(), Some("7"));
    // One of unknown end may not have happened.
    acquitted(ADYA, &text.replace("1 ok", "1 info"));
}

#[test]
fn inserts_that_were_not_put_to_the_test_are_unknown() {
    open(ADYA, "0 invoke insert [1,null] key=a\n0 ok insert [1,null] key=a", "vacuous: 1 keys");
    open(ADYA, "0 invoke insert [1,2] key=a\n0 ok insert [1,2] key=a", "op 0: an insert has a key");
    open(ADYA, "0 invoke insert [1,null]\n0 ok insert [1,null]", "op 0: an insert has a key");
    open(ADYA, "0 invoke read\n0 ok read", "op 0: there is no operation `read` here");
    gives_up(ADYA, "0 invoke insert [7,[1,null]]\n0 ok insert [7,[1,null]]");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(4000), ..ProptestConfig::default() })]

    #[test]
    fn every_pair_of_answers_differs(choices in choices(12)) {
        let act = |_, one: u8, two: u8| {
            ("generate", Value::Null, if two.is_multiple_of(2) { json!(one % 12) } else { json!((one % 12).to_string()) })
        };
        let history = observe(4, 12, &choices, 0, act, |next, _, _| {
            *next += 1;
            json!(*next)
        });
        let given: Vec<&Value> =
            history.ops().iter().filter(|op| op.kind == Kind::Ok).map(|op| &op.value).collect();
        let twice = (0..given.len()).any(|one| (0..one).any(|two| given[one] == given[two]));
        let verdict = by_name(IDS).unwrap().check(&history, &Budget::unlimited());
        let expected = match (twice, given.len()) {
            (true, _) => Validity::Invalid,
            (false, 0 | 1) => Validity::Unknown,
            (false, _) => Validity::Valid,
        };
        prop_assert_eq!(verdict.valid, expected, "{:?}", verdict);
    }

    #[test]
    fn at_most_one_insert_of_each_key(choices in choices(12)) {
        let act = |f: u8, one: u8, two: u8| {
            let row = if two.is_multiple_of(2) { json!([two, null]) } else { json!([null, two]) };
            ("insert", json!([[f % 2, one % 4], row]), Value::Null)
        };
        let history = observe(4, 12, &choices, (), act, |(), _, argument| argument.clone());
        let of = |key: &Value| -> Vec<Kind> {
            history.pairs().filter(|pair| pair.invoke.value[0] == *key).map(|pair| pair.outcome()).collect()
        };
        let ok = |kinds: &[Kind]| kinds.iter().filter(|kind| **kind == Kind::Ok).count();
        let (mut wrong, mut tested) = (false, false);
        for pair in history.pairs() {
            let kinds = of(&pair.invoke.value[0]);
            wrong |= ok(&kinds) > 1;
            tested |= kinds.len() > 1 && ok(&kinds) > 0;
        }
        let verdict = by_name(ADYA).unwrap().check(&history, &Budget::unlimited());
        let expected = match (wrong, tested) {
            (true, _) => Validity::Invalid,
            (false, false) => Validity::Unknown,
            (false, true) => Validity::Valid,
        };
        prop_assert_eq!(verdict.valid, expected, "{:?}", verdict);
    }
}
