//! Critical sections and locks: one bad history by hand for each anomaly, and good ones that resemble it.

use rashomon_checkers::linearizable::Linearizable;
use rashomon_checkers::lock::Lock;
use rashomon_checkers::models::Mutex;
use rashomon_checkers::notation::history;
use rashomon_checkers::{Budget, Checker};
use rashomon_core::{Validity, Verdict};

fn judge(text: &str) -> Verdict {
    Lock.check(&history(text), &Budget::unlimited())
}

/// Two sections by two processes, of which the first is done when the second begins, and then a journal.
fn two(journal: &str) -> Verdict {
    judge(&format!(
        "0 invoke work 1\n0 ok work {{\"token\":1,\"read\":0,\"wrote\":2}}\n\
         1 invoke work 2\n1 ok work {{\"token\":2,\"read\":2,\"wrote\":4}}\n\
         2 invoke read\n2 ok read {journal}"
    ))
}

/// Two sections at a time, of which nobody knows the end, and then a journal. A third is acknowledged at the end.
fn unknown(journal: &str) -> Verdict {
    judge(&format!(
        "0 invoke work 1\n1 invoke work 2\n0 info work 1\n1 info work 2\n\
         3 invoke work 3\n3 ok work {{\"token\":9,\"read\":7,\"wrote\":8}}\n2 invoke read\n2 ok read {journal}"
    ))
}

#[track_caller]
fn accused(verdict: &Verdict, name: &str) {
    assert_eq!(verdict.valid, Validity::Invalid, "{verdict:?}");
    let names: Vec<&str> = verdict.anomalies.iter().map(|anomaly| anomaly.name.as_str()).collect();
    assert!(names.contains(&name), "{names:?}");
    for anomaly in &verdict.anomalies {
        assert!(!anomaly.events.is_empty() && !anomaly.because.is_empty(), "{anomaly:?}");
    }
}

const FIRST: &str = r#"[1,1,"read",0],[1,1,"write",1],[1,1,"write",2]"#;
const SECOND: &str = r#"[2,2,"read",2],[2,2,"write",3],[2,2,"write",4]"#;

#[test]
fn sections_one_after_the_other() {
    let verdict = two(&format!("[{FIRST},{SECOND}]"));
    assert_eq!(verdict.valid, Validity::Valid, "{verdict:?}");
    assert_eq!(verdict.stats["confirmed"], 2);
}

#[test]
fn a_section_of_unknown_end_may_have_done_anything_up_to_its_end() {
    let third = r#"[3,9,"read",7],[3,9,"write",8]"#;
    // All that is missing to make the third find 7 are sections that wrote nothing, something, or all.
    for journal in [
        r#"[1,1,"read",0],[1,1,"write",1],[1,1,"write",2],[1,1,"write",3],[2,2,"read",3],[2,2,"write",4],[2,2,"write",5],[2,2,"write",6],[2,2,"write",7]"#,
        r#"[2,2,"read",0],[2,2,"write",1],[2,2,"write",2],[2,2,"write",3],[2,2,"write",4],[2,2,"write",5],[2,2,"write",6],[2,2,"write",7],[1,3,"read",7]"#,
    ] {
        let verdict = unknown(&format!("[{journal},{third}]"));
        assert_eq!(verdict.valid, Validity::Valid, "{verdict:?}");
    }
}

#[test]
fn overlapping_sections() {
    let verdict = judge(
        "0 invoke work 1\n1 invoke work 2\n1 ok work {\"token\":2,\"read\":0,\"wrote\":2}\n\
         0 ok work {\"token\":1,\"read\":0,\"wrote\":2}\n2 invoke read\n\
         2 ok read [[1,1,\"read\",0],[2,2,\"read\",0],[2,2,\"write\",1],[2,2,\"write\",2],[1,1,\"write\",1],[1,1,\"write\",2]]",
    );
    accused(&verdict, "overlapping-sections");
    accused(&verdict, "stale-token");
    accused(&verdict, "lost-update");
    assert_eq!(
        verdict.anomalies[0].because,
        "work 1 (op 0) wrote 1 at the resource after work 2 (op 1) had begun there, and so over the 2 that was there: \
         both were in their critical section"
    );
    assert_eq!(verdict.anomalies[0].events, [0, 1, 2, 3, 4, 5]);
}

