//! The monitor of priority queues.

use std::cell::RefCell;
use std::collections::BTreeSet;

use proptest::prelude::*;
use rashomon_checkers::models::PriorityQueue;
use rashomon_core::{History, Kind, Value};
use serde_json::json;

use crate::agreement::{self, agree_with_search, without};
use crate::histories::{cases, choices, observe};
use crate::oracle::build;

/// Inserts of values in no order, which are inserted once, or up to one in `twice` again; polls of some of them, of
/// others, or of nothing.
fn act(inserted: &RefCell<Vec<i64>>, twice: u8) -> impl Fn(u8, u8, u8) -> (&'static str, Value, Value) {
    move |f, one, two| {
        let mut inserted = inserted.borrow_mut();
        if f.is_multiple_of(2) {
            let mut value = i64::from(one) - 100;
            let again = twice > 0 && two.is_multiple_of(twice);
            while !again && inserted.contains(&value) {
                value += 1;
            }
            inserted.push(value);
            return ("insert", json!(value), Value::Null);
        }
        let answer = match (usize::from(one) % (inserted.len() + 2)).checked_sub(1) {
            None => Value::Null,
            Some(place) => json!(inserted.get(place).copied().unwrap_or(i64::from(two))),
        };
        ("poll", Value::Null, answer)
    }
}

fn apply(state: &mut Vec<i64>, f: &str, argument: &Value) -> Value {
    if f == "insert" {
        state.extend(argument.as_i64());
        state.sort_unstable();
        return argument.clone();
    }
    state.pop().map_or(Value::Null, Value::from)
}

/// Whether the monitor's conditions are met, read literally.
fn fits(history: &History) -> bool {
    let mut inserted = BTreeSet::new();
    history.pairs().filter(|pair| pair.outcome() != Kind::Fail).all(|pair| match pair.invoke.f.as_str() {
        "poll" => pair.outcome() == Kind::Ok,
        _ => inserted.insert(pair.invoke.value.as_i64()),
    })
}

fn agree(history: &History) -> Result<(), TestCaseError> {
    agreement::agree(&PriorityQueue::default(), history, "priority-queue-monitor", fits(history))
}

/// A case for the monitor: without polls that have no answer.
fn answered(history: &History) -> History {
    without(history, |pair| pair.invoke.f == "poll" && pair.outcome() != Kind::Ok)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(2000), ..ProptestConfig::default() })]

    #[test]
    fn any_answers(choices in choices(7)) {
        agree(&answered(&build(4, 7, &choices, act(&RefCell::default(), 0))))?;
    }

    #[test]
    fn any_answers_and_some_values_twice(choices in choices(7)) {
        agree(&build(4, 7, &choices, act(&RefCell::default(), 5)))?;
    }

    #[test]
    fn queues_that_nearly_work(choices in choices(8)) {
        agree(&observe(4, 8, &choices, Vec::new(), act(&RefCell::default(), 0), apply))?;
    }

    #[test]
    fn queues_whose_polls_are_all_answered(choices in choices(9)) {
        agree(&answered(&observe(5, 9, &choices, Vec::new(), act(&RefCell::default(), 0), apply)))?;
    }

    #[test]
    fn long_queues_that_nearly_work(choices in choices(30)) {
        let history = answered(&observe(5, 30, &choices, Vec::new(), act(&RefCell::default(), 0), apply));
        agree_with_search(&PriorityQueue::default(), &history)?;
    }
}
