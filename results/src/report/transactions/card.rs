//! A transaction in short: its micro-ops, a line each, with those marked that matter.

use rashomon_core::{History, Kind, Op};
use serde_json::Value;

use super::super::anomaly::Pair;
use crate::describe;

/// The most micro-ops that are shown of one transaction.
const LINES: usize = 7;

/// A transaction as the pictures show it.
#[derive(Debug)]
pub(crate) struct Card {
    /// `ops 3–9 · ok`, as far as it is known.
    pub(crate) events: String,
    pub(crate) outcome: &'static str,
    pub(crate) lines: Vec<Line>,
    /// How many micro-ops are not shown.
    pub(crate) left_out: usize,
}

/// One micro-op.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) marked: bool,
}

impl Card {
    /// The transaction that began at this event, if it is in the history. Lines are at most `width` characters long.
    pub(crate) fn find(
        history: &History,
        invoke: u64,
        width: usize,
        matters: impl Fn(usize, &[Value]) -> bool,
    ) -> Option<Card> {
        let op = history.op(invoke)?;
        Some(Card::new((op, history.partner_of(op)), width, matters))
    }

    pub(crate) fn new(pair: Pair<'_>, width: usize, matters: impl Fn(usize, &[Value]) -> bool) -> Card {
        let (invoke, completion) = pair;
        let (outcome, ended) = match completion.map(|op| op.kind) {
            Some(Kind::Ok | Kind::Invoke) => ("ok", "ok"),
            Some(Kind::Fail) => ("fail", "failed"),
            Some(Kind::Info) => ("info", "end unknown"),
            None => ("info", "never ended"),
        };
        let events = match completion {
            Some(end) => format!("ops {}–{} · {ended}", invoke.index, end.index),
            None => format!("op {} · {ended}", invoke.index),
        };
        let done = micro_ops(pair);
        let mut lines: Vec<Line> = match &done {
            Some(list) => list
                .iter()
                .enumerate()
                .map(|(place, parts)| Line { text: told(parts, width), marked: matters(place, parts) })
                .collect(),
            None => vec![
                Line { text: describe::shortened(&describe::action(invoke), width), marked: false },
                Line {
                    text: describe::shortened(&format!("→ {}", describe::result(invoke, completion)), width),
                    marked: false,
                },
            ],
        };
        let all = lines.len();
        // Those that matter come before the others when there is no room for all.
        let mut spare = LINES.saturating_sub(lines.iter().filter(|line| line.marked).count());
        lines.retain(|line| {
            let kept = line.marked || spare > 0;
            spare = spare.saturating_sub(usize::from(!line.marked));
            kept
        });
        lines.truncate(LINES);
        Card { events, outcome, left_out: all - lines.len(), lines }
    }
}

/// The micro-ops of a transaction: as it ended, if it ended ok; else as it was asked.
fn micro_ops<'a>((invoke, completion): Pair<'a>) -> Option<Vec<&'a [Value]>> {
    let ended = completion.filter(|op| op.kind == Kind::Ok && !op.value.is_null());
    let parts = |op: &'a Op| -> Option<Vec<&'a [Value]>> {
        let list = op.value.as_array().filter(|list| !list.is_empty())?;
        let parts = |one: &'a Value| {
            one.as_array().map(Vec::as_slice).filter(|parts| parts.first().is_some_and(Value::is_string))
        };
        list.iter().map(parts).collect()
    };
    parts(ended.unwrap_or(invoke))
}

/// A micro-op as people write it: `append x 3`, `r x [.. 4 5 6]`. Of a long list the end is shown, as there is where reads
/// differ.
fn told(parts: &[Value], width: usize) -> String {
    let mut words: Vec<String> = Vec::new();
    for (place, part) in parts.iter().enumerate() {
        let used: usize = words.iter().map(|word| word.chars().count() + 1).sum();
        let room = width.saturating_sub(used).max(6);
        words.push(match part {
            Value::String(text) if place == 0 => describe::shortened(text, 12),
            Value::Array(items) if place > 1 => tail(items, room),
            other if place == 1 && parts.len() > 2 => {
                describe::shortened(&describe::value(other), room.min(16))
            }
            other => describe::shortened(&describe::value(other), room),
        });
    }
    words.join(" ")
}

/// As much of the end of a list as there is room for.
fn tail(items: &[Value], width: usize) -> String {
    let mut shown: Vec<String> = Vec::new();
    let mut length = 2;
    for item in items.iter().rev() {
        let word = describe::value(item);
        length += word.chars().count() + 1;
        if length + 2 > width && !(shown.len() + 1 == items.len() && length <= width) {
            let last = shown.is_empty().then(|| describe::shortened(&word, width.saturating_sub(4).max(3)));
            shown.extend(last);
            break;
        }
        shown.push(word);
    }
    let cut = if shown.len() < items.len() { "… " } else { "" };
    shown.reverse();
    format!("[{cut}{}]", shown.join(" "))
}

/// Whether a micro-op is of this key.
pub(super) fn is_on(parts: &[Value], key: &str) -> bool {
    match parts.get(1) {
        Some(Value::String(text)) => text == key,
        // A poll of several logs at once.
        Some(Value::Object(polled)) => polled.contains_key(key),
        Some(other) => serde_json::from_str::<Value>(key).is_ok_and(|key| key == *other),
        None => false,
    }
}

/// Whether a micro-op reads.
pub(super) fn is_read(parts: &[Value]) -> bool {
    matches!(parts.first().and_then(Value::as_str), Some("r" | "read" | "poll"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{tail, told};

    #[test]
    fn of_a_long_list_the_end_is_shown() {
        let list = |json: serde_json::Value| json.as_array().unwrap().clone();
        assert_eq!(tail(&list(json!([1, 2, 3])), 8), "[1 2 3]");
        assert_eq!(tail(&list(json!([10, 20, 30, 40])), 12), "[… 30 40]");
        assert_eq!(tail(&list(json!([])), 8), "[]");
        assert_eq!(tail(&list(json!(["a-very-long-element"])), 10), "[a-ver…]");
        let long: Vec<u64> = (0..1000).collect();
        let line = told(&[json!("r"), json!("x"), json!(long)], 26);
        assert_eq!(line, "r x [… 996 997 998 999]");
        assert!(line.chars().count() <= 26);
    }
}
