//! Histories made by machine: what clients of a correct object would have seen, and small lies about it.
//!
//! Each operation takes effect at a random moment between its call and its return, so the history is
//! linearizable by construction, until a lie is told. For tests and benchmarks.

mod lists;

use std::collections::{BTreeSet, BinaryHeap, VecDeque};
use std::time::Duration;

use rashomon_core::{History, Kind, Op, Process, Seed, Time, Value};
use serde_json::json;

pub use lists::ListClients;

/// Clients of one object, always busy.
#[derive(Clone, Copy, Debug)]
pub struct Clients {
    /// How many operations they do.
    pub operations: u64,
    /// How many are at it at once.
    pub clients: u64,
    /// How many in a thousand operations never return.
    pub open_per_mille: u64,
    /// Whether one read, at 95% of the length, answers with a value long replaced; or one dequeue with one not due.
    pub stale: bool,
    /// What decides everything else.
    pub seed: Seed,
}

/// A stream of small numbers, one split of the seed each.
#[derive(Clone, Copy, Debug)]
struct Draws {
    seed: Seed,
    drawn: u64,
}

impl Draws {
    fn below(&mut self, bound: u64) -> u64 {
        self.drawn += 1;
        self.seed.split_number(self.drawn).0 % bound
    }
}

/// Where a client is in its operation.
#[derive(Clone, Debug)]
enum Stage {
    Idle,
    Begun { invoke: Op, opens: bool },
    Done { invoke: Op, answer: Value },
}

/// An object: applies an operation and answers.
trait Object {
    /// The next operation: `f`, value and key.
    fn next(&mut self, draws: &mut Draws) -> (&'static str, Value, Option<String>);
    fn apply(&mut self, op: &Op) -> Value;
    /// An answer that was right some time ago.
    fn stale(&self, _op: &Op) -> Option<Value> {
        None
    }
}

impl Clients {
    /// Half reads and half writes of unique values, of a register that is `null` at first.
    pub fn unique_register(self) -> History {
        self.run(&mut UniqueRegister { log: vec![Value::Null], written: 0 })
    }

    /// Reads, writes and cas of few values: `values` of them, so that many operations write the same.
    pub fn cas_register(self, values: u64) -> History {
        self.run(&mut CasRegister { value: Value::Null, values })
    }

    /// Gets, puts and appends of strings under some keys; a put in each twenty operations, and gets and appends in
    /// equal shares.
    pub fn kv(self, keys: u64) -> History {
        self.run(&mut Kv { values: vec![String::new(); keys as usize], written: 0 })
    }

    /// Half enqueues of unique values and half dequeues, of a first-in first-out queue.
    pub fn unique_queue(self) -> History {
        self.run(&mut UniqueQueue { waiting: VecDeque::new(), enqueued: 0 })
    }

    /// Half pushes of unique values and half pops, of a stack.
    pub fn unique_stack(self) -> History {
        self.run(&mut UniqueStack { values: Vec::new(), pushed: 0 })
    }

    /// Half inserts of unique values in no order and half polls, of a priority queue.
    pub fn unique_priority_queue(self) -> History {
        self.run(&mut UniquePriorityQueue { values: BinaryHeap::new(), inserted: 0 })
    }

    /// Adds, removes and questions in equal shares, about `elements` elements of a set.
    pub fn element_set(self, elements: u64) -> History {
        self.run(&mut ElementSet { there: BTreeSet::new(), elements })
    }

    fn run(self, object: &mut impl Object) -> History {
        let mut draws = Draws { seed: self.seed, drawn: 0 };
        let mut stages = vec![Stage::Idle; self.clients as usize];
        let mut processes: Vec<u64> = (0..self.clients).collect();
        let mut fresh = self.clients;
        let mut ops: Vec<Op> = Vec::new();
        let mut begun = 0;
        let mut lie = self.stale;
        while begun < self.operations || stages.iter().any(|stage| !matches!(stage, Stage::Idle)) {
            let client = draws.below(self.clients) as usize;
            let mut push = |op: Op, kind, value| {
                let index = ops.len() as u64;
                let time = Time::ZERO + Duration::from_micros(index * 10);
                ops.push(Op { index, time, kind, value, ..op });
            };
            stages[client] = match std::mem::replace(&mut stages[client], Stage::Idle) {
                Stage::Idle if begun < self.operations => {
                    begun += 1;
                    let (f, value, key) = object.next(&mut draws);
                    let invoke = Op {
                        index: 0,
                        time: Time::ZERO,
                        kind: Kind::Invoke,
                        process: Process::Client(processes[client]),
                        f: f.to_owned(),
                        value: value.clone(),
                        key,
                        error: None,
                        node: None,
                    };
                    push(invoke.clone(), Kind::Invoke, value);
                    Stage::Begun { invoke, opens: draws.below(1000) < self.open_per_mille }
                }
                Stage::Idle => Stage::Idle,
                Stage::Begun { invoke, opens: true } => {
                    if draws.below(2) == 0 {
                        object.apply(&invoke);
                    }
                    processes[client] = fresh;
                    fresh += 1;
                    Stage::Idle
                }
                Stage::Begun { invoke, opens: false } => {
                    let late = begun * 20 >= self.operations * 19;
                    let old = if lie && late { object.stale(&invoke) } else { None };
                    lie &= old.is_none();
                    let answer = object.apply(&invoke);
                    Stage::Done { invoke, answer: old.unwrap_or(answer) }
                }
                Stage::Done { invoke, answer } => {
                    push(invoke, Kind::Ok, answer);
                    Stage::Idle
                }
            };
        }
        History::new(ops).expect("each client does one operation at a time")
    }
}

struct UniqueRegister {
    log: Vec<Value>,
    written: u64,
}

impl Object for UniqueRegister {
    fn next(&mut self, draws: &mut Draws) -> (&'static str, Value, Option<String>) {
        if draws.below(2) == 0 {
            return ("read", Value::Null, None);
        }
        self.written += 1;
        ("write", json!(self.written), None)
    }

