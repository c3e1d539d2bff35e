//! Whether all saw writes come in one order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use rashomon_core::history::Pair;
use rashomon_core::{Anomaly, History, Kind, Map, Value, Verdict};

use crate::accusations::{Accusations, anomaly, completed};
use crate::circle::{self, Link, Member};
use crate::models::{Datum, Values};
use crate::{Budget, Checker};

/// Looks for long forks, in the terms of Jepsen's `long-fork`: the anomaly that parallel snapshot isolation allows and
/// snapshot isolation forbids.
///
/// Operations of any `f`: a write, `[["w", key, value]]`, of a key that is written once; a read of several keys,
/// `[["r", key, value], ...]`, where nil is for what was not written yet. A read that shows one key and not another puts
/// the write of the one before that of the other. Jepsen compares reads of the same keys two by two; here any reads that
/// together put writes in a circle are found, so groups of keys may overlap.
///
/// - *long-fork*: reads see writes in orders that contradict each other;
/// - *G1a*: a read shows a write that failed; *future-read*: one that began only after the read had ended;
///   *garbage-read*: a value that is not the one written to that key.
///
/// Each is *invalid*. A write that ended `info` may be seen or not; a read that ended so saw nothing. *Unknown* where a
/// key is written twice or read with two values though nobody is known to have written it, since then orders do not show;
/// and where no read showed some of its keys and not others.
#[derive(Clone, Copy, Debug, Default)]
pub struct LongFork;

/// Its anomalies, the worst first.
const ORDER: [&str; 4] = ["garbage-read", "G1a", "future-read", "long-fork"];

/// What a read showed of each of its keys.
type Shown = Vec<(Datum, Option<Datum>)>;

