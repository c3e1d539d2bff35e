//! What every monitor's tests ask.

use std::cell::Cell;

use proptest::prelude::*;
use rashomon_checkers::linearizable::Linearizable;
use rashomon_checkers::{Budget, Model};
use rashomon_core::{History, Value};
use serde_json::json;

use crate::oracle;

/// The looks at the budget that the search gets for a history that is too long for the oracle.
const LOOKS: u32 = 30;

/// The verdict and its certificates are the oracle's, and the monitor judged the history exactly when it `fits`.
pub(crate) fn agree<M: Model + Send + Sync>(
    model: &M,
    history: &History,
    monitor: &str,
    fits: bool,
) -> Result<(), TestCaseError> {
    let checker = Linearizable::new(model.clone());
    oracle::agree(&checker, model, history)?;
    let verdict = checker.judge(history, &Budget::unlimited());
    if let Some(methods) = verdict.stats.get("methods").filter(|_| verdict.stats["operations"] != 0) {
        prop_assert_eq!(methods.get(monitor).is_some(), fits, "{}", methods);
    }
    Ok(())
}

/// As the search alone, where that comes to an end.
pub(crate) fn agree_with_search<M: Model + Send + Sync>(
    model: &M,
    history: &History,
) -> Result<(), TestCaseError> {
    let checker = Linearizable::new(model.clone());
    let monitored = checker.judge(history, &Budget::unlimited());
    let looks = Cell::new(0);
    let expired = || {
        looks.set(looks.get() + 1);
        looks.get() > LOOKS
    };
    let searched = checker.by_search().judge(history, &Budget::new(usize::MAX, &expired));
    if searched.unknown.is_empty() {
        prop_assert_eq!(monitored.valid, searched.valid, "{:?}\n{:?}", monitored, searched);
    }
    Ok(())
}

/// The history without some of its operations.
pub(crate) fn without(
    history: &History,
    dropped: impl Fn(&rashomon_core::history::Pair<'_>) -> bool,
) -> History {
    let kept = history.pairs().filter(|pair| !dropped(pair));
    let mut ops: Vec<_> =
        kept.flat_map(|pair| [Some(pair.invoke), pair.completion]).flatten().cloned().collect();
    ops.sort_by_key(|op| op.index);
    History::new(ops).expect("a history")
}

/// Values that enter once, up to one in `twice`, which enters again; and what leaves: values of the past and of the near
/// future, or nothing.
pub(crate) fn pass(
    counter: &Cell<i64>,
    twice: u8,
    enter: &'static str,
    leave: &'static str,
) -> impl Fn(u8, u8, u8) -> (&'static str, Value, Value) {
    move |f, one, two| {
        if f.is_multiple_of(2) {
            let again = twice > 0 && two.is_multiple_of(twice) && counter.get() > 0;
            if !again {
                counter.set(counter.get() + 1);
            }
            return (enter, json!(counter.get()), Value::Null);
        }
        let answer = match i64::from(one) % (counter.get() + 3) {
            0 => Value::Null,
            value => json!(value),
        };
        (leave, Value::Null, answer)
    }
}
