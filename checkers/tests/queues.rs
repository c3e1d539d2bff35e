//! Queues whose order does not matter: histories by hand, and the definitions read literally.

mod histories;
mod verdicts;

use proptest::prelude::*;
use rashomon_checkers::{Budget, by_name};
use rashomon_core::history::Pair;
use rashomon_core::{History, Kind, Validity, Value};
use serde_json::json;

use histories::{Choice, cases, choices, observe};
use verdicts::{accused, acquitted, gives_up, open};

const UNORDERED: &str = "unordered-queue";
const TOTAL: &str = "total-queue";
const TWO_IN: &str = "0 invoke enqueue 1\n0 ok enqueue 1\n0 invoke enqueue 2\n0 ok enqueue 2\n";

#[test]
fn any_order_will_do() {
    let text = format!(
        "{TWO_IN}1 invoke dequeue\n1 ok dequeue 2\n1 invoke dequeue\n1 ok dequeue 1\n1 invoke dequeue\n1 ok dequeue"
    );
    acquitted(UNORDERED, &text);
    let verdict = acquitted(TOTAL, &text);
    assert_eq!(verdict.stats["dequeued"], 2);
}

#[test]
fn a_drain_takes_what_is_left() {
    let text = format!("{TWO_IN}1 invoke dequeue\n1 ok dequeue 2\n1 invoke drain\n1 ok drain [1]");
    acquitted(UNORDERED, &text);
    acquitted(TOTAL, &text);
}

#[test]
fn phantom_dequeue() {
    for checker in [UNORDERED, TOTAL] {
        let verdict = accused(
            checker,
            &format!("{TWO_IN}1 invoke drain node=n2\n1 ok drain [1,2,3] node=n2"),
            &[("phantom-dequeue", &[4, 5])],
        );
        assert_eq!(verdict.anomalies[0].because, "3 came out (op 4), but nobody ever put it in");
        assert_eq!(verdict.anomalies[0].details["element"], 3);
    }
}

#[test]
fn aborted_dequeue() {
    let text = "0 invoke enqueue 1\n0 fail enqueue 1\n1 invoke dequeue\n1 ok dequeue 1";
    for checker in [UNORDERED, TOTAL] {
        accused(checker, text, &[("aborted-dequeue", &[0, 1, 2, 3])]);
    }
}

#[test]
fn future_dequeue() {
    let text = "1 invoke dequeue\n1 ok dequeue 1\n0 invoke enqueue 1\n0 ok enqueue 1";
    accused(UNORDERED, text, &[("future-dequeue", &[0, 1, 2, 3])]);
    acquitted(UNORDERED, "1 invoke dequeue\n0 invoke enqueue 1\n1 ok dequeue 1\n0 ok enqueue 1");
}

#[test]
fn duplicate_dequeue() {
    let text = "0 invoke enqueue 1\n0 ok enqueue 1\n1 invoke dequeue\n1 ok dequeue 1\n\
                1 invoke dequeue\n1 ok dequeue 1\n1 invoke drain\n1 ok drain []";
    accused(UNORDERED, text, &[("duplicate-dequeue", &[0, 1, 2, 3, 4, 5])]);
    assert_eq!(acquitted(TOTAL, text).stats["duplicated"], 1);
    let twice = format!("2 invoke enqueue 1\n2 info enqueue 1\n{text}");
    assert_eq!(acquitted(UNORDERED, &twice).stats["recovered"], 1);
}

#[test]
fn an_enqueue_of_unknown_end_explains_a_dequeue_and_need_not_come_out() {
    let text = format!("2 invoke enqueue 9\n2 info enqueue 9\n{TWO_IN}1 invoke drain\n1 ok drain [2,1,9]");
    assert_eq!(acquitted(UNORDERED, &text).stats["recovered"], 1);
    acquitted(TOTAL, &text);
    acquitted(TOTAL, &text.replace(",9]", "]"));
}

#[test]
fn lost_element() {
    let verdict = accused(
        TOTAL,
        &format!("{TWO_IN}1 invoke drain\n1 ok drain [2]"),
        &[("lost-element", &[0, 1, 4, 5])],
    );
    assert_eq!(
        verdict.anomalies[0].because,
        "1 was put in (op 0) and acknowledged, the queue was found empty after that (op 4), and it never came out"
    );
    acquitted(UNORDERED, &format!("{TWO_IN}1 invoke drain\n1 ok drain [2]"));
    let by_dequeue = format!("{TWO_IN}1 invoke dequeue\n1 ok dequeue 2\n1 invoke dequeue\n1 ok dequeue");
    accused(TOTAL, &by_dequeue, &[("lost-element", &[0, 1, 6, 7])]);
}

