//! The nodes, the network between them, and the queue of what happens when.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand::RngExt;
use rashomon_core::switch::Switch;
use rashomon_core::{
    Context, Disruption, Effect, FaultId, Invariant, Link, MonotonicClock, Node, NodeId, Probe, Rng, Seed,
    Setup, Skew, System, Ticket, Time, WallClock,
};
use rashomon_systems::raft::{Message, Raft, RaftProtocol, Reply, Timer};

use super::client::ClientEvent;
use super::disk::Disk;
use super::nemesis::NemesisStep;
use super::{Report, Run};

/// The longest message that a real link carries.
const LONGEST_MESSAGE: usize = 8 << 10;

/// Something that concerns those outside the cluster.
#[derive(Debug)]
pub(crate) enum Happening {
    /// Nothing more happens before the time asked for.
    Quiet,
    Client(ClientEvent),
    Nemesis(NemesisStep),
}

/// An input of a node.
#[derive(Debug)]
enum Input {
    Message(NodeId, Message),
    Timer(Timer, u64),
    Request(Ticket, String),
}

#[derive(Debug)]
enum Due {
    Input { node: NodeId, life: Option<u64>, input: Input },
    Synced { node: NodeId, life: u64 },
    Outside(Happening),
}

struct Host {
    node: Option<Box<dyn Node<RaftProtocol>>>,
    /// Counts its processes; what was meant for a dead one is dropped.
    life: u64,
    paused: bool,
    /// What arrived while it was paused.
    waiting: Vec<Input>,
    /// The latest setting of each timer; older ones do not fire.
    timers: BTreeMap<Timer, u64>,
    disk: Disk,
    slow_disk: bool,
    clock: WallClock,
    skews: BTreeMap<FaultId, Skew>,
    rng: Rng,
    open: BTreeSet<Ticket>,
}

pub(crate) struct Cluster {
    setup: Setup,
    now: Time,
    counter: u64,
    queue: BTreeMap<(Time, u64), Due>,
    hosts: BTreeMap<NodeId, Host>,
    switch: Switch,
    rng: Rng,
    invariants: Vec<Box<dyn Invariant>>,
    report: Report,
    leader: Option<(u64, NodeId)>,
    injected: BTreeMap<FaultId, Disruption>,
}

impl Cluster {
    pub(crate) fn new(run: &Run, seed: Seed) -> Cluster {
        let nodes = NodeId::first(run.nodes);
        let setup = Setup {
            me: NodeId(1),
            nodes: nodes.clone(),
            bugs: run.bug.iter().map(|bug| (*bug).to_owned()).collect(),
            options: run.options.clone(),
        };
        let host = |node: &NodeId| Host {
            node: None,
            life: 0,
            paused: false,
            waiting: Vec::new(),
            timers: BTreeMap::new(),
            disk: Disk::default(),
            slow_disk: false,
            clock: WallClock::default(),
            skews: BTreeMap::new(),
            rng: seed.split("node").split_number(u64::from(node.0)).rng(),
            open: BTreeSet::new(),
        };
        let mut cluster = Cluster {
            setup,
            now: Time::ZERO,
            counter: 0,
            queue: BTreeMap::new(),
            hosts: nodes.iter().map(|node| (*node, host(node))).collect(),
            switch: Switch::new(seed.split("switch")),
            rng: seed.split("cluster").rng(),
            invariants: Raft::invariants(),
            report: Report::default(),
            leader: None,
            injected: BTreeMap::new(),
        };
        for node in nodes {
            cluster.start(node);
        }
        cluster
    }

    pub(crate) fn now(&self) -> Time {
        self.now
    }

    pub(crate) fn nodes(&self) -> &[NodeId] {
        &self.setup.nodes
    }

    /// The nodes that neither are dead nor paused.
    pub(crate) fn running(&self) -> Vec<NodeId> {
        self.hosts
            .iter()
            .filter(|(_, host)| host.node.is_some() && !host.paused)
            .map(|(node, _)| *node)
            .collect()
    }

    pub(crate) fn leader(&self) -> Option<NodeId> {
        self.leader.map(|(_, node)| node)
    }

    pub(crate) fn report(self) -> Report {
        self.report
    }

    pub(crate) fn at(&mut self, when: Time, happening: Happening) {
        self.push(when, Due::Outside(happening));
    }

    fn push(&mut self, when: Time, due: Due) {
        self.counter += 1;
        self.queue.insert((when, self.counter), due);
    }

    fn host(&mut self, node: NodeId) -> &mut Host {
        self.hosts.get_mut(&node).expect("only known nodes are named")
    }

