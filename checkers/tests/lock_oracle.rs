//! The checker of critical sections against its definition: some order of sections explains everything that was seen.

mod cases;

use std::collections::BTreeMap;

use cases::cases;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use rashomon_checkers::lock::Lock;
use rashomon_checkers::{Budget, Checker};
use rashomon_core::history::Pair;
use rashomon_core::{History, Kind, Op, Process, Time, Validity, Value};
use serde_json::json;

/// The most effects that a section has: a read and two writes.
const MOST_EFFECTS: usize = 3;

/// Some order of sections, each cut off somewhere or whole.
type Order = Vec<(u64, usize)>;

/// The last moment at which an op may take effect.
fn ended(pair: &Pair<'_>) -> u64 {
    pair.completion.filter(|op| op.kind == Kind::Ok).map_or(u64::MAX, |op| op.index)
}

/// When a section that does so many effects on this value is done, what the journal shows of it, without its token.
fn effects(work: u64, count: usize, value: u64) -> impl Iterator<Item = (u64, &'static str, u64)> {
    (0..count as u64).map(move |step| (work, if step == 0 { "read" } else { "write" }, value + step))
}

/// Whether this order explains the history.
fn explains(order: &Order, works: &BTreeMap<u64, Pair<'_>>, reads: &[Pair<'_>]) -> bool {
    let mut journal = Vec::new();
    let mut value = 0;
    let mut begins = BTreeMap::new();
    for (work, count) in order {
        begins.insert(*work, value);
        journal.extend(effects(*work, *count, value));
        value += (*count as u64).saturating_sub(1);
    }
    let mut tokens: BTreeMap<u64, Value> = BTreeMap::new();
    let mut token_is =
        |work: u64, token: &Value| *tokens.entry(work).or_insert_with(|| token.clone()) == *token;
    for (work, pair) in works {
        let Some(answer) = pair.completion.filter(|op| op.kind == Kind::Ok).map(|op| &op.value) else {
            continue;
        };
        let Some((_, count)) = order.iter().find(|(other, _)| other == work) else { return false };
        let wrote = begins[work] + (*count as u64).saturating_sub(1);
        if answer["read"] != begins[work] || answer["wrote"] != wrote || !token_is(*work, &answer["token"]) {
            return false;
        }
    }
    for read in reads {
        let shown = read.completion.unwrap().value.as_array().unwrap();
        if shown.len() > journal.len() {
            return false;
        }
        for (shown, (work, f, value)) in shown.iter().zip(&journal) {
            if shown[0] != *work || shown[2] != *f || shown[3] != *value || !token_is(*work, &shown[1]) {
                return false;
            }
        }
    }
    // Known tokens rise, with room for the unknown ones between them.
    let (mut last, mut unknown) = (0, 0);
    for (work, _) in order {
        match tokens.get(work).and_then(Value::as_u64) {
            None => unknown += 1,
            Some(token) if token <= last + unknown => return false,
            Some(token) => (last, unknown) = (token, 0),
        }
    }
    // Every effect has its instant: in order, while its section is open, and where the reads that show it or do not show
    // it want it.
    let mut now = 0;
    for (place, (work, ..)) in journal.iter().enumerate() {
        let length = |read: &&Pair<'_>| read.completion.unwrap().value.as_array().unwrap().len();
        let unseen = reads.iter().filter(|read| length(read) <= place).map(|read| read.invoke.index);
        let seen = reads.iter().filter(|read| length(read) > place).map(ended);
        now = unseen.chain([works[work].invoke.index]).fold(now, u64::max);
        if seen.chain([ended(&works[work])]).any(|end| end < now) {
            return false;
        }
    }
    true
}

/// Tries every order of sections, each with every number of effects.
fn explained(order: &mut Order, left: &[u64], works: &BTreeMap<u64, Pair<'_>>, reads: &[Pair<'_>]) -> bool {
    if explains(order, works, reads) {
        return true;
    }
    left.iter().any(|work| {
        let rest: Vec<u64> = left.iter().copied().filter(|other| other != work).collect();
        (1..=MOST_EFFECTS).any(|count| {
            order.push((*work, count));
            let found = explained(order, &rest, works, reads);
            order.pop();
            found
        })
    })
}

/// What a client process does at the moment.
enum Stage {
    Idle,
    Working { work: u64, token: u64, effects: u64, read: u64 },
    Reading { snapshot: Option<Value> },
}

