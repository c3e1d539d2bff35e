//! Work under locks: read, work, write back.

use rand::RngExt;
use rashomon_core::generator::{Asked, Generator, Invocation, Keys, Next};
use rashomon_core::rpc::Body;
use rashomon_core::{Kind, Op, Value};
use serde_json::json;

use crate::workload::{Request, Workload, WorkloadInfo, expect_type};

/// The lock workload: pieces of work, each under the lock of its key, and reads of what they did.
///
/// A piece of work takes the lock, reads the value that the lock protects, writes it back raised, and gives the lock
/// back. Its name is unique, so that its effects tell whose they are. A read shows the *journal* of a key: every effect
/// that was ever accepted, in order. So mutual exclusion is judged by what was done, not by what anybody believed.
#[derive(Debug)]
pub struct Lock {
    keys: Keys,
    last: u64,
}

/// How many locks are in use at a time: few, so that they are fought for.
const ACTIVE_KEYS: usize = 3;

impl Lock {
    /// What the harness needs to know.
    pub const INFO: WorkloadInfo = WorkloadInfo {
        name: "lock",
        summary: "work under locks, judged by its effects: critical sections must not overlap",
        checkers: &["lock", "stats", "availability"],
        ops: &["work", "read"],
        make: || Box::new(Lock::new()),
    };

    /// A fresh workload.
    pub fn new() -> Lock {
        Lock { keys: Keys::new(ACTIVE_KEYS), last: 0 }
    }
}

impl Default for Lock {
    fn default() -> Lock {
        Lock::new()
    }
}

impl Generator<Invocation> for Lock {
    fn next(&mut self, asked: &mut Asked<'_>) -> Next<Invocation> {
        let key = self.keys.draw(asked.rng);
        // A journal is long, and the next one says it all again.
        let invocation = if asked.rng.random_range(0..20_u8) == 0 {
            Invocation::new("read", key, Value::Null)
        } else {
            self.last += 1;
            Invocation::new("work", key, self.last)
        };
        Next::Do(asked.thread(), invocation)
    }

    fn update(&mut self, _thread: usize, op: &Op) {
        if let (Kind::Info, Some(key)) = (op.kind, &op.key) {
            self.keys.info(key);
        }
    }
}

impl Workload for Lock {
    fn request(&self, invocation: &Invocation) -> Request {
        let key = ("key", invocation.key.clone().into());
        match invocation.f {
            "read" => Request::new("read", [key]).read_only(),
            _ => Request::new("work", [key, ("work", invocation.value.clone())]),
        }
    }

    fn response(&self, invocation: &Invocation, reply: &Body) -> Result<Value, String> {
        if invocation.f == "read" {
            expect_type(reply, "read_ok")?;
            return match reply.get("value") {
                Some(journal @ Value::Array(_)) => Ok(journal.clone()),
                other => Err(format!("read_ok with the value {other:?}, not a journal")),
            };
        }
        expect_type(reply, "work_ok")?;
        let number = |field: &str| match reply.get(field) {
            Some(number) if number.is_u64() => Ok(number.clone()),
            other => Err(format!("work_ok with {field} {other:?}, not a number")),
        };
        let token = match reply.get("token") {
            None | Some(Value::Null) => Value::Null,
            Some(_) => number("token")?,
        };
        let (read, wrote) = (number("read")?, number("wrote")?);
        Ok(json!({ "work": invocation.value, "token": token, "read": read, "wrote": wrote }))
    }

    fn final_reads(&self) -> Vec<Invocation> {
        self.keys.all().iter().map(|key| Invocation::new("read", key.as_str(), Value::Null)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_under_which_token_what_was_done() {
        let lock = Lock::new();
        let work = Invocation::new("work", "0", 7);
        let said = |text: &str| lock.response(&work, &serde_json::from_str(text).unwrap());
        assert_eq!(
            said(r#"{"type":"work_ok","token":3,"read":4,"wrote":6}"#),
            Ok(json!({ "work": 7, "token": 3, "read": 4, "wrote": 6 }))
        );
        assert!(said(r#"{"type":"work_ok","token":null,"read":4,"wrote":6}"#).unwrap()["token"].is_null());
        assert!(said(r#"{"type":"work_ok","token":"x","read":4,"wrote":6}"#).is_err());
        assert!(said(r#"{"type":"work_ok","token":3,"read":4}"#).is_err());
        assert!(said(r#"{"type":"read_ok","value":[]}"#).is_err());
        let read = Invocation::new("read", "0", Value::Null);
        let body = |text: &str| serde_json::from_str::<Body>(text).unwrap();
        assert_eq!(lock.response(&read, &body(r#"{"type":"read_ok","value":[]}"#)), Ok(json!([])));
        assert!(lock.response(&read, &body(r#"{"type":"read_ok","value":7}"#)).is_err());
    }
}
