//! Nodes whose every message is delivered by hand, and a story of what happened.

use std::collections::BTreeMap;
use std::fmt::Write;

use rashomon_core::{
    Context, Effect, Invariant, Map, Node, NodeId, Probe, Rng, Seed, Setup, System, Ticket, Time,
};
use rashomon_systems::primary_backup::{Message, PrimaryBackup, PrimaryBackupProtocol, Record, Timer, View};

struct Actor {
    node: Option<Box<dyn Node<PrimaryBackupProtocol>>>,
    disk: Vec<Record>,
    rng: Rng,
}

pub(crate) struct Stage {
    setup: Setup,
    actors: BTreeMap<NodeId, Actor>,
    /// Messages on their way, oldest first.
    wire: Vec<(NodeId, NodeId, Message)>,
    /// Messages that will arrive late.
    held: Vec<(NodeId, NodeId, Message)>,
    invariants: Vec<Box<dyn Invariant>>,
    tickets: u64,
    story: String,
}

impl Stage {
    /// Fresh nodes.
    pub(crate) fn new(count: u16, bugs: &[&str]) -> Stage {
        let nodes = NodeId::first(count);
        let bugs = bugs.iter().map(|bug| (*bug).to_owned()).collect();
        let actor =
            |node: &NodeId| Actor { node: None, disk: Vec::new(), rng: Seed(u64::from(node.0)).rng() };
        let mut stage = Stage {
            setup: Setup { me: NodeId(1), nodes: nodes.clone(), bugs, options: Map::new() },
            actors: nodes.iter().map(|node| (*node, actor(node))).collect(),
            wire: Vec::new(),
            held: Vec::new(),
            invariants: PrimaryBackup::invariants(),
            tickets: 0,
            story: String::new(),
        };
        for node in nodes {
            stage.boot(node);
        }
        stage.wire.clear();
        stage
    }

    pub(crate) fn story(self) -> String {
        self.story
    }

    /// A line between the acts.
    pub(crate) fn say(&mut self, text: &str) {
        if !self.story.is_empty() {
            self.story.push('\n');
        }
        writeln!(self.story, "# {text}").unwrap();
    }

    fn tell(&mut self, text: &str) {
        writeln!(self.story, "{text}").unwrap();
    }

