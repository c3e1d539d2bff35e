//! Histories judged while they are read, against the same judged as a whole.

mod histories;

use std::cell::Cell;
use std::io::{self, BufRead};

use histories::{Choice, cases, choices, observe};
use proptest::prelude::*;
use rashomon_checkers::formats::{Beginning, Format, Source, begins, judge_stream, read, write_edn};
use rashomon_checkers::generate::{Clients, Subject};
use rashomon_checkers::{Archive, Budget, Checker, Fill, Follow, Inbox, Question, Spans, checker_of, judge};
use rashomon_core::history::{HEADER, Pair};
use rashomon_core::{History, HistoryError, Kind, Op, Seed, Validity, Value, Verdict};
use serde_json::json;

/// The same history in each notation that can be judged so.
fn texts(history: &History) -> [(Format, String); 3] {
    let lines: Vec<String> = history.ops().iter().map(|op| serde_json::to_string(op).unwrap()).collect();
    let jsonl = format!("{HEADER}\n{}\n", lines.join("\n"));
    let json = format!("[{}]\n", lines.join(",\n "));
    [(Format::Jsonl, jsonl), (Format::JepsenEdn, write_edn(history)), (Format::JepsenJson, json)]
}

fn question(model: &str) -> Question {
    Question { model: Some(model.to_owned()), ..Question::default() }
}

fn streamed(format: Format, text: &str, model: &str) -> (Verdict, History) {
    let beginning = Beginning { format, model: None };
    let checker = checker_of(beginning, &question(model)).unwrap();
    let streamed = judge_stream(&text.as_bytes(), format, checker.as_ref(), &Budget::unlimited());
    let streamed = streamed.unwrap().expect("this model can be followed");
    (streamed.verdict, streamed.excerpt)
}

fn whole(format: Format, text: &str, model: &str) -> Verdict {
    judge(&read(format, text).unwrap(), &question(model), &Budget::unlimited()).unwrap()
}

#[test]
fn every_plant_is_judged_like_the_whole() {
    let mut invalid = 0;
    for subject in Subject::ALL {
        let plants = subject.plants().iter().copied().map(Some).chain([None]);
        for (plant, seed) in plants.zip(1..) {
            // What an open dequeue took is anyone's guess, and too many guesses take too long here.
            let removes = matches!(subject, Subject::Queue | Subject::Stack | Subject::PriorityQueue);
            let open_per_mille = if removes { 0 } else { 20 };
            let clients =
                Clients { operations: 300, clients: 6, open_per_mille, stale: false, seed: Seed(seed) };
            let ops: Vec<Op> = subject.stream(clients, plant).collect();
            let history = History::new(ops).unwrap();
            for (format, text) in texts(&history) {
                let beginning = Beginning { format, model: Some(subject.name()) };
                let checker = checker_of(beginning, &Question::default()).unwrap();
                if checker.follow().is_none() {
                    continue;
                }
                let (verdict, excerpt) = streamed(format, &text, subject.name());
                assert_eq!(verdict, whole(format, &text, subject.name()), "{subject} {plant:?} {format}");
                invalid += u32::from(verdict.valid == Validity::Invalid);
                for event in verdict.anomalies.iter().take(3).flat_map(|anomaly| &anomaly.events) {
                    let index = |op: &Op| op.time;
                    assert_eq!(excerpt.op(*event).map(index), history.op(*event).map(index), "{format}");
                }
            }
        }
    }
    assert!(invalid > 30, "{invalid} violations were told");
}

#[test]
fn the_beginning_of_a_file_tells_what_it_is() {
    for subject in [Subject::CasRegister, Subject::Queue, Subject::ListAppend, Subject::RwRegister] {
        let clients =
            Clients { operations: 2_000, clients: 6, open_per_mille: 0, stale: false, seed: Seed(1) };
        let history = History::new(subject.stream(clients, None).collect()).unwrap();
        for (format, text) in texts(&history) {
            let beginning = &text[..20_000];
            let expected = Beginning { format, model: Some(subject.name()) };
            assert_eq!(begins(format, beginning), Some(expected), "{format} {subject}");
        }
    }
    assert_eq!(begins(Format::Plume, "r(1,1,1,1)\n"), None);
}

