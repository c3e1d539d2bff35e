//! The drawing of an anomaly: swim lanes, drawn here and not by a script, so that it prints and is always there.
//!
//! Time is not to scale: each beginning and each end has a column of its own, so that microseconds between two
//! events are as visible as seconds, and every label fits its box.

use std::collections::BTreeMap;
use std::time::Duration;

use maud::{Markup, html};
use rashomon_core::{Anomaly, Kind, Op, Process, Time};

use super::anomaly::{Pair, node};
use super::effects::Effects;
use crate::describe;
use crate::faults::FaultSpan;

/// Measures, in the drawing's own pixels.
const GUTTER: f64 = 104.0;
const ROW: f64 = 66.0;
const BOX: f64 = 42.0;
const BAND: f64 = 20.0;
const TAIL: f64 = 46.0;
const FOOT: f64 = 26.0;
const NARROWEST_COLUMN: f64 = 84.0;
const LETTER: f64 = 7.4;

/// The width that is filled even by few columns.
const USUAL: f64 = 1090.0;

/// The longest label in a box, in characters; the table below has it whole.
const LABEL: usize = 40;

/// The most faults that are drawn above.
const FAULTS: usize = 6;

/// An op with its place.
struct Placed<'a> {
    invoke: &'a Op,
    completion: Option<&'a Op>,
    row: usize,
    left: f64,
    /// Where its box ends; open ops go on from here.
    right: f64,
    open: bool,
}

/// Columns for events, in order of their indices.
struct Columns {
    /// Index of the event to its column.
    of: BTreeMap<u64, usize>,
    times: Vec<Time>,
    width: f64,
}

impl Columns {
    fn new(pairs: &[Pair<'_>]) -> Columns {
        let mut times: BTreeMap<u64, Time> = BTreeMap::new();
        for (invoke, completion) in pairs {
            times.insert(invoke.index, invoke.time);
            times.extend(completion.map(|op| (op.index, op.time)));
        }
        let of: BTreeMap<u64, usize> =
            times.keys().enumerate().map(|(column, index)| (*index, column)).collect();
        let mut width = NARROWEST_COLUMN.max((USUAL - GUTTER - TAIL) / of.len() as f64);
        for (invoke, completion) in pairs {
            let last = completion.map_or(of.len(), |op| of[&op.index]);
            let columns = last.saturating_sub(of[&invoke.index]).max(1) as f64;
            let wanted = label(invoke, *completion).chars().count() as f64 * LETTER + 26.0;
            width = width.max(wanted / columns);
        }
        Columns { of, times: times.into_values().collect(), width }
    }

    fn x(&self, column: usize) -> f64 {
        GUTTER + (column as f64 + 0.5) * self.width
    }

    /// The right end of everything.
    fn end(&self) -> f64 {
        GUTTER + self.of.len() as f64 * self.width
    }

    /// Where an instant between the columns is.
    fn at(&self, time: Time) -> f64 {
        let after = self.times.partition_point(|known| *known <= time);
        if after == 0 {
            return GUTTER;
        }
        let Some(next) = self.times.get(after) else { return self.end() };
        let (before, here) = (self.times[after - 1], self.x(after - 1));
        let share = time.since(before).as_secs_f64() / next.since(before).as_secs_f64().max(1e-9);
        here + share.min(1.0) * self.width
    }
}

fn label(invoke: &Op, completion: Option<&Op>) -> String {
    let (action, result) = describe::in_short(invoke, completion);
    let text = format!("{action} → {result}");
    if text.chars().count() > LABEL { text.chars().take(LABEL - 1).chain(['…']).collect() } else { text }
}

pub(crate) fn draw(pairs: &[Pair<'_>], illegal: &[u64], anomaly: &Anomaly, spans: &[FaultSpan]) -> Markup {
    let columns = Columns::new(pairs);
    let faults = in_force(pairs, spans);
    let top = 8.0 + faults.len() as f64 * BAND;
    let (rows, placed) = place(pairs, &columns);
    let effects = Effects::of(anomaly, illegal);
    let bottom = top + rows.len() as f64 * ROW;
    let (width, height) = (columns.end() + TAIL, bottom + FOOT);
    let middle = |row: usize| top + (row as f64 + 0.5) * ROW;
    html! {
        div.wide tabindex="0" role="group" aria-label="Drawing of the anomaly; scrolls sideways" {
            svg.drawing xmlns="http://www.w3.org/2000/svg" width=(px(width)) height=(px(height))
                viewBox={ "0 0 " (px(width)) " " (px(height)) } role="img"
                aria-label={ (describe::clean(&anomaly.name, 80)) ": " (placed.len()) " operations" } {
                defs {
                    marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto" {
                        path.head d="M0 0L8 4L0 8z" {}
                    }
                }
                @for (place, span) in faults.iter().enumerate() { (band(span, place, &columns, bottom)) }
                @for (row, (process, node)) in rows.iter().enumerate() {
                    line.lane x1="0" x2=(px(width)) y1=(px(middle(row))) y2=(px(middle(row))) {}
                    text.who x="4" y=(px(middle(row) - 3.0)) { (process_name(*process)) }
                    text.where x="4" y=(px(middle(row) + 13.0)) { (node) }
                }
                @for (column, time) in columns.times.iter().enumerate() {
                    line.tick x1=(px(columns.x(column))) x2=(px(columns.x(column))) y1=(px(top)) y2=(px(bottom)) {}
                    text.time x=(px(columns.x(column))) y=(px(bottom + 16.0)) {
                        (format!("{:.4} s", time.as_secs_f64()))
                    }
                }
                @for (before, after) in precedence(pairs) {
                    @let (before, after) = (&placed[before], &placed[after]);
                    @let (y1, y2) = (middle(before.row), middle(after.row));
                    @let bend = ((after.left - before.right) / 2.0).max(18.0);
                    path.precedes marker-end="url(#arrow)" d=(format!(
                        "M{:.1} {y1:.1}C{:.1} {y1:.1} {:.1} {y2:.1} {:.1} {y2:.1}",
                        before.right, before.right + bend, after.left - bend, after.left - 2.0)) {}
                    @if after.left - before.right >= NARROWEST_COLUMN * 0.9 {
                        text.gap x=(px(f64::midpoint(before.right, after.left))) y=(px(f64::midpoint(y1, y2) - 4.0)) {
                            (gap(before.completion, after.invoke))
                        }
                    }
                }
                @for op in &placed {
                    (box_of(op, middle(op.row), illegal.contains(&op.invoke.index), columns.end() + TAIL, effects.as_ref()))
                }
                @for (number, op) in ordered(&placed, effects.as_ref()) {
                    circle.badge cx=(px(op.left)) cy=(px(middle(op.row) - BOX / 2.0)) r="9" {}
                    text.number x=(px(op.left)) y=(px(middle(op.row) - BOX / 2.0 + 4.0)) { (number) }
                }
            }
        }
    }
}

/// How long after the end of the one the other began.
pub(crate) fn gap(end: Option<&Op>, begin: &Op) -> String {
    describe::span(end.map_or(Duration::ZERO, |end| begin.time.since(end.time)))
}

fn px(length: f64) -> String {
    format!("{length:.1}")
}

fn process_name(process: Process) -> String {
    match process {
        Process::Client(number) => format!("process {number}"),
        Process::Nemesis => "nemesis".to_owned(),
    }
}

/// The rows, a process each with its node, and every op on its row.
fn place<'a>(pairs: &[Pair<'a>], columns: &Columns) -> (Vec<(Process, String)>, Vec<Placed<'a>>) {
    let mut rows: Vec<(Process, String)> = Vec::new();
    let mut placed = Vec::new();
    for (invoke, completion) in pairs {
        let row = rows.iter().position(|(process, _)| *process == invoke.process).unwrap_or_else(|| {
            rows.push((invoke.process, describe::clean(node(invoke, *completion), 12)));
            rows.len() - 1
        });
        let left = columns.x(columns.of[&invoke.index]);
        let open = completion.is_none_or(|op| op.kind == Kind::Info);
        let right = completion.map_or(columns.end(), |op| columns.x(columns.of[&op.index]));
        // An op of the nemesis is a moment; it still wants a box.
        let right = right.max(left + 40.0);
        placed.push(Placed { invoke, completion: *completion, row, left, right, open });
    }
    (rows, placed)
}

