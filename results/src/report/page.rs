//! The page as a whole.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use rashomon_core::Validity;

use super::availability::Availability;
use super::data::{self, Data, Left, Pairs};
use super::parts::Loaded;
use super::{Parts, anomaly, network, story, tables, transactions};
use crate::plan::PlanView;
use crate::store::{RunFolder, StoreError};
use crate::{Totals, describe, faults};

const STYLE: &str = include_str!("page.css");
const SCRIPTS: [&str; 5] = [
    include_str!("base.js"),
    include_str!("timeline.js"),
    include_str!("curves.js"),
    include_str!("story.js"),
    include_str!("start.js"),
];

/// Nothing may be fetched, not even by what came from outside.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

/// The most problems and notes that are listed.
const LINES: usize = 30;

/// The page of a run on disk. What is missing or cannot be read is said on the page.
pub fn render(run: &RunFolder) -> Result<String, StoreError> {
    // A folder that has gone is an error; a file in it that has gone is not.
    let run = RunFolder::open(run.path())?;
    Ok(render_parts(&Loaded::read(&run).parts()))
}

/// The page of any history, such as one that was recorded elsewhere.
pub fn render_parts(parts: &Parts<'_>) -> String {
    let known = parts.network.into_iter().flat_map(|network| network.nodes.iter().map(|report| report.node));
    let mut spans = faults::spans(&parts.schedule.entries, known);
    // What was recorded elsewhere has no schedule; its nemesis may have told what it did.
    if spans.is_empty() {
        spans = faults::recorded(parts.history);
    }
    let pairs = Pairs::new(parts.history);
    let data = Data::new(parts, &spans, &pairs);
    let availability = Availability::new(&pairs);
    let end = data::end(parts.history, &spans);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content="rashomon";
                title { (word(parts)) " - " (describe::clean(parts.title, 120)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#verdict" { "To the verdict" }
                header.top {
                    span.brand { "Rashomon" }
                    span.run { (describe::clean(parts.title, 120)) }
                    (contents(parts))
                }
                main {
                    (verdict(parts, &pairs))
                    (anomaly::section(parts, &spans))
                    (levels(parts))
                    (story::section(parts, &spans))
                    (timeline(parts, &pairs, &data.left))
                    // Of an excerpt there is nothing to measure.
                    @if parts.left_out == 0 {
                        (curves(&pairs))
                        (tables::availability(&spans, &availability, end))
                    }
                    (tables::coverage(parts))
                    (network::section(parts))
                    (tables::plan(parts))
                }
                footer { "Made by Rashomon. This page needs nothing else: keep it, mail it, attach it." }
                script #data type="application/json" { (PreEscaped(data.json())) }
                script { (PreEscaped(SCRIPTS.join("\n"))) }
            }
        }
    };
    page.into_string()
}

fn contents(parts: &Parts<'_>) -> Markup {
    let levels = levels_of(parts).next().map(|_| ("levels", "Levels"));
    let story = story::is_there(parts).then_some(("story", "Story"));
    let first = [("verdict", "Verdict"), ("anomaly", "Anomaly")];
    let measured = [("latency", "Latency"), ("rate", "Rate"), ("availability", "Availability")].into_iter();
    let measured = measured.filter(|_| parts.left_out == 0);
    let rest = [("faults", "Faults"), ("network", "Network"), ("plan", "Plan")];
    let rest = [("timeline", "Timeline")].into_iter().chain(measured).chain(rest);
    html! { nav aria-label="Sections" { @for (id, name) in first.into_iter().chain(levels).chain(story).chain(rest) { a href={ "#" (id) } { (name) } } } }
}

fn word(parts: &Parts<'_>) -> String {
    parts.verdict.map_or_else(|| "NOT JUDGED".to_owned(), |verdict| verdict.valid.to_string().to_uppercase())
}

