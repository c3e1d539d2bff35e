//! The levels of transactions over lists, against an oracle that tries every order and every visibility.

mod executions;
mod transactions;
mod witnesses;

use proptest::prelude::*;
use rashomon_checkers::isolation::{Isolation, ListAppend};
use rashomon_checkers::{Budget, Checker};
use rashomon_core::{History, Kind, Value};
use serde_json::json;

use executions::{Data, KEYS, Transaction, cases, explained, parse};
use transactions::{op, transactions};
use witnesses::witnessed;

/// A micro-op as the oracle sees it.
#[derive(Clone, Debug)]
enum MicroOp {
    Append(usize, i64),
    Read(usize, Option<Vec<i64>>),
}

fn appends(transaction: &Transaction<MicroOp>, key: usize) -> impl Iterator<Item = i64> {
    transaction.micro_ops.iter().filter_map(move |micro_op| match micro_op {
        MicroOp::Append(other, value) if *other == key => Some(*value),
        _ => None,
    })
}

/// The list of a key that the transaction at a place leaves, and all before it in the order.
fn list(order: &[&Transaction<MicroOp>], key: usize, through: Option<usize>) -> Vec<i64> {
    let count = through.map_or(0, |place| place + 1);
    order[..count].iter().flat_map(|transaction| appends(transaction, key)).collect()
}

/// Whether every read of a transaction is right, given what the transaction appended to the key before.
fn reads(transaction: &Transaction<MicroOp>, mut right: impl FnMut(usize, &[i64], &[i64]) -> bool) -> bool {
    let mut own: Vec<(usize, i64)> = Vec::new();
    transaction.micro_ops.iter().all(|micro_op| match micro_op {
        MicroOp::Append(key, value) => {
            own.push((*key, *value));
            true
        }
        MicroOp::Read(_, None) => true,
        MicroOp::Read(key, Some(list)) => {
            let own: Vec<i64> =
                own.iter().filter(|(other, _)| other == key).map(|(_, value)| *value).collect();
            right(*key, list, &own)
        }
    })
}

impl Data for MicroOp {
    fn parse(verb: &str, key: usize, argument: &Value) -> MicroOp {
        if verb == "append" {
            return MicroOp::Append(key, argument.as_i64().unwrap());
        }
        let list = argument.as_array().map(|list| list.iter().map(|one| one.as_i64().unwrap()).collect());
        MicroOp::Read(key, list)
    }

    fn writes(&self, key: usize) -> bool {
        matches!(self, MicroOp::Append(other, _) if *other == key)
    }

    fn snapshots(order: &[&Transaction<MicroOp>], visible: &[u32]) -> bool {
        (0..order.len()).all(|place| {
            reads(order[place], |key, shown, own| {
                let seen = |other: &usize| visible[place] >> other & 1 == 1 && order[*other].writes(key);
                let writer = (0..place).rev().find(seen);
                // After an append of its own it sees the version that it installs, which is after all before it.
                let installed = (0..place).rev().find(|other| order[*other].writes(key));
                (own.is_empty() || writer == installed)
                    && shown == [&list(order, key, writer)[..], own].concat()
            })
        })
    }

    fn committed(order: &[&Transaction<MicroOp>]) -> bool {
        (0..order.len()).all(|place| {
            reads(order[place], |key, shown, own| {
                let installed = list(order, key, place.checked_sub(1));
                let writers = (0..place).filter(|other| order[*other].writes(key)).map(Some);
                (1..=own.len()).any(|count| shown == [&installed[..], &own[..count]].concat())
                    || writers.chain([None]).any(|writer| shown == list(order, key, writer))
            })
        })
    }

    /// Every list, without what was taken back, is a beginning of the order of appends, wherever it is cut.
    fn uncommitted(order: &[&Transaction<MicroOp>], all: &[Transaction<MicroOp>]) -> bool {
        let failed = |key: usize, value: i64| {
            all.iter().any(|one| one.kind == Kind::Fail && appends(one, key).any(|other| other == value))
        };
        order.iter().all(|transaction| {
            reads(transaction, |key, shown, _| {
                let mut sorted = shown.to_vec();
                sorted.sort_unstable();
                let kept: Vec<i64> = shown.iter().copied().filter(|value| !failed(key, *value)).collect();
                sorted.windows(2).all(|pair| pair[0] != pair[1])
                    && list(order, key, order.len().checked_sub(1)).starts_with(&kept)
            })
        })
    }
}

