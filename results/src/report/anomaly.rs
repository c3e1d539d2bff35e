//! The anomaly: its few ops drawn and listed, and why they cannot all be true.

use std::time::Duration;

use maud::{Markup, html};
use rashomon_core::{Anomaly, Op, Validity, Value};

use super::effects::Effects;
use super::transactions::{self, Cycle};
use super::{Parts, drawing};
use crate::describe;
use crate::faults::FaultSpan;

/// How many anomalies are shown, of all checkers together.
pub(super) const ANOMALIES: usize = 6;

/// How many ops of one are drawn and listed.
const OPS: usize = 24;

/// How many lines of evidence are shown.
const LINES: usize = 20;

/// An op and its completion.
pub(crate) type Pair<'a> = (&'a Op, Option<&'a Op>);

pub(crate) fn section(parts: &Parts<'_>, spans: &[FaultSpan]) -> Markup {
    let checkers = parts.verdict.map(|verdict| &verdict.checkers[..]).unwrap_or_default();
    let all: Vec<(&str, &Anomaly)> = checkers
        .iter()
        .flat_map(|checker| checker.anomalies.iter().map(move |anomaly| (checker.checker.as_str(), anomaly)))
        .collect();
    html! {
        section #anomaly {
            h2 { @if all.len() > 1 { "Anomalies" } @else { "Anomaly" } }
            @if all.is_empty() {
                p.empty {
                    @match parts.verdict.map(|verdict| verdict.valid) {
                        Some(Validity::Valid) => "None: one consistent story explains all the testimony.",
                        Some(Validity::Unknown | Validity::Invalid) => "None was found; what could not be settled is named above.",
                        None => "The run was never judged.",
                    }
                }
            }
            @for (place, (checker, anomaly)) in all.iter().take(ANOMALIES).enumerate() {
                (one(checker, anomaly, parts, spans, place))
                @if all.len() > 1 {
                    p.tools { button type="button" data-core=(place) hidden { "Show " (describe::clean(&anomaly.name, 40)) " in the timeline" } }
                }
            }
            @if all.len() > ANOMALIES {
                p.told { (describe::count((all.len() - ANOMALIES) as u64)) " more anomalies are in verdict.json." }
            }
        }
    }
}

/// The anomaly at a place of the page.
fn one(checker: &str, anomaly: &Anomaly, parts: &Parts<'_>, spans: &[FaultSpan], place: usize) -> Markup {
    let id = format!("why-{}", place + 1);
    let core = describe::core(parts.history, anomaly);
    let illegal = describe::illegal(anomaly, &core);
    let shown = shown(&core, &illegal);
    let cycle = Cycle::of(anomaly);
    let marked = transactions::marked(anomaly, parts.history, &illegal);
    html! {
        article {
            h3 {
                span.culprit { (describe::clean(&anomaly.name, 80)) }
                @if let Some(key) = &anomaly.key { " on key " code { (describe::clean(key, 80)) } }
                " " span.by { "found by " (describe::clean(checker, 60)) }
            }
            @match &cycle {
                Some(cycle) => {
                    p.because {
                        b { "Because " } "each of " (cycle.members.len()) " transactions would come before itself: the arrows "
                        "lead around."
                    }
                    (ruled_out(anomaly))
                    (transactions::ring(cycle, parts.history, &id))
                    (cycle.legend())
                    (cycle.told(&id))
                },
                None => {
                    p.because { b { "Because " } (describe::clean(&anomaly.because, 2000)) }
                    (ruled_out(anomaly))
                }
            }
            @if let Some(marked) = &marked { (marked) }
            @if !shown.is_empty() {
                @if cycle.is_some() || marked.is_some() { h4 { "When it happened" } }
                (drawing::draw(&shown, &illegal, anomaly, spans))
                @let effects = Effects::of(anomaly, &illegal);
                (legend(effects.as_ref(), &illegal))
                @if let Some(effects) = &effects { (effects.told(parts.history)) }
                (order(&shown))
                @if shown.len() < core.len() {
                    p.told { (describe::count((core.len() - shown.len()) as u64)) " more ops belong to it; see verdict.json." }
                }
                (table(&shown, &illegal))
            } @else if !anomaly.events.is_empty() {
                p.empty { "Its events are not in the history that was read." }
            }
            @if !anomaly.evidence.is_empty() {
                h4 { "What nodes said" }
                ul.evidence {
                    @for line in anomaly.evidence.iter().take(LINES) { li { code { (describe::clean(line, 300)) } } }
                    @if anomaly.evidence.len() > LINES { li { "and " (anomaly.evidence.len() - LINES) " more" } }
                }
            }
        }
    }
}

