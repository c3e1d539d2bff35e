//! The transactions of a history, one after another, and in which order they happened.

use std::collections::BTreeMap;

use rashomon_core::{History, Kind, Op, Process, Value};

use super::graph::{Class, Edges};
use crate::Budget;

/// One transaction: where it stands in the history, and how it ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transaction {
    pub(super) process: u64,
    pub(super) invoke: u64,
    pub(super) completion: Option<u64>,
    pub(super) outcome: Kind,
}

/// The verb of a micro-op.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Append,
    Write,
    Read,
}

/// The parts of a micro-op, `[verb, key, value]`.
pub(super) fn micro_op(value: &Value) -> Result<(Verb, &Value, &Value), String> {
    let Some([verb, key, argument]) = value.as_array().map(Vec::as_slice) else {
        return Err(format!("{value} is no micro-op `[f, key, value]`"));
    };
    let verb = match verb.as_str() {
        Some("append") => Verb::Append,
        Some("w") => Verb::Write,
        Some("r") => Verb::Read,
        _ => return Err(format!("{verb} is none of the micro-ops append, w and r")),
    };
    Ok((verb, key, argument))
}

/// All transactions, and the orders between them that the history itself shows.
#[derive(Debug, Default)]
pub(super) struct Transactions {
    pub(super) list: Vec<Transaction>,
    pub(super) edges: Edges,
    /// The barrier that transactions invoked now come after, and whether one does.
    barrier: Option<(u32, bool)>,
    /// The last transaction of each process that ended ok.
    last: BTreeMap<u64, u32>,
}

impl Transactions {
    /// Goes through a history. `each` takes a transaction's number, how it ended, and its micro-ops: with results when
    /// it ended `ok`, else as it was invoked. Errors of `each` are told with the event at which they arose.
    pub(super) fn follow(
        history: &History,
        budget: &Budget<'_>,
        mut each: impl FnMut(u32, Kind, &[Value]) -> Result<(), String>,
    ) -> Result<Transactions, String> {
        let mut transactions = Transactions::default();
        let mut open: BTreeMap<u64, (u32, &Op)> = BTreeMap::new();
        for op in history.ops() {
            if op.index.is_multiple_of(512) && (budget.expired)() {
                return Err("time budget exhausted".to_owned());
            }
            let Process::Client(process) = op.process else { continue };
            if op.kind == Kind::Invoke {
                open.insert(process, (transactions.invoke(process, op.index), op));
                continue;
            }
            let Some((number, invoke)) = open.remove(&process) else { continue };
            let source = if op.kind == Kind::Ok { op } else { invoke };
            let list = list_of(source)?;
            if op.kind == Kind::Ok && list.len() != list_of(invoke)?.len() {
                return Err(format!(
                    "event {}: the transaction ended with other micro-ops than it began with",
                    op.index
                ));
            }
            each(number, op.kind, list).map_err(|reason| format!("event {}: {reason}", source.index))?;
            transactions.complete(number, op.kind, op.index);
        }
        for (number, invoke) in open.into_values() {
            let list = list_of(invoke)?;
            each(number, Kind::Info, list).map_err(|reason| format!("event {}: {reason}", invoke.index))?;
        }
        Ok(transactions)
    }

    /// A transaction begins: after the last barrier, and so after all that ended before it.
    fn invoke(&mut self, process: u64, index: u64) -> u32 {
        let number = self.list.len() as u32;
        self.list.push(Transaction { process, invoke: index, completion: None, outcome: Kind::Info });
        if let Some((barrier, used)) = &mut self.barrier {
            self.edges.add(*barrier, number, Class::LINK);
            *used = true;
        }
        if let Some(last) = self.last.get(&process) {
            self.edges.add(*last, number, Class::PROCESS);
        }
        number
    }

    /// A transaction ends: before the barrier, which must be a new one if something comes after the last already.
    fn complete(&mut self, number: u32, outcome: Kind, index: u64) {
        let transaction = &mut self.list[number as usize];
        (transaction.outcome, transaction.completion) = (outcome, Some(index));
        if outcome != Kind::Ok {
            return;
        }
        let barrier = match self.barrier {
            Some((barrier, false)) => barrier,
            before => {
                let barrier = self.edges.link();
                if let Some((before, _)) = before {
                    self.edges.add(before, barrier, Class::LINK);
                }
                self.barrier = Some((barrier, false));
                barrier
            }
        };
        self.edges.add(number, barrier, Class::REALTIME);
        self.last.insert(self.list[number as usize].process, number);
    }
}

fn list_of(op: &Op) -> Result<&[Value], String> {
    op.value
        .as_array()
        .map(Vec::as_slice)
        .ok_or_else(|| format!("event {}: a transaction is a list of micro-ops, not {}", op.index, op.value))
}