#[test]
fn the_oracle_knows_the_famous_histories() {
    for (text, holds, violated) in [
        ("0 ok x= y+1\n1 ok y= x+2", "strong-snapshot-isolation", "serializable"),
        ("0 ok x+1\n1 ok y+1\n2 ok x=1 y=\n3 ok x= y=1", "parallel-snapshot-isolation", "prefix"),
        ("0 ok x= x+1\n1 ok x= x+2", "prefix", "parallel-snapshot-isolation"),
        ("0 ok x+1 y+1\n1 ok x=1 y=", "read-committed", "read-atomic"),
        ("0 ok x+1\n--\n1 ok x=", "strong-session-serializable", "strong-read-atomic"),
        ("0 fail x+1\n1 ok x=1", "strong-read-uncommitted", "read-committed"),
        ("0 ok x+1 x+2\n1 ok x=1", "strong-read-uncommitted", "read-committed"),
        ("0 ok x+1\n--\n1 ok x+2\n2 ok x=2,1", "strong-session-serializable", "strong-read-uncommitted"),
    ] {
        let history = transactions(text);
        assert!(explained(&parse::<MicroOp>(&history), holds.parse().unwrap()), "{holds} of {text}");
        assert!(!explained(&parse::<MicroOp>(&history), violated.parse().unwrap()), "{violated} of {text}");
    }
}

type Choice = (u8, u8, u8);

/// A history of a database that is wrong in many ways: each transaction works on a snapshot that may be old, each read may
/// be older or newer, each append may come in the middle.
fn history(choices: &[Choice]) -> History {
    let mut choices = choices.iter().copied();
    let mut draw = move || choices.next().unwrap_or_default();
    let mut lists: Vec<Vec<i64>> = vec![Vec::new(); KEYS];
    let mut ops = Vec::new();
    let mut open: Vec<(u64, Kind, Vec<Value>, Vec<Value>)> = Vec::new();
    let mut next = 0;
    let (size, lies, clients) = draw();
    for number in 0..2 + u64::from(size % 3) {
        let (who, end, count) = draw();
        let process = u64::from(who) % (1 + u64::from(clients % 4));
        // A client's last transaction ends before its next begins; others end now and then.
        let ends = |one: &(u64, Kind, Vec<Value>, Vec<Value>)| one.0 == process || end / 16 % 3 == 0;
        let (closed, rest): (Vec<_>, Vec<_>) = open.into_iter().partition(ends);
        open = rest;
        for (process, kind, asked, results) in closed {
            ops.push(op(kind, process, if kind == Kind::Ok { results } else { asked }.into()));
        }
        let kind = match end % 16 {
            0 => Kind::Fail,
            1 | 2 => Kind::Info,
            _ => Kind::Ok,
        };
        let snapshot = lists.clone();
        let (mut asked, mut results) = (Vec::new(), Vec::new());
        let mut own: Vec<Vec<i64>> = vec![Vec::new(); KEYS];
        for _ in 0..=count % 3 {
            let (what, key, how) = draw();
            let key = usize::from(key) % KEYS;
            if what % 2 == 0 {
                next += 1;
                let micro_op = json!(["append", key, next]);
                own[key].push(next);
                let wrong = how % 16 == 0 && lies % 2 == 0 && !lists[key].is_empty();
                if kind != Kind::Fail || how % 8 == 1 {
                    let place = if wrong { lists[key].len() - 1 } else { lists[key].len() };
                    lists[key].insert(place, next);
                }
                asked.push(micro_op.clone());
                results.push(micro_op);
            } else {
                let mut list = snapshot[key].clone();
                match how % 8 {
                    // Older, by one or more.
                    0 => drop(list.pop()),
                    1 => list.truncate(list.len() / 2),
                    // As it is now, own appends and others' among it.
                    2 => list.clone_from(&lists[key]),
                    3 if lies % 4 == 1 => list.reverse(),
                    4 if lies % 8 == 3 => list.push(99),
                    5 if lies % 8 == 5 => list.extend(list.first().copied()),
                    _ => {}
                }
                if how % 8 != 2 {
                    list.extend(&own[key]);
                }
                if lies % 4 == 2 && how / 8 % 8 == 0 {
                    list.push(next + 1);
                }
                asked.push(json!(["r", key, null]));
                results.push(json!(["r", key, list]));
            }
        }
        ops.push(op(
            Kind::Invoke,
            process + 100 * number * u64::from(kind == Kind::Info),
            asked.clone().into(),
        ));
        open.push((process + 100 * number * u64::from(kind == Kind::Info), kind, asked, results));
    }
    for (process, kind, asked, results) in open {
        ops.push(op(kind, process, if kind == Kind::Ok { results } else { asked }.into()));
    }
    History::new(ops).unwrap()
}

/// Whether the verdict on every level is that of the oracle, or unknown where it may be.
fn compare(history: &History) -> Result<(), TestCaseError> {
    let verdict = ListAppend::default().check(history, &Budget::unlimited());
    verdict.anomalies.iter().for_each(|anomaly| witnessed(history, anomaly));
    // Then the order of some appends, or of all, is not known.
    let incompatible = || verdict.stats["anomalies"].get("incompatible-order").is_some();
    executions::compare::<MicroOp>(&verdict, history, |level| {
        matches!(level.isolation, Isolation::ParallelSnapshot | Isolation::Snapshot) || incompatible()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(3000), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn levels_agree_with_the_oracle(choices in proptest::collection::vec(any::<Choice>(), 8..24)) {
        compare(&history(&choices))?;
    }
}
