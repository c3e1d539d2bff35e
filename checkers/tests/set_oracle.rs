//! The checker of sets against its definitions, read literally: every element against every read.

mod histories;

use std::collections::BTreeSet;

use proptest::prelude::*;
use rashomon_checkers::set::Set;
use rashomon_checkers::{Budget, Checker};
use rashomon_core::history::Pair;
use rashomon_core::{History, Kind, Validity, Value};
use serde_json::json;

use histories::{cases, choices, observe};

#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    stable: u64,
    lost: u64,
    never_read: u64,
    stale: u64,
    phantom: u64,
    duplicate: u64,
    recovered: u64,
}

fn done(pair: &Pair<'_>) -> u64 {
    pair.completion.map_or(u64::MAX, |op| op.index)
}

fn count(history: &History) -> Counts {
    let adds: Vec<Pair<'_>> = history.pairs().filter(|pair| pair.invoke.f == "add").collect();
    let reads: Vec<(Pair<'_>, Vec<u64>)> = history
        .pairs()
        .filter(|pair| pair.invoke.f == "read" && pair.outcome() == Kind::Ok)
        .map(|pair| {
            let list = pair.completion.unwrap().value.as_array().unwrap();
            (pair, list.iter().map(|value| value.as_u64().unwrap()).collect())
        })
        .collect();
    let added = adds.iter().map(|add| add.invoke.value.as_u64().unwrap());
    let all: BTreeSet<u64> = added.chain(reads.iter().flat_map(|(_, list)| list.clone())).collect();
    let mut counts = Counts::default();
    for element in all {
        let mine = || adds.iter().filter(|add| add.invoke.value == element);
        let showing = || reads.iter().filter(|(_, list)| list.contains(&element)).map(|(read, _)| read);
        let known = mine()
            .filter(|add| add.outcome() == Kind::Ok)
            .chain(showing())
            .map(done)
            .min()
            .unwrap_or(u64::MAX);
        let missing = || {
            reads
                .iter()
                .filter(|(read, list)| read.invoke.index > known && !list.contains(&element))
                .map(|(read, _)| read.invoke.index)
        };
        // Lost: some read that began after it was known lacks it, and no read that ended later shows it.
        let lost = missing().any(|began| !showing().any(|read| done(read) > began));
        let shown = showing().count() > 0;
        counts.lost += u64::from(lost);
        counts.stable += u64::from(!lost && shown);
        counts.never_read += u64::from(!lost && !shown);
        counts.stale += u64::from(!lost && shown && missing().count() > 0);
        let explained =
            |read: &Pair<'_>| mine().any(|add| add.outcome() != Kind::Fail && add.invoke.index < done(read));
        counts.phantom += u64::from(showing().any(|read| !explained(read)));
        let acknowledged = mine().any(|add| add.outcome() == Kind::Ok);
        counts.recovered += u64::from(shown && !acknowledged && !showing().any(|read| !explained(read)));
        let twice = |list: &Vec<u64>| list.iter().filter(|one| **one == element).count() > 1;
        counts.duplicate += u64::from(reads.iter().any(|(_, list)| twice(list)));
    }
    counts
}

fn act(f: u8, one: u8, two: u8) -> (&'static str, Value, Value) {
    if f.is_multiple_of(3) {
        let mut list: Vec<u8> = (0..6).filter(|bit| one >> bit & 1 == 1).collect();
        list.extend(list.first().copied().filter(|_| two.is_multiple_of(4)));
        ("read", Value::Null, json!(list))
    } else {
        ("add", json!(one % 6), Value::Null)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(4000), ..ProptestConfig::default() })]

    #[test]
    fn every_element_has_the_fate_of_its_definition(choices in choices(16)) {
        let history = observe(4, 16, &choices, Vec::<Value>::new(), act, |state, f, argument| {
            if f == "add" && !state.contains(argument) {
                state.push(argument.clone());
            }
            json!(state)
        });
        let verdict = Set::default().check(&history, &Budget::unlimited());
        let reads = history.pairs().filter(|pair| pair.invoke.f == "read" && pair.outcome() == Kind::Ok);
        if reads.count() == 0 {
            prop_assert_eq!(verdict.valid, Validity::Unknown);
            return Ok(());
        }
        let counts = count(&history);
        let counted = |name: &str| verdict.stats[name].as_u64().unwrap();
        prop_assert_eq!(&counts, &Counts {
            stable: counted("stable"),
            lost: counted("lost"),
            never_read: counted("never_read"),
            stale: counted("stale"),
            phantom: counted("phantom"),
            duplicate: counted("duplicate"),
            recovered: counted("recovered"),
        });
        let wrong = counts.lost + counts.phantom + counts.duplicate;
        let expected = match (wrong, counts.stable) {
            (1.., _) => Validity::Invalid,
            (0, 0) => Validity::Unknown,
            (0, _) => Validity::Valid,
        };
        prop_assert_eq!(verdict.valid, expected);
        let strict = Set::linearizable().check(&history, &Budget::unlimited()).valid;
        prop_assert_eq!(strict == Validity::Invalid, wrong + counts.stale > 0);
        for anomaly in &verdict.anomalies {
            prop_assert!(!anomaly.events.is_empty());
        }
    }
}
