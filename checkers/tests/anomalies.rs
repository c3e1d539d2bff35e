//! One bad history by hand for each anomaly, and good ones that resemble it.

use rashomon_checkers::linearizable::Linearizable;
use rashomon_checkers::models::{
    Counter, ElementSet, GrowList, GrowSet, Kv, MultiRegister, PriorityQueue, Queue, Register, Stack,
};
use rashomon_checkers::notation::history;
use rashomon_checkers::set::Set;
use rashomon_checkers::{Budget, Checker, Model};
use rashomon_core::{Validity, Verdict};

fn register(text: &str) -> Verdict {
    Linearizable::new(Register::cas()).check(&history(text), &Budget::unlimited())
}

fn kv(text: &str) -> Verdict {
    Linearizable::new(Kv::default()).check(&history(text), &Budget::unlimited())
}

fn set(text: &str) -> Verdict {
    Set::default().check(&history(text), &Budget::unlimited())
}

#[track_caller]
fn accused(verdict: &Verdict, name: &str, events: &[u64], because: &str) {
    assert_eq!(verdict.valid, Validity::Invalid, "{verdict:?}");
    let anomaly = &verdict.anomalies[0];
    assert_eq!((anomaly.name.as_str(), anomaly.because.as_str()), (name, because));
    assert_eq!(anomaly.events, events);
}

#[track_caller]
fn acquitted(verdict: &Verdict) {
    assert_eq!(verdict.valid, Validity::Valid, "{verdict:?}");
}

#[test]
fn stale_read() {
    let verdict = register(
        "0 invoke write 7\n0 ok write 7\n\
         0 invoke write 9\n0 ok write 9\n\
         1 invoke read node=n2\n1 ok read 9 node=n2\n\
         2 invoke read node=n3\n2 ok read 7 node=n3",
    );
    accused(
        &verdict,
        "stale-read",
        &[0, 1, 2, 3, 6, 7],
        "n3 answered read -> 7 (op 6) although write 9 (op 2) had completed before the read began, and nothing \
         wrote 7 afterwards",
    );
}

#[test]
fn a_read_during_the_write_may_be_old_or_new() {
    for value in [7, 9] {
        acquitted(&register(&format!(
            "0 invoke write 7\n0 ok write 7\n0 invoke write 9\n1 invoke read\n0 ok write 9\n1 ok read {value}"
        )));
    }
}

#[test]
fn lost_write() {
    let verdict = register(
        "0 invoke write 7\n0 ok write 7\n0 invoke write 9\n0 ok write 9\n1 invoke read\n1 ok read 7",
    );
    accused(
        &verdict,
        "lost-write",
        &[0, 1, 2, 3, 4, 5],
        "process 1 was answered read -> 7 (op 4) although write 9 (op 2) had completed before the read began, and \
         nothing wrote 7 afterwards",
    );
}

#[test]
fn a_write_that_may_not_have_happened_is_not_lost() {
    acquitted(&register(
        "0 invoke write 7\n0 ok write 7\n0 invoke write 9\n0 info write 9\n1 invoke read\n1 ok read 7",
    ));
    acquitted(&register(
        "0 invoke write 7\n0 ok write 7\n0 invoke write 9\n0 fail write 9\n1 invoke read\n1 ok read 7",
    ));
}

#[test]
fn a_write_that_may_have_happened_explains_a_read_at_any_time() {
    let text = "0 invoke write 7\n0 ok write 7\n0 invoke write 9\n0 info write 9\n\
                1 invoke read\n1 ok read 7\n1 invoke read\n1 ok read 9";
    acquitted(&register(text));
    assert_eq!(register(&text.replace("info", "fail")).anomalies[0].name, "dirty-read");
}

#[test]
fn lost_update() {
    let verdict = register(
        "0 invoke write 4\n0 ok write 4\n\
         0 invoke cas [4,5]\n1 invoke cas [4,6]\n0 ok cas [4,5]\n1 ok cas [4,6]",
    );
    accused(
        &verdict,
        "lost-update",
        &[2, 3, 4, 5],
        "cas 4 -> 5 (op 2) and cas 4 -> 6 (op 3) both succeeded from the value 4, which was there only once: one of \
         them did not see the other",
    );
}

