//! Counters: histories by hand, and every subset of the adds.

mod histories;
mod verdicts;

use proptest::prelude::*;
use rashomon_checkers::{Budget, by_name};
use rashomon_core::history::Pair;
use rashomon_core::{History, Kind, Op, Validity, Value};
use serde_json::json;

use histories::{Choice, cases, choices, observe};
use verdicts::{accused, acquitted, gives_up, open};

const COUNTER: &str = "counter";
const GROWS: &str = "g-counter";
const BOTH: &str = "pn-counter";

#[test]
fn a_read_lies_between_what_was_added_and_what_may_have_been() {
    let text = |value: i64| {
        format!("0 invoke add 2\n0 ok add 2\n1 invoke add 3\n2 invoke read\n2 ok read {value}\n1 ok add 3")
    };
    for value in 2..=5 {
        acquitted(COUNTER, &text(value));
    }
    let verdict = accused(COUNTER, &text(1), &[("below-bounds", &[3, 4])]);
    assert_eq!(
        verdict.anomalies[0].because,
        "a read showed 1 (op 3), where the adds make at least 2 and at most 5"
    );
    accused(COUNTER, &text(6), &[("above-bounds", &[3, 4])]);
}

#[test]
fn an_add_that_takes_away_widens_the_other_bound() {
    let text = |value: i64| {
        format!("0 invoke add 2\n0 ok add 2\n1 invoke add -3\n2 invoke read\n2 ok read {value}\n1 ok add -3")
    };
    for value in -1..=2 {
        acquitted(COUNTER, &text(value));
    }
    accused(COUNTER, &text(-2), &[("below-bounds", &[3, 4])]);
    accused(COUNTER, &text(3), &[("above-bounds", &[3, 4])]);
}

#[test]
fn an_add_of_unknown_end_may_happen_at_any_later_time() {
    let text = "0 invoke add 2\n0 info add 2\n1 invoke read\n1 ok read 0\n1 invoke read\n1 ok read 2";
    acquitted(COUNTER, text);
    accused(COUNTER, &text.replace("info", "fail"), &[("above-bounds", &[4, 5])]);
}

#[test]
fn counters_that_were_not_put_to_the_test_are_unknown() {
    open(COUNTER, "0 invoke add 2\n0 ok add 2", "vacuous: no read succeeded");
    open(BOTH, "0 invoke add 2\n0 ok add 2\n1 invoke read\n1 ok read 2", "vacuous: no final read");
    open(COUNTER, "0 invoke add 0.5\n0 ok add 0.5", "op 0: an add takes a whole number, not 0.5");
    open(COUNTER, "0 invoke read\n0 ok read null", "op 0: a read of a counter answers with a whole number");
    open(GROWS, "0 invoke add -1\n0 ok add -1", "op 0: -1 is added to a counter that only grows");
    open(BOTH, "0 invoke cas [1,2]\n0 ok cas [1,2]", "op 0: a counter has no operation `cas`");
    for checker in [COUNTER, GROWS, BOTH] {
        gives_up(checker, "0 invoke add 1\n0 ok add 1");
    }
}

#[test]
fn in_the_end_all_acknowledged_adds_are_in_the_sum() {
    let text = |value: i64| {
        format!(
            "0 invoke add 2\n0 ok add 2\n1 invoke add 10\n1 info add 10\n2 invoke add 100\n2 fail add 100\n\
             3 invoke read\n3 ok read 0\n3 invoke read \"final\" node=n1\n3 ok read {value} node=n1"
        )
    };
    for checker in [GROWS, BOTH] {
        acquitted(checker, &text(2));
        acquitted(checker, &text(12));
        for value in [0, 3, 10, 102] {
            accused(checker, &text(value), &[("wrong-sum", &[8, 9])]);
        }
    }
    let verdict = accused(GROWS, &text(10), &[("wrong-sum", &[8, 9])]);
    assert_eq!(verdict.anomalies[0].because, "n1 showed 10 at the end (op 8), where the adds make 2, 12");
}

#[test]
fn before_the_end_any_add_may_be_missing_and_none_invented() {
    let text = |value: i64| {
        format!(
            "0 invoke add 2\n0 ok add 2\n3 invoke read\n3 ok read {value}\n1 invoke add 3\n1 ok add 3\n\
             3 invoke read \"final\"\n3 ok read 5"
        )
    };
    acquitted(GROWS, &text(0));
    accused(GROWS, &text(5), &[("above-bounds", &[2, 3])]);
    accused(GROWS, &text(-1), &[("below-bounds", &[2, 3])]);
}

