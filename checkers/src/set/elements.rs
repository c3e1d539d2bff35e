//! Each element's life.

use std::collections::BTreeMap;
use std::time::Duration;

use rashomon_core::history::Pair;
use rashomon_core::{Anomaly, History, Kind, Value};
use serde_json::json;

use crate::Budget;
use crate::accusations::completed;
use crate::linearizable::{node, operation};
use crate::models::{Datum, Values};

/// What can become of an element. The first four exclude each other, `Stale` aside, which is a kind of `Stable`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Stable,
    Lost,
    NeverRead,
    Stale,
    Phantom,
    Duplicate,
}

impl Fate {
    pub(super) const ALL: [Fate; 6] =
        [Fate::Stable, Fate::Lost, Fate::NeverRead, Fate::Stale, Fate::Phantom, Fate::Duplicate];

    pub(super) fn name(self) -> &'static str {
        match self {
            Fate::Stable => "stable",
            Fate::Lost => "lost",
            Fate::NeverRead => "never_read",
            Fate::Stale => "stale",
            Fate::Phantom => "phantom",
            Fate::Duplicate => "duplicate",
        }
    }

    /// The anomaly, where it is one.
    fn anomaly(self) -> &'static str {
        match self {
            Fate::Stable | Fate::NeverRead | Fate::Lost => "lost-element",
            Fate::Stale => "stale-read",
            Fate::Phantom => "phantom-element",
            Fate::Duplicate => "duplicate-element",
        }
    }
}

/// The reads of one set, in the order of their invocations, and the adds and showings of its elements.
#[derive(Debug, Default)]
struct Part<'h> {
    reads: Vec<Pair<'h>>,
    elements: BTreeMap<Datum, Traces<'h>>,
}

#[derive(Debug, Default)]
struct Traces<'h> {
    adds: Vec<Pair<'h>>,
    /// The reads that show it, as places in `reads`.
    shown: Vec<u32>,
    /// The first read that shows it twice.
    twice: Option<u32>,
}

/// One element and what became of it.
#[derive(Debug)]
pub(super) struct Element<'h> {
    key: Option<&'h str>,
    value: Value,
    adds: Vec<Pair<'h>>,
    /// The op whose completion first made it known.
    known: Option<Pair<'h>>,
    last_shown: Option<Pair<'h>>,
    /// The last read that began after it was known and did not show it.
    last_missing: Option<Pair<'h>>,
    /// The first read of it that no add explains.
    phantom: Option<Pair<'h>>,
    twice: Option<Pair<'h>>,
}

/// All elements of all sets in a history.
#[derive(Debug)]
pub(super) struct Elements<'h> {
    list: Vec<Element<'h>>,
}

