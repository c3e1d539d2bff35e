//! The faults that a history tells of itself, by the ops of its nemesis.
//!
//! Jepsen's nemeses write each action twice, when it begins and when it is done, and in two actions a fault: one that
//! begins it and one that ends it. There is no rule for their names, only customs, and those are what is known here. An
//! action without a known counterpart is a moment, from its beginning until it is done.

use rashomon_core::{FaultId, History, Kind, Op, Process};

use super::FaultSpan;
use crate::describe;
use crate::store::ScheduleEvent;

/// The longest name of a fault.
const NAME: usize = 40;

/// The most faults that are told apart: no history that means well has more.
const MOST: usize = 5_000;

/// Pairs of actions whose names have nothing in common: what begins a fault, and what ends it. `start` and `stop` come
/// last, as `start` also ends what `kill` began.
const CUSTOMS: [(&str, &[&str]); 12] = [
    ("kill", &["restart", "start", "revive"]),
    ("crash", &["restart", "start", "revive"]),
    ("pause", &["resume", "unpause", "continue"]),
    ("partition", &["heal", "unpartition", "reconnect"]),
    ("isolate", &["heal", "unisolate", "reconnect"]),
    ("bump-clock", &["reset-clock"]),
    ("strobe-clock", &["reset-clock"]),
    ("scramble-clock", &["reset-clock"]),
    ("slow", &["fast"]),
    ("flaky", &["fast"]),
    ("bump", &["reset"]),
    ("strobe", &["reset"]),
];

