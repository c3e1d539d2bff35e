//! An oracle for linearizability that tries every order, and small random histories to ask it about.

use proptest::prelude::*;
use rashomon_checkers::Model;
use rashomon_core::{History, Kind, Op, Process, Time, Value};

/// Whether some order of the operations of one key explains them: every permutation that real time allows, with
/// every subset of the operations that may not have happened.
pub(crate) fn linearizable<M: Model>(mut model: M, history: &History) -> bool {
    let mut claims = Vec::new();
    for pair in history.pairs().filter(|pair| pair.outcome() != Kind::Fail) {
        if let Some(action) = model.action(&pair).expect("an operation of the model") {
            let ended = pair.completion.filter(|op| op.kind == Kind::Ok).map(|op| op.index);
            claims.push((action, pair.invoke.index, ended));
        }
    }
    let state = model.initial();
    let mut placed = vec![false; claims.len()];
    search(&model, &claims, &mut placed, &state)
}

fn search<M: Model>(
    model: &M,
    claims: &[(M::Action, u64, Option<u64>)],
    placed: &mut [bool],
    state: &M::State,
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
            let found = search(model, claims, placed, &next);
            placed[place] = false;
            if found {
                return true;
            }
        }
    }
    false
}

/// One random choice: whose turn it is, what it would do, how it ends.
pub(crate) type Choice = (u8, u8, u8, u8, u8);

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

/// Random choices for about `ops` operations.
pub(crate) fn choices(ops: usize) -> impl Strategy<Value = Vec<Choice>> {
    proptest::collection::vec(any::<Choice>(), 0..ops * 3 + 8)
}

/// A history of one object that works: each operation takes effect between its call and its return, on `state`,
/// where `apply` answers. Then lies, here and there: the answer of `act` in place of the right one.
///
/// Random answers alone are wrong within a few operations; these histories are right, or nearly, to the end.
pub(crate) fn observe<S>(
    processes: u64,
    ops: usize,
    choices: &[Choice],
    mut state: S,
    act: impl Fn(u8, u8, u8) -> (&'static str, Value, Value),
    apply: impl Fn(&mut S, &str, &Value) -> Value,
) -> History {
    enum Stage {
        Idle,
        Begun(&'static str, Value, Value, u8),
        Done(&'static str, Value, u8),
    }
    let mut stages: Vec<Stage> = (0..processes).map(|_| Stage::Idle).collect();
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
        let thread = usize::from(*who) % stages.len();
        stages[thread] = match std::mem::replace(&mut stages[thread], Stage::Idle) {
            Stage::Idle if begun < ops => {
                begun += 1;
                let (f, argument, answer) = act(*f, *one, *two);
                push(Kind::Invoke, ids[thread], f, argument.clone());
                Stage::Begun(f, argument, answer, *end)
            }
            Stage::Idle => Stage::Idle,
            Stage::Begun(f, _, _, end) if end % 16 < 3 => {
                let fails = end % 16 == 0;
                push(if fails { Kind::Fail } else { Kind::Info }, ids[thread], f, Value::Null);
                if !fails {
                    ids[thread] = next;
                    next += 1;
                }
                Stage::Idle
            }
            Stage::Begun(f, argument, lie, end) => {
                let answer = apply(&mut state, f, &argument);
                Stage::Done(f, if end % 16 == 3 { lie } else { answer }, end)
            }
            Stage::Done(f, _, end) if end % 16 == 4 => {
                push(Kind::Info, ids[thread], f, Value::Null);
                ids[thread] = next;
                next += 1;
                Stage::Idle
            }
            Stage::Done(f, answer, _) => {
                push(Kind::Ok, ids[thread], f, answer);
                Stage::Idle
            }
        };
    }
    History::new(events).expect("a history")
}