/// The writes of each key, and what reads say of their order.
#[derive(Debug, Default)]
struct Keys<'h> {
    values: Values,
    writes: BTreeMap<Datum, (Datum, Pair<'h>)>,
    reads: Vec<(Pair<'h>, Shown)>,
    /// For a key that was shown and one that was not by the same read, the first such read.
    before: BTreeMap<(Datum, Datum), Pair<'h>>,
}

impl<'h> Keys<'h> {
    /// Takes one operation. The error says what cannot be understood.
    fn take(&mut self, pair: Pair<'h>) -> Result<(), String> {
        let told = |reason: String| format!("op {}: {reason}", pair.invoke.index);
        let parts = |micro_op: &'h Value| match micro_op.as_array().map(Vec::as_slice) {
            Some([verb, key, value]) => verb.as_str().map(|verb| (verb, key, value)),
            _ => None,
        };
        let list_of = |value: &'h Value| {
            let list =
                value.as_array().ok_or_else(|| told("a transaction is a list of micro-ops".to_owned()))?;
            let list: Option<Vec<_>> = list.iter().map(parts).collect();
            list.ok_or_else(|| told("a micro-op is [\"r\" or \"w\", key, value]".to_owned()))
        };
        let list = list_of(&pair.invoke.value)?;
        if let [("w", key, value)] = list[..] {
            let (key, value) = (self.values.intern(key), self.values.intern(value));
            if let Some((_, before)) = self.writes.insert(key, (value, pair)) {
                let (key, before) = (self.values.get(key), before.invoke.index);
                return Err(told(format!("the key {key} was written before, in op {before}")));
            }
            return Ok(());
        }
        if list.iter().any(|(verb, _, _)| *verb != "r") {
            return Err(told("neither a write of one key nor a read of several".to_owned()));
        }
        if let Some(answer) = pair.completion.filter(|op| op.kind == Kind::Ok) {
            let mut keys: Shown = Vec::with_capacity(list.len());
            for (_, key, value) in list_of(&answer.value)? {
                let value = (!value.is_null()).then(|| self.values.intern(value));
                keys.push((self.values.intern(key), value));
            }
            self.reads.push((pair, keys));
        }
        Ok(())
    }

    /// Looks at every read by itself, and notes the order that it shows.
    fn compare(&mut self, accusations: &mut Accusations, budget: &Budget<'_>) -> Result<(), String> {
        let mut shown: BTreeMap<Datum, (Datum, u64)> = BTreeMap::new();
        for (step, (read, keys)) in (0..).zip(&self.reads) {
            let index = read.invoke.index;
            let mut present = Vec::new();
            for (key, value) in keys {
                let Some(value) = value else { continue };
                let (name, is) = (self.values.get(*key), self.values.get(*value));
                let told = |name: &str, because: String, write: Pair<'h>| {
                    anomaly(name, because, vec![*read, write], Map::default())
                };
                match self.writes.get(key) {
                    Some((written, write)) if written != value => accusations.add("garbage-read", || {
                        let because = format!(
                            "a read (op {index}) showed {is} at the key {name}, where only {} was written (op {})",
                            self.values.get(*written),
                            write.invoke.index
                        );
                        told("garbage-read", because, *write)
                    }),
                    Some((_, write)) if write.outcome() == Kind::Fail => accusations.add("G1a", || {
                        let because = format!(
                            "a read (op {index}) showed {is} at the key {name}, but its write (op {}) failed",
                            write.invoke.index
                        );
                        told("G1a", because, *write)
                    }),
                    Some((_, write)) if write.invoke.index > completed(read) => {
                        accusations.add("future-read", || {
                            let because = format!(
                                "a read (op {index}) showed {is} at the key {name} before its write (op {}) began",
                                write.invoke.index
                            );
                            told("future-read", because, *write)
                        });
                    }
                    Some(_) => present.push(*key),
                    None => {
                        let (first, op) = *shown.entry(*key).or_insert((*value, index));
                        if first != *value {
                            let first = self.values.get(first);
                            return Err(format!(
                                "op {index}: the key {name} showed {is} here and {first} in op {op}, and nobody is known \
                                 to have written it"
                            ));
                        }
                        present.push(*key);
                    }
                }
            }
            for (absent, _) in keys.iter().filter(|(_, value)| value.is_none()) {
                for key in &present {
                    self.before.entry((*key, *absent)).or_insert(*read);
                }
            }
            budget.spend(step, self.before.len() * size_of::<((Datum, Datum), Pair<'_>)>() * 2)?;
        }
        Ok(())
    }

    /// A circle of keys in each part of the keys that has one; pairs first, as they are the shortest.
    fn circles(&self) -> Vec<Vec<Datum>> {
        let twice = |(one, two): &(Datum, Datum)| one < two && self.before.contains_key(&(*two, *one));
        let pairs: Vec<Vec<Datum>> =
            self.before.keys().filter(|edge| twice(edge)).map(|(one, two)| vec![*one, *two]).collect();
        let graph: DiGraph<(), ()> =
            DiGraph::from_edges(self.before.keys().map(|(one, two)| (one.number(), two.number())));
        let paired: BTreeSet<u32> = pairs.iter().map(|pair| pair[0].number()).collect();
        let mut circles = pairs;
        for part in kosaraju_scc(&graph) {
            let mut part: Vec<u32> = part.into_iter().map(|vertex| vertex.index() as u32).collect();
            part.sort_unstable();
            if part.len() > 1 && !part.iter().any(|key| paired.contains(key)) {
                circles.push(shortest(&graph, part[0], &part));
            }
        }
        circles
    }

    fn tell(&self, circle: &[Datum]) -> Anomaly {
        let next = circle.iter().cycle().skip(1);
        let steps = circle.iter().zip(next).filter_map(|(one, two)| {
            self.before.get(&(*one, *two)).map(|read| (self.values.get(*one), self.values.get(*two), *read))
        });
        let (mut words, mut ops) = (Vec::new(), Vec::new());
        for (one, two, read) in steps {
            words.push(format!("a read (op {}) showed the key {one} and not {two}", read.invoke.index));
            ops.push(read);
        }
        let keys: Vec<Value> = circle.iter().map(|key| self.values.get(*key)).collect();
        let because = format!("{}: no order of the writes explains them all", words.join(", and "));
        let mut details = self.around(circle, &ops).unwrap_or_default();
        details.insert("keys".to_owned(), keys.into());
        anomaly("long-fork", because, ops, details)
    }

    /// The circle through writes and reads, where all the writes are on record: each write comes before the read that
    /// shows it, and that before the write that it does not show.
    fn around(&self, circle: &[Datum], reads: &[Pair<'_>]) -> Option<Map<String, Value>> {
        let (mut members, mut links) = (Vec::new(), Vec::new());
        for (place, (key, read)) in circle.iter().zip(reads).enumerate() {
            let (value, write) = self.writes.get(key)?;
            let (shown, missing) = (self.name(*key), self.name(circle[(place + 1) % circle.len()]));
            let value = self.values.get(*value);
            members.extend([Member::of(write), Member::of(read)]);
            links.extend([
                Link::new(
                    "wr",
                    Some(shown.clone()),
                    format!("it wrote {value} to key {shown}, and the other read it"),
                ),
                Link::new(
                    "rw",
                    Some(missing.clone()),
                    format!("it read nothing from key {missing}, which the other wrote"),
                ),
            ]);
        }
        Some(circle::details(&members, &links))
    }

    /// A key as people write it.
    fn name(&self, key: Datum) -> String {
        match self.values.get(key) {
            Value::String(text) => text,
            other => other.to_string(),
        }
    }
}

/// A shortest circle through a vertex of a strongly connected part of a graph.
fn shortest(graph: &DiGraph<(), ()>, start: u32, part: &[u32]) -> Vec<Datum> {
    let mut from: BTreeMap<u32, u32> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(vertex) = queue.pop_front() {
        let next = graph.neighbors(NodeIndex::from(vertex)).map(|next| next.index() as u32);
        for next in next.filter(|next| part.binary_search(next).is_ok()) {
            if next == start {
                let mut circle = vec![vertex];
                while let Some(before) = circle.last().and_then(|last| from.get(last)) {
                    circle.push(*before);
                }
                circle.reverse();
                return circle.into_iter().map(Datum::from_number).collect();
            }
            from.entry(next).or_insert_with(|| {
                queue.push_back(next);
                vertex
            });
        }
    }
    unreachable!("each vertex of a strongly connected part is on a circle")
}

impl LongFork {
    fn judge(self, history: &History, budget: &Budget<'_>) -> Result<Verdict, String> {
        let mut parts: BTreeMap<Option<&str>, Keys<'_>> = BTreeMap::new();
        for pair in history.pairs() {
            parts.entry(pair.invoke.key.as_deref()).or_default().take(pair)?;
            budget.spend(pair.invoke.index, pair.invoke.index as usize * size_of::<Pair<'_>>())?;
        }
        let mut accusations = Accusations::default();
        let (mut reads, mut writes, mut orders) = (0, 0, 0);
        for keys in parts.values_mut() {
            keys.compare(&mut accusations, budget)?;
            for circle in keys.circles() {
                accusations.add("long-fork", || keys.tell(&circle));
            }
            reads += keys.reads.len();
            writes += keys.writes.len();
            orders += keys.before.len();
        }
        let facts = format!("{writes} writes, {reads} reads that show the order of {orders} pairs of keys");
        let verdict = match accusations.verdict(self.name(), &ORDER, &facts) {
            Some(invalid) => invalid,
            None if orders == 0 => {
                let why = "vacuous: no read showed some of its keys and not others";
                Verdict::unknown(self.name(), format!("{why}; {facts}"))
            }
            None => Verdict::valid(self.name(), format!("{facts}: one order explains them")),
        };
        Ok(verdict.with_stat("reads", reads).with_stat("writes", writes).with_stat("orders", orders))
    }
}

impl Checker for LongFork {
    fn name(&self) -> &'static str {
        "long-fork"
    }

    fn about(&self) -> &'static str {
        "reads of several keys see the writes come in one order"
    }

    fn check(&self, history: &History, budget: &Budget<'_>) -> Verdict {
        self.judge(history, budget).unwrap_or_else(|reason| Verdict::unknown(self.name(), reason))
    }
}
