//! Session guarantees and sequential consistency: by hand, and against oracles that try every order.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use rashomon_checkers::notation::history;
use rashomon_checkers::sessions::{Guarantee, Sequential, SessionGuarantees};
use rashomon_checkers::{Budget, Checker};
use rashomon_core::history::Pair;
use rashomon_core::{History, Kind, Process, Validity, Value, Verdict};
use serde_json::json;

use crate::histories::{cases, choices, observe};
use crate::oracle::build;

/// Reads, writes and cas of values that are written once.
fn act(counter: &Cell<i64>, cas: bool) -> impl Fn(u8, u8, u8) -> (&'static str, Value, Value) {
    move |f, one, _| {
        let fresh = || {
            counter.set(counter.get() + 1);
            json!(counter.get())
        };
        let some = |byte: u8| match i64::from(byte) % (counter.get() + 2) {
            0 => Value::Null,
            value => json!(value),
        };
        match f % 8 {
            0..=3 => ("read", Value::Null, some(one)),
            6 | 7 if cas => {
                let both = json!([some(one), fresh()]);
                ("cas", both.clone(), both)
            }
            _ => {
                let value = fresh();
                ("write", value.clone(), value)
            }
        }
    }
}

fn apply(state: &mut Value, f: &str, argument: &Value) -> Value {
    match f {
        "write" => *state = argument.clone(),
        "cas" if argument[0] == *state => *state = argument[1].clone(),
        _ => {}
    }
    if f == "cas" { argument.clone() } else { state.clone() }
}

/// One operation: what it needs to find, what it leaves, and whether it must happen.
struct Step {
    finds: Option<Value>,
    leaves: Option<Value>,
    must: bool,
    process: Process,
    /// The operations of its session that were done before.
    after: Vec<usize>,
}

fn steps(history: &History) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for pair in history.pairs().filter(|pair| pair.outcome() != Kind::Fail) {
        let (finds, leaves) = parts(&pair);
        let process = pair.invoke.process;
        let after = (0..steps.len()).filter(|place| steps[*place].must && steps[*place].process == process);
        let after = after.collect();
        let must = pair.outcome() == Kind::Ok;
        if must || leaves.is_some() {
            steps.push(Step { finds, leaves, must, process, after });
        }
    }
    steps
}

fn parts(pair: &Pair<'_>) -> (Option<Value>, Option<Value>) {
    let argument = &pair.invoke.value;
    match pair.invoke.f.as_str() {
        "read" => (pair.completion.map(|op| op.value.clone()), None),
        "write" => (None, Some(argument.clone())),
        _ => (Some(argument[0].clone()), Some(argument[1].clone())),
    }
}

/// Whether some order keeps to the sessions and explains the answers: all of them are tried.
fn sequential(
    steps: &[Step],
    placed: &mut Vec<bool>,
    state: &Value,
    seen: &mut BTreeSet<(Vec<bool>, String)>,
) -> bool {
    if steps.iter().zip(placed.iter()).all(|(step, placed)| *placed || !step.must) {
        return true;
    }
    if !seen.insert((placed.clone(), state.to_string())) {
        return false;
    }
    for (place, step) in steps.iter().enumerate() {
        let ready = step.after.iter().all(|before| placed[*before]);
        if placed[place] || !ready || step.finds.as_ref().is_some_and(|value| value != state) {
            continue;
        }
        placed[place] = true;
        let found = sequential(steps, placed, step.leaves.as_ref().unwrap_or(state), seen);
        placed[place] = false;
        if found {
            return true;
        }
    }
    false
}

/// Whether guarantees hold together for some order of the values: all of them are tried.
fn guaranteed(history: &History, guarantees: &[Guarantee]) -> bool {
    let all = steps(history);
    // What was there: values found by what happened, and what leads to them.
    let mut there: BTreeSet<String> = BTreeSet::new();
    let mut next: Vec<&Value> =
        all.iter().filter(|step| step.must).filter_map(|step| step.finds.as_ref()).collect();
    while let Some(value) = next.pop() {
        if there.insert(value.to_string()) {
            let givers = all.iter().filter(|step| step.leaves.as_ref() == Some(value));
            next.extend(givers.filter_map(|step| step.finds.as_ref()));
        }
    }
    let takes_part = |step: &Step| {
        step.must || step.leaves.as_ref().is_some_and(|value| there.contains(&value.to_string()))
    };
    let mut values: Vec<Value> =
        all.iter().filter(|step| takes_part(step)).filter_map(|step| step.leaves.clone()).collect();
    if all
        .iter()
        .filter(|step| takes_part(step))
        .filter_map(|step| step.finds.as_ref())
        .any(|found| !found.is_null() && !values.contains(found))
    {
        return false;
    }
    let mut pairs: Vec<(Value, Value)> = Vec::new();
    for later in all.iter().filter(|step| takes_part(step)) {
        for guarantee in guarantees {
            pairs.extend(asked_of(*guarantee, later, &all));
        }
    }
    any_order(&mut values, &mut vec![Value::Null], &pairs)
}

