//! The checker of session guarantees.

use std::collections::BTreeMap;

use rashomon_core::history::Pair;
use rashomon_core::{Anomaly, History, Map, Value, Verdict};
use serde_json::json;

use super::accesses::{Access, Accesses, Version};
use super::graph::{Edge, Graph};
use super::guarantee::Guarantee;
use crate::linearizable::describe;
use crate::{Budget, Checker};

/// The kind of the edges from a first value to all others: part of every question.
pub(super) const FIRST: u8 = 16;

/// Decides which session guarantees a history of registers shows, where written values are unique.
///
/// - *Valid*: the versions of every key have one order that keeps to all guarantees asked for.
/// - *Invalid*: the pairs that it must keep to form a cycle: the anomaly, named for the guarantees of these pairs.
/// - *Unknown*: nothing succeeded, a value was written twice, or the budget ran out.
///
/// Monotonic writes are always judged together with monotonic reads, since a session whose reads go back cannot tell. The
/// stat `guarantees` says of each of the four by itself whether it holds.
#[derive(Clone, Debug)]
pub struct SessionGuarantees {
    asked: Vec<Guarantee>,
    initial: Value,
    nil_reads_anything: bool,
}

impl Default for SessionGuarantees {
    fn default() -> SessionGuarantees {
        SessionGuarantees { asked: Guarantee::ALL.to_vec(), initial: Value::Null, nil_reads_anything: false }
    }
}

impl SessionGuarantees {
    /// A checker of one guarantee.
    pub fn only(guarantee: Guarantee) -> SessionGuarantees {
        SessionGuarantees { asked: vec![guarantee], ..SessionGuarantees::default() }
    }

    /// The same checker, for registers with another value at first.
    pub fn with_initial(self, value: &Value) -> SessionGuarantees {
        SessionGuarantees { initial: value.clone(), ..self }
    }

    /// The same checker, where an `ok` read of `null` means that the value read was not recorded.
    pub fn with_nil_reading_anything(self, yes: bool) -> SessionGuarantees {
        SessionGuarantees { nil_reads_anything: yes, ..self }
    }

    /// Judges a history; the error says why it cannot be judged.
    fn judge(&self, history: &History, budget: &Budget<'_>) -> Result<Verdict, String> {
        let accesses = Accesses::of(history, &self.initial, self.nil_reads_anything, budget)?;
        if let Some(anomaly) = garbage(history, &accesses) {
            let summary = format!("{}: {}", anomaly.name, anomaly.because);
            return Ok(Verdict::invalid(self.name(), summary, vec![anomaly]));
        }
        let graph = pairs(&accesses, budget)?;
        let alone = |guarantee: Guarantee| graph.order(guarantee.judged_with() | FIRST);
        let reads_go_back = alone(Guarantee::MonotonicReads).is_err();
        let state = |guarantee: Guarantee| match alone(guarantee) {
            Ok(_) => "holds",
            Err(_) if guarantee == Guarantee::MonotonicWrites && reads_go_back => "unknown",
            Err(_) => "violated",
        };
        let states: BTreeMap<&str, &str> =
            Guarantee::ALL.into_iter().map(|guarantee| (guarantee.name(), state(guarantee))).collect();
        if (budget.expired)() {
            return Err("time budget exhausted".to_owned());
        }
        let asked = self.asked.iter().fold(FIRST, |bits, guarantee| bits | guarantee.judged_with());
        let verdict = match graph.order(asked) {
            Ok(_) => {
                let (versions, keys) = (accesses.versions.len(), accesses.keys.len());
                Verdict::valid(
                    self.name(),
                    format!("the {versions} versions of {keys} keys have an order that keeps to it"),
                )
            }
            Err(_) if self.asked == [Guarantee::MonotonicWrites] && reads_go_back => Verdict::unknown(
                self.name(),
                "reads go back, so they do not tell whether writes came in order",
            ),
            Err(cycle) => {
                let kinds = cycle.iter().fold(0, |kinds, edge| kinds | edge.kinds);
                let broken = Guarantee::ALL.into_iter().filter(|guarantee| kinds & guarantee.bit() != 0);
                let name = broken.map(Guarantee::name).collect::<Vec<_>>().join("+");
                let anomaly = accuse(&name, history, &accesses, &cycle);
                let summary = format!("{}: {}", anomaly.name, anomaly.because);
                Verdict::invalid(self.name(), summary, vec![anomaly])
            }
        };
        Ok(verdict.with_stat("guarantees", json!(states)).with_stat("keys", accesses.keys.len()))
    }
}

