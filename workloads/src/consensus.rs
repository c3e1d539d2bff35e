//! Consensus: propose values, and ask what is decided.

use rand::RngExt;
use rashomon_core::generator::{Asked, Generator, Invocation, Keys, Next};
use rashomon_core::rpc::Body;
use rashomon_core::{Kind, Op, Value};

use crate::workload::{Request, Workload, WorkloadInfo, expect_type};

/// The consensus workload: every key is decided once, so a key is soon spent and others take its place.
///
/// Proposed values are unique, so a decision names the proposal that it comes from. Some ops go back to keys that are
/// spent: what was decided before a node crashed must be what it decides afterwards, whatever is proposed to it then.
#[derive(Debug)]
pub struct Consensus {
    keys: Keys,
    last_proposed: i64,
}

/// How many keys are in use at a time: fewer than clients, so that proposals meet.
const ACTIVE_KEYS: usize = 3;

/// The ops on a key before others take its place. The first few decide it; the others try to hear something else.
const MOST_OPS: u64 = 10;

/// How many of the last keys are gone back to, and that one op in so many does.
const REMEMBERED_KEYS: usize = 16;
const ONE_GOES_BACK_IN: u8 = 4;

impl Consensus {
    /// What the harness needs to know.
    pub const INFO: WorkloadInfo = WorkloadInfo {
        name: "consensus",
        summary: "propose values on keys and learn what is decided; for each key one decision, once and for all",
        ops: &["propose", "learn"],
        checkers: &["consensus", "stats", "availability"],
        make: || Box::new(Consensus::new()),
    };

    /// A fresh workload.
    pub fn new() -> Consensus {
        Consensus { keys: Keys::with_limits(ACTIVE_KEYS, MOST_OPS, Keys::INFOS), last_proposed: 0 }
    }
}

impl Default for Consensus {
    fn default() -> Consensus {
        Consensus::new()
    }
}

impl Generator<Invocation> for Consensus {
    fn next(&mut self, asked: &mut Asked<'_>) -> Next<Invocation> {
        let key = if asked.rng.random_range(0..ONE_GOES_BACK_IN) == 0 {
            let all = self.keys.all();
            let first = all.len().saturating_sub(REMEMBERED_KEYS);
            all[asked.rng.random_range(first..all.len())].clone()
        } else {
            self.keys.draw(asked.rng)
        };
        let invocation = if asked.rng.random_range(0..3_u8) == 0 {
            Invocation::new("learn", key, Value::Null)
        } else {
            self.last_proposed += 1;
            Invocation::new("propose", key, self.last_proposed)
        };
        Next::Do(asked.thread(), invocation)
    }

    fn update(&mut self, _thread: usize, op: &Op) {
        if let (Kind::Info, Some(key)) = (op.kind, &op.key) {
            self.keys.info(key);
        }
    }
}

impl Workload for Consensus {
    fn request(&self, invocation: &Invocation) -> Request {
        let key = ("key", invocation.key.clone().into());
        match invocation.f {
            "learn" => Request::new("learn", [key]).read_only(),
            _ => Request::new("propose", [key, ("value", invocation.value.clone())]),
        }
    }

    fn response(&self, invocation: &Invocation, reply: &Body) -> Result<Value, String> {
        let learns = invocation.f == "learn";
        expect_type(reply, if learns { "learn_ok" } else { "propose_ok" })?;
        match reply.get("value") {
            Some(value @ Value::Number(_)) => Ok(value.clone()),
            Some(Value::Null) if learns => Ok(Value::Null),
            other => Err(format!("a decision of {other:?}, not a number")),
        }
    }

    fn final_reads(&self) -> Vec<Invocation> {
        self.keys.all().iter().map(|key| Invocation::new("learn", key.as_str(), Value::Null)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use rashomon_core::{Seed, Time};

    use super::*;

    #[test]
    fn values_are_unique_and_keys_are_soon_spent_but_not_forgotten() {
        let mut rng = Seed(5).rng();
        let mut consensus = Consensus::new();
        let (mut values, mut ops) = (BTreeSet::new(), BTreeMap::new());
        for _ in 0..1000 {
            let mut asked = Asked { now: Time::ZERO, free: &[0, 1], threads: 2, rng: &mut rng };
            let Next::Do(_, invocation) = consensus.next(&mut asked) else { panic!("it is endless") };
            *ops.entry(invocation.key).or_insert(0) += 1;
            if invocation.f == "propose" {
                assert!(values.insert(invocation.value.to_string()));
            }
        }
        assert!(values.len() > 500 && values.len() < 800, "{}", values.len());
        assert!(ops.len() > 60, "{ops:?}");
        assert!(ops.values().any(|count| *count > MOST_OPS), "{ops:?}");
    }

    #[test]
    fn the_answer_is_the_decision_and_not_the_proposal() {
        let consensus = Consensus::new();
        let body = |text: &str| serde_json::from_str::<Body>(text).unwrap();
        let propose = Invocation::new("propose", "0", 4);
        let learn = Invocation::new("learn", "0", Value::Null);
        assert_eq!(consensus.response(&propose, &body(r#"{"type":"propose_ok","value":7}"#)), Ok(7.into()));
        assert_eq!(consensus.response(&learn, &body(r#"{"type":"learn_ok","value":null}"#)), Ok(Value::Null));
        assert!(consensus.response(&propose, &body(r#"{"type":"propose_ok","value":null}"#)).is_err());
        assert!(consensus.response(&propose, &body(r#"{"type":"propose_ok"}"#)).is_err());
        assert!(consensus.response(&learn, &body(r#"{"type":"propose_ok","value":7}"#)).is_err());
    }
}