fn act(f: u8, one: u8, two: u8) -> (&'static str, Value, Value) {
    let delta = i64::from(one % 9) - 4;
    match f % 4 {
        0 | 1 => ("add", json!(delta), Value::Null),
        2 => ("read", Value::Null, json!(i64::from(two % 16) - 8)),
        _ => ("read", json!("final"), json!(i64::from(two % 16) - 8)),
    }
}

fn counter(choices: &[Choice], only_grows: bool) -> History {
    let act = |f, one, two| {
        let (f, argument, answer) = act(f, one, two);
        let argument =
            argument.as_i64().map_or(argument, |delta| json!(if only_grows { delta.abs() } else { delta }));
        (f, argument, answer)
    };
    observe(4, 12, choices, 0_i64, act, |sum, f, argument| {
        if f == "add" {
            *sum += argument.as_i64().unwrap();
        }
        json!(sum)
    })
}

fn done(pair: &Pair<'_>) -> u64 {
    pair.completion.map_or(u64::MAX, |op| op.index)
}

/// All sums that adds make of which those that are `certain` are in and those that are `possible` may be.
fn sums(
    history: &History,
    certain: impl Fn(&Pair<'_>) -> bool,
    possible: impl Fn(&Pair<'_>) -> bool,
) -> Vec<i64> {
    let mut sums = vec![0];
    for add in history.pairs().filter(|pair| pair.invoke.f == "add" && pair.outcome() != Kind::Fail) {
        let delta = add.invoke.value.as_i64().unwrap();
        if certain(&add) {
            for sum in &mut sums {
                *sum += delta;
            }
        } else if possible(&add) {
            sums.extend(sums.clone().into_iter().map(|sum| sum + delta));
        }
    }
    sums
}

fn reads(history: &History) -> Vec<(Pair<'_>, &Op)> {
    let read = |pair: &Pair<'_>| pair.invoke.f == "read" && pair.outcome() == Kind::Ok;
    let index = |pair: &Pair<'_>| pair.completion.unwrap().index as usize;
    history.pairs().filter(read).map(|pair| (pair, &history.ops()[index(&pair)])).collect()
}

fn beyond(sums: &[i64], value: i64) -> bool {
    value < *sums.iter().min().unwrap() || value > *sums.iter().max().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(4000), ..ProptestConfig::default() })]

    #[test]
    fn bounds_are_the_extremes_of_all_sums(choices in choices(12)) {
        let history = counter(&choices, false);
        let verdict = by_name(COUNTER).unwrap().check(&history, &Budget::unlimited());
        let wrong = reads(&history).into_iter().any(|(read, answer)| {
            let certain = |add: &Pair<'_>| add.outcome() == Kind::Ok && done(add) < read.invoke.index;
            let sums = sums(&history, certain, |add| add.invoke.index < done(&read));
            beyond(&sums, answer.value.as_i64().unwrap())
        });
        let expected = match (wrong, reads(&history).is_empty()) {
            (true, _) => Validity::Invalid,
            (false, true) => Validity::Unknown,
            (false, false) => Validity::Valid,
        };
        prop_assert_eq!(verdict.valid, expected, "{:?}", verdict);
    }

    #[test]
    fn final_reads_are_among_all_sums(choices in choices(12), only_grows: bool) {
        let history = counter(&choices, only_grows);
        let checker = by_name(if only_grows { GROWS } else { BOTH }).unwrap();
        let verdict = checker.check(&history, &Budget::unlimited());
        let mut finals = 0;
        let mut wrong = 0;
        for (read, answer) in reads(&history) {
            let value = answer.value.as_i64().unwrap();
            wrong += usize::from(if read.invoke.value == "final" {
                finals += 1;
                !sums(&history, |add| add.outcome() == Kind::Ok, |_| true).contains(&value)
            } else {
                beyond(&sums(&history, |_| false, |add| add.invoke.index < done(&read)), value)
            });
        }
        let expected = match (wrong, finals) {
            (1.., _) => Validity::Invalid,
            (0, 0) => Validity::Unknown,
            (0, _) => Validity::Valid,
        };
        prop_assert_eq!(verdict.valid, expected, "{:?}", verdict);
        let counts = verdict.stats.get("anomalies").and_then(Value::as_object);
        let counted: u64 = counts.map_or(0, |counts| counts.values().filter_map(Value::as_u64).sum());
        prop_assert_eq!(counted as usize, wrong);
    }
}
