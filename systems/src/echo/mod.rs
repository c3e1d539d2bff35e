//! The control system: a node that answers every request at once and remembers nothing.
//!
//! It has no protocol, so whatever a run against it costs is what the harness itself costs. A verdict on it
//! says nothing about any system.

use rashomon_core::{
    BootError, Context, Invariant, Map, Node, NodeId, Protocol, Setup, System, SystemInfo, Ticket, Value,
};
use serde::{Deserialize, Serialize};

/// The control system, under the name `echo`.
#[derive(Clone, Copy, Debug)]
pub struct Echo;

/// What a client asks: `{"type":"echo","value":V}`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Request {
    /// Say this back.
    Echo {
        /// Anything.
        #[serde(default)]
        value: Value,
    },
}

/// What it is told: `{"type":"echo_ok","value":V}`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Reply {
    /// The same again.
    EchoOk {
        /// What the request said.
        value: Value,
    },
}

/// The types of the control system: its nodes neither talk, wait nor write.
#[derive(Clone, Copy, Debug)]
pub struct EchoProtocol;

impl Protocol for EchoProtocol {
    type Message = ();
    type Timer = ();
    type Record = ();
    type Request = Request;
    type Reply = Reply;
}

struct EchoNode;

impl Node<EchoProtocol> for EchoNode {
    fn on_start(&mut self, _cx: &mut Context<'_, EchoProtocol>) {}

    fn on_message(&mut self, _from: NodeId, (): (), _cx: &mut Context<'_, EchoProtocol>) {}

    fn on_timer(&mut self, (): (), _cx: &mut Context<'_, EchoProtocol>) {}

    fn on_request(&mut self, ticket: Ticket, request: Request, cx: &mut Context<'_, EchoProtocol>) {
        let Request::Echo { value } = request;
        cx.reply(ticket, Reply::EchoOk { value });
    }
}

impl System for Echo {
    type Protocol = EchoProtocol;

    fn info() -> SystemInfo {
        SystemInfo {
            name: "echo",
            summary: "answers every request at once: a control that measures the harness alone",
            paper: "none",
            nodes: 1,
            workloads: &["echo"],
            sessions: false,
            durable: false,
            leader_probe: "",
            membership: false,
            options: &[],
            bugs: &[],
            controls: &[],
            weak: None,
        }
    }

    fn boot(setup: &Setup, _records: Vec<()>) -> Result<Box<dyn Node<EchoProtocol>>, BootError> {
        let none = Map::new();
        if let Some(bug) = setup.bugs.first() {
            return Err(BootError(format!("echo has no bug `{bug}`; it has none")));
        }
        if setup.options != none {
            return Err(BootError("echo has no options".to_owned()));
        }
        Ok(Box::new(EchoNode))
    }

    fn invariants() -> Vec<Box<dyn Invariant>> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use rashomon_core::{Effect, Seed, Time};

    use super::*;

    #[test]
    fn a_request_is_answered_at_once_with_its_own_value() {
        let setup = Setup { me: NodeId(1), nodes: NodeId::first(1), bugs: Vec::new(), options: Map::new() };
        let mut node = Echo::boot(&setup, Vec::new()).unwrap();
        let request =
            serde_json::from_str(r#"{"type":"echo","value":7,"msg_id":1,"session":0,"sequence":1}"#).unwrap();
        let (mut rng, mut effects) = (Seed(1).rng(), Vec::new());
        node.on_request(Ticket(3), request, &mut Context::new(NodeId(1), Time::ZERO, &mut rng, &mut effects));
        let [Effect::Reply(Ticket(3), Ok(reply))] = &effects[..] else { panic!("{effects:?}") };
        assert_eq!(serde_json::to_string(reply).unwrap(), r#"{"type":"echo_ok","value":7}"#);
    }

    #[test]
    fn it_has_no_bugs_to_make() {
        let setup =
            Setup { me: NodeId(1), nodes: NodeId::first(1), bugs: vec!["x".into()], options: Map::new() };
        assert!(Echo::boot(&setup, Vec::new()).is_err());
    }
}