/// A file, of which it is known whether all of it was taken.
struct File<'t> {
    text: &'t str,
    taken: Cell<bool>,
}

impl Source for File<'_> {
    fn open(&self) -> io::Result<Box<dyn BufRead + Send + '_>> {
        Ok(Box::new(self.text.as_bytes()))
    }

    fn taken(&self) {
        assert!(!self.taken.replace(true), "it is told once");
    }
}

#[test]
fn time_that_runs_out_while_a_file_is_read_is_unknown() {
    for subject in [Subject::CasRegister, Subject::Queue, Subject::ListAppend, Subject::RwRegister] {
        let clients =
            Clients { operations: 2_000, clients: 6, open_per_mille: 0, stale: false, seed: Seed(1) };
        let history = History::new(subject.stream(clients, None).collect()).unwrap();
        for (format, text) in texts(&history) {
            let checker = checker_of(Beginning { format, model: Some(subject.name()) }, &Question::default());
            let checker = checker.unwrap();
            let file = File { text: &text, taken: Cell::new(false) };
            // Of what comes after the reading each checker has tests of its own.
            let reading = || !file.taken.get();
            let budget = Budget::new(usize::MAX, &reading);
            let verdict = judge_stream(&file, format, checker.as_ref(), &budget).unwrap().unwrap().verdict;
            assert_eq!(verdict.valid, Validity::Unknown, "{subject} {format}");
            assert!(verdict.unknown[0].ends_with("time budget exhausted"), "{:?}", verdict.unknown);
            assert!(file.taken.get());
            let (verdict, _) = streamed(format, &text, subject.name());
            assert!(verdict.unknown.iter().all(|cause| !cause.contains("budget")), "{:?}", verdict.unknown);
        }
    }
}

/// A register with reads, writes and cas that works, or nearly.
fn register(choices: &[Choice]) -> History {
    let act = |f: u8, one: u8, two: u8| match f % 3 {
        0 => ("read", Value::Null, Value::from(one % 4)),
        1 => ("write", Value::from(one), Value::from(one)),
        _ => ("cas", json!([one % 4, two]), json!([one % 4, two])),
    };
    let apply = |state: &mut Value, f: &str, argument: &Value| match f {
        "write" => {
            *state = argument.clone();
            argument.clone()
        }
        "cas" => {
            *state = argument[1].clone();
            argument.clone()
        }
        _ => state.clone(),
    };
    observe(3, 12, choices, Value::Null, act, apply)
}

/// The same ops on several keys, with all that an op can have.
fn dressed(history: &History, keys: usize) -> History {
    let key = |op: &Op| {
        let invoke = if op.kind == Kind::Invoke { op } else { history.partner_of(op).unwrap() };
        (keys > 0).then(|| format!("k{}", invoke.index as usize % keys.max(1)))
    };
    let dress = |op: &Op| {
        let error = (op.kind == Kind::Fail).then(|| "not now".to_owned());
        Op { key: key(op), error, node: Some("n\u{e9}1".to_owned()), ..op.clone() }
    };
    History::new(history.ops().iter().map(dress).collect()).unwrap()
}

/// A checker that only picks.
#[derive(Clone)]
struct Picker {
    spans: Spans,
    /// The invocations that it says have no end.
    endless: Vec<u64>,
}

impl Picker {
    /// What it picks from a file.
    fn picked(&self, format: Format, text: &str) -> Verdict {
        let streamed = judge_stream(&text.as_bytes(), format, self, &Budget::unlimited());
        streamed.unwrap().unwrap().verdict
    }
}

/// Takes some events and keeps none.
struct Sink(u32);

