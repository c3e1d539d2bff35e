//! Small random histories of one object.

#[path = "../cases/mod.rs"]
mod cases;

use proptest::prelude::*;
use rashomon_core::{History, Kind, Op, Process, Time, Value};

pub(crate) use cases::cases;

/// One random choice: whose turn it is, what it would do, how it ends.
pub(crate) type Choice = (u8, u8, u8, u8, u8);

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