/// The weakest isolation levels that an anomaly rules out.
fn ruled_out(anomaly: &Anomaly) -> Markup {
    let levels = anomaly.details.get("rules_out").and_then(Value::as_array);
    let levels: Vec<String> = levels
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .take(LINES)
        .map(|level| describe::clean(level, 60))
        .collect();
    html! {
        @if !levels.is_empty() {
            p.hint { "It rules out " b { (levels.join(", ")) } " and all that implies it." }
        }
    }
}

/// The ops that are drawn: all if they are few, else the last ones, and the illegal ones always.
fn shown<'a>(core: &[Pair<'a>], illegal: &[u64]) -> Vec<Pair<'a>> {
    let spare = core.len().saturating_sub(OPS);
    let keep = |(place, (invoke, _)): &(usize, &Pair<'a>)| *place >= spare || illegal.contains(&invoke.index);
    core.iter().enumerate().filter(keep).map(|(_, pair)| *pair).take(OPS + OPS / 3).collect()
}

/// The arrows in words, for those who cannot see them or would rather read.
fn order(pairs: &[Pair<'_>]) -> Markup {
    const MANY: usize = 8;
    let before = drawing::precedence(pairs);
    html! {
        @if !before.is_empty() {
            ul.order {
                @for (a, b) in before.iter().take(MANY) {
                    @let ((first, end), (then, _)) = (&pairs[*a], &pairs[*b]);
                    li {
                        code { (describe::action(first)) } " (op " (first.index) ") had ended "
                        (drawing::gap(*end, then)) " before "
                        code { (describe::action(then)) } " (op " (then.index) ") began."
                    }
                }
                @if before.len() > MANY { li { "and " (before.len() - MANY) " more" } }
            }
        }
    }
}

fn legend(effects: Option<&Effects>, illegal: &[u64]) -> Markup {
    html! {
        p.hint {
            "Drawn in the order of events, left to right, not to scale. An arrow: the one had ended before the other "
            "began, so its effect must come first. "
            @if let Some(effects) = effects {
                "The numbers: the order of effects that gets furthest; "
                @if let Some(state) = effects.state() { "it leads to " b { (state) } ", " }
                "and the op in red cannot follow."
            } @else if !illegal.is_empty() {
                "In red: what cannot be, given the others."
            }
        }
    }
}

fn table(pairs: &[Pair<'_>], illegal: &[u64]) -> Markup {
    html! {
        div.wide {
            table.full {
                thead {
                    tr {
                        th.number { "index" } th.number { "from" } th.number { "to" } th.number { "took" }
                        th.number { "process" } th { "node" } th { "operation" } th { "result" }
                    }
                }
                tbody {
                    @for (invoke, completion) in pairs {
                        @let wrong = illegal.contains(&invoke.index);
                        tr class=[wrong.then_some("illegal")] {
                            td.number { (invoke.index) }
                            td.number { (describe::instant(invoke.time)) }
                            td.number { @match completion { Some(op) => (describe::instant(op.time)), None => "open" } }
                            td.number { (took(invoke, *completion)) }
                            td.number { (invoke.process) }
                            td { (describe::clean(node(invoke, *completion), 40)) }
                            td { code { (describe::action(invoke)) } }
                            td { code { (describe::result(invoke, *completion)) } @if wrong { " " b { "cannot be" } } }
                        }
                    }
                }
            }
        }
    }
}

fn took(invoke: &Op, completion: Option<&Op>) -> String {
    completion.map_or_else(|| "open".to_owned(), |op| describe::span(span(invoke, op)))
}

fn span(invoke: &Op, completion: &Op) -> Duration {
    completion.time.since(invoke.time)
}

/// The node that answered, or that was asked.
pub(crate) fn node<'a>(invoke: &'a Op, completion: Option<&'a Op>) -> &'a str {
    completion.and_then(|op| op.node.as_deref()).or(invoke.node.as_deref()).unwrap_or("")
}