/// The pairs of all guarantees. Where a version must come after many, they form a chain of nodes of their own.
fn pairs(accesses: &Accesses<'_>, budget: &Budget<'_>) -> Result<Graph, String> {
    let mut graph = Graph { nodes: accesses.versions.len() as u32, edges: Vec::new() };
    for (version, (key, _, writer)) in accesses.versions.iter().enumerate() {
        if let Some(writer) = writer {
            graph.edge(*key, version as u32, FIRST, (Edge::NO_OP, *writer));
        }
    }
    for session in accesses.sessions.values() {
        let mut told = Session::default();
        for access in session {
            told.add(&mut graph, access);
            if graph.bytes() > budget.bytes {
                return Err("memory budget exhausted".to_owned());
            }
        }
    }
    Ok(graph)
}

/// What one session did to one key so far.
#[derive(Debug, Default)]
struct Session {
    last_read: Option<(Version, u32)>,
    /// Its writes with their operations, and after each the node of the chain that comes after all up to it.
    writes: Vec<(Version, u32, u32)>,
    /// For each version that it wrote, its place among the writes, and up to which of the later ones must precede it.
    written: BTreeMap<Version, (usize, usize)>,
    /// The node that comes after all that it read.
    reads: Option<u32>,
}

impl Session {
    fn add(&mut self, graph: &mut Graph, access: &Access) {
        // What a cas read before it took effect without a word is known, but the session was not told.
        if let Some(version) = access.reads.filter(|_| access.done) {
            self.read(graph, version, access.op);
        }
        if let Some(version) = access.writes {
            if let Some(from) = access.reads.filter(|_| !access.done) {
                graph.edge(from, version, Guarantee::WritesFollowReads.bit(), (access.op, access.op));
            }
            self.write(graph, version, access);
        }
    }

    fn read(&mut self, graph: &mut Graph, version: Version, op: u32) {
        let monotonic = Guarantee::MonotonicReads.bit();
        if let Some((before, earlier)) = self.last_read.filter(|(before, _)| *before != version) {
            graph.edge(before, version, monotonic, (earlier, op));
        }
        let yours = Guarantee::ReadYourWrites.bit();
        let mut chained = self.writes.len();
        if let Some((place, seen)) = self.written.get_mut(&version) {
            chained = *place;
            for (other, earlier, _) in &self.writes[*seen..] {
                graph.edge(*other, version, yours, (*earlier, op));
            }
            *seen = self.writes.len();
        }
        if let Some((_, _, chain)) = chained.checked_sub(1).map(|last| self.writes[last]) {
            graph.edge(chain, version, yours, (Edge::NO_OP, op));
        }
        if self.last_read.is_none_or(|(before, _)| before != version) {
            let follows = Guarantee::WritesFollowReads.bit();
            let node = graph.node();
            graph.edge(version, node, follows, (op, Edge::NO_OP));
            if let Some(before) = self.reads.replace(node) {
                graph.edge(before, node, follows, (Edge::NO_OP, Edge::NO_OP));
            }
        }
        self.last_read = Some((version, op));
    }

    fn write(&mut self, graph: &mut Graph, version: Version, access: &Access) {
        if let Some((before, earlier, _)) = self.writes.last() {
            graph.edge(*before, version, Guarantee::MonotonicWrites.bit(), (*earlier, access.op));
        }
        if let Some(reads) = self.reads {
            graph.edge(reads, version, Guarantee::WritesFollowReads.bit(), (Edge::NO_OP, access.op));
        }
        if access.done {
            let yours = Guarantee::ReadYourWrites.bit();
            let node = graph.node();
            graph.edge(version, node, yours, (access.op, Edge::NO_OP));
            if let Some((_, _, before)) = self.writes.last() {
                graph.edge(*before, node, yours, (Edge::NO_OP, Edge::NO_OP));
            }
            self.written.insert(version, (self.writes.len(), self.writes.len() + 1));
            self.writes.push((version, access.op, node));
        }
    }
}