#[test]
fn a_queue_that_was_not_seen_empty_may_still_hold_it() {
    open(
        TOTAL,
        &format!("{TWO_IN}1 invoke dequeue\n1 ok dequeue 2"),
        "1 acknowledged elements never came out",
    );
    let before = format!("1 invoke drain\n{TWO_IN}1 ok drain [2]");
    open(TOTAL, &before, "not found empty since");
}

#[test]
fn a_dequeue_of_unknown_end_may_have_taken_it() {
    let with =
        |more: &str| format!("{TWO_IN}3 invoke dequeue\n3 info dequeue\n1 invoke drain\n1 ok drain {more}");
    open(TOTAL, &with("[2]"), "dequeues of unknown end may have taken as many");
    accused(TOTAL, &with("[]"), &[("lost-element", &[0, 1, 6, 7]), ("lost-element", &[2, 3, 6, 7])]);
    let late = format!("{TWO_IN}1 invoke drain\n1 ok drain [2]\n3 invoke dequeue\n3 info dequeue");
    accused(TOTAL, &late, &[("lost-element", &[0, 1, 4, 5])]);
    let drain = format!("{TWO_IN}3 invoke drain\n3 info drain\n1 invoke drain\n1 ok drain []");
    open(TOTAL, &drain, "2 elements never came out");
}

#[test]
fn what_is_no_queue_is_unknown() {
    open(UNORDERED, "0 invoke push 1\n0 ok push 1", "op 0: a queue has no operation `push`");
    open(UNORDERED, "0 invoke enqueue\n0 ok enqueue", "op 0: nil is put into the queue");
    open(TOTAL, "0 invoke drain\n0 ok drain 3", "op 0: a drain answers with a list");
    open(UNORDERED, "0 invoke enqueue 1\n0 ok enqueue 1", "vacuous: nothing came out");
    open(TOTAL, "0 invoke drain\n0 ok drain []", "vacuous: no enqueue was acknowledged");
    for checker in [UNORDERED, TOTAL] {
        gives_up(checker, TWO_IN);
    }
}

#[test]
fn keys_are_queues_of_their_own() {
    let text = "0 invoke enqueue 1 key=a\n0 ok enqueue 1 key=a\n1 invoke drain key=b\n1 ok drain [1] key=b";
    let verdict = accused(UNORDERED, text, &[("phantom-dequeue", &[2, 3])]);
    assert_eq!(verdict.anomalies[0].key.as_deref(), Some("b"));
}

fn act(f: u8, one: u8, two: u8) -> (&'static str, Value, Value) {
    let lie = |bits: u8| (0..4).filter(|bit| bits >> bit & 1 == 1).collect::<Vec<u8>>();
    match f % 8 {
        0..=3 => ("enqueue", json!(one % 4), Value::Null),
        4..=6 => ("dequeue", Value::Null, if two.is_multiple_of(4) { Value::Null } else { json!(one % 4) }),
        _ => ("drain", Value::Null, json!(lie(two))),
    }
}

fn queue(choices: &[Choice]) -> History {
    observe(4, 14, choices, Vec::<Value>::new(), act, |queue, f, argument| match f {
        "enqueue" => {
            queue.push(argument.clone());
            Value::Null
        }
        "dequeue" if queue.is_empty() => Value::Null,
        "dequeue" => queue.remove(queue.len() / 2),
        _ => json!(std::mem::take(queue)),
    })
}

fn done(pair: &Pair<'_>) -> u64 {
    pair.completion.map_or(u64::MAX, |op| op.index)
}

/// What each operation that succeeded took out.
fn taken(history: &History) -> Vec<(u64, Value)> {
    let mut taken = Vec::new();
    for pair in history.pairs().filter(|pair| pair.outcome() == Kind::Ok) {
        let value = &pair.completion.unwrap().value;
        match (pair.invoke.f.as_str(), value) {
            ("dequeue", Value::Null) | ("enqueue", _) => {}
            ("drain", Value::Array(list)) => {
                taken.extend(list.iter().map(|value| (done(&pair), value.clone())));
            }
            _ => taken.push((done(&pair), value.clone())),
        }
    }
    taken
}

