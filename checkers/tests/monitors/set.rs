//! The monitor of sets whose operations each concern one element.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rashomon_checkers::models::ElementSet;
use rashomon_core::{History, Kind, Value};
use serde_json::json;

use crate::agreement::{self, agree_with_search};
use crate::histories::{cases, choices, observe};
use crate::oracle::build;

/// Adds, removes and questions about few elements; of adds and removes, one in `silent` is answered with no word on what
/// it found.
fn act(elements: u8, silent: u8) -> impl Fn(u8, u8, u8) -> (&'static str, Value, Value) {
    move |f, one, two| {
        let element = json!(one % elements);
        let answer = match two {
            two if silent > 0 && two.is_multiple_of(silent) => Value::Null,
            two if two.is_multiple_of(2) => json!(two.is_multiple_of(4)),
            two => json!([element, two % 4 == 1]),
        };
        match f % 3 {
            0 => ("add", element, answer),
            1 => ("remove", element, answer),
            _ => ("contains", element, json!(two.is_multiple_of(2))),
        }
    }
}

fn apply(state: &mut BTreeSet<u64>, f: &str, argument: &Value) -> Value {
    let element = argument.as_u64().expect("an element is a number");
    json!(match f {
        "add" => state.insert(element),
        "remove" => state.remove(&element),
        _ => state.contains(&element),
    })
}

/// Whether the monitor's conditions are met, read literally.
fn fits(history: &History) -> bool {
    history.pairs().filter(|pair| pair.outcome() == Kind::Ok).all(|pair| {
        let answer = pair.completion.map(|op| &op.value).expect("an answer");
        answer.is_boolean() || answer.is_array()
    })
}

fn agree(history: &History) -> Result<(), TestCaseError> {
    agreement::agree(&ElementSet::default(), history, "set-monitor", fits(history))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(2000), ..ProptestConfig::default() })]

    #[test]
    fn any_answers_about_one_element(choices in choices(8)) {
        agree(&build(4, 8, &choices, act(1, 0)))?;
    }

    #[test]
    fn any_answers_some_of_them_silent(choices in choices(7)) {
        agree(&build(4, 7, &choices, act(2, 5)))?;
    }

    #[test]
    fn one_element_that_nearly_works(choices in choices(10)) {
        agree(&observe(5, 10, &choices, BTreeSet::new(), act(1, 0), apply))?;
    }

    #[test]
    fn some_elements_that_nearly_work(choices in choices(10)) {
        agree(&observe(5, 10, &choices, BTreeSet::new(), act(3, 0), apply))?;
    }

    #[test]
    fn long_sets_that_nearly_work(choices in choices(40)) {
        agree_with_search(&ElementSet::default(), &observe(5, 40, &choices, BTreeSet::new(), act(3, 0), apply))?;
    }
}