/// The anomaly of a read of what nothing wrote.
pub(super) fn garbage(history: &History, accesses: &Accesses<'_>) -> Option<Anomaly> {
    let (read, failed) = accesses.garbage?;
    let name = if failed.is_some() { "dirty-read" } else { "garbage-read" };
    let nothing = match failed {
        Some(op) => format!("but {} (op {op}) failed and so certainly did not happen", told(history, op)),
        None => "but nothing ever wrote what it saw".to_owned(),
    };
    let because = format!("{} (op {read}), {nothing}", told(history, read));
    Some(anomaly(name, history, None, [read].into_iter().chain(failed), because))
}

/// The anomaly of a cycle of pairs.
pub(super) fn accuse(name: &str, history: &History, accesses: &Accesses<'_>, cycle: &[Edge]) -> Anomaly {
    let real = |node: u32| accesses.versions.get(node as usize);
    // Nodes of chains stand for no version: the pair of two versions is the path between them.
    let from = cycle.iter().position(|edge| real(edge.from).is_some()).unwrap_or(0);
    let mut around = cycle[from..].iter().chain(&cycle[..from]);
    let (mut reasons, mut ops, mut key) = (Vec::new(), Vec::new(), None);
    while let Some(first) = around.next() {
        let mut last = first;
        while real(last.to).is_none() {
            let Some(next) = around.next() else { break };
            last = next;
        }
        let (Some((number, before, _)), Some((_, after, _))) = (real(first.from), real(last.to)) else {
            continue;
        };
        key = accesses.keys[*number as usize];
        let (one, two) = (first.ops.0, last.ops.1);
        let why = match (one, two) {
            (Edge::NO_OP, _) => "as it was there at first".to_owned(),
            (one, two) if one == two => format!("for {} (op {one})", told(history, one)),
            (one, two) => {
                format!(
                    "for {} (op {one}) came before {} (op {two}) in its session",
                    told(history, one),
                    told(history, two)
                )
            }
        };
        reasons.push(format!("{before} precedes {after}, {why}"));
        ops.extend([one, two].into_iter().filter(|op| *op != Edge::NO_OP));
    }
    let because = format!("the versions would stand in a circle: {}", reasons.join("; "));
    anomaly(name, history, key, ops, because)
}

/// The operation that began with this event.
fn pair(history: &History, call: u32) -> Pair<'_> {
    let invoke = &history.ops()[call as usize];
    Pair { invoke, completion: history.partner_of(invoke) }
}

pub(super) fn told(history: &History, op: u32) -> String {
    let pair = pair(history, op);
    format!("process {}'s {}", pair.invoke.process, describe(&pair))
}

pub(super) fn anomaly(
    name: &str,
    history: &History,
    key: Option<&str>,
    ops: impl IntoIterator<Item = u32>,
    because: String,
) -> Anomaly {
    let pairs = ops.into_iter().map(|op| pair(history, op));
    let mut events: Vec<u64> = pairs
        .flat_map(|pair| [Some(pair.invoke.index), pair.completion.map(|op| op.index)])
        .flatten()
        .collect();
    events.sort_unstable();
    events.dedup();
    Anomaly {
        name: name.to_owned(),
        key: key.map(str::to_owned),
        events,
        evidence: Vec::new(),
        because,
        details: Map::new(),
    }
}

impl Checker for SessionGuarantees {
    fn name(&self) -> &'static str {
        match self.asked.as_slice() {
            [only] => only.name(),
            _ => "session-guarantees",
        }
    }

    fn about(&self) -> &'static str {
        "each session of a register sees what it wrote and read before, and its writes come in order"
    }

    fn check(&self, history: &History, budget: &Budget<'_>) -> Verdict {
        self.judge(history, budget).unwrap_or_else(|reason| Verdict::unknown(self.name(), reason))
    }
}
