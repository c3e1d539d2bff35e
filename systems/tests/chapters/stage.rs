//! Nodes whose every message is delivered and every timer fired by hand, and a story of what happened.

use std::collections::BTreeMap;
use std::fmt::Write;

use rashomon_core::{
    Context, Effect, Invariant, Map, Node, NodeId, Probe, Protocol, Rng, Seed, Setup, System, Ticket, Time,
};

/// The bytes of a message that fits through every socket.
const LONGEST_MESSAGE: usize = 8 << 10;

type Message<C> = <<C as System>::Protocol as Protocol>::Message;
type Record<C> = <<C as System>::Protocol as Protocol>::Record;
type Timer<C> = <<C as System>::Protocol as Protocol>::Timer;

/// How the story of a chapter is told. What is `None` is not told: what it leads to is.
pub(crate) trait Cast: System {
    /// What a message says.
    fn message(message: &Message<Self>) -> Option<String>;

    /// What it means for a node that a timer fires.
    fn timer(timer: &Timer<Self>) -> Option<String>;

    /// What a node says of itself.
    fn probe(probe: &Probe) -> Option<String>;

    /// What a node writes down.
    fn record(_record: &Record<Self>) -> Option<String> {
        None
    }
}

struct Actor<C: Cast> {
    node: Option<Box<dyn Node<C::Protocol>>>,
    disk: Vec<Record<C>>,
    rng: Rng,
}

/// A message on its way: from whom, to whom, and what.
type Letter<C> = (NodeId, NodeId, Message<C>);

pub(crate) struct Stage<C: Cast> {
    setup: Setup,
    actors: BTreeMap<NodeId, Actor<C>>,
    /// Messages on their way, oldest first.
    wire: Vec<Letter<C>>,
    /// Messages that will arrive late.
    held: Vec<Letter<C>>,
    invariants: Vec<Box<dyn Invariant>>,
    /// Counts steps, so that what comes later has a later time.
    now: u64,
    tickets: u64,
    story: String,
}

impl<C: Cast> Stage<C> {
    /// Nodes with empty disks.
    pub(crate) fn new(nodes: u16, bugs: &[&str], options: &[(&str, u64)]) -> Stage<C> {
        Stage::from_disks((0..nodes).map(|_| Vec::new()).collect(), bugs, options)
    }

    /// Nodes that begin from these disks. That they start is not told.
    pub(crate) fn from_disks(disks: Vec<Vec<Record<C>>>, bugs: &[&str], options: &[(&str, u64)]) -> Stage<C> {
        let nodes = NodeId::first(disks.len() as u16);
        let options: Map<String, _> =
            options.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        let bugs = bugs.iter().map(|bug| (*bug).to_owned()).collect();
        let actors = nodes
            .iter()
            .zip(disks)
            .map(|(node, disk)| (*node, Actor { node: None, disk, rng: Seed(u64::from(node.0)).rng() }))
            .collect();
        let mut stage = Stage {
            setup: Setup { me: NodeId(1), nodes: nodes.clone(), bugs, options },
            actors,
            wire: Vec::new(),
            held: Vec::new(),
            invariants: C::invariants(),
            now: 0,
            tickets: 0,
            story: String::new(),
        };
        for node in nodes {
            stage.boot(node);
        }
        stage.story.clear();
        stage
    }

    /// What happened. It must accuse by exactly these invariants, given in the order of their names.
    #[track_caller]
    pub(crate) fn story(self, accused: &[&str]) -> String {
        let mut names: Vec<&str> =
            self.story.lines().filter_map(|line| line.strip_prefix("! ")?.split(':').next()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names, accused, "{}", self.story);
        self.story
    }

    /// A line between the acts.
    pub(crate) fn say(&mut self, text: &str) {
        if !self.story.is_empty() {
            self.story.push('\n');
        }
        self.tell(&format!("# {text}"));
    }

    /// One more line.
    pub(crate) fn tell(&mut self, text: &str) {
        writeln!(self.story, "{text}").unwrap();
    }

    /// The disks of all nodes.
    pub(crate) fn disks(&self) -> impl Iterator<Item = (NodeId, &[Record<C>])> {
        self.actors.iter().map(|(node, actor)| (*node, actor.disk.as_slice()))
    }