/// A history of sections at a resource, mostly well-behaved, with lies here and there, and a last read of the truth.
fn history(choices: &[(u8, u8, u8)], tokens: bool) -> History {
    let mut events: Vec<Op> = Vec::new();
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
    let mut stages = [Stage::Idle, Stage::Idle, Stage::Idle, Stage::Idle];
    let mut ids = [0, 1, 2, 3];
    let (mut next, mut works, mut reads, mut value, mut counter) = (4, 0, 0, 0_u64, 0_u64);
    let mut journal: Vec<Value> = Vec::new();
    let shown = |token: u64| if tokens { json!(token) } else { Value::Null };
    for (who, what, lie) in choices {
        let thread = usize::from(*who) % 4;
        let busy = |stages: &[Stage]| {
            stages.iter().any(|stage| matches!(stage, Stage::Working { effects: 1.., .. }))
        };
        let free = !busy(&stages) || lie % 16 == 0;
        stages[thread] = match std::mem::replace(&mut stages[thread], Stage::Idle) {
            Stage::Idle if thread < 3 && works < 4 => {
                works += 1;
                push(Kind::Invoke, ids[thread], "work", json!(works));
                Stage::Working { work: works, token: 0, effects: 0, read: 0 }
            }
            Stage::Idle if thread == 3 && reads < 2 => {
                reads += 1;
                push(Kind::Invoke, ids[thread], "read", Value::Null);
                Stage::Reading { snapshot: (what % 2 == 0).then(|| json!(journal)) }
            }
            Stage::Idle => Stage::Idle,
            Stage::Reading { snapshot } => {
                let mut answer = snapshot.unwrap_or_else(|| json!(journal));
                if lie % 16 == 1 {
                    answer.as_array_mut().unwrap().pop();
                }
                push(Kind::Ok, ids[thread], "read", answer);
                Stage::Idle
            }
            Stage::Working { work, effects, .. } if what % 8 == 7 && (effects == 0 || lie % 8 == 0) => {
                push(Kind::Fail, ids[thread], "work", json!(work));
                Stage::Idle
            }
            Stage::Working { work, .. } if what % 8 == 6 => {
                push(Kind::Info, ids[thread], "work", json!(work));
                ids[thread] = next;
                next += 1;
                Stage::Idle
            }
            Stage::Working { work, effects: 0, .. } if free => {
                counter += 1;
                let token = if lie % 16 == 2 { counter.saturating_sub(1).max(1) } else { counter };
                journal.push(json!([work, shown(token), "read", value]));
                Stage::Working { work, token, effects: 1, read: value }
            }
            Stage::Working { work, token, effects: 0, read } => {
                Stage::Working { work, token, effects: 0, read }
            }
            Stage::Working { work, token, effects, read } if effects < 3 => {
                value = read + effects;
                journal.push(json!([work, shown(token), "write", value]));
                Stage::Working { work, token, effects: effects + 1, read }
            }
            Stage::Working { token, read, .. } => {
                let read = if lie % 16 == 3 { read + 1 } else { read };
                push(
                    Kind::Ok,
                    ids[thread],
                    "work",
                    json!({ "token": shown(token), "read": read, "wrote": read + 2 }),
                );
                Stage::Idle
            }
        };
    }
    for (thread, stage) in stages.iter().enumerate() {
        match stage {
            Stage::Idle => {}
            Stage::Working { work, .. } => push(Kind::Info, ids[thread], "work", json!(work)),
            Stage::Reading { .. } => push(Kind::Fail, ids[thread], "read", Value::Null),
        }
    }
    push(Kind::Invoke, 99, "read", Value::Null);
    push(Kind::Ok, 99, "read", json!(journal));
    History::new(events).expect("a history")
}

fn agree(history: &History) -> Result<bool, TestCaseError> {
    let verdict = Lock.check(history, &Budget::unlimited());
    if history.pairs().all(|pair| pair.outcome() != Kind::Ok || pair.invoke.f != "work") {
        prop_assert_eq!(verdict.valid, Validity::Unknown);
        return Ok(false);
    }
    let works: BTreeMap<u64, Pair<'_>> = history
        .pairs()
        .filter(|pair| pair.invoke.f == "work")
        .map(|pair| (pair.invoke.value.as_u64().unwrap(), pair))
        .collect();
    let reads: Vec<Pair<'_>> =
        history.pairs().filter(|pair| pair.invoke.f == "read" && pair.outcome() == Kind::Ok).collect();
    let possible: Vec<u64> =
        works.iter().filter(|(_, pair)| pair.outcome() != Kind::Fail).map(|(work, _)| *work).collect();
    let expected = explained(&mut Vec::new(), &possible, &works, &reads);
    prop_assert_eq!(verdict.valid == Validity::Valid, expected, "{:?}\n{:?}", verdict, history);
    prop_assert_eq!(verdict.valid == Validity::Invalid, !expected);
    for anomaly in &verdict.anomalies {
        prop_assert!(!anomaly.events.is_empty() && !anomaly.because.is_empty());
    }
    Ok(expected)
}

fn choices() -> impl Strategy<Value = Vec<(u8, u8, u8)>> {
    proptest::collection::vec(any::<(u8, u8, u8)>(), 0..48)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(3000), ..ProptestConfig::default() })]

    #[test]
    fn sections_with_tokens(choices in choices()) {
        agree(&history(&choices, true))?;
    }

    #[test]
    fn sections_without_tokens(choices in choices()) {
        agree(&history(&choices, false))?;
    }
}

#[test]
fn some_of_these_histories_are_right_and_some_are_wrong() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut right, mut wrong) = (0, 0);
    for _ in 0..400 {
        let choices = choices().new_tree(&mut runner).unwrap().current();
        let history = history(&choices, true);
        let acknowledged = |pair: &Pair<'_>| pair.invoke.f == "work" && pair.outcome() == Kind::Ok;
        if history.pairs().any(|pair| acknowledged(&pair)) {
            *(if agree(&history).unwrap() { &mut right } else { &mut wrong }) += 1;
        }
    }
    assert!(right > 40 && wrong > 40, "{right} right, {wrong} wrong");
}
