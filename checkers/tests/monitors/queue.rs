//! The monitor of queues.

use std::cell::Cell;
use std::collections::{BTreeSet, VecDeque};

use proptest::prelude::*;
use rashomon_checkers::models::Queue;
use rashomon_core::{History, Kind, Value};

use crate::agreement::{self, agree_with_search, without};
use crate::histories::{cases, choices, observe};
use crate::oracle::build;

fn act(counter: &Cell<i64>, twice: u8) -> impl Fn(u8, u8, u8) -> (&'static str, Value, Value) {
    agreement::pass(counter, twice, "enqueue", "dequeue")
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
    agreement::agree(&Queue::default(), history, "queue-monitor", fits(history))
}

/// Without dequeues that have no answer, or without such as found the queue empty: cases for the monitor.
fn only(history: &History, unanswered: bool) -> History {
    without(history, |pair| {
        let ok = pair.outcome() == Kind::Ok;
        let empty = ok && pair.completion.is_some_and(|op| op.value.is_null());
        pair.invoke.f == "dequeue" && if unanswered { empty } else { !ok }
    })
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
        agree_with_search(&Queue::default(), &history)?;
    }
}