/// The faults in force at some moment of the drawing.
fn in_force<'s>(pairs: &[Pair<'_>], spans: &'s [FaultSpan]) -> Vec<&'s FaultSpan> {
    let from = pairs.iter().map(|(invoke, _)| invoke.time).min().unwrap_or_default();
    let to = pairs.iter().map(|(invoke, end)| end.unwrap_or(invoke).time).max().unwrap_or_default();
    spans
        .iter()
        .filter(|span| span.struck() && span.from <= to && span.to.is_none_or(|end| end >= from))
        .take(FAULTS)
        .collect()
}

fn band(span: &FaultSpan, place: usize, columns: &Columns, bottom: f64) -> Markup {
    let left = columns.at(span.from);
    let right = span.to.map_or(columns.end() + TAIL, |to| columns.at(to)).max(left + 3.0);
    let y = 2.0 + place as f64 * BAND;
    let words = format!("{}: {}", span.name(), describe::clean(&span.resolved, 60));
    // Near the right end the words stand before the band, so that they are not cut.
    let room = columns.end() + TAIL - left > words.chars().count() as f64 * LETTER;
    html! {
        g.fault.(span.family()) {
            title { (words) ", from " (describe::instant(span.from))
                @if let Some(to) = span.to { " to " (describe::instant(to)) } }
            rect.shade x=(px(left)) y=(px(y)) width=(px(right - left)) height=(px(bottom - y)) {}
            rect.band x=(px(left)) y=(px(y)) width=(px(right - left)) height=(px(BAND - 4.0)) {}
            text.what text-anchor=(if room { "start" } else { "end" })
                x=(px(if room { left + 6.0 } else { right - 6.0 })) y=(px(y + 12.0)) { (words) }
        }
    }
}

