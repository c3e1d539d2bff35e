//! A counter, as one linearizable object.

use rashomon_core::history::Pair;
use rashomon_core::{Kind, Value};

use crate::{Effect, Model};

/// A counter to which amounts are added, 0 at first.
///
/// Operations, as `f` and value, as in Jepsen: `add` with the amount, an integer that may be negative; `read` with the
/// count when `ok`. An add that ended `info` may count or not.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counter {
    initial: i64,
}

/// What one operation on a [`Counter`] claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CounterAction {
    /// So much was added.
    Add(i64),
    /// So much it was.
    Read(i64),
}

impl Counter {
    /// The same counter, which begins at this.
    pub fn with_initial(self, initial: i64) -> Counter {
        Counter { initial }
    }
}

fn integer(value: &Value) -> Result<i64, String> {
    value.as_i64().ok_or_else(|| format!("a counter counts integers, not {value}"))
}

impl Model for Counter {
    /// Wide enough for any sum of amounts that a history has room for.
    type State = i128;
    type Action = CounterAction;

    fn name(&self) -> &'static str {
        "linearizable-counter"
    }

    fn initial(&self) -> i128 {
        i128::from(self.initial)
    }

    fn action(&mut self, pair: &Pair<'_>) -> Result<Option<CounterAction>, String> {
        match pair.invoke.f.as_str() {
            "add" => Ok(Some(CounterAction::Add(integer(&pair.invoke.value)?))),
            "read" => match pair.completion.filter(|op| op.kind == Kind::Ok) {
                None => Ok(None),
                Some(answer) => Ok(Some(CounterAction::Read(integer(&answer.value)?))),
            },
            other => Err(format!("the model linearizable-counter has no operation `{other}`")),
        }
    }

    fn step(&self, state: &i128, action: &CounterAction) -> Option<i128> {
        match *action {
            CounterAction::Add(amount) => Some(state + i128::from(amount)),
            CounterAction::Read(count) => (*state == i128::from(count)).then_some(*state),
        }
    }

    fn effect(&self, action: &CounterAction) -> Effect<i128> {
        match *action {
            CounterAction::Add(_) => Effect::Any,
            CounterAction::Read(count) => Effect::Observe(i128::from(count)),
        }
    }

    fn show(&self, state: &i128) -> Value {
        i64::try_from(*state).map_or_else(|_| state.to_string().into(), Value::from)
    }
}
