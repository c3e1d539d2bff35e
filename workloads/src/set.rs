//! Sets: add unique elements, read the whole set back.

use rand::RngExt;
use rashomon_core::generator::{Asked, Generator, Invocation, Keys, Next};
use rashomon_core::rpc::Body;
use rashomon_core::{Kind, Op, Value};

use crate::workload::{Request, Workload, WorkloadInfo, expect_type};

/// The set workload: an element that was acknowledged must never be missed again.
///
/// Keys retire so that a whole read stays small; the final reads see every one of them.
#[derive(Debug)]
pub struct Set {
    keys: Keys,
    last_added: i64,
}

/// How many sets are in use at a time.
const ACTIVE_KEYS: usize = 2;

impl Set {
    /// What the harness needs to know.
    pub const INFO: WorkloadInfo = WorkloadInfo {
        name: "set",
        summary: "add unique elements to sets and read them whole; no acknowledged add may be lost",
        ops: &["add", "read"],
        checkers: &["set", "stats", "availability"],
        make: || Box::new(Set::new()),
    };

    /// A fresh workload.
    pub fn new() -> Set {
        Set { keys: Keys::new(ACTIVE_KEYS), last_added: 0 }
    }
}

impl Default for Set {
    fn default() -> Set {
        Set::new()
    }
}

impl Generator<Invocation> for Set {
    fn next(&mut self, asked: &mut Asked<'_>) -> Next<Invocation> {
        let key = self.keys.draw(asked.rng);
        let invocation = if asked.rng.random_range(0..4_u8) == 0 {
            Invocation::new("read", key, Value::Null)
        } else {
            self.last_added += 1;
            Invocation::new("add", key, self.last_added)
        };
        Next::Do(asked.thread(), invocation)
    }

    fn update(&mut self, _thread: usize, op: &Op) {
        if let (Kind::Info, Some(key)) = (op.kind, &op.key) {
            self.keys.info(key);
        }
    }
}

impl Workload for Set {
    fn request(&self, invocation: &Invocation) -> Request {
        let key = ("key", invocation.key.clone().into());
        match invocation.f {
            "read" => Request::new("read_set", [key]).read_only(),
            _ => Request::new("add", [key, ("element", invocation.value.clone())]),
        }
    }

    fn response(&self, invocation: &Invocation, reply: &Body) -> Result<Value, String> {
        if invocation.f != "read" {
            return expect_type(reply, "add_ok").map(|()| invocation.value.clone());
        }
        expect_type(reply, "read_set_ok")?;
        match reply.get("value") {
            Some(Value::Array(elements)) if elements.iter().all(Value::is_i64) => Ok(elements.clone().into()),
            other => Err(format!("read_set_ok with the value {other:?}, not a list of integers")),
        }
    }

    fn final_reads(&self) -> Vec<Invocation> {
        self.keys.all().iter().map(|key| Invocation::new("read", key.as_str(), Value::Null)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_read_is_a_list_of_integers() {
        let set = Set::new();
        let read = Invocation::new("read", "0", Value::Null);
        let body = |text: &str| serde_json::from_str::<Body>(text).unwrap();
        assert_eq!(
            set.response(&read, &body(r#"{"type":"read_set_ok","value":[1,2]}"#)),
            Ok(vec![1, 2].into())
        );
        assert!(set.response(&read, &body(r#"{"type":"read_set_ok","value":[1,"2"]}"#)).is_err());
        assert!(set.response(&read, &body(r#"{"type":"read_ok","value":[1]}"#)).is_err());
    }
}
