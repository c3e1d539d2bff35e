//! Histories of Plume, dbcop and Cobra, written by hand.

use proptest::prelude::*;
use rashomon_checkers::formats::{CobraLog, Format, Recording, is_cobra, read, read_cobra, read_from};
use rashomon_checkers::isolation::Level;
use rashomon_checkers::{Budget, Question, judge};
use rashomon_core::{Kind, Validity, Verdict};
use serde_json::json;

fn judged(recording: &Recording, promised: Option<&str>) -> Verdict {
    let promised = promised.map(|level| level.parse::<Level>().unwrap());
    judge(recording, &Question { promised, ..Question::default() }, &Budget::unlimited()).unwrap()
}

fn names(verdict: &Verdict) -> Vec<&str> {
    verdict.anomalies.iter().map(|anomaly| anomaly.name.as_str()).collect()
}

/// The micro-ops of the transactions that ended so, in the order of the history.
fn ended(recording: &Recording, kind: Kind) -> Vec<serde_json::Value> {
    recording.history.ops().iter().filter(|op| op.kind == kind).map(|op| op.value.clone()).collect()
}

/// Two sessions: the second sees half of the first's transaction.
const PLUME: &str = "w(1,10,0,7)\nw(2,11,0,7)\nr(1,10,3,8)\nr(2,0,3,8)\nr(1,10,0,9)\nw(5,9,3,-1)\n";

#[test]
fn plume() {
    assert_eq!(Format::detect(PLUME).unwrap(), Format::Plume);
    let recording = read(Format::Plume, PLUME).unwrap();
    assert_eq!(recording.model, Some("rw-register"));
    assert_eq!(
        ended(&recording, Kind::Ok),
        [json!([["w", 1, 10], ["w", 2, 11]]), json!([["r", 1, 10], ["r", 2, null]]), json!([["r", 1, 10]])]
    );
    assert_eq!(ended(&recording, Kind::Fail), [json!([["w", 5, 9]])]);
    let verdict = judged(&recording, None);
    assert_eq!(names(&verdict), ["G-single"]);
    assert_eq!(verdict.stats["promised"], "strong-session-serializable");
    // A read of what was aborted, and 0 where somebody wrote it.
    let aborted = read(Format::Plume, "w(5,9,3,-1)\nr(5,9,1,2)").unwrap();
    assert_eq!(names(&judged(&aborted, None)), ["G1a"]);
    let zero = read(Format::Plume, "w(5,0,3,1)\nr(5,0,1,2)").unwrap();
    assert_eq!(ended(&zero, Kind::Ok), [json!([["w", 5, 0]]), json!([["r", 5, 0]])]);
}

#[test]
fn nothing_is_said_of_real_time_where_the_file_says_nothing() {
    // One after another in the file, and the second does not see the first.
    let recording = read(Format::Plume, "w(1,10,0,1)\nr(1,0,1,2)\n").unwrap();
    assert!(!recording.timed && recording.notes[0].contains("real time"), "{:?}", recording.notes);
    let verdict = judged(&recording, None);
    assert_eq!(verdict.valid, Validity::Valid, "{verdict:#?}");
    assert_eq!(verdict.stats["levels"]["read-committed"]["realtime"], "unknown");
    let strict = judged(&recording, Some("strict-serializable"));
    assert_eq!(strict.valid, Validity::Unknown);
    assert!(strict.unknown[0].contains("says nothing of real time"), "{:?}", strict.unknown);
    // Of one session the order is known.
    let stale = read(Format::Plume, "w(1,10,0,1)\nr(1,0,0,2)\n").unwrap();
    assert_eq!(names(&judged(&stale, None)), ["G-single-process"]);
    // It is the recording that is asked, and not what others of its format say.
    let known = Recording { timed: true, ..recording };
    let verdict = judged(&known, None);
    assert_eq!(verdict.stats["promised"], "strict-serializable");
    assert_eq!(verdict.stats["levels"]["read-committed"]["realtime"], "holds");
}

#[test]
fn errors_of_plume_name_the_line() {
    for (text, expected) in [
        ("w(1,10,0,7)\nx(1,1,1,1)", "line 2: `x(1,1,1,1)` is no access `r(key,value,session,transaction)`"),
        ("w(1,10,0,7)\n\nr(1,1,1)", "line 3: `r(1,1,1)` is no access `r(key,value,session,transaction)`"),
        ("w(1,y,0,7)", "line 1: `y` is no number"),
        ("w(1,1,0,-2)", "line 1: `-2` is no transaction"),
        ("w(1,1,0,3)\nw(2,1,1,3)", "line 2: transaction 3 is of session 0 and of session 1"),
        ("", "line 1: there is no transaction; there is nothing to judge"),
    ] {
        assert_eq!(read(Format::Plume, text).unwrap_err().to_string(), expected, "{text}");
    }
}

const DBCOP: &str = r#"[
  [{"events": [{"Write": {"variable": 0, "version": 1}}, ["w", 1, 2]], "committed": true},
   {"events": [["w", 3, 3]], "committed": false}],
  [{"events": [{"Read": {"variable": 0, "version": 1}}, ["r", 1, null]], "committed": true}]
]"#;

