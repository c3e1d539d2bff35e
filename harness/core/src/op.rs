//! Operations, in Jepsen's terms.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::{Process, Time};

/// What an [`Op`] says about its operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It begins.
    Invoke,
    /// It happened, between its invocation and now.
    Ok,
    /// It certainly did not happen and never will.
    Fail,
    /// Nobody knows: it may take effect at any time from its invocation up to infinity, or never.
    Info,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Kind::Invoke => "invoke",
            Kind::Ok => "ok",
            Kind::Fail => "fail",
            Kind::Info => "info",
        })
    }
}

/// One event of a history: the invocation or the completion of an operation.
///
/// Field names and meaning are Jepsen's. A completion keeps the process, `f` and key of its invocation. The
/// interpreter alone assigns `index` and `time`; checkers rank by `index`, and `time` is for people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Op {
    /// Position in the history, dense from 0.
    pub index: u64,
    /// Nanoseconds since the start of the run.
    pub time: Time,
    /// Beginning or kind of end.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Who did it.
    pub process: Process,
    /// The name of the operation: `read`, `write`, `cas`, `add`, ...
    pub f: String,
    /// Its argument when invoked, its result when `ok`. `null` stands for "nothing" and for "not known yet".
    #[serde(default)]
    pub value: Value,
    /// The part of the data it concerns, where the workload has independent parts.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "key")]
    pub key: Option<String>,
    /// Why it did not end `ok`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The node that answered, or that it was first sent to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
}

impl Op {
    /// An op with what every op has; its index and time are given when it is recorded.
    pub fn new(process: Process, kind: Kind, f: impl Into<String>, value: Value) -> Op {
        let (index, time, f) = (0, Time::ZERO, f.into());
        Op { index, time, kind, process, f, value, key: None, error: None, node: None }
    }

    /// An op that says nothing: a place to put another, or to read one into, which takes no memory of its own.
    pub fn blank() -> Op {
        Op::new(Process::Nemesis, Kind::Invoke, "", Value::Null)
    }
}

/// Keys are text; other tools also write them as numbers.
fn key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Option::<Value>::deserialize(deserializer)? {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text),
        Some(other) => Some(other.to_string()),
    })
}
