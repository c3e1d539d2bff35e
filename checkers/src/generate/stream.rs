//! The clients at work.

use std::time::Duration;

use rashomon_core::{Kind, Op, Process, Time, Value};

use super::{Clients, Draws, Plant};

/// What a client asks.
pub(super) struct Asked {
    pub(super) f: &'static str,
    pub(super) value: Value,
    pub(super) key: Option<String>,
}

impl Asked {
    /// Of an object without keys.
    pub(super) fn new(f: &'static str, value: impl Into<Value>) -> Asked {
        Asked { f, value: value.into(), key: None }
    }
}

/// What it is told.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    kind: Kind,
    value: Value,
}

impl Answer {
    pub(super) fn ok(value: impl Into<Value>) -> Answer {
        Answer { kind: Kind::Ok, value: value.into() }
    }

    /// It was refused, and changed nothing.
    pub(super) fn fail(value: impl Into<Value>) -> Answer {
        Answer { kind: Kind::Fail, value: value.into() }
    }
}

/// A false answer.
pub(super) enum Lie {
    /// The whole of it.
    Told(Answer),
    /// The first part of it; another operation tells the rest.
    Begun(Answer),
}

/// An object: applies an operation and answers.
pub(super) trait Object {
    /// The next operation.
    fn next(&mut self, draws: &mut Draws) -> Asked;

    /// Whether nobody may ever be told what became of it.
    fn may_stay_open(&self, _op: &Op) -> bool {
        true
    }

    /// Does it, and answers the truth.
    fn apply(&mut self, op: &Op) -> Answer;

    /// Does it, and nobody is told.
    fn apply_untold(&mut self, op: &Op) {
        self.apply(op);
    }

    /// Answers falsely, as planted; `None` where this operation is none for such a lie, and has not been done.
    fn lie(&mut self, _plant: Plant, _op: &Op) -> Option<Lie> {
        None
    }
}

/// Where a client is in its operation.
enum Stage {
    Idle,
    Begun { invoke: Op, opens: bool },
    Done { invoke: Op, answer: Answer },
}

/// A history that is made while it is read; only what the object holds is kept.
pub struct Stream {
    clients: Clients,
    object: Box<dyn Object>,
    plant: Option<Plant>,
    /// How many operations have told the lie, and how many are to.
    told: u64,
    times: u64,
    draws: Draws,
    stages: Vec<Stage>,
    busy: u64,
    processes: Vec<u64>,
    fresh: u64,
    begun: u64,
    index: u64,
}

impl Stream {
    pub(super) fn new(clients: Clients, plant: Option<Plant>, object: Box<dyn Object>) -> Stream {
        Stream {
            clients,
            object,
            plant,
            told: 0,
            times: 1,
            draws: Draws::new(clients.seed),
            stages: (0..clients.clients).map(|_| Stage::Idle).collect(),
            busy: 0,
            processes: (0..clients.clients).collect(),
            fresh: clients.clients,
            begun: 0,
            index: 0,
        }
    }

    /// The same history with so many operations that show the violation, spread over its length.
    pub fn showing(mut self, times: u64) -> Stream {
        self.times = times;
        self
    }

    /// Whether the planted violation is in what was read so far, as often as was asked for. A history may be too short
    /// for it.
    pub fn planted(&self) -> bool {
        self.told >= self.times
    }

    /// Whether so much was done that a lie is due: of one at 95% of the length, of several at equal distances.
    fn is_due(&self) -> bool {
        let (begun, operations) = (u128::from(self.begun), u128::from(self.clients.operations));
        let (told, times) = (u128::from(self.told), u128::from(self.times));
        told < times
            && match times {
                1 => begun * 20 >= operations * 19,
                many => begun * (many + 1) >= operations * (told + 1),
            }
    }

    fn op(&mut self, op: Op, kind: Kind, value: Value) -> Op {
        let index = self.index;
        self.index += 1;
        Op { index, time: Time::ZERO + Duration::from_micros(index * 10), kind, value, ..op }
    }

    fn answer(&mut self, invoke: &Op) -> Answer {
        if let Some(plant) = self.plant.filter(|_| self.is_due()) {
            match self.object.lie(plant, invoke) {
                Some(Lie::Told(answer)) => {
                    self.told += 1;
                    return answer;
                }
                Some(Lie::Begun(answer)) => return answer,
                None => {}
            }
        }
        self.object.apply(invoke)
    }

    /// Lets one client do its next step, which may be an event that others see.
    fn step(&mut self) -> Option<Op> {
        let client = self.draws.below(self.clients.clients) as usize;
        match std::mem::replace(&mut self.stages[client], Stage::Idle) {
            Stage::Idle if self.begun < self.clients.operations => {
                self.begun += 1;
                self.busy += 1;
                let Asked { f, value, key } = self.object.next(&mut self.draws);
                let invoke = Op {
                    index: 0,
                    time: Time::ZERO,
                    kind: Kind::Invoke,
                    process: Process::Client(self.processes[client]),
                    f: f.to_owned(),
                    value: value.clone(),
                    key,
                    error: None,
                    node: None,
                };
                let opens = self.draws.below(1000) < self.clients.open_per_mille
                    && self.object.may_stay_open(&invoke);
                self.stages[client] = Stage::Begun { invoke: invoke.clone(), opens };
                Some(self.op(invoke, Kind::Invoke, value))
            }
            Stage::Idle => None,
            Stage::Begun { invoke, opens: true } => {
                if self.draws.below(2) == 0 {
                    self.object.apply_untold(&invoke);
                }
                self.busy -= 1;
                self.processes[client] = self.fresh;
                self.fresh += 1;
                None
            }
            Stage::Begun { invoke, opens: false } => {
                let answer = self.answer(&invoke);
                self.stages[client] = Stage::Done { invoke, answer };
                None
            }
            Stage::Done { invoke, answer } => {
                self.busy -= 1;
                Some(self.op(invoke, answer.kind, answer.value))
            }
        }
    }
}

impl Iterator for Stream {
    type Item = Op;

    fn next(&mut self) -> Option<Op> {
        while self.begun < self.clients.operations || self.busy > 0 {
            if let Some(op) = self.step() {
                return Some(op);
            }
        }
        None
    }
}
