//! What a picture of an anomaly needs.

use rashomon_core::history::Pair;
use rashomon_core::{Map, Op, Value};
use serde_json::json;

use super::minimal::Core;
use super::partition::Partition;
use super::problem::{self, Item};
use super::rounds::SECOND_SEED;
use super::search::{Farthest, Progress, Search};
use crate::Model;
use crate::archive::Excerpt;

/// The steps that may go into each attempt.
const STEPS: u64 = 2_000;

/// The most operations that a picture adds to the core.
const CONTEXT: usize = 8;

/// The most operations that are told to be impossible next.
const NEXT: usize = 8;

/// The most elements, and letters, of a state that is shown as it is.
const SHOWN: usize = 16;
const LETTERS: usize = 120;

/// Operations outside the core that lead to states which it needs: their timing does not matter, but a picture
/// without them would show answers that come from nowhere.
pub(crate) fn context<M: Model>(partition: &Partition<M>, core: &Core) -> Vec<usize> {
    let needs: Vec<u32> =
        core.claims.iter().filter_map(|place| partition.claims[*place].effect.needs()).collect();
    let gives = |place: &usize| {
        let gives = partition.claims[*place].effect.gives();
        gives.is_some_and(|state| needs.contains(&state)) && !core.claims.contains(place)
    };
    (0..partition.claims.len()).filter(gives).take(CONTEXT).collect()
}

/// The order of a core's operations that gets farthest before it contradicts them.
pub(crate) fn longest<M: Model>(model: &M, partition: &mut Partition<M>, core: &Core) -> Farthest {
    let context = context(partition, core);
    let field = core.claims.iter().chain(&context).copied();
    let items = problem::kept(partition, field, &core.claims);
    attempt(model, partition, &items)
}

/// Where an order of the items gets stuck when it is sought as a reader would, without looking ahead.
pub(crate) fn attempt<M: Model>(model: &M, partition: &mut Partition<M>, items: &[Item]) -> Farthest {
    let mut search = Search::naive(partition, items, SECOND_SEED);
    match search.run(model, partition, STEPS) {
        Progress::Found | Progress::Exhausted => search.farthest().clone(),
        Progress::Running => search.reached(partition.initial),
    }
}

/// The details of an anomaly:
///
/// - `model`, `initial`: the type and its first state;
/// - `ops`: each operation of the core with `process`, `node`, `f`, `value` (as invoked), `result` (as
///   answered), `outcome`, the indices `invoke` and `completion` and the times `invoked` and `completed` in
///   nanoseconds; `completion`, `completed` and `result` are null for an operation that stayed open;
/// - `context`: in the same form, operations outside the core that wrote what it read; when they happened does
///   not matter to the contradiction;
/// - `order`, `state`, `stuck`: the invocations of the core and its context that can be put in order before one
///   cannot, the state there, and the one that cannot;
/// - `states`: the state after each of that `order`, long ones in short; empty where only the end of the order is known;
/// - `impossible`: those that could come next in time and cannot follow, each with its `invoke` and `because`;
/// - `longest`: the same for the whole key up to its shortest prefix without an order: how many operations were
///   `placed`, the `last` of them, the `state` there, and the `next` ones, all impossible; null where a long key
///   was judged without placing any;
/// - `minimal`: whether the core was reduced to the end.
pub(crate) fn details<M: Model>(
    model: &M,
    operations: &Excerpt,
    partition: &Partition<M>,
    core: &Core,
    longest: &Farthest,
) -> Map<String, Value> {
    let calls = |claims: &[u32]| -> Vec<u32> {
        claims.iter().map(|claim| partition.claims[*claim as usize].call).collect()
    };
    let shapes = |places: &[usize]| -> Value {
        places.iter().map(|place| operation(&operations.pair(partition.claims[*place].call))).collect()
    };
    let stuck = longest.window.iter().find(|claim| partition.claims[**claim as usize].ret == longest.bound);
    let shown = |state: u32| model.show(partition.states.get(state));
    let mut details = Map::new();
    let mut set = |name: &str, value: Value| details.insert(name.to_owned(), value);
    set("model", model.name().into());
    set("initial", shown(partition.initial));
    set("ops", shapes(&core.claims));
    set("context", shapes(&context(partition, core)));
    set("order", calls(&longest.tail).into());
    set("state", shown(longest.state));
    set("stuck", stuck.map(|claim| partition.claims[*claim as usize].call).into());
    set("states", states(model, partition, longest).into());
    set("impossible", impossible(model, partition, longest).into());
    set("minimal", core.minimal.into());
    let longest = core.stuck.as_ref().map(|stuck| {
        json!({
            "placed": stuck.placed,
            "last": calls(&stuck.tail),
            "state": shown(stuck.state),
            "next": calls(&stuck.window),
        })
    });
    set("longest", longest.into());
    details
}

