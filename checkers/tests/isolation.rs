//! Every anomaly of transactions over lists, by hand-written histories that show it and others that nearly do.

mod transactions;
mod witnesses;

use rashomon_checkers::formats::{Format, read};
use rashomon_checkers::generate::ListClients;
use rashomon_checkers::isolation::{Level, ListAppend, table};
use rashomon_checkers::{Budget, Checker, Question, judge};
use rashomon_core::{History, Kind, Seed, Validity, Verdict};
use serde_json::json;

use transactions::{op, transactions};
use witnesses::witnessed;

fn judged(text: &str) -> Verdict {
    ListAppend::default().check(&transactions(text), &Budget::unlimited())
}

fn cell(verdict: &Verdict, level: &str) -> String {
    let level: Level = level.parse().unwrap();
    let word = &verdict.stats["levels"][level.isolation.name()][level.order.name()];
    word.as_str().unwrap().to_owned()
}

fn names(verdict: &Verdict) -> Vec<&str> {
    let mut names: Vec<&str> = verdict.anomalies.iter().map(|anomaly| anomaly.name.as_str()).collect();
    names.sort_unstable();
    names
}

/// The history has exactly these anomalies; of the levels, the first holds and the second does not.
fn shows(anomalies: &[&str], holds: &str, violated: &str, text: &str) -> Verdict {
    let verdict = judged(text);
    assert_eq!(names(&verdict), anomalies, "{text}\n{verdict:#?}");
    assert_eq!(verdict.valid, Validity::Invalid, "{text}");
    if !holds.is_empty() {
        assert_eq!(cell(&verdict, holds), "holds", "{holds} of {text}\n{}", table(&verdict).unwrap());
    }
    assert_eq!(cell(&verdict, violated), "violated", "{violated} of {text}\n{}", table(&verdict).unwrap());
    for anomaly in &verdict.anomalies {
        assert!(!anomaly.events.is_empty() && !anomaly.because.is_empty(), "{anomaly:?}");
        witnessed(&transactions(text), anomaly);
    }
    verdict
}

/// Everything is as it should be.
fn fine(text: &str) {
    let verdict = judged(text);
    assert_eq!(verdict.valid, Validity::Valid, "{text}\n{verdict:#?}");
    for level in Level::all() {
        assert_eq!(cell(&verdict, &level.to_string()), "holds", "{level} of {text}");
    }
}

#[test]
fn serial_transactions_are_fine() {
    fine("0 ok x+1 y=\n--\n1 ok x=1 x+2 x=1,2\n--\n0 ok y+1 x=1,2\n--\n2 ok x=1,2 y=1");
    fine("0 ok x+1\n1 ok x=\n2 ok x=1");
}

#[test]
fn aborted_read() {
    shows(&["G1a"], "strong-read-uncommitted", "read-committed", "0 fail x+1\n--\n1 ok x=1");
    fine("0 fail x+1\n--\n1 ok x=");
    fine("0 info x+1\n--\n1 ok x=1");
}

#[test]
fn intermediate_read() {
    shows(
        &["G-single", "G1b"],
        "strong-read-uncommitted",
        "read-committed",
        "0 ok x+1 x+2\n1 ok x=1\n--\n2 ok x=1,2",
    )
    .anomalies
    .iter()
    .filter(|anomaly| anomaly.name == "G1b")
    .for_each(|anomaly| assert_eq!(anomaly.key.as_deref(), Some("x")));
    fine("0 ok x+1 x=1 x+2\n--\n1 ok x=1,2");
}

#[test]
fn internal() {
    shows(&["internal"], "strong-read-committed", "read-atomic", "0 ok x+1 x=\n--\n1 ok x=1");
    shows(
        &["G-single", "internal"],
        "strong-read-committed",
        "read-atomic",
        "0 ok x=9 x=\n1 ok x+9\n--\n2 ok x=9",
    );
    fine("0 ok x= x+1 x=1 x+2 x=1,2");
}

