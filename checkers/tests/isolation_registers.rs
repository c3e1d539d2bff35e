//! Anomalies of transactions over registers, by hand-written histories.

mod transactions;
mod witnesses;

use rashomon_checkers::generate::{Clients, Subject};
use rashomon_checkers::isolation::{RwRegister, table};
use rashomon_checkers::{Budget, Checker};
use rashomon_core::{Anomaly, History, Seed, Validity, Verdict};

use transactions::{op, transactions};
use witnesses::witnessed;

fn judged(text: &str) -> Verdict {
    RwRegister::default().check(&transactions(text), &Budget::unlimited())
}

#[test]
fn anomalies() {
    for (expected, text) in [
        (&["G1a"][..], "0 fail x:=1\n--\n1 ok x==1"),
        (&["G1b"], "0 ok x:=1 x:=2\n1 ok x==1"),
        (&["internal"], "0 ok x:=1 x==nil"),
        (&["future-read"], "0 ok x==1 x:=1"),
        (&["garbage-read"], "0 ok x:=1\n1 ok x==7"),
        (&["G1c"], "0 ok x:=1 y==2\n1 ok y:=2 x==1"),
        (&["G1c-process"], "0 ok x==1\n--\n0 ok y:=2\n1 ok y==2 x:=1"),
        (&["G1c-realtime"], "0 ok x==1\n--\n1 ok x:=1"),
        (&["G-single"], "0 ok x:=1 y:=2\n1 ok x==1 y==nil"),
        (&["G-single-realtime"], "0 ok x:=1\n--\n1 ok x==nil"),
        (&["G-nonadjacent"], "0 ok x:=1\n1 ok y:=2\n2 ok x==1 y==nil\n3 ok x==nil y==2"),
        (&["G2-item"], "0 ok x==nil y:=1\n1 ok y==nil x:=2"),
        (&["G1c", "cyclic-versions"], "0 ok x==1 x:=2\n1 ok x==2 x:=1"),
        (&["G2-item", "lost-update"], "0 ok x==nil x:=1\n1 ok x==nil x:=2"),
    ] {
        let verdict = judged(text);
        let mut names: Vec<&str> = verdict.anomalies.iter().map(|anomaly| anomaly.name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, expected, "{text}\n{verdict:#?}");
        assert_eq!(verdict.valid, Validity::Invalid);
        verdict.anomalies.iter().for_each(|anomaly| witnessed(&transactions(text), anomaly));
    }
}

#[test]
fn an_order_of_versions_that_contradicts_itself_is_told_and_not_used() {
    let verdict = judged("0 ok x==1 x:=2\n1 ok x==2 x:=1\n2 ok y==nil");
    let told = verdict.anomalies.iter().find(|anomaly| anomaly.name == "cyclic-versions").unwrap();
    assert_eq!(told.key.as_deref(), Some("x"));
    assert!(told.because.contains("was not used"), "{}", told.because);
    // No dependency comes from it: who read 1 and who wrote after it are not ordered.
    let dirty = judged("0 ok x==1 x:=2\n1 ok x==2 x:=1\n2 ok x==1 y:=3\n3 ok y==3");
    assert!(dirty.anomalies.iter().all(|anomaly| !anomaly.because.contains("replaced by")), "{dirty:#?}");
}

#[test]
fn what_one_order_explains_is_proved() {
    for text in [
        "0 ok x:=1 y==nil\n--\n1 ok x==1 x:=2\n--\n0 ok y:=1 x==2",
        // Nobody says in which order the two wrote, but one of the two explains the read.
        "0 ok x:=1\n1 ok x:=2\n--\n2 ok x==2",
        "0 info x:=1\n--\n1 ok x==nil\n--\n2 ok x==1",
    ] {
        let verdict = judged(text);
        assert_eq!(verdict.valid, Validity::Valid, "{text}\n{}", table(&verdict).unwrap());
    }
}

#[test]
fn who_sees_two_writers_tells_which_came_first() {
    // Two readers saw two blind writes in opposite orders.
    let text = "0 ok x:=1\n1 ok x:=2\n--\n2 ok x==1\n--\n3 ok x==2\n--\n4 ok x==1";
    let verdict = judged(text);
    let [anomaly] = &verdict.anomalies[..] else { panic!("{verdict:#?}") };
    assert_eq!(anomaly.name, "cyclic-commit-order");
    assert_eq!(anomaly.details["rules_out"], serde_json::json!(["strong-read-atomic"]));
    let saw = "the transaction of process 4 (events 8-9) saw both, and read from key x what the other wrote";
    assert!(anomaly.because.contains(saw), "{}", anomaly.because);
    witnessed(&transactions(text), anomaly);
    let level = |level: &str, order: &str| verdict.stats["levels"][level][order].clone();
    assert_eq!(level("read-committed", "realtime"), "holds");
    assert_eq!(level("serializable", "session"), "holds");
}