fn verdict(parts: &Parts<'_>, pairs: &Pairs) -> Markup {
    let class = parts.verdict.map_or("unknown".to_owned(), |verdict| verdict.valid.to_string());
    html! {
        section #verdict class={ "verdict " (class) } aria-label="Verdict" {
            div.banner {
                h1 { (word(parts)) }
                div.claim {
                    @if let Some(subject) = subject(parts) { p.subject { (subject) } }
                    @match parts.verdict {
                        Some(verdict) => p.summary { (describe::clean(&verdict.summary, 600)) },
                        None => p.summary { "No verdict was recorded. Below is what there is." },
                    }
                }
            }
            @if let Some(verdict) = parts.verdict {
                @if !verdict.problems.is_empty() {
                    div.note {
                        h3 { "What the run itself lacks" }
                        (list(&verdict.problems))
                    }
                }
            }
            @if let Some(verdict) = parts.verdict && !verdict.weaknesses.is_empty() {
                div.note {
                    h3 { "Legal weaknesses that were seen" }
                    (list(&verdict.weaknesses.iter().map(describe::weakness).collect::<Vec<_>>()))
                }
            }
            (missing(parts, pairs))
            @if let Some(verdict) = parts.verdict {
                (checkers(verdict))
                (figures(&verdict.totals, Some(&verdict.ended.to_string())))
            } @else {
                (figures(&Totals::of(parts.history), None))
            }
        }
    }
}

/// What was tested, in a line.
fn subject(parts: &Parts<'_>) -> Option<String> {
    let plan = PlanView::new(parts.plan?);
    let words = [
        plan.system(),
        plan.workload(),
        plan.nodes().map(|nodes| describe::counted(nodes, "node", "nodes")),
        plan.bugs().map(|bugs| format!("bug {bugs}")),
        plan.seed().map(|seed| format!("seed {seed}")),
    ];
    let words: Vec<String> = words.into_iter().flatten().collect();
    (!words.is_empty()).then(|| words.join(" · "))
}

fn missing(parts: &Parts<'_>, pairs: &Pairs) -> Markup {
    let mut notes = parts.missing.to_vec();
    if parts.history.torn() {
        notes.push(
            "history.jsonl ends in the middle of a line: the run was killed, its last op is lost".into(),
        );
    }
    if parts.schedule.torn {
        notes.push("schedule.jsonl ends in the middle of a line: the run was killed".into());
    }
    if parts.left_out > 0 {
        notes.push(format!(
            "the history was judged while it was read: only what is near its anomalies was kept for this page, {} of {}",
            describe::count(pairs.0.len() as u64),
            describe::counted(pairs.0.len() as u64 + parts.left_out, "operation", "operations")
        ));
    } else if pairs.0.is_empty() {
        notes.push("the history has no client operation".into());
    }
    html! {
        @if !notes.is_empty() {
            div.note { h3 { "What is missing" } (list(&notes)) }
        }
    }
}

fn list(lines: &[String]) -> Markup {
    html! {
        ul {
            @for line in lines.iter().take(LINES) { li { (describe::clean(line, 1000)) } }
            @if lines.len() > LINES { li { "and " (lines.len() - LINES) " more" } }
        }
    }
}

fn checkers(verdict: &crate::RunVerdict) -> Markup {
    html! {
        ul.checkers {
            @for checker in verdict.checkers.iter().take(LINES) {
                li {
                    (mark(checker.valid))
                    span.name { (describe::clean(&checker.checker, 60)) }
                    span.says {
                        (describe::gist(checker))
                        @for cause in checker.unknown.iter().filter(|cause| **cause != checker.summary).take(4) {
                            br; (describe::clean(cause, 300))
                        }
                    }
                }
            }
        }
    }
}

/// The tables of isolation levels, of the checkers that have one.
fn levels_of<'a>(parts: &Parts<'a>) -> impl Iterator<Item = Markup> + use<'a> {
    let checkers = parts.verdict.map(|verdict| &verdict.checkers[..]).unwrap_or_default();
    checkers.iter().filter_map(transactions::levels)
}

fn levels(parts: &Parts<'_>) -> Markup {
    let tables: Vec<Markup> = levels_of(parts).take(LINES).collect();
    html! {
        @if !tables.is_empty() {
            section #levels {
                h2 { "Isolation levels" }
                @for table in &tables { (table) }
            }
        }
    }
}

/// A verdict as a small word on a ground of its colour.
fn mark(valid: Validity) -> Markup {
    html! { span class={ "mark " (valid) } { (valid) } }
}

fn figures(totals: &Totals, ended: Option<&str>) -> Markup {
    let since_start = |time: rashomon_core::Time| describe::span(time.since(rashomon_core::Time::ZERO));
    let mut figures = vec![
        ("operations", describe::count(totals.ops)),
        ("ok", describe::count(totals.ok)),
        ("fail", describe::count(totals.fail)),
        ("info", describe::count(totals.info)),
        ("ok per second", format!("{:.0}", totals.ok_rate())),
        ("duration", since_start(totals.duration)),
    ];
    figures.extend(totals.first_ok.map(|time| ("first ok after", since_start(time))));
    figures.extend(totals.leader_changes.map(|changes| ("changes of leader", describe::count(changes))));
    figures.extend(ended.map(|ended| ("ended", ended.to_owned())));
    html! {
        dl.figures { @for (name, figure) in figures { div { dt { (name) } dd { (figure) } } } }
    }
}

