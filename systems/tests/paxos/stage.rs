//! Nodes whose every message is delivered by hand, and a story of what happened.

use std::collections::BTreeMap;
use std::fmt::Write;

use rashomon_core::{
    Context, Effect, Invariant, Map, Node, NodeId, Probe, Rng, Seed, Setup, System, Ticket, Time,
};
use rashomon_systems::paxos::{Ballot, Message, Operation, Paxos, PaxosProtocol, Record, Timer, Value};

/// The bytes of a message that fits through every socket.
const LONGEST_MESSAGE: usize = 8 << 10;

struct Actor {
    node: Option<Box<dyn Node<PaxosProtocol>>>,
    disk: Vec<Record>,
    rng: Rng,
}

pub(crate) struct Stage {
    setup: Setup,
    actors: BTreeMap<NodeId, Actor>,
    /// Messages on their way, oldest first.
    wire: Vec<(NodeId, NodeId, Message)>,
    invariants: Vec<Box<dyn Invariant>>,
    tickets: u64,
    story: String,
}

impl Stage {
    /// Nodes with empty disks.
    pub(crate) fn new(nodes: u16, bugs: &[&str], options: &[(&str, u64)]) -> Stage {
        let nodes = NodeId::first(nodes);
        let options: Map<String, _> =
            options.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        let bugs = bugs.iter().map(|bug| (*bug).to_owned()).collect();
        let actor =
            |node: &NodeId| Actor { node: None, disk: Vec::new(), rng: Seed(u64::from(node.0)).rng() };
        let mut stage = Stage {
            setup: Setup { me: NodeId(1), nodes: nodes.clone(), bugs, options },
            actors: nodes.iter().map(|node| (*node, actor(node))).collect(),
            wire: Vec::new(),
            invariants: Paxos::invariants(),
            tickets: 0,
            story: String::new(),
        };
        for node in nodes {
            stage.start(node.0);
        }
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
        node: u16,
        step: impl FnOnce(&mut dyn Node<PaxosProtocol>, &mut Context<'_, PaxosProtocol>),
    ) {
        let me = NodeId(node);
        let actor = self.actors.get_mut(&me).unwrap();
        let Some(state) = &mut actor.node else { return };
        let mut effects = Vec::new();
        step(&mut **state, &mut Context::new(me, Time::ZERO, &mut actor.rng, &mut effects));
        for effect in effects {
            match effect {
                // The disk on stage is instant, so nothing is ever held back.
                Effect::Persist(record) => self.actors.get_mut(&me).unwrap().disk.push(record),
                Effect::Checkpoint(records) => self.actors.get_mut(&me).unwrap().disk = records,
                Effect::Send(to, message) => {
                    let bytes = serde_json::to_string(&message).unwrap().len();
                    assert!(bytes < LONGEST_MESSAGE, "{bytes} bytes: {message:?}");
                    self.wire.push((me, to, message));
                }
                Effect::Reply(_, outcome) => {
                    let text = match outcome {
                        Ok(reply) => serde_json::to_string(&reply).unwrap(),
                        Err(error) => error.to_string(),
                    };
                    self.tell(&format!("{me} answers: {text}"));
                }
                Effect::Probe(probe) => self.observe(me, &probe),
                Effect::SetTimer(..) | Effect::CancelTimer(_) => {}
            }
        }
    }

    fn observe(&mut self, node: NodeId, probe: &Probe) {
        if let Some(text) = describe_probe(probe) {
            self.tell(&format!("{node} {text}"));
        }
        for invariant in &mut self.invariants {
            if let Err(violation) = invariant.observe(Time::ZERO, node, probe) {
                writeln!(self.story, "! {}: {}", violation.invariant, violation.because).unwrap();
            }
        }
    }

    pub(crate) fn start(&mut self, node: u16) {
        let me = NodeId(node);
        let setup = Setup { me, ..self.setup.clone() };
        let actor = self.actors.get_mut(&me).unwrap();
        actor.node = Some(Paxos::boot(&setup, actor.disk.clone()).unwrap());
        self.enter(node, |node, cx| node.on_start(cx));
    }

    pub(crate) fn crash(&mut self, node: u16) {
        self.actors.get_mut(&NodeId(node)).unwrap().node = None;
        self.wire.retain(|(from, to, _)| from.0 != node && to.0 != node);
        self.tell(&format!("n{node} crashes"));
    }

    pub(crate) fn fires(&mut self, node: u16, timer: Timer) {
        match timer {
            Timer::Election => self.tell(&format!("n{node} has not heard a leader for too long")),
            Timer::Heartbeat => self.tell(&format!("n{node} repeats itself")),
            Timer::Quorum => self.tell(&format!("n{node} checks its quorum")),
        }
        self.enter(node, |node, cx| node.on_timer(timer, cx));
    }

    pub(crate) fn asks(&mut self, node: u16, body: &str) {
        self.tell(&format!("a client asks n{node}: {body}"));
        self.tickets += 1;
        let (ticket, request) = (Ticket(self.tickets), serde_json::from_str(body).unwrap());
        self.enter(node, |node, cx| node.on_request(ticket, request, cx));
    }

    /// Delivers what may pass, and what that causes, until nothing is left that may; each message is told.
    pub(crate) fn deliver(&mut self, passes: impl Fn(u16, u16, &Message) -> bool) {
        while let Some(at) = self.wire.iter().position(|(from, to, message)| passes(from.0, to.0, message)) {
            let (from, to, message) = self.wire.remove(at);
            if let Some(text) = describe(&message) {
                self.tell(&format!("{from} -> {to}: {text}"));
            }
            self.enter(to.0, |node, cx| node.on_message(from, message, cx));
        }
    }

    /// Delivers among these nodes alone, and loses what went elsewhere.
    pub(crate) fn among(&mut self, nodes: &[u16]) {
        self.deliver(|from, to, _| nodes.contains(&from) && nodes.contains(&to));
        self.wire.clear();
    }
}

fn describe_probe(probe: &Probe) -> Option<String> {
    let number = |field| probe.number(field).unwrap_or_default();
    let ballot = |field| format!("{}.n{}", number(field) / 1000, number(field) % 1000);
    match probe.probe.as_str() {
        "prepare" => Some(format!("begins ballot {}", ballot("ballot"))),
        "leader" => Some(format!("leads in ballot {}", ballot("term"))),
        "chosen" => {
            Some(format!("holds slot {} to be chosen in ballot {}", number("slot"), ballot("ballot")))
        }
        "learn" => Some(format!("learns slot {}", number("slot"))),
        "snapshot" => Some(format!("takes a snapshot after slot {}", number("slot"))),
        "restore" => Some(format!("begins from the state after slot {}", number("slot"))),
        _ => None,
    }
}

fn values(values: &[Value]) -> String {
    let words: Vec<String> = values.iter().map(value).collect();
    words.join(", ")
}

fn value(value: &Value) -> String {
    let Ballot { round, node } = value.origin;
    let what = match &value.operation {
        Operation::Noop => "a no-op".to_owned(),
        Operation::Read => "a read".to_owned(),
        Operation::Run(proposal) => serde_json::to_string(&proposal.command).unwrap(),
    };
    format!("{what} of {round}.{node}")
}

/// What a message says. Acceptances are many, and what they lead to is told anyway.
fn describe(message: &Message) -> Option<String> {
    Some(match message {
        Message::Prepare { ballot, from } => {
            format!("promise me {ballot}; what did you accept from slot {from} on?")
        }
        Message::Promise { ballot, base, votes, next, .. } => {
            let mut text = format!("I promise {ballot}");
            if base.0 > 0 {
                write!(text, "; all up to slot {base} is chosen").unwrap();
            }
            for vote in votes {
                write!(text, "; in slot {} I accepted in {} {}", vote.slot, vote.ballot, value(&vote.value))
                    .unwrap();
            }
            if next.is_some() {
                text.push_str("; and more");
            }
            text
        }
        Message::Accept { ballot, first, values: list } => {
            format!("accept in {ballot} from slot {first} on {}", values(list))
        }
        Message::Accepted { .. } | Message::Heard { .. } => return None,
        Message::Preempted { promised } => format!("I promised {promised}"),
        Message::Heartbeat { ballot, chosen } => {
            format!("I lead in {ballot}; all up to slot {chosen} is chosen")
        }
        Message::Learn { from } => format!("what was chosen from slot {from} on?"),
        Message::Chosen { first, values: list, .. } => {
            format!("chosen from slot {first} on: {}", values(list))
        }
        Message::Fetch { at, offset } => format!("chunk {} of the state after slot {at}, please", offset + 1),
        Message::State { at, offset, total, .. } => {
            format!("chunk {} of {total} of the state after slot {at}", offset + 1)
        }
    })
}
