//! Which ops are told one by one, and the count of the others.

use std::collections::BTreeMap;

use rashomon_core::{History, Op, Time, Value};
use serde::Serialize;

use super::rate::width;
use super::rows::Rows;
use super::{Outcome, Pairs};
use crate::describe;

/// The most ops that are told one by one.
pub(crate) const MOST: usize = 10_000;

/// The most bytes of text that they may bring: values from outside can be long.
const MOST_TEXT: usize = 700 << 10;

/// The longest text of an op's part, in characters.
pub(crate) const LONGEST_TEXT: usize = 90;

/// How many ops around an anomaly are told, and how many whose end nobody knows.
const NEAR: usize = 1_500;
const OPEN: usize = 1_000;

/// The most keys of one transaction by which it is found.
const MOST_KEYS: usize = 16;

/// Where the anomaly is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark<'a> {
    pub(crate) ops: &'a [u64],
    pub(crate) key: Option<&'a str>,
    pub(crate) from: Time,
    pub(crate) to: Time,
}

/// Ops one by one, as columns. Texts are numbers of `texts`.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Detail {
    texts: Vec<String>,
    index: Vec<u64>,
    /// The index of the completion; -1 for none.
    completion: Vec<i64>,
    row: Vec<usize>,
    process: Vec<u64>,
    from: Vec<u64>,
    /// How long it took; -1 when the history ends first.
    took: Vec<i64>,
    outcome: Vec<u8>,
    action: Vec<usize>,
    result: Vec<usize>,
    key: Vec<Keys>,
    node: Vec<usize>,
}

/// The key of an op, or the keys of a transaction's micro-ops.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum Keys {
    One(usize),
    Several(Vec<usize>),
}

/// The count of the other ops, by row and bucket.
#[derive(Debug, Serialize)]
pub(crate) struct Bins {
    /// In microseconds.
    width: u64,
    /// For each row: bucket, ok, fail and info one after the other, for buckets that have any.
    rows: Vec<Vec<u64>>,
}

/// What is not told one by one.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Left {
    /// Ops told one by one.
    pub(crate) told: u64,
    /// Ops counted in bins: ok, fail and info.
    pub(crate) binned: [u64; 3],
    /// Ops on rows that are not drawn.
    pub(crate) undrawn: u64,
    /// Such rows.
    pub(crate) rows: u64,
}