fn timeline(parts: &Parts<'_>, pairs: &Pairs, left: &Left) -> Markup {
    html! {
        section #timeline {
            h2 { "Timeline" }
            @if pairs.0.is_empty() {
                p.empty { "No operations to draw." }
            } @else {
                p.lead {
                    "A row per client thread, a box from invocation to completion. "
                    "An op whose end nobody knows (info) stays open: it may take effect at any later time."
                }
                noscript { p.note { "The timeline is drawn by a script, and scripts are off." } }
                div.tools {
                    div.buttons role="group" aria-label="View" {
                        button type="button" data-view="out" title="Zoom out (-)" aria-label="Zoom out" { "−" }
                        button type="button" data-view="in" title="Zoom in (+)" aria-label="Zoom in" { "+" }
                        button type="button" data-view="left" title="Earlier (left arrow)" aria-label="Earlier" { "◀" }
                        button type="button" data-view="right" title="Later (right arrow)" aria-label="Later" { "▶" }
                        button type="button" data-view="all" title="The whole run (0)" { "Whole run" }
                        button type="button" data-view="core" title="The anomaly (c)" hidden { "Anomaly" }
                    }
                    label { "Key " select data-keys { option value="" { "all keys" } } }
                    (legend())
                }
                div.board {
                    canvas.mini height="56" role="img" aria-label="The whole run, and the window shown below" {}
                    div.scroll {
                        canvas.main tabindex="0" role="application"
                            aria-label="Operations over time. Arrow keys move, plus and minus zoom, n and p step from op to op." {}
                    }
                    div.tip hidden {}
                }
                p.said aria-live="polite" { "Point at an op, tap it, or step through them with n and p." }
                p.hint {
                    "Drag to move. Click the drawing, then turn the wheel to zoom; Ctrl and wheel zooms at once. "
                    "Keys: + − ← → 0 c n p."
                }
                (told(left, parts))
            }
        }
    }
}

/// What the timeline leaves out, in words.
fn told(left: &Left, parts: &Parts<'_>) -> Markup {
    let binned: u64 = left.binned.iter().sum();
    html! {
        p.told {
            @if parts.left_out > 0 {
                (describe::count(left.told)) " ops near the anomalies are drawn one by one. The history has "
                (describe::count(parts.left_out)) " more."
            } @else if binned == 0 && left.undrawn == 0 {
                "All " (describe::counted(left.told, "op is", "ops are")) " drawn one by one."
            } @else {
                (describe::count(left.told)) " ops are drawn one by one: those near "
                @if parts.verdict.is_some_and(|verdict| verdict.valid == Validity::Invalid) { "the anomaly and " }
                "the edges of faults, and those whose end nobody knows. "
                @if binned > 0 {
                    (describe::count(binned)) " others (" (describe::count(left.binned[0])) " ok, "
                    (describe::count(left.binned[1])) " fail, " (describe::count(left.binned[2]))
                    " info) are counted in bins. "
                }
                @if left.undrawn > 0 {
                    (describe::count(left.undrawn)) " ops of " (describe::counted(left.rows, "more thread", "more threads"))
                    " are not drawn here; the curves and tables below include them. "
                }
                "The history has them all."
            }
        }
    }
}

fn legend() -> Markup {
    html! {
        ul.legend {
            li.ok { "ok" } li.fail { "fail" } li.info { "info" } li.illegal { "illegal" }
            li.link { "network fault" } li.process { "process fault" } li.disk { "disk fault" } li.clock { "clock fault" }
        }
    }
}

fn curves(pairs: &Pairs) -> Markup {
    html! {
        section #latency {
            h2 { "Latency" }
            @if pairs.0.is_empty() { p.empty { "No operations to measure." } } @else {
                figure {
                    figcaption { "Each op at its start, by how long it took (logarithmic)" }
                    div.chart data-chart="points" {}
                }
                figure {
                    figcaption { "Quantiles of the ops that were ok, by when they ended" }
                    div.chart data-chart="quantiles" {}
                }
            }
        }
        section #rate {
            h2 { "Rate" }
            @if pairs.0.is_empty() { p.empty { "No operations to count." } } @else {
                figure {
                    figcaption { "Operations per second, by outcome" }
                    div.chart data-chart="rate" {}
                }
            }
        }
    }
}
