//! Transactions of sessions, whose order in time is not known: what Plume, dbcop and Cobra record.
//!
//! They write and read registers. Of two sessions nothing is known but what reads show, so a history made of them says
//! nothing of real time, and is judged without.

use std::collections::BTreeSet;

use rashomon_core::{History, HistoryError, Kind, Op, Process, Time, Value};
use serde_json::json;

/// What a reader of a verdict on such a history should know.
pub(super) const UNTIMED: &str =
    "the file says nothing of real time: only the order of each session is known";

/// What gets lost where it is written in a format whose order of events is that of real time.
pub(super) const ORDER: &str = "that the order of its events is not that of real time";

/// A read or a write of a register.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Access {
    Write { key: Value, value: Value },
    Read { key: Value, value: Value },
}

/// One transaction of a session.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Transaction {
    /// Whether it happened: yes, no, or not known.
    pub(super) kind: Kind,
    pub(super) accesses: Vec<Access>,
}

/// The sessions of a file, in the order in which they appear there.
pub(super) type Sessions = Vec<Vec<Transaction>>;

/// Takes a value for nothing wherever no transaction writes it: formats have one that stands for what was there before the
/// first write.
pub(super) fn read_as_nothing(sessions: &mut Sessions, nothing: &Value) {
    let written: BTreeSet<String> = accesses(sessions)
        .filter_map(|access| match access {
            Access::Write { key, value } if value == nothing => Some(key.to_string()),
            Access::Write { .. } | Access::Read { .. } => None,
        })
        .collect();
    let all = sessions.iter_mut().flatten().flat_map(|transaction| &mut transaction.accesses);
    for access in all {
        if let Access::Read { key, value } = access
            && value == nothing
            && !written.contains(&key.to_string())
        {
            *value = Value::Null;
        }
    }
}

fn accesses(sessions: &Sessions) -> impl Iterator<Item = &Access> {
    sessions.iter().flatten().flat_map(|transaction| &transaction.accesses)
}

/// The history of these sessions. Each is a process; the first transactions of all are concurrent, then the second, and
/// so on.
pub(super) fn history(sessions: &Sessions) -> Result<History, HistoryError> {
    let rounds = sessions.iter().map(Vec::len).max().unwrap_or(0);
    if rounds == 0 {
        return Err(HistoryError::at(1, "there is no transaction; there is nothing to judge"));
    }
    let mut ops: Vec<Op> = Vec::new();
    for round in 0..rounds {
        let mut process = 0..;
        let current: Vec<(u64, &Transaction)> =
            sessions.iter().filter_map(|session| Some((process.next()?, session.get(round)?))).collect();
        for ends in [false, true] {
            for (process, transaction) in &current {
                let kind = if ends { transaction.kind } else { Kind::Invoke };
                let value = micro_ops(transaction, kind == Kind::Ok);
                let index = ops.len() as u64;
                ops.push(Op {
                    index,
                    time: Time(index),
                    kind,
                    process: Process::Client(*process),
                    f: "txn".to_owned(),
                    value,
                    key: None,
                    error: None,
                    node: None,
                });
            }
        }
    }
    History::new(ops)
}

/// What a transaction asked, or with what it found.
fn micro_ops(transaction: &Transaction, found: bool) -> Value {
    let micro_op = |access: &Access| match access {
        Access::Write { key, value } => json!(["w", key, value]),
        Access::Read { key, value } if found => json!(["r", key, value]),
        Access::Read { key, .. } => json!(["r", key, null]),
    };
    transaction.accesses.iter().map(micro_op).collect()
}