#[test]
fn a_cas_that_failed_says_nothing() {
    acquitted(&register(
        "0 invoke write 4\n0 ok write 4\n0 invoke cas [4,5]\n0 fail cas [4,5]\n1 invoke read\n1 ok read 4",
    ));
}

#[test]
fn a_cas_that_was_refused_saw_another_value() {
    let verdict = register("0 invoke write 4\n0 ok write 4\n0 invoke cas [4,5]\n0 ok cas false");
    assert_eq!(verdict.valid, Validity::Invalid);
    acquitted(&register("0 invoke write 4\n0 ok write 4\n0 invoke cas [3,5]\n0 ok cas false"));
}

#[test]
fn dirty_read() {
    accused(
        &register("0 invoke write 4\n0 fail write 4\n1 invoke read\n1 ok read 4"),
        "dirty-read",
        &[2, 3],
        "process 1 was answered read -> 4 (op 2), but the only operation to write 4, write 4 (op 0), failed and so \
         certainly did not happen",
    );
}

#[test]
fn garbage_read() {
    accused(
        &register("0 invoke write 4\n0 ok write 4\n1 invoke read\n1 ok read 5"),
        "garbage-read",
        &[2, 3],
        "process 1 was answered read -> 5 (op 2), but nothing ever wrote 5",
    );
}

#[test]
fn future_read() {
    accused(
        &register("1 invoke read\n1 ok read 5\n0 invoke write 5\n0 ok write 5"),
        "future-read",
        &[0, 1, 2, 3],
        "process 1 was answered read -> 5 (op 0) before anything that writes 5 had begun: write 5 (op 2) came later",
    );
}

#[test]
fn a_value_that_was_gone_does_not_come_back() {
    accused(
        &register(
            "0 invoke write 7\n9 invoke write 9\n\
             1 invoke read\n1 ok read 7\n1 invoke read\n1 ok read 9\n1 invoke read\n1 ok read 7\n\
             0 ok write 7\n9 ok write 9",
        ),
        "stale-read",
        &[2, 3, 4, 5, 6, 7],
        "process 1 was answered read -> 7 (op 6) although read -> 9 (op 4) was over before it began, and read -> 7 \
         (op 2) was over before that: the value 7 was gone and came back, but it was there only once",
    );
}

#[test]
fn what_no_pattern_fits_is_told_in_general() {
    let reads: String = [1, 2, 1, 2, 1].map(|value| format!("9 invoke read\n9 ok read {value}\n")).concat();
    let verdict = register(&format!(
        "0 invoke write 1\n1 invoke write 1\n2 invoke write 2\n3 invoke write 2\n{reads}\
         0 ok write 1\n1 ok write 1\n2 ok write 2\n3 ok write 2"
    ));
    assert_eq!(verdict.anomalies[0].name, "nonlinearizable");
    assert!(verdict.anomalies[0].because.starts_with("no order of these"), "{verdict:?}");
}

#[test]
fn the_details_hold_what_a_picture_needs() {
    let verdict = register(
        "0 invoke write 7 key=x node=n1\n0 ok write 7 key=x node=n1\n\
         0 invoke write 9 key=x node=n1\n0 ok write 9 key=x node=n1\n\
         2 invoke read key=x node=n3\n2 ok read 7 key=x node=n3",
    );
    let anomaly = &verdict.anomalies[0];
    assert_eq!(anomaly.key.as_deref(), Some("x"));
    let details = &anomaly.details;
    assert_eq!(
        details["ops"][2],
        serde_json::json!({
            "process": 2, "node": "n3", "f": "read", "value": null, "result": 7, "outcome": "ok",
            "invoke": 4, "completion": 5, "invoked": 4_000_000, "completed": 5_000_000,
        })
    );
    assert_eq!(details["order"], serde_json::json!([0, 2]));
    assert_eq!(details["state"], 9);
    assert_eq!(details["stuck"], 4);
    assert_eq!(details["states"], serde_json::json!([7, 9]));
    let because = "it is possible only where the state is 7, and the state is 9";
    assert_eq!(details["impossible"], serde_json::json!([{"invoke": 4, "because": because}]));
    assert_eq!(details["longest"]["placed"], 2);
    assert_eq!(details["minimal"], true);
}

