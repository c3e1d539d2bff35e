//! Jepsen's histories where they are easily misread: keys beside values, ops without processes, fields given twice.

use rashomon_checkers::formats::{Format, read};
use rashomon_core::{History, Process, Time};
use serde_json::json;

fn taken(text: &str) -> History {
    read(Format::JepsenEdn, text).unwrap().history
}

#[test]
fn an_answer_that_is_a_pair_by_chance_is_no_pair_of_key_and_value() {
    let history = taken(
        "{:process 0 :type :invoke :f :read :value [7 nil]}\n{:process 0 :type :ok :f :read :value [1 2]}\n\
         {:process 0 :type :invoke :f :read :value [8 nil]}\n{:process 0 :type :ok :f :read :value [8 5]}",
    );
    let told: Vec<_> = history.ops().iter().map(|op| (op.key.as_deref(), op.value.clone())).collect();
    let key = Some("7");
    assert_eq!(
        told,
        [(key, json!(null)), (key, json!([1, 2])), (Some("8"), json!(null)), (Some("8"), json!(5))]
    );
}

#[test]
fn what_the_nemesis_says_has_no_key() {
    let history = taken(
        "{:process 0 :type :invoke :f :read :value [7 nil]}\n\
         {:process :nemesis :type :invoke :f :start :value [7 nil]}",
    );
    assert_eq!((history.ops()[1].key.as_deref(), &history.ops()[1].value), (None, &json!([7, null])));
}

#[test]
fn one_read_of_the_whole_says_that_there_are_no_keys() {
    let history = taken(
        "{:process 0 :type :invoke :f :read :value [7 nil]}\n{:process 1 :type :invoke :f :read :value nil}",
    );
    assert_eq!((history.ops()[0].key.as_deref(), &history.ops()[0].value), (None, &json!([7, null])));
}

#[test]
fn a_completion_without_a_process_is_that_of_the_first_open_op_like_it() {
    let history = taken(
        "{:type :invoke :f :read}\n{:type :invoke :f :write :value 3}\n{:type :invoke :f :read}\n\
         {:type :ok :f :read :value 1}\n{:type :ok :f :read :value 2}\n{:type :ok :f :write :value 3}",
    );
    let processes: Vec<_> = history.ops().iter().map(|op| op.process).collect();
    assert_eq!(processes, [0, 1, 2, 0, 2, 1].map(Process::Client));
    let times: Vec<_> = history.ops().iter().map(|op| op.time).collect();
    assert_eq!(times, [0, 1, 2, 3, 4, 5].map(Time), "without times, the order stands for them");
}

#[test]
fn of_a_field_given_twice_the_first_counts() {
    let history = taken("{:process 0 :type :invoke :f :read :f :write :value 1 :value 2}");
    assert_eq!((history.ops()[0].f.as_str(), &history.ops()[0].value), ("read", &json!(1)));
}

#[test]
fn an_index_given_twice_is_refused() {
    let text = "{:index 3 :process 0 :type :invoke :f :read}\n{:index 3 :process 0 :type :ok :f :read}";
    let error = read(Format::JepsenEdn, text).unwrap_err().to_string();
    assert_eq!(error, "line 2: its :index is not above the one before: ops must come in order");
}