#[test]
fn dbcop() {
    assert_eq!(Format::detect(DBCOP).unwrap(), Format::Dbcop);
    let recording = read(Format::Dbcop, DBCOP).unwrap();
    assert_eq!(
        ended(&recording, Kind::Ok),
        [json!([["w", 0, 1], ["w", 1, 2]]), json!([["r", 0, 1], ["r", 1, null]])]
    );
    assert_eq!(ended(&recording, Kind::Fail), [json!([["w", 3, 3]])]);
    assert_eq!(names(&judged(&recording, None)), ["G-single"]);
    // As older versions wrote it: a write that failed is nobody's to read.
    let older = r#"{"params": {"id": 0}, "info": "", "data": [[{"events": [
        {"write": true, "variable": 4, "value": 5, "success": true},
        {"write": true, "variable": 4, "value": 6, "success": false},
        {"write": false, "variable": 4, "value": 9, "success": false},
        {"write": false, "variable": 5, "value": 0, "success": true}], "success": true}],
        [{"events": [{"write": false, "variable": 4, "value": 6, "success": true}], "success": true}]]}"#;
    assert_eq!(Format::detect(older).unwrap(), Format::Dbcop);
    let recording = read(Format::Dbcop, older).unwrap();
    assert!(ended(&recording, Kind::Ok).contains(&json!([["w", 4, 5], ["r", 5, null]])));
    assert_eq!(names(&judged(&recording, None)), ["G1a"]);
}

#[test]
fn errors_of_dbcop_name_the_line() {
    for (from, to, expected) in [
        ("[\"w\", 3, 3]", "[\"w\", 3]", "line 3: [\"w\",3] is no event of a transaction"),
        ("\"committed\": false", "\"committed\": 3", "line 3: invalid type"),
        ("]\n]", "]", "line 4: EOF"),
        ("[\"r\", 1, null]", "{\"Read\": {}}", "line 4: {\"Read\":{}} is no event"),
    ] {
        assert!(DBCOP.contains(from));
        let error = read(Format::Dbcop, &DBCOP.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

/// Records of a letter and numbers, such as `S 1` or `W 7 0 9`.
fn log(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in text.split(';').map(str::trim) {
        let mut words = line.split_whitespace();
        bytes.extend(words.next().unwrap_or_default().bytes());
        words.for_each(|word| bytes.extend(word.parse::<i64>().unwrap().to_be_bytes()));
    }
    bytes
}

fn cobra(logs: &[&str]) -> Result<Recording, String> {
    let logs: Vec<Vec<u8>> = logs.iter().map(|text| log(text)).collect();
    let names: Vec<String> = (0..logs.len()).map(|number| format!("T{number}.log")).collect();
    let logs: Vec<CobraLog<'_>> =
        names.iter().zip(&logs).map(|(name, bytes)| CobraLog { name, bytes }).collect();
    read_cobra(&logs).map_err(|error| error.to_string())
}

const DEAD_BEEF: i64 = 0xdead_beef;
const BEBE_EBEE: i64 = 0xbebe_ebee;

#[test]
fn cobra_logs() {
    let second = format!("S 2; R 1 101 7 55; R 0 {DEAD_BEEF} 8 0; R 0 {BEBE_EBEE} 6 0; C 2; S 3; W 103 9 1");
    let recording = cobra(&["S 1; W 101 7 55; W 102 8 66; C 1; S 4; W 104 7 1; A 4", &second]).unwrap();
    assert_eq!(
        ended(&recording, Kind::Ok),
        [json!([["w", 7, 101], ["w", 8, 102]]), json!([["r", 7, 101], ["r", 8, null], ["r", 6, null]])]
    );
    assert_eq!(ended(&recording, Kind::Fail), [json!([["w", 7, 104]])]);
    assert_eq!(ended(&recording, Kind::Info), [json!([["w", 9, 103]])]);
    assert_eq!(names(&judged(&recording, None)), ["G-single"]);
    // A single log is known by its bytes.
    let single = log("S 1; W 101 7 55; C 1; S 2; R 1 101 7 55; C 2");
    assert!(is_cobra(&single) && !is_cobra(b"S ok") && !is_cobra(PLUME.as_bytes()));
    let recording = read_from(single.as_slice(), None).unwrap();
    assert_eq!(recording.format, Format::Cobra);
    assert_eq!(judged(&recording, None).valid, Validity::Valid);
}

#[test]
fn errors_of_cobra_name_the_byte() {
    for (logs, expected) in [
        (&["S 1; W 1 2"][..], "line 1: T0.log: byte 9: the log ends in the middle of this record"),
        (&["S 1; C 1", "S 1; C 1"], "line 1: T1.log: byte 0: transaction 1 begins a second time"),
        (&["S 1; S 2"], "line 1: T0.log: byte 9: a transaction begins while 1 is open"),
        (&["S 1; C 2"], "line 1: T0.log: byte 9: transaction 2 ends while 1 is open"),
        (&["W 1 2 3"], "line 1: T0.log: byte 0: this record stands in no transaction"),
        (&["S 1; X 1"], "line 1: T0.log: byte 9: 0x58 begins no record"),
        (
            &["S 1; R 5 101 7 55; C 1"],
            "line 1: T0.log: byte 9: it reads what transaction 5 wrote, which is in none of these logs",
        ),
        (&[""], "line 1: there is no transaction; there is nothing to judge"),
    ] {
        assert_eq!(cobra(logs).unwrap_err(), expected, "{logs:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80), cut in 0..200_usize, which in 0..3_usize) {
        let records = log("S 1; W 101 7 55; C 1; S 2; R 1 101 7 55; C 2");
        let whole = [PLUME.as_bytes(), DBCOP.as_bytes(), &records][which];
        let cut = cut.min(whole.len());
        let format = [Format::Plume, Format::Dbcop, Format::Cobra][which];
        for broken in [[&whole[..cut], &bytes, &whole[cut..]].concat(), [&bytes, &whole[cut..]].concat()] {
            for format in [Some(format), None] {
                if let Ok(recording) = read_from(broken.as_slice(), format) {
                    let _ = judge(&recording, &Question::default(), &Budget::unlimited());
                }
            }
        }
    }
}
