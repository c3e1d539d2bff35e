//! Messages, answers and probes in a few words: what nodes write of them in full is for those who point at it.

use rashomon_core::Probe;
use serde_json::Value;

use crate::describe;

/// The fields that say most, in this order; those after them come as they stand.
const TELLING: [&str; 12] = [
    "candidate",
    "leader",
    "index",
    "slot",
    "term",
    "ballot",
    "view",
    "epoch",
    "transaction",
    "value",
    "outcome",
    "commit",
];

/// Fields that only a program can read anything from.
const OPAQUE: [&str; 6] = ["digest", "chain", "hash", "snapshot", "last_term", "last"];

/// The longest detail.
const LONGEST: usize = 14;

/// What something written for programmers is called, and its plain fields: `Vote`, `term 3`, `granted`.
pub(super) fn parts(text: &str) -> (String, Vec<String>) {
    let name: String = text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    let rest = text[name.len()..].trim();
    let inner = rest.strip_prefix(['{', '(']).map(|inner| inner.trim_end_matches(['}', ')', ' ']));
    // Taking all closing brackets may have taken too many: the pieces are looked at one by one.
    let details = inner.map(split).unwrap_or_default().into_iter().filter_map(detail);
    (describe::clean(&name, 40), details.collect())
}

/// The pieces between the commas of the outermost level.
fn split(text: &str) -> Vec<&str> {
    let (mut depth, mut begin, mut pieces) = (0_i32, 0, Vec::new());
    for (place, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                pieces.push(text[begin..place].trim());
                begin = place + 1;
            }
            _ => {}
        }
    }
    pieces.push(text[begin..].trim());
    pieces
}

/// `term: Term(3)` as `term 3`; nothing where there is no short way to say it.
fn detail(piece: &str) -> Option<String> {
    let (name, value) = match piece.split_once(": ") {
        Some((name, value)) if name.chars().all(|c| c.is_alphanumeric() || c == '_') => (name, value),
        _ => ("", piece),
    };
    if OPAQUE.contains(&name) {
        return None;
    }
    if let Some(list) = value.strip_prefix('[') {
        let list = list.trim_end_matches([']', ' ']);
        let count = split(list).len();
        let one = name.strip_suffix("ies").map(|stem| format!("{stem}y")).filter(|_| count == 1);
        let name = one.as_deref().unwrap_or(if count == 1 { name.trim_end_matches('s') } else { name });
        return (!list.is_empty() && !name.is_empty()).then(|| format!("{count} {name}"));
    }
    let value = bare(value);
    let plain = !value.is_empty()
        && value.chars().count() <= LONGEST
        && value.chars().all(|c| c.is_alphanumeric() || "_-.:#".contains(c));
    match (plain, name, value) {
        (false, ..) | (true, _, "None") => None,
        (true, name, "true") if !name.is_empty() => Some(name.to_owned()),
        (true, name, "false") if !name.is_empty() => Some(format!("not {name}")),
        (true, "", value) => Some(value.to_owned()),
        (true, name, value) => Some(format!("{} {value}", name.replace('_', " "))),
    }
}

/// A value without the types around it: `Some(Term(3))` is `3`.
fn bare(mut value: &str) -> &str {
    loop {
        value = value.trim().trim_matches('"');
        let Some((wrapper, inner)) = value.split_once('(') else {
            return value.trim_end_matches([')', '}', ' ']);
        };
        if !wrapper.chars().all(|c| c.is_alphanumeric() || c == '_') {
            return value;
        }
        value = inner.trim_end_matches(')');
    }
}

/// As much of it as so many characters hold.
pub(super) fn label(text: &str, longest: usize) -> String {
    let (mut label, details) = parts(text);
    for (place, detail) in details.iter().enumerate() {
        let gap = if place == 0 { " " } else { ", " };
        if label.chars().count() + gap.len() + detail.chars().count() > longest {
            break;
        }
        label.push_str(gap);
        label.push_str(detail);
    }
    label
}

/// What the end of an attempt says: `ok`, `not the leader`, `timed out`.
pub(super) fn answer(text: &str) -> String {
    let said = |from: &str| text.split_once(from)?.1.split_once('"').map(|(said, _)| said);
    let words = if text.starts_with("Reply") {
        "ok"
    } else {
        said("text: \"").or_else(|| said("Doubtful(\"")).unwrap_or("refused")
    };
    describe::clean(words, 24)
}

/// A probe: `leader term 3`.
pub(super) fn probe(probe: &Probe) -> String {
    let mut fields: Vec<(&str, &Value)> =
        probe.fields.iter().filter(|(name, _)| !OPAQUE.contains(name)).collect();
    fields
        .sort_by_key(|(name, _)| TELLING.iter().position(|telling| telling == name).unwrap_or(TELLING.len()));
    let mut words = describe::clean(probe.probe.as_str(), 24);
    for (name, value) in fields.into_iter().take(2) {
        let value = describe::value(value);
        if value.chars().count() <= LONGEST && words.chars().count() < 28 {
            words = match name {
                "index" | "slot" => format!("{words} #{value}"),
                "candidate" | "leader" | "value" => format!("{words} {value}"),
                name => format!("{words} {} {value}", describe::clean(name, 14).replace('_', " ")),
            };
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_its_name_and_its_plain_fields() {
        let append = "Append { term: Term(1), prev: Position { term: Term(0), index: Index(0) }, \
                      entries: [Entry { term: Term(1), payload: Noop }], commit: Index(0), round: 1 }";
        assert_eq!(label(append, 100), "Append term 1, 1 entry, commit 0, round 1");
        assert_eq!(label(append, 14), "Append term 1");
        assert_eq!(label(append, 3), "Append");
        assert_eq!(label("Voted { term: Term(2), granted: false }", 40), "Voted term 2, not granted");
        assert_eq!(label("Heartbeat", 40), "Heartbeat");
        assert_eq!(label("Promise(Ballot(7), None)", 40), "Promise 7");
        assert_eq!(label("", 40), "");
        assert!(label("Odd { a: [}, b: ((", 40).starts_with("Odd"));
    }

    #[test]
    fn an_answer_is_what_it_says() {
        assert_eq!(answer("Reply({\"type\": String(\"write_ok\")})"), "ok");
        assert_eq!(
            answer("Error(RpcError { code: X, text: \"not the leader\", hint: None })"),
            "not the leader"
        );
        assert_eq!(answer("Doubtful(\"connection reset\")"), "connection reset");
        assert_eq!(answer("Refused"), "refused");
    }

    #[test]
    fn a_probe_says_what_tells_most_first() {
        let leader = Probe::new("leader").with("last", 4).with("last_term", 2).with("term", 3);
        assert_eq!(probe(&leader), "leader term 3");
        let vote = Probe::new("vote").with("candidate", "n2").with("term", 3);
        assert_eq!(probe(&vote), "vote n2 term 3");
    }
}
