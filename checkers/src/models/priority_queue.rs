//! A priority queue.

use std::collections::BTreeMap;
use std::sync::Arc;

use rashomon_core::history::Pair;
use rashomon_core::{Kind, Value};

use super::{Datum, Values};
use crate::{Effect, Model, Passage, Shape};

/// A priority queue, empty at first: what is greatest comes out first.
///
/// Operations, as `f` and value: `insert` with the value, an integer, which is its own priority; `poll` with the value
/// that came out when `ok`, or `null` when the queue was found empty. A poll that ended `info` may have taken a value
/// that nobody was told of; one that ended `fail` did nothing.
#[derive(Clone, Debug, Default)]
pub struct PriorityQueue {
    values: Values,
}

/// What one operation on a [`PriorityQueue`] claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PriorityQueueAction {
    /// This went in.
    Insert(Datum),
    /// This was the greatest and came out.
    Poll(Datum),
    /// Whatever was greatest came out, if anything was there.
    PollAny,
    /// Nothing was there.
    Empty,
}

impl PriorityQueue {
    fn value(&mut self, value: &Value) -> Result<Datum, String> {
        match value.as_i64() {
            Some(_) => Ok(self.values.intern(value)),
            None => Err(format!("the values of a priority queue are integers, not {value}")),
        }
    }

    fn integer(&self, value: Datum) -> i64 {
        self.values.get(value).as_i64().expect("only integers are taken in")
    }
}

impl Model for PriorityQueue {
    /// How often each value is there.
    type State = Arc<BTreeMap<i64, u32>>;
    type Action = PriorityQueueAction;

    fn name(&self) -> &'static str {
        "priority-queue"
    }

    fn initial(&self) -> Self::State {
        Arc::default()
    }

    fn action(&mut self, pair: &Pair<'_>) -> Result<Option<PriorityQueueAction>, String> {
        let answer = pair.completion.filter(|op| op.kind == Kind::Ok).map(|op| &op.value);
        match (pair.invoke.f.as_str(), answer) {
            ("insert", _) => Ok(Some(PriorityQueueAction::Insert(self.value(&pair.invoke.value)?))),
            ("poll", None) => Ok(Some(PriorityQueueAction::PollAny)),
            ("poll", Some(Value::Null)) => Ok(Some(PriorityQueueAction::Empty)),
            ("poll", Some(value)) => Ok(Some(PriorityQueueAction::Poll(self.value(value)?))),
            (other, _) => Err(format!("the model priority-queue has no operation `{other}`")),
        }
    }

    fn expect(&mut self, operations: usize) {
        self.values.expect(operations);
    }

    fn step(&self, state: &Self::State, action: &PriorityQueueAction) -> Option<Self::State> {
        let mut next = state.clone();
        self.apply(&mut next, action).then_some(next)
    }

    fn apply(&self, state: &mut Self::State, action: &PriorityQueueAction) -> bool {
        let greatest = state.last_key_value().map(|(value, _)| *value);
        match *action {
            PriorityQueueAction::Insert(value) => {
                *Arc::make_mut(state).entry(self.integer(value)).or_default() += 1;
                return true;
            }
            PriorityQueueAction::Poll(value) if greatest != Some(self.integer(value)) => return false,
            PriorityQueueAction::Poll(_) | PriorityQueueAction::PollAny => {}
            PriorityQueueAction::Empty => return greatest.is_none(),
        }
        if let Some(mut last) = Arc::make_mut(state).last_entry() {
            *last.get_mut() -= 1;
            if *last.get() == 0 {
                last.remove();
            }
        }
        true
    }

    fn shape(&self) -> Shape {
        Shape::PriorityQueue
    }

    fn passage<'a>(&'a self, action: &'a PriorityQueueAction) -> Passage<'a> {
        match *action {
            PriorityQueueAction::Insert(value) => Passage::Enters(value),
            PriorityQueueAction::Poll(value) => Passage::Leaves(value),
            PriorityQueueAction::PollAny => Passage::AnyLeaves,
            PriorityQueueAction::Empty => Passage::FindsEmpty,
        }
    }

    fn priority(&self, value: Datum) -> i64 {
        self.integer(value)
    }

    fn effect(&self, action: &PriorityQueueAction) -> Effect<Self::State> {
        match action {
            PriorityQueueAction::Insert(_) | PriorityQueueAction::Poll(_) | PriorityQueueAction::PollAny => {
                Effect::Any
            }
            PriorityQueueAction::Empty => Effect::Observe(Arc::default()),
        }
    }

    fn show(&self, state: &Self::State) -> Value {
        state.iter().flat_map(|(value, count)| (0..*count).map(|_| Value::from(*value))).collect()
    }

    fn bytes(&self, state: &Self::State) -> usize {
        state.len() * 24 + 64
    }
}
