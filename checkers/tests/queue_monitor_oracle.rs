//! The monitor of queues against an oracle that tries every order, and against the search.

mod histories;
mod oracle;

use std::cell::Cell;
use std::collections::{BTreeSet, VecDeque};

use proptest::prelude::*;
use rashomon_checkers::linearizable::Linearizable;
use rashomon_checkers::models::Queue;
use rashomon_checkers::{Budget, Checker};
use rashomon_core::{History, Kind, Value};
use serde_json::json;

use histories::{cases, choices, observe};
use oracle::build;

/// Enqueues of values that are enqueued once, up to one in `twice`, which are enqueued again; dequeues of values of
/// the past and of the near future, or of nothing.
fn act(counter: &Cell<i64>, twice: u8) -> impl Fn(u8, u8, u8) -> (&'static str, Value, Value) {
    move |f, one, two| {
        if f.is_multiple_of(2) {
            let again = twice > 0 && two.is_multiple_of(twice) && counter.get() > 0;
            if !again {
                counter.set(counter.get() + 1);
            }
            return ("enqueue", json!(counter.get()), Value::Null);
        }
        let answer = match i64::from(one) % (counter.get() + 3) {
            0 => Value::Null,
            value => json!(value),
        };
        ("dequeue", Value::Null, answer)
    }
}

fn apply(state: &mut VecDeque<Value>, f: &str, argument: &Value) -> Value {
    if f == "enqueue" {
        state.push_back(argument.clone());
        return argument.clone();
    }
    state.pop_front().unwrap_or_default()
}

/// Whether the monitor's conditions are met, read literally.
fn fits(history: &History) -> bool {
    let mut enqueued = BTreeSet::new();
    let (mut empty, mut unanswered) = (false, false);
    let unique = history.pairs().filter(|pair| pair.outcome() != Kind::Fail).all(|pair| {
        let dequeue = pair.invoke.f == "dequeue";
        let ok = pair.outcome() == Kind::Ok;
        empty |= dequeue && ok && pair.completion.is_some_and(|op| op.value.is_null());
        unanswered |= dequeue && !ok;
        dequeue || enqueued.insert(pair.invoke.value.to_string())
    });
    unique && !(empty && unanswered)
}

fn agree(history: &History) -> Result<(), TestCaseError> {
    let checker = Linearizable::new(Queue::default());
    oracle::agree(&checker, &Queue::default(), history)?;
    let verdict = checker.check(history, &Budget::unlimited());
    if let Some(methods) = verdict.stats.get("methods") {
        prop_assert_eq!(methods.get("queue-monitor").is_some(), fits(history), "{}", methods);
    }
    Ok(())
}

/// Without dequeues that have no answer, or without such as found the queue empty: cases for the monitor.
fn only(history: &History, unanswered: bool) -> History {
    let kept = history.pairs().filter(|pair| {
        let ok = pair.outcome() == Kind::Ok;
        let empty = ok && pair.completion.is_some_and(|op| op.value.is_null());
        pair.invoke.f == "enqueue" || if unanswered { !empty } else { ok }
    });
    let mut ops: Vec<_> =
        kept.flat_map(|pair| [Some(pair.invoke), pair.completion]).flatten().cloned().collect();
    ops.sort_by_key(|op| op.index);
    History::new(ops).expect("a history")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(2000), ..ProptestConfig::default() })]

    #[test]
    fn any_answers(choices in choices(7)) {
        agree(&build(4, 7, &choices, act(&Cell::new(0), 0)))?;
    }

    #[test]
    fn any_answers_and_some_values_twice(choices in choices(7)) {
        agree(&build(4, 7, &choices, act(&Cell::new(0), 9)))?;
    }

    #[test]
    fn queues_that_nearly_work(choices in choices(8)) {
        agree(&observe(4, 8, &choices, VecDeque::new(), act(&Cell::new(0), 0), apply))?;
    }

    #[test]
    fn queues_found_empty(choices in choices(8)) {
        agree(&only(&observe(4, 8, &choices, VecDeque::new(), act(&Cell::new(0), 0), apply), false))?;
    }

    #[test]
    fn dequeues_without_answer(choices in choices(8)) {
        agree(&only(&observe(4, 8, &choices, VecDeque::new(), act(&Cell::new(0), 0), apply), true))?;
    }

    #[test]
    fn long_queues_that_nearly_work(choices in choices(30), unanswered: bool) {
        let history = only(&observe(4, 30, &choices, VecDeque::new(), act(&Cell::new(0), 0), apply), unanswered);
        let checker = Linearizable::new(Queue::default());
        let monitored = checker.check(&history, &Budget::unlimited());
        let looks = Cell::new(0);
        let expired = || {
            looks.set(looks.get() + 1);
            looks.get() > 30
        };
        let searched = checker.by_search().check(&history, &Budget::new(usize::MAX, &expired));
        if searched.unknown.is_empty() {
            prop_assert_eq!(monitored.valid, searched.valid, "{:?}\n{:?}", monitored, searched);
        }
    }
}