impl<'h> Elements<'h> {
    /// Follows every element. The error says what cannot be understood, or that the budget is spent.
    pub(super) fn follow(
        history: &'h History,
        add: &str,
        budget: &Budget<'_>,
    ) -> Result<Elements<'h>, String> {
        let mut values = Values::default();
        let mut parts: BTreeMap<Option<&str>, Part<'h>> = BTreeMap::new();
        let mut showings = 0_usize;
        for pair in history.pairs() {
            let part = parts.entry(pair.invoke.key.as_deref()).or_default();
            match pair.invoke.f.as_str() {
                f if f == add => {
                    let element = values.intern(&pair.invoke.value);
                    part.elements.entry(element).or_default().adds.push(pair);
                }
                "read" => {
                    let Some(answer) = pair.completion.filter(|op| op.kind == Kind::Ok) else { continue };
                    let Value::Array(list) = &answer.value else {
                        let shown = &answer.value;
                        return Err(format!(
                            "op {}: a read of a set answers with a list, not {shown}",
                            answer.index
                        ));
                    };
                    let read = part.reads.len() as u32;
                    part.reads.push(pair);
                    for value in list {
                        let traces = part.elements.entry(values.intern(value)).or_default();
                        if traces.shown.last() == Some(&read) {
                            traces.twice.get_or_insert(read);
                        } else {
                            traces.shown.push(read);
                        }
                    }
                    showings += list.len();
                    if showings.saturating_mul(size_of::<u32>()) > budget.bytes {
                        return Err("memory budget exhausted".to_owned());
                    }
                }
                other => {
                    return Err(format!("op {}: a set has no operation `{other}`", pair.invoke.index));
                }
            }
            if pair.invoke.index.is_multiple_of(512) && (budget.expired)() {
                return Err("time budget exhausted".to_owned());
            }
        }
        let mut list = Vec::new();
        for (key, part) in parts {
            for (datum, traces) in part.elements {
                list.push(Element::new(key, values.get(datum).clone(), traces, &part.reads));
            }
        }
        Ok(Elements { list })
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn with(&self, fate: Fate) -> impl Iterator<Item = &Element<'h>> {
        self.list.iter().filter(move |element| element.has(fate))
    }

    /// The elements of which a read, and no acknowledgement, says that they were added.
    pub(super) fn recovered(&self) -> usize {
        let shown = self.list.iter().filter(|element| element.last_shown.is_some());
        let only = |element: &&Element<'_>| {
            element.phantom.is_none() && element.adds.iter().all(|add| add.outcome() != Kind::Ok)
        };
        shown.filter(only).count()
    }

    /// From when an element was known until it was in every read.
    pub(super) fn stable_latencies(&self) -> Vec<Duration> {
        let latency = |element: &Element<'_>| {
            let known = element.known?.completion?.time;
            Some(element.last_missing.map_or(Duration::ZERO, |read| read.invoke.time.since(known)))
        };
        self.with(Fate::Stable).filter_map(latency).collect()
    }

    /// From when an element was known until it was last seen.
    pub(super) fn lost_latencies(&self) -> Vec<Duration> {
        let latency = |element: &Element<'_>| {
            let known = element.known?.completion?.time;
            Some(element.last_shown.map_or(Duration::ZERO, |read| read.invoke.time.since(known)))
        };
        self.with(Fate::Lost).filter_map(latency).collect()
    }

    /// A few elements of each kind worth a look.
    pub(super) fn examples(&self, count: usize) -> BTreeMap<&'static str, Vec<&Value>> {
        [Fate::Lost, Fate::NeverRead, Fate::Stale, Fate::Phantom, Fate::Duplicate]
            .into_iter()
            .map(|fate| (fate.name(), self.with(fate).take(count).map(|element| &element.value).collect()))
            .collect()
    }
}

