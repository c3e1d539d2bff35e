//! An oracle for linearizability that tries every order, and histories of random answers to ask it about.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rashomon_checkers::linearizable::{Linearizable, set_aside};
use rashomon_checkers::{Budget, Effect, Model};
use rashomon_core::{History, Kind, Op, Process, Time, Validity, Value};
use serde_json::json;

use crate::histories::Choice;

/// Up to so many operations, every order is tried without regard to which states were met before.
const FEW: usize = 7;

/// Whether some order of the operations of one key explains them: every permutation that real time allows, with
/// every subset of the operations that may not have happened.
pub(crate) fn linearizable<M: Model>(model: M, history: &History) -> bool {
    explained(model, history, None)
}

/// The same, with all operations set aside but those whose invocations are in `keep`.
fn explained<M: Model>(mut model: M, history: &History, keep: Option<&[u64]>) -> bool {
    let mut claims = Vec::new();
    for pair in history.pairs().filter(|pair| pair.outcome() != Kind::Fail) {
        if let Some(action) = model.action(&pair).expect("an operation of the model") {
            let ended = pair.completion.filter(|op| op.kind == Kind::Ok).map(|op| op.index);
            if keep.is_none_or(|keep| keep.contains(&pair.invoke.index)) {
                claims.push((action, pair.invoke.index, ended));
            } else if !matches!(model.effect(&action), Effect::Observe(_) | Effect::Pure) {
                claims.push((action, 0, None));
            }
        }
    }
    let state = model.initial();
    let mut placed = vec![false; claims.len()];
    search(&model, &claims, &mut placed, &state, &mut BTreeSet::new())
}

fn search<M: Model>(
    model: &M,
    claims: &[(M::Action, u64, Option<u64>)],
    placed: &mut [bool],
    state: &M::State,
    seen: &mut BTreeSet<(Vec<bool>, String)>,
) -> bool {
    if (0..claims.len()).all(|place| placed[place] || claims[place].2.is_none()) {
        return true;
    }
    for place in 0..claims.len() {
        let (action, call, _) = &claims[place];
        let waits = |other: usize| !placed[other] && claims[other].2.is_some_and(|ended| ended < *call);
        if placed[place] || (0..claims.len()).any(waits) {
            continue;
        }
        if let Some(next) = model.step(state, action) {
            placed[place] = true;
            // With many optional operations the same ones lead to the same state in very many orders.
            let new = claims.len() < FEW || seen.insert((placed.to_vec(), format!("{next:?}")));
            let found = new && search(model, claims, placed, &next, seen);
            placed[place] = false;
            if found {
                return true;
            }
        }
    }
    false
}

/// The checker's verdict is the oracle's, and a core is a core: with all else set aside it is impossible still, and with
/// any one of its operations set aside too it is possible.
pub(crate) fn agree<M: Model + Send + Sync>(
    checker: &Linearizable<M>,
    model: &M,
    history: &History,
) -> Result<(), TestCaseError> {
    // An update whose answer came keeps it when it is set aside, which an open operation of a history cannot show.
    let answering =
        history.pairs().any(|pair| matches!(pair.invoke.f.as_str(), "dequeue" | "pop" | "poll" | "acquire"));

    if history.pairs().all(|pair| pair.outcome() != Kind::Ok) {
        return Ok(());
    }
    let verdict = checker.judge(history, &Budget::unlimited());
    let expected = linearizable(model.clone(), history);
    let judged = verdict.valid;
    prop_assert_eq!(
        judged,
        if expected { Validity::Valid } else { Validity::Invalid },
        "{:?}\n{}",
        verdict,
        text(history)
    );
    for anomaly in &verdict.anomalies {
        let core: Vec<u64> = anomaly.details["ops"]
            .as_array()
            .expect("ops")
            .iter()
            .map(|op| op["invoke"].as_u64().expect("an index"))
            .collect();
        prop_assert_eq!(&anomaly.details["minimal"], &json!(true));
        prop_assert!(!anomaly.because.is_empty());
        let possible = |keep: &[u64]| explained(model.clone(), history, Some(keep));
        let rest = set_aside(model.clone(), history, None, &core).expect("a history");
        prop_assert!(answering || !linearizable(model.clone(), &rest), "{:?}", anomaly);
        prop_assert!(!possible(&core), "the core is possible: {:?}\n{}", anomaly, text(history));
        for one in 0..core.len() {
            let mut fewer = core.clone();
            fewer.remove(one);
            prop_assert!(possible(&fewer), "not minimal without {}: {:?}", core[one], anomaly);
        }
    }
    Ok(())
}

/// The history as it would be written by hand.
fn text(history: &History) -> String {
    let line = |op: &Op| format!("{} {} {} {}\n", op.process, op.kind, op.f, op.value);
    history.ops().iter().map(line).collect()
}

/// A history of at most `ops` operations by `processes` clients. The choices are bytes, so that proptest shrinks
/// well; `act` turns three of them into `f`, the value invoked and the value answered.
pub(crate) fn build(
    processes: u64,
    ops: usize,
    choices: &[Choice],
    act: impl Fn(u8, u8, u8) -> (&'static str, Value, Value),
) -> History {
    let mut open: Vec<Option<(u64, &'static str, Value, u8)>> = vec![None; processes as usize];
    let mut next = processes;
    let mut ids: Vec<u64> = (0..processes).collect();
    let mut events = Vec::new();
    let mut begun = 0;
    let mut push = |kind, process, f: &str, value| {
        events.push(Op {
            index: 0,
            time: Time::ZERO,
            kind,
            process: Process::Client(process),
            f: f.to_owned(),
            value,
            key: None,
            error: None,
            node: None,
        });
    };
    for (who, f, one, two, end) in choices {
        let thread = usize::from(*who) % open.len();
        if let Some((process, f, answer, end)) = open[thread].take() {
            match end % 16 {
                0 | 1 => {
                    push(Kind::Info, process, f, Value::Null);
                    ids[thread] = next;
                    next += 1;
                }
                2 => push(Kind::Fail, process, f, Value::Null),
                _ => push(Kind::Ok, process, f, answer),
            }
        } else if begun < ops {
            let (f, argument, answer) = act(*f, *one, *two);
            push(Kind::Invoke, ids[thread], f, argument);
            open[thread] = Some((ids[thread], f, answer, *end));
            begun += 1;
        }
    }
    History::new(events).expect("a history")
}
