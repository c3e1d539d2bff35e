//! Nodes whose every message is delivered and every timer fired by hand, and a story of what happened.

use std::collections::BTreeMap;
use std::fmt::Write;

use rashomon_core::{
    Context, Effect, Invariant, Map, Node, NodeId, Probe, Rng, Seed, Setup, System, Ticket, Time,
};
use rashomon_systems::lock::{LockProtocol, Message, Record, Round, SectionId, Timer, Token};

struct Actor {
    node: Option<Box<dyn Node<LockProtocol>>>,
    disk: Vec<Record>,
    rng: Rng,
}

type Boot = fn(&Setup, Vec<Record>) -> Box<dyn Node<LockProtocol>>;

pub(crate) struct Stage {
    setup: Setup,
    boot: Boot,
    actors: BTreeMap<NodeId, Actor>,
    /// Messages on their way, oldest first.
    wire: Vec<(NodeId, NodeId, Message)>,
    invariants: Vec<Box<dyn Invariant>>,
    /// Counts steps, so that what comes later has a later time.
    now: u64,
    tickets: u64,
    story: String,
}

impl Stage {
    /// Fresh nodes of a system: `Lock` or `Redlock`.
    pub(crate) fn of<S: System<Protocol = LockProtocol>>(count: u16, bugs: &[&str]) -> Stage {
        let nodes = NodeId::first(count);
        let bugs = bugs.iter().map(|bug| (*bug).to_owned()).collect();
        let actor =
            |node: &NodeId| Actor { node: None, disk: Vec::new(), rng: Seed(u64::from(node.0)).rng() };
        let mut stage = Stage {
            setup: Setup { me: NodeId(1), nodes: nodes.clone(), bugs, options: Map::new() },
            boot: |setup, records| S::boot(setup, records).unwrap(),
            actors: nodes.iter().map(|node| (*node, actor(node))).collect(),
            wire: Vec::new(),
            invariants: S::invariants(),
            now: 0,
            tickets: 0,
            story: String::new(),
        };
        for node in nodes {
            stage.boot(node);
        }
        stage
    }

    /// What happened; it must accuse by exactly these invariants.
    #[track_caller]
    pub(crate) fn story(self, accused: &[&str]) -> String {
        let names: Vec<&str> =
            self.story.lines().filter_map(|line| line.strip_prefix("! ")?.split(':').next()).collect();
        let mut distinct = names.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct, accused, "{}", self.story);
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
        step: impl FnOnce(&mut dyn Node<LockProtocol>, &mut Context<'_, LockProtocol>),
    ) {
        self.now += 1;
        let actor = self.actors.get_mut(&me).unwrap();
        let Some(state) = &mut actor.node else { return };
        let mut effects = Vec::new();
        step(&mut **state, &mut Context::new(me, Time(self.now), &mut actor.rng, &mut effects));
        for effect in effects {
            match effect {
                // The disk on stage is instant, so nothing is ever held back.
                Effect::Persist(record) => self.actors.get_mut(&me).unwrap().disk.push(record),
                Effect::Checkpoint(records) => self.actors.get_mut(&me).unwrap().disk = records,
                Effect::Send(to, message) => self.wire.push((me, to, message)),
                Effect::Reply(_, outcome) => {
                    let text = outcome.map_or_else(
                        |error| error.to_string(),
                        |reply| serde_json::to_string(&reply).unwrap(),
                    );
                    self.tell(&format!("{me} answers: {text}"));
                }
                Effect::Probe(probe) => self.observe(me, &probe),
                Effect::SetTimer(..) | Effect::CancelTimer(_) => {}
            }
        }
    }

    fn observe(&mut self, node: NodeId, probe: &Probe) {
        for invariant in &mut self.invariants {
            if let Err(violation) = invariant.observe(Time(self.now), node, probe) {
                writeln!(self.story, "! {}", violation.invariant).unwrap();
            }
        }
    }

