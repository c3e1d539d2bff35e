//! One bad history by hand for each anomaly of a bank, and good ones that resemble it.

use rashomon_checkers::atomic_commitment::AtomicCommitment;
use rashomon_checkers::bank::{Bank, Opening};
use rashomon_checkers::formats::{Format, read as read_recording};
use rashomon_checkers::linearizable::Linearizable;
use rashomon_checkers::notation::history;
use rashomon_checkers::{Budget, Checker, Question, judge, models};
use rashomon_core::{Validity, Verdict};

const OPENING: Opening = Opening { accounts: 2, balance: 10 };

fn atomic(text: &str) -> Verdict {
    AtomicCommitment.check(&history(text), &Budget::unlimited())
}

fn bank(text: &str) -> Verdict {
    Bank::new(OPENING).check(&history(text), &Budget::unlimited())
}

fn strict(text: &str) -> Verdict {
    Linearizable::new(models::Bank::new(OPENING)).check(&history(text), &Budget::unlimited())
}

/// `process` moves `amount` from account 0 to 1, as transfer `id`, and that ends so.
fn transfer(process: u64, id: u64, amount: u64, end: &str) -> String {
    let value = format!(r#"{{"id":{id},"from":0,"to":1,"amount":{amount}}}"#);
    format!("{process} invoke transfer {value}\n{process} {end} transfer {value}\n")
}

/// A read tells this: balance and transfers of account 0, then of 1.
fn read(process: u64, zero: (i64, &str), one: (i64, &str)) -> String {
    let line = |(balance, ids): (i64, &str)| format!(r#"{{"balance":{balance},"transfers":[{ids}]}}"#);
    format!(
        "{process} invoke read node=n2\n{process} ok read {{\"0\":{},\"1\":{}}} node=n2\n",
        line(zero),
        line(one)
    )
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
fn all_is_well() {
    let text = transfer(0, 1, 3, "ok") + &transfer(0, 2, 1, "fail") + &read(1, (7, "1"), (13, "1"));
    acquitted(&atomic(&text));
    acquitted(&bank(&text));
    acquitted(&strict(&text));
}

#[test]
fn partial_visibility() {
    let text = transfer(0, 1, 3, "ok") + &read(1, (7, "1"), (10, ""));
    accused(
        &atomic(&text),
        "partial-visibility",
        &[0, 1, 2, 3],
        "a read from n2 (op 2) showed transfer 1 from account 0 to 1 (op 0) on account 0 and not on account 1",
    );
    accused(
        &bank(&text),
        "wrong-total",
        &[2, 3],
        "n2 (op 2) showed the balances [7, 10], 17 together, where there are always 20",
    );
    assert_eq!(strict(&text).valid, Validity::Invalid);
}

#[test]
fn two_halves_that_cancel_out_are_halves_still() {
    let back = r#"{"id":2,"from":1,"to":0,"amount":3}"#;
    let text = transfer(0, 1, 3, "ok")
        + &format!("0 invoke transfer {back}\n0 ok transfer {back}\n")
        + &read(1, (10, "1,2"), (10, ""));
    acquitted(&bank(&text));
    assert_eq!(atomic(&text).anomalies.len(), 2, "each of the two");
}

#[test]
fn aborted_read() {
    let text = transfer(0, 1, 3, "fail") + &read(1, (7, "1"), (13, "1"));
    accused(
        &atomic(&text),
        "aborted-read",
        &[0, 1, 2, 3],
        "transfer 1 from account 0 to 1 (op 0) failed and so certainly did not happen, yet a read from n2 (op 2) \
         showed it",
    );
    acquitted(&bank(&text));
    assert_eq!(strict(&text).valid, Validity::Invalid);
    acquitted(&atomic(&text.replace("fail", "info")));
    acquitted(&strict(&text.replace("fail", "info")));
}

#[test]
fn lost_commit() {
    let text = transfer(0, 2, 1, "ok")
        + &transfer(0, 1, 3, "ok")
        + &read(1, (9, "2"), (11, "2"))
        + &read(1, (9, "2"), (11, "2"));
    accused(
        &atomic(&text),
        "lost-commit",
        &[2, 3, 6, 7],
        "transfer 1 from account 0 to 1 (op 2) was acknowledged, yet a read from n2 (op 6), which began after that, did \
         not show it, nor did any after it",
    );
    acquitted(&bank(&text));
    assert_eq!(strict(&text).valid, Validity::Invalid);
}

#[test]
fn a_stale_read_is_atomic_and_not_linearizable() {
    let text = transfer(0, 1, 3, "ok") + &read(1, (10, ""), (10, "")) + &read(1, (7, "1"), (13, "1"));
    acquitted(&atomic(&text));
    acquitted(&bank(&text));
    assert_eq!(strict(&text).valid, Validity::Invalid);
}

#[test]
fn reversed_decision() {
    let text = transfer(0, 1, 3, "info") + &read(1, (7, "1"), (13, "1")) + &read(2, (10, ""), (10, ""));
    accused(
        &atomic(&text),
        "reversed-decision",
        &[0, 1, 2, 3, 4, 5],
        "a read from n2 (op 2) showed transfer 1 from account 0 to 1 (op 0), yet a read from n2 (op 4), which began \
         after that, did not show it, nor did any after it",
    );
    acquitted(&atomic(
        &(transfer(0, 1, 3, "info") + &transfer(1, 2, 1, "ok") + &read(1, (9, "2"), (11, "2"))),
    ));
}

#[test]
fn phantom_transfer() {
    let text = read(1, (7, "1"), (13, "1"));
    accused(
        &atomic(&text),
        "phantom-transfer",
        &[0, 1],
        "a read from n2 (op 0) showed transfer 1, but nobody ever asked for it",
    );
    let late = atomic(&(text + &transfer(0, 1, 3, "ok") + &read(1, (7, "1"), (13, "1"))));
    assert!(late.anomalies[0].because.ends_with("but it was asked for only later, in op 2"), "{late:?}");
}

#[test]
fn duplicate_effect() {
    let text = transfer(0, 1, 3, "ok") + &read(1, (4, "1,1"), (16, "1,1"));
    accused(
        &atomic(&text),
        "duplicate-effect",
        &[0, 1, 2, 3],
        "a read from n2 (op 2) showed transfer 1 from account 0 to 1 (op 0) more than once on account 0",
    );
    acquitted(&bank(&text));
    assert_eq!(strict(&text).valid, Validity::Invalid);
}

#[test]
fn misplaced_effect() {
    let text = transfer(0, 1, 3, "ok").replace(r#""to":1"#, r#""to":5"#) + &read(1, (7, "1"), (13, "1"));
    let verdict = atomic(&text);
    let names: Vec<&str> = verdict.anomalies.iter().map(|anomaly| anomaly.name.as_str()).collect();
    assert_eq!(names, ["partial-visibility", "misplaced-effect"]);
}

#[test]
fn lost_update() {
    let text = transfer(0, 1, 3, "ok") + &transfer(0, 2, 1, "ok") + &read(1, (9, "1,2"), (14, "1,2"));
    let verdict = bank(&text);
    assert_eq!(verdict.anomalies[0].name, "wrong-total");
    assert_eq!(
        verdict.anomalies[1].because,
        "n2 (op 4) showed 9 in account 0, where 10 at first and the transfers [1, 2] make 6"
    );
    assert_eq!(verdict.anomalies[1].events, [0, 1, 2, 3, 4, 5]);
}

#[test]
fn negative_balance() {
    let text = transfer(0, 1, 12, "ok") + &read(1, (-2, "1"), (22, "1"));
    accused(&bank(&text), "negative-balance", &[2, 3], "n2 (op 2) showed -2 in account 0");
    let allowed = Bank::new(OPENING).with_negative_balances();
    acquitted(&allowed.check(&history(&text), &Budget::unlimited()));
    acquitted(&atomic(&text));
}

#[test]
fn wrong_accounts() {
    let verdict = bank("0 invoke read\n0 ok read {\"0\":20}");
    accused(
        &verdict,
        "wrong-accounts",
        &[0, 1],
        "the read (op 0) showed the accounts [0], not the 2 from 0 on",
    );
}

#[test]
fn plain_balances_are_added_up_too() {
    acquitted(&bank("0 invoke read\n0 ok read {\"0\":3,\"1\":17}"));
    assert_eq!(bank("0 invoke read\n0 ok read {\"0\":3,\"1\":18}").anomalies[0].name, "wrong-total");
    let plain = atomic("0 invoke read\n0 ok read {\"0\":3,\"1\":17}");
    assert_eq!(plain.valid, Validity::Unknown);
    assert!(plain.summary.contains("must tell the transfers"), "{}", plain.summary);
}

#[test]
fn banks_are_apart() {
    let text = transfer(0, 1, 3, "ok").replace('\n', " key=a\n")
        + &read(1, (10, ""), (10, "")).replace('\n', " key=b\n");
    assert_eq!(atomic(&text).valid, Validity::Unknown, "no read of that bank");
    acquitted(&bank(&text));
}

#[test]
fn a_bank_that_nobody_can_read_in_the_end_is_not_settled() {
    let before = transfer(0, 1, 3, "ok") + &read(1, (7, "1"), (13, "1")) + &transfer(0, 2, 1, "info");
    let healed = "nemesis info kill\nnemesis info heal\n";
    let failed = "5 invoke read\n5 fail read\n6 invoke read\n6 fail read\n";
    let verdict = atomic(&(before.clone() + healed + failed));
    assert_eq!(verdict.valid, Validity::Unknown);
    assert_eq!(
        verdict.unknown,
        [
            "AC5: bank without a name could not be read after all was healed; the transfers of unknown end are those of the \
          ops [4]"
        ]
    );
    acquitted(&atomic(&(before + healed + failed + &read(6, (7, "1"), (13, "1")))));
}

#[test]
fn nothing_seen_is_nothing_proved() {
    for text in ["", &transfer(0, 1, 3, "ok"), "0 invoke read\n0 fail read"] {
        assert_eq!(atomic(text).valid, Validity::Unknown);
        assert_eq!(bank(text).valid, Validity::Unknown);
    }
    assert_eq!(atomic(&read(0, (10, ""), (10, ""))).valid, Validity::Unknown, "no transfer was ever seen");
}

#[test]
fn what_makes_no_sense_is_told_and_judged_by_nobody() {
    let reason = |text: &str| atomic(text).summary;
    assert!(reason("0 invoke deposit 5").contains("op 0: a bank has no operation `deposit`"));
    assert!(reason("0 invoke transfer 5").contains("op 0: a transfer has an id"));
    assert!(reason("0 invoke read\n0 ok read 5").contains("op 0: a read of a bank tells"));
    let twice = transfer(0, 1, 3, "ok") + &transfer(0, 1, 3, "ok");
    assert!(reason(&twice).contains("op 2: the transfer 1 was asked for before, in op 0"));
    assert_eq!(bank("0 invoke read\n0 ok read 5").valid, Validity::Unknown);
}

#[test]
fn a_spent_budget_is_unknown() {
    let text = transfer(0, 1, 3, "ok") + &read(1, (7, "1"), (13, "1"));
    let history = history(&text);
    for budget in [Budget::new(usize::MAX, &|| true), Budget::new(1, &|| false)] {
        let checkers: [&dyn Checker; 2] = [&AtomicCommitment, &Bank::new(OPENING)];
        for checker in checkers {
            let verdict = checker.check(&history, &budget);
            assert_eq!(verdict.valid, Validity::Unknown, "{verdict:?}");
            assert!(verdict.summary.contains("budget exhausted"), "{}", verdict.summary);
        }
    }
}

#[test]
fn a_recording_of_transfers_is_of_a_bank() {
    let told = |balances: [i64; 6], ids: [&str; 6]| {
        let line = |place: usize| {
            format!(r#""{place}":{{"balance":{},"transfers":[{}]}}"#, balances[place], ids[place])
        };
        (0..6).map(line).collect::<Vec<String>>().join(",")
    };
    let full = |told: String| {
        let ops = transfer(0, 1, 3, "ok") + &format!("1 invoke read\n1 ok read {{{told}}}\n");
        let lines: Vec<String> =
            history(&ops).ops().iter().map(|op| serde_json::to_string(op).unwrap()).collect();
        format!("{}\n{}\n", rashomon_core::history::HEADER, lines.join("\n"))
    };
    let judged = |told: String, model: Option<&str>| {
        let recording = {
            let text = full(told);
            read_recording(Format::detect(&text).unwrap(), &text).unwrap()
        };
        let question = Question { model: model.map(str::to_owned), ..Question::default() };
        judge(&recording, &question, &Budget::unlimited()).unwrap()
    };
    let right = || told([17, 23, 20, 20, 20, 20], ["1", "1", "", "", "", ""]);
    let stale = || told([20; 6], [""; 6]);
    for model in [None, Some("bank"), Some("atomic-commitment"), Some("linearizable-bank")] {
        acquitted(&judged(right(), model));
    }
    assert_eq!(judged(stale(), None).valid, Validity::Invalid, "it is linearizability that is asked for");
    acquitted(&judged(stale(), Some("bank")));
    // Balances alone say nothing of transfers: then only their sum can be judged.
    let balances = || r#""0":17,"1":23,"2":20,"3":20,"4":20,"5":20"#.to_owned();
    acquitted(&judged(balances(), None));
}
