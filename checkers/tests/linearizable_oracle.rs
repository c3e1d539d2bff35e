//! The search and its certificates against an oracle that tries every order.

mod histories;
mod oracle;

use proptest::prelude::*;
use rashomon_checkers::Model;
use rashomon_checkers::linearizable::Linearizable;
use rashomon_checkers::models::{GrowSet, Kv, Mutex, Register};
use rashomon_core::{History, Value};
use serde_json::json;

use histories::{Choice, cases, choices, observe};
use oracle::build;

fn register(values: u8) -> impl Fn(u8, u8, u8) -> (&'static str, Value, Value) {
    move |f, one, two| match f % 8 {
        0..=2 => (
            "read",
            Value::Null,
            if one % (values + 1) == 0 { Value::Null } else { json!(one % (values + 1)) },
        ),
        3..=5 => ("write", json!(one % values + 1), json!(one % values + 1)),
        6 => {
            ("cas", json!([one % values + 1, two % values + 1]), json!([one % values + 1, two % values + 1]))
        }
        _ => ("cas", json!([one % values + 1, two % values + 1]), json!(two % 3 != 0)),
    }
}

fn apply_register(state: &mut Value, f: &str, argument: &Value) -> Value {
    match f {
        "write" => *state = argument.clone(),
        "cas" if argument[0] != *state => return Value::Bool(false),
        "cas" => *state = argument[1].clone(),
        _ => {}
    }
    state.clone()
}

/// Written values are unique: the case of our own workloads.
fn unique_act(counter: &std::cell::Cell<i64>) -> impl Fn(u8, u8, u8) -> (&'static str, Value, Value) {
    |f, one, two| {
        let fresh = || {
            counter.set(counter.get() + 1);
            json!(counter.get())
        };
        let seen = |byte: u8| match i64::from(byte) % (counter.get() + 1) {
            0 => Value::Null,
            value => json!(value),
        };
        match f % 8 {
            0..=3 => ("read", Value::Null, seen(one)),
            4 | 5 => {
                let value = fresh();
                ("write", value.clone(), value)
            }
            _ => {
                let from = seen(two);
                let both = json!([from, fresh()]);
                ("cas", both.clone(), both)
            }
        }
    }
}

fn unique(choices: &[Choice]) -> History {
    build(4, 9, choices, unique_act(&std::cell::Cell::new(0)))
}

fn strings(f: u8, one: u8, two: u8) -> (&'static str, Value, Value) {
    let letter = |byte: u8| char::from(b'a' + byte % 3).to_string();
    match f % 8 {
        0..=3 => {
            let length = usize::from(two % 4);
            let text: String = (0..length).map(|place| letter(one >> (2 * place))).collect();
            ("get", Value::Null, json!(text))
        }
        4 => ("put", json!(letter(one)), Value::Null),
        _ => ("append", json!(letter(one)), Value::Null),
    }
}

fn sets(f: u8, one: u8, two: u8) -> (&'static str, Value, Value) {
    if f.is_multiple_of(2) {
        return ("add", json!(one % 4), Value::Null);
    }
    let mut list: Vec<u8> = (0..4).filter(|bit| one >> bit & 1 == 1).collect();
    list.extend(list.first().copied().filter(|_| two.is_multiple_of(8)));
    ("read", Value::Null, json!(list))
}

fn locks(f: u8, one: u8, _: u8) -> (&'static str, Value, Value) {
    match f % 2 {
        0 => ("acquire", Value::Null, json!(one % 6 + 1)),
        _ => ("release", Value::Null, Value::Null),
    }
}

/// The search agrees with the oracle, monitors or not.
fn agree<M: Model + Send + Sync>(model: &M, history: &History) -> Result<(), TestCaseError> {
    oracle::agree(&Linearizable::new(model.clone()).by_search(), model, history)?;
    oracle::agree(&Linearizable::new(model.clone()), model, history)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(4000), ..ProptestConfig::default() })]

    #[test]
    fn registers_with_few_values(choices in choices(9)) {
        agree(&Register::cas(), &build(4, 9, &choices, register(2)))?;
    }

    #[test]
    fn registers_with_some_values(choices in choices(9)) {
        agree(&Register::cas().with_initial(&json!(1)), &build(5, 9, &choices, register(4)))?;
    }

    #[test]
    fn registers_with_unique_values(choices in choices(9)) {
        agree(&Register::cas(), &unique(&choices))?;
    }

    #[test]
    fn registers_where_nil_reads_anything(choices in choices(9)) {
        let model = Register::cas().with_initial(&json!(0)).with_nil_reading_anything(true);
        agree(&model, &build(4, 9, &choices, register(3)))?;
    }

    #[test]
    fn registers_that_nearly_work(choices in choices(12)) {
        let model = Register::cas();
        agree(&model, &observe(4, 12, &choices, Value::Null, register(3), apply_register))?;
    }

    #[test]
    fn registers_with_unique_values_that_nearly_work(choices in choices(12)) {
        let counter = std::cell::Cell::new(0);
        let history = observe(5, 12, &choices, Value::Null, unique_act(&counter), apply_register);
        agree(&Register::cas(), &history)?;
    }

    #[test]
    fn strings_that_nearly_work(choices in choices(10)) {
        let history = observe(4, 10, &choices, String::new(), strings, |state, f, argument| {
            let text = argument.as_str().unwrap_or_default();
            match f {
                "put" => text.clone_into(state),
                "append" => state.push_str(text),
                _ => {}
            }
            json!(state)
        });
        agree(&Kv::default(), &history)?;
    }

    #[test]
    fn sets_that_nearly_work(choices in choices(10)) {
        let history = observe(4, 10, &choices, Vec::<Value>::new(), sets, |state, f, argument| {
            if f == "add" && !state.contains(argument) {
                state.push(argument.clone());
            }
            json!(state)
        });
        agree(&GrowSet::default(), &history)?;
    }

    #[test]
    fn locks_that_are_taken_and_given_back(choices in choices(9)) {
        agree(&Mutex::plain(), &build(3, 9, &choices, locks))?;
    }

    #[test]
    fn locks_whose_tokens_rise(choices in choices(9)) {
        agree(&Mutex::fenced(), &build(3, 9, &choices, locks))?;
    }

    #[test]
    fn strings_that_grow(choices in choices(8)) {
        agree(&Kv::default(), &build(4, 8, &choices, strings))?;
    }

    #[test]
    fn sets_that_grow(choices in choices(8)) {
        agree(&GrowSet::default(), &build(4, 8, &choices, sets))?;
    }
}
