//! The story of a failure in virtual time: who told whom what, and what became of it.
//!
//! A space-time diagram (Lamport, *Time, Clocks, and the Ordering of Events in a Distributed System*, 1978): a lane
//! for each client and node, time running down, messages as arrows between the lanes.

mod draw;
mod fold;
mod happenings;
mod place;
mod scene;
mod steps;
mod words;

use maud::{Markup, html};
use rashomon_core::{Anomaly, Validity};

use super::Parts;
use crate::describe;
use crate::faults::FaultSpan;
use crate::store::Shrunk;
use scene::Scene;

/// The first anomaly of the run: the one whose story is told.
fn told<'a>(parts: &Parts<'a>) -> Option<&'a Anomaly> {
    let verdict = parts.verdict.filter(|verdict| verdict.valid == Validity::Invalid)?;
    match parts.shrunk {
        Some(shrunk) => shrunk.accusation.among(&verdict.checkers).next(),
        None => verdict.checkers.iter().find_map(|checker| checker.anomalies.first()),
    }
}

/// Whether there is a story to tell.
pub(crate) fn is_there(parts: &Parts<'_>) -> bool {
    parts.trace.is_some() && told(parts).is_some()
}

pub(crate) fn section(parts: &Parts<'_>, spans: &[FaultSpan]) -> Markup {
    let scene = parts
        .trace
        .zip(told(parts))
        .and_then(|(trace, anomaly)| Scene::new(parts, trace, anomaly, spans).map(|scene| (scene, anomaly)));
    let Some((scene, anomaly)) = scene else { return html! {} };
    let (steps, spare) = steps::steps(&scene);
    html! {
        section #story {
            h2 { "Story" }
            p.lead {
                "What happened inside, in virtual time, up to "
                span.culprit.small { (describe::clean(&anomaly.name, 80)) } ". "
                "Time runs down, in the order of events and not to scale; a lane for each client and each node. "
                "Point at anything, or tap it, to read it in full."
            }
            p.because { b { "Because " } (describe::clean(&anomaly.because, 2000)) }
            @if let Some(shrunk) = parts.shrunk { (facts(shrunk)) }
            (legend())
            div.frame { (draw::draw(&scene)) div.tip hidden {} }
            @if !scene.left_out.is_empty() {
                p.told { "Not drawn: " (scene.left_out.join("; ")) ". All of it is in trace.json and history.jsonl." }
            }
            h3 { "The same in words" }
            @if spare > 0 { p.told { (describe::counted(spare as u64, "earlier step is", "earlier steps are")) " left out." } }
            ol.steps {
                @for step in &steps {
                    li class=[step.culprit.then_some("culprit-step")] {
                        span.when { (format!("{:.2} ms", step.at.as_secs_f64() * 1e3)) } " " (step.words)
                    }
                }
            }
        }
    }
}

/// What was shrunk to what.
fn facts(shrunk: &Shrunk) -> Markup {
    let (before, after) = (&shrunk.before, &shrunk.after);
    let rows = [
        ("faults", before.faults, after.faults),
        ("nodes", before.nodes, after.nodes),
        ("clients", before.clients, after.clients),
        ("operations", before.ops, after.ops),
        ("messages", before.messages, after.messages),
        ("of these, touched by the network", before.touched, after.touched),
    ];
    html! {
        dl.figures.shrunk {
            @for (name, before, after) in rows {
                div { dt { (name) } dd { s { (describe::count(before)) } " " (describe::count(after)) } }
            }
            div { dt { "virtual time" } dd { s { (describe::span(before.lasts)) } " " (describe::span(after.lasts)) } }
        }
        p.told {
            "Shrunk from seed " (shrunk.seed) " by "
            (describe::counted(shrunk.attempts, "run", "runs")) " in "
            (describe::span(std::time::Duration::from_millis(shrunk.took_ms)))
            @if shrunk.unfinished { ", when time was up before all was tried" }
            "; every run that took the place of a larger one was accused of "
            (describe::clean(&shrunk.accusation.anomaly, 80)) " by " (describe::clean(&shrunk.accusation.checker, 80))
            ", too. The run as it was is in the folder " code { "original" } "; "
            code { (describe::clean(&shrunk.command, 1000)) } " repeats it."
        }
    }
}

fn legend() -> Markup {
    let entry = |class: &'static str, words: &'static str, drawing: Markup| {
        html! { li { svg.spacetime.key width="30" height="16" viewBox="0 0 30 16" aria-hidden="true" { g.(class) { (drawing) } } (words) } }
    };
    html! {
        ul.keys aria-label="Legend" {
            (entry("message", "message between nodes", html! { line.way x1="1" y1="8" x2="28" y2="8" marker-end="url(#st-message)" {} }))
            (entry("request", "request or answer of a client", html! { line.way x1="1" y1="8" x2="28" y2="8" marker-end="url(#st-request)" {} }))
            (entry("message touched gone", "dropped by the network", html! { line.way x1="1" y1="8" x2="21" y2="8" {} path.cross d="M18 4l8 8m0 -8l-8 8" {} }))
            (entry("op ok", "operation of a client", html! { rect x="9" y="1" width="12" height="14" rx="3" {} }))
            (entry("op illegal", "cannot be", html! { rect x="9" y="1" width="12" height="14" rx="3" {} }))
            (entry("durable", "records durable on disk", html! { rect x="11" y="4" width="8" height="8" rx="1" {} }))
            (entry("timer", "timer fired", html! { circle cx="15" cy="8" r="5" {} path d="M15 4.8v3.2h2.4" {} }))
            (entry("pill said", "what a node says of itself", html! { rect x="2" y="2" width="26" height="12" rx="6" {} }))
            (entry("dot", "the same, of the frequent kinds", html! { circle cx="15" cy="8" r="2.6" {} }))
            (entry("gone", "nobody is there", html! { rect.absence.dead x="9" y="0" width="12" height="16" {} }))
            (entry("gone", "paused", html! { rect.absence.still x="9" y="0" width="12" height="16" {} }))
        }
    }
}