/// The state after each operation of an order, if all of it is known.
fn states<M: Model>(model: &M, partition: &Partition<M>, longest: &Farthest) -> Vec<Value> {
    if longest.tail.len() < longest.placed {
        return Vec::new();
    }
    let mut state = partition.states.get(partition.initial).clone();
    let applied = longest.tail.iter().map(|claim| {
        let possible = model.apply(&mut state, &partition.actions[*claim as usize]);
        possible.then(|| in_short(model.show(&state)))
    });
    applied.collect::<Option<_>>().unwrap_or_default()
}

/// Why the operations that could come next in time cannot follow.
fn impossible<M: Model>(model: &M, partition: &Partition<M>, longest: &Farthest) -> Vec<Value> {
    let state = partition.states.get(longest.state);
    let refused = |place: &&u32| model.step(state, &partition.actions[**place as usize]).is_none();
    let there = in_short(model.show(state));
    let tell = |place: &u32| {
        let claim = partition.claims[*place as usize];
        let because = match claim.effect.needs() {
            Some(needed) => {
                let needed = in_short(model.show(partition.states.get(needed)));
                format!("it is possible only where the state is {needed}, and the state is {there}")
            }
            None => format!("what it was answered is not possible where the state is {there}"),
        };
        json!({"invoke": claim.call, "because": because})
    };
    longest.window.iter().filter(refused).take(NEXT).map(tell).collect()
}

/// A state as it is, or its size and its end where it is long.
fn in_short(state: Value) -> Value {
    match state {
        Value::Array(list) if list.len() > SHOWN => {
            let end: Vec<String> = list[list.len() - SHOWN / 2..].iter().map(Value::to_string).collect();
            format!("{} elements, the last of them {}", list.len(), end.join(" ")).into()
        }
        Value::Object(fields) if fields.len() > SHOWN => format!("{} entries", fields.len()).into(),
        Value::String(text) if text.chars().count() > LETTERS => {
            text.chars().take(LETTERS - 1).chain(['…']).collect::<String>().into()
        }
        short => short,
    }
}

/// One operation, for programs.
pub(crate) fn operation(pair: &Pair<'_>) -> Value {
    let answer = pair.completion.filter(|op| op.kind == rashomon_core::Kind::Ok);
    json!({
        "process": pair.invoke.process,
        "node": node(pair),
        "f": pair.invoke.f,
        "value": pair.invoke.value,
        "result": answer.map(|op| &op.value),
        "outcome": pair.outcome(),
        "invoke": pair.invoke.index,
        "completion": pair.completion.map(|op| op.index),
        "invoked": pair.invoke.time,
        "completed": pair.completion.map(|op| op.time),
    })
}

/// The node that answered, or that was asked.
pub(crate) fn node<'a>(pair: &Pair<'a>) -> Option<&'a str> {
    let named = |op: &'a Op| op.node.as_deref();
    pair.completion.and_then(named).or_else(|| named(pair.invoke))
}
