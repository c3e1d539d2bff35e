//! The monitor of registers.

use std::cell::Cell;
use std::collections::BTreeSet;

use proptest::prelude::*;
use rashomon_checkers::linearizable::Linearizable;
use rashomon_checkers::models::Register;
use rashomon_checkers::{Budget, Checker};
use rashomon_core::{History, Kind, Value};
use serde_json::json;

use crate::histories::{cases, choices, observe};
use crate::oracle::{self, build};

/// Reads, writes and cas of values that are written once, up to one in `twice`, which are written again.
///
/// Reads and cas name values of the past and of the near future, so cas form chains, forks and circles.
fn act(counter: &Cell<i64>, twice: u8) -> impl Fn(u8, u8, u8) -> (&'static str, Value, Value) {
    move |f, one, two| {
        let fresh = |byte: u8| {
            if twice > 0 && byte.is_multiple_of(twice) {
                return json!(i64::from(byte) % (counter.get() + 1));
            }
            counter.set(counter.get() + 1);
            json!(counter.get())
        };
        let some = |byte: u8| match i64::from(byte) % (counter.get() + 3) {
            0 => Value::Null,
            value => json!(value),
        };
        match f % 8 {
            0..=3 => ("read", Value::Null, some(one)),
            4 | 5 => {
                let value = fresh(two);
                ("write", value.clone(), value)
            }
            _ => {
                let from = some(one);
                let both = json!([from, fresh(two)]);
                ("cas", both.clone(), both)
            }
        }
    }
}

fn apply(state: &mut Value, f: &str, argument: &Value) -> Value {
    match f {
        "write" => *state = argument.clone(),
        "cas" => {
            // What is refused fails in the history, or is a lie.
            if argument[0] == *state {
                *state = argument[1].clone();
            }
            return argument.clone();
        }
        _ => {}
    }
    state.clone()
}

/// Whether the monitor's conditions are met, read literally.
fn unique(history: &History) -> bool {
    let mut written = BTreeSet::from(["null".to_owned()]);
    history.pairs().filter(|pair| pair.outcome() != Kind::Fail).all(|pair| {
        match (pair.invoke.f.as_str(), &pair.invoke.value) {
            ("write", value) => written.insert(value.to_string()),
            // A cas that changes nothing is a read.
            ("cas", both) => both[0] == both[1] || written.insert(both[1].to_string()),
            _ => true,
        }
    })
}

fn judged_by(history: &History) -> Option<String> {
    let verdict = Linearizable::new(Register::cas()).check(history, &Budget::unlimited());
    verdict.stats.get("methods")?.as_object()?.keys().next().cloned()
}

/// The verdict and the certificates are right, and the monitor judged exactly what it should.
fn agree(history: &History) -> Result<(), TestCaseError> {
    oracle::agree(&Linearizable::new(Register::cas()), &Register::cas(), history)?;
    if let Some(method) = judged_by(history) {
        prop_assert_eq!(method == "register-monitor", unique(history), "{}", method);
    }
    Ok(())
}

/// As the search alone, for histories that are too long for the oracle.
fn agree_with_search(history: &History) -> Result<(), TestCaseError> {
    let checker = Linearizable::new(Register::cas());
    let monitored = checker.check(history, &Budget::unlimited());
    let searched = checker.by_search().check(history, &Budget::unlimited());
    prop_assert_eq!(monitored.valid, searched.valid, "{:?}\n{:?}", monitored, searched);
    for anomaly in &monitored.anomalies {
        prop_assert_eq!(&anomaly.details["minimal"], &json!(true));
        let ops = anomaly.details["ops"].as_array().expect("ops");
        let optional = ops.iter().filter(|op| op["outcome"] == "info").count();
        prop_assert!(ops.len() <= 4 + optional, "{:?}", anomaly);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(4000), ..ProptestConfig::default() })]

    #[test]
    fn any_answers(choices in choices(9)) {
        agree(&build(4, 9, &choices, act(&Cell::new(0), 0)))?;
    }

    #[test]
    fn any_answers_and_some_values_twice(choices in choices(8)) {
        agree(&build(4, 8, &choices, act(&Cell::new(0), 9)))?;
    }

    #[test]
    fn registers_that_nearly_work(choices in choices(11)) {
        agree(&observe(4, 11, &choices, Value::Null, act(&Cell::new(0), 0), apply))?;
    }

    #[test]
    fn long_registers_that_nearly_work(choices in choices(60)) {
        agree_with_search(&observe(6, 60, &choices, Value::Null, act(&Cell::new(0), 0), apply))?;
    }
}
