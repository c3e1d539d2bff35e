//! Ops, values, faults and numbers in words, for the terminal and the page alike.
//!
//! What comes from outside is made harmless here for a terminal: control characters become visible, and long
//! text is cut with its length stated. The page escapes markup itself.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use rashomon_core::{Anomaly, History, Impact, Kind, Op, Time, Verdict};
use serde_json::Value;

/// The longest that a described value is.
const LONGEST: usize = 60;

/// How many items of a list are shown at its beginning and at its end.
const ITEMS: usize = 5;

/// Text without control characters, on one line, at most `longest` characters long.
pub(crate) fn clean(text: &str, longest: usize) -> String {
    let mut out = String::new();
    for (position, c) in text.chars().enumerate() {
        if position == longest {
            let _ = write!(out, "... ({} characters)", text.chars().count());
            break;
        }
        match c {
            '\n' | '\t' => out.push(' '),
            // The marks that turn the direction of text could make a verdict read backwards.
            c if c.is_control()
                || ('\u{202a}'..='\u{202e}').contains(&c)
                || ('\u{2066}'..='\u{2069}').contains(&c) =>
            {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// Text on one line that takes no more than `longest` characters, with an ellipsis where it is cut.
pub(crate) fn shortened(text: &str, longest: usize) -> String {
    // What is cut away need not be made harmless.
    let begin: String = text.chars().take(longest + 1).collect();
    let text = clean(&begin, usize::MAX);
    if text.chars().count() <= longest {
        return text;
    }
    text.chars().take(longest.saturating_sub(1)).chain(['…']).collect()
}

/// Text of several lines, cleaned line by line and cut after `longest` characters.
pub(crate) fn lines(text: &str, longest: usize) -> String {
    let mut out = String::new();
    for line in text.lines() {
        if out.len() + line.len() > longest {
            out.push_str("...\n");
            break;
        }
        out.push_str(&clean(line, longest));
        out.push('\n');
    }
    out
}

/// A value in short: `nil`, `5`, `"x"`, `[1 2]`.
pub(crate) fn value(value: &Value) -> String {
    let mut out = String::new();
    write_value(&mut out, value, 0);
    clean(&out, LONGEST)
}

fn write_value(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Null => out.push_str("nil"),
        Value::Array(items) if depth < 4 => {
            out.push('[');
            for (position, item) in items.iter().enumerate() {
                if items.len() > 2 * ITEMS + 2 && (ITEMS..items.len() - ITEMS).contains(&position) {
                    if position == ITEMS {
                        let _ = write!(out, " ..{} more..", items.len() - 2 * ITEMS);
                    }
                    continue;
                }
                if position > 0 {
                    out.push(' ');
                }
                write_value(out, item, depth + 1);
            }
            out.push(']');
        }
        Value::Array(_) => out.push_str("[..]"),
        Value::Object(_) if depth >= 4 => out.push_str("{..}"),
        Value::Object(fields) => {
            out.push('{');
            for (position, (name, field)) in fields.iter().take(2 * ITEMS).enumerate() {
                let _ = write!(out, "{}{name} ", if position > 0 { ", " } else { "" });
                write_value(out, field, depth + 1);
            }
            out.push('}');
        }
        Value::String(text) => {
            // A bare word needs no quotes; anything else would be ambiguous without.
            let word = !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "-_.:".contains(c));
            if word {
                out.push_str(text);
            } else {
                let _ = write!(out, "{value}");
            }
        }
        Value::Bool(_) | Value::Number(_) => {
            let _ = write!(out, "{value}");
        }
    }
}

/// What was asked: `write 5`, `cas [1 2]`, `read`.
pub(crate) fn action(invoke: &Op) -> String {
    let f = clean(&invoke.f, LONGEST);
    if invoke.value.is_null() { f } else { format!("{f} {}", value(&invoke.value)) }
}

/// What came of it: `ok`, a value, `fail`, `info`.
pub(crate) fn result(invoke: &Op, completion: Option<&Op>) -> String {
    let because = |word: &str, op: &Op| match &op.error {
        Some(error) => format!("{word} ({})", clean(error, LONGEST)),
        None => word.to_owned(),
    };
    match completion {
        None => "info (no answer)".to_owned(),
        Some(op) => match op.kind {
            Kind::Fail => because("fail", op),
            Kind::Info => because("info", op),
            Kind::Ok | Kind::Invoke if invoke.value.is_null() => value(&op.value),
            Kind::Ok | Kind::Invoke if op.value.is_null() || op.value == invoke.value => "ok".to_owned(),
            Kind::Ok | Kind::Invoke => value(&op.value),
        },
    }
}

/// An op in two short parts. Of a transaction that ended ok only what it did is said, which repeats what was asked.
pub(crate) fn in_short(invoke: &Op, completion: Option<&Op>) -> (String, String) {
    let transaction = |op: &Op| {
        let list = op.value.as_array().filter(|list| !list.is_empty());
        list.is_some_and(|list| list.iter().all(|one| one.get(0).is_some_and(Value::is_string)))
    };
    match completion.filter(|op| op.kind == Kind::Ok && transaction(invoke) && transaction(op)) {
        Some(done) => (value(&done.value), "ok".to_owned()),
        None => (action(invoke), result(invoke, completion)),
    }
}

/// The ops of an anomaly, by their invocations, in order.
pub(crate) fn core<'a>(history: &'a History, anomaly: &Anomaly) -> Vec<(&'a Op, Option<&'a Op>)> {
    let mut pairs: BTreeMap<u64, (&Op, Option<&Op>)> = BTreeMap::new();
    for event in &anomaly.events {
        let Some(op) = history.op(*event) else { continue };
        let (invoke, completion) = match (op.kind, history.partner_of(op)) {
            (Kind::Invoke, partner) => (op, partner),
            (_, Some(invoke)) => (invoke, Some(op)),
            // An op of the nemesis stands for itself.
            (_, None) => (op, Some(op)),
        };
        pairs.insert(invoke.index, (invoke, completion));
    }
    pairs.into_values().collect()
}

/// The invocations, among `core`, of the ops that cannot be true given the others.
///
/// A checker may name them in its anomaly's details as `illegal`, an index or several. Where it does not, the
/// last op of the core to end `ok` stands in: until then there was a story, and a core is minimal, so that
/// without this op there would still be one. Of a cycle each op is as possible as the others, and none is named.
pub(crate) fn illegal(anomaly: &Anomaly, core: &[(&Op, Option<&Op>)]) -> Vec<u64> {
    let named: Vec<u64> = match anomaly.details.get("illegal") {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_u64).collect(),
        Some(other) => other.as_u64().into_iter().collect(),
        None => Vec::new(),
    };
    let of_core = |index: &u64| {
        core.iter()
            .find(|(invoke, end)| invoke.index == *index || end.is_some_and(|end| end.index == *index))
            .map(|(invoke, _)| invoke.index)
    };
    let found: Vec<u64> = named.iter().filter_map(of_core).collect();
    if !found.is_empty() || anomaly.details.contains_key("edges") {
        return found;
    }
    let ended = |(_, end): &&(&Op, Option<&Op>)| end.is_some_and(|end| end.kind == Kind::Ok);
    let last = core.iter().filter(ended).max_by_key(|(_, end)| end.map(|end| end.index));
    last.map(|(invoke, _)| invoke.index).into_iter().collect()
}

