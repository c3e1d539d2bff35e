//! Writes that show in the wrong order: histories by hand, and every order tried.

mod histories;
mod verdicts;
mod witnesses;

use proptest::prelude::*;
use rashomon_checkers::notation::history;
use rashomon_checkers::{Budget, by_name};
use rashomon_core::history::Pair;
use rashomon_core::{History, Kind, Op, Process, Time, Validity, Value};
use serde_json::json;

use histories::{Choice, cases, choices, observe};
use verdicts::{accused, acquitted, gives_up, open};
use witnesses::witnessed;

const FORK: &str = "long-fork";
const REVERSE: &str = "causal-reverse";
const CAUSAL: &str = "causal";

const TWO_WRITES: &str = "0 invoke write [[\"w\",1,1]]\n1 invoke write [[\"w\",2,1]]\n0 ok write [[\"w\",1,1]]\n1 ok write \
                          [[\"w\",2,1]]\n";

fn read(process: u8, list: &str) -> String {
    format!("{process} invoke read [[\"r\",1,null],[\"r\",2,null]]\n{process} ok read {list}\n")
}

#[test]
fn long_fork() {
    let one = read(2, "[[\"r\",1,1],[\"r\",2,null]]");
    let two = read(3, "[[\"r\",2,1],[\"r\",1,null]]");
    let both = read(2, "[[\"r\",1,1],[\"r\",2,1]]");
    acquitted(FORK, &format!("{TWO_WRITES}{one}{both}"));
    acquitted(FORK, &format!("{TWO_WRITES}{one}{one}"));
    let verdict = accused(FORK, &format!("{TWO_WRITES}{one}{two}"), &[("long-fork", &[4, 5, 6, 7])]);
    assert_eq!(
        verdict.anomalies[0].because,
        "a read (op 4) showed the key 1 and not 2, and a read (op 6) showed the key 2 and not 1: no order of the writes \
         explains them all"
    );
    witnessed(&history(&format!("{TWO_WRITES}{one}{two}")), &verdict.anomalies[0]);
    let edges = verdict.anomalies[0].details["edges"].as_array().unwrap();
    assert_eq!(edges.iter().map(|edge| &edge["class"]).collect::<Vec<_>>(), ["wr", "rw", "wr", "rw"]);
    // Writes of unknown end may be seen too, and need not be.
    accused(
        FORK,
        &format!("{}{one}{two}", TWO_WRITES.replace(" ok ", " info ")),
        &[("long-fork", &[4, 5, 6, 7])],
    );
    // A read whose end is unknown saw nothing.
    acquitted(FORK, &format!("{TWO_WRITES}{one}{}", two.replace(" ok ", " info ")));
}

#[test]
fn a_fork_among_three_keys() {
    let read = |one: u8, two: u8| {
        let list = format!("[[\"r\",{one},1],[\"r\",{two},null]]");
        format!("0 invoke read {}\n0 ok read {list}\n", list.replace(",1]", ",null]"))
    };
    acquitted(FORK, &format!("{}{}{}", read(1, 2), read(2, 3), read(1, 3)));
    accused(
        FORK,
        &format!("{}{}{}", read(1, 2), read(2, 3), read(3, 1)),
        &[("long-fork", &[0, 1, 2, 3, 4, 5])],
    );
}

#[test]
fn what_a_read_of_keys_cannot_show() {
    let list = "[[\"r\",1,1],[\"r\",2,null]]";
    let failed = "0 invoke write [[\"w\",1,1]]\n0 fail write [[\"w\",1,1]]\n";
    accused(FORK, &format!("{failed}{}", read(2, list)), &[("G1a", &[0, 1, 2, 3])]);
    accused(
        FORK,
        &format!("{}{}", read(2, list), failed.replace("fail", "ok")),
        &[("future-read", &[0, 1, 2, 3])],
    );
    let other = "0 invoke write [[\"w\",1,7]]\n0 ok write [[\"w\",1,7]]\n";
    let verdict = accused(FORK, &format!("{other}{}", read(2, list)), &[("garbage-read", &[0, 1, 2, 3])]);
    assert_eq!(
        verdict.anomalies[0].because,
        "a read (op 2) showed 1 at the key 1, where only 7 was written (op 0)"
    );
}

