//! Histories on their way from one format to another: what is written is read again, and what is lost is named.

use proptest::prelude::*;
use rashomon_checkers::formats::{Conversion, Format, Recording, Target, convert, read, read_from};
use rashomon_checkers::generate::{Clients, Subject};
use rashomon_checkers::notation::history;
use rashomon_core::{History, Kind, Process, Seed, Value};
use serde_json::json;

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
    let (bytes, notes) = convert(recording, Conversion::Ops(target), Vec::new()).unwrap();
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

fn plume(recording: &Recording) -> Result<(String, Vec<String>), String> {
    let (bytes, notes) =
        convert(recording, Conversion::Plume, Vec::new()).map_err(|error| error.to_string())?;
    Ok((String::from_utf8(bytes).unwrap(), notes))
}

#[test]
fn the_text_of_plume_is_what_is_read_of_it() {
    let text = "w(1,5,0,0)\nr(2,0,0,0)\nw(2,6,1,1)\nr(1,5,1,1)\nw(1,7,0,-1)\nr(2,6,0,2)\n";
    let recording = read_from(text.as_bytes(), None).unwrap();
    let (again, _) = plume(&recording).unwrap();
    let sorted = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&again), sorted(text));
    let reread = read_from(again.as_bytes(), None).unwrap();
    assert_eq!((reread.format, reread.history.ops()), (Format::Plume, recording.history.ops()));
}

#[test]
fn generated_transactions_survive_the_text_of_plume() {
    for seed in 0..20 {
        let clients =
            Clients { operations: 300, clients: 4, open_per_mille: 30, stale: false, seed: Seed(seed) };
        let history = History::new(Subject::RwRegister.stream(clients, None).collect()).unwrap();
        let (text, _) = plume(&recording(&history)).unwrap();
        let again = read_from(text.as_bytes(), None).unwrap();
        // What each client was told, in its order.
        let told = |history: &History, client: u64| -> Vec<Value> {
            let pairs = history.pairs().filter(|pair| pair.invoke.process == Process::Client(client));
            pairs
                .filter(|pair| pair.outcome() == Kind::Ok)
                .map(|pair| pair.completion.unwrap().value.clone())
                .collect()
        };
        // Sessions that are left are numbered anew, in the order of their first transactions.
        let mut sessions: Vec<u64> = Vec::new();
        for line in text.lines() {
            let session = line.split(',').nth(2).unwrap().parse().unwrap();
            if !sessions.contains(&session) {
                sessions.push(session);
            }
        }
        let mut transactions = 0;
        for (number, session) in (0..).zip(&sessions) {
            let before = told(&history, *session);
            let after = told(&again.history, number);
            assert!(after.starts_with(&before), "session {session}: {before:?} became {after:?}");
            assert!(after.len() <= before.len() + 1, "only a last transaction can have been open");
            transactions += before.len();
        }
        assert_eq!(transactions, history.pairs().filter(|pair| pair.outcome() == Kind::Ok).count());
    }
}

#[test]
fn in_the_text_of_plume_an_open_transaction_stands_when_its_write_was_read() {
    let one = history(
        "0 invoke txn [[\"w\",1,5],[\"r\",2,null]]\n0 info txn\n\
         1 invoke txn [[\"w\",1,6]]\n1 info txn\n\
         2 invoke txn [[\"w\",1,7]]\n2 fail txn [[\"w\",1,7]]\n\
         3 invoke txn [[\"r\",1,null],[\"r\",2,null]]\n3 ok txn [[\"r\",1,5],[\"r\",2,null]]",
    );
    let (text, notes) = plume(&recording(&one)).unwrap();
    assert_eq!(text, "w(1,5,0,0)\nw(1,7,2,-1)\nr(1,5,3,1)\nr(2,0,3,1)\n");
    assert!(notes[0].starts_with("left out: real time"), "{notes:?}");
    assert!(notes[1].starts_with("1 transactions of unknown outcome were written as committed"), "{notes:?}");
    assert!(notes[2].starts_with("1 transactions of unknown outcome were left out"), "{notes:?}");
}

#[test]
fn what_has_no_words_in_the_text_of_plume_is_refused() {
    let refused = |micro_op: Value| {
        let mut ops = history("0 invoke txn []\n0 ok txn []").ops().to_vec();
        ops[1].value = json!([micro_op]);
        plume(&recording(&History::new(ops).unwrap())).unwrap_err()
    };
    for micro_op in [
        json!(["append", 1, 2]),
        json!(["w", "x", 2]),
        json!(["w", 1, 0]),
        json!(["r", 1, 0]),
        json!(["w", 1, null]),
        json!(["w", 1, -2]),
        json!(["w", 1]),
        json!(5),
    ] {
        let reason = refused(micro_op);
        assert!(reason.starts_with("op 1 has no words in Plume's text: "), "{reason}");
    }
    let keyed = history("0 invoke read\n0 ok read 5");
    assert!(plume(&recording(&keyed)).is_err());
}