    fn enter(
        &mut self,
        me: NodeId,
        step: impl FnOnce(&mut dyn Node<PrimaryBackupProtocol>, &mut Context<'_, PrimaryBackupProtocol>),
    ) {
        let actor = self.actors.get_mut(&me).unwrap();
        let Some(state) = &mut actor.node else { return };
        let mut effects = Vec::new();
        step(&mut **state, &mut Context::new(me, Time::ZERO, &mut actor.rng, &mut effects));
        for effect in effects {
            match effect {
                // The disk on stage is instant, so nothing is ever held back.
                Effect::Persist(record) => self.actors.get_mut(&me).unwrap().disk.push(record),
                Effect::Checkpoint(records) => self.actors.get_mut(&me).unwrap().disk = records,
                Effect::Send(to, message) => self.wire.push((me, to, message)),
                Effect::Reply(_, outcome) => {
                    let text = match outcome {
                        Ok(reply) => serde_json::to_string(&reply).unwrap(),
                        Err(error) => match error.hint {
                            Some(hint) => format!("{error}, ask {hint}"),
                            None => error.to_string(),
                        },
                    };
                    self.tell(&format!("{me} answers: {text}"));
                }
                Effect::Probe(probe) => self.observe(me, &probe),
                Effect::SetTimer(..) | Effect::CancelTimer(_) => {}
            }
        }
    }

    fn observe(&mut self, node: NodeId, probe: &Probe) {
        let number = |field| probe.number(field).unwrap_or_default();
        match probe.probe.as_str() {
            "enter" => self.tell(&format!("{node} enters view {}", number("view"))),
            "primary" => {
                self.tell(&format!("{node} serves in view {}, from {} on", number("term"), number("op")));
            }
            "restore" => self.tell(&format!("{node} has the state after {}", number("op"))),
            "commit" => self.tell(&format!("{node} commits up to {}", number("op"))),
            _ => {}
        }
        for invariant in &mut self.invariants {
            if let Err(violation) = invariant.observe(Time::ZERO, node, probe) {
                writeln!(self.story, "! {}: {}", violation.invariant, violation.because).unwrap();
            }
        }
    }

    fn boot(&mut self, me: NodeId) {
        let setup = Setup { me, ..self.setup.clone() };
        let actor = self.actors.get_mut(&me).unwrap();
        actor.node = Some(PrimaryBackup::boot(&setup, actor.disk.clone()).unwrap());
        self.enter(me, |node, cx| node.on_start(cx));
    }

    pub(crate) fn start(&mut self, node: u16) {
        self.tell(&format!("n{node} starts"));
        self.boot(NodeId(node));
    }

    pub(crate) fn crash(&mut self, node: u16) {
        self.actors.get_mut(&NodeId(node)).unwrap().node = None;
        self.wire.retain(|(from, to, _)| from.0 != node && to.0 != node);
        self.tell(&format!("n{node} crashes"));
    }

    pub(crate) fn ping(&mut self, server: u16) {
        self.enter(NodeId(server), |node, cx| node.on_timer(Timer::Ping, cx));
        self.deliver(|from, to| from == server && to == 1);
    }

    pub(crate) fn first(&mut self) {
        self.enter(NodeId(1), |node, cx| node.on_timer(Timer::First, cx));
    }

    pub(crate) fn dead(&mut self, server: u16) {
        self.tell(&format!("n1 has not heard n{server} for too long"));
        self.enter(NodeId(1), |node, cx| node.on_timer(Timer::Dead(NodeId(server)), cx));
    }

    pub(crate) fn resends(&mut self, server: u16) {
        self.tell(&format!("n{server} repeats itself"));
        self.enter(NodeId(server), |node, cx| node.on_timer(Timer::Resend, cx));
    }

    pub(crate) fn asks(&mut self, node: u16, body: &str) {
        self.tell(&format!("a client asks n{node}: {body}"));
        self.tickets += 1;
        let (ticket, request) = (Ticket(self.tickets), serde_json::from_str(body).unwrap());
        self.enter(NodeId(node), |node, cx| node.on_request(ticket, request, cx));
    }

    /// Delivers what may pass, and what that causes, until nothing is left that may; each message is told.
    pub(crate) fn deliver(&mut self, passes: impl Fn(u16, u16) -> bool) {
        while let Some(at) = self.wire.iter().position(|(from, to, _)| passes(from.0, to.0)) {
            let (from, to, message) = self.wire.remove(at);
            let gone = if self.actors[&to].node.is_none() { " (lost)" } else { "" };
            self.tell(&format!("{from} -> {to}: {}{gone}", describe(&message)));
            self.enter(to, |node, cx| node.on_message(from, message, cx));
        }
    }

    /// Holds back what is on its way from one node to another.
    pub(crate) fn hold(&mut self, from: u16, to: u16) {
        let (held, wire) = std::mem::take(&mut self.wire)
            .into_iter()
            .partition(|(sender, receiver, _)| sender.0 == from && receiver.0 == to);
        self.held = held;
        self.wire = wire;
    }

    /// Lets go what was held back.
    pub(crate) fn release(&mut self) {
        let held = std::mem::take(&mut self.held);
        self.wire.splice(0..0, held);
    }

    /// Loses everything that is on its way.
    pub(crate) fn lose(&mut self) {
        for (from, to, message) in std::mem::take(&mut self.wire) {
            self.tell(&format!("{from} -> {to}: {} (lost)", describe(&message)));
        }
    }
}

fn describe(message: &Message) -> String {
    match message {
        Message::Ping { view, complete: false } => format!("I am in view {view}"),
        Message::Ping { view, complete: true } => format!("I am in view {view}, and complete"),
        Message::View(View { number, primary, backup }) => {
            let name =
                |node: &Option<NodeId>| node.map_or_else(|| "nobody".to_owned(), |node| node.to_string());
            format!("view {number}: primary {}, backup {}", name(primary), name(backup))
        }
        Message::Replicate { view, operations, .. } => match &operations[..] {
            [] => format!("in view {view}: are you there?"),
            [only] => format!("in view {view}: run {}", only.number),
            [first, .., last] => format!("in view {view}: run {} to {}", first.number, last.number),
        },
        Message::Acknowledge { view, number, .. } => format!("in view {view}: I have all up to {number}"),
        Message::Transfer { view, number, offset, total, .. } => {
            format!("in view {view}: the state after {number}, chunk {} of {total}", offset + 1)
        }
        Message::Received { view, chunks, .. } => format!("in view {view}: I have {chunks} chunks"),
    }
}
