//! The monitor of sets and lists that only grow and are read as a whole.

use std::cell::Cell;
use std::collections::BTreeSet;

use proptest::prelude::*;
use rashomon_checkers::models::{GrowList, GrowSet};
use rashomon_core::{History, Kind, Value};
use serde_json::json;

use crate::agreement::{self, agree_with_search};
use crate::histories::{cases, choices, observe};
use crate::oracle::build;

/// Additions, called `f`, of elements that are added once, up to one in `twice`, which are added again; reads of some of
/// the first elements, in order or not quite, and perhaps of one twice.
fn act(
    f: &'static str,
    counter: &Cell<u8>,
    twice: u8,
) -> impl Fn(u8, u8, u8) -> (&'static str, Value, Value) {
    move |choice, one, two| {
        if choice.is_multiple_of(2) {
            let again = twice > 0 && two.is_multiple_of(twice) && counter.get() > 0;
            if !again {
                counter.set(counter.get() + 1);
            }
            return (f, json!(counter.get()), Value::Null);
        }
        let mut list: Vec<u8> = (1..=counter.get() + 1).filter(|bit| one >> (bit % 8) & 1 == 1).collect();
        match two % 16 {
            0 => list.extend(list.first().copied()),
            1 | 2 => list.reverse(),
            _ => {}
        }
        ("read", Value::Null, json!(list))
    }
}

fn apply(state: &mut Vec<Value>, f: &str, argument: &Value) -> Value {
    if f != "read" {
        state.push(argument.clone());
        return argument.clone();
    }
    json!(state)
}

/// Whether the monitor's conditions are met, read literally.
fn fits(history: &History, list: bool) -> bool {
    let mut added = BTreeSet::new();
    let happened = || history.pairs().filter(|pair| pair.outcome() != Kind::Fail);
    let repeats = |value: &Value| {
        let list = value.as_array().expect("a list");
        list.iter().map(Value::to_string).collect::<BTreeSet<_>>().len() < list.len()
    };
    let unique = happened()
        .filter(|pair| pair.invoke.f != "read")
        .all(|pair| added.insert(pair.invoke.value.to_string()));
    // A set in which an element stands twice needs no more looking at, if it is seen first.
    let absurd = !list
        && happened().any(|pair| {
            pair.invoke.f == "read"
                && pair.outcome() == Kind::Ok
                && repeats(&pair.completion.expect("an answer").value)
        });
    unique || absurd
}

fn agree(history: &History, list: bool) -> Result<(), TestCaseError> {
    let fits = fits(history, list);
    if list {
        agreement::agree(&GrowList::default(), history, "growing-monitor", fits)
    } else {
        agreement::agree(&GrowSet::default(), history, "growing-monitor", fits)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(2000), ..ProptestConfig::default() })]

    #[test]
    fn any_answers_of_a_set(choices in choices(7)) {
        agree(&build(4, 7, &choices, act("add", &Cell::new(0), 0)), false)?;
    }

    #[test]
    fn any_answers_of_a_list(choices in choices(7)) {
        agree(&build(4, 7, &choices, act("append", &Cell::new(0), 0)), true)?;
    }

    #[test]
    fn lists_to_which_some_elements_are_added_twice(choices in choices(7)) {
        agree(&observe(4, 7, &choices, Vec::new(), act("append", &Cell::new(0), 5), apply), true)?;
    }

    #[test]
    fn sets_that_nearly_work(choices in choices(9)) {
        agree(&observe(5, 9, &choices, Vec::new(), act("add", &Cell::new(0), 0), apply), false)?;
    }

    #[test]
    fn lists_that_nearly_work(choices in choices(9)) {
        agree(&observe(5, 9, &choices, Vec::new(), act("append", &Cell::new(0), 0), apply), true)?;
    }

    #[test]
    fn long_sets_that_nearly_work(choices in choices(30)) {
        let history = observe(5, 30, &choices, Vec::new(), act("add", &Cell::new(0), 0), apply);
        agree_with_search(&GrowSet::default(), &history)?;
    }

    #[test]
    fn long_lists_that_nearly_work(choices in choices(30)) {
        let history = observe(5, 30, &choices, Vec::new(), act("append", &Cell::new(0), 0), apply);
        agree_with_search(&GrowList::default(), &history)?;
    }
}
