//! Histories of other tools: what is read, what is refused and why, and the way back.

use proptest::prelude::*;
use rashomon_checkers::formats::{Format, Keyed, read, read_from, read_keyed};
use rashomon_checkers::{Budget, JudgeError, Question, judge};
use rashomon_core::{Kind, Process, Validity, Value};
use serde_json::json;

fn judged(text: &str, question: &Question) -> Result<Validity, String> {
    let recording =
        Format::detect(text).and_then(|format| read(format, text)).map_err(|error| error.to_string())?;
    let verdict = judge(&recording, question, &Budget::unlimited()).map_err(|error| error.to_string())?;
    Ok(verdict.valid)
}

fn plain(text: &str) -> Result<Validity, String> {
    judged(text, &Question::default())
}

#[test]
fn jepsen_as_a_vector_a_list_or_lines() {
    let ops = "{:process 0, :type :invoke, :f :write, :value 3} ; three\n\
               {:process 0, :type :ok, :f :write, :value 3}\n\
               {:process :nemesis, :type :info, :f :start, :value #{1 2}}\n\
               #jepsen.history.Op{:index 9, :time 5, :process 1, :type :invoke, :f :read, :value nil}\n\
               #_ ignored {:process 1, :type :ok, :f :read, :value 3}\n";
    for text in [ops.to_owned(), format!("[{ops}]"), format!("({ops})\n")] {
        assert_eq!(Format::detect(&text).unwrap(), Format::JepsenEdn);
        let recording = read(Format::JepsenEdn, &text).unwrap();
        assert_eq!(recording.history.ops().len(), 5);
        assert_eq!(recording.history.ops()[2].process, Process::Nemesis);
        assert_eq!(recording.history.ops()[2].value, json!([1, 2]));
        assert_eq!(recording.model, Some("cas-register"));
        assert_eq!(plain(&text), Ok(Validity::Valid));
    }
}

