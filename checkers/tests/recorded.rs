//! Histories as Jepsen's and Maelstrom's workloads write them find their checkers.

use rashomon_checkers::formats::{Format, read};
use rashomon_checkers::{Budget, Question, judge};
use rashomon_core::{Validity, Verdict};

/// The verdict on a text in Jepsen's EDN, by what its operations suggest.
#[track_caller]
fn recorded(text: &str) -> Verdict {
    let format = Format::detect(text).expect("a format");
    let recording = read(format, text).expect("a history");
    judge(&recording, &Question::default(), &Budget::unlimited()).expect("a checker that fits")
}

#[track_caller]
fn is(text: &str, checker: &str, valid: Validity) -> Verdict {
    let verdict = recorded(text);
    assert_eq!((verdict.checker.as_str(), verdict.valid), (checker, valid), "{verdict:?}");
    verdict
}

use Validity::{Invalid, Valid};

const BANK: &str = "
{:type :invoke, :f :read, :process 0, :time 1, :index 0}
{:type :ok, :f :read, :process 0, :time 2, :value {0 100, 1 0}, :index 1}
{:type :invoke, :f :transfer, :value {:from 0, :to 1, :amount 1}, :process 0, :time 3, :index 2}
{:type :ok, :f :transfer, :value {:from 0, :to 1, :amount 1}, :process 0, :time 4, :index 3}
{:type :info, :f :pause, :value :all, :process :nemesis, :time 5, :index 4}
{:type :invoke, :f :read, :process 0, :time 6, :index 5}
{:type :ok, :f :read, :process 0, :time 7, :value {0 99, 1 1}, :index 6}
";

#[test]
fn a_bank_tells_in_its_first_read_how_it_begins() {
    is(BANK, "bank", Valid);
    let wrong = is(&BANK.replace("0 99", "0 98"), "bank", Invalid);
    assert_eq!(wrong.anomalies[0].name, "wrong-total");
    assert_eq!(is(&BANK.replace("0 99", "2 99"), "bank", Invalid).anomalies[0].name, "wrong-accounts");
    let negative = is(&BANK.replace("0 99, 1 1", "0 101, 1 -1"), "bank", Invalid);
    assert_eq!(negative.anomalies[0].name, "negative-balance");
    let recording = read(Format::JepsenEdn, BANK).unwrap();
    let with = |initial| {
        let question = Question { initial: Some(initial), ..Question::default() };
        judge(&recording, &question, &Budget::unlimited()).map(|verdict| verdict.valid)
    };
    assert_eq!(with(serde_json::json!({"0": 50, "1": 50})), Ok(Valid));
    assert_eq!(with(serde_json::json!({"0": 50, "1": 51})), Ok(Invalid));
    assert!(with(serde_json::json!([1, 2])).unwrap_err().to_string().contains("cannot begin with [1,2]"));
}