#[test]
fn what_is_seen_by_way_of_others_counts_for_causal_consistency() {
    // Process 3 saw the second write by way of process 2, and reads the first after it.
    let text = "0 ok x:=1\n1 ok x:=2\n2 ok x==2 y:=1\n3 ok y==1 z:=1\n4 ok z==1 x==1\n5 ok x==1 u:=1\n6 ok u==1 x==2";
    let verdict = judged(text);
    let [anomaly] = &verdict.anomalies[..] else { panic!("{verdict:#?}") };
    assert_eq!(anomaly.name, "cyclic-commit-order");
    assert_eq!(anomaly.details["rules_out"], serde_json::json!(["causal", "repeatable-read"]));
    assert_eq!(verdict.stats["levels"]["read-atomic"]["realtime"], "holds");
    // Where a process is all that the second write and who saw it have in common, it must count for something.
    let verdict = judged(&text.replace("2 ok x==2 y:=1", "2 ok x==2\n--\n2 ok y:=1"));
    let weakest = |anomaly: &Anomaly| anomaly.details["rules_out"].clone();
    let weakest: Vec<_> = verdict.anomalies.iter().map(weakest).collect();
    assert_eq!(
        weakest,
        [
            serde_json::json!(["strong-session-causal", "strong-session-repeatable-read"]),
            serde_json::json!(["strong-read-atomic"])
        ]
    );
}

/// A long fork of blind writes: one reader saw one of two new values, another the other.
const FORK: &str = "0 ok x:=1 y:=1\n--\n1 ok x:=2\n2 ok y:=2\n3 ok x==2 y==1\n4 ok x==1 y==2";

#[test]
fn where_no_cycle_is_known_all_orders_of_few_are_tried() {
    let verdict = judged(FORK);
    let [anomaly] = &verdict.anomalies[..] else { panic!("{verdict:#?}") };
    assert_eq!((anomaly.name.as_str(), anomaly.events.len()), ("unserializable", 10));
    assert!(anomaly.because.contains("no order of these 5 transactions explains"), "{}", anomaly.because);
    // Who only stands by is left out.
    let more = judged(&format!("{FORK}\n--\n5 ok u:=1\n6 ok z==nil\n--\n7 ok u==1 z:=3"));
    assert_eq!(more.anomalies.len(), 1);
    assert_eq!(more.anomalies[0].events, anomaly.events);
}

#[test]
fn what_is_neither_found_nor_proved_is_unknown() {
    let verdict = RwRegister::promising("strong-snapshot-isolation".parse().unwrap())
        .check(&transactions(FORK), &Budget::unlimited());
    assert_eq!(verdict.valid, Validity::Unknown, "{verdict:#?}");
    assert!(verdict.summary.contains("do not show the order of all writes"), "{}", verdict.summary);
}

#[test]
fn what_cannot_be_judged_is_unknown_and_says_why() {
    for (text, reason) in [
        ("0 fail x:=1", "vacuous: no transaction succeeded"),
        ("0 ok x:=1", "vacuous: no transaction that succeeded read anything"),
        ("0 ok x:=1\n1 ok x:=1 x==1", "event 1: 1 is written to key x a second time: values must differ"),
        ("0 ok x+1 x==1", "event 0: [\"append\",\"x\",1]: a register takes w and r, not append"),
    ] {
        assert_eq!(judged(text).unknown, [reason], "{text}");
    }
    let write = op(rashomon_core::Kind::Invoke, 0, serde_json::json!(7));
    let history = History::new(vec![write]).unwrap();
    let verdict = RwRegister::default().check(&history, &Budget::unlimited());
    assert_eq!(verdict.unknown, ["event 0: a transaction is a list of micro-ops, not 7"]);
}

#[test]
fn an_order_is_found_however_many_clients_there_are() {
    for clients in [2, 20, 200] {
        let many = Clients { operations: 12_000, clients, open_per_mille: 5, stale: false, seed: Seed(5) };
        let ops = Subject::RwRegister.stream(many, None).collect();
        let verdict = RwRegister::default().check(&History::new(ops).unwrap(), &Budget::unlimited());
        assert_eq!(verdict.valid, Validity::Valid, "{clients} clients: {}", verdict.summary);
    }
}
