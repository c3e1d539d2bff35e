//! A system that passes tokens around, sets timers and writes some of it down.

use std::time::Duration;

use rashomon_core::{
    BootError, Context, Invariant, Node, NodeId, Protocol, Setup, System, SystemInfo, Ticket, Value,
};

/// Whoever gets a token passes it on; every sixteenth is written down first.
pub(crate) struct Tokens;

pub(crate) struct TokenProtocol;

impl Protocol for TokenProtocol {
    type Message = u64;
    type Timer = u8;
    type Record = u64;
    type Request = Value;
    type Reply = Value;
}

struct TokenNode {
    next: NodeId,
    seen: u64,
}

type Cx<'a> = Context<'a, TokenProtocol>;

impl Node<TokenProtocol> for TokenNode {
    fn on_start(&mut self, cx: &mut Cx<'_>) {
        for token in 0..20 {
            cx.send(self.next, token);
        }
        cx.set_timer(0, Duration::from_millis(10));
    }

    fn on_message(&mut self, _from: NodeId, token: u64, cx: &mut Cx<'_>) {
        self.seen += 1;
        if self.seen.is_multiple_of(16) {
            cx.persist(token);
        }
        if self.seen.is_multiple_of(4096) {
            cx.checkpoint(vec![token]);
        }
        // As a follower puts off its election.
        cx.set_timer(1, Duration::from_millis(300));
        cx.send(self.next, token + 1);
    }

    fn on_timer(&mut self, timer: u8, cx: &mut Cx<'_>) {
        cx.set_timer(timer, Duration::from_millis(10));
    }

    fn on_request(&mut self, _ticket: Ticket, _request: Value, _cx: &mut Cx<'_>) {}
}

impl System for Tokens {
    type Protocol = TokenProtocol;

    fn info() -> SystemInfo {
        SystemInfo {
            name: "tokens",
            summary: "",
            paper: "",
            nodes: 5,
            workloads: &[],
            sessions: false,
            durable: true,
            leader_probe: "",
            membership: false,
            options: &[],
            bugs: &[],
            controls: &[],
            weak: None,
        }
    }

    fn boot(setup: &Setup, records: Vec<u64>) -> Result<Box<dyn Node<TokenProtocol>>, BootError> {
        let next = NodeId(setup.me.0 % setup.nodes.len() as u16 + 1);
        Ok(Box::new(TokenNode { next, seen: records.len() as u64 }))
    }

    fn invariants() -> Vec<Box<dyn Invariant>> {
        Vec::new()
    }
}
