//! Sequential specifications: what one client alone would see.

use std::fmt::Debug;
use std::hash::Hash;

use rashomon_core::Value;
use rashomon_core::history::Pair;

use crate::models::Datum;
use crate::{Passage, Shape};

/// A sequential data type: the meaning of operations when they happen one after another.
///
/// This is all the generic search needs to judge linearizability. A model of your own needs `initial`,
/// `action`, `step` and `show`; the others make the search faster, and a wrong one makes it wrong, so leave
/// them out when in doubt. Operations with different keys are judged apart, each key with its own state.
///
/// A model is cloned before each use, so `action` may keep what it learns, such as a table of values.
///
/// A counter, for example, with `inc` and `read`:
///
/// ```
/// use rashomon_checkers::linearizable::Linearizable;
/// use rashomon_checkers::{Budget, Checker, Model, notation};
/// use rashomon_core::history::Pair;
/// use rashomon_core::{Kind, Validity, Value};
///
/// #[derive(Clone)]
/// struct Counter;
///
/// #[derive(Clone, Debug, PartialEq, Eq, Hash)]
/// enum Action {
///     Inc,
///     Read(i64),
/// }
///
/// impl Model for Counter {
///     type State = i64;
///     type Action = Action;
///
///     fn name(&self) -> &'static str {
///         "counter"
///     }
///
///     fn initial(&self) -> i64 {
///         0
///     }
///
///     fn action(&mut self, pair: &Pair<'_>) -> Result<Option<Action>, String> {
///         let answer = pair.completion.filter(|op| op.kind == Kind::Ok);
///         match pair.invoke.f.as_str() {
///             "inc" => Ok(Some(Action::Inc)),
///             "read" => Ok(answer.and_then(|op| op.value.as_i64()).map(Action::Read)),
///             other => Err(format!("a counter has no operation `{other}`")),
///         }
///     }
///
///     fn step(&self, state: &i64, action: &Action) -> Option<i64> {
///         match action {
///             Action::Inc => Some(state + 1),
///             Action::Read(value) => (state == value).then_some(*state),
///         }
///     }
///
///     fn show(&self, state: &i64) -> Value {
///         (*state).into()
///     }
/// }
///
/// let history = notation::history("0 invoke inc\n0 ok inc\n1 invoke read\n1 ok read 0");
/// let verdict = Linearizable::new(Counter).check(&history, &Budget::unlimited());
/// assert_eq!(verdict.valid, Validity::Invalid);
/// ```
pub trait Model: Clone + Send + Sync {
    /// The state of one key. Cheap to clone and compare: a search does so all the time.
    type State: Clone + Eq + Hash + Debug + Send + Sync;

    /// One operation with its argument and, when it is known, its result.
    type Action: Clone + Eq + Hash + Debug + Send + Sync;

    /// Its name, by which people ask for it.
    fn name(&self) -> &'static str;

    /// The state before the first operation.
    fn initial(&self) -> Self::State;

    /// What an operation claims, or `None` when it constrains nothing, such as a read whose answer never came.
    ///
    /// Called for `ok` and `info` operations only. The error says why the operation has no meaning here.
    fn action(&mut self, pair: &Pair<'_>) -> Result<Option<Self::Action>, String>;

    /// Is told beforehand that about so many operations will come, or fewer.
    fn expect(&mut self, _operations: usize) {}

    /// The state after the action, or `None` when it is impossible in this state.
    fn step(&self, state: &Self::State, action: &Self::Action) -> Option<Self::State>;

    /// Does the action in place; false when it is impossible in this state, which is then of no more use. Must agree
    /// with `step`, and is worth writing where states are large.
    fn apply(&self, state: &mut Self::State, action: &Self::Action) -> bool {
        self.step(state, action).map(|next| *state = next).is_some()
    }

    /// The kind of object, which decides by which near-linear monitor a key may be judged.
    fn shape(&self) -> Shape {
        Shape::Register
    }

    /// What the action does to an object of that shape. Must agree with `step`; not asked for a register.
    fn passage<'a>(&'a self, _action: &'a Self::Action) -> Passage<'a> {
        Passage::Unclear
    }

    /// Which of two values leaves a [`Shape::PriorityQueue`] first: the one where this is greater. Different for
    /// different values.
    fn priority(&self, _value: Datum) -> i64 {
        0
    }

    /// What the search may know about an action without trying it. Must agree with `step`.
    fn effect(&self, _action: &Self::Action) -> Effect<Self::State> {
        Effect::Any
    }

    /// Whether actions whose effect is [`Effect::Any`] could ever lead from one state to the other.
    ///
    /// Saying `true` is always right. It lets the search give up early where states only grow.
    fn reachable(&self, _from: &Self::State, _to: &Self::State) -> bool {
        true
    }

    /// The state's number, where the model numbers states itself, from 0 and without large gaps: it saves a table.
    ///
    /// Either for all states or for none, and different states have different numbers.
    fn number(&self, _state: &Self::State) -> Option<u32> {
        None
    }

    /// The state as people should see it.
    fn show(&self, state: &Self::State) -> Value;

    /// About how much memory a state takes.
    fn bytes(&self, _state: &Self::State) -> usize {
        size_of::<Self::State>()
    }
}

/// What is known about an action without trying it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect<S> {
    /// Possible in this state only, and leaves it as it is: a read.
    Observe(S),
    /// Possible always, and always leads to this state: a write.
    Set(S),
    /// Possible in the first state only, and leads to the second: a compare-and-set.
    Swap(S, S),
    /// Leaves every state in which it is possible as it is.
    Pure,
    /// Nothing is known.
    Any,
}