#[test]
fn long_forks_that_cannot_be_looked_for_are_unknown() {
    let one = read(2, "[[\"r\",1,1],[\"r\",2,null]]");
    open(FORK, TWO_WRITES, "vacuous: no read showed");
    open(FORK, &format!("{TWO_WRITES}{TWO_WRITES}"), "op 4: the key 1 was written before, in op 0");
    open(FORK, &format!("{one}{}", one.replace("1,1", "1,2")), "op 2: the key 1 showed 2 here and 1 in op 0");
    open(FORK, "0 invoke read 1\n0 ok read 1", "op 0: a transaction is a list");
    open(FORK, "0 invoke txn [[\"r\"]]\n0 ok txn [[\"r\"]]", "op 0: a micro-op is");
    open(FORK, "0 invoke txn [[\"w\",1,1],[\"w\",2,1]]", "op 0: neither a write of one key");
    gives_up(FORK, &format!("{TWO_WRITES}{one}"));
}

const IN_TURN: &str = "0 invoke write 1\n0 ok write 1\n1 invoke write 2\n1 ok write 2\n";

#[test]
fn causal_reverse() {
    let text = |list: &str| format!("2 invoke read\n{IN_TURN}2 ok read {list}");
    for list in ["[]", "[1]", "[1,2]", "[2,1,9]"] {
        let verdict = by_name(REVERSE).unwrap();
        let history = rashomon_checkers::notation::history(&text(list));
        assert_ne!(verdict.check(&history, &Budget::unlimited()).valid, Validity::Invalid, "{list}");
    }
    acquitted(REVERSE, &text("[1,2]"));
    let verdict = accused(REVERSE, &text("[2,77]"), &[("causal-reverse", &[0, 1, 2, 3, 4, 5])]);
    assert_eq!(
        verdict.anomalies[0].because,
        "write 1 (op 1) was acknowledged before write 2 (op 3) began, yet a read (op 0) showed 2 and not 1"
    );
    assert_eq!(verdict.stats["unexplained"], 1);
    witnessed(&history(&text("[2,77]")), &verdict.anomalies[0]);
    // Of unknown end, the first need not show; the second that shows needs the first.
    open(REVERSE, &text("[2]").replace("ok write 1", "info write 1"), "vacuous");
    let second = text("[2]").replace("ok write 2", "info write 2");
    accused(REVERSE, &second, &[("causal-reverse", &[0, 1, 2, 3, 4, 5])]);
    // Where they overlap, either may come first.
    open(
        REVERSE,
        "0 invoke write 1\n1 invoke write 2\n0 ok write 1\n1 ok write 2\n2 invoke read\n2 ok read [2]",
        "vacuous: 2 writes, 1 reads",
    );
}

#[test]
fn what_a_read_of_all_values_cannot_show() {
    accused(
        REVERSE,
        "0 invoke write 1\n0 fail write 1\n2 invoke read\n2 ok read [1]",
        &[("G1a", &[0, 1, 2, 3])],
    );
    accused(
        REVERSE,
        "2 invoke read\n2 ok read [1]\n0 invoke write 1\n0 ok write 1",
        &[("future-read", &[0, 1, 2, 3])],
    );
    open(REVERSE, &format!("{IN_TURN}{IN_TURN}"), "op 4: 1 was written before, in op 0");
    open(REVERSE, "0 invoke read\n0 ok read 1", "op 0: a read answers with a list");
    open(REVERSE, "0 invoke cas [1,2]", "op 0: there is no operation `cas`");
    gives_up(REVERSE, IN_TURN);
}

/// A session on one key, whose operations follow each other.
fn session(ops: &[&str]) -> String {
    ops.iter()
        .map(|op| match op.split_once(" -> ") {
            Some((f, answer)) => format!("0 invoke {f}\n0 ok {f} {answer}\n"),
            None => format!("0 invoke {op}\n0 ok {op}\n"),
        })
        .collect()
}

#[test]
fn a_session_sees_what_it_did() {
    acquitted(CAUSAL, &session(&["read-init -> 0", "write 1", "read -> 1", "write 2", "read -> 2"]));
    acquitted(CAUSAL, &session(&["read-init -> null", "write 1", "read -> null", "read -> 1"]));
    let verdict = accused(
        CAUSAL,
        &session(&["read-init -> 0", "write 1", "read -> 1", "write 2", "read -> 1"]),
        &[("read-your-writes", &[6, 7, 8, 9])],
    );
    assert_eq!(
        verdict.anomalies[0].because,
        "a read (op 8) showed 1 after the same session had written 2 (op 6)"
    );
    accused(CAUSAL, &session(&["write 1", "read-init -> null"]), &[("read-your-writes", &[0, 1, 2, 3])]);
    accused(CAUSAL, &session(&["write 1", "read -> 1", "read -> 0"]), &[("monotonic-reads", &[2, 3, 4, 5])]);
    accused(CAUSAL, &session(&["read -> 5"]), &[("garbage-read", &[0, 1])]);
    accused(CAUSAL, &session(&["read -> 5", "write 5"]), &[("future-read", &[0, 1, 2, 3])]);
}

