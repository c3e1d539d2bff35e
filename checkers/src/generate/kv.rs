//! Strings under keys.

use rashomon_core::{Op, Value};
use serde_json::json;

use super::Draws;
use super::stream::{Answer, Asked, Object};

pub(super) struct Kv {
    pub(super) values: Vec<String>,
    pub(super) written: u64,
}

impl Object for Kv {
    fn next(&mut self, draws: &mut Draws) -> Asked {
        let key = Some(draws.below(self.values.len() as u64).to_string());
        self.written += 1;
        let value = json!(format!("x {} y", self.written));
        match draws.below(20) {
            0 => Asked { f: "put", value, key },
            1..=10 => Asked { f: "append", value, key },
            _ => Asked { f: "get", value: Value::Null, key },
        }
    }

    fn apply(&mut self, op: &Op) -> Answer {
        let place = op.key.as_deref().and_then(|key| key.parse::<usize>().ok()).unwrap_or_default();
        let added = op.value.as_str().unwrap_or_default();
        match op.f.as_str() {
            "put" => added.clone_into(&mut self.values[place]),
            "append" => self.values[place].push_str(added),
            _ => return Answer::ok(json!(self.values[place])),
        }
        Answer::ok(op.value.clone())
    }
}