fn any_order(left: &mut Vec<Value>, line: &mut Vec<Value>, pairs: &[(Value, Value)]) -> bool {
    if left.is_empty() {
        let place = |value: &Value| line.iter().position(|other| other == value);
        return pairs.iter().all(|(one, two)| place(one) < place(two));
    }
    (0..left.len()).any(|place| {
        let value = left.remove(place);
        line.push(value);
        let found = any_order(left, line, pairs);
        left.insert(place, line.pop().expect("it was put there"));
        found
    })
}

/// The pairs of values whose order a guarantee asks for on account of one operation.
fn asked_of(guarantee: Guarantee, later: &Step, all: &[Step]) -> Vec<(Value, Value)> {
    let mut pairs = Vec::new();
    // The value that a cas finds precedes the one that it leaves.
    if let (Guarantee::WritesFollowReads, Some(from), Some(to)) = (guarantee, &later.finds, &later.leaves) {
        pairs.push((from.clone(), to.clone()));
    }
    for earlier in later.after.iter().map(|place| &all[*place]) {
        let told = later.finds.as_ref().filter(|_| later.must);
        let (one, two) = match guarantee {
            Guarantee::ReadYourWrites => (&earlier.leaves, told),
            Guarantee::MonotonicReads => (&earlier.finds, told),
            Guarantee::MonotonicWrites => (&earlier.leaves, later.leaves.as_ref()),
            Guarantee::WritesFollowReads => (&earlier.finds, later.leaves.as_ref()),
        };
        if let (Some(one), Some(two)) = (one, two)
            && (guarantee == Guarantee::WritesFollowReads || one != two)
        {
            pairs.push((one.clone(), two.clone()));
        }
    }
    pairs
}

fn observed(history: &History) -> bool {
    history.pairs().any(|pair| pair.outcome() == Kind::Ok)
}

fn said(yes: bool) -> Validity {
    if yes { Validity::Valid } else { Validity::Invalid }
}

fn agree(history: &History) -> Result<(), TestCaseError> {
    if !observed(history) {
        return Ok(());
    }
    let verdict = Sequential::default().check(history, &Budget::unlimited());
    let all = steps(history);
    let expected = sequential(&all, &mut vec![false; all.len()], &Value::Null, &mut BTreeSet::new());
    prop_assert_eq!(verdict.valid, said(expected), "{:?}\n{:?}", verdict, history);
    for guarantee in Guarantee::ALL {
        let verdict = SessionGuarantees::only(guarantee).check(history, &Budget::unlimited());
        let expected = match guarantee {
            Guarantee::MonotonicWrites if !guaranteed(history, &[Guarantee::MonotonicReads]) => {
                Validity::Unknown
            }
            Guarantee::MonotonicWrites => {
                said(guaranteed(history, &[Guarantee::MonotonicReads, Guarantee::MonotonicWrites]))
            }
            _ => said(guaranteed(history, &[guarantee])),
        };
        if verdict.anomalies.iter().all(|anomaly| !anomaly.name.ends_with("-read")) {
            prop_assert_eq!(verdict.valid, expected, "{:?}\n{:?}", verdict, history);
        }
        // A cas that never returned and yet was seen to happen has one event.
        prop_assert!(verdict.anomalies.iter().all(|anomaly| !anomaly.events.is_empty()), "{:?}", verdict);
    }
    let verdict = SessionGuarantees::default().check(history, &Budget::unlimited());
    prop_assert_eq!(
        verdict.valid,
        said(guaranteed(history, &Guarantee::ALL)),
        "{:?}\n{:?}",
        verdict,
        history
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(2000), ..ProptestConfig::default() })]

    #[test]
    fn any_answers(choices in choices(8)) {
        agree(&build(3, 8, &choices, act(&Cell::new(0), false)))?;
    }

    #[test]
    fn any_answers_with_cas(choices in choices(8)) {
        agree(&build(3, 8, &choices, act(&Cell::new(0), true)))?;
    }

    #[test]
    fn registers_that_nearly_work(choices in choices(9)) {
        agree(&observe(3, 9, &choices, Value::Null, act(&Cell::new(0), true), apply))?;
    }
}

fn asked(text: &str) -> BTreeMap<String, Value> {
    let verdict = SessionGuarantees::default().check(&history(text), &Budget::unlimited());
    let found = verdict.stats["guarantees"].as_object().expect("a table").clone();
    found.into_iter().filter(|(_, state)| state == "violated").collect()
}

fn violated(text: &str, names: &[&str]) {
    let found = asked(text);
    assert_eq!(found.keys().map(String::as_str).collect::<Vec<_>>(), names);
    for guarantee in Guarantee::ALL {
        let verdict = SessionGuarantees::only(guarantee).check(&history(text), &Budget::unlimited());
        let expected = match guarantee {
            _ if names.contains(&guarantee.name()) => Validity::Invalid,
            Guarantee::MonotonicWrites if names.contains(&"monotonic-reads") => Validity::Unknown,
            _ => Validity::Valid,
        };
        assert_eq!(verdict.valid, expected, "{verdict:?}");
    }
}

