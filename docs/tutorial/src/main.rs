//! A replicated register: Attiya, Bar-Noy and Dolev, Sharing Memory Robustly in Message-Passing Systems, 1995.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use rand::RngExt;
use rashomon_core::{
    BootError, BugInfo, Context, Invariant, Node, NodeId, Protocol, Setup, Shows, System, SystemInfo, Ticket,
};
use serde::{Deserialize, Serialize};

/// What a client asks.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Request {
    Read { key: String },
    Write { key: String, value: i64 },
}

/// What it is told.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Reply {
    ReadOk { value: Option<i64> },
    WriteOk,
}

/// Names a write. A later write has a higher number; of two with the same number, the draw decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Tag {
    number: u64,
    draw: u64,
}

/// What a node holds of a register: a value, and the write that it comes from. The higher tag is the greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Held {
    tag: Tag,
    value: Option<i64>,
}

/// What nodes tell each other about the operation `op`.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Message {
    /// What do you hold?
    Ask { op: u64, key: String },
    /// This.
    Tell { op: u64, held: Held },
    /// Hold this, unless you hold something later.
    Keep { op: u64, key: String, held: Held },
    /// Done, and it is on my disk.
    Kept { op: u64 },
}

/// What a node writes to its disk.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Record {
    key: String,
    held: Held,
}

struct AbdProtocol;

impl Protocol for AbdProtocol {
    type Message = Message;
    type Timer = ();
    type Record = Record;
    type Request = Request;
    type Reply = Reply;
}

type Cx<'a> = Context<'a, AbdProtocol>;

/// An operation that this node carries out for a client.
struct Op {
    ticket: Ticket,
    key: String,
    /// The value to write; none for a read.
    write: Option<i64>,
    /// The latest that anybody told of. From the second phase on, what everybody is to keep.
    held: Held,
    /// Whether this is the second phase.
    keeping: bool,
    /// Who has answered in this phase.
    answered: BTreeSet<NodeId>,
}

struct AbdNode {
    me: NodeId,
    nodes: Vec<NodeId>,
    registers: BTreeMap<String, Held>,
    ops: BTreeMap<u64, Op>,
    /// The seeded bug.
    no_write_back: bool,
}

impl AbdNode {
    fn held(&self, key: &str) -> Held {
        self.registers.get(key).copied().unwrap_or_default()
    }

    fn keep(&mut self, key: String, held: Held, cx: &mut Cx<'_>) {
        if held > self.held(&key) {
            self.registers.insert(key.clone(), held);
            cx.persist(Record { key, held });
        }
    }
}

impl AbdNode {
    fn begin(&mut self, ticket: Ticket, key: String, write: Option<i64>, cx: &mut Cx<'_>) {
        if self.ops.len() == 1000 {
            self.ops.pop_first();
        }
        let op = cx.rng().random();
        let (held, answered) = (Held::default(), BTreeSet::new());
        cx.broadcast(&self.nodes, &Message::Ask { op, key: key.clone() });
        let mine = self.held(&key);
        self.ops.insert(op, Op { ticket, key, write, held, keeping: false, answered });
        self.on_tell(self.me, op, mine, cx);
    }
}

impl AbdNode {
    fn on_tell(&mut self, from: NodeId, op: u64, held: Held, cx: &mut Cx<'_>) {
        let majority = self.nodes.len() / 2 + 1;
        let Some(doing) = self.ops.get_mut(&op).filter(|doing| !doing.keeping) else { return };
        doing.held = doing.held.max(held);
        doing.answered.insert(from);
        if doing.answered.len() < majority {
            return;
        }
        match doing.write {
            Some(_) => {
                let tag = Tag { number: doing.held.tag.number + 1, draw: op };
                doing.held = Held { tag, value: doing.write };
            }
            None if self.no_write_back => return self.finish(op, cx),
            None => {}
        }
        doing.keeping = true;
        doing.answered.clear();
        let (key, held) = (doing.key.clone(), doing.held);
        cx.broadcast(&self.nodes, &Message::Keep { op, key: key.clone(), held });
        self.keep(key, held, cx);
        self.on_kept(self.me, op, cx);
    }
}

impl AbdNode {
    fn on_kept(&mut self, from: NodeId, op: u64, cx: &mut Cx<'_>) {
        let majority = self.nodes.len() / 2 + 1;
        let Some(doing) = self.ops.get_mut(&op).filter(|doing| doing.keeping) else { return };
        doing.answered.insert(from);
        if doing.answered.len() == majority {
            self.finish(op, cx);
        }
    }

    fn finish(&mut self, op: u64, cx: &mut Cx<'_>) {
        let Some(done) = self.ops.remove(&op) else { return };
        match done.write {
            Some(_) => cx.reply(done.ticket, Reply::WriteOk),
            None => cx.reply(done.ticket, Reply::ReadOk { value: done.held.value }),
        }
    }
}

impl Node<AbdProtocol> for AbdNode {
    fn on_start(&mut self, _cx: &mut Cx<'_>) {}

    fn on_request(&mut self, ticket: Ticket, request: Request, cx: &mut Cx<'_>) {
        match request {
            Request::Read { key } => self.begin(ticket, key, None, cx),
            Request::Write { key, value } => self.begin(ticket, key, Some(value), cx),
        }
    }

    fn on_message(&mut self, from: NodeId, message: Message, cx: &mut Cx<'_>) {
        match message {
            Message::Ask { op, key } => cx.send(from, Message::Tell { op, held: self.held(&key) }),
            Message::Tell { op, held } => self.on_tell(from, op, held, cx),
            Message::Keep { op, key, held } => {
                self.keep(key, held, cx);
                cx.send(from, Message::Kept { op });
            }
            Message::Kept { op } => self.on_kept(from, op, cx),
        }
    }

    fn on_timer(&mut self, (): (), _cx: &mut Cx<'_>) {}
}

struct Abd;

const NO_WRITE_BACK: BugInfo = BugInfo {
    name: "no-write-back",
    summary: "a read answers with the latest value that a majority told of, and does not write it back",
    anomaly: "a read sees a new value, and a later read sees the old one again",
    shows: Shows::Live,
    plan: Some(include_str!("../plan.json")),
};

impl System for Abd {
    type Protocol = AbdProtocol;

    fn info() -> SystemInfo {
        SystemInfo {
            name: "abd",
            summary: "a register that a majority of nodes holds",
            paper: "Attiya, Bar-Noy and Dolev, Sharing Memory Robustly in Message-Passing Systems, 1995",
            nodes: 5,
            workloads: &["read-write"],
            sessions: false,
            durable: true,
            leader_probe: "",
            membership: false,
            options: &[],
            bugs: &[NO_WRITE_BACK],
            controls: &[],
            weak: None,
        }
    }

    fn boot(setup: &Setup, records: Vec<Record>) -> Result<Box<dyn Node<AbdProtocol>>, BootError> {
        Ok(Box::new(AbdNode {
            me: setup.me,
            nodes: setup.nodes.clone(),
            registers: records.into_iter().map(|record| (record.key, record.held)).collect(),
            ops: BTreeMap::new(),
            no_write_back: setup.bugs.iter().any(|bug| bug == NO_WRITE_BACK.name),
        }))
    }

    fn invariants() -> Vec<Box<dyn Invariant>> {
        Vec::new()
    }
}

fn main() -> ExitCode {
    rashomon::main_with(vec![rashomon::entry::<Abd>()])
}
