//! The checkers of banks against their definitions, read literally, and against an oracle that tries every order.

mod histories;
mod oracle;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use proptest::prelude::*;
use rashomon_checkers::atomic_commitment::AtomicCommitment;
use rashomon_checkers::bank::{Bank, Opening};
use rashomon_checkers::linearizable::Linearizable;
use rashomon_checkers::{Budget, Checker, models};
use rashomon_core::history::Pair;
use rashomon_core::{History, Kind, Validity, Value};
use serde_json::json;

use histories::{Choice, cases, choices, observe};

const OPENING: Opening = Opening { accounts: 3, balance: 4 };

/// Each account's balance and transfers.
type Accounts = Vec<(i64, Vec<u64>)>;

fn tell(accounts: &Accounts) -> Value {
    let line = |(number, (balance, transfers)): (usize, &(i64, Vec<u64>))| {
        (number.to_string(), json!({"balance": balance, "transfers": transfers}))
    };
    Value::Object(accounts.iter().enumerate().map(line).collect())
}

/// What a read would be told by a bank that makes a mistake: it answers from how it was when it was asked, and then
/// leaves something out, adds something, or miscounts.
fn lie(accounts: &Accounts, one: u8, two: u8) -> Value {
    let mut accounts = accounts.clone();
    let place = usize::from(one) % accounts.len();
    let account = &mut accounts[place];
    match two % 8 {
        0 => drop(account.1.pop()),
        1 => account.0 += 1,
        2 => account.1.extend(account.1.first().copied()),
        3 => account.1.push(u64::from(one % 12) + 1),
        4 => account.0 = -1,
        5 => drop(accounts.pop()),
        // The old state as it was: a stale read.
        _ => {}
    }
    tell(&accounts)
}

fn history(ops: usize, choices: &[Choice]) -> History {
    let opening: Accounts = vec![(OPENING.balance, Vec::new()); OPENING.accounts as usize];
    let (now, last) = (RefCell::new(opening), Cell::new(0_u64));
    let act = |f: u8, one: u8, two: u8| {
        if f.is_multiple_of(2) {
            return ("read", Value::Null, lie(&now.borrow(), one, two));
        }
        last.set(last.get() + 1);
        let (from, step) = (one % 3, two % 2 + 1);
        let amount = i64::from(two / 2 % 2) + 1;
        (
            "transfer",
            json!({"id": last.get(), "from": from, "to": (from + step) % 3, "amount": amount}),
            Value::Null,
        )
    };
    observe(4, ops, choices, (), act, |(), f, argument| {
        let mut now = now.borrow_mut();
        if f == "read" {
            return tell(&now);
        }
        let account = |field: &str| usize::try_from(argument[field].as_u64().unwrap()).unwrap();
        let (id, amount) = (argument["id"].as_u64().unwrap(), argument["amount"].as_i64().unwrap());
        for (place, change) in [(account("from"), -amount), (account("to"), amount)] {
            now[place].0 += change;
            now[place].1.push(id);
        }
        argument.clone()
    })
}

/// The reads that succeeded, with the balance and the transfers of each account that they tell.
fn reads(history: &History) -> Vec<(Pair<'_>, Accounts)> {
    let line = |account: &Value| {
        let ids = account["transfers"].as_array().unwrap().iter().map(|id| id.as_u64().unwrap());
        (account["balance"].as_i64().unwrap(), ids.collect())
    };
    history
        .pairs()
        .filter(|pair| pair.invoke.f == "read" && pair.outcome() == Kind::Ok)
        .map(|pair| (pair, pair.completion.unwrap().value.as_object().unwrap().values().map(line).collect()))
        .collect()
}

fn done(pair: &Pair<'_>) -> u64 {
    pair.completion.map_or(u64::MAX, |op| op.index)
}

/// What the checker of atomic commitment counts, for each transfer by looking at every read.
fn fates(history: &History) -> Vec<(&'static str, u64)> {
    let reads = reads(history);
    let asked: Vec<Pair<'_>> = history.pairs().filter(|pair| pair.invoke.f == "transfer").collect();
    let named = |id: u64| asked.iter().find(|pair| pair.invoke.value["id"] == id);
    let told = reads.iter().flat_map(|(_, accounts)| accounts.iter().flat_map(|(_, ids)| ids.clone()));
    let ids: BTreeSet<u64> =
        asked.iter().map(|pair| pair.invoke.value["id"].as_u64().unwrap()).chain(told).collect();
    let mut counts = [
        ("shown", 0),
        ("resolved", 0),
        ("partial-visibility", 0),
        ("aborted-read", 0),
        ("lost-commit", 0),
        ("reversed-decision", 0),
        ("phantom-transfer", 0),
        ("duplicate-effect", 0),
        ("misplaced-effect", 0),
    ];
    for id in ids {
        let times = |accounts: &Accounts, account: usize| {
            accounts.get(account).map_or(0, |(_, ids)| ids.iter().filter(|one| **one == id).count())
        };
        let tells = |accounts: &Accounts| (0..accounts.len()).any(|account| times(accounts, account) > 0);
        let showing = || reads.iter().filter(|(_, accounts)| tells(accounts));
        let outcome = named(id).map(Pair::outcome);
        let sides: Vec<usize> = named(id)
            .map(|pair| ["from", "to"].map(|side| pair.invoke.value[side].as_u64().unwrap() as usize))
            .into_iter()
            .flatten()
            .collect();
        let acknowledged = named(id).filter(|pair| pair.outcome() == Kind::Ok);
        let known = acknowledged.into_iter().chain(showing().map(|(read, _)| read)).map(done).min();
        let lost = reads.iter().any(|(read, accounts)| {
            known.is_some_and(|known| read.invoke.index > known)
                && !tells(accounts)
                && !showing().any(|(other, _)| done(other) > read.invoke.index)
        });
        let partial = showing().any(|(_, accounts)| {
            let there = sides.iter().filter(|side| times(accounts, **side) > 0).count();
            there == 1
        });
        let misplaced = showing().any(|(_, accounts)| {
            !sides.is_empty()
                && (0..accounts.len())
                    .any(|account| times(accounts, account) > 0 && !sides.contains(&account))
        });
        let twice =
            showing().any(|(_, accounts)| (0..accounts.len()).any(|account| times(accounts, account) > 1));
        let early = showing().any(|(read, _)| named(id).is_none_or(|pair| pair.invoke.index > done(read)));
        let shown = showing().count() > 0;
        for (place, yes) in [
            shown,
            shown && outcome == Some(Kind::Info),
            partial,
            shown && outcome == Some(Kind::Fail),
            lost && outcome == Some(Kind::Ok),
            lost && outcome != Some(Kind::Ok),
            early,
            twice,
            misplaced,
        ]
        .into_iter()
        .enumerate()
        {
            counts[place].1 += u64::from(yes);
        }
    }
    counts.to_vec()
}

