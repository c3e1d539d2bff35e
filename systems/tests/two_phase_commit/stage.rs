//! Nodes whose every message is delivered by hand, and a story of what happened.

use std::collections::BTreeMap;
use std::fmt::Write;

use rashomon_core::{
    Context, Effect, Invariant, Map, Node, NodeId, Probe, Rng, Seed, Setup, System, Ticket, Time,
};
use rashomon_systems::two_phase_commit::{
    Decision, Message, Record, Refusal, Task, Timer, TwoPhaseCommit, TwoPhaseCommitProtocol, Vote,
};

struct Actor {
    node: Option<Box<dyn Node<TwoPhaseCommitProtocol>>>,
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
    /// A coordinator and three participants: n2 keeps the accounts 0 and 1, n3 2 and 3, n4 4 and 5.
    pub(crate) fn new(bugs: &[&str]) -> Stage {
        let nodes = NodeId::first(4);
        let bugs = bugs.iter().map(|bug| (*bug).to_owned()).collect();
        let actor =
            |node: &NodeId| Actor { node: None, disk: Vec::new(), rng: Seed(u64::from(node.0)).rng() };
        let mut stage = Stage {
            setup: Setup { me: NodeId(1), nodes: nodes.clone(), bugs, options: Map::new() },
            actors: nodes.iter().map(|node| (*node, actor(node))).collect(),
            wire: Vec::new(),
            held: Vec::new(),
            invariants: TwoPhaseCommit::invariants(),
            tickets: 0,
            story: String::new(),
        };
        for node in nodes {
            stage.boot(node);
        }
        stage.story.clear();
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
        step: impl FnOnce(&mut dyn Node<TwoPhaseCommitProtocol>, &mut Context<'_, TwoPhaseCommitProtocol>),
    ) {
        let actor = self.actors.get_mut(&me).unwrap();
        let Some(state) = &mut actor.node else { return };
        let mut effects = Vec::new();
        step(&mut **state, &mut Context::new(me, Time::ZERO, &mut actor.rng, &mut effects));
        for effect in effects {
            match effect {
                // The disk on stage is instant, so nothing is ever held back.
                Effect::Persist(record) => {
                    self.tell(&format!("{me} writes down: {}", written(&record)));
                    self.actors.get_mut(&me).unwrap().disk.push(record);
                }
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
        let field =
            |field: &str| probe.fields.get(field).and_then(|value| value.as_str()).unwrap_or_default();
        match probe.probe.as_str() {
            "lock" => {
                let accounts = &probe.fields["accounts"];
                self.tell(&format!("{node} locks {accounts} for {}", field("transaction")));
            }
            "unlock" => self.tell(&format!("{node} lets the locks of {} go", field("transaction"))),
            "decide" => self.tell(&format!("{node} decides: {} {}", field("decision"), field("transaction"))),
            "blocked" => self.tell(&format!("{node} is blocked in {}", field("transaction"))),
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
        actor.node = Some(TwoPhaseCommit::boot(&setup, actor.disk.clone()).unwrap());
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

    /// The coordinator repeats what was not answered.
    pub(crate) fn resends(&mut self) {
        self.tell("n1 repeats itself");
        self.enter(NodeId(1), |node, cx| node.on_timer(Timer::Resend, cx));
    }

    /// The participant's timer for inquiries fires so often. The first time after a vote it only waits.
    pub(crate) fn waits(&mut self, node: u16, times: usize) {
        for _ in 0..times {
            self.tell(&format!("n{node} waits"));
            self.enter(NodeId(node), |node, cx| node.on_timer(Timer::Inquire, cx));
        }
    }

    pub(crate) fn asks(&mut self, node: u16, body: &str) {
        self.tell(&format!("a client asks n{node}: {body}"));
        self.tickets += 1;
        let (ticket, request) = (Ticket(self.tickets), serde_json::from_str(body).unwrap());
        self.enter(NodeId(node), |node, cx| node.on_request(ticket, request, cx));
    }

    /// Delivers what may pass, and what that causes, until nothing is left that may; each message is told.
    pub(crate) fn deliver(&mut self, passes: impl Fn(u16, u16, &Message) -> bool) {
        while let Some(at) = self.wire.iter().position(|(from, to, message)| passes(from.0, to.0, message)) {
            let (from, to, message) = self.wire.remove(at);
            let gone = if self.actors[&to].node.is_none() { " (lost)" } else { "" };
            self.tell(&format!("{from} -> {to}: {}{gone}", describe(&message)));
            self.enter(to, |node, cx| node.on_message(from, message, cx));
        }
    }

    /// Holds back a copy of what is on its way: the network will deliver it twice.
    pub(crate) fn copy(&mut self, passes: impl Fn(u16, u16, &Message) -> bool) {
        self.held
            .extend(self.wire.iter().filter(|(from, to, message)| passes(from.0, to.0, message)).cloned());
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
        Message::Execute { transaction, task: Task::Read { accounts, .. } } => {
            let accounts: Vec<String> = accounts.iter().map(|account| account.0.to_string()).collect();
            format!("{transaction}: read {}", accounts.join(" and "))
        }
        Message::Execute { transaction, task: Task::Move { transfer, .. } } => {
            format!("{transaction}: move {} from {} to {}", transfer.amount, transfer.from.0, transfer.to.0)
        }
        Message::Executed { transaction, accounts, .. } if accounts.is_empty() => {
            format!("{transaction}: done")
        }
        Message::Executed { transaction, accounts, .. } => {
            let line = accounts.iter().map(|(account, state)| format!("{} has {}", account.0, state.balance));
            format!("{transaction}: done, {}", line.collect::<Vec<String>>().join(", "))
        }
        Message::Refused { transaction, why } => {
            let why = match why {
                Refusal::Conflict => "it is locked",
                Refusal::Insufficient => "there is not enough",
                Refusal::Full => "the account is full",
                Refusal::Aborted => "I have given up",
            };
            format!("{transaction}: no, {why}")
        }
        Message::Prepare { transaction, .. } => format!("{transaction}: can you commit?"),
        Message::Vote { transaction, vote: Vote::Yes } => format!("{transaction}: yes"),
        Message::Vote { transaction, vote: Vote::ReadOnly } => format!("{transaction}: yes, I only read"),
        Message::Vote { transaction, vote: Vote::No } => format!("{transaction}: no"),
        Message::Decide { transaction, decision: Decision::Commit } => format!("{transaction}: commit"),
        Message::Decide { transaction, decision: Decision::Abort } => format!("{transaction}: abort"),
        Message::Acknowledge { transaction } => format!("{transaction}: I have committed"),
        Message::Inquire { transaction } => format!("{transaction}: what became of it?"),
    }
}

fn written(record: &Record) -> String {
    match record {
        Record::Epoch { epoch } => format!("life {epoch}"),
        Record::Commit { transaction, .. } => format!("commit {transaction}"),
        Record::End { transaction } => format!("{transaction} is ended"),
        Record::Session(request) => format!("session {}", request.session),
        Record::Prepared { transaction, .. } => format!("prepared {transaction}"),
        Record::Decided { transaction, decision: Decision::Commit } => format!("committed {transaction}"),
        Record::Decided { transaction, decision: Decision::Abort } => format!("aborted {transaction}"),
        Record::Forgotten { transaction } => format!("forgotten up to {transaction}"),
        Record::Account { account, .. } => format!("account {}", account.0),
    }
}