fn box_of(op: &Placed<'_>, middle: f64, illegal: bool, edge: f64, effects: Option<&Effects>) -> Markup {
    let outcome = match op.completion.map(|op| op.kind) {
        Some(Kind::Ok | Kind::Invoke) => "ok",
        Some(Kind::Fail) => "fail",
        Some(Kind::Info) | None => "info",
    };
    let (y, width) = (middle - BOX / 2.0, op.right - op.left);
    let label = label(op.invoke, op.completion);
    let centre = op.left + width / 2.0;
    let then = effects.and_then(|effects| effects.after(op.invoke.index));
    let small = match (&then, illegal) {
        (_, true) => format!("op {} · cannot be", op.invoke.index),
        (Some(state), false) => format!("op {} · then {state}", op.invoke.index),
        (None, false) => format!("op {}", op.invoke.index),
    };
    // A state that does not fit is told by the title and below.
    let fits = small.chars().count() as f64 * 6.4 < width;
    let small = if fits || illegal { small } else { format!("op {}", op.invoke.index) };
    let refused = effects.and_then(|effects| effects.refused(op.invoke.index));
    html! {
        g class={ "op " (outcome) @if illegal { " illegal" } } {
            title {
                "op " (op.invoke.index) ": " (describe::action(op.invoke)) " → "
                (describe::result(op.invoke, op.completion)) ", " (describe::instant(op.invoke.time)) " to "
                @match op.completion { Some(end) => (describe::instant(end.time)), None => "never" }
                @if let Some(state) = &then { "; the state after it: " (state) }
                @if let Some((state, because)) = &refused { "; the state before it: " (state) "; " (because) }
            }
            @if op.open {
                // Its effect may come at any later time: the box tears and a trail goes on to the edge.
                line.trail x1=(px(op.right)) x2=(px(edge)) y1=(px(middle)) y2=(px(middle)) {}
                path.body d=(torn(op.left, op.right, y)) {}
            } @else {
                rect.body x=(px(op.left)) y=(px(y)) width=(px(width)) height=(px(BOX)) rx="5" {}
            }
            text.label x=(px(centre)) y=(px(middle - 1.0)) { (label) }
            text.small x=(px(centre)) y=(px(middle + 14.0)) {
                (small)
            }
        }
    }
}

/// A box with a ragged right end.
fn torn(left: f64, right: f64, top: f64) -> String {
    let tooth = |number: u32| {
        let x = if number.is_multiple_of(2) { right + 7.0 } else { right };
        format!("L{x:.1} {:.1}", top + BOX * (f64::from(number) + 1.0) / 6.0)
    };
    let teeth: String = (0..6).map(tooth).collect();
    format!("M{left:.1} {top:.1}H{right:.1}{teeth}H{left:.1}Z")
}

/// Which of these had ended before which began, by their places, without what follows from the others.
pub(crate) fn precedence(pairs: &[Pair<'_>]) -> Vec<(usize, usize)> {
    let before = |a: usize, b: usize| {
        let end = pairs[a].1.filter(|end| end.kind != Kind::Info);
        end.is_some_and(|end| end.index < pairs[b].0.index)
    };
    let places = 0..pairs.len();
    let mut all = Vec::new();
    for a in places.clone() {
        for b in places.clone().filter(|b| before(a, *b)) {
            if !places.clone().any(|between| before(a, between) && before(between, b)) {
                all.push((a, b));
            }
        }
    }
    all
}

/// The ops that the checker could put in order, with their numbers.
fn ordered<'p, 'a>(placed: &'p [Placed<'a>], effects: Option<&Effects>) -> Vec<(usize, &'p Placed<'a>)> {
    let steps = effects.map(|effects| &effects.steps[..]).unwrap_or_default();
    steps
        .iter()
        .enumerate()
        .filter_map(|(place, step)| {
            placed.iter().find(|op| op.invoke.index == step.op).map(|op| (place + 1, op))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn op(index: u64, kind: Kind) -> Op {
        Op {
            index,
            time: Time(index),
            kind,
            process: Process::Client(index / 2),
            f: "read".into(),
            value: Value::Null,
            key: None,
            error: None,
            node: None,
        }
    }

    #[test]
    fn what_follows_from_other_arrows_is_not_drawn() {
        let ops: Vec<Op> = (0..6).map(|i| op(i, if i % 2 == 0 { Kind::Invoke } else { Kind::Ok })).collect();
        let pairs = [(&ops[0], Some(&ops[1])), (&ops[2], Some(&ops[3])), (&ops[4], Some(&ops[5]))];
        assert_eq!(precedence(&pairs), [(0, 1), (1, 2)]);
    }

    #[test]
    fn an_op_that_stays_open_precedes_nothing() {
        let ops = [op(0, Kind::Invoke), op(1, Kind::Info), op(2, Kind::Invoke), op(3, Kind::Ok)];
        let pairs = [(&ops[0], Some(&ops[1])), (&ops[2], Some(&ops[3]))];
        assert_eq!(precedence(&pairs), []);
    }
}
