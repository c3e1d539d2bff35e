//! What clients ask and are told, on the wire and in the log.

use rashomon_core::rpc::RequestId;
use rashomon_core::{Map, Value};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::Hasher;

/// The longest key, in bytes: a command with one must fit into a message, whatever escapes JSON needs.
pub const LONGEST_KEY: usize = 256;

/// A change of the state: what the log orders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Set a register.
    Write {
        /// The register.
        key: String,
        /// What it holds from now on.
        value: i64,
    },
    /// Set a register if it holds what the client thinks.
    Cas {
        /// The register.
        key: String,
        /// What it must hold; `None` when it must never have been written.
        from: Option<i64>,
        /// What it holds from then on.
        to: i64,
    },
    /// Put an element into a set.
    Add {
        /// The set.
        key: String,
        /// The element.
        element: i64,
    },
}

/// A command and who asked for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// The session and sequence, where the client gave them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// The change.
    pub command: Command,
}

impl Proposal {
    /// Adds the whole proposal to a hash.
    pub fn hash(&self, hasher: Hasher) -> Hasher {
        let hasher = match self.id {
            None => hasher.number(0),
            Some(RequestId { session, sequence }) => hasher.number(1).number(session).number(sequence),
        };
        match &self.command {
            Command::Write { key, value } => hasher.text("write").text(key).maybe(Some(*value)),
            Command::Cas { key, from, to } => hasher.text("cas").text(key).maybe(*from).maybe(Some(*to)),
            Command::Add { key, element } => hasher.text("add").text(key).maybe(Some(*element)),
        }
    }
}

/// A question that changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// What a register holds.
    Read {
        /// The register.
        key: String,
    },
    /// All elements of a set.
    ReadSet {
        /// The set.
        key: String,
    },
}

/// The two kinds of request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Change something.
    Command(Command),
    /// Tell something.
    Query(Query),
}

/// A request as a chapter sees it, parsed from a body such as `{"type":"write","key":"x","value":3}`.
///
/// `session` and `sequence` come together or not at all. Unknown fields are ignored, because the body also
/// carries what belongs to the transport.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub struct Request {
    /// The session and sequence, where the client gave them.
    pub id: Option<RequestId>,
    /// What it asks.
    pub ask: Ask,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Operation {
    Read {
        #[serde(deserialize_with = "key")]
        key: String,
    },
    Write {
        #[serde(deserialize_with = "key")]
        key: String,
        value: i64,
    },
    Cas {
        #[serde(deserialize_with = "key")]
        key: String,
        // A missing `from` is a slip of the client; only an explicit null means "never written".
        #[serde(deserialize_with = "Option::deserialize")]
        from: Option<i64>,
        to: i64,
    },
    Add {
        #[serde(deserialize_with = "key")]
        key: String,
        element: i64,
    },
    ReadSet {
        #[serde(deserialize_with = "key")]
        key: String,
    },
}

/// Keys are text; a number is accepted as its digits.
fn key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a key: text, or an integer")]
    enum Key {
        Text(String),
        Number(i64),
    }
    let key = match Key::deserialize(deserializer)? {
        Key::Text(text) => text,
        Key::Number(number) => number.to_string(),
    };
    if key.len() > LONGEST_KEY {
        return Err(D::Error::custom(format!(
            "a key of {} bytes; the longest allowed has {LONGEST_KEY}",
            key.len()
        )));
    }
    Ok(key)
}

impl TryFrom<Map<String, Value>> for Request {
    type Error = String;

    fn try_from(body: Map<String, Value>) -> Result<Request, String> {
        let id = RequestId::of(&body)?;
        let operation = Operation::deserialize(Value::Object(body)).map_err(|error| error.to_string())?;
        let ask = match operation {
            Operation::Read { key } => Ask::Query(Query::Read { key }),
            Operation::ReadSet { key } => Ask::Query(Query::ReadSet { key }),
            Operation::Write { key, value } => Ask::Command(Command::Write { key, value }),
            Operation::Cas { key, from, to } => Ask::Command(Command::Cas { key, from, to }),
            Operation::Add { key, element } => Ask::Command(Command::Add { key, element }),
        };
        Ok(Request { id, ask })
    }
}

/// What a client is told when its request succeeded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Reply {
    /// To `read`.
    ReadOk {
        /// What the register holds; `None` when it was never written.
        value: Option<i64>,
    },
    /// To `write`.
    WriteOk,
    /// To `cas`, when the register held the expected value.
    CasOk,
    /// To `add`.
    AddOk,
    /// To `read_set`.
    ReadSetOk {
        /// The elements in ascending order.
        value: Vec<i64>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Request, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn bodies_are_read_as_maelstrom_writes_them() {
        let read = parse(r#"{"type":"read","key":5,"msg_id":9}"#).unwrap();
        assert_eq!(read, Request { id: None, ask: Ask::Query(Query::Read { key: "5".into() }) });
        let cas = parse(
            r#"{"type":"cas","key":"x","from":null,"to":3,"session":4,"sequence":18446744073709551615}"#,
        )
        .unwrap();
        assert_eq!(cas.id, Some(RequestId { session: 4, sequence: u64::MAX }));
        assert_eq!(cas.ask, Ask::Command(Command::Cas { key: "x".into(), from: None, to: 3 }));
        let add = parse(r#"{"type":"add","key":"s","element":-1}"#).unwrap();
        assert_eq!(add.ask, Ask::Command(Command::Add { key: "s".into(), element: -1 }));
        assert!(parse(r#"{"type":"read_set","key":"s"}"#).is_ok());
        assert!(parse(r#"{"type":"write","key":"s","value":1}"#).is_ok());
    }

    #[test]
    fn replies_are_written_as_maelstrom_reads_them() {
        let text = |reply: Reply| serde_json::to_string(&reply).unwrap();
        assert_eq!(text(Reply::ReadOk { value: None }), r#"{"type":"read_ok","value":null}"#);
        assert_eq!(text(Reply::WriteOk), r#"{"type":"write_ok"}"#);
        assert_eq!(text(Reply::CasOk), r#"{"type":"cas_ok"}"#);
        assert_eq!(text(Reply::AddOk), r#"{"type":"add_ok"}"#);
        assert_eq!(text(Reply::ReadSetOk { value: vec![1, 2] }), r#"{"type":"read_set_ok","value":[1,2]}"#);
    }

    #[test]
    fn a_body_that_makes_no_sense_is_refused_with_the_reason() {
        let error = |text: &str| parse(text).unwrap_err();
        assert!(error(r#"{"type":"write","key":"x"}"#).contains("missing field `value`"));
        assert!(error(r#"{"type":"cas","key":"x","to":3}"#).contains("missing field `from`"));
        assert!(error(r#"{"type":"fly","key":"x"}"#).contains("unknown variant `fly`"));
        assert!(error(r#"{"type":"read","key":[1]}"#).contains("a key: text, or an integer"));
        assert!(error(r#"{"type":"read","key":"x","session":1}"#).contains("without `sequence`"));
        assert!(error(r#"{"type":"read","key":"x","session":-1,"sequence":1}"#).contains("-1"));
        let long = format!(r#"{{"type":"read","key":"{}"}}"#, "k".repeat(LONGEST_KEY + 1));
        assert!(error(&long).contains("longest allowed"));
    }
}