#[test]
fn keys_are_judged_apart() {
    acquitted(&register("0 invoke write 1 key=x\n0 ok write 1 key=x\n0 invoke read key=y\n0 ok read key=y"));
    let verdict =
        register("0 invoke write 1 key=x\n0 ok write 1 key=x\n0 invoke read key=y\n0 ok read 1 key=y");
    assert_eq!(verdict.anomalies[0].key.as_deref(), Some("y"));
}

#[test]
fn lost_append() {
    accused(
        &kv("0 invoke append \"a\"\n0 ok append \"a\"\n1 invoke get\n1 ok get \"\""),
        "lost-write",
        &[0, 1, 2, 3],
        "process 1 was answered get -> \"\" (op 2) although append \"a\" (op 0) had completed before the read began, \
         and nothing replaces the value",
    );
    acquitted(&kv("0 invoke append \"a\"\n1 invoke get\n0 ok append \"a\"\n1 ok get \"\""));
}

#[test]
fn an_operation_of_another_model_is_unknown() {
    let verdict = register("0 invoke read\n0 ok read\n0 invoke pop\n0 ok pop 1");
    assert_eq!(verdict.valid, Validity::Unknown);
    assert_eq!(verdict.unknown, ["op 2: the model cas-register has no operation `pop`"]);
    let verdict = register("0 invoke cas 4\n0 ok cas 4");
    assert_eq!(verdict.unknown, ["op 0: a cas has a value [from, to], not 4"]);
}

#[test]
fn a_history_without_success_is_vacuous() {
    let verdict = register("0 invoke write 1\n0 info write 1\n1 invoke read\n1 fail read");
    assert_eq!(verdict.valid, Validity::Unknown);
    assert_eq!(verdict.unknown, ["vacuous: no operation succeeded"]);
}

#[test]
fn a_set_that_keeps_everything() {
    let verdict =
        set("0 invoke add 1\n0 ok add 1\n1 invoke add 2\n1 info add 2\n2 invoke add 3\n2 fail add 3\n\
         3 invoke read\n3 ok read [1,2]");
    acquitted(&verdict);
    assert_eq!(verdict.stats["stable"], 2);
    assert_eq!(verdict.stats["never_read"], 1);
}

#[test]
fn lost_element() {
    accused(
        &set("0 invoke add 1\n0 ok add 1\n3 invoke read node=n2\n3 ok read [] node=n2"),
        "lost-element",
        &[0, 1, 2, 3],
        "add 1 (op 0) was acknowledged, yet n2, read after that (op 2), did not show it, nor did any other",
    );
    accused(
        &set("0 invoke add 1\n3 invoke read\n3 ok read [1]\n3 invoke read\n3 ok read []\n0 info add 1"),
        "lost-element",
        &[1, 2, 3, 4],
        "a read (op 1) showed 1, yet the read, read after that (op 3), did not show it, nor did any after the read of \
         op 1",
    );
}

#[test]
fn phantom_element() {
    accused(
        &set("0 invoke add 1\n0 fail add 1\n3 invoke read\n3 ok read [1]"),
        "phantom-element",
        &[0, 1, 2, 3],
        "a read (op 2) showed 1, but its add (op 0) failed and so certainly did not happen",
    );
    accused(
        &set("0 invoke add 1\n0 ok add 1\n3 invoke read\n3 ok read [1,2]"),
        "phantom-element",
        &[2, 3],
        "a read (op 2) showed 2, but nothing ever added it",
    );
    accused(
        &set("3 invoke read\n3 ok read [1]\n0 invoke add 1\n0 ok add 1"),
        "phantom-element",
        &[0, 1, 2, 3],
        "a read (op 0) showed 1, but its add (op 2) began only later",
    );
}

