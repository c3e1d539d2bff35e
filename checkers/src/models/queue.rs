//! A first-in first-out queue.

use std::collections::VecDeque;
use std::sync::Arc;

use rashomon_core::history::Pair;
use rashomon_core::{Kind, Value};

use super::{Datum, Values};
use crate::{Effect, Model, Passage, Shape};

/// A first-in first-out queue, empty at first.
///
/// Operations, as `f` and value: `enqueue` with the value, which is not `null`; `dequeue` with the value that came
/// out when `ok`, or `null` when the queue was found empty. A dequeue that ended `info` may have taken a value that
/// nobody was told of. In our own histories a dequeue that ended `fail` did nothing and constrains nothing.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    values: Values,
}

/// What one operation on a [`Queue`] claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QueueAction {
    /// This went in at the end.
    Enqueue(Datum),
    /// This stood first and came out.
    Dequeue(Datum),
    /// Whatever stood first came out, if anything did.
    DequeueAny,
    /// Nothing was there.
    Empty,
}

impl Model for Queue {
    type State = Arc<VecDeque<Datum>>;
    type Action = QueueAction;

    fn name(&self) -> &'static str {
        "queue"
    }

    fn initial(&self) -> Self::State {
        Arc::default()
    }

    fn action(&mut self, pair: &Pair<'_>) -> Result<Option<QueueAction>, String> {
        let answer = pair.completion.filter(|op| op.kind == Kind::Ok).map(|op| &op.value);
        match (pair.invoke.f.as_str(), answer) {
            ("enqueue", _) if pair.invoke.value.is_null() => {
                Err("null cannot be enqueued: it is the answer of an empty queue".to_owned())
            }
            ("enqueue", _) => Ok(Some(QueueAction::Enqueue(self.values.intern(&pair.invoke.value)))),
            ("dequeue", None) => Ok(Some(QueueAction::DequeueAny)),
            ("dequeue", Some(Value::Null)) => Ok(Some(QueueAction::Empty)),
            ("dequeue", Some(value)) => Ok(Some(QueueAction::Dequeue(self.values.intern(value)))),
            (other, _) => Err(format!("the model queue has no operation `{other}`")),
        }
    }

    fn expect(&mut self, operations: usize) {
        self.values.expect(operations);
    }

    fn step(&self, state: &Self::State, action: &QueueAction) -> Option<Self::State> {
        let mut next = state.clone();
        self.apply(&mut next, action).then_some(next)
    }

    fn apply(&self, state: &mut Self::State, action: &QueueAction) -> bool {
        match action {
            QueueAction::Enqueue(value) => Arc::make_mut(state).push_back(*value),
            QueueAction::Dequeue(value) if state.front() != Some(value) => return false,
            QueueAction::DequeueAny if state.is_empty() => {}
            QueueAction::Dequeue(_) | QueueAction::DequeueAny => {
                Arc::make_mut(state).pop_front();
            }
            QueueAction::Empty => return state.is_empty(),
        }
        true
    }

    fn shape(&self) -> Shape {
        Shape::Queue
    }

    fn passage<'a>(&'a self, action: &'a QueueAction) -> Passage<'a> {
        match *action {
            QueueAction::Enqueue(value) => Passage::Enters(value),
            QueueAction::Dequeue(value) => Passage::Leaves(value),
            QueueAction::DequeueAny => Passage::AnyLeaves,
            QueueAction::Empty => Passage::FindsEmpty,
        }
    }

    fn effect(&self, action: &QueueAction) -> Effect<Self::State> {
        match action {
            QueueAction::Enqueue(_) | QueueAction::Dequeue(_) | QueueAction::DequeueAny => Effect::Any,
            QueueAction::Empty => Effect::Observe(Arc::default()),
        }
    }

    fn show(&self, state: &Self::State) -> Value {
        state.iter().map(|value| self.values.get(*value)).collect()
    }

    fn bytes(&self, state: &Self::State) -> usize {
        state.len() * size_of::<Datum>() + 64
    }
}