    fn enter(
        &mut self,
        me: NodeId,
        step: impl FnOnce(&mut dyn Node<C::Protocol>, &mut Context<'_, C::Protocol>),
    ) {
        self.now += 1;
        let actor = self.actors.get_mut(&me).unwrap();
        let Some(state) = &mut actor.node else { return };
        let mut effects = Vec::new();
        step(&mut **state, &mut Context::new(me, Time(self.now), &mut actor.rng, &mut effects));
        for effect in effects {
            match effect {
                // The disk on stage is instant, so nothing is ever held back.
                Effect::Persist(record) => {
                    if let Some(text) = C::record(&record) {
                        self.tell(&format!("{me} writes down: {text}"));
                    }
                    self.actors.get_mut(&me).unwrap().disk.push(record);
                }
                Effect::Checkpoint(records) => self.actors.get_mut(&me).unwrap().disk = records,
                Effect::Send(to, message) => {
                    let bytes = serde_json::to_string(&message).unwrap().len();
                    assert!(bytes < LONGEST_MESSAGE, "{bytes} bytes: {message:?}");
                    self.wire.push((me, to, message));
                }
                Effect::Reply(_, Ok(reply)) => {
                    self.tell(&format!("{me} answers: {}", serde_json::to_string(&reply).unwrap()));
                }
                Effect::Reply(_, Err(error)) => {
                    let hint = error.hint.map_or_else(String::new, |hint| format!(", ask {hint}"));
                    self.tell(&format!("{me} answers: {error}{hint}"));
                }
                Effect::Probe(probe) => self.observe(me, &probe),
                Effect::SetTimer(..) | Effect::CancelTimer(_) => {}
            }
        }
    }

    fn observe(&mut self, node: NodeId, probe: &Probe) {
        if let Some(text) = C::probe(probe) {
            self.tell(&format!("{node} {text}"));
        }
        for invariant in &mut self.invariants {
            if let Err(violation) = invariant.observe(Time(self.now), node, probe) {
                writeln!(self.story, "! {}: {}", violation.invariant, violation.because).unwrap();
            }
        }
    }

    fn boot(&mut self, me: NodeId) {
        let setup = Setup { me, ..self.setup.clone() };
        let actor = self.actors.get_mut(&me).unwrap();
        actor.node = Some(C::boot(&setup, actor.disk.clone()).unwrap());
        self.enter(me, |node, cx| node.on_start(cx));
    }

    /// The process begins, from what is on its disk.
    pub(crate) fn start(&mut self, node: u16) {
        self.tell(&format!("n{node} starts"));
        self.boot(NodeId(node));
    }

    /// The process ends. What is on its way to or from it is lost.
    pub(crate) fn crash(&mut self, node: u16) {
        self.actors.get_mut(&NodeId(node)).unwrap().node = None;
        self.wire.retain(|(from, to, _)| from.0 != node && to.0 != node);
        self.tell(&format!("n{node} crashes"));
    }

    /// A timer fires.
    pub(crate) fn fires(&mut self, node: u16, timer: Timer<C>) {
        if let Some(text) = C::timer(&timer) {
            self.tell(&format!("n{node} {text}"));
        }
        self.enter(NodeId(node), |node, cx| node.on_timer(timer, cx));
    }

    /// A client asks.
    pub(crate) fn asks(&mut self, node: u16, body: &str) {
        self.tell(&format!("a client asks n{node}: {body}"));
        self.tickets += 1;
        let (ticket, request) = (Ticket(self.tickets), serde_json::from_str(body).unwrap());
        self.enter(NodeId(node), |node, cx| node.on_request(ticket, request, cx));
    }

    /// Takes the next message that may pass off the wire and gives it to whom it is for.
    pub(crate) fn deliver_one(
        &mut self,
        passes: impl Fn(u16, u16, &Message<C>) -> bool,
        tell: impl FnOnce(&Message<C>) -> Option<String>,
    ) -> bool {
        let next = self.wire.iter().position(|(from, to, message)| passes(from.0, to.0, message));
        let Some(at) = next else { return false };
        let (from, to, message) = self.wire.remove(at);
        if let Some(text) = tell(&message) {
            let gone = if self.actors[&to].node.is_none() { " (lost)" } else { "" };
            self.tell(&format!("{from} -> {to}: {text}{gone}"));
        }
        self.enter(to, |node, cx| node.on_message(from, message, cx));
        true
    }

    /// Delivers what may pass, and what that causes, until nothing is left that may.
    pub(crate) fn deliver(&mut self, passes: impl Fn(u16, u16, &Message<C>) -> bool) {
        while self.deliver_one(&passes, C::message) {}
    }

    /// Delivers among these nodes alone, and loses what went elsewhere without a word.
    pub(crate) fn among(&mut self, nodes: &[u16]) {
        self.deliver(|from, to, _| nodes.contains(&from) && nodes.contains(&to));
        self.forget();
    }

    /// Holds back what is on its way.
    pub(crate) fn hold(&mut self, which: impl Fn(u16, u16, &Message<C>) -> bool) {
        let held = self.wire.extract_if(.., |(from, to, message)| which(from.0, to.0, message));
        self.held.extend(held);
    }

    /// Holds back a copy of what is on its way: the network will deliver it twice.
    pub(crate) fn copy(&mut self, which: impl Fn(u16, u16, &Message<C>) -> bool) {
        let copied = self.wire.iter().filter(|(from, to, message)| which(from.0, to.0, message));
        self.held.extend(copied.cloned());
    }

    /// Lets go what was held back.
    pub(crate) fn release(&mut self) {
        let held = std::mem::take(&mut self.held);
        self.wire.splice(0..0, held);
    }

    /// Loses everything that is on its way.
    pub(crate) fn lose(&mut self) {
        for (from, to, message) in std::mem::take(&mut self.wire) {
            if let Some(text) = C::message(&message) {
                self.tell(&format!("{from} -> {to}: {text} (lost)"));
            }
        }
    }

    /// Loses of it, without a word, what is not to be kept.
    pub(crate) fn keep(&mut self, which: impl Fn(&Message<C>) -> bool) {
        self.wire.retain(|(_, _, message)| which(message));
    }

    /// Loses everything that is on its way without a word.
    pub(crate) fn forget(&mut self) {
        self.wire.clear();
    }
}
