//! Changes of who belongs to a cluster.

use crate::NodeId;
use crate::rpc::Body;

/// A change of the membership by one node, as it is asked of a system.
///
/// It is a request like any client's: `{"type": "membership", "add": "n5"}` or `{"type": "membership", "remove":
/// "n2"}`. A system that says in its [`SystemInfo`](crate::SystemInfo) that its membership can change answers it when
/// the membership is as asked for and will stay so until the next request; also when it was so already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MembershipChange {
    /// The node is to belong to the cluster.
    Add(NodeId),
    /// The node is to belong to it no more. Its process goes on.
    Remove(NodeId),
}

impl MembershipChange {
    const TYPE: &'static str = "membership";

    /// Whom it concerns.
    pub fn node(self) -> NodeId {
        match self {
            MembershipChange::Add(node) | MembershipChange::Remove(node) => node,
        }
    }

    /// The request.
    pub fn body(self) -> Body {
        let (verb, node) = match self {
            MembershipChange::Add(node) => ("add", node),
            MembershipChange::Remove(node) => ("remove", node),
        };
        Body::from_iter([
            ("type".to_owned(), MembershipChange::TYPE.into()),
            (verb.to_owned(), node.to_string().into()),
        ])
    }

    /// What a request asks for; `None` when it asks for something else, an error when it makes no sense.
    pub fn asked(body: &Body) -> Option<Result<MembershipChange, String>> {
        if body.get("type")?.as_str()? != MembershipChange::TYPE {
            return None;
        }
        let node = |verb: &str| {
            body.get(verb).map(|node| serde_json::from_value(node.clone()).map_err(|error| error.to_string()))
        };
        Some(match (node("add"), node("remove")) {
            (Some(node), None) => node.map(MembershipChange::Add),
            (None, Some(node)) => node.map(MembershipChange::Remove),
            (None, None) | (Some(_), Some(_)) => {
                Err("a membership request takes `add` or `remove`".to_owned())
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_survives_its_own_wire() {
        for change in [MembershipChange::Add(NodeId(5)), MembershipChange::Remove(NodeId(2))] {
            assert_eq!(MembershipChange::asked(&change.body()), Some(Ok(change)));
            assert_eq!(change.body()["type"], "membership");
        }
        let asked = |text: &str| MembershipChange::asked(&serde_json::from_str(text).unwrap());
        assert_eq!(asked(r#"{"type":"read"}"#), None);
        assert_eq!(asked(r#"{"add":"n1"}"#), None);
        assert!(asked(r#"{"type":"membership"}"#).unwrap().is_err());
        assert!(asked(r#"{"type":"membership","add":"n1","remove":"n2"}"#).unwrap().is_err());
        assert!(asked(r#"{"type":"membership","add":"x"}"#).unwrap().is_err());
    }
}
