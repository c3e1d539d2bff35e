//! The checker of consensus against its definition, read literally: is there one value that explains every answer?

mod histories;

use std::collections::BTreeMap;

use proptest::prelude::*;
use rashomon_checkers::consensus::Consensus;
use rashomon_checkers::{Budget, Checker};
use rashomon_core::history::Pair;
use rashomon_core::{History, Kind, Op, Validity, Value};
use serde_json::json;

use histories::{cases, choices, observe};

fn answers(history: &History) -> Vec<(&Op, Pair<'_>)> {
    let ok = |pair: Pair<'_>| Some(pair.completion?).filter(|op| op.kind == Kind::Ok).map(|op| op.index);
    history
        .pairs()
        .filter_map(|pair| ok(pair).map(|index| (&history.ops()[index as usize], pair)))
        .filter(|(answer, _)| answer.value != Value::Null)
        .collect()
}

/// Whether the value may have been proposed when this answer came.
fn proposed(history: &History, answer: &Op) -> bool {
    history.pairs().any(|pair| {
        pair.invoke.f == "propose"
            && pair.invoke.value == answer.value
            && pair.outcome() != Kind::Fail
            && pair.invoke.index < answer.index
    })
}

/// The properties that do not hold, each decided by looking at every answer and every pair of answers.
fn violated(history: &History) -> Vec<&'static str> {
    let answers = answers(history);
    let differ = |same_node: bool| {
        answers.iter().any(|(one, _)| {
            answers
                .iter()
                .any(|(other, _)| one.value != other.value && (!same_node || one.node == other.node))
        })
    };
    let mut violated = Vec::new();
    violated.extend(differ(false).then_some("agreement"));
    violated.extend(differ(true).then_some("integrity"));
    violated.extend(answers.iter().any(|(answer, _)| !proposed(history, answer)).then_some("validity"));
    violated
}

/// One decree that works, with a lie here and there; which node answers is a draw too.
fn decree(choices: &[histories::Choice], nodes: u8) -> History {
    let act = |f: u8, one: u8, two: u8| match f % 3 {
        0 => ("learn", Value::Null, if two.is_multiple_of(3) { Value::Null } else { json!(one % 5) }),
        _ => ("propose", json!(one % 5), json!(two % 5)),
    };
    let plain = observe(4, 16, choices, Value::Null, act, |state, f, argument| {
        if f == "propose" && state.is_null() {
            *state = argument.clone();
        }
        state.clone()
    });
    let draws = choices.iter().map(|(_, _, _, two, _)| two % nodes).cycle();
    let ops = plain.ops().iter().cloned().zip(draws.chain([0].into_iter().cycle()));
    let on_nodes = ops.map(|(op, node)| Op { node: Some(format!("n{node}")), ..op }).collect();
    History::new(on_nodes).expect("the same history")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(8000), ..ProptestConfig::default() })]

    #[test]
    fn what_is_accused_is_what_the_definition_excludes(choices in choices(16), nodes in 1_u8..6) {
        let history = decree(&choices, nodes);
        let verdict = Consensus.check(&history, &Budget::unlimited());
        let violated = violated(&history);
        let accused: Vec<&str> = verdict.anomalies.iter().map(|anomaly| anomaly.name.as_str()).collect();
        prop_assert_eq!(&accused, &violated);
        let expected = match (violated.is_empty(), answers(&history).is_empty()) {
            (false, _) => Validity::Invalid,
            (true, true) => Validity::Unknown,
            (true, false) => Validity::Valid,
        };
        prop_assert_eq!(verdict.valid, expected);
        // One value must explain all answers: the same question, asked the other way round.
        let explains = |value: i64| answers(&history).iter().all(|(answer, _)| {
            answer.value == value && proposed(&history, answer)
        });
        prop_assert_eq!(verdict.valid == Validity::Invalid, !(0..5).any(explains));
        // The events of an anomaly accuse by themselves.
        for anomaly in &verdict.anomalies {
            let kept: Vec<Op> = anomaly.events.iter().map(|index| history.ops()[*index as usize].clone()).collect();
            let alone = History::new(kept).expect("whole operations");
            prop_assert!(self::violated(&alone).contains(&anomaly.name.as_str()), "{anomaly:?}");
        }
    }

    #[test]
    fn keys_are_decrees_of_their_own(first in choices(10), second in choices(10)) {
        let one = decree(&first, 3);
        let two = decree(&second, 3);
        let mut ops = Vec::new();
        for (key, history, shift) in [("a", &one, 0), ("b", &two, 1000)] {
            ops.extend(history.ops().iter().map(|op| {
                let rashomon_core::Process::Client(process) = op.process else { panic!("no client") };
                let process = rashomon_core::Process::Client(process + shift);
                Op { key: Some(key.to_owned()), process, ..op.clone() }
            }));
        }
        let both = History::new(ops).expect("two histories side by side");
        let verdict = Consensus.check(&both, &Budget::unlimited());
        let mut expected: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (key, history) in [("a", &one), ("b", &two)] {
            for name in violated(history) {
                expected.entry(name).or_default().push(key);
            }
        }
        let mut accused: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for anomaly in &verdict.anomalies {
            accused.entry(&anomaly.name).or_default().push(anomaly.key.as_deref().unwrap_or_default());
        }
        prop_assert_eq!(accused, expected);
    }
}
