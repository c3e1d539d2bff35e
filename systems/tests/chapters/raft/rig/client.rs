//! Clients that obey the outcome rules, and what they saw.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand::RngExt;
use rashomon_core::client::{Attempt, Attempts, Outcome, Policy, Step};
use rashomon_core::rpc::{Body, RpcError};
use rashomon_core::{NodeId, Rng, Seed, Ticket, Time, Value};
use rashomon_systems::kv::Reply;
use serde_json::json;

use super::Report;
use super::check::{Action, Operation, linearizable};
use super::cluster::{Cluster, Happening};

/// The ops after which a key retires, small enough for the checker's bit set.
const KEY_OPS: usize = 40;

#[derive(Debug)]
pub(crate) enum ClientEvent {
    /// A client may go on: begin an op, end a pause, or give up an attempt.
    Wake(usize, u64),
    Reply(Ticket, Result<Reply, RpcError>),
    /// The node that was asked died.
    Lost(Ticket),
}

struct Client {
    process: u64,
    sequence: u64,
    /// Tells the wake-ups of one wait from those of another.
    wait: u64,
    op: Option<Op>,
}

struct Op {
    attempts: Attempts,
    body: Body,
    /// Its place in `seen`, for an op on a register.
    place: Option<(String, usize)>,
    ticket: Option<Ticket>,
}

pub(crate) struct Clients {
    all: Vec<Client>,
    rng: Rng,
    nodes: Vec<NodeId>,
    clock: u64,
    tickets: BTreeMap<Ticket, usize>,
    next_ticket: u64,
    next_process: u64,
    next_value: i64,
    /// The keys in use, and the last value seen on each.
    keys: Vec<(String, Option<i64>)>,
    retired: usize,
    seen: BTreeMap<String, Vec<Operation>>,
    added: BTreeSet<i64>,
    acknowledged: BTreeSet<i64>,
    /// What was acknowledged when the last read of the set began: it must see all this.
    due: BTreeSet<i64>,
    final_set: Option<BTreeSet<i64>>,
    /// The reads still to make at the end, each until it succeeds.
    last_reads: Option<Vec<Body>>,
    unread: usize,
    counts: (usize, usize, usize),
}

impl Clients {
    pub(crate) fn new(count: usize, cluster: &Cluster, seed: Seed) -> Clients {
        let client = |process| Client { process, sequence: 0, wait: 0, op: None };
        Clients {
            all: (0..count as u64).map(client).collect(),
            rng: seed.rng(),
            nodes: cluster.nodes().to_vec(),
            clock: 0,
            tickets: BTreeMap::new(),
            next_ticket: 0,
            next_process: count as u64,
            next_value: 0,
            keys: (0..2).map(|key| (format!("k{key}"), None)).collect(),
            retired: 2,
            seen: BTreeMap::new(),
            added: BTreeSet::new(),
            acknowledged: BTreeSet::new(),
            due: BTreeSet::new(),
            final_set: None,
            last_reads: None,
            unread: 0,
            counts: (0, 0, 0),
        }
    }

    pub(crate) fn start(&mut self, cluster: &mut Cluster) {
        for client in 0..self.all.len() {
            self.wake(client, cluster.now(), cluster);
        }
    }

    fn wake(&mut self, client: usize, when: Time, cluster: &mut Cluster) {
        self.all[client].wait += 1;
        let wait = self.all[client].wait;
        cluster.at(when, Happening::Client(ClientEvent::Wake(client, wait)));
    }

    /// No new ops, but a last read of everything.
    pub(crate) fn finish(&mut self, cluster: &mut Cluster) {
        let mut reads: Vec<Body> =
            self.seen.keys().map(|key| body(json!({"type": "read", "key": key}))).collect();
        reads.push(body(json!({"type": "read_set", "key": "set"})));
        self.unread = reads.len();
        self.last_reads = Some(reads);
        for client in 0..self.all.len() {
            if self.all[client].op.is_none() {
                self.wake(client, cluster.now(), cluster);
            }
        }
    }

    pub(crate) fn done(&self) -> bool {
        self.unread == 0 && self.all.iter().all(|client| client.op.is_none())
    }

    pub(crate) fn take(&mut self, event: ClientEvent, cluster: &mut Cluster) {
        match event {
            ClientEvent::Wake(client, wait) if self.all[client].wait == wait => {
                match &mut self.all[client].op {
                    None => self.begin(client, cluster),
                    Some(op) => {
                        if let Some(ticket) = op.ticket.take() {
                            self.tickets.remove(&ticket);
                            op.attempts.ended(Attempt::Doubtful("timed out".into()));
                        }
                    }
                }
                self.advance(client, cluster);
            }
            ClientEvent::Wake(..) => {}
            ClientEvent::Reply(ticket, outcome) => {
                let attempt = match outcome {
                    Err(error) => Attempt::Error(error),
                    Ok(reply) => Attempt::Reply(body(serde_json::to_value(reply).unwrap())),
                };
                self.ended(ticket, attempt, cluster);
            }
            ClientEvent::Lost(ticket) => {
                self.ended(ticket, Attempt::Doubtful("connection reset".into()), cluster);
            }
        }
    }

    fn ended(&mut self, ticket: Ticket, attempt: Attempt, cluster: &mut Cluster) {
        let Some(client) = self.tickets.remove(&ticket) else { return };
        if let Some(op) = &mut self.all[client].op {
            op.ticket = None;
            op.attempts.ended(attempt);
        }
        self.advance(client, cluster);
    }