/// A recording of the `comments` test, without processes.
const COMMENTS: &str = "
{:index 1, :type :invoke :f :read   :value nil}
{:index 2, :type :invoke :f :write  :value 425}
{:index 3, :type :ok     :f :write  :value 425}
{:index 4, :type :invoke :f :write  :value 430}
{:index 5, :type :ok     :f :write  :value 430}
{:index 6, :type :ok     :f :read   :value #{2 10 430}}
";

#[test]
fn comments_are_judged_for_causal_reverse() {
    let verdict = is(COMMENTS, "causal-reverse", Invalid);
    assert_eq!(verdict.anomalies[0].events, [0, 1, 2, 3, 4, 5]);
    is(&COMMENTS.replace("10 430", "425 430"), "causal-reverse", Valid);
    let error = read(
        Format::JepsenEdn,
        &COMMENTS.replace(":index 5, :type :ok     :f :write", ":index 5, :type :ok :f :x"),
    );
    assert_eq!(error.unwrap_err().to_string(), "line 6: no op is open that this ok `x` could complete");
}

#[test]
fn long_forks_are_reads_of_micro_ops() {
    let text = "
[{:type :invoke, :f :read, :value [[:r 0 nil] [:r 1 nil] [:r 2 nil]]},
{:type :ok, :f :read, :value [[:r 0 1] [:r 1 1] [:r 2 nil]]},
{:type :invoke, :f :read, :value [[:r 2 nil] [:r 0 nil] [:r 1 nil]]},
{:type :ok, :f :read, :value [[:r 2 1]   [:r 0 1]   [:r 1 nil]]}]";
    is(text, "long-fork", Invalid);
    is(&text.replace(":r 2 1", ":r 2 nil"), "long-fork", Valid);
}

#[test]
fn counters_with_final_reads_are_right_in_the_end() {
    let text = |delta: i8, last: &str, sum: i8| {
        format!(
            "{{:type :invoke, :f :add, :value {delta}, :process 0}}\n{{:type :ok, :f :add, :value {delta}, :process 0}}\n\
             {{:type :invoke, :f :read, :value nil, :process 0{last}}}\n\
             {{:type :ok, :f :read, :value {sum}, :process 0{last}}}\n"
        )
    };
    is(&text(2, "", 2), "counter", Valid);
    is(&text(2, "", 1), "counter", Invalid);
    is(&text(2, ", :final? true", 2), "g-counter", Valid);
    is(&text(2, ", :final? true", 1), "g-counter", Invalid);
    is(&text(-2, ", :final? true", -2), "pn-counter", Valid);
    is(&text(-2, ", :final? true", 2), "pn-counter", Invalid);
}

#[test]
fn the_others_are_known_by_their_operations() {
    let run = |ops: &[(&str, &str, &str)]| -> String {
        let line = |(f, asked, told): &(&str, &str, &str)| {
            format!(
                "{{:type :invoke, :f :{f}, :value {asked}, :process 0}}\n{{:type :ok, :f :{f}, :value {told}, :process 0}}\n"
            )
        };
        ops.iter().map(line).collect()
    };
    is(&run(&[("generate", "nil", "\"a\""), ("generate", "nil", "\"a\"")]), "unique-ids", Invalid);
    is(&run(&[("broadcast", "1", "1"), ("read", "nil", "[1]")]), "broadcast", Valid);
    is(&run(&[("broadcast", "1", "1"), ("read", "nil", "[]")]), "broadcast", Invalid);
    is(&run(&[("add", "1", "1"), ("read", "nil", "#{1}")]), "set", Valid);
    is(&run(&[("enqueue", "1", "1"), ("drain", "nil", "[1]")]), "total-queue", Valid);
    is(&run(&[("enqueue", "1", "1"), ("drain", "nil", "[]")]), "total-queue", Invalid);
    let tuple = |value: &str| format!("#jepsen.independent/tuple [3 {value}]");
    let (one, two) = (tuple("[1 nil]"), tuple("[nil 2]"));
    is(&run(&[("insert", &one, &one), ("insert", &two, &two)]), "adya", Invalid);
    let (nil, zero, value) = (tuple("nil"), tuple("0"), tuple("1"));
    is(
        &run(&[("read-init", &nil, &zero), ("write", &value, &value), ("read", &nil, &value)]),
        "causal",
        Valid,
    );
    is(
        &run(&[("read-init", &nil, &zero), ("write", &value, &value), ("read", &nil, &zero)]),
        "causal",
        Invalid,
    );
}

#[test]
fn positions_and_links_are_kept() {
    let text = "
{:type :invoke, :f :read-init, :process 0, :value #jepsen.independent/tuple [3 nil]}
{:type :ok, :f :read-init, :process 0, :value #jepsen.independent/tuple [3 0], :position 7, :link :init}
{:type :invoke, :f :write, :process 0, :value #jepsen.independent/tuple [3 1]}
{:type :ok, :f :write, :process 0, :value #jepsen.independent/tuple [3 1], :position 8, :link 7}";
    is(text, "causal", Valid);
    let broken = is(&text.replace(":link 7", ":link 6"), "causal", Invalid);
    assert_eq!(broken.anomalies[0].name, "broken-link");
}
