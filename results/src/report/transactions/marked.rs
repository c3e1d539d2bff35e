//! Transactions side by side, with the micro-ops that show an anomaly.

use maud::{Markup, html};
use rashomon_core::{Anomaly, History};
use serde_json::Value;

use super::card::{Card, is_on};
use crate::describe;

/// The most transactions that are shown.
const TRANSACTIONS: usize = 12;

/// The longest line of a card, in characters.
const WIDTH: usize = 44;

/// One mark of an anomaly: micro-ops of a verb, of the transaction that began at an event.
struct Mark<'a> {
    event: u64,
    verb: &'a str,
    value: Option<&'a Value>,
    place: Option<u64>,
}

impl<'a> Mark<'a> {
    fn all(anomaly: &'a Anomaly) -> Vec<Mark<'a>> {
        let marks = anomaly.details.get("marks").and_then(Value::as_array);
        let mark = |value: &'a Value| {
            Some(Mark {
                event: value.get("event")?.as_u64()?,
                verb: value.get("verb")?.as_str()?,
                value: value.get("value").filter(|value| !value.is_null()),
                place: value.get("place").and_then(Value::as_u64),
            })
        };
        marks.into_iter().flatten().filter_map(mark).collect()
    }

    fn is_for(&self, place: usize, parts: &[Value], key: Option<&str>) -> bool {
        let argument = parts.get(2);
        let shows = |value: &Value| {
            argument == Some(value)
                || argument.and_then(Value::as_array).is_some_and(|list| list.contains(value))
        };
        self.place.is_none_or(|known| known == place as u64)
            && parts.first().and_then(Value::as_str) == Some(self.verb)
            && key.is_none_or(|key| is_on(parts, key))
            && self.value.is_none_or(shows)
    }
}

/// The transactions of an anomaly with their marks; `None` when it marks none.
pub(crate) fn marked(anomaly: &Anomaly, history: &History, illegal: &[u64]) -> Option<Markup> {
    let marks = Mark::all(anomaly);
    let mut events: Vec<u64> = marks.iter().map(|mark| mark.event).collect();
    events.sort_unstable();
    events.dedup();
    let card = |event: &u64| {
        let of = |mark: &&Mark<'_>| mark.event == *event;
        let matters = |place: usize, parts: &[Value]| {
            marks.iter().filter(of).any(|mark| mark.is_for(place, parts, anomaly.key.as_deref()))
        };
        let op = history.op(*event)?;
        Some((op, Card::find(history, *event, WIDTH, matters)?))
    };
    let cards: Vec<_> = events.iter().filter_map(card).collect();
    if cards.is_empty() {
        return None;
    }
    Some(html! {
        div.cards {
            @for (op, card) in cards.iter().take(TRANSACTIONS) {
                @let wrong = illegal.contains(&op.index);
                div class={ "card " (card.outcome) @if wrong { " illegal" } } {
                    p.head { b { "process " (op.process) } span { (card.events) } }
                    @for line in &card.lines {
                        @if line.marked { p.line { mark { (line.text) } } } @else { p.line { (line.text) } }
                    }
                    @if card.left_out > 0 { p.more { "and " (card.left_out) " more" } }
                    @if wrong { p.verdict-word { "cannot be" } }
                }
            }
        }
        @if cards.len() > TRANSACTIONS {
            p.told { (describe::count((cards.len() - TRANSACTIONS) as u64)) " more transactions belong to it." }
        }
        p.hint { "Marked: the micro-ops that show it" @if !illegal.is_empty() { "; in red, the transaction that cannot be, given the others" } "." }
    })
}