#[test]
fn future_read() {
    shows(&["future-read"], "", "read-committed", "0 ok x=1 x+1\n--\n1 ok x=1");
}

#[test]
fn dirty_update() {
    shows(
        &["G1a", "dirty-update"],
        "read-uncommitted",
        "read-committed",
        "0 fail x+1\n1 info x+2\n--\n2 ok x+3\n--\n3 ok x=1,2,3",
    );
}

#[test]
fn duplicate_elements() {
    shows(&["duplicate-elements"], "", "read-uncommitted", "0 ok x+1\n--\n1 ok x=1,1");
}

#[test]
fn garbage_read() {
    shows(&["garbage-read"], "", "read-uncommitted", "0 ok x+1\n--\n1 ok x=1,7");
}

#[test]
fn incompatible_order() {
    shows(&["incompatible-order"], "", "read-committed", "0 ok x+1\n1 ok x+2\n--\n2 ok x=1,2\n3 ok x=2,1");
    shows(&["G1b", "incompatible-order"], "", "read-committed", "0 ok x+1 x+2\n1 ok x=2,1");
    // A read of the later append alone cannot be: the earlier one would have to come after it.
    shows(&["G-single", "incompatible-order"], "", "read-committed", "0 ok x+1 x+2\n1 ok x=2");
}

#[test]
fn lost_update() {
    shows(
        &["G-single", "lost-update"],
        "strong-session-prefix",
        "parallel-snapshot-isolation",
        "0 ok x= x+1\n1 ok x= x+2\n--\n2 ok x=1,2",
    );
    // The order of the two appends is not known, but either is one too many.
    shows(
        &["G2-item", "lost-update"],
        "strong-prefix",
        "parallel-snapshot-isolation",
        "0 ok x= x+1\n1 ok x= x+2",
    );
}

#[test]
fn write_cycle() {
    shows(&["G0"], "", "read-uncommitted", "0 ok x+1 y+1\n1 ok x+2 y+2\n--\n2 ok x=1,2\n3 ok y=2,1");
    shows(
        &["G0-process"],
        "read-uncommitted",
        "strong-session-read-uncommitted",
        "0 ok x+1\n--\n0 ok x+2\n--\n1 ok x=2,1",
    );
    shows(
        &["G0-realtime"],
        "strong-session-serializable",
        "strong-read-uncommitted",
        "0 ok x+1\n--\n1 ok x+2\n2 ok x=2,1",
    );
}

#[test]
fn circular_information_flow() {
    shows(&["G1c"], "strong-read-uncommitted", "read-committed", "0 ok x+1 y=1\n1 ok y+1 x=1");
    shows(
        &["G1c-process"],
        "serializable",
        "strong-session-read-committed",
        "0 ok x=1\n--\n0 ok y+1\n1 ok y=1 x+1",
    );
    shows(
        &["G1c-realtime"],
        "strong-session-serializable",
        "strong-read-committed",
        "0 ok x=1\n--\n1 ok x+1",
    );
}

#[test]
fn single_anti_dependency() {
    // Half of a transaction is seen.
    shows(&["G-single"], "strong-read-committed", "read-atomic", "0 ok x+1 y+1\n1 ok x=1 y=");
    // An effect without its cause, by way of a third.
    shows(&["G-single"], "read-atomic", "causal", "0 ok x+1\n1 ok x=1 y+1\n2 ok y=1 x=");
    // A read without what its own process appended, of a key where another append is known to have come before.
    let verdict = judged("0 ok x+1\n--\n0 ok x=\n1 ok~ x+4 x=4");
    assert_eq!(cell(&verdict, "strong-session-read-atomic"), "violated");
    assert_eq!(cell(&verdict, "serializable"), "holds");
    shows(
        &["G-single-process"],
        "serializable",
        "strong-session-read-atomic",
        "0 ok x+1\n--\n0 ok x=\n--\n1 ok x=1",
    );
    shows(
        &["G-single-realtime"],
        "strong-session-serializable",
        "strong-read-atomic",
        "0 ok x+1\n--\n1 ok x=\n--\n2 ok x=1",
    );
}

