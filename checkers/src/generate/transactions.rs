//! Transactions over lists or registers, each done at one moment: strictly serializable until a lie is told.

use std::collections::BTreeMap;

use rashomon_core::{Op, Value};
use serde_json::json;

use super::registers::GARBAGE;
use super::stream::{Answer, Asked, Lie, Object};
use super::{Draws, Plant};

/// Keys in use at once, micro-ops of a transaction, and the writes after which a key retires.
const KEYS: u64 = 10;
const MICRO_OPS: u64 = 4;
const WRITES: u64 = 32;

/// What is under the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Data {
    Lists,
    Registers,
}

/// A database.
pub(super) struct Transactions {
    data: Data,
    /// Every value written under a key, in order. Keys that no client can still be busy with are forgotten.
    log: BTreeMap<u64, Vec<u64>>,
    /// The keys in use, and how often each was asked to be written.
    active: Vec<(u64, u64)>,
    fresh: u64,
    kept: usize,
    /// A write of a transaction that failed, which another is going to read.
    aborted: Option<(u64, u64)>,
}

impl Transactions {
    pub(super) fn new(data: Data, clients: u64) -> Transactions {
        Transactions {
            data,
            log: BTreeMap::new(),
            active: (0..KEYS).map(|key| (key, 0)).collect(),
            fresh: KEYS,
            kept: (KEYS * 4 + clients * MICRO_OPS) as usize,
            aborted: None,
        }
    }

    fn verb(&self) -> &'static str {
        match self.data {
            Data::Lists => "append",
            Data::Registers => "w",
        }
    }

    /// What a read of these values shows.
    fn shown(&self, values: &[u64]) -> Value {
        match self.data {
            Data::Lists => json!(values),
            Data::Registers => json!(values.last()),
        }
    }

    /// Does a transaction; reads show what `see` makes of the values that are there.
    fn run(&mut self, op: &Op, mut see: impl FnMut(&Transactions, u64, &[u64]) -> Value) -> Value {
        let mut done = Vec::new();
        for micro_op in op.value.as_array().into_iter().flatten() {
            let (key, value) = parts(micro_op);
            if let Some(value) = value {
                self.log.entry(key).or_default().push(value);
                done.push(micro_op.clone());
            } else {
                let seen = see(self, key, self.log.get(&key).map_or(&[], Vec::as_slice));
                done.push(json!(["r", key, seen]));
            }
        }
        while self.log.len() > self.kept {
            self.log.pop_first();
        }
        done.into()
    }
}

/// Key and value of a micro-op; a read has no value.
fn parts(micro_op: &Value) -> (u64, Option<u64>) {
    (micro_op[1].as_u64().unwrap_or_default(), micro_op[2].as_u64())
}

impl Object for Transactions {
    fn next(&mut self, draws: &mut Draws) -> Asked {
        let verb = self.verb();
        let micro_op = |_| {
            let place = draws.below(KEYS) as usize;
            if draws.below(2) == 0 {
                return json!(["r", self.active[place].0, null]);
            }
            if self.active[place].1 == WRITES {
                self.active[place] = (self.fresh, 0);
                self.fresh += 1;
            }
            self.active[place].1 += 1;
            let (key, value) = self.active[place];
            json!([verb, key, value])
        };
        Asked::new("txn", (0..MICRO_OPS).map(micro_op).collect::<Value>())
    }

    fn apply(&mut self, op: &Op) -> Answer {
        Answer::ok(self.run(op, |all, _, values| all.shown(values)))
    }

    fn lie(&mut self, plant: Plant, op: &Op) -> Option<Lie> {
        let micro_ops: Vec<(u64, Option<u64>)> = op.value.as_array()?.iter().map(parts).collect();
        let writes = |key: u64| micro_ops.iter().any(|(other, value)| *other == key && value.is_some());
        let length = |key: &u64| self.log.get(key).map_or(0, Vec::len) as u64;
        // A key of which enough was written, that this transaction only reads.
        let reads = |least: u64| {
            let keys = micro_ops.iter().filter(|(_, value)| value.is_none()).map(|(key, _)| *key);
            let mut keys = keys.filter(|key| !writes(*key) && length(key) >= least);
            keys.next()
        };
        let told = |answer: Value| Some(Lie::Told(Answer::ok(answer)));
        match plant {
            Plant::Garbage => {
                let target = reads(0)?;
                told(self.run(op, |all, key, values| match all.data {
                    _ if key != target => all.shown(values),
                    Data::Lists => values.iter().map(|value| json!(value)).chain([json!(GARBAGE)]).collect(),
                    Data::Registers => GARBAGE.into(),
                }))
            }
            Plant::StaleRead => {
                let target = reads(WRITES / 2)?;
                told(self.run(op, |all, key, values| {
                    all.shown(if key == target { &values[..values.len() / 4] } else { values })
                }))
            }
            Plant::Duplicate => {
                let target = reads(2)?;
                told(self.run(op, |all, key, values| {
                    if key == target { json!([values, &values[..1]].concat()) } else { all.shown(values) }
                }))
            }
            Plant::IncompatibleOrder => {
                let target = reads(4).filter(|key| length(key) < WRITES - 4)?;
                told(self.run(op, |all, key, values| {
                    let mut values = values.to_vec();
                    if key == target {
                        values.swap(0, 1);
                    }
                    all.shown(&values)
                }))
            }
            Plant::Internal => {
                // A read after a write of its own shows what was there before.
                let own = |place: usize| {
                    let (key, value) = micro_ops[place];
                    value.is_none() && micro_ops[..place].iter().any(|(k, v)| *k == key && v.is_some())
                };
                let place = (0..micro_ops.len()).find(|place| own(*place))?;
                let target = micro_ops[place].0;
                let before = self.log.get(&target).cloned().unwrap_or_default();
                told(self.run(op, |all, key, values| all.shown(if key == target { &before } else { values })))
            }
            Plant::AbortedRead => match self.aborted {
                None => {
                    let (key, value) = micro_ops.iter().find_map(|(key, value)| Some((*key, (*value)?)))?;
                    if length(&key) > WRITES / 2 {
                        return None;
                    }
                    self.aborted = Some((key, value));
                    Some(Lie::Begun(Answer::fail(op.value.clone())))
                }
                Some((target, value)) => {
                    let read = micro_ops.contains(&(target, None)) && !writes(target);
                    if !read {
                        return None;
                    }
                    // From now on everybody sees it.
                    self.log.entry(target).or_default().push(value);
                    told(self.run(op, |all, _, values| all.shown(values)))
                }
            },
            _ => None,
        }
    }
}
