//! Registers.

use std::collections::VecDeque;

use rashomon_core::{Op, Value};
use serde_json::json;

use super::stream::{Answer, Asked, Lie, Object};
use super::{Draws, Plant};

/// A value that is never written.
pub(super) const GARBAGE: i64 = -7;

/// How many writes ago a value was replaced beyond doubt, whichever client is slow.
fn long_ago(clients: u64) -> usize {
    60.max(clients as usize * 4)
}

/// Half reads and half writes of unique values.
pub(super) struct UniqueRegister {
    /// The last values, the newest at the back.
    log: VecDeque<Value>,
    long_ago: usize,
    written: u64,
}

impl UniqueRegister {
    pub(super) fn new(clients: u64) -> UniqueRegister {
        UniqueRegister { log: VecDeque::from([Value::Null]), long_ago: long_ago(clients), written: 0 }
    }

    fn write(&mut self, value: Value) {
        if self.log.len() > self.long_ago {
            self.log.pop_front();
        }
        self.log.push_back(value);
    }

    fn current(&self) -> Value {
        self.log.back().cloned().unwrap_or_default()
    }

    /// A false answer to a read.
    fn misread(&self, plant: Plant) -> Option<Value> {
        match plant {
            Plant::StaleRead => self.log.get(self.log.len().checked_sub(self.long_ago)?).cloned(),
            Plant::Garbage => Some(GARBAGE.into()),
            _ => None,
        }
    }
}

impl Object for UniqueRegister {
    fn next(&mut self, draws: &mut Draws) -> Asked {
        if draws.below(2) == 0 {
            return Asked::new("read", Value::Null);
        }
        self.written += 1;
        Asked::new("write", self.written)
    }

    fn apply(&mut self, op: &Op) -> Answer {
        if op.f == "write" {
            self.write(op.value.clone());
        }
        Answer::ok(self.current())
    }

    fn lie(&mut self, plant: Plant, op: &Op) -> Option<Lie> {
        if op.f == "read" { self.misread(plant).map(Answer::ok).map(Lie::Told) } else { None }
    }
}

/// Reads, writes and cas, all of unique values; a cas starts from what was there when it was asked.
pub(super) struct SwappedRegister {
    register: UniqueRegister,
    /// The values from which a cas succeeded of late, and whose client was told.
    swapped: VecDeque<Value>,
}

impl SwappedRegister {
    pub(super) fn new(clients: u64) -> SwappedRegister {
        SwappedRegister { register: UniqueRegister::new(clients), swapped: VecDeque::new() }
    }
}

impl Object for SwappedRegister {
    fn next(&mut self, draws: &mut Draws) -> Asked {
        match draws.below(4) {
            0 | 1 => Asked::new("read", Value::Null),
            2 => {
                self.register.written += 1;
                Asked::new("write", self.register.written)
            }
            _ => {
                self.register.written += 1;
                Asked::new("cas", json!([self.register.current(), self.register.written]))
            }
        }
    }

    fn apply(&mut self, op: &Op) -> Answer {
        if op.f != "cas" {
            return self.register.apply(op);
        }
        if op.value[0] != self.register.current() {
            return Answer::fail(op.value.clone());
        }
        if self.swapped.len() == self.register.long_ago {
            self.swapped.pop_front();
        }
        self.swapped.push_back(op.value[0].clone());
        self.register.write(op.value[1].clone());
        Answer::ok(op.value.clone())
    }

    fn apply_untold(&mut self, op: &Op) {
        let told = self.swapped.clone();
        self.apply(op);
        self.swapped = told;
    }

    fn lie(&mut self, plant: Plant, op: &Op) -> Option<Lie> {
        match plant {
            Plant::LostUpdate if op.f == "cas" && self.swapped.contains(&op.value[0]) => {
                Some(Lie::Told(Answer::ok(op.value.clone())))
            }
            Plant::LostUpdate => None,
            _ => self.register.lie(plant, op),
        }
    }
}

/// Reads, writes and cas of few values. A cas that is refused answers so.
pub(super) struct CasRegister {
    pub(super) value: Value,
    pub(super) values: u64,
}

impl Object for CasRegister {
    fn next(&mut self, draws: &mut Draws) -> Asked {
        let values = self.values;
        let mut value = || draws.below(values);
        match (value(), value(), value() % 3) {
            (_, _, 0) => Asked::new("read", Value::Null),
            (one, _, 1) => Asked::new("write", one),
            (one, two, _) => Asked::new("cas", json!([one, two])),
        }
    }

    fn apply(&mut self, op: &Op) -> Answer {
        match op.f.as_str() {
            "write" => self.value = op.value.clone(),
            "cas" if op.value[0] != self.value => return Answer::ok(false),
            "cas" => {
                self.value = op.value[1].clone();
                return Answer::ok(op.value.clone());
            }
            _ => {}
        }
        Answer::ok(self.value.clone())
    }
}