#[test]
fn anti_dependencies_that_are_not_adjacent() {
    // Two readers see two writes in opposite orders.
    shows(
        &["G-nonadjacent"],
        "parallel-snapshot-isolation",
        "snapshot-isolation",
        "0 ok x+1\n1 ok y+1\n2 ok x=1 y=\n3 ok x= y=1",
    );
    shows(
        &["G-nonadjacent-process"],
        "serializable",
        "strong-session-prefix",
        "1 ok~ y+1\n2 ok~ x= y=1\n0 ok x+1\n--\n0 ok y=",
    );
    shows(
        &["G-nonadjacent-realtime"],
        "strong-session-serializable",
        "strong-prefix",
        "1 ok~ y+1\n2 ok~ x= y=1\n0 ok x+1\n--\n3 ok y=",
    );
}

#[test]
fn write_skew() {
    let text = "0 ok x= y+1\n1 ok y= x+1\n--\n2 ok x=1 y=1";
    let verdict = shows(&["G2-item"], "strong-snapshot-isolation", "repeatable-read", text);
    assert_eq!(cell(&verdict, "serializable"), "violated");
    shows(
        &["G2-item-process"],
        "serializable",
        "strong-session-serializable",
        "1 ok~ x= y+1\n0 ok x+1\n--\n0 ok y=",
    );
    shows(
        &["G2-item-realtime"],
        "strong-session-serializable",
        "strict-serializable",
        "1 ok~ x= y+1\n0 ok x+1\n--\n2 ok y=",
    );
}

#[test]
fn what_a_level_allows_does_not_accuse_a_database_that_promised_it() {
    let history = transactions("0 ok x= y+1\n1 ok y= x+1\n--\n2 ok x=1 y=1");
    for (promised, valid) in [
        ("snapshot-isolation", Validity::Valid),
        ("strong-snapshot-isolation", Validity::Valid),
        ("repeatable-read", Validity::Invalid),
        ("serializable", Validity::Invalid),
    ] {
        let verdict = ListAppend::promising(promised.parse().unwrap()).check(&history, &Budget::unlimited());
        assert_eq!(verdict.valid, valid, "{promised}");
        assert_eq!(verdict.anomalies.is_empty(), valid == Validity::Valid, "{promised}");
    }
}

#[test]
fn a_cycle_is_explained_and_drawn() {
    let verdict = judged("0 ok x= y+1\n1 ok y= x+1\n--\n2 ok x=1 y=1");
    let anomaly = &verdict.anomalies[0];
    assert_eq!(anomaly.events, [0, 1, 2, 3]);
    assert_eq!(
        anomaly.because,
        "each of 2 transactions would come before itself (T1 = events 0-2, T2 = events 1-3): T1 comes before T2: it \
         read [] from key x, without 1 that the other appended; T2 comes before T1: it read [] from key y, without 1 \
         that the other appended"
    );
    assert_eq!(anomaly.details["edges"][0]["class"], "rw");
    assert_eq!(anomaly.details["edges"][0]["key"], "x");
    let dot = anomaly.details["dot"].as_str().unwrap();
    assert!(dot.starts_with("digraph") && dot.contains("rw x") && dot.contains("rw y"), "{dot}");
}

#[test]
fn a_transaction_whose_end_is_unknown_may_have_happened_or_not() {
    fine("0 info x+1\n--\n1 ok x=");
    fine("0 info x+1\n--\n1 ok x=\n--\n2 ok x=1");
    // Its own reads are not known; half of it seen is still half.
    shows(&["G-single"], "read-committed", "read-atomic", "0 info x+1 y+1\n--\n1 ok x=1 y=");
    shows(
        &["G-single-realtime"],
        "serializable",
        "strict-serializable",
        "0 info x+1\n--\n1 ok x=1\n--\n2 ok x=",
    );
}

#[test]
fn an_append_that_no_read_shows_comes_after_all_that_were_read() {
    shows(&["G2-item"], "", "serializable", "0 ok x= y+1\n1 ok y= x+1");
    fine("0 ok x= y+1\n1 ok x+1");
}

