//! Registers: read, write and, where a system has it, compare-and-set over several keys.

use std::collections::BTreeMap;

use rand::RngExt;
use rashomon_core::generator::{Asked, Generator, Invocation, Keys, Next};
use rashomon_core::rpc::Body;
use rashomon_core::{Kind, Op, Value};

use crate::workload::{Request, Workload, WorkloadInfo, expect_type};

/// The register workload.
///
/// Written values are unique, so a read says which write it saw. A `cas` goes from the last value the generator
/// saw on its key to a fresh one, so that a good share of them succeed. Keys retire, which bounds the open
/// `info` ops that a checker must consider.
#[derive(Debug)]
pub struct Register {
    keys: Keys,
    /// The last value seen on each key.
    seen: BTreeMap<String, Value>,
    last_written: i64,
    has_cas: bool,
}

/// How many keys are in use at a time.
const ACTIVE_KEYS: usize = 5;

impl Register {
    /// What the harness needs to know.
    pub const INFO: WorkloadInfo = WorkloadInfo {
        name: "register",
        summary: "read, write and cas on registers; keys retire as they wear out",
        ops: &["read", "write", "cas"],
        checkers: &["linearizable-register", "stats", "availability"],
        make: || Box::new(Register::new()),
    };

    /// The same for systems whose registers cannot do more than be read and written.
    pub const READ_WRITE: WorkloadInfo = WorkloadInfo {
        name: "read-write",
        summary: "read and write registers, without cas; keys retire as they wear out",
        make: || Box::new(Register { has_cas: false, ..Register::new() }),
        ..Register::INFO
    };

    /// A fresh workload.
    pub fn new() -> Register {
        Register { keys: Keys::new(ACTIVE_KEYS), seen: BTreeMap::new(), last_written: 0, has_cas: true }
    }

    fn fresh(&mut self) -> Value {
        self.last_written += 1;
        self.last_written.into()
    }
}

impl Default for Register {
    fn default() -> Register {
        Register::new()
    }
}

impl Generator<Invocation> for Register {
    fn next(&mut self, asked: &mut Asked<'_>) -> Next<Invocation> {
        let key = self.keys.draw(asked.rng);
        let invocation = match asked.rng.random_range(0..10_u8) {
            0..5 => Invocation::new("read", key, Value::Null),
            8.. if self.has_cas => {
                let from = self.seen.get(&key).cloned().unwrap_or_default();
                let to = self.fresh();
                Invocation::new("cas", key, vec![from, to])
            }
            _ => {
                let value = self.fresh();
                Invocation::new("write", key, value)
            }
        };
        Next::Do(asked.thread(), invocation)
    }

    fn update(&mut self, _thread: usize, op: &Op) {
        let Some(key) = &op.key else { return };
        match (op.kind, op.f.as_str()) {
            (Kind::Info, _) => self.keys.info(key),
            (Kind::Ok, "read" | "write") => drop(self.seen.insert(key.clone(), op.value.clone())),
            (Kind::Ok, "cas") => drop(self.seen.insert(key.clone(), op.value[1].clone())),
            (Kind::Invoke | Kind::Fail | Kind::Ok, _) => {}
        }
    }
}

impl Workload for Register {
    fn request(&self, invocation: &Invocation) -> Request {
        let key = ("key", invocation.key.clone().into());
        match invocation.f {
            "read" => Request::new("read", [key]).read_only(),
            "write" => Request::new("write", [key, ("value", invocation.value.clone())]),
            _ => Request::new(
                "cas",
                [key, ("from", invocation.value[0].clone()), ("to", invocation.value[1].clone())],
            ),
        }
    }