pub(crate) fn choose(
    history: &History,
    pairs: &Pairs,
    rows: &Rows,
    marks: &[Mark<'_>],
    edges: &[Time],
    end: Time,
) -> (Detail, Bins, Left) {
    let order = by_interest(history, pairs, marks, edges, end);
    let mut texts = Texts::default();
    let mut told: Vec<(usize, Told)> = Vec::new();
    let mut is_told = vec![false; pairs.0.len()];
    for place in order {
        if told.len() == MOST || texts.bytes > MOST_TEXT {
            break;
        }
        let invoke = pairs.0[place].begun(history);
        if rows.of(invoke.process).is_some() {
            is_told[place] = true;
            told.push((place, texts.tell(history, pairs, place)));
        }
    }
    told.sort_unstable_by_key(|(place, _)| *place);

    let mut detail = Detail::default();
    let mut left = Left { told: told.len() as u64, rows: rows.beyond, ..Left::default() };
    for (place, texts) in told {
        let pair = &pairs.0[place];
        let invoke = pair.begun(history);
        detail.index.push(pair.invoke);
        detail.completion.push(pair.completion.map_or(-1, |index| index as i64));
        detail.row.push(rows.of(invoke.process).unwrap_or_default());
        detail.process.push(match invoke.process {
            rashomon_core::Process::Client(number) => number,
            rashomon_core::Process::Nemesis => 0,
        });
        detail.from.push(pair.from / 1000);
        detail.took.push(pair.to.map_or(-1, |to| (to - pair.from).div_ceil(1000) as i64));
        detail.outcome.push(pair.outcome as u8);
        detail.action.push(texts.action);
        detail.result.push(texts.result);
        detail.key.push(texts.key);
        detail.node.push(texts.node);
    }
    detail.texts = texts.all;

    let width = width(end, pairs.0.len(), 16);
    let mut bins: Vec<BTreeMap<u64, [u64; 3]>> = vec![BTreeMap::new(); rows.drawn.len()];
    for (pair, _) in pairs.0.iter().zip(is_told).filter(|(_, told)| !told) {
        match rows.of(pair.begun(history).process) {
            Some(row) => {
                left.binned[pair.outcome as usize] += 1;
                bins[row].entry(pair.from / 1000 / width).or_default()[pair.outcome as usize] += 1;
            }
            None => left.undrawn += 1,
        }
    }
    let flat = |row: BTreeMap<u64, [u64; 3]>| {
        row.into_iter().flat_map(|(bucket, [ok, fail, info])| [bucket, ok, fail, info]).collect()
    };
    (detail, Bins { width, rows: bins.into_iter().map(flat).collect() }, left)
}

/// The places of all ops, the most telling first.
fn by_interest(
    history: &History,
    pairs: &Pairs,
    marks: &[Mark<'_>],
    edges: &[Time],
    end: Time,
) -> Vec<usize> {
    if pairs.0.len() <= MOST {
        // Even so the anomaly comes first: long texts may use up the room.
        let core = |place: &usize| marks.iter().any(|mark| mark.ops.contains(&pairs.0[*place].invoke));
        let (mut first, others): (Vec<usize>, Vec<usize>) = (0..pairs.0.len()).partition(core);
        first.extend(others);
        return first;
    }
    // Without faults the beginning and the end are what there is to see.
    let mut edges: Vec<u64> = edges.iter().map(|edge| edge.0).chain([0, end.0]).collect();
    edges.sort_unstable();
    edges.dedup();
    let from_edge = |time: u64| {
        let after = edges.partition_point(|edge| *edge < time);
        let near = |place: usize| edges.get(place).map(|edge| edge.abs_diff(time));
        near(after).into_iter().chain(after.checked_sub(1).and_then(near)).min().unwrap_or(u64::MAX)
    };
    let from_mark = |place: usize, mark: &Mark<'_>| {
        let pair = &pairs.0[place];
        let outside =
            mark.from.0.saturating_sub(pair.to.unwrap_or(pair.from)) + pair.from.saturating_sub(mark.to.0);
        let other_key = pair.begun(history).key.as_deref() != mark.key;
        // Ops on the same key matter from further away.
        if other_key { outside.saturating_mul(8) } else { outside }
    };
    let mut rank: Vec<u8> = vec![3; pairs.0.len()];
    for mark in marks {
        let mut near: Vec<usize> = (0..pairs.0.len()).collect();
        let nearest = (NEAR / marks.len()).min(near.len() - 1);
        near.select_nth_unstable_by_key(nearest, |place| (from_mark(*place, mark), *place));
        near[..nearest].iter().for_each(|place| rank[*place] = rank[*place].min(1));
        for (place, pair) in pairs.0.iter().enumerate() {
            if mark.ops.contains(&pair.invoke) {
                rank[place] = 0;
            }
        }
    }
    let open = pairs.0.iter().enumerate().filter(|(_, pair)| pair.outcome == Outcome::Info);
    for (place, _) in open.take(OPEN) {
        rank[place] = rank[place].min(2);
    }
    let mut order: Vec<(u8, u64, usize)> =
        pairs.0.iter().enumerate().map(|(place, pair)| (rank[place], from_edge(pair.from), place)).collect();
    order.sort_unstable();
    order.into_iter().map(|(.., place)| place).collect()
}

/// The numbers of an op's texts.
struct Told {
    action: usize,
    result: usize,
    key: Keys,
    node: usize,
}

/// Texts, each once.
#[derive(Default)]
struct Texts {
    all: Vec<String>,
    known: BTreeMap<String, usize>,
    bytes: usize,
}

impl Texts {
    fn number(&mut self, text: &str) -> usize {
        let text = describe::clean(text, LONGEST_TEXT);
        if let Some(number) = self.known.get(&text) {
            return *number;
        }
        // Quotes, comma, and the worst that escaping does to a text of our own making.
        self.bytes += text.len() * 2 + 3;
        self.all.push(text.clone());
        self.known.insert(text, self.all.len() - 1);
        self.all.len() - 1
    }

    fn keys(&mut self, invoke: &Op) -> Keys {
        let micro_ops =
            invoke.value.as_array().filter(|_| invoke.key.is_none()).map_or(&[][..], Vec::as_slice);
        let named = micro_ops.iter().filter(|one| one.get(0).is_some_and(Value::is_string));
        let mut keys: Vec<String> = named
            .filter_map(|micro_op| match micro_op.get(1)? {
                Value::String(key) => Some(key.clone()),
                key @ Value::Number(_) => Some(key.to_string()),
                Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
            })
            .take(MOST_KEYS)
            .collect();
        keys.sort_unstable();
        keys.dedup();
        if keys.is_empty() {
            return Keys::One(self.number(invoke.key.as_deref().unwrap_or("")));
        }
        Keys::Several(keys.iter().map(|key| self.number(key)).collect())
    }

    fn tell(&mut self, history: &History, pairs: &Pairs, place: usize) -> Told {
        let pair = &pairs.0[place];
        let invoke = pair.begun(history);
        let completion = pair.completion.and_then(|index| history.op(index));
        let node = completion.and_then(|op| op.node.as_deref()).or(invoke.node.as_deref());
        let (action, result) = describe::in_short(invoke, completion);
        Told {
            action: self.number(&action),
            result: self.number(&result),
            key: self.keys(invoke),
            node: self.number(node.unwrap_or("")),
        }
    }
}

#[cfg(test)]
mod tests {
    use rashomon_core::{Kind, Process};

    use super::super::rows;
    use super::*;

    fn long_history(ops: u64) -> History {
        let op = |index: u64| Op {
            index,
            time: Time(index * 1_000_000),
            kind: if index.is_multiple_of(2) { Kind::Invoke } else { Kind::Ok },
            process: Process::Client(0),
            f: "read".into(),
            value: Value::Null,
            key: None,
            error: None,
            node: None,
        };
        History::new((0..ops * 2).map(op).collect()).unwrap()
    }

    #[test]
    fn every_op_is_told_or_counted_and_the_anomaly_is_told() {
        let history = long_history(30_000);
        let pairs = Pairs::new(&history);
        let rows = rows::assign(&history, None, &[]);
        // Far from every edge and in the middle.
        let core = [29_000, 31_000];
        let mark = Mark { ops: &core, key: None, from: Time(29_000_000_000), to: Time(31_001_000_000) };
        let edges = [Time(5_000_000_000), Time(50_000_000_000)];
        let end = Time(60_000_000_000);
        let (detail, bins, left) = choose(&history, &pairs, &rows, &[mark], &edges, end);
        assert_eq!(left.told as usize, MOST);
        assert_eq!(left.told + left.binned.iter().sum::<u64>(), 30_000);
        let binned: u64 = bins.rows[0].chunks(4).map(|bin| bin[1..].iter().sum::<u64>()).sum();
        assert_eq!(binned, 20_000);
        assert!(core.iter().all(|op| detail.index.contains(op)));
        assert!(detail.index.contains(&5_000) && detail.index.contains(&50_000), "the edges are told");
        assert!(detail.index.is_sorted());
    }
}
