//! What clients ask and are told.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::record::Effect;

/// The longest key, in bytes: a message names it, whatever escapes JSON needs.
const LONGEST_KEY: usize = 256;

/// A request.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Request {
    /// To a holder: take the lock of this key, raise the value at the resource, give the lock back.
    Work {
        /// The key.
        #[serde(deserialize_with = "key")]
        key: String,
        /// The name of this piece of work, by which its effects are known.
        work: u64,
    },
    /// To the resource: what was done to this key?
    Read {
        /// The key.
        #[serde(deserialize_with = "key")]
        key: String,
    },
}

fn key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let key = String::deserialize(deserializer)?;
    if key.len() > LONGEST_KEY {
        let reason = format!("a key of {} bytes; the longest allowed has {LONGEST_KEY}", key.len());
        return Err(D::Error::custom(reason));
    }
    Ok(key)
}

/// What a client is told when its request succeeded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Reply {
    /// To `work`.
    WorkOk {
        /// The token under which it was done; null where there are none.
        token: Option<u64>,
        /// The value that the section found.
        read: u64,
        /// The value that it left.
        wrote: u64,
    },
    /// To `read`.
    ReadOk {
        /// Everything that was ever accepted, in order.
        value: Vec<Entry>,
    },
}

/// An effect as clients see it: `[work, token, "read" or "write", value]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry(pub(super) Effect);

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Effect { work, token, step, value, .. } = self.0;
        (work, token, if step == 0 { "read" } else { "write" }, value).serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use rashomon_core::NodeId;

    use super::*;
    use crate::lock::token::{Owner, SectionId, Token};

    #[test]
    fn requests_and_replies_are_plain_json() {
        let request: Request =
            serde_json::from_str(r#"{"type":"work","key":"x","work":7,"msg_id":1,"session":2,"sequence":3}"#)
                .unwrap();
        assert_eq!(request, Request::Work { key: "x".into(), work: 7 });
        let owner = Owner { node: NodeId(3), life: 1, section: SectionId(1) };
        let entry = |step, value| Entry(Effect { owner, work: 7, token: Some(Token(4)), step, value });
        let reply = Reply::ReadOk { value: vec![entry(0, 5), entry(1, 6)] };
        assert_eq!(
            serde_json::to_string(&reply).unwrap(),
            r#"{"type":"read_ok","value":[[7,4,"read",5],[7,4,"write",6]]}"#
        );
        let reply = Reply::WorkOk { token: None, read: 5, wrote: 7 };
        assert_eq!(
            serde_json::to_string(&reply).unwrap(),
            r#"{"type":"work_ok","token":null,"read":5,"wrote":7}"#
        );
    }

    #[test]
    fn a_request_that_makes_no_sense_is_refused_with_the_reason() {
        let error = |text: &str| serde_json::from_str::<Request>(text).unwrap_err().to_string();
        assert!(error(r#"{"type":"work","key":"x"}"#).contains("missing field `work`"));
        assert!(error(r#"{"type":"work","key":"x","work":-1}"#).contains("-1"));
        assert!(error(r#"{"type":"lock","key":"x"}"#).contains("unknown variant `lock`"));
        let long = format!(r#"{{"type":"read","key":"{}"}}"#, "k".repeat(LONGEST_KEY + 1));
        assert!(error(&long).contains("longest allowed"));
    }
}