#[test]
fn duplicate_element() {
    accused(
        &set("0 invoke add 1\n0 ok add 1\n3 invoke read\n3 ok read [1,1]"),
        "duplicate-element",
        &[0, 1, 2, 3],
        "a read (op 2) showed 1 more than once",
    );
}

#[test]
fn a_stale_set_is_invalid_only_where_it_ought_to_be_linearizable() {
    let text = "0 invoke add 1\n0 ok add 1\n3 invoke read\n3 ok read []\n3 invoke read\n3 ok read [1]";
    let verdict = set(text);
    acquitted(&verdict);
    assert_eq!(verdict.stats["stale"], 1);
    assert_eq!(verdict.stats["stable_latency"]["max"], 1_000_000);
    accused(
        &Set::linearizable().check(&history(text), &Budget::unlimited()),
        "stale-read",
        &[0, 1, 2, 3, 4, 5],
        "add 1 (op 0) was acknowledged, yet the read, read after that (op 2), did not show it, though others did",
    );
}

#[test]
fn a_set_that_was_never_read_is_unknown() {
    for text in [
        "0 invoke add 1\n0 ok add 1",
        "3 invoke read\n3 ok read []",
        "3 invoke read\n3 ok read []\n0 invoke add 1\n0 ok add 1",
        "0 invoke add 1\n0 fail add 1\n3 invoke read\n3 ok read []",
    ] {
        assert_eq!(set(text).valid, Validity::Unknown, "{text}");
    }
}

#[test]
fn a_put_far_ahead_may_explain_a_get_that_took_long() {
    let put = |count: usize| format!("0 invoke put \"p{count}\"\n0 ok put \"p{count}\"\n");
    let puts = (0..40).map(put).collect::<Vec<_>>().concat();
    let end = "1 ok get \"p39\"\n0 invoke append \"a\"\n0 ok append \"a\"";
    acquitted(&kv(&format!("1 invoke get\n{puts}{end}")));
}

fn queue(text: &str) -> Verdict {
    Linearizable::new(Queue::default()).check(&history(text), &Budget::unlimited())
}

const TWO_IN: &str = "0 invoke enqueue 1\n0 ok enqueue 1\n0 invoke enqueue 2\n0 ok enqueue 2\n";

#[test]
fn a_queue_that_keeps_the_order() {
    acquitted(&queue(&format!(
        "{TWO_IN}1 invoke dequeue\n1 ok dequeue 1\n1 invoke dequeue\n1 ok dequeue 2\n1 invoke dequeue\n1 ok dequeue"
    )));
    // Nobody was told of 1: the dequeue without answer took it.
    acquitted(&queue(&format!("{TWO_IN}1 invoke dequeue\n1 info dequeue\n2 invoke dequeue\n2 ok dequeue 2")));
}

#[test]
fn out_of_order() {
    accused(
        &queue(&format!("{TWO_IN}1 invoke dequeue\n1 ok dequeue 2\n1 invoke dequeue\n1 ok dequeue 1")),
        "out-of-order",
        &[0, 1, 2, 3, 4, 5, 6, 7],
        "process 1 was answered dequeue -> 2 (op 4) although enqueue 1 (op 0) had completed before enqueue 2 (op 2) \
         began, and what it enqueued did not come out before dequeue -> 1 (op 6)",
    );
    accused(
        &queue(&format!("{TWO_IN}1 invoke dequeue\n1 ok dequeue 2\n2 invoke dequeue\n2 info dequeue")),
        "nonlinearizable",
        &[0, 1, 2, 3, 4, 5, 6, 7],
        "no order of these 4 operations explains them: enqueue 1 (op 0), enqueue 2 (op 2), dequeue -> 2 (op 4) and \
         dequeue (op 6); the order that gets farthest ends with the value [1,2], where dequeue -> 2 (op 4) is \
         impossible",
    );
}