#[test]
fn without_tokens_the_overlap_is_seen_all_the_same() {
    let verdict = judge(
        "0 invoke work 1\n1 invoke work 2\n1 ok work {\"token\":null,\"read\":0,\"wrote\":1}\n0 info work 1\n\
         2 invoke read\n2 ok read [[1,null,\"read\",0],[2,null,\"read\",0],[2,null,\"write\",1],[1,null,\"write\",1]]",
    );
    accused(&verdict, "overlapping-sections");
}

#[test]
fn stale_token() {
    accused(&unknown(r#"[[1,2,"read",0],[2,1,"read",0],[3,9,"read",7]]"#), "stale-token");
}

#[test]
fn token_reuse() {
    accused(&unknown(r#"[[1,2,"read",0],[2,2,"read",0]]"#), "token-reuse");
    let verdict = judge(
        "0 invoke work 1\n1 invoke work 2\n0 ok work {\"token\":1,\"read\":0,\"wrote\":1}\n\
         1 ok work {\"token\":1,\"read\":1,\"wrote\":2}\n2 invoke read\n2 ok read []",
    );
    accused(&verdict, "token-reuse");
}

#[test]
fn token_changed() {
    accused(&unknown(r#"[[1,1,"read",0],[1,2,"write",1]]"#), "token-changed");
}

#[test]
fn token_went_back() {
    let verdict = judge(
        "0 invoke work 1\n0 ok work {\"token\":5,\"read\":0,\"wrote\":1}\n\
         1 invoke work 2\n1 ok work {\"token\":4,\"read\":1,\"wrote\":2}\n2 invoke read\n2 ok read []",
    );
    accused(&verdict, "token-went-back");
}

#[test]
fn lost_update() {
    let verdict = judge(
        "0 invoke work 1\n1 invoke work 2\n0 ok work {\"token\":1,\"read\":0,\"wrote\":2}\n\
         1 ok work {\"token\":2,\"read\":0,\"wrote\":2}",
    );
    accused(&verdict, "lost-update");
    assert_eq!(verdict.anomalies[0].events, [0, 1, 2, 3]);
}

#[test]
fn lost_effect() {
    accused(&two(&format!("[{FIRST}]")), "lost-effect");
    accused(&two(&format!("[{FIRST},{}]", r#"[2,2,"read",2],[2,2,"write",3]"#)), "lost-effect");
    let shrunk = judge(
        "0 invoke work 1\n0 ok work {\"token\":1,\"read\":0,\"wrote\":1}\n1 invoke work 2\n\
         2 invoke read\n2 ok read [[1,1,\"read\",0],[1,1,\"write\",1],[2,2,\"read\",1]]\n\
         2 invoke read\n2 ok read [[1,1,\"read\",0],[1,1,\"write\",1]]",
    );
    accused(&shrunk, "lost-effect");
}

#[test]
fn what_is_done_only_later_is_not_lost() {
    let verdict = judge(
        "2 invoke read\n0 invoke work 1\n0 ok work {\"token\":1,\"read\":0,\"wrote\":1}\n2 ok read []\n\
         2 invoke read\n2 ok read [[1,1,\"read\",0],[1,1,\"write\",1]]",
    );
    assert_eq!(verdict.valid, Validity::Valid, "{verdict:?}");
}

#[test]
fn rewritten_journal() {
    let verdict = judge(
        "0 invoke work 1\n1 invoke work 2\n0 info work 1\n1 ok work {\"token\":2,\"read\":0,\"wrote\":1}\n\
         2 invoke read\n2 ok read [[1,1,\"read\",0]]\n\
         2 invoke read\n2 ok read [[2,2,\"read\",0],[2,2,\"write\",1]]",
    );
    accused(&verdict, "rewritten-journal");
}

#[test]
fn phantom_effect() {
    accused(&unknown(r#"[[7,1,"read",0]]"#), "phantom-effect");
    let verdict = judge(
        "0 invoke work 1\n0 fail work 1\n1 invoke work 2\n1 ok work {\"token\":2,\"read\":0,\"wrote\":1}\n\
         2 invoke read\n2 ok read [[1,1,\"read\",0],[2,2,\"read\",0],[2,2,\"write\",1]]",
    );
    accused(&verdict, "phantom-effect");
    let verdict = judge(
        "1 invoke work 2\n1 ok work {\"token\":2,\"read\":0,\"wrote\":1}\n\
         2 invoke read\n2 ok read [[2,2,\"read\",0],[2,2,\"write\",1],[1,3,\"read\",1]]\n0 invoke work 1\n0 info work 1",
    );
    accused(&verdict, "phantom-effect");
}

#[test]
fn repeated_effect() {
    accused(&two(&format!("[{FIRST},[1,1,\"write\",2],{SECOND}]")), "repeated-effect");
    accused(&unknown(r#"[[1,1,"write",1]]"#), "repeated-effect");
}

#[test]
fn wrong_read() {
    accused(&unknown(r#"[[1,1,"read",0],[1,1,"write",1],[2,2,"read",0]]"#), "wrong-read");
}

#[test]
fn wrong_answer() {
    let verdict = judge(
        "0 invoke work 1\n0 ok work {\"token\":3,\"read\":0,\"wrote\":1}\n\
         2 invoke read\n2 ok read [[1,1,\"read\",0],[1,1,\"write\",1]]",
    );
    accused(&verdict, "wrong-answer");
}

#[test]
fn out_of_order() {
    let verdict = judge(
        "0 invoke work 1\n0 ok work {\"token\":null,\"read\":1,\"wrote\":2}\n\
         1 invoke work 2\n1 info work 2\n2 invoke read\n\
         2 ok read [[2,null,\"read\",0],[2,null,\"write\",1],[1,null,\"read\",1],[1,null,\"write\",2]]",
    );
    accused(&verdict, "out-of-order");
}

#[test]
fn without_evidence_nothing_is_known() {
    assert_eq!(judge("0 invoke work 1\n0 info work 1\n1 invoke read\n1 ok read []").valid, Validity::Unknown);
    let unseen = judge("0 invoke work 1\n0 ok work {\"token\":1,\"read\":0,\"wrote\":1}");
    assert_eq!(unseen.valid, Validity::Unknown);
    assert!(unseen.summary.contains("vacuous"), "{}", unseen.summary);
}

#[test]
fn what_makes_no_sense_is_unknown_and_named() {
    let reason = |text: &str| {
        let verdict = judge(text);
        assert_eq!(verdict.valid, Validity::Unknown, "{verdict:?}");
        verdict.summary
    };
    let ok = "0 invoke work 1\n0 ok work {\"token\":1,\"read\":0,\"wrote\":1}\n";
    assert!(
        reason(&format!("{ok}1 invoke read\n1 ok read 7")).contains("op 3: a read answers with a journal")
    );
    assert!(reason(&format!("{ok}1 invoke read\n1 ok read [[1]]")).contains("op 3: [1] is no effect"));
    assert!(reason(&format!("{ok}1 invoke work 1")).contains("op 2: work 1 is asked for a second time"));
    assert!(reason(&format!("{ok}1 invoke zap")).contains("no operation `zap`"));
    assert!(reason("0 invoke work 1\n0 ok work 5").contains("op 1: work is answered with"));
}

fn mutex(text: &str) -> Validity {
    Linearizable::new(Mutex::plain()).check(&history(text), &Budget::unlimited()).valid
}

fn fenced(text: &str) -> Validity {
    Linearizable::new(Mutex::fenced()).check(&history(text), &Budget::unlimited()).valid
}

#[test]
fn a_mutex_has_one_owner() {
    let taken = "0 invoke acquire\n0 ok acquire\n1 invoke acquire\n";
    assert_eq!(mutex(&format!("{taken}0 invoke release\n0 ok release\n1 ok acquire")), Validity::Valid);
    assert_eq!(mutex(&format!("{taken}1 ok acquire")), Validity::Invalid);
    assert_eq!(mutex("0 invoke acquire\n0 ok acquire\n1 invoke release\n1 ok release"), Validity::Invalid);
    let open = "0 invoke acquire\n0 info acquire\n1 invoke acquire\n1 ok acquire";
    assert_eq!(mutex(open), Validity::Valid, "the first may not have happened yet");
}

#[test]
fn tokens_of_a_lock_rise() {
    let again = |token: u64| {
        fenced(&format!(
            "0 invoke acquire\n0 ok acquire 3\n0 invoke release\n0 ok release\n1 invoke acquire\n1 ok acquire {token}"
        ))
    };
    assert_eq!(again(4), Validity::Valid);
    assert_eq!(again(9), Validity::Valid);
    assert_eq!(again(3), Validity::Invalid);
    assert_eq!(again(2), Validity::Invalid);
}