/// What a checker says in a line; what the anomaly below says at length is not said twice.
pub(crate) fn gist(verdict: &Verdict) -> String {
    match verdict.anomalies.first() {
        Some(anomaly) if verdict.summary.contains(&anomaly.because) => accusation(verdict),
        _ => clean(&verdict.summary, 600),
    }
}

/// What a checker accuses of: `stale-read on key 3`, `stale-read on key 3 and 2 more`.
pub(crate) fn accusation(verdict: &Verdict) -> String {
    let Some(first) = verdict.anomalies.first() else { return clean(&verdict.summary, 600) };
    let key = first.key.as_ref().map(|key| format!(" on key {}", clean(key, 40))).unwrap_or_default();
    let more = match verdict.anomalies.len() {
        1 => String::new(),
        n => format!(" and {} more", count(n as u64 - 1)),
    };
    format!("{}{key}{more}", clean(&first.name, 80))
}

/// A count with its thousands apart: `12,345`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `3 messages`, `1 message`.
pub(crate) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// A legal weakness that was seen: `blocking, seen 3 times: n2 waits for n1`.
pub(crate) fn weakness(weakness: &crate::Weakness) -> String {
    let times = match weakness.times {
        1 => "once".to_owned(),
        times => format!("{} times", count(times)),
    };
    format!("{}, seen {times}: {}", clean(&weakness.control, 60), clean(&weakness.because, 300))
}

