//! Histories of transactions, written by hand.

use rashomon_core::{History, Kind, Op, Process, Time, Value};
use serde_json::json;

/// The history that the text describes: a transaction a line, `process outcome micro-op...`.
///
/// `x+1` appends 1 to x, `x=1,2` reads [1 2] from x and `x=` the empty list; `x:=1` writes a register and `x==1` or `x==nil`
/// reads one. Transactions are concurrent, up to a line `--`: all above it end before those below begin,
/// but for those with the outcome `ok~`, which end last of all.
pub(crate) fn transactions(text: &str) -> History {
    let mut ops: Vec<Op> = Vec::new();
    let mut last = Vec::new();
    for block in text.split("--") {
        let mut ends = Vec::new();
        for line in block.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let mut words = line.split_whitespace();
            let process = words.next().unwrap().parse().unwrap_or_else(|_| panic!("{line}: no process"));
            let outcome = words.next();
            let kind = match outcome {
                Some("ok" | "ok~") => Kind::Ok,
                Some("fail") => Kind::Fail,
                Some("info") => Kind::Info,
                other => panic!("{line}: {other:?} is no outcome"),
            };
            let results: Vec<Value> = words.map(micro_op).collect();
            let asked = results.iter().map(|micro_op| match micro_op[0].as_str() {
                Some("r") => json!(["r", micro_op[1], null]),
                _ => micro_op.clone(),
            });
            ops.push(op(Kind::Invoke, process, asked.collect()));
            let value = if kind == Kind::Ok { results.into() } else { ops[ops.len() - 1].value.clone() };
            let ends = if outcome == Some("ok~") { &mut last } else { &mut ends };
            ends.push(op(kind, process, value));
        }
        ops.extend(ends);
    }
    ops.extend(last);
    History::new(ops).unwrap()
}

fn micro_op(word: &str) -> Value {
    let number = |text: &str| text.parse::<i64>().unwrap_or_else(|_| panic!("{word}: no number"));
    if let Some((key, value)) = word.split_once(":=") {
        json!(["w", key, number(value)])
    } else if let Some((key, value)) = word.split_once("==") {
        json!(["r", key, (value != "nil").then(|| number(value))])
    } else if let Some((key, value)) = word.split_once('+') {
        json!(["append", key, number(value)])
    } else if let Some((key, list)) = word.split_once('=') {
        let list: Vec<i64> = list.split(',').filter(|text| !text.is_empty()).map(number).collect();
        json!(["r", key, list])
    } else {
        panic!("{word}: no micro-op")
    }
}

pub(crate) fn op(kind: Kind, process: u64, value: Value) -> Op {
    Op {
        index: 0,
        time: Time::ZERO,
        kind,
        process: Process::Client(process),
        f: "txn".to_owned(),
        value,
        key: None,
        error: None,
        node: None,
    }
}
