//! A set whose operations each concern one element.

use std::collections::BTreeSet;
use std::sync::Arc;

use rashomon_core::history::Pair;
use rashomon_core::{Kind, Value};

use super::{Datum, Values};
use crate::{Effect, Model, Passage, Shape};

/// A set, empty at first, that tells of each operation whether it found the element, as sets of programming languages
/// do.
///
/// Operations, as `f` and value: `add`, `remove` and `contains` with the element. The value of an `ok` one is `true` or
/// `false`, or `[element, true]` or `[element, false]`: an add was the one that put the element in, a remove took it out,
/// the element was there. Any other answer of an add or a remove says only that it was done. An add or a remove that
/// ended `info` may have changed the set or not.
#[derive(Clone, Debug, Default)]
pub struct ElementSet {
    values: Values,
}

/// What one operation on an [`ElementSet`] claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ElementSetAction {
    /// The element was there or not, and then was there or not: `from` and `to`, where `from` may be unknown.
    Becomes {
        /// The element.
        element: Datum,
        /// Whether it was in the set, if that is known.
        from: Option<bool>,
        /// Whether it was in the set from then on.
        to: bool,
    },
    /// The element was there or not.
    Contains(Datum, bool),
}

/// Whether the answer says yes or no, if it says either.
fn verdict(answer: &Value) -> Option<bool> {
    match answer {
        Value::Bool(yes) => Some(*yes),
        Value::Array(both) if both.len() == 2 => both[1].as_bool(),
        _ => None,
    }
}

impl Model for ElementSet {
    type State = Arc<BTreeSet<Datum>>;
    type Action = ElementSetAction;

    fn name(&self) -> &'static str {
        "element-set"
    }

    fn initial(&self) -> Self::State {
        Arc::default()
    }

    fn action(&mut self, pair: &Pair<'_>) -> Result<Option<ElementSetAction>, String> {
        let answer = pair.completion.filter(|op| op.kind == Kind::Ok).map(|op| &op.value);
        let element = self.values.intern(&pair.invoke.value);
        let to = match pair.invoke.f.as_str() {
            "add" => true,
            "remove" => false,
            "contains" => {
                let Some(answer) = answer else { return Ok(None) };
                return match verdict(answer) {
                    Some(there) => Ok(Some(ElementSetAction::Contains(element, there))),
                    None => Err(format!("a contains is answered with true or false, not {answer}")),
                };
            }
            other => return Err(format!("the model element-set has no operation `{other}`")),
        };
        Ok(Some(match answer.and_then(verdict) {
            Some(false) => ElementSetAction::Contains(element, to),
            Some(true) => ElementSetAction::Becomes { element, from: Some(!to), to },
            None => ElementSetAction::Becomes { element, from: None, to },
        }))
    }

    fn expect(&mut self, operations: usize) {
        self.values.expect(operations);
    }

    fn step(&self, state: &Self::State, action: &ElementSetAction) -> Option<Self::State> {
        let mut next = state.clone();
        self.apply(&mut next, action).then_some(next)
    }

    fn apply(&self, state: &mut Self::State, action: &ElementSetAction) -> bool {
        match *action {
            ElementSetAction::Contains(element, there) => state.contains(&element) == there,
            ElementSetAction::Becomes { element, from, to } => {
                let there = state.contains(&element);
                if from.is_some_and(|from| from != there) {
                    return false;
                }
                if to && !there {
                    Arc::make_mut(state).insert(element);
                } else if there && !to {
                    Arc::make_mut(state).remove(&element);
                }
                true
            }
        }
    }

    fn shape(&self) -> Shape {
        Shape::Set
    }

    fn passage<'a>(&'a self, action: &'a ElementSetAction) -> Passage<'a> {
        match *action {
            ElementSetAction::Becomes { element, from: Some(_), to } => Passage::Flips(element, to),
            ElementSetAction::Becomes { element, from: None, to } => Passage::Turns(element, to),
            ElementSetAction::Contains(element, there) => Passage::Shows(element, there),
        }
    }

    fn effect(&self, action: &ElementSetAction) -> Effect<Self::State> {
        match action {
            ElementSetAction::Becomes { .. } => Effect::Any,
            ElementSetAction::Contains(..) => Effect::Pure,
        }
    }

    fn show(&self, state: &Self::State) -> Value {
        state.iter().map(|element| self.values.get(*element)).collect()
    }

    fn bytes(&self, state: &Self::State) -> usize {
        state.len() * 8 + 64
    }
}