/// A length of time with three digits or so: `412 µs`, `3.2 ms`, `1.25 s`.
pub(crate) fn span(duration: Duration) -> String {
    let micros = duration.as_secs_f64() * 1e6;
    match micros {
        m if m < 1000.0 => format!("{m:.0} µs"),
        m if m < 10_000.0 => format!("{:.1} ms", m / 1e3),
        m if m < 1_000_000.0 => format!("{:.0} ms", m / 1e3),
        m if m < 100_000_000.0 => format!("{:.2} s", m / 1e6),
        m => format!("{:.0} s", m / 1e6),
    }
}

/// An instant: `9.203 s`.
pub(crate) fn instant(time: Time) -> String {
    format!("{:.3} s", time.as_secs_f64())
}

/// What a coverage or an impact amounts to, in words; `nothing seen` when all is zero.
pub(crate) fn effect(impact: &Impact) -> String {
    let parts: Vec<String> = [
        (impact.messages, "message touched", "messages touched"),
        (impact.processes, "process awaited in vain", "processes awaited in vain"),
        (impact.lost_bytes, "byte lost from a log", "bytes lost from logs"),
        (impact.slow_syncs, "slow fsync", "slow fsyncs"),
        (impact.clocks, "wrong clock", "wrong clocks"),
        (impact.changes, "change of membership", "changes of membership"),
    ]
    .into_iter()
    .filter(|(number, ..)| *number > 0)
    .map(|(number, one, many)| counted(number, one, many))
    .collect();
    if parts.is_empty() { "nothing seen".to_owned() } else { parts.join(", ") }
}

#[cfg(test)]
mod tests {
    use rashomon_core::Process;
    use serde_json::json;

    use super::*;

    fn op(kind: Kind, f: &str, value: Value) -> Op {
        Op {
            index: 0,
            time: Time::ZERO,
            kind,
            process: Process::Client(0),
            f: f.into(),
            value,
            key: None,
            error: None,
            node: None,
        }
    }

    #[test]
    fn values_are_short_and_unambiguous() {
        assert_eq!(value(&json!(null)), "nil");
        assert_eq!(value(&json!([1, [2, "x"], "two words"])), "[1 [2 x] \"two words\"]");
        assert_eq!(value(&json!({"a": 1, "b": null})), "{a 1, b nil}");
        let many: Vec<u32> = (0..500).collect();
        assert_eq!(value(&json!(many)), "[0 1 2 3 4 ..490 more.. 495 496 497 498 499]");
        let deep = json!([[[[[[1]]]]]]);
        assert_eq!(value(&deep), "[[[[[..]]]]]");
        assert_eq!(value(&json!("x".repeat(100))).chars().count(), LONGEST + "... (100 characters)".len());
    }

    #[test]
    fn a_terminal_cannot_be_steered_from_outside() {
        assert_eq!(clean("a\x1b[31mb\u{202e}c\nd", 100), "a\\u{1b}[31mb\\u{202e}c d");
        assert_eq!(value(&json!("\x1b[2J")), "\"\\u001b[2J\"");
    }

    #[test]
    fn results_read_as_people_say_them() {
        let write = op(Kind::Invoke, "write", json!(5));
        assert_eq!(action(&write), "write 5");
        assert_eq!(result(&write, Some(&op(Kind::Ok, "write", json!(5)))), "ok");
        assert_eq!(result(&write, None), "info (no answer)");
        let refused = Op { error: Some("refused".into()), ..op(Kind::Fail, "write", json!(5)) };
        assert_eq!(result(&write, Some(&refused)), "fail (refused)");
        let read = op(Kind::Invoke, "read", json!(null));
        assert_eq!(
            (action(&read), result(&read, Some(&op(Kind::Ok, "read", json!(null))))),
            ("read".into(), "nil".into())
        );
    }

    #[test]
    fn numbers_and_times() {
        assert_eq!(["0", "999", "1,000", "1,234,567"], [0, 999, 1000, 1_234_567].map(count));
        let times = [412, 3_210, 32_100, 1_250_000, 125_000_000].map(|us| span(Duration::from_micros(us)));
        assert_eq!(times, ["412 µs", "3.2 ms", "32 ms", "1.25 s", "125 s"]);
        assert_eq!(effect(&Impact::default()), "nothing seen");
        let impact = Impact { messages: 1, processes: 2, ..Impact::default() };
        assert_eq!(effect(&impact), "1 message touched, 2 processes awaited in vain");
        assert_eq!(effect(&Impact { clocks: 3, ..Impact::default() }), "3 wrong clocks");
    }
}