    /// Goes on until something concerns those outside, or nothing happens before `until`.
    pub(crate) fn next(&mut self, until: Time) -> Option<Happening> {
        loop {
            if self.queue.first_key_value().is_none_or(|((when, _), _)| *when > until) {
                self.now = until;
                return Some(Happening::Quiet);
            }
            let ((when, _), due) = self.queue.pop_first()?;
            self.now = when;
            match due {
                Due::Outside(happening) => return Some(happening),
                Due::Input { node, life, input } => {
                    let host = self.host(node);
                    if host.node.is_none() || life.is_some_and(|life| life != host.life) {
                        continue;
                    }
                    if host.paused {
                        host.waiting.push(input);
                    } else {
                        self.step(node, input);
                    }
                }
                Due::Synced { node, life } => {
                    let host = self.host(node);
                    if host.node.is_some() && host.life == life {
                        let free = host.disk.synced();
                        self.carry_out(node, free);
                    }
                }
            }
        }
    }

    fn start(&mut self, node: NodeId) {
        let setup = Setup { me: node, ..self.setup.clone() };
        let host = self.host(node);
        if host.node.is_some() {
            return;
        }
        host.life += 1;
        host.paused = false;
        host.timers.clear();
        host.node = Some(Raft::boot(&setup, host.disk.records()).expect("a node boots from its own records"));
        self.enter(node, |node, cx| node.on_start(cx));
    }

    /// The process dies, and its clients notice.
    fn stop(&mut self, node: NodeId, power_off: bool) {
        let mut rng = self.rng.clone();
        let host = self.host(node);
        if host.node.take().is_none() {
            return;
        }
        let mut lost = 0;
        if power_off {
            lost = host.disk.power_off(&mut rng);
        } else {
            host.disk.killed();
        }
        host.paused = false;
        host.waiting.clear();
        let open = std::mem::take(&mut host.open);
        self.rng = rng;
        self.report.lost_records += lost;
        for ticket in open {
            let when = self.now + self.latency();
            self.at(when, Happening::Client(ClientEvent::Lost(ticket)));
        }
    }

    fn step(&mut self, node: NodeId, input: Input) {
        match input {
            Input::Message(from, message) => {
                self.enter(node, |node, cx| node.on_message(from, message, cx));
            }
            Input::Timer(timer, setting) => {
                let timers = &mut self.host(node).timers;
                if timers.get(&timer) == Some(&setting) {
                    timers.remove(&timer);
                    self.enter(node, |node, cx| node.on_timer(timer, cx));
                }
            }
            Input::Request(ticket, body) => {
                let request = serde_json::from_str(&body).expect("the rig's clients make sense");
                self.host(node).open.insert(ticket);
                self.enter(node, |node, cx| node.on_request(ticket, request, cx));
            }
        }
    }

