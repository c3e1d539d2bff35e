//! The levels of transactions over registers, against an oracle that tries every order and every visibility.
//!
//! The order of writes does not show, so the checker may say that it does not know; what it says must be so, whatever the
//! order of writes was.

mod executions;
mod transactions;

use proptest::prelude::*;
use rashomon_checkers::isolation::{Isolation, RwRegister};
use rashomon_checkers::{Budget, Checker};
use rashomon_core::{History, Kind, Value};
use serde_json::json;

use executions::{Data, KEYS, Transaction, cases, explained, parse};
use transactions::{op, transactions};

/// A micro-op as the oracle sees it.
#[derive(Clone, Debug)]
enum MicroOp {
    Write(usize, i64),
    Read(usize, Option<i64>),
}

/// What a transaction writes to a key last.
fn last_write(transaction: &Transaction<MicroOp>, key: usize) -> Option<i64> {
    transaction.micro_ops.iter().rev().find_map(|micro_op| match micro_op {
        MicroOp::Write(other, value) if *other == key => Some(*value),
        _ => None,
    })
}

/// Whether every read of a transaction that ended is right, given what it wrote to the key before.
fn reads(
    transaction: &Transaction<MicroOp>,
    mut right: impl FnMut(usize, Option<i64>, &[i64]) -> bool,
) -> bool {
    let mut own: Vec<(usize, i64)> = Vec::new();
    transaction.micro_ops.iter().all(|micro_op| match micro_op {
        MicroOp::Write(key, value) => {
            own.push((*key, *value));
            true
        }
        MicroOp::Read(..) if transaction.kind != Kind::Ok => true,
        MicroOp::Read(key, value) => {
            let own: Vec<i64> =
                own.iter().filter(|(other, _)| other == key).map(|(_, value)| *value).collect();
            right(*key, *value, &own)
        }
    })
}

impl Data for MicroOp {
    fn parse(verb: &str, key: usize, argument: &Value) -> MicroOp {
        match verb {
            "w" => MicroOp::Write(key, argument.as_i64().unwrap()),
            _ => MicroOp::Read(key, argument.as_i64()),
        }
    }

    fn writes(&self, key: usize) -> bool {
        matches!(self, MicroOp::Write(other, _) if *other == key)
    }

    fn snapshots(order: &[&Transaction<MicroOp>], visible: &[u32]) -> bool {
        (0..order.len()).all(|place| {
            reads(order[place], |key, shown, own| {
                let seen = |other: &usize| visible[place] >> other & 1 == 1 && order[*other].writes(key);
                let writer = (0..place).rev().find(seen);
                shown == own.last().copied().or_else(|| last_write(order[writer?], key))
            })
        })
    }

    fn committed(order: &[&Transaction<MicroOp>]) -> bool {
        (0..order.len()).all(|place| {
            reads(order[place], |key, shown, own| match shown {
                None => true,
                Some(value) => {
                    own.contains(&value)
                        || (0..place).any(|other| last_write(order[other], key) == Some(value))
                }
            })
        })
    }

    /// Every value was written by somebody. Who wrote what when is not to be seen.
    fn uncommitted(order: &[&Transaction<MicroOp>], all: &[Transaction<MicroOp>]) -> bool {
        let written = |key: usize, value: i64| {
            all.iter().flat_map(|one| &one.micro_ops).any(
                |micro_op| matches!(micro_op, MicroOp::Write(other, written) if (*other, *written) == (key, value)),
            )
        };
        order.iter().all(|transaction| {
            reads(transaction, |key, shown, _| shown.is_none_or(|value| written(key, value)))
        })
    }
}

#[test]
fn the_oracle_knows_the_famous_histories() {
    for (text, holds, violated) in [
        ("0 ok x==nil y:=1\n1 ok y==nil x:=2", "strong-snapshot-isolation", "serializable"),
        ("0 ok x:=1\n1 ok y:=1\n2 ok x==1 y==nil\n3 ok x==nil y==1", "parallel-snapshot-isolation", "prefix"),
        ("0 ok x==nil x:=1\n1 ok x==nil x:=2", "prefix", "parallel-snapshot-isolation"),
        ("0 ok x:=1 y:=1\n1 ok x==1 y==nil", "read-committed", "read-atomic"),
        ("0 ok x:=1\n--\n1 ok x==nil", "strong-session-serializable", "strong-read-atomic"),
        ("0 ok x:=1 x:=2\n1 ok x==1", "strong-read-uncommitted", "read-committed"),
        (
            "0 ok x:=1\n1 ok x:=2\n--\n2 ok x==1\n--\n2 ok x==2\n--\n2 ok x==1",
            "serializable",
            "strong-session-causal",
        ),
    ] {
        let history = transactions(text);
        assert!(explained(&parse::<MicroOp>(&history), holds.parse().unwrap()), "{holds} of {text}");
        assert!(!explained(&parse::<MicroOp>(&history), violated.parse().unwrap()), "{violated} of {text}");
    }
}