#[test]
fn jepsen_in_json_as_an_array_or_lines() {
    let ops = [
        r#"{"process":0,"type":"invoke","f":"write","value":3,"op-index":7}"#,
        r#"{"process":0,"type":"ok","f":"write","value":3,"time":5,"error":["a",{"b":"]"}]}"#,
        r#"{"process":"nemesis","type":"info","f":"start","value":{"n1":["n2"]}}"#,
        r#"{"process":1,"type":"invoke","f":"read","value":null,"index":9}"#,
        r#"{"process":1,"type":"ok","f":"read","value":null}"#,
    ];
    for text in [ops.join("\n"), format!("[{}]", ops.join(",")), format!("[\n{}\n]\n", ops.join(",\n"))] {
        assert_eq!(Format::detect(&text).unwrap(), Format::JepsenJson);
        let recording = read_from(text.as_bytes(), None).unwrap();
        assert_eq!(recording.history.ops().len(), 5);
        assert_eq!(recording.history.ops()[2].process, Process::Nemesis);
        assert_eq!(recording.history.ops()[1].error.as_deref(), Some(r#"["a",{"b":"]"}]"#));
        assert_eq!(recording.left_out, ["fields of ops, with how many had them: op-index (1)"]);
        // As in Jepsen's EDN, a read that answered nothing may have read anything.
        assert_eq!(plain(&text), Ok(Validity::Valid));
        assert_eq!(
            plain(&text.replace(r#""read","value":null}"#, r#""read","value":4}"#)),
            Ok(Validity::Invalid)
        );
    }
}

#[test]
fn a_nil_read_of_jepsen_reads_anything() {
    let text = "[{:process 0 :type :invoke :f :write :value 3} {:process 0 :type :ok :f :write :value 3}\n\
                 {:process 0 :type :invoke :f :read} {:process 0 :type :ok :f :read :value nil}]";
    assert_eq!(plain(text), Ok(Validity::Valid));
    assert_eq!(plain(&text.replace("nil", "4")), Ok(Validity::Invalid));
}

#[test]
fn the_initial_value_counts() {
    let text = "[{:process 0 :type :invoke :f :read} {:process 0 :type :ok :f :read :value 0}]";
    assert_eq!(plain(text), Ok(Validity::Invalid));
    let zero = Question { initial: Some(json!(0)), ..Question::default() };
    assert_eq!(judged(text, &zero), Ok(Validity::Valid));
}

#[test]
fn independent_keys() {
    let tagged = "{:process 0 :type :invoke :f :write :value #jepsen.independent/tuple [7 3]}\n\
                  {:process 0 :type :ok :f :write :value #jepsen.independent/tuple [7 3]}\n\
                  {:process 1 :type :invoke :f :read :value #jepsen.independent/tuple [8 nil]}\n\
                  {:process 1 :type :info :f :read :value nil}";
    let recording = read(Format::JepsenEdn, tagged).unwrap();
    let keys: Vec<_> = recording.history.ops().iter().map(|op| op.key.as_deref()).collect();
    assert_eq!(keys, [Some("7"), Some("7"), Some("8"), Some("8")]);
    assert_eq!(recording.history.ops()[1].value, 3);
    assert_eq!(recording.notes, ["values were taken as pairs of a key and a value"]);

    let bare = tagged.replace("#jepsen.independent/tuple ", "");
    assert_eq!(read(Format::JepsenEdn, &bare).unwrap().history.ops()[0].key.as_deref(), Some("7"));
    let whole = read_keyed(Format::JepsenEdn, &bare, Keyed::No).unwrap();
    assert_eq!(whole.history.ops()[0].value, json!([7, 3]));

    // A cas has a pair of its own, and is none of key and value.
    let cas = "{:process 0 :type :invoke :f :cas :value [1 2]}\n{:process 0 :type :fail :f :cas :value [1 2]}\n\
               {:process 0 :type :invoke :f :read :value nil}\n{:process 0 :type :ok :f :read :value nil}";
    assert_eq!(read(Format::JepsenEdn, cas).unwrap().history.ops()[0].value, json!([1, 2]));
    let told =
        read_keyed(Format::JepsenEdn, "{:process 0 :type :invoke :f :cas :value [5 [1 2]]}", Keyed::Yes);
    assert_eq!(told.unwrap().history.ops()[0].value, json!([1, 2]));
}

#[test]
fn logs_of_etcd() {
    let text = "INFO  jepsen.util - 0\t:invoke\t:write\t3\n\
                WARN  something else\n\
                \n\
                INFO  jepsen.util - 0\t:ok\t:write\t3\n\
                INFO  jepsen.util - 1 :invoke :cas [4 5]\n\
                INFO  jepsen.util - 2\t:invoke\t:read\tnil\n\
                INFO  jepsen.util - 1\t:fail\t:cas\t[4 5]\n\
                INFO  jepsen.util - 2\t:info\t:read\t:timed-out\n";
    assert_eq!(Format::detect(text).unwrap(), Format::PorcupineEtcd);
    let recording = read(Format::PorcupineEtcd, text).unwrap();
    assert_eq!(recording.history.ops()[4].kind, Kind::Ok);
    let unanswered = &recording.history.ops()[5];
    assert_eq!((unanswered.error.as_deref(), &unanswered.value), (Some("timed-out"), &json!(null)));
    assert_eq!(recording.notes[0], "1 lines of the log hold no op and were passed over");
    assert_eq!(plain(text), Ok(Validity::Valid));
    assert_eq!(
        plain(&text.replace("[4 5]", "[3 5]")),
        Ok(Validity::Invalid),
        "a refused cas saw another value"
    );
    // Here nothing is what was there before the first write, and not just anything.
    let nothing = text.replace(":info\t:read\t:timed-out", ":ok\t:read\tnil");
    assert_eq!(plain(&nothing), Ok(Validity::Invalid));
    let long = format!("{text}INFO  jepsen.util - 5{}:invoke\t:read\tnil\n", " ".repeat(1 << 20));
    assert_eq!(plain(&long), Err("line 9: a line of more than 1048576 bytes".to_owned()));
}

#[test]
fn strings_by_key() {
    let text = "{:process 0, :type :invoke, :f :append, :key \"7\", :value \"x\"}\n\
                {:process 0, :type :ok, :f :append, :key \"7\", :value \"x\"}\n\
                {:process 0, :type :invoke, :f :get, :key \"7\", :value nil}\n\
                {:process 0, :type :ok, :f :get, :key \"7\", :value \"x\"}\n";
    assert_eq!(Format::detect(text).unwrap(), Format::PorcupineKv);
    assert_eq!(plain(text), Ok(Validity::Valid));
    assert_eq!(
        plain(&text.replace(
            "\"x\"}\n{:process 0, :type :invoke, :f :get",
            "\"y\"}\n{:process 0, :type :invoke, :f :get"
        )),
        Ok(Validity::Valid)
    );
    assert_eq!(plain(&text.replacen("\"x\"", "\"y\"", 1)), Ok(Validity::Invalid));
}

#[test]
fn what_cannot_be_read_is_refused_with_line_and_reason() {
    for (text, expected) in [
        ("", "line 1: the file is empty; there is nothing to judge"),
        (
            "\n\nhello",
            "line 3: neither a Rashomon history, nor Jepsen's EDN or JSON, nor a log of Jepsen's, nor of Plume, dbcop or Cobra",
        ),
        (
            "{\"a\": 1}",
            "line 1: JSON without the header of a Rashomon history, and without ops that have a \"type\"",
        ),
        ("[\n{\"type\":\"done\",\"process\":0}]", "line 2: type done is none of invoke, ok, fail, info"),
        ("[{\"type\":\"invoke\",\"process\":0,\"f\":\"read\"},\n\n{\"type\" 1}]", "line 3: expected `:`"),
        ("{\"type\":\"invoke\",\"process\":-1,\"f\":\"read\"}", "line 1: process -1 is no process"),
        ("{\"type\":\"invoke\",\"process\":0}", "line 1: the op has no f"),
        (
            "{\"rashomon\":\"history\",\"version\":9}\n",
            "line 1: version 9 of the history format; this program reads version 1",
        ),
        ("{\"rashomon\":\"schedule\",\"version\":1}\n", "line 1: this is a `schedule` file, not a history"),
        (
            "[{:process 0 :type :invoke :f :read}\n{:process 0 :type :done :f :read}]",
            "line 2: :type :done is none of :invoke, :ok, :fail, :info",
        ),
        ("[{:process -1 :type :invoke :f :read}]", "line 1: :process -1 is no process"),
        ("[{:process :bob :type :invoke :f :read}]", "line 1: :process \"bob\" is no process"),
        ("[{:process 0 :type :invoke :f :read} {:type :ok :f :read}]", "line 1: the op has no :process"),
        ("[{:process 0 :f :read}]", "line 1: the op has no :type"),
        ("[{:process 0 :type :invoke}]", "line 1: the op has no :f"),
        ("[{:process 0 :type :invoke :f 7}]", "line 1: :f 7 is no name"),
        ("[{:process 0 :type :invoke :f :read :time -5}]", "line 1: :time -5 is not a count"),
        ("[\n{:process 0 :type :invoke :f :read}\n", "line 3: the text ends inside a sequence"),
        ("[]\n7", "line 2: something follows the sequence of ops"),
        ("[7]", "line 1: an op is a map"),
        (
            "{:index 4 :process 0 :type :invoke :f :read}\n{:index 3 :process 0 :type :ok :f :read}",
            "line 2: its :index is not above the one before: ops must come in order",
        ),
        ("{:process 0 :type :ok :f :read}", "line 1: process 0 completes `read` (ok) without invoking it"),
        ("INFO  jepsen.util - 0\t:invoke", "line 1: the op has no f"),
        ("INFO  jepsen.util 0\t:invoke", "line 1: the op does not follow a dash"),
        ("INFO  jepsen.util - x\t:invoke\t:read\tnil", "line 1: \"x\" is no process"),
        ("INFO  jepsen.util - 0\t:begin\t:read\tnil", "line 1: \"begin\" is no type of op"),
        ("INFO  jepsen.util - 0\t:invoke\t:cas\t[1 2", "line 1: the text ends before `]`"),
    ] {
        assert_eq!(plain(text), Err(expected.to_owned()), "{text}");
    }
}

#[test]
fn questions_without_an_answer() {
    let text = "[{:process 0 :type :invoke :f :read} {:process 0 :type :ok :f :read :value nil}]";
    let recording = read(Format::JepsenEdn, text).unwrap();
    let ask = |model: &str, initial: Option<Value>| {
        let question = Question { model: Some(model.to_owned()), initial, ..Question::default() };
        judge(&recording, &question, &Budget::unlimited()).map(|verdict| verdict.valid)
    };
    assert_eq!(ask("cas-register", None), Ok(Validity::Valid));
    assert_eq!(ask("registre", None), Err(JudgeError::UnknownModel("registre".to_owned())));
    let refused = |model| Err(JudgeError::Initial { model, value: "1".to_owned() });
    assert_eq!(ask("kv", Some(json!(1))), refused("kv"));
    assert_eq!(ask("set", Some(json!(1))), refused("set"));
    for (ops, model) in [
        (":push :pop", "stack"),
        (":insert :poll", "priority-queue"),
        (":enqueue :dequeue", "queue"),
        (":add :contains :remove", "element-set"),
        (":append :read", "linearizable-list"),
        (":add :read", "set"),
    ] {
        let events = ops
            .split(' ')
            .zip(0..)
            .map(|(f, process)| format!("{{:process {process} :type :invoke :f {f} :value 1}}"));
        let recording = read(Format::JepsenEdn, &events.collect::<String>()).unwrap();
        assert_eq!(recording.model, Some(model));
    }
    let shuffle = read(Format::JepsenEdn, "[{:process 0 :type :invoke :f :shuffle}]").unwrap();
    assert_eq!(judge(&shuffle, &Question::default(), &Budget::unlimited()), Err(JudgeError::NoModel));
}

proptest! {
    #[test]
    fn no_text_panics(text in "[\\[\\]{}()#_:;,\"\\\\ a-f0-9\n\t-]{0,60}") {
        for format in Format::ALL {
            let _ = read(format, &text);
        }
        let _ = Format::detect(&text);
    }

    #[test]
    fn no_ops_panic(text in "(\\{(:process (0|1|:nemesis)|:type (:ok|:invoke|:info)|:f (:read|:cas|nil)|:value (nil|\\[1 nil\\]|\\[1 2\\]|#jepsen.independent/tuple (\\[1 2\\]|7))| ){0,4}\\} ?\n?){0,6}") {
        let _ = plain(&text);
    }
}