    fn enter(
        &mut self,
        node: NodeId,
        step: impl FnOnce(&mut dyn Node<RaftProtocol>, &mut Context<'_, RaftProtocol>),
    ) {
        let now = self.now;
        let host = self.host(node);
        let mut effects = Vec::new();
        let mut cx = Context::new(node, host.clock.reading(now), &mut host.rng, &mut effects);
        step(&mut **host.node.as_mut().expect("only living nodes are entered"), &mut cx);
        let life = host.life;
        for effect in effects {
            match effect {
                // Timers are the node's own memory: they act at once.
                Effect::SetTimer(timer, after) => {
                    self.counter += 1;
                    let setting = self.counter;
                    // A timer keeps the rate at which it was set.
                    let clock = MonotonicClock::new(now, self.host(node).clock.rate());
                    self.host(node).timers.insert(timer, setting);
                    let input = Input::Timer(timer, setting);
                    self.push(clock.instant(now + after), Due::Input { node, life: Some(life), input });
                }
                Effect::CancelTimer(timer) => {
                    self.host(node).timers.remove(&timer);
                }
                other => self.host(node).disk.emit(other),
            }
        }
        let free = self.host(node).disk.released();
        self.carry_out(node, free);
    }

    fn carry_out(&mut self, node: NodeId, free: Vec<Effect<RaftProtocol>>) {
        for effect in free {
            match effect {
                Effect::Send(to, message) => self.send(node, to, &message),
                Effect::Reply(ticket, outcome) => {
                    let outcome = outcome.map(|reply| match reply {
                        Reply::Served(reply) => reply,
                        Reply::Changed(_) => panic!("nobody has asked for another membership"),
                    });
                    assert!(self.host(node).open.remove(&ticket), "{node} answers {ticket:?} twice");
                    let when = self.now + self.latency();
                    self.at(when, Happening::Client(ClientEvent::Reply(ticket, outcome)));
                }
                Effect::Probe(probe) => self.observe(node, &probe),
                other => panic!("{other:?} is not an effect that is let go"),
            }
        }
        let host = self.host(node);
        if host.disk.begin_sync() {
            let (life, slow) = (host.life, host.slow_disk);
            let micros = if slow { 5_000..=50_000 } else { 100..=300 };
            let when = self.now + Duration::from_micros(self.rng.random_range(micros));
            self.push(when, Due::Synced { node, life });
        }
    }

    fn latency(&mut self) -> Duration {
        Duration::from_micros(self.rng.random_range(50..=400))
    }

    fn send(&mut self, from: NodeId, to: NodeId, message: &Message) {
        let text = serde_json::to_string(message).unwrap();
        assert!(text.len() + 256 < LONGEST_MESSAGE, "a message of {} bytes: {text}", text.len());
        for delivery in self.switch.route(self.now, Link { from, to }, text.len()).deliveries {
            // A damaged message fails its checksum.
            if delivery.flip.is_none() {
                let when = delivery.at + self.latency();
                let message = serde_json::from_str(&text).unwrap();
                let input = Input::Message(from, message);
                self.push(when, Due::Input { node: to, life: None, input });
            }
        }
    }

    fn observe(&mut self, node: NodeId, probe: &Probe) {
        match probe.probe.as_str() {
            "leader" => {
                self.report.leaders += 1;
                let term = probe.number("term").expect("a leader says its term");
                self.leader = self.leader.max(Some((term, node)));
            }
            "restore" => self.report.restores += 1,
            _ => {}
        }
        for invariant in &mut self.invariants {
            if let Err(violation) = invariant.observe(self.now, node, probe) {
                let accusation = format!("{}: {} ({})", violation.invariant, violation.because, self.now);
                self.report.accusations.push(accusation);
            }
        }
    }

    /// Sends a request; false when nobody listens there.
    pub(crate) fn request(&mut self, node: NodeId, ticket: Ticket, body: String) -> bool {
        let host = self.host(node);
        if host.node.is_none() {
            return false;
        }
        let life = Some(host.life);
        // The connection is open from now on, so its end will be noticed.
        host.open.insert(ticket);
        let when = self.now + self.latency();
        self.push(when, Due::Input { node, life, input: Input::Request(ticket, body) });
        true
    }

    pub(crate) fn inject(&mut self, id: FaultId, disruption: Disruption) {
        match &disruption {
            Disruption::Links { links, rule, .. } => self.switch.install(id, links, *rule),
            Disruption::Kill { nodes } => {
                for node in nodes {
                    self.stop(*node, false);
                }
            }
            Disruption::PowerOff { nodes } => {
                for node in nodes {
                    self.stop(*node, true);
                }
            }
            Disruption::Restart { nodes } => {
                for node in nodes {
                    self.stop(*node, false);
                    self.start(*node);
                }
            }
            Disruption::Pause { nodes } => {
                for node in nodes {
                    self.host(*node).paused = true;
                }
            }
            Disruption::SlowDisk { nodes, .. } => {
                for node in nodes {
                    self.host(*node).slow_disk = true;
                }
            }
            // The rig has no administrator; its runs do not ask for this.
            Disruption::Membership { .. } => {}
            Disruption::Clock { nodes, skew } => {
                for node in nodes {
                    self.host(*node).skews.insert(id, *skew);
                    self.set_clock(*node);
                }
            }
        }
        self.injected.insert(id, disruption);
    }

    pub(crate) fn heal(&mut self, id: FaultId) {
        match self.injected.remove(&id) {
            None | Some(Disruption::Restart { .. } | Disruption::Membership { .. }) => {}
            Some(Disruption::Links { .. }) => {
                self.switch.remove(id);
            }
            Some(Disruption::Kill { nodes } | Disruption::PowerOff { nodes }) => {
                for node in nodes {
                    self.start(node);
                }
            }
            Some(Disruption::Pause { nodes }) => {
                for node in nodes {
                    self.resume(node);
                }
            }
            Some(Disruption::SlowDisk { nodes, .. }) => {
                for node in nodes {
                    self.host(node).slow_disk = false;
                }
            }
            Some(Disruption::Clock { nodes, .. }) => {
                for node in nodes {
                    self.host(node).skews.remove(&id);
                    self.set_clock(node);
                }
            }
        }
    }

    fn set_clock(&mut self, node: NodeId) {
        let now = self.now;
        let host = self.host(node);
        host.clock.set(now, host.skews.values().copied().collect());
    }

    fn resume(&mut self, node: NodeId) {
        let host = self.host(node);
        host.paused = false;
        for input in std::mem::take(&mut host.waiting) {
            if self.host(node).node.is_some() {
                self.step(node, input);
            }
        }
    }
}