    fn begin(&mut self, client: usize, cluster: &mut Cluster) {
        let Some(mut body) = self.choose() else { return };
        let read_only = body["type"].as_str().is_some_and(|name| name.starts_with("read"));
        if body["type"] == "read_set" {
            self.due.clone_from(&self.acknowledged);
        }
        let process = &mut self.all[client];
        process.sequence += 1;
        body.insert("session".into(), process.process.into());
        body.insert("sequence".into(), process.sequence.into());
        self.clock += 1;
        let place = Action::of(&body).map(|action| {
            let key = body["key"].as_str().unwrap().to_owned();
            let ops = self.seen.entry(key.clone()).or_default();
            ops.push(Operation {
                action,
                invoked: self.clock,
                completed: None,
                happened: false,
                failed: false,
            });
            (key, ops.len() - 1)
        });
        let mut nodes = self.nodes.clone();
        let home = self.rng.random_range(0..nodes.len() as u64) as usize;
        nodes.rotate_left(home);
        let attempts = Attempts::new(Policy::default(), nodes, read_only, cluster.now());
        self.all[client].op = Some(Op { attempts, body, place, ticket: None });
    }

    /// The body of the next op.
    fn choose(&mut self) -> Option<Body> {
        if let Some(reads) = &mut self.last_reads {
            return reads.pop();
        }
        self.next_value += 1;
        let value = self.next_value;
        let slot = self.rng.random_range(0..self.keys.len() as u64) as usize;
        if self.seen.get(&self.keys[slot].0).is_some_and(|ops| ops.len() >= KEY_OPS) {
            self.keys[slot] = (format!("k{}", self.retired), None);
            self.retired += 1;
        }
        let (key, last) = &self.keys[slot];
        Some(body(match self.rng.random_range(0..10_u32) {
            0..=3 => json!({"type": "read", "key": key}),
            4..=6 => json!({"type": "write", "key": key, "value": value}),
            7..=8 => json!({"type": "cas", "key": key, "from": last, "to": value}),
            _ => {
                self.added.insert(value);
                json!({"type": "add", "key": "set", "element": value})
            }
        }))
    }

    fn advance(&mut self, client: usize, cluster: &mut Cluster) {
        loop {
            let process = &mut self.all[client];
            let Some(op) = &mut process.op else { return };
            match op.attempts.step(cluster.now()) {
                Step::Try(node, until) => {
                    let ticket = Ticket(self.next_ticket);
                    self.next_ticket += 1;
                    let text = serde_json::to_string(&op.body).unwrap();
                    if cluster.request(node, ticket, text) {
                        op.ticket = Some(ticket);
                        self.tickets.insert(ticket, client);
                        return self.wake(client, until, cluster);
                    }
                    op.attempts.ended(Attempt::Refused);
                }
                Step::Pause(until) => return self.wake(client, until, cluster),
                Step::Finish(outcome) => {
                    let op = process.op.take().expect("it was there");
                    self.complete(client, op, &outcome);
                    let rest = Duration::from_micros(self.rng.random_range(0..=20_000));
                    return self.wake(client, cluster.now() + rest, cluster);
                }
            }
        }
    }

    fn complete(&mut self, client: usize, op: Op, outcome: &Outcome) {
        self.clock += 1;
        let process = &mut self.all[client];
        let is_read = op.body["type"] == "read";
        match outcome {
            Outcome::Ok(..) => self.counts.0 += 1,
            Outcome::Fail(_) => self.counts.1 += 1,
            Outcome::Info(_) => {
                self.counts.2 += 1;
                // Its op may still be running: the process retires.
                process.process = self.next_process;
                process.sequence = 0;
                self.next_process += 1;
            }
        }
        if let Some((key, at)) = op.place {
            let operation = &mut self.seen.get_mut(&key).expect("it was put there")[at];
            match outcome {
                Outcome::Ok(_, answer) => {
                    operation.happened = true;
                    operation.completed = Some(self.clock);
                    if is_read {
                        operation.action = Action::Read(answer["value"].as_i64());
                    }
                    if let Some(slot) = self.keys.iter_mut().find(|slot| slot.0 == key) {
                        slot.1 = operation.action.after();
                    }
                }
                Outcome::Fail(_) => operation.failed = true,
                Outcome::Info(_) => {}
            }
        } else if let Outcome::Ok(_, answer) = outcome {
            match answer.get("value").and_then(Value::as_array) {
                None => drop(self.acknowledged.insert(op.body["element"].as_i64().unwrap())),
                Some(elements) => {
                    self.final_set = Some(elements.iter().map(|e| e.as_i64().unwrap()).collect());
                }
            }
        }
        if let Some(reads) = &mut self.last_reads
            && op.body["type"].as_str().is_some_and(|name| name.starts_with("read"))
        {
            match outcome {
                Outcome::Ok(..) => self.unread = self.unread.saturating_sub(1),
                Outcome::Fail(_) | Outcome::Info(_) => reads.push(op.body),
            }
        }
    }

    /// Adds what the answers show to the report.
    pub(crate) fn judge(&self, report: &mut Report) {
        (report.ok, report.fail, report.info) = self.counts;
        if !self.done() {
            report.accusations.push(format!("no progress after the heal: {} reads fail", self.unread));
        }
        for (key, ops) in &self.seen {
            if !linearizable(ops) {
                report.accusations.push(format!("nonlinearizable: {key}"));
            }
        }
        if let Some(set) = &self.final_set {
            if let Some(lost) = self.due.difference(set).next() {
                report.accusations.push(format!("lost-element: {lost}"));
            }
            if let Some(phantom) = set.difference(&self.added).next() {
                report.accusations.push(format!("phantom-element: {phantom}"));
            }
        }
    }
}

fn body(value: Value) -> Body {
    match value {
        Value::Object(body) => body,
        other => panic!("{other} is no body"),
    }
}