impl<'h> Element<'h> {
    fn new(key: Option<&'h str>, value: Value, traces: Traces<'h>, reads: &[Pair<'h>]) -> Element<'h> {
        let shown = || traces.shown.iter().map(|place| reads[*place as usize]);
        let acknowledged = traces.adds.iter().copied().filter(|add| add.outcome() == Kind::Ok);
        let known = acknowledged.chain(shown()).min_by_key(completed);
        let begun = |read: &Pair<'_>| {
            let may = |add: &Pair<'_>| add.outcome() != Kind::Fail && add.invoke.index < completed(read);
            traces.adds.iter().any(may)
        };
        let known_at = known.as_ref().map_or(u64::MAX, completed);
        let later: usize = reads.partition_point(|read| read.invoke.index < known_at);
        // The last place that is not among the places shown, found from the end of both.
        let mut missing = reads.len();
        for place in traces.shown.iter().rev() {
            if *place as usize + 1 != missing {
                break;
            }
            missing -= 1;
        }
        let last_missing = (missing > later).then(|| reads[missing - 1]);
        Element {
            key,
            value,
            known,
            last_shown: shown().max_by_key(completed),
            last_missing,
            phantom: shown().find(|read| !begun(read)),
            twice: traces.twice.map(|place| reads[place as usize]),
            adds: traces.adds,
        }
    }

    fn is_lost(&self) -> bool {
        let seen_after =
            |missing: Pair<'_>| self.last_shown.is_some_and(|shown| completed(&shown) > missing.invoke.index);
        self.last_missing.is_some_and(|missing| !seen_after(missing))
    }

    fn has(&self, fate: Fate) -> bool {
        match fate {
            Fate::Stable => self.last_shown.is_some() && !self.is_lost(),
            Fate::Lost => self.is_lost(),
            Fate::NeverRead => self.last_shown.is_none() && !self.is_lost(),
            Fate::Stale => self.has(Fate::Stable) && self.last_missing.is_some(),
            Fate::Phantom => self.phantom.is_some(),
            Fate::Duplicate => self.twice.is_some(),
        }
    }

    /// The anomaly that this fate is.
    pub(super) fn accuse(&self, fate: Fate) -> Anomaly {
        let value = &self.value;
        let add = self.adds.first();
        let (shown, because): (Vec<Option<Pair<'h>>>, String) = match fate {
            Fate::Lost | Fate::Stable | Fate::NeverRead | Fate::Stale => {
                let missing = self.last_missing.map_or(0, |read| read.invoke.index);
                let known = self.known.map_or(String::new(), |known| match known.invoke.f.as_str() {
                    "read" => format!("a read (op {}) showed {value}", known.invoke.index),
                    add => format!("{add} {value} (op {}) was acknowledged", known.invoke.index),
                });
                let after = match (fate, self.last_shown) {
                    (Fate::Stale, _) => "did not show it, though others did".to_owned(),
                    (_, Some(last)) => {
                        format!("did not show it, nor did any after the read of op {}", last.invoke.index)
                    }
                    (_, None) => "did not show it, nor did any other".to_owned(),
                };
                let reader = self.last_missing.as_ref().and_then(node).unwrap_or("the read");
                let because = format!("{known}, yet {reader}, read after that (op {missing}), {after}");
                (vec![self.known, self.last_shown, self.last_missing], because)
            }
            Fate::Phantom => {
                let read = self.phantom.map_or(0, |read| read.invoke.index);
                let cause = match add {
                    None => "nothing ever added it".to_owned(),
                    Some(add) if add.outcome() == Kind::Fail => {
                        format!("its add (op {}) failed and so certainly did not happen", add.invoke.index)
                    }
                    Some(add) => format!("its add (op {}) began only later", add.invoke.index),
                };
                (vec![add.copied(), self.phantom], format!("a read (op {read}) showed {value}, but {cause}"))
            }
            Fate::Duplicate => {
                let read = self.twice.map_or(0, |read| read.invoke.index);
                let because = format!("a read (op {read}) showed {value} more than once");
                (vec![add.copied(), self.twice], because)
            }
        };
        let mut ops: Vec<Pair<'h>> = shown.into_iter().flatten().collect();
        ops.sort_by_key(|pair| pair.invoke.index);
        ops.dedup_by_key(|pair| pair.invoke.index);
        let mut events: Vec<u64> = ops
            .iter()
            .flat_map(|pair| [Some(pair.invoke.index), pair.completion.map(|op| op.index)])
            .flatten()
            .collect();
        events.sort_unstable();
        let shown: Vec<Value> = ops.iter().map(brief).collect();
        let mut details = rashomon_core::Map::new();
        details.insert("element".to_owned(), value.clone());
        details.insert("ops".to_owned(), shown.into());
        Anomaly {
            name: fate.anomaly().to_owned(),
            key: self.key.map(str::to_owned),
            events,
            evidence: Vec::new(),
            because,
            details,
        }
    }
}

/// An operation for a picture, where the list that a read answered with gives way to its length.
fn brief(pair: &Pair<'_>) -> Value {
    let mut shown = operation(pair);
    if let Value::Array(list) = &shown["result"] {
        shown["result"] = json!(format!("{} elements", list.len()));
    }
    shown
}