fn order(text: &str) -> Verdict {
    Sequential::default().check(&history(text), &Budget::unlimited())
}

#[test]
fn a_session_that_does_not_read_its_writes() {
    violated("0 invoke write 1\n0 ok write 1\n0 invoke read\n0 ok read", &["read-your-writes"]);
    // Another's write may have come after one's own.
    violated(
        "0 invoke write 1\n0 ok write 1\n1 invoke write 2\n1 ok write 2\n0 invoke read\n0 ok read 2",
        &[],
    );
}

#[test]
fn reads_that_go_back() {
    violated(
        "0 invoke write 1\n0 ok write 1\n1 invoke read\n1 ok read 1\n1 invoke read\n1 ok read",
        &["monotonic-reads"],
    );
}

#[test]
fn writes_out_of_order() {
    violated(
        "0 invoke write 1\n0 ok write 1\n0 invoke write 2\n0 ok write 2\n1 invoke read\n1 ok read 2\n1 invoke read\n1 ok \
         read 1",
        &["monotonic-writes"],
    );
    violated("0 invoke read\n0 ok read 1\n0 invoke write 1\n0 ok write 1", &["writes-follow-reads"]);
    // Each guarantee has an order, all together have none.
    let text = "0 invoke write 1\n0 ok write 1\n0 invoke write 2\n0 ok write 2\n1 invoke read\n1 ok read 2\n1 invoke write \
                3\n1 ok write 3\n2 invoke read\n2 ok read 3\n2 invoke read\n2 ok read 1";
    violated(text, &[]);
    let verdict = SessionGuarantees::default().check(&history(text), &Budget::unlimited());
    assert_eq!(verdict.valid, Validity::Invalid);
    assert_eq!(verdict.anomalies[0].name, "monotonic-reads+monotonic-writes+writes-follow-reads");
    assert_eq!(verdict.anomalies[0].events, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
}

#[test]
fn stale_for_one_is_no_matter_of_sequential_consistency() {
    let stale = "0 invoke write 1\n0 ok write 1\n1 invoke read\n1 ok read";
    assert_eq!(order(stale).valid, Validity::Valid);
    let back = format!("{stale}\n1 invoke read\n1 ok read 1\n1 invoke read\n1 ok read");
    let verdict = order(&back);
    assert_eq!((verdict.valid, verdict.anomalies[0].name.as_str()), (Validity::Invalid, "not-sequential"));
    assert_eq!(verdict.anomalies[0].events, [0, 1, 4, 5, 6, 7]);
}

#[test]
fn what_ended_info_may_take_effect_after_what_its_session_does_next() {
    let late = "0 invoke write 1\n0 info write 1\n0 invoke read\n0 ok read\n1 invoke read\n1 ok read 1";
    assert_eq!(order(late).valid, Validity::Valid);
    violated(late, &[]);
    // But not before what it did.
    let early = "0 invoke read\n0 ok read 1\n0 invoke write 1\n0 info write 1";
    assert_eq!(order(early).valid, Validity::Invalid);
    violated(early, &["writes-follow-reads"]);
}

#[test]
fn two_cas_of_one_version() {
    let verdict = order("0 invoke cas [null,1]\n1 invoke cas [null,2]\n0 ok cas [null,1]\n1 ok cas [null,2]");
    assert_eq!((verdict.valid, verdict.anomalies[0].name.as_str()), (Validity::Invalid, "lost-update"));
}

#[test]
fn what_cannot_be_known_is_unknown() {
    // Two keys, each with an order of its own, that fit together in none: and the same where real time shows one.
    let two = "0 invoke write 1 key=x\n0 ok write 1 key=x\n0 invoke read key=y\n0 ok read key=y\n\
               1 invoke write 1 key=y\n1 ok write 1 key=y\n1 invoke read key=x\n1 ok read key=x";
    let verdict = order(two);
    assert_eq!(verdict.valid, Validity::Unknown);
    assert!(verdict.unknown[0].contains("NP-hard"), "{verdict:?}");
    assert_eq!(order(&two.replace("1 ok read key=x", "1 ok read 1 key=x")).valid, Validity::Valid);
    let twice = "0 invoke write 1\n0 ok write 1\n0 invoke write 1\n0 ok write 1";
    for verdict in [order(twice), order(""), order("0 invoke write 1\n0 info write 1")] {
        assert_eq!(verdict.valid, Validity::Unknown, "{verdict:?}");
    }
    let verdict = SessionGuarantees::default().check(&history(twice), &Budget::unlimited());
    assert_eq!(verdict.valid, Validity::Unknown);
    let expired = Budget::new(usize::MAX, &|| true);
    assert_eq!(Sequential::default().check(&history(two), &expired).valid, Validity::Unknown);
    assert_eq!(SessionGuarantees::default().check(&history(two), &expired).valid, Validity::Unknown);
}

#[test]
fn garbage_is_no_version() {
    let verdict = order("0 invoke write 1\n0 fail write 1\n1 invoke read\n1 ok read 1");
    assert_eq!((verdict.valid, verdict.anomalies[0].name.as_str()), (Validity::Invalid, "dirty-read"));
}