type Choice = (u8, u8, u8);

/// A history of a database that is wrong in many ways: each transaction works on a snapshot that may be old, each read may
/// be older, or of what others have not committed.
fn history(choices: &[Choice]) -> History {
    let mut choices = choices.iter().copied();
    let mut draw = move || choices.next().unwrap_or_default();
    let mut versions: Vec<Vec<Option<i64>>> = vec![vec![None]; KEYS];
    let mut ops = Vec::new();
    let mut open: Vec<(u64, Kind, Vec<Value>, Vec<Value>)> = Vec::new();
    let mut next = 0;
    let (size, lies, clients) = draw();
    for number in 0..2 + u64::from(size % 3) {
        let (who, end, count) = draw();
        let kind = match end % 16 {
            0 => Kind::Fail,
            1 | 2 => Kind::Info,
            _ => Kind::Ok,
        };
        let client = u64::from(who) % (1 + u64::from(clients % 4));
        // A client's last transaction ends before its next begins; others end now and then.
        let ends = |one: &(u64, Kind, Vec<Value>, Vec<Value>)| one.0 == client || end / 16 % 3 == 0;
        let (closed, rest): (Vec<_>, Vec<_>) = open.into_iter().partition(ends);
        open = rest;
        for (process, kind, asked, results) in closed {
            ops.push(op(kind, process, if kind == Kind::Ok { results } else { asked }.into()));
        }
        let snapshot: Vec<usize> = versions.iter().map(|versions| versions.len() - 1).collect();
        let (mut asked, mut results) = (Vec::new(), Vec::new());
        let mut own: Vec<Option<i64>> = vec![None; KEYS];
        for _ in 0..=count % 3 {
            let (what, key, how) = draw();
            let key = usize::from(key) % KEYS;
            if what % 2 == 0 {
                next += 1;
                own[key] = Some(next);
                if kind != Kind::Fail || how % 8 == 1 {
                    versions[key].push(Some(next));
                }
                asked.push(json!(["w", key, next]));
                results.push(json!(["w", key, next]));
            } else {
                let list = &versions[key];
                let value = match how % 8 {
                    0 => list[snapshot[key].saturating_sub(1)],
                    1 => list[snapshot[key] / 2],
                    2 => list[list.len() - 1],
                    3 if lies % 4 == 1 => list[usize::from(how / 8) % list.len()],
                    4 if lies % 8 == 3 => Some(99),
                    5 if lies % 8 == 5 => Some(next + 1),
                    _ => own[key].or(list[snapshot[key]]),
                };
                asked.push(json!(["r", key, null]));
                results.push(json!(["r", key, value]));
            }
        }
        let process = client + 100 * number * u64::from(kind == Kind::Info);
        ops.push(op(Kind::Invoke, process, asked.clone().into()));
        open.push((process, kind, asked, results));
    }
    for (process, kind, asked, results) in open {
        ops.push(op(kind, process, if kind == Kind::Ok { results } else { asked }.into()));
    }
    History::new(ops).unwrap()
}

/// Whether what the verdict says of every level is so.
fn compare(history: &History) -> Result<(), TestCaseError> {
    let verdict = RwRegister::default().check(history, &Budget::unlimited());
    // Only these are not decided where there is neither a known cycle nor an order of all.
    let open = [Isolation::Prefix, Isolation::ParallelSnapshot, Isolation::Snapshot];
    executions::compare::<MicroOp>(&verdict, history, |level| open.contains(&level.isolation))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(3000), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_said_of_levels_is_so(choices in proptest::collection::vec(any::<Choice>(), 8..24)) {
        compare(&history(&choices))?;
    }
}
