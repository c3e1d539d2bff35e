//! A set that only grows, as one linearizable object.

use std::sync::Arc;

use rashomon_core::history::Pair;
use rashomon_core::{Kind, Value};

use super::{Datum, Values};
use crate::{Effect, Model, Passage, Shape};

/// A set to which elements are added and which is read as a whole, judged exactly.
///
/// Its states are whole sets, so where an element is added twice, which leaves a key to the search, it is for some
/// hundreds of operations; the checker [`Set`](crate::set::Set) follows each element instead and has no such limit.
///
/// Operations, as `f` and value: `add` with the element, `read` with the list of all elements when `ok`.
#[derive(Clone, Debug, Default)]
pub struct GrowSet {
    values: Values,
}

/// What one operation on a [`GrowSet`] claims.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum GrowSetAction {
    /// This became an element.
    Add(Datum),
    /// These were the elements.
    Read(Arc<Vec<Datum>>),
    /// An answer that no set can give, since an element stood in it twice.
    Impossible,
}

impl Model for GrowSet {
    /// The elements in the order of their numbers.
    type State = Arc<Vec<Datum>>;
    type Action = GrowSetAction;

    fn name(&self) -> &'static str {
        "set"
    }

    fn initial(&self) -> Self::State {
        Arc::default()
    }

    fn action(&mut self, pair: &Pair<'_>) -> Result<Option<GrowSetAction>, String> {
        match pair.invoke.f.as_str() {
            "add" => Ok(Some(GrowSetAction::Add(self.values.intern(&pair.invoke.value)))),
            "read" => match pair.completion.filter(|op| op.kind == Kind::Ok).map(|op| &op.value) {
                None => Ok(None),
                Some(Value::Array(list)) => {
                    let mut elements: Vec<Datum> = list.iter().map(|one| self.values.intern(one)).collect();
                    elements.sort_unstable();
                    elements.dedup();
                    let action = if elements.len() == list.len() {
                        GrowSetAction::Read(Arc::new(elements))
                    } else {
                        GrowSetAction::Impossible
                    };
                    Ok(Some(action))
                }
                Some(other) => Err(format!("a read of a set answers with a list, not {other}")),
            },
            other => Err(format!("the model set has no operation `{other}`")),
        }
    }

    fn step(&self, state: &Self::State, action: &GrowSetAction) -> Option<Self::State> {
        let mut next = state.clone();
        self.apply(&mut next, action).then_some(next)
    }

    fn apply(&self, state: &mut Self::State, action: &GrowSetAction) -> bool {
        match action {
            GrowSetAction::Add(element) => {
                if let Err(place) = state.binary_search(element) {
                    Arc::make_mut(state).insert(place, *element);
                }
                true
            }
            GrowSetAction::Read(elements) => state == elements,
            GrowSetAction::Impossible => false,
        }
    }

    fn shape(&self) -> Shape {
        Shape::GrowingSet
    }

    fn passage<'a>(&'a self, action: &'a GrowSetAction) -> Passage<'a> {
        match action {
            GrowSetAction::Add(element) => Passage::Grows(*element),
            GrowSetAction::Read(elements) => Passage::Whole(elements),
            GrowSetAction::Impossible => Passage::Impossible,
        }
    }

    fn effect(&self, action: &GrowSetAction) -> Effect<Self::State> {
        match action {
            GrowSetAction::Add(_) => Effect::Any,
            GrowSetAction::Read(elements) => Effect::Observe(elements.clone()),
            GrowSetAction::Impossible => Effect::Pure,
        }
    }

    fn reachable(&self, from: &Self::State, to: &Self::State) -> bool {
        let mut larger = to.iter();
        from.iter().all(|element| larger.any(|other| other == element))
    }

    fn show(&self, state: &Self::State) -> Value {
        state.iter().map(|element| self.values.get(*element)).collect()
    }

    fn bytes(&self, state: &Self::State) -> usize {
        state.len() * 8 + 64
    }
}