#[test]
fn dequeues_of_what_is_not_there() {
    accused(
        &queue("0 invoke dequeue\n0 ok dequeue 5"),
        "phantom-dequeue",
        &[0, 1],
        "process 0 was answered dequeue -> 5 (op 0), but nothing ever enqueued it",
    );
    accused(
        &queue("0 invoke enqueue 5\n1 invoke dequeue\n1 ok dequeue 5\n1 invoke dequeue\n1 ok dequeue 5"),
        "duplicate-dequeue",
        &[1, 2, 3, 4],
        "dequeue -> 5 (op 1) and dequeue -> 5 (op 3) both took the same value, which was not enqueued that often",
    );
    accused(
        &queue("1 invoke dequeue\n1 ok dequeue 5\n0 invoke enqueue 5\n0 ok enqueue 5"),
        "future-dequeue",
        &[0, 1, 2, 3],
        "process 1 was answered dequeue -> 5 (op 0) before enqueue 5 (op 2) had begun",
    );
}

#[test]
fn a_queue_found_empty_that_was_not() {
    let verdict = queue(&format!("{TWO_IN}1 invoke dequeue\n1 ok dequeue"));
    assert_eq!(verdict.valid, Validity::Invalid, "{verdict:?}");
    assert_eq!(verdict.anomalies[0].events.len(), 4);
    assert_eq!(verdict.stats["methods"]["queue-monitor"], 1);
}

fn judged<M: Model + Send + Sync>(model: M, text: &str) -> Verdict {
    Linearizable::new(model).check(&history(text), &Budget::unlimited())
}

const TWO_PUSHED: &str = "0 invoke push 1\n0 ok push 1\n0 invoke push 2\n0 ok push 2\n";

#[test]
fn a_stack_gives_back_what_came_last() {
    acquitted(&judged(
        Stack::default(),
        &format!("{TWO_PUSHED}1 invoke pop\n1 ok pop 2\n1 invoke pop\n1 ok pop 1\n1 invoke pop\n1 ok pop"),
    ));
    // While 2 is being pushed, 1 can come out under it.
    acquitted(&judged(
        Stack::default(),
        "0 invoke push 1\n0 ok push 1\n0 invoke push 2\n1 invoke pop\n1 ok pop 1\n0 ok push 2",
    ));
}

#[test]
fn a_stack_that_gives_back_what_came_first() {
    accused(
        &judged(Stack::default(), &format!("{TWO_PUSHED}1 invoke pop\n1 ok pop 1\n1 invoke pop\n1 ok pop 2")),
        "out-of-order",
        &[0, 1, 2, 3, 4, 5, 6, 7],
        "process 1 was answered pop -> 1 (op 4) although push 2 (op 2), which began after push 1 (op 0) had completed, \
         lay on top of it and did not come out before pop -> 2 (op 6)",
    );
    accused(
        &judged(Stack::default(), "0 invoke pop\n0 ok pop 5"),
        "phantom-pop",
        &[0, 1],
        "process 0 was answered pop -> 5 (op 0), but nothing ever pushed it",
    );
    let verdict = judged(Stack::default(), &format!("{TWO_PUSHED}1 invoke pop\n1 ok pop"));
    assert_eq!((verdict.valid, verdict.anomalies[0].events.len()), (Validity::Invalid, 4), "{verdict:?}");
}

const TWO_INSERTED: &str = "0 invoke insert 1\n0 ok insert 1\n0 invoke insert 2\n0 ok insert 2\n";