#[test]
fn a_write_of_unknown_end_shows_later_or_never() {
    let text = |ops: &[&str]| format!("9 invoke write 5\n9 info write 5\n{}", session(ops));
    acquitted(CAUSAL, &text(&["read -> 0", "write 1", "read -> 1", "read -> 5"]));
    acquitted(CAUSAL, &text(&["read -> 5", "write 1", "read -> 1"]));
    accused(CAUSAL, &text(&["read -> 5", "write 1", "read -> 5"]), &[("read-your-writes", &[4, 5, 6, 7])]);
    let failed = text(&["read -> 5"]).replace("info", "fail");
    accused(CAUSAL, &failed, &[("dirty-read", &[0, 1, 2, 3])]);
    acquitted(CAUSAL, &text(&["read -> 0", "write 1", "read -> 1"]).replace("info", "fail"));
}

#[test]
fn links_name_the_last_position() {
    let op =
        |position: u8, link: &str| format!("read -> {{\"value\":0,\"position\":{position},\"link\":{link}}}");
    let text = |links: [&str; 2]| session(&[&op(7, links[0]), &op(9, links[1])]);
    acquitted(CAUSAL, &text(["\"init\"", "7"]));
    acquitted(CAUSAL, &text(["null", "null"]));
    let verdict = accused(CAUSAL, &text(["\"init\"", "6"]), &[("broken-link", &[2, 3])]);
    assert_eq!(
        verdict.anomalies[0].because,
        "op 2 follows the position 6, where that of the last operation was 7"
    );
}

#[test]
fn sessions_that_tell_nothing_are_unknown() {
    open(CAUSAL, &session(&["write 1", "read -> null"]), "vacuous: 1 keys, 0 reads");
    open(
        CAUSAL,
        "0 invoke write 1\n1 invoke read\n0 ok write 1\n1 ok read 1",
        "op 1: it began while op 0 was open",
    );
    open(CAUSAL, &session(&["cas [1,2]"]), "op 0: there is no operation `cas`");
    gives_up(CAUSAL, &session(&["write 1"]));
}

fn done(pair: &Pair<'_>) -> u64 {
    pair.completion.map_or(u64::MAX, |op| op.index)
}

fn answer<'h>(history: &'h History, pair: &Pair<'_>) -> Option<&'h Value> {
    let ok = pair.completion.filter(|op| op.kind == Kind::Ok)?;
    Some(&history.ops()[ok.index as usize].value)
}

/// What a session does, in order.
enum Step {
    Write(u8),
    /// It may happen at any time from here on.
    Perhaps(u8),
    Read(u8),
}

/// Whether the steps make sense where the register has this value and these writes wait: every time for them is tried.
fn explained(steps: &[Step], value: u8, waiting: &mut Vec<u8>) -> bool {
    for place in 0..waiting.len() {
        let now = waiting.remove(place);
        let found = explained(steps, now, waiting);
        waiting.insert(place, now);
        if found {
            return true;
        }
    }
    match steps.split_first() {
        None => true,
        Some((Step::Write(value), rest)) => explained(rest, *value, &mut waiting.clone()),
        Some((Step::Read(read), rest)) => *read == value && explained(rest, value, &mut waiting.clone()),
        Some((Step::Perhaps(new), rest)) => {
            let mut waiting = waiting.clone();
            waiting.push(*new);
            explained(rest, value, &mut waiting)
        }
    }
}

/// All orders of 0 to `count`.
fn orders(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let insert = |order: Vec<usize>| {
        (0..count).map(move |place| [&order[..place], &[count - 1], &order[place..]].concat())
    };
    orders(count - 1).into_iter().flat_map(insert).collect()
}

