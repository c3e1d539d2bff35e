//! Nodes whose every message is delivered by hand, and a story of what happened.

use std::collections::BTreeMap;
use std::fmt::Write;

use rashomon_core::{
    Context, Effect, Invariant, Map, Node, NodeId, Probe, Rng, Seed, Setup, System, Ticket, Time,
};
use rashomon_systems::paxos::Ballot;
use rashomon_systems::synod::{Message, Record, Step, Synod, SynodProtocol, Timer, Vote};

struct Actor {
    node: Option<Box<dyn Node<SynodProtocol>>>,
    disk: Vec<Record>,
    rng: Rng,
}

/// All decrees on stage have this key.
const KEY: &str = "x";

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
    pub(crate) fn new(nodes: u16, bugs: &[&str]) -> Stage {
        let nodes = NodeId::first(nodes);
        let bugs = bugs.iter().map(|bug| (*bug).to_owned()).collect();
        let actor =
            |node: &NodeId| Actor { node: None, disk: Vec::new(), rng: Seed(u64::from(node.0)).rng() };
        let mut stage = Stage {
            setup: Setup { me: NodeId(1), nodes: nodes.clone(), bugs, options: Map::new() },
            actors: nodes.iter().map(|node| (*node, actor(node))).collect(),
            wire: Vec::new(),
            invariants: Synod::invariants(),
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
        step: impl FnOnce(&mut dyn Node<SynodProtocol>, &mut Context<'_, SynodProtocol>),
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
                Effect::Send(to, message) => self.wire.push((me, to, message)),
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
        let ballot = Ballot::numbered(probe.number("ballot").unwrap_or_default());
        match probe.probe.as_str() {
            "prepare" => self.tell(&format!("{node} begins ballot {ballot}")),
            "chosen" => {
                let value = &probe.fields["value"];
                self.tell(&format!("{node} holds that {value} is chosen, in ballot {ballot}"));
            }
            _ => {}
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
        actor.node = Some(Synod::boot(&setup, actor.disk.clone()).unwrap());
        self.enter(node, |node, cx| node.on_start(cx));
    }

    /// The process ends and starts again, with what is on its disk; what was on its way to or from it is lost.
    pub(crate) fn restarts(&mut self, node: u16) {
        self.wire.retain(|(from, to, _)| from.0 != node && to.0 != node);
        self.tell(&format!("n{node} crashes and starts again"));
        self.start(node);
    }

    pub(crate) fn retries(&mut self, node: u16) {
        self.tell(&format!("n{node} has waited long enough"));
        self.enter(node, |node, cx| node.on_timer(Timer::Retry { key: KEY.to_owned() }, cx));
    }

    pub(crate) fn proposes(&mut self, node: u16, value: i64) {
        self.tell(&format!("a client proposes {value} to n{node}"));
        self.asks(node, &format!(r#"{{"type":"propose","key":"{KEY}","value":{value}}}"#));
    }

    pub(crate) fn learns(&mut self, node: u16) {
        self.tell(&format!("a client asks n{node} what is chosen"));
        self.asks(node, &format!(r#"{{"type":"learn","key":"{KEY}"}}"#));
    }

    fn asks(&mut self, node: u16, body: &str) {
        self.tickets += 1;
        let (ticket, request) = (Ticket(self.tickets), serde_json::from_str(body).unwrap());
        self.enter(node, |node, cx| node.on_request(ticket, request, cx));
    }

    /// Delivers what may pass, and what that causes, until nothing is left that may; each message is told.
    pub(crate) fn deliver(&mut self, passes: impl Fn(u16, u16, &Step) -> bool) {
        while let Some(at) =
            self.wire.iter().position(|(from, to, message)| passes(from.0, to.0, &message.step))
        {
            let (from, to, message) = self.wire.remove(at);
            if let Some(text) = describe(message.step) {
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

/// What a message says. Acceptances are many, and what they lead to is told anyway.
fn describe(step: Step) -> Option<String> {
    let told = |Vote { ballot, value }: Vote| format!("{value} in {ballot}");
    Some(match step {
        Step::Prepare { ballot } => format!("promise me {ballot}; what did you accept?"),
        Step::Promise { ballot, vote: None } => format!("I promise {ballot}; I accepted nothing"),
        Step::Promise { ballot, vote: Some(vote) } => {
            format!("I promise {ballot}; I accepted {}", told(vote))
        }
        Step::Accept { vote } => format!("accept {}", told(vote)),
        Step::Accepted { .. } => return None,
        Step::Preempted { promised } => format!("I promised {promised}"),
    })
}
