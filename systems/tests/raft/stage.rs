//! Nodes whose every message is delivered by hand, and a story of what happened.

use std::collections::BTreeMap;
use std::fmt::Write;

use rashomon_core::{
    Context, Effect, Invariant, Map, Node, NodeId, Probe, Rng, Seed, Setup, System, Ticket, Time,
};
use rashomon_systems::raft::{
    Entry, Index, Message, Payload, Position, Raft, RaftProtocol, Record, Term, Timer,
};

struct Actor {
    node: Option<Box<dyn Node<RaftProtocol>>>,
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

/// The records of a node that stands in `term` and whose log has entries of these terms.
pub(crate) fn history(term: u64, terms: &[u64]) -> Vec<Record> {
    let entries: Vec<Entry> =
        terms.iter().map(|term| Entry { term: Term(*term), payload: Payload::Noop }).collect();
    vec![Record::Term { term: Term(term), vote: None }, Record::Append { first: Index(1), entries }]
}

fn is_election(message: &Message) -> bool {
    matches!(
        message,
        Message::PreVote { .. } | Message::PreVoted { .. } | Message::Vote { .. } | Message::Voted { .. }
    )
}

impl Stage {
    /// Nodes that begin from these disks.
    pub(crate) fn new(disks: Vec<Vec<Record>>, bugs: &[&str], options: &[(&str, u64)]) -> Stage {
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
            invariants: Raft::invariants(),
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
        step: impl FnOnce(&mut dyn Node<RaftProtocol>, &mut Context<'_, RaftProtocol>),
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
        actor.node = Some(Raft::boot(&setup, actor.disk.clone()).unwrap());
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
            Timer::Silence => self.tell(&format!("n{node} would vote again")),
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
            self.tell(&format!("{from} -> {to}: {}", describe(&message)));
            self.enter(to.0, |node, cx| node.on_message(from, message, cx));
        }
    }

    /// Delivers among these nodes alone, and loses what went elsewhere.
    pub(crate) fn among(&mut self, nodes: &[u16]) {
        self.deliver(|from, to, _| nodes.contains(&from) && nodes.contains(&to));
        self.wire.clear();
    }

    /// Holds an election among these nodes, without the first heartbeats; only its outcome is told.
    pub(crate) fn elects(&mut self, node: u16, voters: &[u16]) {
        self.fires(node, Timer::Election);
        let allowed = |from: u16, to: u16| {
            (from == node || voters.contains(&from)) && (to == node || voters.contains(&to))
        };
        while let Some(at) =
            self.wire.iter().position(|(from, to, m)| allowed(from.0, to.0) && is_election(m))
        {
            let (from, to, message) = self.wire.remove(at);
            if let Message::Voted { granted, .. } = &message {
                let verb = if *granted { "votes" } else { "does not vote" };
                self.tell(&format!("{from} {verb} for {to}"));
            }
            self.enter(to.0, |node, cx| node.on_message(from, message, cx));
        }
        self.wire.retain(|(_, _, message)| !is_election(message));
    }

    /// Loses everything that is on its way.
    pub(crate) fn lose(&mut self) {
        for (from, to, message) in std::mem::take(&mut self.wire) {
            self.tell(&format!("{from} -> {to}: {} (lost)", describe(&message)));
        }
    }

    /// Loses it without a word.
    pub(crate) fn forget(&mut self) {
        self.wire.clear();
    }

    /// The terms of the logs on disk, one node a line.
    pub(crate) fn logs(&mut self) {
        let lines: Vec<String> =
            self.actors.iter().map(|(node, actor)| log_line(*node, &actor.disk)).collect();
        for line in lines {
            self.tell(&line);
        }
    }
}

fn log_line(node: NodeId, disk: &[Record]) -> String {
    let mut base = 0;
    let mut terms: Vec<u64> = Vec::new();
    for record in disk {
        match record {
            Record::Append { entries, .. } => terms.extend(entries.iter().map(|entry| entry.term.0)),
            Record::Truncate { from } => terms.truncate((from.0 - base - 1) as usize),
            Record::Base { at, .. } => {
                base = at.index.0;
                terms.clear();
            }
            Record::Term { .. } | Record::Snapshot { .. } | Record::Chunk { .. } => {}
        }
    }
    let mut line = format!("{node}:");
    if base > 0 {
        write!(line, " [to {base}]").unwrap();
    }
    for term in terms {
        write!(line, " {term}").unwrap();
    }
    line
}

fn describe_probe(probe: &Probe) -> Option<String> {
    let number = |field| probe.number(field).unwrap_or_default();
    match probe.probe.as_str() {
        "leader" => Some(format!("leads term {}", number("term"))),
        "candidate" => Some(format!("campaigns in term {}", number("term"))),
        "follower" => Some(format!("follows in term {}", number("term"))),
        "commit" => Some(format!("commits up to {}, of term {}", number("index"), number("term"))),
        "truncate" => Some(format!("cuts its log from {} on", number("from"))),
        "snapshot" => Some(format!("takes a snapshot up to {}", number("index"))),
        "restore" => Some(format!("begins from a snapshot up to {}", number("index"))),
        _ => None,
    }
}

fn place(at: Position) -> String {
    if at.index == Index::ZERO { "the beginning".to_owned() } else { at.to_string() }
}

fn describe(message: &Message) -> String {
    match message {
        Message::PreVote { term, last } => {
            format!("would you vote for me in term {term}? my log ends at {}", place(*last))
        }
        Message::PreVoted { granted: true, .. } => "I would".to_owned(),
        Message::PreVoted { .. } => "I would not".to_owned(),
        Message::Vote { term, last } => {
            format!("vote for me in term {term}; my log ends at {}", place(*last))
        }
        Message::Voted { granted: true, .. } => "you have my vote".to_owned(),
        Message::Voted { term, .. } => format!("no; I am in term {term}"),
        Message::Append { prev, entries, commit, .. } if entries.is_empty() => {
            format!("I lead; do we agree at {}? committed: {commit}", place(*prev))
        }
        Message::Append { prev, entries, commit, .. } => {
            let terms: Vec<String> = entries.iter().map(|entry| entry.term.to_string()).collect();
            let terms = terms.join(" ");
            format!("after {} come entries of terms {terms}; committed: {commit}", place(*prev))
        }
        Message::Appended { matched, .. } => format!("we agree up to {matched}"),
        Message::Rejected { prev, hint, .. } => match hint.term {
            None => format!("we do not agree at {prev}: my log ends before {}", hint.first),
            Some(term) => {
                format!("we do not agree at {prev}: there I have term {term}, which begins at {}", hint.first)
            }
        },
        Message::Install { at, offset, total, .. } => {
            format!("snapshot up to {}, chunk {} of {total}", at.index, offset + 1)
        }
        Message::Installing { received, .. } => format!("I have {received} chunks of it"),
        Message::Deposed { term } => format!("your term is over; I am in {term}"),
    }
}
