//! What is done with bytes from outside: one function for each parser, which must not panic whatever it is given.
//!
//! The fuzz targets call these, and so does a test on the stable compiler, so that they stay what the parsers need.

#![allow(dead_code, reason = "each fuzz target is a program with one of these")]

use std::cell::Cell;
use std::path::Path;

use rashomon_checkers::formats::{
    CobraLog, Conversion, Format, Recording, Target, convert, read_cobra, read_from,
};
use rashomon_checkers::{Budget, Question, judge};
use rashomon_core::rpc::{self, Body};
use serde_json::Value;

/// A name, what is done with bytes, and texts that are taken.
pub(crate) type Parser = (&'static str, fn(&[u8]), &'static [&'static str]);

/// The parsers by name, each with texts that it takes: what a mutation begins with.
pub(crate) const ALL: [Parser; 13] = [
    ("jsonl", jsonl, &[JSONL]),
    (
        "jepsen_edn",
        jepsen_edn,
        &[JEPSEN_EDN, "[{:process 0 :type :invoke :value [[:append 1 2] [:r 3 nil]]}]"],
    ),
    ("jepsen_json", jepsen_json, &[JEPSEN_JSON]),
    ("porcupine_etcd", porcupine_etcd, &[PORCUPINE_ETCD]),
    ("porcupine_kv", porcupine_kv, &[PORCUPINE_KV]),
    ("plume", plume, &[PLUME]),
    ("dbcop", dbcop, &[DBCOP]),
    ("cobra", cobra, &[COBRA]),
    ("detect", detect, &[JSONL, JEPSEN_EDN, JEPSEN_JSON, PORCUPINE_ETCD, PORCUPINE_KV, PLUME, DBCOP]),
    ("plan", plan, &[PLAN]),
    ("schedule", schedule, &[SCHEDULE]),
    ("journal", journal, &[JOURNAL]),
    ("protocol", protocol, &[PROTOCOL]),
];

const JSONL: &str = concat!(
    "{\"rashomon\":\"history\",\"version\":1}\n",
    "{\"index\":0,\"time\":5,\"type\":\"invoke\",\"process\":0,\"f\":\"write\",\"value\":1,\"key\":\"x\"}\n",
    "{\"index\":1,\"time\":9,\"type\":\"ok\",\"process\":0,\"f\":\"write\",\"value\":1,\"key\":\"x\",\"node\":\"n1\"}\n",
    "{\"index\":2,\"time\":9,\"type\":\"info\",\"process\":\"nemesis\",\"f\":\"kill\",\"value\":[\"n1\"]}\n",
);
const JEPSEN_EDN: &str = concat!(
    "[{:process 0, :type :invoke, :f :write, :value #jepsen.independent/tuple [1 3]} ; \\ {\n",
    " #jepsen.history.Op{:index 4, :time 5, :process 0, :type :ok, :f :write, :value [1 3], :error [:a \"b\\n\"]}\n",
    " #_ {:a #{1}} {:process :nemesis, :type :info, :f :start, :value {\"n1\" #inst \"2020\"}}]\n",
);
const JEPSEN_JSON: &str = concat!(
    "[{\"process\":0,\"type\":\"invoke\",\"f\":\"cas\",\"value\":[1,2],\"index\":0,\"time\":7},\n",
    "{\"process\":0,\"type\":\"fail\",\"f\":\"cas\",\"value\":[1,2],\"error\":\"\\u00e9]\"}]\n",
);
const PORCUPINE_ETCD: &str = concat!(
    "INFO  jepsen.util - 0\t:invoke\t:write\t3\nWARN x\n",
    "INFO  jepsen.util - 0\t:ok\t:write\t3\nINFO  jepsen.util - 1 :invoke :cas [4 5]\n",
    "INFO  jepsen.util - 1\t:info\t:cas\t:timed-out\n",
);
const PORCUPINE_KV: &str = concat!(
    "{:process 0, :type :invoke, :f :append, :key \"7\", :value \"x\"}\n",
    "{:process 0, :type :ok, :f :append, :key \"7\", :value \"x\"}\n",
);
const PLUME: &str = "w(1,5,0,0)\nr(2,0,0,0)\nw(2,6,1,1)\nr(1,5,1,1)\nw(1,7,0,-1)\n";
const DBCOP: &str = concat!(
    "{\"id\":0,\"data\":[[{\"events\":[{\"Write\":{\"variable\":0,\"version\":1}}],\"committed\":true}],\n",
    "[{\"events\":[{\"Read\":{\"variable\":0,\"version\":1}}],\"committed\":false}]]}\n",
);
/// A transaction that writes and one that reads it: a letter and big-endian numbers.
const COBRA: &str = concat!(
    "S\0\0\0\0\0\0\0\x01W\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0\x04C\0\0\0\0\0\0\0\x01",
    "S\0\0\0\0\0\0\0\x02R\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0\x04C\0\0\0\0\0\0\0\x02",
);
const PLAN: &str = concat!(
    "{\"version\":1,\"system\":\"raft\",\"nodes\":3,\"time-limit\":\"1s\",\n",
    "\"nemesis\":{\"script\":[{\"at\":\"1h\",\"do\":{\"fault\":\"kill\"}}]}}",
);
const SCHEDULE: &str =
    "{\"version\":1,\"plan\":{\"version\":1,\"system\":\"raft\"},\n\"ops\":[{\"at\":\"1s\"}],\"faults\":[]}";
const JOURNAL: &str = concat!(
    "{\"rashomon\":\"schedule\",\"version\":1}\n",
    "{\"time\":5,\"id\":0,\"event\":\"skipped\",\"note\":\"nobody\"}\n",
);
const PROTOCOL: &str = concat!(
    "{\"type\":\"read_ok\",\"value\":3,\"in_reply_to\":7}\n",
    "{\"type\":\"error\",\"code\":11,\"text\":\"no\",\"in_reply_to\":7}\n",
    "{\"src\":\"c1\",\"dest\":\"n1\",\"body\":{\"type\":\"init\",\"msg_id\":1,\"node_id\":\"n1\"}}\n",
);

/// Our own histories.
pub(crate) fn jsonl(bytes: &[u8]) {
    history(bytes, Some(Format::Jsonl));
}

/// Jepsen's, in EDN.
pub(crate) fn jepsen_edn(bytes: &[u8]) {
    history(bytes, Some(Format::JepsenEdn));
}

/// Jepsen's, in JSON.
pub(crate) fn jepsen_json(bytes: &[u8]) {
    history(bytes, Some(Format::JepsenJson));
}

/// Porcupine's logs of etcd.
pub(crate) fn porcupine_etcd(bytes: &[u8]) {
    history(bytes, Some(Format::PorcupineEtcd));
}

/// Porcupine's key-value histories.
pub(crate) fn porcupine_kv(bytes: &[u8]) {
    history(bytes, Some(Format::PorcupineKv));
}

/// Plume's text.
pub(crate) fn plume(bytes: &[u8]) {
    history(bytes, Some(Format::Plume));
}

/// The JSON of dbcop.
pub(crate) fn dbcop(bytes: &[u8]) {
    history(bytes, Some(Format::Dbcop));
}

/// Cobra's logs, of two sessions where the bytes can be cut in two.
pub(crate) fn cobra(bytes: &[u8]) {
    for at in [bytes.len(), bytes.len() / 2] {
        let (one, other) = bytes.split_at(at);
        let logs = [CobraLog { name: "T0.log", bytes: one }, CobraLog { name: "T1.log", bytes: other }];
        if let Ok(recording) = read_cobra(&logs) {
            examine(&recording);
        }
    }
}

/// Histories of whatever format.
pub(crate) fn detect(bytes: &[u8]) {
    history(bytes, None);
}

/// Reads a history, which may be none.
fn history(bytes: &[u8], format: Option<Format>) {
    match read_from(bytes, format) {
        Ok(recording) => examine(&recording),
        Err(error) => assert!(error.to_string().starts_with("line "), "an error that names no line: {error}"),
    }
}

/// One that can be read can be written and judged.
fn examine(recording: &Recording) {
    for target in Target::ALL {
        let (written, _) =
            convert(recording, Conversion::Ops(target), Vec::new()).expect("a vector takes everything");
        match read_from(written.as_slice(), Some(target.format())) {
            Ok(again) => assert_eq!(again.history.ops().len(), recording.history.ops().len(), "{target}"),
            // JSON may be nested deeper than EDN is read.
            Err(error) => assert!(error.to_string().contains("nested deeper"), "{target}: {error}"),
        }
    }
    // Not every history has words in Plume's text; one that has can be read there.
    if let Ok((written, _)) = convert(recording, Conversion::Plume, Vec::new())
        && !written.is_empty()
    {
        read_from(written.as_slice(), Some(Format::Plume)).expect("what is written can be read");
    }
    for model in [
        None,
        Some("register"),
        Some("kv"),
        Some("set"),
        Some("list-append"),
        Some("rw-register"),
        Some("bank"),
    ] {
        judged(recording, model);
    }
}

fn judged(recording: &Recording, model: Option<&str>) {
    let looks = Cell::new(0);
    let expired = || {
        looks.set(looks.get() + 1);
        looks.get() > 20
    };
    let question = Question { model: model.map(str::to_owned), ..Question::default() };
    let _ = judge(recording, &question, &Budget::new(1 << 20, &expired));
}

/// Plan files.
pub(crate) fn plan(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = rashomon_run::plan::parse("plan.json", text);
    }
}

/// Shrunk runs.
pub(crate) fn schedule(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = rashomon_run::schedule::parse("shrunk.json", text);
    }
}

/// The journal of what was done to nodes and network.
pub(crate) fn journal(bytes: &[u8]) {
    let _ = rashomon_results::store::Schedule::read(Path::new("schedule.jsonl"), bytes);
}

/// Lines between nodes and clients, in Maelstrom's conventions: as a reply and as a request.
pub(crate) fn protocol(bytes: &[u8]) {
    for line in bytes.split(|byte| *byte == b'\n') {
        if let Ok(body) = serde_json::from_slice::<Body>(line) {
            let _ = rpc::parse_reply(body.clone());
            let _ = rpc::parse_request::<Value>(body);
        }
    }
}
