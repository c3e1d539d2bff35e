//! Generated histories: those without a lie are valid, and every lie that can be planted is found, by its name.

use rashomon_checkers::formats::{Format, Recording, Target, Writer, read};
use rashomon_checkers::generate::{Clients, Plant, Subject};
use rashomon_checkers::{Budget, JudgeError, Question, judge};
use rashomon_core::{Seed, Validity, Verdict};

fn clients(operations: u64, clients: u64, open_per_mille: u64, seed: u64) -> Clients {
    Clients { operations, clients, open_per_mille, stale: false, seed: Seed(seed) }
}

/// The history as a file holds it, and whether the violation is in it.
fn made(subject: Subject, of: Clients, plant: Option<Plant>) -> (Recording, bool) {
    let mut stream = subject.stream(of, plant);
    let mut writer = Writer::new(Vec::new(), Target::Jsonl).unwrap();
    for op in &mut stream {
        writer.op(&op).unwrap();
    }
    let text = String::from_utf8(writer.finish().unwrap()).unwrap();
    (read(Format::Jsonl, &text).unwrap(), stream.planted())
}

fn verdict(subject: Subject, recording: &Recording) -> Verdict {
    let question = Question { model: Some(subject.name().to_owned()), ..Question::default() };
    judge(recording, &question, &Budget::new(200 << 20, &|| false)).unwrap()
}

/// The name under which a planted violation is found.
fn name(subject: Subject, plant: Plant) -> &'static str {
    match (subject, plant) {
        (Subject::Register | Subject::CasRegister, Plant::StaleRead) => "stale-read",
        (
            Subject::Register | Subject::CasRegister | Subject::ListAppend | Subject::RwRegister,
            Plant::Garbage,
        ) => "garbage-read",
        (Subject::Queue, Plant::Duplicate) => "duplicate-dequeue",
        (Subject::Queue, Plant::Garbage) => "phantom-dequeue",
        (Subject::Queue, Plant::Reordered) => "out-of-order",
        (Subject::Set, Plant::Lost) => "lost-element",
        (Subject::Set, Plant::Garbage) => "phantom-element",
        (Subject::Set, Plant::Duplicate) => "duplicate-element",
        (Subject::ListAppend, Plant::Duplicate) => "duplicate-elements",
        (Subject::ListAppend, Plant::StaleRead) => "G-single",
        (_, Plant::AbortedRead) => "G1a",
        (Subject::Bank, _) | (_, Plant::LostUpdate | Plant::IncompatibleOrder | Plant::Internal) => {
            plant.name()
        }
        // These have several names, by what stands around the lie.
        _ => "",
    }
}

#[test]
fn without_a_lie_histories_are_valid() {
    for subject in Subject::ALL {
        for (seed, open) in [(1, 0), (2, 0), (3, 10)] {
            let (recording, planted) = made(subject, clients(1500, 6, open, seed), None);
            assert!(!planted);
            assert_eq!(recording.history.pairs().count(), 1500);
            let verdict = verdict(subject, &recording);
            assert_eq!(verdict.valid, Validity::Valid, "{subject}, seed {seed}: {}", verdict.summary);
        }
    }
}

#[test]
fn every_planted_violation_is_found() {
    for subject in Subject::ALL {
        for plant in subject.plants() {
            for seed in 1..4 {
                let open = if plant.excused_by_open_ops() { 0 } else { 10 * (seed % 2) };
                let (recording, planted) = made(subject, clients(3000, 5, open, seed), Some(*plant));
                let what = format!("{subject}, {plant}, seed {seed}");
                assert!(planted, "{what} found no place");
                let verdict = verdict(subject, &recording);
                assert_eq!(verdict.valid, Validity::Invalid, "{what}: {}", verdict.summary);
                let found =
                    verdict.anomalies.iter().any(|anomaly| anomaly.name.starts_with(name(subject, *plant)));
                assert!(found, "{what}: {}", verdict.summary);
                let late = verdict.anomalies[0].events.iter().max().unwrap();
                assert!(*late > 3000 * 2 * 9 / 10, "{what}: the lie is at the end, not at {late}");
            }
        }
    }
}

#[test]
fn a_history_too_short_for_a_violation_says_so() {
    let (recording, planted) = made(Subject::Register, clients(20, 5, 0, 1), Some(Plant::StaleRead));
    assert!(!planted);
    assert_eq!(verdict(Subject::Register, &recording).valid, Validity::Valid);
}

#[test]
fn many_lies_are_spread_over_the_length() {
    for subject in [Subject::Register, Subject::ListAppend] {
        let told: Vec<u64> = {
            let truth = subject.stream(clients(4000, 5, 0, 1), Some(Plant::StaleRead)).showing(0);
            let mut lies = subject.stream(clients(4000, 5, 0, 1), Some(Plant::StaleRead)).showing(20);
            let pairs: Vec<_> =
                truth.zip(&mut lies).filter(|(one, other)| one.value != other.value).collect();
            assert!(lies.planted());
            pairs.iter().map(|(_, op)| op.index).collect()
        };
        assert_eq!(told.len(), 20, "{subject}: {told:?}");
        let widest = told.windows(2).map(|two| two[1] - two[0]).max().unwrap();
        assert!(widest < 8000 / 21 * 2 && told[0] < 8000 / 21 * 2, "{subject}: {told:?}");
    }
}

#[test]
fn by_search_alone_no_monitor_is_asked() {
    for subject in [Subject::Register, Subject::Queue, Subject::Stack, Subject::PriorityQueue] {
        for plant in [None, Some(Plant::Garbage)] {
            let (recording, _) = made(subject, clients(300, 3, 0, 1), plant);
            let ask = |by_search| {
                let model = Some(subject.name().to_owned());
                let question = Question { model, by_search, ..Question::default() };
                let verdict = judge(&recording, &question, &Budget::unlimited()).unwrap();
                let methods: Vec<String> =
                    verdict.stats["methods"].as_object().unwrap().keys().cloned().collect();
                (verdict.valid, methods)
            };
            let (with, monitored) = ask(false);
            let (without, searched) = ask(true);
            assert_eq!(with, without, "{subject}");
            assert!(monitored[0].ends_with("-monitor"), "{subject}: {monitored:?}");
            assert_eq!(searched, ["search"], "{subject}");
        }
    }
    let (bank, _) = made(Subject::Bank, clients(300, 3, 0, 1), None);
    let question = Question { model: Some("bank".to_owned()), by_search: true, ..Question::default() };
    let refused = judge(&bank, &question, &Budget::unlimited()).unwrap_err();
    assert_eq!(refused, JudgeError::NoSearch("bank".to_owned()));
}
