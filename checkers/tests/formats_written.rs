//! Histories on their way from one format to another: what is written is read again, and what is lost is named.

use proptest::prelude::*;
use rashomon_checkers::formats::{Format, Recording, Target, convert, read, read_from};
use rashomon_checkers::notation::history;
use rashomon_core::{History, Kind, Process, Value};

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[ -~\n\u{e9}]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z\"\\\\]{1,3}", inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Histories of any ops: odd names, keys and values, faults, ops that fail or stay open.
fn histories() -> impl Strategy<Value = History> {
    let f = prop_oneof![Just("read".to_owned()), Just("cas".to_owned()), "[a-z -]{1,5}"];
    let text = || proptest::option::of("[ -~\n\u{e9}]{0,4}");
    let op = (values(), values(), text(), text(), text(), f, 0u8..5);
    proptest::collection::vec(op, 0..6).prop_map(|all| {
        let template = history("0 invoke write\n0 ok write").ops().to_vec();
        let mut ops = Vec::new();
        for (process, (asked, answered, key, error, node, f, kind)) in (0..).zip(all) {
            let mut invoke = template[0].clone();
            invoke.process = Process::Client(process);
            (invoke.value, invoke.key, invoke.node, invoke.f) = (asked, key, node, f);
            // Reads that are all asked with a pair of something and nothing are Jepsen's way to name keys.
            if invoke.f == "read" {
                invoke.value = Value::Null;
            }
            let mut completion = invoke.clone();
            (completion.value, completion.error) = (answered, error);
            completion.kind = match kind {
                0 | 1 => Kind::Ok,
                2 => Kind::Fail,
                _ => Kind::Info,
            };
            if kind == 4 {
                // A fault has no key.
                (invoke.key, completion.key) = (None, None);
                invoke.process = Process::Nemesis;
                completion.process = Process::Nemesis;
                invoke.kind = Kind::Info;
            }
            ops.push(invoke);
            if kind != 3 {
                ops.push(completion);
            }
        }
        History::new(ops).unwrap()
    })
}

fn recording(history: &History) -> Recording {
    let mut recording = read(Format::Jsonl, "{\"rashomon\":\"history\",\"version\":1}\n").unwrap();
    recording.history = history.clone();
    recording
}

fn written(recording: &Recording, target: Target) -> (String, Vec<String>) {
    let (bytes, notes) = convert(recording, target, Vec::new()).unwrap();
    (String::from_utf8(bytes).unwrap(), notes)
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(history in histories()) {
        for target in Target::ALL {
            let (text, _) = written(&recording(&history), target);
            let again = read(target.format(), &text).unwrap();
            prop_assert_eq!(again.history.ops(), history.ops());
            if !history.ops().is_empty() {
                let detected = read_from(text.as_bytes(), None).map(|found| found.format);
                prop_assert_eq!(detected.ok(), Some(target.format()));
            }
        }
    }
}

#[test]
fn transactions_have_keywords_for_verbs() {
    let one =
        history("0 invoke txn [[\"append\",1,2],[\"r\",1,null]]\n0 ok txn [[\"append\",1,2],[\"r\",1,[2]]]");
    let (text, notes) = written(&recording(&one), Target::JepsenEdn);
    assert!(text.contains(":value [[:append 1 2] [:r 1 [2]]]"), "{text}");
    assert_eq!(notes, Vec::<String>::new());
    assert_eq!(read(Format::JepsenEdn, &text).unwrap().model, Some("list-append"));
}

#[test]
fn what_the_other_format_cannot_say_is_named() {
    let text = "{:process 0 :type :invoke :f :read :value nil}\n\
                {:process 0 :type :ok :f :read :value nil :clock-offsets {}}\n";
    let jepsen = read_from(text.as_bytes(), None).unwrap();
    let (ours, notes) = written(&jepsen, Target::Jsonl);
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert_eq!(notes[0], "left out: fields of ops, with how many had them: clock-offsets (1)");
    assert!(notes[1].starts_with("1 reads that answered nil may have read anything"), "{notes:?}");
    let again = read_from(ours.as_bytes(), None).unwrap();
    assert_eq!(again.history.ops()[1].kind, Kind::Info);

    let ours = history("0 invoke read\n0 ok read null\n0 invoke cas [1,2]\n0 ok cas false");
    let (_, notes) = written(&recording(&ours), Target::JepsenEdn);
    assert!(notes[0].starts_with("1 reads that answered null saw that nothing was there"), "{notes:?}");
    assert!(notes[1].starts_with("1 cas that found another value"), "{notes:?}");
    assert_eq!(written(&recording(&ours), Target::Jsonl).1, Vec::<String>::new());
}
