//! What was sent and polled, operation by operation.

use std::collections::BTreeSet;

use rashomon_core::history::Pair;
use rashomon_core::{History, Kind, Process, Value};

use crate::Budget;
use crate::accusations::completed;
use crate::models::{Datum, Values};

/// A message with its place in the log of a key, where it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) key: Datum,
    pub(super) offset: Option<u64>,
    pub(super) value: Datum,
}

/// A `send`, `poll` or `txn`.
#[derive(Debug)]
pub(super) struct Transaction<'h> {
    pub(super) pair: Pair<'h>,
    pub(super) process: Process,
    pub(super) outcome: Kind,
    pub(super) sends: Vec<Message>,
    pub(super) polls: Vec<Message>,
    /// Whether it polled and does not say what it took.
    pub(super) blind: bool,
    /// The keys that changed hands meanwhile.
    pub(super) rebalanced: BTreeSet<Datum>,
}

/// One thing that a process did, in the order of completions.
#[derive(Debug)]
pub(super) enum Step {
    /// The transaction of that number.
    Transaction(usize),
    /// From then on it polls these keys.
    Assign { process: Process, keys: BTreeSet<Datum>, to_the_beginning: bool, as_group: bool },
}

/// All of a history.
#[derive(Debug, Default)]
pub(super) struct Transactions<'h> {
    pub(super) list: Vec<Transaction<'h>>,
    pub(super) steps: Vec<Step>,
    values: Values,
}

impl<'h> Transactions<'h> {
    /// Goes through a history. The error says what cannot be understood, or that the budget is spent.
    pub(super) fn follow(history: &'h History, budget: &Budget<'_>) -> Result<Transactions<'h>, String> {
        let mut all = Transactions::default();
        let mut pairs: Vec<Pair<'h>> = history.pairs().collect();
        pairs.sort_by_key(|pair| (completed(pair), pair.invoke.index));
        for (step, pair) in (0..).zip(pairs) {
            let told = |reason: String| format!("op {}: {reason}", pair.invoke.index);
            match pair.invoke.f.as_str() {
                "send" | "poll" | "txn" => {
                    let transaction = all.transaction(pair).map_err(told)?;
                    all.steps.push(Step::Transaction(all.list.len()));
                    all.list.push(transaction);
                }
                "assign" | "subscribe" => {
                    if pair.outcome() == Kind::Ok {
                        let assign = all.assign(pair).map_err(told)?;
                        all.steps.push(assign);
                    }
                }
                "crash" | "debug-topic-partitions" => {}
                other => return Err(told(format!("logs have no operation `{other}`"))),
            }
            budget.spend(step, if step.is_multiple_of(64) { all.bytes() } else { 0 })?;
        }
        Ok(all)
    }

    fn key(&mut self, key: &Value) -> Datum {
        match key {
            Value::String(_) => self.values.intern(key),
            // Keys of maps are text in JSON, whatever they were.
            other => self.values.intern(&Value::String(other.to_string())),
        }
    }

    fn assign(&mut self, pair: Pair<'h>) -> Result<Step, String> {
        let value = &pair.invoke.value;
        let keys = value.get("keys").unwrap_or(value);
        let keys =
            keys.as_array().ok_or_else(|| format!("a consumer is given a list of keys, not {value}"))?;
        Ok(Step::Assign {
            process: pair.invoke.process,
            keys: keys.iter().map(|key| self.key(key)).collect(),
            to_the_beginning: value.get("seek-to-beginning").is_some(),
            as_group: pair.invoke.f == "subscribe",
        })
    }

    fn transaction(&mut self, pair: Pair<'h>) -> Result<Transaction<'h>, String> {
        let told = pair.completion.map(|op| &op.value).filter(|value| value.is_array());
        let value = told.unwrap_or(&pair.invoke.value);
        let list =
            value.as_array().ok_or_else(|| format!("a transaction is a list of micro-ops, not {value}"))?;
        let mut transaction = Transaction {
            pair,
            process: pair.invoke.process,
            outcome: pair.outcome(),
            sends: Vec::new(),
            polls: Vec::new(),
            blind: false,
            rebalanced: BTreeSet::new(),
        };
        for micro_op in list {
            let wrong = || format!("{micro_op} is no micro-op of logs");
            let parts = micro_op.as_array().ok_or_else(wrong)?;
            match (parts.first().and_then(Value::as_str), parts.get(1..).unwrap_or_default()) {
                (Some("send"), [key, message]) => {
                    let (offset, message) = match message.as_array().map(Vec::as_slice) {
                        Some([offset, message]) if offset.is_null() || offset.is_u64() => {
                            (offset.as_u64(), message)
                        }
                        _ => (None, message),
                    };
                    let (key, value) = (self.key(key), self.values.intern(message));
                    transaction.sends.push(Message { key, offset, value });
                }
                (Some("poll"), [] | [Value::Null, ..]) => {
                    transaction.blind |= !matches!(transaction.outcome, Kind::Ok | Kind::Fail);
                }
                (Some("poll"), [Value::Object(logs), ..]) => {
                    for (key, messages) in logs {
                        let key = self.key(&Value::String(key.clone()));
                        for message in messages.as_array().ok_or_else(wrong)? {
                            let Some([offset, value]) = message.as_array().map(Vec::as_slice) else {
                                return Err(wrong());
                            };
                            let (offset, value) = (offset.as_u64(), self.values.intern(value));
                            transaction.polls.push(Message { key, offset, value });
                        }
                    }
                }
                (Some("rebalance"), [Value::Array(keys)]) => {
                    transaction.rebalanced.extend(keys.iter().map(|key| self.key(key)));
                }
                _ => return Err(wrong()),
            }
        }
        Ok(transaction)
    }

    /// What a number stands for.
    pub(super) fn value(&self, datum: Datum) -> Value {
        self.values.get(datum)
    }

    /// A key as text.
    pub(super) fn name(&self, key: Datum) -> String {
        match self.values.get(key) {
            Value::String(name) => name,
            other => other.to_string(),
        }
    }

    /// How many messages were polled by transactions that succeeded.
    pub(super) fn polled(&self) -> usize {
        let ok = self.list.iter().filter(|transaction| transaction.outcome == Kind::Ok);
        ok.map(|transaction| transaction.polls.len()).sum()
    }

    /// The memory it takes, about.
    pub(super) fn bytes(&self) -> usize {
        let messages: usize =
            self.list.iter().map(|transaction| transaction.sends.len() + transaction.polls.len()).sum();
        messages * size_of::<Message>() + self.list.len() * size_of::<Transaction<'_>>()
    }
}