    fn boot(&mut self, me: NodeId) {
        let setup = Setup { me, ..self.setup.clone() };
        let actor = self.actors.get_mut(&me).unwrap();
        actor.node = Some((self.boot)(&setup, actor.disk.clone()));
        self.enter(me, |node, cx| node.on_start(cx));
    }

    /// The node dies and starts again. What is on its way to or from it is lost.
    pub(crate) fn restart(&mut self, node: u16) {
        self.wire.retain(|(from, to, _)| from.0 != node && to.0 != node);
        self.tell(&format!("n{node} dies and starts again"));
        self.boot(NodeId(node));
    }

    /// A client asks.
    pub(crate) fn asks(&mut self, node: u16, body: &str) {
        self.tell(&format!("a client asks n{node}: {body}"));
        self.tickets += 1;
        let (ticket, request) = (Ticket(self.tickets), serde_json::from_str(body).unwrap());
        self.enter(NodeId(node), |node, cx| node.on_request(ticket, request, cx));
    }

    /// The lease of lock x has run its time at a lock server.
    pub(crate) fn lapse(&mut self, server: u16) {
        self.tell(&format!("at n{server} the lease has run its time"));
        self.enter(NodeId(server), |node, cx| node.on_timer(Timer::Lapse("x".to_owned()), cx));
    }

    /// The first section of a holder has done the work before its next write.
    pub(crate) fn worked(&mut self, holder: u16) {
        self.tell(&format!("n{holder} has worked"));
        self.enter(NodeId(holder), |node, cx| node.on_timer(Timer::Work(SectionId(1)), cx));
    }

    /// The first section of a holder stops believing in the lease that it asked for first.
    pub(crate) fn doubts(&mut self, holder: u16) {
        self.tell(&format!("n{holder} does not believe in its lease any longer"));
        self.enter(NodeId(holder), |node, cx| node.on_timer(Timer::Lease(SectionId(1), Round(1)), cx));
    }

    /// The first section of a holder says the last thing again.
    pub(crate) fn repeats(&mut self, holder: u16) {
        self.tell(&format!("n{holder} asks again"));
        self.enter(NodeId(holder), |node, cx| node.on_timer(Timer::Retry(SectionId(1)), cx));
    }

    /// Delivers what may pass, and what that causes, until nothing is left that may; each message is told.
    pub(crate) fn deliver(&mut self, passes: impl Fn(u16, u16) -> bool) {
        while let Some(at) = self.wire.iter().position(|(from, to, _)| passes(from.0, to.0)) {
            let (from, to, message) = self.wire.remove(at);
            self.tell(&format!("{from} -> {to}: {}", describe(&message)));
            self.enter(to, |node, cx| node.on_message(from, message, cx));
        }
    }

    /// A holder goes on to the end of its first section, undisturbed.
    pub(crate) fn finishes(&mut self, holder: u16) {
        for _ in 0..2 {
            self.worked(holder);
            self.deliver(|from, to| from == holder || to == holder);
        }
    }
}

fn describe(message: &Message) -> String {
    let with =
        |token: &Option<Token>| token.map_or_else(String::new, |token| format!(", with token {token}"));
    match message {
        Message::Acquire { lock, .. } => format!("give me lock {lock}"),
        Message::Renew { lock, .. } => format!("let my lease of lock {lock} begin anew"),
        Message::Release { lock, .. } => format!("I am done with lock {lock}"),
        Message::Granted { lock, token, .. } => format!("lock {lock} is yours{}", with(token)),
        Message::Denied { lock, .. } => format!("lock {lock} is another's"),
        Message::Open { key, token, .. } => {
            format!("what is {key}?{}", with(token).replace(", with", " I come with"))
        }
        Message::Opened { value, .. } => format!("it is {value}"),
        Message::Write { key, value, token, .. } => format!("{key} is {value}{}", with(token)),
        Message::Written { .. } => "it is written".to_owned(),
        Message::Fenced { .. } => "a newer token was here".to_owned(),
    }
}