impl Inbox for Sink {
    fn is_full(&self) -> bool {
        self.0 == 0
    }

    fn take(&mut self, _line: usize, _op: &mut Op) {
        self.0 -= 1;
    }
}

impl Follow for Picker {
    fn feed(&mut self, fill: &mut Fill<'_>, _budget: &Budget<'_>) -> Result<(), HistoryError> {
        while fill(&mut Sink(100))? {}
        Ok(())
    }

    fn endless(&self) -> Vec<u64> {
        self.endless.clone()
    }

    fn verdict(self: Box<Self>, archive: &dyn Archive, _budget: &Budget<'_>) -> Verdict {
        let mut all = Vec::new();
        let mut note = |pair: &Pair<'_>| {
            all.push((pair.invoke.clone(), pair.completion.cloned()));
        };
        archive.pick(&self.spans, &mut note).unwrap();
        all.sort_by_key(|(invoke, _)| invoke.index);
        Verdict::unknown("picker", serde_json::to_string(&all).unwrap())
    }
}

impl Checker for Picker {
    fn name(&self) -> &'static str {
        "picker"
    }

    fn about(&self) -> &'static str {
        "picks"
    }

    fn check(&self, history: &History, budget: &Budget<'_>) -> Verdict {
        Box::new(self.clone()).verdict(history, budget)
    }

    fn follow(&self) -> Option<Box<dyn Follow + '_>> {
        Some(Box::new(self.clone()))
    }
}

#[test]
fn what_is_picked_from_the_middle_of_a_long_file_is_what_stands_there() {
    for seed in 0..3_u64 {
        let clients =
            Clients { operations: 3_000, clients: 6, open_per_mille: 5, stale: false, seed: Seed(seed) };
        let history = History::new(Subject::CasRegister.stream(clients, None).collect()).unwrap();
        let history = dressed(&history, 0);
        let open = history.pairs().filter(|pair| pair.completion.is_none());
        let endless: Vec<u64> = open.map(|pair| pair.invoke.index).collect();
        assert!(endless.len() > 5, "{} never ended", endless.len());
        let events = history.ops().len() as u64;
        let files = texts(&history).map(|(format, text)| {
            let whole = read(format, &text).unwrap().history;
            (format, text, whole)
        });
        for at in
            [vec![], vec![0], vec![events - 1], vec![255, 256, 257, 3_000], vec![events / 2, events / 2 + 90]]
        {
            let near = endless.iter().copied().skip(seed as usize).step_by(4).take(2);
            let spans = Spans::new(at.iter().copied().chain(near), seed * 7);
            for endless in [Vec::new(), endless.clone()] {
                let picker = Picker { spans: spans.clone(), endless };
                for (format, text, whole) in &files {
                    let there = picker.check(whole, &Budget::unlimited());
                    assert_eq!(picker.picked(*format, text), there, "{format} {spans:?}");
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: cases(2_000),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_is_judged_on_the_way_is_judged_like_the_whole(choices in choices(12), keys in 0..3_usize) {
        let history = dressed(&register(&choices), keys);
        let (format, text) = &texts(&history)[0];
        let (verdict, _) = streamed(*format, text, "cas-register");
        prop_assert_eq!(verdict, whole(*format, text, "cas-register"));
    }

    #[test]
    fn what_is_picked_from_a_file_is_what_stands_there(
        choices in choices(12),
        events in proptest::collection::vec(0..40_u64, 0..4),
        around in 0..5_u64,
    ) {
        // Keys have a notation of their own in EDN, of which such files are read as a whole.
        let history = dressed(&register(&choices), 0);
        let picker = Picker { spans: Spans::new(events, around), endless: Vec::new() };
        for (format, text) in texts(&history) {
            let there = picker.check(&read(format, &text).unwrap().history, &Budget::unlimited());
            prop_assert_eq!(picker.picked(format, &text), there);
        }
    }
}
