//! The schedule as a file: an object whose lists have an entry a line.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

use rashomon_core::generator::Invocation;
use rashomon_core::{Link, NodeId, Value};
use rashomon_results::Shrunk;
use rashomon_sim::Override;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Schedule, ScheduledOp};
use crate::plan::{
    Faults, Nemesis, Plan, PlanError, PlanFile, RecordedFault, check_recorded, line_of, plain,
};
use crate::registry;

/// The largest file that is read.
const LARGEST: u64 = 64 << 20;
/// The most ops, and the most messages.
const MOST: usize = 200_000;
/// The highest number of a client.
const MOST_PROCESS: u64 = 1_000_000;
/// The latest that anything may happen.
const LATEST: Duration = Duration::from_hours(24);

/// The file as written, its lists not yet looked into.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File<'a> {
    version: u64,
    #[serde(default)]
    shrunk: Option<Shrunk>,
    #[serde(borrow)]
    plan: &'a RawValue,
    #[serde(borrow, default)]
    faults: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    ops: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    messages: Vec<&'a RawValue>,
}

/// An op as written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OpLine {
    #[serde(with = "humantime_serde")]
    at: Duration,
    process: u64,
    node: NodeId,
    f: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    value: Value,
}

/// A message as written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MessageLine {
    from: NodeId,
    to: NodeId,
    sequence: u64,
    fate: Override,
}

