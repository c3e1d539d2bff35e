//! What a node makes of a client's request.

use rashomon_core::Value;
use rashomon_core::rpc::{Body, ErrorCode, RpcError};
use serde::de::DeserializeOwned;

/// The request that a body stands for, or the error that a live node would answer.
pub(crate) fn understand<R: DeserializeOwned>(body: Body) -> Result<R, RpcError> {
    let malformed = |text: String| RpcError::new(ErrorCode::MalformedRequest, text);
    let Some(kind) = body.get("type").and_then(Value::as_str) else {
        return Err(malformed("a request needs a `type`".to_owned()));
    };
    let unknown = format!("unknown variant `{kind}`");
    serde_json::from_value(Value::Object(body)).map_err(|error| {
        let text = error.to_string();
        if text.starts_with(&unknown) {
            RpcError::new(ErrorCode::NotSupported, text)
        } else {
            malformed(text)
        }
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(tag = "type", rename_all = "lowercase")]
    enum Request {
        Read { key: String },
    }

    fn understood(body: Value) -> Result<Request, u32> {
        let Value::Object(body) = body else { panic!("not an object") };
        understand(body).map_err(|error| error.code.code())
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
