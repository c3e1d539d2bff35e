//! Histories of transactions over lists.

use std::time::Duration;

use rashomon_core::{History, Kind, Op, Process, Seed, Time, Value};
use serde_json::json;

use super::Draws;

/// After so many appends a key retires and a fresh one takes its place.
const APPENDS: usize = 32;

/// Clients of a strictly serializable database of lists, always busy.
#[derive(Clone, Copy, Debug)]
pub struct ListClients {
    /// How many transactions they do.
    pub transactions: u64,
    /// How many are at it at once.
    pub clients: u64,
    /// How many keys are in use at once.
    pub keys: u64,
    /// How many micro-ops a transaction has, half of them appends.
    pub micro_ops: u64,
    /// How many in a thousand transactions never return.
    pub open_per_mille: u64,
    /// How many in a hundred thousand transactions read each key without its last append.
    pub stale_per_100_000: u64,
    /// What decides everything else.
    pub seed: Seed,
}

/// Where a client is in its transaction.
enum Stage {
    Idle,
    Begun(Vec<(u64, Option<u64>)>),
    Done(Value),
}

impl ListClients {
    /// The history.
    pub fn history(self) -> History {
        let mut ops = Vec::new();
        self.each(|op| ops.push(op));
        History::new(ops).expect("each client does one transaction at a time")
    }

    /// Gives the ops of the history one by one; it may be larger than memory.
    pub fn each(self, mut take: impl FnMut(Op)) {
        let mut draws = Draws { seed: self.seed, drawn: 0 };
        let mut lists: Vec<Vec<u64>> = vec![Vec::new(); self.keys as usize];
        let mut stages: Vec<Stage> = (0..self.clients).map(|_| Stage::Idle).collect();
        let mut processes: Vec<u64> = (0..self.clients).collect();
        let mut fresh = self.clients;
        let mut active: Vec<u64> = (0..self.keys).collect();
        let mut appended: Vec<u64> = vec![0; self.keys as usize];
        let mut index = 0;
        let mut begun = 0;
        while begun < self.transactions || stages.iter().any(|stage| !matches!(stage, Stage::Idle)) {
            let client = draws.below(self.clients) as usize;
            let mut push = |kind, process, value| {
                take(Op {
                    index,
                    time: Time::ZERO + Duration::from_micros(index * 10),
                    kind,
                    process: Process::Client(process),
                    f: "txn".to_owned(),
                    value,
                    key: None,
                    error: None,
                    node: None,
                });
                index += 1;
            };
            stages[client] = match std::mem::replace(&mut stages[client], Stage::Idle) {
                Stage::Idle if begun < self.transactions => {
                    begun += 1;
                    let micro_ops: Vec<(u64, Option<u64>)> = (0..self.micro_ops)
                        .map(|_| {
                            let place = draws.below(self.keys) as usize;
                            if draws.below(2) == 0 {
                                return (active[place], None);
                            }
                            if appended[active[place] as usize] as usize == APPENDS {
                                active[place] = lists.len() as u64;
                                lists.push(Vec::new());
                                appended.push(0);
                            }
                            let key = active[place];
                            appended[key as usize] += 1;
                            (key, Some(appended[key as usize]))
                        })
                        .collect();
                    let asked = micro_ops.iter().map(|(key, value)| match value {
                        Some(value) => json!(["append", key, value]),
                        None => json!(["r", key, null]),
                    });
                    push(Kind::Invoke, processes[client], asked.collect());
                    Stage::Begun(micro_ops)
                }
                Stage::Idle => Stage::Idle,
                Stage::Begun(micro_ops) => {
                    let stale = draws.below(100_000) < self.stale_per_100_000;
                    let results: Vec<Value> = micro_ops
                        .iter()
                        .map(|(key, value)| {
                            let list = &mut lists[*key as usize];
                            if let Some(value) = value {
                                list.push(*value);
                                return json!(["append", key, value]);
                            }
                            let own = micro_ops.iter().any(|(other, value)| other == key && value.is_some());
                            let length = list.len() - usize::from(stale && !own && !list.is_empty());
                            json!(["r", key, &list[..length]])
                        })
                        .collect();
                    if draws.below(1000) < self.open_per_mille {
                        processes[client] = fresh;
                        fresh += 1;
                        Stage::Idle
                    } else {
                        Stage::Done(results.into())
                    }
                }
                Stage::Done(results) => {
                    push(Kind::Ok, processes[client], results);
                    Stage::Idle
                }
            };
        }
    }
}