/// Reads a schedule.
pub fn read(path: &Path) -> Result<Schedule, PlanError> {
    let origin = path.display().to_string();
    let wrong = |reason: String| PlanError { origin: origin.clone(), line: None, reason };
    let length = std::fs::metadata(path).map_err(|error| wrong(error.to_string()))?.len();
    if length > LARGEST {
        return Err(wrong(format!("more than {LARGEST} bytes: not a schedule")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    parse(&origin, &text)
}

/// Parses the text of a schedule.
pub fn parse(origin: &str, text: &str) -> Result<Schedule, PlanError> {
    let wrong =
        |line: usize, reason: String| PlanError { origin: origin.to_owned(), line: Some(line), reason };
    let file: File<'_> = serde_json::from_str(text).map_err(|error| version_first(origin, text, &error))?;
    if file.version != 1 {
        let reason = format!("version {} of the schedule format; this program reads version 1", file.version);
        return Err(wrong(line_of(text, "\"version\"").unwrap_or(1), reason));
    }
    if file.ops.len() > MOST || file.messages.len() > MOST {
        return Err(wrong(1, format!("more than {MOST} ops or messages")));
    }
    let line = |raw: &RawValue| line_at(text, raw);
    let flags: PlanFile =
        entry(file.plan).map_err(|(below, reason)| wrong(line(file.plan) + below, reason))?;
    if flags.nemesis.is_some() {
        let reason = "the faults of a schedule stand in its `faults`, not in its plan".to_owned();
        return Err(wrong(line_of(text, "\"nemesis\"").unwrap_or(1), reason));
    }
    let flags = PlanFile { nemesis: Some(Nemesis::Recorded(Vec::new())), ..flags };
    let plan = Plan::assemble(PlanFile::default(), Some((flags, origin, text)), None, Faults::default(), 0)?;

    let mut faults: Vec<RecordedFault> = Vec::new();
    for raw in file.faults {
        let mut fault: RecordedFault = entry(raw).map_err(|(below, why)| wrong(line(raw) + below, why))?;
        check_recorded(&fault, &plan.system, plan.nodes).map_err(|reason| wrong(line(raw), reason))?;
        let id = *fault.id.get_or_insert(faults.len() as u32);
        if faults.iter().any(|other| other.id == Some(id)) {
            return Err(wrong(line(raw), format!("another fault has the id {id}")));
        }
        faults.push(fault);
    }
    let mut ops: Vec<ScheduledOp> = Vec::new();
    let mut homes = BTreeMap::new();
    let workload = rashomon_workloads::by_name(plan.workload).expect("a plan names a workload that exists");
    let asking = (workload.make)();
    for raw in file.ops {
        let op: OpLine = entry(raw).map_err(|(below, why)| wrong(line(raw) + below, why))?;
        let f = workload.ops.iter().find(|name| **name == op.f).ok_or_else(|| {
            let known = workload.ops.iter().copied();
            wrong(line(raw), registry::unknown(&format!("op of {}", workload.name), &op.f, known))
        })?;
        exists(op.node, plan.nodes).map_err(|reason| wrong(line(raw), reason))?;
        if op.at > LATEST || ops.last().is_some_and(|last| last.at > op.at) {
            let reason = "ops stand in order of time, and none is later than a day".to_owned();
            return Err(wrong(line(raw), reason));
        }
        if op.process > MOST_PROCESS {
            return Err(wrong(line(raw), format!("process {}; at most {MOST_PROCESS}", op.process)));
        }
        let home = *homes.entry(op.process).or_insert(op.node);
        if home != op.node {
            let reason = format!("process {} asks {home} first in an earlier op, and must here", op.process);
            return Err(wrong(line(raw), reason));
        }
        let invocation = Invocation { f, key: op.key, value: op.value };
        // What an op may look like is the workload's own business: it is asked, and may be at a loss.
        if catch_unwind(AssertUnwindSafe(|| asking.request(&invocation))).is_err() {
            return Err(wrong(line(raw), format!("the workload {} cannot ask this", workload.name)));
        }
        ops.push(ScheduledOp { at: op.at, process: op.process, node: op.node, invocation });
    }
    let mut messages = BTreeMap::new();
    for raw in file.messages {
        let message: MessageLine = entry(raw).map_err(|(below, why)| wrong(line(raw) + below, why))?;
        let MessageLine { from, to, sequence, fate } = message;
        let both = exists(from, plan.nodes).and_then(|()| exists(to, plan.nodes));
        both.map_err(|reason| wrong(line(raw), reason))?;
        if matches!(fate, Override::Deliver(after) if after > LATEST) {
            return Err(wrong(line(raw), "it arrives more than a day later".to_owned()));
        }
        if messages.insert((Link { from, to }, sequence), fate).is_some() {
            return Err(wrong(line(raw), "the fate of this message stands above already".to_owned()));
        }
    }
    let plan = Plan { nemesis: Nemesis::Recorded(faults), ..plan };
    Ok(Schedule { plan, ops, messages, shrunk: file.shrunk })
}

/// An entry of a list. A mistake comes with the number of lines that it is below the beginning of the entry.
fn entry<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, (usize, String)> {
    serde_json::from_str(raw.get())
        .map_err(|error| (error.line().saturating_sub(1), plain(&error.to_string())))
}

/// The line on which a piece of the text begins.
fn line_at(text: &str, piece: &RawValue) -> usize {
    let offset = (piece.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize).min(text.len());
    text.get(..offset).unwrap_or_default().matches('\n').count() + 1
}

/// An unknown version explains itself better than what else it brings along.
fn version_first(origin: &str, text: &str, error: &serde_json::Error) -> PlanError {
    #[derive(Deserialize)]
    struct Versioned {
        version: u64,
    }
    let wrong = |line, reason| PlanError { origin: origin.to_owned(), line: Some(line), reason };
    match serde_json::from_str::<Versioned>(text) {
        Ok(Versioned { version }) if version != 1 => {
            let reason = format!("version {version} of the schedule format; this program reads version 1");
            wrong(line_of(text, "\"version\"").unwrap_or(1), reason)
        }
        _ => wrong(error.line().max(1), plain(&error.to_string())),
    }
}

fn exists(node: NodeId, nodes: u16) -> Result<(), String> {
    if node.0 <= nodes { Ok(()) } else { Err(format!("there is no {node}: the nodes are n1 to n{nodes}")) }
}

impl Schedule {
    /// The text of its file.
    pub fn to_text(&self) -> String {
        let plan = PlanFile { nemesis: None, ..self.plan.to_file() };
        let faults: Vec<String> = self.faults().iter().map(json).collect();
        let ops = self.ops.iter().map(|op| {
            json(&OpLine {
                at: op.at,
                process: op.process,
                node: op.node,
                f: op.invocation.f.to_owned(),
                key: op.invocation.key.clone(),
                value: op.invocation.value.clone(),
            })
        });
        let messages = self.messages.iter().map(|((link, sequence), fate)| {
            json(&MessageLine { from: link.from, to: link.to, sequence: *sequence, fate: *fate })
        });
        let mut text = String::from("{\n  \"version\": 1,\n");
        if let Some(shrunk) = &self.shrunk {
            let _ = writeln!(text, "  \"shrunk\": {},", json(shrunk));
        }
        let _ = writeln!(text, "  \"plan\": {},", json(&plan));
        let _ = writeln!(text, "  \"faults\": {},", list(&faults));
        let _ = writeln!(text, "  \"ops\": {},", list(&ops.collect::<Vec<_>>()));
        let _ = writeln!(text, "  \"messages\": {}\n}}", list(&messages.collect::<Vec<_>>()));
        text
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("a schedule is plain data")
}

fn list(entries: &[String]) -> String {
    if entries.is_empty() { "[]".to_owned() } else { format!("[\n    {}\n  ]", entries.join(",\n    ")) }
}