    fn response(&self, invocation: &Invocation, reply: &Body) -> Result<Value, String> {
        match invocation.f {
            "read" => {
                expect_type(reply, "read_ok")?;
                match reply.get("value") {
                    Some(value @ (Value::Null | Value::Number(_))) => Ok(value.clone()),
                    other => Err(format!("read_ok with the value {other:?}, not an integer or null")),
                }
            }
            "write" => expect_type(reply, "write_ok").map(|()| invocation.value.clone()),
            _ => expect_type(reply, "cas_ok").map(|()| invocation.value.clone()),
        }
    }

    fn final_reads(&self) -> Vec<Invocation> {
        self.keys.all().iter().map(|key| Invocation::new("read", key.as_str(), Value::Null)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rashomon_core::{Seed, Time};

    use super::*;

    fn invocations(count: usize) -> Vec<Invocation> {
        asked_of(&mut Register::new(), count)
    }

    fn asked_of<G: Generator<Invocation> + ?Sized>(register: &mut G, count: usize) -> Vec<Invocation> {
        let mut rng = Seed(5).rng();
        (0..count)
            .map(|_| {
                let mut asked = Asked { now: Time::ZERO, free: &[0, 1], threads: 2, rng: &mut rng };
                match register.next(&mut asked) {
                    Next::Do(_, invocation) => invocation,
                    other => panic!("{other:?}"),
                }
            })
            .collect()
    }

    #[test]
    fn written_values_are_unique() {
        let mut seen = BTreeSet::new();
        for invocation in invocations(2000) {
            let written = match invocation.f {
                "write" => invocation.value,
                "cas" => invocation.value[1].clone(),
                _ => continue,
            };
            assert!(seen.insert(written.to_string()), "{written} was written twice");
        }
        assert!(seen.len() > 500);
    }

    #[test]
    fn a_register_without_cas_is_never_asked_for_one() {
        let asked: BTreeSet<&str> = asked_of(&mut *(Register::READ_WRITE.make)(), 500)
            .iter()
            .map(|invocation| invocation.f)
            .collect();
        assert_eq!(asked, BTreeSet::from(["read", "write"]));
        assert!(invocations(500).iter().any(|invocation| invocation.f == "cas"));
    }

    #[test]
    fn a_key_serves_two_hundred_ops() {
        let mut counts = BTreeMap::new();
        for invocation in invocations(5000) {
            *counts.entry(invocation.key.unwrap()).or_insert(0_u64) += 1;
        }
        assert!(counts.values().all(|count| *count <= Keys::OPS), "{counts:?}");
        assert!(counts.len() >= 25);
    }

    #[test]
    fn cas_goes_from_the_last_value_seen() {
        let mut register = Register::new();
        let key = register.keys.all()[0].clone();
        let mut ok = Op {
            index: 0,
            time: Time::ZERO,
            kind: Kind::Ok,
            process: rashomon_core::Process::Client(0),
            f: "cas".into(),
            value: vec![1, 7].into(),
            key: Some(key.clone()),
            error: None,
            node: None,
        };
        register.update(0, &ok);
        assert_eq!(register.seen[&key], 7);
        ok.f = "read".into();
        ok.value = 9.into();
        register.update(0, &ok);
        assert_eq!(register.seen[&key], 9);
        ok.kind = Kind::Fail;
        ok.value = 1.into();
        register.update(0, &ok);
        assert_eq!(register.seen[&key], 9, "a failed op saw nothing");
    }

    #[test]
    fn a_reply_that_makes_no_sense_is_an_error() {
        let register = Register::new();
        let read = Invocation::new("read", "0", Value::Null);
        let body = |text: &str| serde_json::from_str::<Body>(text).unwrap();
        assert_eq!(register.response(&read, &body(r#"{"type":"read_ok","value":4}"#)), Ok(4.into()));
        assert!(register.response(&read, &body(r#"{"type":"read_ok","value":"four"}"#)).is_err());
        assert!(register.response(&read, &body(r#"{"type":"read_ok"}"#)).is_err());
        assert!(register.response(&read, &body(r#"{"type":"write_ok"}"#)).is_err());
    }
}