#[test]
fn any_order_of_appends_that_no_read_shows_is_enough_for_a_level_to_hold() {
    // Write skew, and another append of which nobody knows whether it came first.
    let verdict = shows(
        &["G2-item"],
        "strong-snapshot-isolation",
        "repeatable-read",
        "0 ok x= y+1\n1 ok y= x+1\n2 ok y+5",
    );
    assert_eq!(cell(&verdict, "parallel-snapshot-isolation"), "holds");
}

#[test]
fn a_transaction_must_end_with_what_it_began() {
    let begun = op(Kind::Invoke, 0, json!([["append", "x", 1], ["r", "y", null]]));
    for (ended, same) in [
        (json!([["append", "x", 1], ["r", "y", []]]), true),
        (json!([["append", "x", 1]]), false),
        (json!([["append", "x", 2], ["r", "y", []]]), false),
        (json!([["append", "x", 1], ["r", "z", []]]), false),
        (json!([["r", "y", []], ["append", "x", 1]]), false),
    ] {
        let history = History::new(vec![begun.clone(), op(Kind::Ok, 0, ended.clone())]).unwrap();
        let verdict = ListAppend::default().check(&history, &Budget::unlimited());
        let reason = "event 1: the transaction ended with other micro-ops than it began with";
        assert_eq!(verdict.unknown.first().map(String::as_str), (!same).then_some(reason), "{ended}");
    }
}

#[test]
fn two_orders_of_a_key_are_never_spliced() {
    // The second read would make a cycle with the first if its elements were put into the order that the first shows.
    let verdict = judged("0 ok x+1\n1 ok x+2\n2 ok x+3\n3 ok x=1,2\n4 ok x=2,3\n5 ok x=2,1,3");
    let names: std::collections::BTreeSet<&str> = names(&verdict).into_iter().collect();
    assert_eq!(names, ["incompatible-order"].into());
    assert_eq!(cell(&verdict, "read-uncommitted"), "unknown");
    assert_eq!(cell(&verdict, "read-committed"), "violated");
}

#[test]
fn what_was_read_before_anybody_was_asked_for_it_has_its_place() {
    // By real time the append comes after its reader.
    shows(
        &["G1c-realtime"],
        "strong-session-serializable",
        "strong-read-committed",
        "0 ok x=1,2\n2 ok x+1\n--\n1 ok x+2",
    );
    shows(&["G1c-realtime", "duplicate-elements"], "", "read-uncommitted", "0 ok x=1,1\n--\n1 ok x+1");
}

#[test]
fn what_cannot_be_judged_is_unknown_and_says_why() {
    for (text, reason) in [
        ("0 fail x+1", "vacuous: no transaction succeeded"),
        ("0 ok x+1", "vacuous: no transaction that succeeded read anything"),
        ("0 ok x+1\n1 ok x+1 x=1", "event 1: 1 is appended to key x a second time: values must differ"),
        ("0 ok x:=1 x==1", "event 0: [\"w\",\"x\",1]: a list takes append and r, not w"),
        ("0 ok x+1 x==1", "event 1: a read of a list shows a list, not 1"),
    ] {
        let verdict = judged(text);
        assert_eq!(verdict.valid, Validity::Unknown, "{text}");
        assert_eq!(verdict.unknown, [reason], "{text}");
    }
}

#[test]
fn out_of_time_is_unknown() {
    let history = transactions("0 ok x= y+1\n1 ok y= x+1\n--\n2 ok x=1 y=1");
    let verdict = ListAppend::default().check(&history, &Budget::new(usize::MAX, &|| true));
    assert_eq!(verdict.valid, Validity::Unknown);
    let verdict = ListAppend::default().check(&history, &Budget::new(1, &|| false));
    assert_eq!(verdict.unknown, ["event 0: memory budget exhausted"]);
}

