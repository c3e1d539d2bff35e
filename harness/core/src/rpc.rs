//! What clients and nodes say to each other: JSON bodies with Maelstrom's conventions.
//!
//! A body is one JSON object: `type` names it, `msg_id` numbers a request, `in_reply_to` ties a reply to it.
//! A request may carry `session` and `sequence`, which are the same on every attempt of one op: a system that
//! remembers the last answer of each session answers a repeated request without running it twice.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

/// A request or reply: a JSON object.
pub type Body = Map<String, Value>;

/// Maelstrom's error codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorCode {
    /// The request took too long.
    Timeout,
    /// The request was sent to a node that does not exist.
    NodeNotFound,
    /// The node does not know this type of request.
    NotSupported,
    /// The node cannot serve the request now, and did not start to.
    TemporarilyUnavailable,
    /// The request makes no sense.
    MalformedRequest,
    /// Something went wrong; the request may or may not have happened.
    Crash,
    /// The request was given up, and did not happen.
    Abort,
    /// The key does not exist.
    KeyDoesNotExist,
    /// The key exists already.
    KeyAlreadyExists,
    /// A compare-and-set found another value.
    PreconditionFailed,
    /// A transaction met a conflict and did not happen.
    TxnConflict,
    /// A code of the system's own (1000 and above), or one unknown here.
    Custom(u32),
}

/// How much an error says about the op.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The request never started: another node may be asked.
    NotStarted,
    /// The request never started, and no node will ever start it.
    Hopeless,
    /// The request was executed, and this is its answer: no effect, now or later.
    Answered,
    /// It may have happened, or may yet.
    Doubtful,
}

impl ErrorCode {
    const NAMED: [(u32, ErrorCode); 11] = [
        (0, ErrorCode::Timeout),
        (1, ErrorCode::NodeNotFound),
        (10, ErrorCode::NotSupported),
        (11, ErrorCode::TemporarilyUnavailable),
        (12, ErrorCode::MalformedRequest),
        (13, ErrorCode::Crash),
        (14, ErrorCode::Abort),
        (20, ErrorCode::KeyDoesNotExist),
        (21, ErrorCode::KeyAlreadyExists),
        (22, ErrorCode::PreconditionFailed),
        (30, ErrorCode::TxnConflict),
    ];

    /// The number on the wire.
    pub fn code(self) -> u32 {
        match self {
            ErrorCode::Custom(code) => code,
            named => ErrorCode::NAMED
                .iter()
                .find_map(|(code, name)| (*name == named).then_some(*code))
                .expect("every named code is in the table"),
        }
    }

    /// What the code says about the op.
    pub fn meaning(self) -> Meaning {
        match self {
            ErrorCode::Timeout | ErrorCode::Crash | ErrorCode::Custom(_) => Meaning::Doubtful,
            ErrorCode::NodeNotFound | ErrorCode::TemporarilyUnavailable => Meaning::NotStarted,
            ErrorCode::NotSupported | ErrorCode::MalformedRequest => Meaning::Hopeless,
            ErrorCode::Abort
            | ErrorCode::KeyDoesNotExist
            | ErrorCode::KeyAlreadyExists
            | ErrorCode::PreconditionFailed
            | ErrorCode::TxnConflict => Meaning::Answered,
        }
    }
}

impl From<u32> for ErrorCode {
    fn from(code: u32) -> ErrorCode {
        ErrorCode::NAMED
            .iter()
            .find_map(|(number, name)| (*number == code).then_some(*name))
            .unwrap_or(ErrorCode::Custom(code))
    }
}

/// An error that a node answers with.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct RpcError {
    /// What kind of error.
    pub code: ErrorCode,
    /// The same for people.
    pub text: String,
    /// The node that may know better: who leads, in a system with a leader.
    pub hint: Option<crate::NodeId>,
}

impl fmt::Display for RpcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.text, self.code.code())
    }
}

impl RpcError {
    /// An error with a text for people.
    pub fn new(code: ErrorCode, text: impl Into<String>) -> RpcError {
        RpcError { code, text: text.into(), hint: None }
    }

    /// Not now, and nothing was started; perhaps `hint` can serve.
    pub fn unavailable(text: impl Into<String>, hint: Option<crate::NodeId>) -> RpcError {
        RpcError { hint, ..RpcError::new(ErrorCode::TemporarilyUnavailable, text) }
    }

