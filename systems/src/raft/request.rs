//! What clients and administrators of Raft ask, and what they are told.

use rashomon_core::{Map, MembershipChange, Value};
use serde::{Deserialize, Serialize};

use crate::kv;

/// A request: something of the store, or another membership.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub enum Request {
    /// Read or change what the nodes keep.
    Serve(kv::Request),
    /// Add a node, or remove one.
    Change(MembershipChange),
}

impl TryFrom<Map<String, Value>> for Request {
    type Error = String;

    fn try_from(body: Map<String, Value>) -> Result<Request, String> {
        match MembershipChange::asked(&body) {
            Some(change) => change.map(Request::Change),
            None => kv::Request::try_from(body).map(Request::Serve),
        }
    }
}

/// What somebody is told when a request succeeded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Reply {
    /// To [`Request::Serve`].
    Served(kv::Reply),
    /// To [`Request::Change`].
    Changed(Changed),
}

/// What an administrator is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Changed {
    /// The membership is as it was asked for, and that is committed.
    MembershipOk,
}

impl From<kv::Reply> for Reply {
    fn from(reply: kv::Reply) -> Reply {
        Reply::Served(reply)
    }
}

impl From<Changed> for Reply {
    fn from(changed: Changed) -> Reply {
        Reply::Changed(changed)
    }
}

#[cfg(test)]
mod tests {
    use rashomon_core::NodeId;

    use super::*;

    #[test]
    fn a_change_of_the_membership_is_told_from_what_the_store_is_asked() {
        let parse = |text: &str| serde_json::from_str::<Request>(text).map_err(|error| error.to_string());
        let add = Request::Change(MembershipChange::Add(NodeId(5)));
        assert_eq!(parse(r#"{"type":"membership","add":"n5","msg_id":3,"session":9,"sequence":1}"#), Ok(add));
        assert!(matches!(parse(r#"{"type":"read","key":"x"}"#), Ok(Request::Serve(_))));
        assert!(parse(r#"{"type":"membership","evict":"n5"}"#).is_err());
        assert!(parse(r#"{"type":"reed","key":"x"}"#).unwrap_err().contains("unknown variant `reed`"));
        let told = |reply: Reply| serde_json::to_string(&reply).unwrap();
        assert_eq!(told(Reply::Changed(Changed::MembershipOk)), r#"{"type":"membership_ok"}"#);
        assert_eq!(told(kv::Reply::WriteOk.into()), r#"{"type":"write_ok"}"#);
    }
}
