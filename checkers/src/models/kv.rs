//! A store of strings that can grow.

use std::sync::Arc;

use rashomon_core::history::Pair;
use rashomon_core::{Kind, Value};

use crate::{Effect, Model};

/// One key of a key-value store whose values are strings, as in Porcupine's tests.
///
/// Operations, as `f` and value: `get` with the string found when `ok` (`null` is the empty string), `put` with
/// the string to store, `append` with the string to add at the end.
#[derive(Clone, Debug, Default)]
pub struct Kv {
    initial: String,
}

/// What one operation on a [`Kv`] claims.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum KvAction {
    /// This was the value.
    Get(Arc<str>),
    /// This became the value.
    Put(Arc<str>),
    /// This was added to the value.
    Append(Arc<str>),
}

impl Kv {
    /// The same store with another string under every key at first.
    pub fn with_initial(mut self, value: &str) -> Kv {
        value.clone_into(&mut self.initial);
        self
    }
}

fn text(value: &Value) -> Result<Arc<str>, String> {
    match value {
        Value::Null => Ok(Arc::from("")),
        Value::String(text) => Ok(Arc::from(text.as_str())),
        other => Err(format!("the values of the model kv are strings, not {other}")),
    }
}

impl Model for Kv {
    type State = Arc<str>;
    type Action = KvAction;

    fn name(&self) -> &'static str {
        "kv"
    }

    fn initial(&self) -> Arc<str> {
        Arc::from(self.initial.as_str())
    }

    fn action(&mut self, pair: &Pair<'_>) -> Result<Option<KvAction>, String> {
        match pair.invoke.f.as_str() {
            "get" => match pair.completion.filter(|op| op.kind == Kind::Ok) {
                None => Ok(None),
                Some(answer) => Ok(Some(KvAction::Get(text(&answer.value)?))),
            },
            "put" => Ok(Some(KvAction::Put(text(&pair.invoke.value)?))),
            "append" => Ok(Some(KvAction::Append(text(&pair.invoke.value)?))),
            other => Err(format!("the model kv has no operation `{other}`")),
        }
    }

    fn step(&self, state: &Arc<str>, action: &KvAction) -> Option<Arc<str>> {
        match action {
            KvAction::Get(value) => (state == value).then(|| state.clone()),
            KvAction::Put(value) => Some(value.clone()),
            KvAction::Append(more) => Some([&**state, &**more].concat().into()),
        }
    }

    fn effect(&self, action: &KvAction) -> Effect<Arc<str>> {
        match action {
            KvAction::Get(value) => Effect::Observe(value.clone()),
            KvAction::Put(value) => Effect::Set(value.clone()),
            KvAction::Append(_) => Effect::Any,
        }
    }

    fn reachable(&self, from: &Arc<str>, to: &Arc<str>) -> bool {
        to.starts_with(&**from)
    }

    fn show(&self, state: &Arc<str>) -> Value {
        Value::String(state.to_string())
    }

    fn bytes(&self, state: &Arc<str>) -> usize {
        state.len() + 32
    }
}
