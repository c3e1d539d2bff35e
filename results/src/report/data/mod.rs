//! What the scripts draw from: bounded, however long the history is.
//!
//! Up to [`detail::MOST`] ops are told one by one: those of the anomaly, those near it, those nobody knows the
//! end of, and those near the edges of faults. The others are counted in bins. Rates and quantiles are exact,
//! reckoned from all ops; the cloud of latencies keeps one point per cell of a fine grid.

mod detail;
mod latency;
mod ops;
mod rate;
mod rows;

use rashomon_core::{Anomaly, History, Time};
use serde::Serialize;

use super::Parts;
use super::anomaly::Pair;
use super::transactions::Cycle;
use crate::faults::FaultSpan;
use crate::plan::PlanView;
pub(crate) use detail::Left;
#[cfg(test)]
pub(crate) use ops::PairOf;
pub(crate) use ops::{Outcome, Pairs};

/// The most faults that are drawn. Tables and drawings say when there are more.
pub(crate) const MOST_FAULTS: usize = 400;

/// The most keys of a cycle that are told.
const MOST_KEYS: usize = 50;

/// Everything that the scripts are given. Times are microseconds since the start of the run.
#[derive(Debug, Serialize)]
pub(crate) struct Data {
    end: u64,
    faults: Vec<Fault>,
    /// One for each anomaly that the page shows and that has ops in the history.
    cores: Vec<Core>,
    rows: Vec<rows::Row>,
    detail: detail::Detail,
    bins: detail::Bins,
    pub(crate) left: Left,
    rate: rate::Rate,
    latency: latency::Latency,
}

/// A fault as a shade and a label.
#[derive(Debug, Serialize)]
struct Fault {
    kind: String,
    family: &'static str,
    what: String,
    from: u64,
    to: u64,
    healed: bool,
}

/// Where the anomaly is.
#[derive(Debug, Serialize)]
struct Core {
    /// The place of the anomaly on the page.
    anomaly: usize,
    ops: Vec<u64>,
    illegal: Vec<u64>,
    key: Option<String>,
    /// The keys that matter: its own, or those of a cycle.
    keys: Vec<String>,
    from: u64,
    to: u64,
}

pub(crate) fn micros(time: Time) -> u64 {
    time.0 / 1000
}

/// The instant at which every drawing ends.
pub(crate) fn end(history: &History, spans: &[FaultSpan]) -> Time {
    let ops = history.ops().iter().map(|op| op.time);
    let faults = spans.iter().map(|span| span.to.unwrap_or(span.from));
    ops.chain(faults).max().unwrap_or_default().max(Time(1_000_000))
}

impl Data {
    pub(crate) fn new(parts: &Parts<'_>, spans: &[FaultSpan], pairs: &Pairs) -> Data {
        let end = end(parts.history, spans);
        let cores = cores(parts);
        let mark = |core| {
            let Core { ops, key, from, to, .. }: &Core = core;
            detail::Mark { ops, key: key.as_deref(), from: Time(*from * 1000), to: Time(*to * 1000) }
        };
        let marks: Vec<detail::Mark<'_>> = cores.iter().map(mark).collect();
        let edges: Vec<Time> = spans
            .iter()
            .filter(|span| span.struck())
            .flat_map(|span| [Some(span.from), span.to])
            .flatten()
            .collect();
        let threads = parts.plan.and_then(|plan| PlanView::new(plan).concurrency());
        let rows = rows::assign(parts.history, threads, marks.iter().flat_map(|mark| mark.ops));
        let (detail, bins, left) = detail::choose(parts.history, pairs, &rows, &marks, &edges, end);
        Data {
            end: micros(end),
            faults: faults(spans, end),
            rate: rate::rate(pairs, end),
            latency: latency::latency(pairs, end),
            rows: rows.drawn,
            cores,
            detail,
            bins,
            left,
        }
    }

    /// The data as JSON that may stand in a page: no `<`, so nothing in it can end the element around it.
    pub(crate) fn json(&self) -> String {
        let text = serde_json::to_string(self).expect("strings, numbers and lists always become JSON");
        // Outside strings JSON has no such character, and inside them the escape means the same. The line
        // separators are legal JSON, but were not always legal in a script.
        text.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
    }
}

fn faults(spans: &[FaultSpan], end: Time) -> Vec<Fault> {
    let struck = spans.iter().filter(|span| span.struck()).take(MOST_FAULTS);
    struck
        .map(|span| Fault {
            kind: span.name().to_owned(),
            family: span.family(),
            what: crate::describe::clean(&span.resolved, 120),
            from: micros(span.from),
            to: micros(span.to.unwrap_or(end)),
            healed: span.to.is_some(),
        })
        .collect()
}

/// Where the anomalies are that the page shows; the timeline opens at the first.
fn cores(parts: &Parts<'_>) -> Vec<Core> {
    let checkers = parts.verdict.map(|verdict| &verdict.checkers[..]).unwrap_or_default();
    let shown = checkers.iter().flat_map(|checker| &checker.anomalies).take(super::anomaly::ANOMALIES);
    let of = |(place, anomaly)| {
        let core = crate::describe::core(parts.history, anomaly);
        (!core.is_empty()).then(|| Core::new(place, anomaly, &core))
    };
    shown.enumerate().filter_map(of).collect()
}

impl Core {
    fn new(place: usize, anomaly: &Anomaly, core: &[Pair<'_>]) -> Core {
        let clean = |key: &String| crate::describe::clean(key, detail::LONGEST_TEXT);
        let from = core.iter().map(|(invoke, _)| invoke.time).min().unwrap_or_default();
        let to = core.iter().map(|(invoke, end)| end.unwrap_or(invoke).time).max().unwrap_or(from);
        let mut keys: Vec<String> = match Cycle::of(anomaly) {
            Some(cycle) => {
                cycle.edges.iter().filter_map(|edge| edge.key.as_ref()).take(MOST_KEYS).map(clean).collect()
            }
            None => anomaly.key.iter().map(clean).collect(),
        };
        keys.sort_unstable();
        keys.dedup();
        Core {
            anomaly: place,
            illegal: crate::describe::illegal(anomaly, core),
            // A core that was never reduced may be as long as the history.
            ops: core.iter().rev().take(500).map(|(invoke, _)| invoke.index).collect(),
            key: anomaly.key.as_ref().map(clean),
            keys,
            from: micros(from),
            to: micros(to),
        }
    }
}