#[test]
fn a_priority_queue_gives_out_what_is_greatest() {
    acquitted(&judged(
        PriorityQueue::default(),
        &format!(
            "{TWO_INSERTED}1 invoke poll\n1 ok poll 2\n1 invoke poll\n1 ok poll 1\n1 invoke poll\n1 ok poll"
        ),
    ));
    accused(
        &judged(PriorityQueue::default(), &format!("{TWO_INSERTED}1 invoke poll\n1 ok poll 1")),
        "out-of-order",
        &[2, 3, 4, 5],
        "process 1 was answered poll -> 1 (op 4) although insert 2 (op 2) had completed before it began, and what it \
         inserted never came out",
    );
    accused(
        &judged(
            PriorityQueue::default(),
            "0 invoke insert 5\n1 invoke poll\n1 ok poll 5\n1 invoke poll\n1 ok poll 5",
        ),
        "duplicate-poll",
        &[1, 2, 3, 4],
        "poll -> 5 (op 1) and poll -> 5 (op 3) both took the same value, which was not inserted that often",
    );
}

#[test]
fn an_element_that_was_taken_out_twice() {
    acquitted(&judged(
        ElementSet::default(),
        "0 invoke add 1\n0 ok add true\n0 invoke add 1\n0 ok add false\n0 invoke remove 1\n0 ok remove true\n0 invoke \
         contains 1\n0 ok contains false",
    ));
    let verdict = judged(
        ElementSet::default(),
        "0 invoke add 1\n0 ok add true\n1 invoke remove 1\n2 invoke remove 1\n1 ok remove true\n2 ok remove true",
    );
    accused(
        &verdict,
        "duplicate-remove",
        &[2, 3, 4, 5],
        "remove 1 -> true (op 2) and remove 1 -> true (op 3) each took 1 out, which was added only once",
    );
    assert_eq!(verdict.stats["methods"]["set-monitor"], 1);
}

#[test]
fn a_whole_that_lacks_what_was_added() {
    for (verdict, monitor) in [
        (
            judged(GrowSet::default(), "0 invoke add 1\n0 ok add 1\n1 invoke read\n1 ok read []"),
            "growing-monitor",
        ),
        (
            judged(GrowList::default(), "0 invoke append 1\n0 ok append 1\n1 invoke read\n1 ok read []"),
            "growing-monitor",
        ),
    ] {
        assert_eq!(
            (verdict.valid, verdict.anomalies[0].events.as_slice()),
            (Validity::Invalid, &[0, 1, 2, 3][..])
        );
        assert_eq!(verdict.stats["methods"][monitor], 1);
    }
    // Two answers of which neither contains the other.
    let verdict = judged(
        GrowList::default(),
        "0 invoke append 1\n1 invoke append 2\n2 invoke read\n3 invoke read\n2 ok read [1,2]\n3 ok read [2]\n0 ok append \
         1\n1 ok append 2",
    );
    assert_eq!(
        (verdict.valid, verdict.anomalies[0].events.as_slice()),
        (Validity::Invalid, &[2, 3, 4, 5][..])
    );
}

#[test]
fn a_counter_and_registers_read_together() {
    let counted = "0 invoke add 2\n0 ok add 2\n1 invoke add -1\n1 info add -1\n2 invoke read\n2 ok read 1";
    acquitted(&judged(Counter::default(), counted));
    let verdict = judged(Counter::default(), &counted.replace("read 1", "read 3"));
    assert_eq!(verdict.valid, Validity::Invalid, "{verdict:?}");

    let both = r#"0 invoke txn [["w","x",1],["w","y",1]]
                  0 ok txn [["w","x",1],["w","y",1]]
                  1 invoke txn [["r","x",null],["r","y",null]]
                  1 ok txn [["r","x",1],["r","y",1]]"#;
    acquitted(&judged(MultiRegister::default(), both));
    let torn = both.replace(r#"["r","y",1]"#, r#"["r","y",null]"#);
    let verdict = judged(MultiRegister::default(), &torn);
    assert_eq!(verdict.valid, Validity::Invalid, "{verdict:?}");
    acquitted(&judged(MultiRegister::default().with_nil_reading_anything(true), &torn));
    let first = "0 invoke read [[\"r\",\"x\",null]]\n0 ok read [[\"r\",\"x\",7]]";
    acquitted(&judged(MultiRegister::default().with_initial(&serde_json::json!({"x": 7})), first));
    assert_eq!(judged(MultiRegister::default(), first).valid, Validity::Invalid);
}