/// How many of these can be given an enqueue of their own: every way is tried.
fn most_explained(taken: &[(u64, Value)], enqueues: &mut Vec<(u64, Value)>) -> usize {
    let Some(((end, value), rest)) = taken.split_first() else { return 0 };
    let mut best = most_explained(rest, enqueues);
    for place in 0..enqueues.len() {
        if enqueues[place].1 == *value && enqueues[place].0 < *end {
            let enqueue = enqueues.remove(place);
            best = best.max(1 + most_explained(rest, enqueues));
            enqueues.insert(place, enqueue);
        }
    }
    best
}

/// Whether more is lost than dequeues of unknown end can excuse, by whom it found empty.
fn lost(history: &History) -> bool {
    let taken = taken(history);
    // The elements that `act` may put in.
    let values: Vec<Value> = (0..4).map(|value| json!(value)).collect();
    history.pairs().filter(|pair| pair.outcome() == Kind::Ok).any(|witness| {
        let value = &witness.completion.unwrap().value;
        let empty = witness.invoke.f == "drain" || (witness.invoke.f == "dequeue" && value.is_null());
        let missing: usize = values
            .iter()
            .map(|value| {
                let entered = history.pairs().filter(|pair| {
                    pair.invoke.f == "enqueue"
                        && pair.outcome() == Kind::Ok
                        && pair.invoke.value == *value
                        && done(pair) < witness.invoke.index
                });
                let out = taken.iter().filter(|(_, other)| other == value).count();
                entered.count().saturating_sub(out)
            })
            .sum();
        let unanswered = |f: &str| {
            history
                .pairs()
                .filter(|pair| pair.invoke.f == f && pair.outcome() == Kind::Info)
                .filter(|pair| pair.invoke.index < done(&witness))
                .count()
        };
        empty && unanswered("drain") == 0 && missing > unanswered("dequeue")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(4000), ..ProptestConfig::default() })]

    #[test]
    fn what_is_accused_is_what_the_definitions_exclude(choices in choices(14)) {
        let history = queue(&choices);
        let check = |name: &str| by_name(name).unwrap().check(&history, &Budget::unlimited());
        let taken = taken(&history);
        let mut enqueues: Vec<(u64, Value)> = history
            .pairs()
            .filter(|pair| pair.invoke.f == "enqueue" && pair.outcome() != Kind::Fail)
            .map(|pair| (pair.invoke.index, pair.invoke.value.clone()))
            .collect();
        let unexplained = taken.len() - most_explained(&taken, &mut enqueues);
        let verdict = check(UNORDERED);
        let counts = verdict.stats.get("anomalies").and_then(Value::as_object);
        let counted: u64 = counts.map_or(0, |counts| counts.values().filter_map(Value::as_u64).sum());
        prop_assert_eq!(counted as usize, unexplained, "{:?}", verdict);
        let expected = match (unexplained, taken.len()) {
            (1.., _) => Validity::Invalid,
            (0, 0) => Validity::Unknown,
            (0, _) => Validity::Valid,
        };
        prop_assert_eq!(verdict.valid, expected);

        // A value of which no enqueue may have begun is one that came from nowhere.
        let nowhere = taken.iter().any(|(end, value)| {
            !enqueues.iter().any(|(begun, other)| other == value && begun < end)
        });
        let verdict = check(TOTAL);
        prop_assert_eq!(verdict.valid == Validity::Invalid, nowhere || lost(&history), "{:?}", verdict);
        let acknowledged = history.pairs().any(|pair| pair.invoke.f == "enqueue" && pair.outcome() == Kind::Ok);
        prop_assert!(acknowledged || verdict.valid != Validity::Valid);
        if verdict.valid == Validity::Valid {
            // All that was acknowledged came out.
            for pair in history.pairs().filter(|pair| pair.invoke.f == "enqueue" && pair.outcome() == Kind::Ok) {
                prop_assert!(taken.iter().any(|(_, value)| *value == pair.invoke.value));
            }
        }
        for anomaly in &verdict.anomalies {
            prop_assert!(!anomaly.events.is_empty());
        }
    }
}