#[test]
fn histories_of_jepsen_are_taken_as_they_stand() {
    // By hand, for Elle: no process, no f, keywords, nil for the empty list. Write skew over lists.
    let text = "
        {:index 0 :type :invoke :process 0 :value [[:r 8 nil] [:append 9 1]]}
        {:index 1 :type :invoke :process 1 :value [[:r 9 nil] [:append 8 1]]}
        {:index 2 :type :ok :process 0 :value [[:r 8 nil] [:append 9 1]]}
        {:index 3 :type :ok :process 1 :value [[:r 9 []] [:append 8 1]]}
        {:index 4 :type :invoke :process 1 :value [[:r 9 nil]]}
        {:index 5 :type :ok :process 1 :value [[:r 9 [1]]]}";
    let recording = read(Format::detect(text).unwrap(), text).unwrap();
    assert_eq!(recording.model, Some("list-append"));
    let ask = |level: Option<&str>| {
        let question =
            Question { promised: level.map(|level| level.parse().unwrap()), ..Question::default() };
        judge(&recording, &question, &Budget::unlimited()).unwrap()
    };
    assert_eq!(names(&ask(None)), ["G2-item"]);
    assert_eq!(ask(Some("strong-snapshot-isolation")).valid, Validity::Valid);
    let alone =
        "{:type :invoke, :value [[:append 1 1] [:r 1 nil]]}\n{:type :ok, :value [[:append 1 1] [:r 1 [1]]]}";
    let recording = read(Format::detect(alone).unwrap(), alone).unwrap();
    let verdict = judge(&recording, &Question::default(), &Budget::unlimited()).unwrap();
    assert_eq!(verdict.valid, Validity::Valid);
}

#[test]
fn histories_made_by_machine_are_right_until_they_are_not() {
    let clients = ListClients {
        transactions: 2000,
        clients: 20,
        keys: 10,
        micro_ops: 4,
        open_per_mille: 20,
        stale_per_100_000: 0,
        seed: Seed(7),
    };
    let judge = |clients: ListClients| ListAppend::default().check(&clients.history(), &Budget::unlimited());
    let verdict = judge(clients);
    assert_eq!(verdict.valid, Validity::Valid, "{}", verdict.summary);
    let verdict = judge(ListClients { stale_per_100_000: 500, ..clients });
    assert_eq!(verdict.valid, Validity::Invalid, "{}", verdict.summary);
    // A stale read is found as what it is: a cycle of two.
    for anomaly in &verdict.anomalies {
        assert!(anomaly.name.starts_with("G-single") || anomaly.name == "G2-item", "{anomaly:?}");
        assert!(anomaly.events.len() <= 6, "{anomaly:?}");
    }
    assert_eq!(cell(&verdict, "strong-read-committed"), "holds");
}

#[test]
fn out_of_time_is_unknown_but_what_was_found_is_not_forgotten() {
    let clients = ListClients {
        transactions: 3000,
        clients: 12,
        keys: 6,
        micro_ops: 4,
        open_per_mille: 5,
        stale_per_100_000: 2000,
        seed: Seed(2),
    };
    let history = clients.history();
    let whole = ListAppend::default().check(&history, &Budget::unlimited());
    let mut verdicts = std::collections::BTreeSet::new();
    for limit in (0..12).chain((12..4000).step_by(37)) {
        let looks = std::cell::Cell::new(0);
        let expired = || {
            looks.set(looks.get() + 1);
            looks.get() > limit
        };
        let verdict = ListAppend::default().check(&history, &Budget::new(usize::MAX, &expired));
        assert_ne!(verdict.valid, Validity::Valid, "{limit} looks");
        for level in Level::all().filter(|_| verdict.stats.contains_key("levels")) {
            let (part, all) = (cell(&verdict, &level.to_string()), cell(&whole, &level.to_string()));
            assert!(part == all || part == "unknown", "{level} after {limit} looks: {part}, not {all}");
        }
        verdicts.insert(verdict.valid == Validity::Unknown);
    }
    assert_eq!(verdicts.len(), 2, "some were out of time, others were not");
}