    /// The body on the wire, without `in_reply_to`.
    pub fn to_body(&self) -> Body {
        let mut body = Body::new();
        body.insert("type".into(), "error".into());
        body.insert("code".into(), self.code.code().into());
        body.insert("text".into(), self.text.clone().into());
        if let Some(hint) = self.hint {
            body.insert("hint".into(), hint.to_string().into());
        }
        body
    }
}

/// A reply off the wire: the body of a success, or the error that it carries.
///
/// Anything that is not a JSON object with a `type` is unparsable, and its reader treats it as doubtful.
pub fn parse_reply(body: Body) -> Result<Result<Body, RpcError>, String> {
    #[derive(Deserialize)]
    struct Error {
        code: u32,
        #[serde(default)]
        text: String,
        #[serde(default)]
        hint: Option<crate::NodeId>,
    }
    match body.get("type").and_then(Value::as_str) {
        None => Err("a reply without a `type`".to_owned()),
        Some("error") => {
            let error: Error =
                serde_json::from_value(Value::Object(body)).map_err(|error| error.to_string())?;
            Ok(Err(RpcError { code: error.code.into(), text: error.text, hint: error.hint }))
        }
        Some(_) => Ok(Ok(body)),
    }
}

/// A request off the wire, or the error that answers one which makes no sense.
pub fn parse_request<R: DeserializeOwned>(body: Body) -> Result<R, RpcError> {
    let malformed = |text: String| RpcError::new(ErrorCode::MalformedRequest, text);
    let Some(kind) = body.get("type").and_then(Value::as_str) else {
        return Err(malformed("a request needs a `type`".to_owned()));
    };
    let kind = kind.to_owned();
    serde_json::from_value(Value::Object(body)).map_err(|error| {
        let text = error.to_string();
        if text.starts_with(&format!("unknown variant `{kind}`")) {
            RpcError::new(ErrorCode::NotSupported, text)
        } else {
            malformed(text)
        }
    })
}

/// Identifies a request across its attempts: what a session table is keyed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestId {
    /// The client process.
    pub session: u64,
    /// Counts the ops of the session from 1.
    pub sequence: u64,
}

impl RequestId {
    /// What a body says of it: both fields, or none.
    pub fn of(body: &Body) -> Result<Option<RequestId>, String> {
        let field = |name: &str| match body.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_u64() {
                Some(number) => Ok(Some(number)),
                None => Err(format!("`{name}` is {value}, and not a natural number")),
            },
        };
        match (field("session")?, field("sequence")?) {
            (None, None) => Ok(None),
            (Some(session), Some(sequence)) => Ok(Some(RequestId { session, sequence })),
            (Some(_), None) => Err("`session` without `sequence`".to_owned()),
            (None, Some(_)) => Err("`sequence` without `session`".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn codes_survive_the_wire() {
        for code in (0..40).chain([1000, 1001]) {
            assert_eq!(ErrorCode::from(code).code(), code);
        }
        let error = RpcError::unavailable("not the leader", Some(crate::NodeId(3)));
        assert_eq!(parse_reply(error.to_body()), Ok(Err(error)));
    }

    #[test]
    fn unknown_codes_are_doubtful() {
        assert_eq!(ErrorCode::from(1234).meaning(), Meaning::Doubtful);
        assert_eq!(ErrorCode::from(99).meaning(), Meaning::Doubtful);
        assert_eq!(ErrorCode::from(13).meaning(), Meaning::Doubtful);
        assert_eq!(ErrorCode::from(11).meaning(), Meaning::NotStarted);
        assert_eq!(ErrorCode::from(22).meaning(), Meaning::Answered);
    }

    #[test]
    fn garbage_is_no_reply() {
        assert!(parse_reply(Body::new()).is_err());
        let mut body = Body::new();
        body.insert("type".into(), "error".into());
        assert!(parse_reply(body).is_err());
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(tag = "type", rename_all = "lowercase")]
    enum Request {
        Read { key: String },
    }

    fn understood(body: serde_json::Value) -> Result<Request, u32> {
        let Value::Object(body) = body else { panic!("not an object") };
        parse_request(body).map_err(|error| error.code.code())
    }

    #[test]
    fn what_makes_no_sense_is_told_apart() {
        let read = Request::Read { key: "k".to_owned() };
        assert_eq!(understood(json!({"type": "read", "key": "k", "session": 1})), Ok(read));
        assert_eq!(understood(json!({"key": "k"})), Err(12));
        assert_eq!(understood(json!({"type": "read", "key": 5})), Err(12));
        assert_eq!(understood(json!({"type": "grow"})), Err(10));
    }
}
