//! A system that does what its clients tell it, mistakes included.

use std::time::Duration;

use rand::RngExt;
use rashomon_core::client::Policy;
use rashomon_core::rpc::Body;
use rashomon_core::{
    BootError, Call, Context, Event, Invariant, Node, NodeId, Outcome, Probe, Protocol, Seed, Setup, System,
    SystemInfo, Ticket, Time, Value, World,
};
use rashomon_sim::{Config, SimWorld};
use serde::{Deserialize, Serialize};
use serde_json::json;

pub(crate) struct Pad;

pub(crate) struct PadProtocol;

impl Protocol for PadProtocol {
    type Message = Message;
    type Timer = Timer;
    type Record = u64;
    type Request = Request;
    type Reply = Value;
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Message {
    text: String,
    /// Not a number: becomes `null` as JSON, and does not come back.
    fraction: f64,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    Alarm(u64),
    Gossip,
    Loop,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(crate) enum Request {
    /// Write it down, then say so.
    Write {
        value: u64,
    },
    /// Say so, then write it down.
    Hasty {
        value: u64,
    },
    /// Replace all by this.
    Replace {
        value: u64,
    },
    Read,
    /// Say nothing.
    Ignore,
    Tell {
        to: u16,
        text: String,
    },
    Alarm {
        number: u64,
        after: u64,
    },
    /// Tell the others at random times what was written.
    Gossip,
    Misuse {
        how: String,
    },
}

struct PadNode {
    me: NodeId,
    nodes: Vec<NodeId>,
    written: Vec<u64>,
    every: Duration,
}

type Cx<'a> = Context<'a, PadProtocol>;

fn gossip(cx: &mut Cx<'_>) {
    let wait = Duration::from_micros(cx.rng().random_range(500..=20_000));
    cx.set_timer(Timer::Gossip, wait);
}

impl Node<PadProtocol> for PadNode {
    fn on_start(&mut self, cx: &mut Cx<'_>) {
        cx.probe(Probe::new("boot").with("records", self.written.len() as u64));
    }

    fn on_message(&mut self, from: NodeId, message: Message, cx: &mut Cx<'_>) {
        if let Ok(value) = message.text.parse() {
            cx.persist(value);
            self.written.push(value);
        }
        cx.probe(Probe::new("heard").with("from", u64::from(from.0)).with("text", message.text));
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Cx<'_>) {
        match timer {
            Timer::Alarm(number) => {
                cx.probe(Probe::new("alarm").with("number", number).with("wall", cx.now().0));
            }
            Timer::Gossip => {
                let text = self.written.last().map_or_else(|| "nothing".to_owned(), u64::to_string);
                cx.broadcast(&self.nodes, &Message { text, fraction: 0.5 });
                gossip(cx);
            }
            Timer::Loop => cx.set_timer(Timer::Loop, self.every),
        }
    }

    fn on_request(&mut self, ticket: Ticket, request: Request, cx: &mut Cx<'_>) {
        match request {
            Request::Write { value } => {
                cx.persist(value);
                self.written.push(value);
                cx.probe(Probe::new("written").with("value", value));
                cx.reply(ticket, json!({"type": "ok"}));
            }
            Request::Hasty { value } => {
                cx.reply(ticket, json!({"type": "ok"}));
                cx.persist(value);
                self.written.push(value);
            }
            Request::Replace { value } => {
                self.written = vec![value];
                cx.checkpoint(self.written.clone());
                cx.reply(ticket, json!({"type": "ok"}));
            }
            Request::Read => cx.reply(ticket, json!({"type": "ok", "values": self.written})),
            Request::Ignore => {}
            Request::Tell { to, text } => {
                cx.send(NodeId(to), Message { text, fraction: 0.5 });
                cx.reply(ticket, json!({"type": "ok"}));
            }
            Request::Alarm { number, after } => {
                cx.set_timer(Timer::Alarm(number), Duration::from_millis(after));
                cx.reply(ticket, json!({"type": "ok"}));
            }
            Request::Gossip => {
                gossip(cx);
                cx.reply(ticket, json!({"type": "ok"}));
            }
            Request::Misuse { how } => match how.as_str() {
                "panic" => panic!("out of ideas"),
                "myself" => cx.send(self.me, Message { text: String::new(), fraction: 0.0 }),
                "stranger" => cx.send(NodeId(99), Message { text: String::new(), fraction: 0.0 }),
                "nonsense" => cx.reply(ticket, json!([1, 2])),
                "untyped" => cx.reply(ticket, json!({"value": 1})),
                "loop" => cx.set_timer(Timer::Loop, self.every),
                "large" => cx.broadcast(&self.nodes, &Message { text: "x".repeat(9000), fraction: 0.0 }),
                "lossy" => cx.broadcast(&self.nodes, &Message { text: String::new(), fraction: f64::NAN }),
                "twice" => {
                    cx.reply(ticket, json!({"type": "first"}));
                    cx.reply(ticket, json!({"type": "second"}));
                }
                "foreign" => {
                    for other in 0..10_000 {
                        cx.reply(Ticket(other), json!({"type": "foreign"}));
                    }
                }
                other => panic!("no misuse is called {other}"),
            },
        }
    }
}

impl System for Pad {
    type Protocol = PadProtocol;

    fn info() -> SystemInfo {
        SystemInfo {
            name: "pad",
            summary: "",
            paper: "",
            nodes: 3,
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

    fn boot(setup: &Setup, records: Vec<u64>) -> Result<Box<dyn Node<PadProtocol>>, BootError> {
        if setup.bugs.iter().any(|bug| bug == "unbootable") && setup.me == NodeId(2) {
            return Err(BootError("no key in the ignition".to_owned()));
        }
        if setup.bugs.iter().any(|bug| bug == "once") && !records.is_empty() {
            return Err(BootError("it boots but once".to_owned()));
        }
        let every = setup.options.get("every").and_then(Value::as_u64).unwrap_or_default();
        Ok(Box::new(PadNode {
            me: setup.me,
            nodes: setup.nodes.clone(),
            written: records,
            every: Duration::from_nanos(every),
        }))
    }

    fn invariants() -> Vec<Box<dyn Invariant>> {
        Vec::new()
    }
}

/// A cluster of pads, and someone to write on them.
pub(crate) struct Desk {
    pub(crate) world: SimWorld<Pad>,
    /// What happened, completions apart.
    pub(crate) events: Vec<Event>,
    pub(crate) processes: u64,
}

pub(crate) const MILLISECOND: Duration = Duration::from_millis(1);

/// A cluster of three, whose clients know that it remembers no sessions.
pub(crate) fn config(seed: u64) -> Config {
    let config = Config::new(3, Seed(seed));
    Config { policy: Policy { sessions: false, ..config.policy }, ..config }
}

impl Desk {
    pub(crate) fn new(config: Config) -> Desk {
        Desk { world: SimWorld::start(config).unwrap(), events: Vec::new(), processes: 0 }
    }

    /// Begins a call of a fresh process.
    pub(crate) fn begin(&mut self, home: u16, body: Value) -> u64 {
        let Value::Object(body) = body else { panic!("not an object: {body}") };
        self.processes += 1;
        let read_only = body.get("type") == Some(&"read".into());
        let call = Call { process: self.processes, sequence: 1, home: NodeId(home), read_only, body };
        self.world.call(call);
        self.processes
    }

    /// Makes a call and waits for its end.
    pub(crate) fn call(&mut self, home: u16, body: Value) -> Outcome {
        let process = self.begin(home, body);
        loop {
            match self.world.poll(Time(u64::MAX - 1)).expect("every call ends") {
                Event::Completion { process: whose, outcome } if whose == process => return outcome,
                event => self.events.push(event),
            }
        }
    }

    pub(crate) fn ok(&mut self, home: u16, body: Value) -> Body {
        match self.call(home, body) {
            Outcome::Ok(node, body) => {
                assert_eq!(node, NodeId(home));
                body
            }
            other => panic!("{other:?}"),
        }
    }

    /// What a node has on its pad.
    pub(crate) fn values(&mut self, node: u16) -> Vec<u64> {
        serde_json::from_value(self.ok(node, json!({"type": "read"}))["values"].clone()).unwrap()
    }

    /// Lets so much time pass.
    pub(crate) fn pass(&mut self, duration: Duration) {
        let until = self.world.now() + duration;
        while let Some(event) = self.world.poll(until) {
            self.events.push(event);
        }
        assert_eq!(self.world.now(), until);
    }

    /// The probes of that name so far: when, by whom, what.
    pub(crate) fn probes(&self, name: &str) -> Vec<(Time, NodeId, Probe)> {
        let probes = self.events.iter().filter_map(|event| match event {
            Event::Probe { at, node, probe } if probe.probe == name => Some((*at, *node, probe.clone())),
            _ => None,
        });
        probes.collect()
    }

    /// How nodes ended by themselves.
    pub(crate) fn crashes(&self) -> Vec<(NodeId, String)> {
        let crashes = self.events.iter().filter_map(|event| match event {
            Event::Crash { node, report } => Some((*node, report.clone())),
            _ => None,
        });
        crashes.collect()
    }
}