/// How often each fault is in a read, by adding up.
fn faults(history: &History) -> Vec<(&'static str, u64)> {
    let mut counts =
        [("wrong-accounts", 0), ("wrong-total", 0), ("negative-balance", 0), ("wrong-balance", 0)];
    for (_, accounts) in reads(history) {
        let all = accounts.len() == 3;
        counts[0].1 += u64::from(!all);
        counts[1].1 += u64::from(all && accounts.iter().map(|(balance, _)| balance).sum::<i64>() != 12);
        for (number, (balance, ids)) in accounts.iter().enumerate() {
            counts[2].1 += u64::from(*balance < 0);
            let mut expected = Some(4);
            for id in ids {
                let op = history.pairs().find(|pair| pair.invoke.value["id"] == *id);
                expected = expected.zip(op).map(|(sum, op)| {
                    let value = &op.invoke.value;
                    let side =
                        |side: &str| i64::from(value[side] == number) * value["amount"].as_i64().unwrap();
                    sum - side("from") + side("to")
                });
            }
            counts[3].1 += u64::from(expected.is_some_and(|expected| expected != *balance));
        }
    }
    counts.to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(4000), ..ProptestConfig::default() })]

    #[test]
    fn every_transfer_has_the_fates_of_their_definitions(choices in choices(16)) {
        let history = history(16, &choices);
        let verdict = AtomicCommitment.check(&history, &Budget::unlimited());
        let expected = fates(&history);
        for (name, count) in &expected {
            prop_assert_eq!(verdict.stats[*name].as_u64(), Some(*count), "{}", name);
        }
        let wrong = expected[2..].iter().any(|(_, count)| *count > 0);
        let judged = match (wrong, expected[0].1) {
            (true, _) => Validity::Invalid,
            (false, 0) => Validity::Unknown,
            (false, _) => Validity::Valid,
        };
        prop_assert_eq!(verdict.valid, judged);
        for anomaly in &verdict.anomalies {
            prop_assert!(!anomaly.events.is_empty() && !anomaly.because.is_empty());
        }
    }

    #[test]
    fn every_read_has_the_faults_that_adding_up_finds(choices in choices(16)) {
        let history = history(16, &choices);
        let verdict = Bank::new(OPENING).check(&history, &Budget::unlimited());
        if reads(&history).is_empty() {
            prop_assert_eq!(verdict.valid, Validity::Unknown);
            return Ok(());
        }
        let expected = faults(&history);
        for (name, count) in &expected {
            prop_assert_eq!(verdict.stats["faults"][*name].as_u64().unwrap_or(0), *count, "{}", name);
        }
        let wrong = expected.iter().any(|(_, count)| *count > 0);
        prop_assert_eq!(verdict.valid, if wrong { Validity::Invalid } else { Validity::Valid });
    }

    #[test]
    fn whoever_is_linearizable_is_accused_by_nobody(choices in choices(16)) {
        let history = history(16, &choices);
        let judge = |checker: &dyn Checker| checker.check(&history, &Budget::unlimited()).valid;
        if judge(&Linearizable::new(models::Bank::new(OPENING))) == Validity::Valid {
            prop_assert_ne!(judge(&AtomicCommitment), Validity::Invalid);
            prop_assert_ne!(judge(&Bank::new(OPENING)), Validity::Invalid);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(1500), ..ProptestConfig::default() })]

    #[test]
    fn a_bank_is_linearizable_if_some_order_explains_it(choices in choices(8)) {
        let model = models::Bank::new(OPENING);
        oracle::agree(&Linearizable::new(model.clone()), &model, &history(8, &choices))?;
    }

    #[test]
    fn a_bank_that_answers_at_random_is_linearizable_if_some_order_explains_it(choices in choices(5)) {
        let model = models::Bank::new(OPENING);
        let last = Cell::new(0_u64);
        let act = |f: u8, one: u8, two: u8| {
            if f.is_multiple_of(2) {
                let mut accounts: Accounts = vec![(OPENING.balance, Vec::new()); 3];
                if one.is_multiple_of(2) {
                    accounts[0] = (3, vec![1]);
                    accounts[1] = (5, vec![1]);
                }
                return ("read", Value::Null, if two < 32 { lie(&accounts, one, two) } else { tell(&accounts) });
            }
            last.set(last.get() + 1);
            ("transfer", json!({"id": last.get(), "from": 0, "to": 1 + one % 2, "amount": 1}), Value::Null)
        };
        let history = oracle::build(3, 5, &choices, act);
        oracle::agree(&Linearizable::new(model.clone()), &model, &history)?;
    }
}
