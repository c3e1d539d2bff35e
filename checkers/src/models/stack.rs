//! A stack.

use std::sync::Arc;

use rashomon_core::history::Pair;
use rashomon_core::{Kind, Value};

use super::{Datum, Values};
use crate::{Effect, Model, Passage, Shape};

/// A stack, empty at first: what was pushed last is popped first.
///
/// Operations, as `f` and value: `push` with the value, which is not `null`; `pop` with the value that came out when
/// `ok`, or `null` when the stack was found empty. A pop that ended `info` may have taken a value that nobody was told
/// of; one that ended `fail` did nothing.
#[derive(Clone, Debug, Default)]
pub struct Stack {
    values: Values,
}

/// What one operation on a [`Stack`] claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StackAction {
    /// This was put on top.
    Push(Datum),
    /// This was on top and came off.
    Pop(Datum),
    /// Whatever was on top came off, if anything was.
    PopAny,
    /// Nothing was there.
    Empty,
}

impl Model for Stack {
    type State = Arc<Vec<Datum>>;
    type Action = StackAction;

    fn name(&self) -> &'static str {
        "stack"
    }

    fn initial(&self) -> Self::State {
        Arc::default()
    }

    fn action(&mut self, pair: &Pair<'_>) -> Result<Option<StackAction>, String> {
        let answer = pair.completion.filter(|op| op.kind == Kind::Ok).map(|op| &op.value);
        match (pair.invoke.f.as_str(), answer) {
            ("push", _) if pair.invoke.value.is_null() => {
                Err("null cannot be pushed: it is the answer of an empty stack".to_owned())
            }
            ("push", _) => Ok(Some(StackAction::Push(self.values.intern(&pair.invoke.value)))),
            ("pop", None) => Ok(Some(StackAction::PopAny)),
            ("pop", Some(Value::Null)) => Ok(Some(StackAction::Empty)),
            ("pop", Some(value)) => Ok(Some(StackAction::Pop(self.values.intern(value)))),
            (other, _) => Err(format!("the model stack has no operation `{other}`")),
        }
    }

    fn expect(&mut self, operations: usize) {
        self.values.expect(operations);
    }

    fn step(&self, state: &Self::State, action: &StackAction) -> Option<Self::State> {
        let mut next = state.clone();
        self.apply(&mut next, action).then_some(next)
    }

    fn apply(&self, state: &mut Self::State, action: &StackAction) -> bool {
        match action {
            StackAction::Push(value) => Arc::make_mut(state).push(*value),
            StackAction::Pop(value) if state.last() != Some(value) => return false,
            StackAction::PopAny if state.is_empty() => {}
            StackAction::Pop(_) | StackAction::PopAny => {
                Arc::make_mut(state).pop();
            }
            StackAction::Empty => return state.is_empty(),
        }
        true
    }

    fn shape(&self) -> Shape {
        Shape::Stack
    }

    fn passage<'a>(&'a self, action: &'a StackAction) -> Passage<'a> {
        match *action {
            StackAction::Push(value) => Passage::Enters(value),
            StackAction::Pop(value) => Passage::Leaves(value),
            StackAction::PopAny => Passage::AnyLeaves,
            StackAction::Empty => Passage::FindsEmpty,
        }
    }

    fn effect(&self, action: &StackAction) -> Effect<Self::State> {
        match action {
            StackAction::Push(_) | StackAction::Pop(_) | StackAction::PopAny => Effect::Any,
            StackAction::Empty => Effect::Observe(Arc::default()),
        }
    }

    fn show(&self, state: &Self::State) -> Value {
        state.iter().map(|value| self.values.get(*value)).collect()
    }

    fn bytes(&self, state: &Self::State) -> usize {
        state.len() * size_of::<Datum>() + 64
    }
}