/// What an action does.
#[derive(Debug, PartialEq, Eq)]
enum Does<'a> {
    Begins(&'a str),
    /// Ends the latest of these that is in force.
    Ends(Vec<&'a str>),
    /// Neither, as far as is known.
    Happens,
}

impl<'a> Does<'a> {
    fn of(action: &'a str, open: &[FaultSpan]) -> Does<'a> {
        let in_force = |name: &str| open.iter().any(|span| span.named.as_deref() == Some(name));
        for (begin, end) in [("start-", "stop-"), ("begin-", "end-"), ("inject-", "heal-")] {
            if let Some(name) = action.strip_prefix(begin) {
                return Does::Begins(name);
            }
            if let Some(name) = action.strip_prefix(end) {
                return Does::Ends(vec![name]);
            }
        }
        let ended: Vec<&str> =
            CUSTOMS.iter().filter(|(_, ends)| ends.contains(&action)).map(|(begin, _)| *begin).collect();
        if ended.iter().any(|name| in_force(name)) {
            return Does::Ends(ended);
        }
        match action {
            "start" => Does::Begins("fault"),
            "stop" => Does::Ends(vec!["fault"]),
            _ if CUSTOMS.iter().any(|(begin, _)| *begin == action) => Does::Begins(action),
            _ if !ended.is_empty() => Does::Ends(ended),
            _ => Does::Happens,
        }
    }
}

/// The faults on record in a history, in the order of their beginnings.
pub(crate) fn recorded(history: &History) -> Vec<FaultSpan> {
    let mut spans: Vec<FaultSpan> = Vec::new();
    let mut open: Vec<FaultSpan> = Vec::new();
    // The action that has begun and is not done, and what it does.
    let mut begun: Option<(&Op, Does<'_>)> = None;
    for op in history.ops().iter().filter(|op| op.process == Process::Nemesis && op.f != "nil") {
        if let Some((_, does)) = begun.take_if(|(before, _)| before.f == op.f && op.kind != Kind::Invoke) {
            match does {
                Does::Begins(name) => {
                    if let Some(span) = open.iter_mut().rfind(|span| is_named(span, name)) {
                        tell(span, op);
                    }
                }
                Does::Ends(names) => {
                    let of = |span: &&mut FaultSpan| names.iter().any(|name| is_named(span, name));
                    if let Some(last) = spans.last_mut().filter(of) {
                        last.to = last.to.max(Some(op.time));
                    }
                }
                Does::Happens => {
                    if let Some(last) = spans.last_mut().filter(|span| is_named(span, &op.f)) {
                        last.to = last.to.max(Some(op.time));
                        tell(last, op);
                    }
                }
            }
            continue;
        }
        let id = FaultId((spans.len() + open.len()) as u32);
        let is_full = spans.len() + open.len() >= MOST;
        let does = Does::of(&op.f, &open);
        match &does {
            Does::Ends(names) => {
                let of = |span: &FaultSpan| names.iter().any(|name| is_named(span, name));
                if let Some(place) = open.iter().rposition(of) {
                    let over = open.remove(place);
                    let to = Some(op.time.max(over.from));
                    spans.push(FaultSpan { to, state: ScheduleEvent::Healed, ..over });
                }
            }
            Does::Begins(_) | Does::Happens if is_full => {}
            Does::Begins(name) => open.push(span(id, name, op)),
            Does::Happens => {
                let moment = span(id, &op.f, op);
                spans.push(FaultSpan { to: Some(op.time), state: ScheduleEvent::Healed, ..moment });
            }
        }
        begun = Some((op, does));
    }
    spans.extend(open);
    spans.sort_by_key(|span| (span.from, span.id));
    spans
}

fn is_named(span: &FaultSpan, name: &str) -> bool {
    // Names are kept shortened.
    let kept = |known: &str| known == name || known == describe::shortened(name, NAME);
    span.named.as_deref().is_some_and(kept)
}

fn span(id: FaultId, name: &str, op: &Op) -> FaultSpan {
    let mut span = FaultSpan {
        id,
        kind: None,
        named: Some(describe::shortened(name, NAME)),
        asked: String::new(),
        resolved: String::new(),
        nodes: Vec::new(),
        from: op.time,
        to: None,
        impact: None,
        state: ScheduleEvent::Injected,
        notes: Vec::new(),
    };
    tell(&mut span, op);
    span
}

/// Takes what an action says of what it strikes.
fn tell(span: &mut FaultSpan, op: &Op) {
    if !op.value.is_null() {
        span.resolved = describe::value(&op.value);
    }
}

/// Which of the four families a fault of this name is likely to be of.
pub(super) fn family(name: &str) -> &'static str {
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if has(&["clock", "time", "skew", "bump", "strobe"]) {
        "clock"
    } else if has(&[
        "partition",
        "isolat",
        "net",
        "packet",
        "loss",
        "latency",
        "delay",
        "slow",
        "flaky",
        "jitter",
        "link",
    ]) {
        if has(&["disk"]) { "disk" } else { "link" }
    } else if has(&["disk", "file", "corrupt", "truncate", "fsync", "bitflip"]) {
        "disk"
    } else {
        "process"
    }
}

#[cfg(test)]
mod tests {
    use rashomon_core::{Time, Value};

    use super::*;

    /// What a nemesis that did these at these seconds told, in short.
    fn told(actions: &[(u64, &str)]) -> Vec<(String, u64, Option<u64>)> {
        let op = |(time, f): &(u64, &str)| Op {
            index: 0,
            time: Time(time * 1_000_000_000),
            kind: Kind::Info,
            process: Process::Nemesis,
            f: (*f).to_owned(),
            value: Value::from(*time),
            key: None,
            error: None,
            node: None,
        };
        let history = History::new(actions.iter().map(op).collect()).unwrap();
        let seconds = |time: Time| time.0 / 1_000_000_000;
        recorded(&history)
            .iter()
            .map(|span| (span.name().to_owned(), seconds(span.from), span.to.map(seconds)))
            .collect()
    }

    fn span(name: &str, from: u64, to: u64) -> (String, u64, Option<u64>) {
        (name.to_owned(), from, Some(to))
    }

    #[test]
    fn a_fault_lasts_from_the_first_word_of_it_until_its_end_is_done() {
        let actions =
            [(1, "start-partition"), (2, "start-partition"), (5, "stop-partition"), (6, "stop-partition")];
        assert_eq!(told(&actions), [span("partition", 1, 6)]);
        assert_eq!(told(&actions[..2]), [("partition".to_owned(), 1, None)]);
        // The end alone is no fault.
        assert_eq!(told(&actions[2..]), []);
        assert_eq!(told(&[(1, "start"), (2, "start"), (3, "stop"), (4, "stop")]), [span("fault", 1, 4)]);
    }

    #[test]
    fn the_customs_of_other_tools_are_known() {
        let actions = [
            (1, "kill"),
            (2, "kill"),
            (3, "pause"),
            (4, "pause"),
            (5, "start"),
            (6, "start"),
            (7, "resume"),
            (8, "resume"),
        ];
        assert_eq!(told(&actions), [span("kill", 1, 6), span("pause", 3, 8)]);
        let clocks = [(1, "bump-clock"), (2, "bump-clock"), (3, "reset-clock"), (4, "reset-clock")];
        assert_eq!(told(&clocks), [span("bump-clock", 1, 4)]);
        // Twice in a row: two faults, each with its end.
        let twice = [(1, "pause"), (2, "pause"), (3, "resume"), (4, "resume"), (5, "pause"), (6, "pause")];
        assert_eq!(told(&twice), [span("pause", 1, 4), ("pause".to_owned(), 5, None)]);
    }

    #[test]
    fn what_has_no_end_is_a_moment() {
        assert_eq!(told(&[(1, "rebalance"), (3, "rebalance")]), [span("rebalance", 1, 3)]);
        assert_eq!(
            told(&[(1, "grow"), (2, "shrink"), (3, "shrink")]),
            [span("grow", 1, 1), span("shrink", 2, 3)]
        );
    }

    #[test]
    fn what_a_fault_strikes_is_what_it_told_last() {
        let op = |f: &str, value: &str| Op {
            index: 0,
            time: Time(1),
            kind: Kind::Info,
            process: Process::Nemesis,
            f: f.to_owned(),
            value: value.into(),
            key: None,
            error: None,
            node: None,
        };
        let history =
            History::new(vec![op("start-kill", "one"), op("start-kill", "n3"), op("stop-kill", "n3 again")])
                .unwrap();
        let spans = recorded(&history);
        assert_eq!((spans.len(), spans[0].resolved.as_str(), spans[0].family()), (1, "n3", "process"));
        assert_eq!(
            ["partition", "bump-clock", "slow-disk", "pause"].map(family),
            ["link", "clock", "disk", "process"]
        );
    }
}
