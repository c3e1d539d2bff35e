//! The tables: what clients got during each fault, what faults did, and the plan.

use std::time::Duration;

use maud::{Markup, html};
use rashomon_core::Time;

use super::Parts;
use super::availability::{Availability, Stretch};
use super::data::micros;
use crate::describe;
use crate::faults::FaultSpan;
use crate::plan::PlanView;
use crate::store::ScheduleEvent;

/// The most faults that the table lists.
const MOST: usize = 250;

pub(crate) fn availability(spans: &[FaultSpan], availability: &Availability, end: Time) -> Markup {
    html! {
        section #availability {
            h2 { "Availability during each fault" }
            p.lead {
                "Ops count by when they began. Silence is the longest time during which no op ended ok."
            }
            @if spans.is_empty() { p.empty { "No fault is on record." } }
            @if end > Time::ZERO {
                div.wide {
                    table.full {
                        thead {
                            tr {
                                th { "fault" } th.number { "from" } th.number { "to" } th { "struck" }
                                th { "what it did" } th.number { "ok" } th.number { "fail" }
                                th.number { "info" } th { "share" } th.number { "ok/s" }
                                th.number { "silence" }
                            }
                        }
                        tbody {
                            @let calm = availability.undisturbed(spans, end);
                            tr.calm {
                                td { "no fault" }
                                td.number colspan="2" { (describe::span(Duration::from_nanos(calm.length))) " in all" }
                                td {} td {} (counts(&calm))
                            }
                            @for span in spans.iter().take(MOST) { (row(span, availability, end)) }
                        }
                    }
                }
                @if spans.len() > MOST {
                    p.told { (describe::count((spans.len() - MOST) as u64)) " more faults are in schedule.jsonl." }
                }
            }
        }
    }
}

fn row(span: &FaultSpan, availability: &Availability, end: Time) -> Markup {
    let to = span.to.unwrap_or(end);
    html! {
        tr {
            td.kind { span class={ "swatch " (span.family()) } {} (span.name()) }
            td.number { (describe::instant(span.from)) }
            @if span.struck() {
                td.number { @if span.to.is_some() { (describe::instant(to)) } @else { "not healed" } }
                td {
                    (describe::clean(&span.resolved, 160))
                    @if !span.asked.is_empty() && span.asked != span.name() {
                        span.asked { "asked: " (describe::clean(&span.asked, 120)) }
                    }
                }
                td {
                    (span.effect())
                    @if span.impact.as_ref().is_some_and(|impact| !impact.bit) { " " span.warn { "did not bite" } }
                    (notes(span))
                }
                (counts(&availability.during(span.from, to)))
            } @else {
                td colspan="9" {
                    @match span.state {
                        ScheduleEvent::Skipped => "skipped: nobody to strike",
                        ScheduleEvent::Failed => span.warn { "could not be injected" },
                        ScheduleEvent::Intent | ScheduleEvent::Injected | ScheduleEvent::Healed => {
                            "meant to be injected; whether it was is not on record"
                        },
                    }
                    (notes(span))
                }
            }
        }
    }
}

fn notes(span: &FaultSpan) -> Markup {
    html! { @for note in span.notes.iter().take(3) { span.asked { (describe::clean(note, 200)) } } }
}

fn counts(stretch: &Stretch) -> Markup {
    let share = |count: u64| format!("flex-grow:{}", count * 1000 / stretch.ops().max(1));
    html! {
        @for count in stretch.counts { td.number { (describe::count(count)) } }
        td {
            @if stretch.ops() > 0 {
                span.share aria-hidden="true" {
                    @for (place, name) in ["ok", "fail", "info"].into_iter().enumerate() {
                        @if stretch.counts[place] > 0 { i class=(name) style=(share(stretch.counts[place])) {} }
                    }
                }
            }
        }
        td.number { (format!("{:.0}", stretch.ok_rate())) }
        td.number { (describe::span(Duration::from_nanos(stretch.silence))) }
    }
}

pub(crate) fn coverage(parts: &Parts<'_>) -> Markup {
    let coverage = parts.verdict.map(|verdict| &verdict.coverage[..]).unwrap_or_default();
    html! {
        section #faults {
            h2 { "What the faults did" }
            p.lead {
                "A fault that touched nothing proves nothing: a requested kind that never bit makes a run vacuous."
            }
            @if coverage.is_empty() { p.empty { "No fault was requested, or nothing was judged." } } @else {
                div.wide {
                    table {
                        thead {
                            tr { th { "fault" } th.number { "injected" } th.number { "bit" } th { "what it did" } }
                        }
                        tbody {
                            @for fault in coverage {
                                tr class=[(fault.bit == 0).then_some("warn")] {
                                    td { (fault.kind) }
                                    td.number { (describe::count(fault.injected)) }
                                    td.number { (describe::count(fault.bit)) }
                                    td {
                                        (describe::effect(&fault.total()))
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

pub(crate) fn plan(parts: &Parts<'_>) -> Markup {
    html! {
        section #plan {
            h2 { "Plan" }
            @match parts.plan {
                None => p.empty { "No plan is on record: this history was not made by a run here, or its plan is lost." },
                Some(plan) => {
                    @let view = PlanView::new(plan);
                    dl.plan { @for (name, value) in view.rows() { dt { (name) } dd { (value) } } }
                    @if let Some(command) = view.command() {
                        h3 { "Run it again" }
                        div.command {
                            code { (command) }
                            button type="button" data-copy { "Copy" }
                        }
                        p.hint {
                            "The seed repeats the plan and every random draw of a component. Against real processes "
                            "it does not repeat the interleaving: the same fault may need several runs to show."
                        }
                    }
                    details {
                        summary { "The whole plan" }
                        @let text = serde_json::to_string_pretty(plan).unwrap_or_default();
                        pre { (describe::lines(&text, 20_000)) }
                    }
                },
            }
            @if !parts.files.is_empty() {
                p.files { "Beside this page: " @for file in parts.files { a href=(file) { (file) } " " } }
            }
            @if let Some(end) = parts.history.ops().last() {
                p.hint { "The history has " (describe::count(end.index + 1)) " events over "
                    (describe::span(Duration::from_micros(micros(end.time)))) "." }
            }
        }
    }
}
