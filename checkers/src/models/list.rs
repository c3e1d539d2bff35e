//! A list that only grows, as one linearizable object.

use std::sync::Arc;

use rashomon_core::history::Pair;
use rashomon_core::{Kind, Value};

use super::{Datum, Values};
use crate::{Effect, Model, Passage, Shape};

/// A list to whose end values are appended and which is read as a whole, empty at first.
///
/// Operations, as `f` and value: `append` with the value, `read` with the list of all values when `ok`, where `null` is
/// the empty list. For transactions of several lists see [`isolation`](crate::isolation).
#[derive(Clone, Debug, Default)]
pub struct GrowList {
    values: Values,
}

/// What one operation on a [`GrowList`] claims.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum GrowListAction {
    /// This was added at the end.
    Append(Datum),
    /// This was the list.
    Read(Arc<Vec<Datum>>),
}

impl Model for GrowList {
    type State = Arc<Vec<Datum>>;
    type Action = GrowListAction;

    fn name(&self) -> &'static str {
        "linearizable-list"
    }

    fn initial(&self) -> Self::State {
        Arc::default()
    }

    fn action(&mut self, pair: &Pair<'_>) -> Result<Option<GrowListAction>, String> {
        match pair.invoke.f.as_str() {
            "append" => Ok(Some(GrowListAction::Append(self.values.intern(&pair.invoke.value)))),
            "read" => match pair.completion.filter(|op| op.kind == Kind::Ok).map(|op| &op.value) {
                None => Ok(None),
                Some(Value::Null) => Ok(Some(GrowListAction::Read(Arc::default()))),
                Some(Value::Array(list)) => {
                    let list = list.iter().map(|one| self.values.intern(one)).collect();
                    Ok(Some(GrowListAction::Read(Arc::new(list))))
                }
                Some(other) => Err(format!("a read of a list answers with a list, not {other}")),
            },
            other => Err(format!("the model linearizable-list has no operation `{other}`")),
        }
    }

    fn step(&self, state: &Self::State, action: &GrowListAction) -> Option<Self::State> {
        let mut next = state.clone();
        self.apply(&mut next, action).then_some(next)
    }

    fn apply(&self, state: &mut Self::State, action: &GrowListAction) -> bool {
        match action {
            GrowListAction::Append(value) => {
                Arc::make_mut(state).push(*value);
                true
            }
            GrowListAction::Read(list) => state == list,
        }
    }

    fn shape(&self) -> Shape {
        Shape::GrowingList
    }

    fn passage<'a>(&'a self, action: &'a GrowListAction) -> Passage<'a> {
        match action {
            GrowListAction::Append(value) => Passage::Grows(*value),
            GrowListAction::Read(list) => Passage::Whole(list),
        }
    }

    fn effect(&self, action: &GrowListAction) -> Effect<Self::State> {
        match action {
            GrowListAction::Append(_) => Effect::Any,
            GrowListAction::Read(list) => Effect::Observe(list.clone()),
        }
    }

    fn reachable(&self, from: &Self::State, to: &Self::State) -> bool {
        to.starts_with(from)
    }

    fn show(&self, state: &Self::State) -> Value {
        state.iter().map(|value| self.values.get(*value)).collect()
    }

    fn bytes(&self, state: &Self::State) -> usize {
        state.len() * size_of::<Datum>() + 64
    }
}