    fn apply(&mut self, op: &Op) -> Value {
        if op.f == "write" {
            self.log.push(op.value.clone());
        }
        self.log.last().cloned().unwrap_or_default()
    }

    fn stale(&self, op: &Op) -> Option<Value> {
        (op.f == "read").then(|| self.log.get(self.log.len().checked_sub(60)?).cloned()).flatten()
    }
}

struct UniqueQueue {
    waiting: VecDeque<Value>,
    enqueued: u64,
}

impl Object for UniqueQueue {
    fn next(&mut self, draws: &mut Draws) -> (&'static str, Value, Option<String>) {
        if draws.below(2) == 0 {
            return ("dequeue", Value::Null, None);
        }
        self.enqueued += 1;
        ("enqueue", json!(self.enqueued), None)
    }

    fn apply(&mut self, op: &Op) -> Value {
        if op.f == "enqueue" {
            self.waiting.push_back(op.value.clone());
            return op.value.clone();
        }
        self.waiting.pop_front().unwrap_or_default()
    }

    /// The second in the queue, which then comes out twice.
    fn stale(&self, op: &Op) -> Option<Value> {
        (op.f == "dequeue").then(|| self.waiting.get(1).cloned()).flatten()
    }
}

struct UniqueStack {
    values: Vec<Value>,
    pushed: u64,
}

impl Object for UniqueStack {
    fn next(&mut self, draws: &mut Draws) -> (&'static str, Value, Option<String>) {
        if draws.below(2) == 0 {
            return ("pop", Value::Null, None);
        }
        self.pushed += 1;
        ("push", json!(self.pushed), None)
    }

    fn apply(&mut self, op: &Op) -> Value {
        if op.f == "push" {
            self.values.push(op.value.clone());
            return op.value.clone();
        }
        self.values.pop().unwrap_or_default()
    }

    /// The value at the bottom, which then comes out from under all others.
    fn stale(&self, op: &Op) -> Option<Value> {
        (op.f == "pop" && self.values.len() > 1).then(|| self.values.first().cloned()).flatten()
    }
}

struct UniquePriorityQueue {
    values: BinaryHeap<u64>,
    inserted: u64,
}

impl Object for UniquePriorityQueue {
    fn next(&mut self, draws: &mut Draws) -> (&'static str, Value, Option<String>) {
        if draws.below(2) == 0 {
            return ("poll", Value::Null, None);
        }
        self.inserted += 1;
        // The high digits are drawn, the low ones count: in no order, and unique.
        ("insert", json!(draws.below(1 << 20) << 32 | self.inserted), None)
    }

    fn apply(&mut self, op: &Op) -> Value {
        if let Some(value) = op.value.as_u64() {
            self.values.push(value);
            return op.value.clone();
        }
        self.values.pop().map_or(Value::Null, Value::from)
    }

    /// One that is not the greatest, which then comes out twice.
    fn stale(&self, op: &Op) -> Option<Value> {
        let least = self.values.iter().min().copied().map(Value::from);
        (op.f == "poll" && self.values.len() > 1).then_some(least).flatten()
    }
}

struct ElementSet {
    there: BTreeSet<u64>,
    elements: u64,
}

impl Object for ElementSet {
    fn next(&mut self, draws: &mut Draws) -> (&'static str, Value, Option<String>) {
        let f = ["add", "remove", "contains"][draws.below(3) as usize];
        (f, json!(draws.below(self.elements)), None)
    }

    fn apply(&mut self, op: &Op) -> Value {
        let element = op.value.as_u64().unwrap_or_default();
        json!(match op.f.as_str() {
            "add" => self.there.insert(element),
            "remove" => self.there.remove(&element),
            _ => self.there.contains(&element),
        })
    }
}

struct CasRegister {
    value: Value,
    values: u64,
}

impl Object for CasRegister {
    fn next(&mut self, draws: &mut Draws) -> (&'static str, Value, Option<String>) {
        let values = self.values;
        let mut value = || draws.below(values);
        match (value(), value(), value() % 3) {
            (_, _, 0) => ("read", Value::Null, None),
            (one, _, 1) => ("write", json!(one), None),
            (one, two, _) => ("cas", json!([one, two]), None),
        }
    }

    fn apply(&mut self, op: &Op) -> Value {
        match op.f.as_str() {
            "write" => self.value = op.value.clone(),
            "cas" if op.value[0] != self.value => return Value::Bool(false),
            "cas" => {
                self.value = op.value[1].clone();
                return op.value.clone();
            }
            _ => {}
        }
        self.value.clone()
    }
}

struct Kv {
    values: Vec<String>,
    written: u64,
}

impl Object for Kv {
    fn next(&mut self, draws: &mut Draws) -> (&'static str, Value, Option<String>) {
        let key = Some(draws.below(self.values.len() as u64).to_string());
        self.written += 1;
        let value = json!(format!("x {} y", self.written));
        match draws.below(20) {
            0 => ("put", value, key),
            1..=10 => ("append", value, key),
            _ => ("get", Value::Null, key),
        }
    }

    fn apply(&mut self, op: &Op) -> Value {
        let place = op.key.as_deref().and_then(|key| key.parse::<usize>().ok()).unwrap_or_default();
        let added = op.value.as_str().unwrap_or_default();
        match op.f.as_str() {
            "put" => added.clone_into(&mut self.values[place]),
            "append" => self.values[place].push_str(added),
            _ => return json!(self.values[place]),
        }
        op.value.clone()
    }
}
