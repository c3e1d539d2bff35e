//! The monitor of stacks.

use std::cell::Cell;
use std::collections::BTreeSet;

use proptest::prelude::*;
use rashomon_checkers::models::Stack;
use rashomon_core::{History, Kind, Value};

use crate::agreement::{self, agree_with_search, without};
use crate::histories::{cases, choices, observe};
use crate::oracle::build;

fn act(counter: &Cell<i64>, twice: u8) -> impl Fn(u8, u8, u8) -> (&'static str, Value, Value) {
    agreement::pass(counter, twice, "push", "pop")
}

fn apply(state: &mut Vec<Value>, f: &str, argument: &Value) -> Value {
    if f == "push" {
        state.push(argument.clone());
        return argument.clone();
    }
    state.pop().unwrap_or_default()
}

/// Whether the monitor's conditions are met, read literally.
fn fits(history: &History) -> bool {
    let mut pushed = BTreeSet::new();
    history.pairs().filter(|pair| pair.outcome() != Kind::Fail).all(|pair| match pair.invoke.f.as_str() {
        "pop" => pair.outcome() == Kind::Ok,
        _ => pushed.insert(pair.invoke.value.to_string()),
    })
}

fn agree(history: &History) -> Result<(), TestCaseError> {
    agreement::agree(&Stack::default(), history, "stack-monitor", fits(history))
}

/// A case for the monitor: without pops that have no answer.
fn answered(history: &History) -> History {
    without(history, |pair| pair.invoke.f == "pop" && pair.outcome() != Kind::Ok)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(2000), ..ProptestConfig::default() })]

    #[test]
    fn any_answers(choices in choices(7)) {
        agree(&answered(&build(4, 7, &choices, act(&Cell::new(0), 0))))?;
    }

    #[test]
    fn any_answers_and_some_values_twice(choices in choices(7)) {
        agree(&build(4, 7, &choices, act(&Cell::new(0), 9)))?;
    }

    #[test]
    fn stacks_that_nearly_work(choices in choices(8)) {
        agree(&observe(4, 8, &choices, Vec::new(), act(&Cell::new(0), 0), apply))?;
    }

    #[test]
    fn stacks_whose_pops_are_all_answered(choices in choices(9)) {
        agree(&answered(&observe(5, 9, &choices, Vec::new(), act(&Cell::new(0), 0), apply)))?;
    }

    #[test]
    fn long_stacks_that_nearly_work(choices in choices(30)) {
        let history = answered(&observe(5, 30, &choices, Vec::new(), act(&Cell::new(0), 0), apply));
        agree_with_search(&Stack::default(), &history)?;
    }
}