/// Inserts of the keys 0 to 3, each once, and reads of some keys.
fn forks(choices: &[Choice]) -> History {
    let act = |f: u8, one: u8, two: u8| {
        let keys: Vec<u8> = (0..4).filter(|key| one >> key & 1 == 1).collect();
        let list = |shown: &dyn Fn(u8) -> bool| -> Value {
            keys.iter()
                .map(|key| json!(["r", key, if shown(*key) { json!(1) } else { Value::Null }]))
                .collect()
        };
        match f % 3 {
            0 => ("write", json!([["w", one % 4, 1]]), Value::Null),
            _ => ("read", list(&|_| false), list(&|key| two >> key & 1 == 1)),
        }
    };
    let history = observe(4, 14, choices, 0_u8, act, |written, f, argument| {
        let micro_ops = argument.as_array().unwrap();
        if f == "write" {
            *written |= 1 << micro_ops[0][1].as_u64().unwrap();
            return argument.clone();
        }
        let read = |micro_op: &Value| {
            let key = micro_op[1].as_u64().unwrap();
            json!(["r", key, if *written >> key & 1 == 1 { json!(1) } else { Value::Null }])
        };
        micro_ops.iter().map(read).collect()
    });
    // Each key is written once: later writes of it are left out.
    let mut written = Vec::new();
    let mut ops: Vec<Op> = Vec::new();
    for pair in history.pairs() {
        let again = pair.invoke.f == "write" && written.contains(&pair.invoke.value);
        if !again {
            written.extend((pair.invoke.f == "write").then(|| pair.invoke.value.clone()));
            ops.push(pair.invoke.clone());
            ops.extend(pair.completion.cloned());
        }
    }
    ops.sort_by_key(|op| op.index);
    History::new(ops).expect("a history")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(4000), ..ProptestConfig::default() })]

    #[test]
    fn forks_are_what_no_order_of_the_writes_explains(choices in choices(14)) {
        let history = forks(&choices);
        let mut reads: Vec<(Vec<usize>, Vec<usize>)> = Vec::new();
        let (mut wrong, mut aborted) = (false, false);
        for pair in history.pairs().filter(|pair| pair.invoke.f == "read") {
            let Some(list) = answer(&history, &pair) else { continue };
            let key = |micro_op: &Value| micro_op[1].as_u64().unwrap() as usize;
            let (absent, present): (Vec<&Value>, Vec<&Value>) =
                list.as_array().unwrap().iter().partition(|micro_op| micro_op[2].is_null());
            let absent: Vec<usize> = absent.into_iter().map(key).collect();
            let mut present: Vec<usize> = present.into_iter().map(key).collect();
            present.retain(|key| {
                let write = history.pairs().find(|write| write.invoke.value == json!([["w", key, 1]]));
                let failed = write.is_some_and(|write| write.outcome() == Kind::Fail);
                let late = write.is_some_and(|write| write.invoke.index > done(&pair));
                aborted |= failed;
                wrong |= failed || late;
                !failed && !late
            });
            reads.push((present, absent));
        }
        let shows = reads.iter().any(|(present, absent)| !present.is_empty() && !absent.is_empty());
        let explains = |order: &Vec<usize>| {
            let rank = |key: &usize| order.iter().position(|other| other == key).unwrap();
            reads.iter().all(|(present, absent)| {
                present.iter().all(|one| absent.iter().all(|two| rank(one) < rank(two)))
            })
        };
        let forked = !orders(4).iter().any(explains);
        let verdict = by_name(FORK).unwrap().check(&history, &Budget::unlimited());
        let found = |name: &str| verdict.anomalies.iter().any(|anomaly| anomaly.name == name);
        prop_assert_eq!(found("long-fork"), forked, "{:?}", verdict);
        prop_assert_eq!(found("G1a"), aborted, "{:?}", verdict);
        let expected = match (wrong || forked, shows) {
            (true, _) => Validity::Invalid,
            (false, false) => Validity::Unknown,
            (false, true) => Validity::Valid,
        };
        prop_assert_eq!(verdict.valid, expected, "{:?}", verdict);
        // The reads of a fork contradict each other by themselves.
        for anomaly in verdict.anomalies.iter().filter(|anomaly| anomaly.name == "long-fork") {
            let kept: Vec<Op> = anomaly.events.iter().map(|index| history.ops()[*index as usize].clone()).collect();
            let alone = History::new(kept).expect("whole operations");
            let again = by_name(FORK).unwrap().check(&alone, &Budget::unlimited());
            prop_assert_eq!(again.valid, Validity::Invalid);
        }
    }

    #[test]
    fn reverses_are_found_by_every_pair_of_writes(choices in choices(14)) {
        let act = |f: u8, one: u8, two: u8| match f % 2 {
            0 => ("write", json!(one), Value::Null),
            _ => ("read", Value::Null, json!([one % 8, two % 8])),
        };
        let mut next = 0_u8;
        let plain = observe(4, 14, &choices, Vec::<Value>::new(), act, |there, f, argument| {
            if f == "write" {
                there.push(argument.clone());
            }
            json!(there)
        });
        // Written values count upwards, so that none is written twice; reads are renamed alike.
        let mut names: Vec<(Value, Value)> = Vec::new();
        let mut ops: Vec<Op> = plain.ops().to_vec();
        for op in &mut ops {
            if op.f == "write" && op.kind == Kind::Invoke {
                let name = json!(next);
                next += 1;
                names.push((op.value.clone(), name.clone()));
                op.value = name;
            } else if let Value::Array(list) = &mut op.value {
                // Here and there one is left out.
                let place = op.index as usize % 5;
                *list = list.iter().map(|value| {
                    names.iter().rev().find(|(old, _)| old == value).map_or(value.clone(), |(_, new)| new.clone())
                }).enumerate().filter(|(at, _)| *at != place).map(|(_, value)| value).collect();
            }
        }
        let history = History::new(ops).expect("a history");
        let writes: Vec<Pair<'_>> = history.pairs().filter(|pair| pair.invoke.f == "write").collect();
        let (mut wrong, mut compared, mut other) = (0, false, false);
        for read in history.pairs().filter(|pair| pair.invoke.f == "read") {
            let Some(list) = answer(&history, &read).and_then(Value::as_array) else { continue };
            let mut reversed = false;
            for write in writes.iter().filter(|write| list.contains(&write.invoke.value)) {
                if write.outcome() == Kind::Fail || write.invoke.index > done(&read) {
                    other = true;
                    continue;
                }
                for before in writes.iter().filter(|before| before.outcome() == Kind::Ok) {
                    let precedes = done(before) < write.invoke.index;
                    compared |= precedes;
                    reversed |= precedes && !list.contains(&before.invoke.value);
                }
            }
            wrong += u64::from(reversed);
        }
        let verdict = by_name(REVERSE).unwrap().check(&history, &Budget::unlimited());
        let counted = verdict.stats.get("anomalies").map_or(0, |counts| counts["causal-reverse"].as_u64().unwrap_or(0));
        prop_assert_eq!(counted, wrong, "{:?}", verdict);
        let expected = match (wrong > 0 || other, compared) {
            (true, _) => Validity::Invalid,
            (false, false) => Validity::Unknown,
            (false, true) => Validity::Valid,
        };
        prop_assert_eq!(verdict.valid, expected, "{:?}", verdict);
    }

    #[test]
    fn a_session_is_right_if_some_times_of_the_open_writes_make_it_so(
        ops in proptest::collection::vec((0_u8..4, 0_u8..4, 0_u8..8), 0..9)
    ) {
        let mut events: Vec<Op> = Vec::new();
        let mut push = |kind, f: &str, process, value: Value| {
            events.push(Op {
                index: 0,
                time: Time::ZERO,
                kind,
                process: Process::Client(process),
                f: f.to_owned(),
                value,
                key: None,
                error: None,
                node: None,
            });
        };
        let mut steps = Vec::new();
        for ((f, value, end), process) in ops.into_iter().zip(0..) {
            let (f, argument, answer) =
                if f < 2 { ("write", json!(value), json!(value)) } else { ("read", Value::Null, json!(value)) };
            push(Kind::Invoke, f, process, argument);
            let kind = match end { 0 | 1 => Kind::Info, 2 => Kind::Fail, _ => Kind::Ok };
            push(kind, f, process, answer);
            match (f, kind) {
                ("write", Kind::Ok) => steps.push(Step::Write(value)),
                ("write", Kind::Info) => steps.push(Step::Perhaps(value)),
                ("read", Kind::Ok) => steps.push(Step::Read(value)),
                _ => {}
            }
        }
        let history = History::new(events).expect("a history");
        let right = explained(&steps, 0, &mut Vec::new());
        let reads = steps.iter().any(|step| matches!(step, Step::Read(_)));
        let verdict = by_name(CAUSAL).unwrap().check(&history, &Budget::unlimited());
        let expected = match (right, reads) {
            (false, _) => Validity::Invalid,
            (true, false) => Validity::Unknown,
            (true, true) => Validity::Valid,
        };
        prop_assert_eq!(verdict.valid, expected, "{:?}", verdict);
    }
}
