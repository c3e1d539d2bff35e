//! What happens when a budget runs out: an honest unknown that names what remains.

use std::cell::Cell;

use rashomon_checkers::generate::Clients;
use rashomon_checkers::linearizable::Linearizable;
use rashomon_checkers::models::Register;
use rashomon_checkers::notation::history;
use rashomon_checkers::set::Set;
use rashomon_checkers::{Alone, Budget, Checker, Crew, Job};
use rashomon_core::{History, Op, Process, Seed, Validity};

/// A checker that has to search.
fn searcher() -> Linearizable<Register> {
    Linearizable::new(Register::cas()).by_search()
}

fn long() -> History {
    Clients { operations: 20_000, clients: 8, open_per_mille: 5, stale: false, seed: Seed(1) }
        .unique_register()
}

#[test]
fn time_out_is_unknown_and_names_the_window() {
    let looks = Cell::new(0);
    let expired = || {
        looks.set(looks.get() + 1);
        looks.get() > 20
    };
    let verdict = searcher().check(&long(), &Budget::new(usize::MAX, &expired));
    assert_eq!(verdict.valid, Validity::Unknown);
    assert_eq!(verdict.unknown[0], "time budget exhausted");
    assert!(verdict.unknown[1].contains("operations placed; no order found passes "), "{verdict:?}");
    assert!(verdict.unknown[1].contains("; not settled: "), "{verdict:?}");
    assert!(verdict.stats["configurations"].as_u64() > Some(1000), "{verdict:?}");
    assert!(!verdict.stats["window"]["ops"].as_array().unwrap().is_empty());
    assert!(verdict.summary.contains("1 of 1 keys undecided"), "{}", verdict.summary);
}

#[test]
fn memory_is_bounded() {
    let verdict = searcher().check(&long(), &Budget::new(2_000_000, &|| false));
    assert_eq!(verdict.valid, Validity::Unknown);
    assert_eq!(verdict.unknown[0], "memory budget exhausted");
}

#[test]
fn no_budget_settles_a_key_by_chance() {
    let verdict = searcher().check(&long(), &Budget::new(usize::MAX, &|| true));
    assert_eq!(verdict.valid, Validity::Unknown);
}

#[test]
fn monitors_obey_too() {
    let monitor = Linearizable::new(Register::cas());
    let verdict = monitor.check(&long(), &Budget::new(usize::MAX, &|| true));
    assert_eq!((verdict.valid, verdict.unknown[0].as_str()), (Validity::Unknown, "time budget exhausted"));
    let verdict = monitor.check(&long(), &Budget::new(100_000, &|| false));
    assert_eq!((verdict.valid, verdict.unknown[0].as_str()), (Validity::Unknown, "memory budget exhausted"));
    let verdict = monitor.check(&long(), &Budget::new(2_000_000, &|| false));
    assert_eq!(verdict.valid, Validity::Valid);
}

#[test]
fn an_easy_violation_is_found_beside_a_hard_key() {
    let mut ops = long().ops().to_vec();
    for op in &mut ops {
        op.key = Some("hard".to_owned());
    }
    let bad = history(
        "900000 invoke write 1 key=easy\n900000 ok write 1 key=easy\n900001 invoke read key=easy\n900001 ok read key=easy",
    );
    ops.extend(bad.ops().iter().cloned());
    let whole = History::new(ops).unwrap();
    let looks = Cell::new(0);
    let expired = || {
        looks.set(looks.get() + 1);
        looks.get() > 20
    };
    let verdict = searcher().check(&whole, &Budget::new(usize::MAX, &expired));
    assert_eq!(verdict.valid, Validity::Invalid);
    assert_eq!(verdict.anomalies[0].key.as_deref(), Some("easy"));
    assert_eq!(verdict.anomalies[0].events.len(), 4);
}

#[test]
fn a_core_that_could_not_be_reduced_in_time_says_so() {
    let bad = Clients { operations: 2000, clients: 8, open_per_mille: 5, stale: true, seed: Seed(3) }
        .unique_register();
    let minimal = |limit: u32| {
        let looks = Cell::new(0);
        let expired = || {
            looks.set(looks.get() + 1);
            looks.get() > limit
        };
        let verdict = searcher().check(&bad, &Budget::new(usize::MAX, &expired));
        (verdict.valid, verdict.anomalies.first().map(|anomaly| anomaly.details["minimal"].clone()))
    };
    assert_eq!(minimal(u32::MAX), (Validity::Invalid, Some(true.into())));
    let answers: Vec<_> = (0..200).map(minimal).collect();
    assert!(answers.contains(&(Validity::Unknown, None)));
    assert!(answers.contains(&(Validity::Invalid, Some(false.into()))));
    assert!(answers.iter().all(|(valid, _)| *valid != Validity::Valid));
}

#[test]
fn the_set_checker_obeys_too() {
    let many: Vec<u32> = (0..2000).collect();
    let list = serde_json::to_string(&many).unwrap();
    let bad = history(&format!("0 invoke add 0\n0 ok add 0\n1 invoke read\n1 ok read {list}"));
    let verdict = Set::default().check(&bad, &Budget::new(1000, &|| false));
    assert_eq!((verdict.valid, verdict.summary.as_str()), (Validity::Unknown, "memory budget exhausted"));
    let verdict = Set::default().check(&bad, &Budget::new(usize::MAX, &|| true));
    assert_eq!((verdict.valid, verdict.summary.as_str()), (Validity::Unknown, "time budget exhausted"));
}

/// Workers who do the last job first.
struct Backwards;

impl Crew for Backwards {
    fn work(&self, jobs: Vec<Job<'_>>) {
        for job in jobs.into_iter().rev() {
            job();
        }
    }
}

#[test]
fn a_verdict_does_not_depend_on_who_did_the_work() {
    // Forty keys, some with a stale read, some as large as others.
    let mut ops = Vec::new();
    for key in 0..40_u64 {
        let clients = Clients {
            operations: 200 + key % 5 * 40,
            clients: 4,
            open_per_mille: 10,
            stale: key % 3 == 0,
            seed: Seed(key),
        };
        let history = if key % 2 == 0 { clients.unique_register() } else { clients.cas_register(4) };
        for op in history.ops() {
            let Process::Client(process) = op.process else { continue };
            let process = Process::Client(process + key * 1000);
            ops.push(Op { process, key: Some(key.to_string()), ..op.clone() });
        }
    }
    let whole = History::new(ops).unwrap();
    for checker in [Linearizable::new(Register::cas()), searcher()] {
        let verdict =
            |crew: &dyn Crew| checker.check(&whole, &Budget::new(usize::MAX, &|| false).with_crew(crew));
        let alone = verdict(&Alone);
        assert_eq!(alone.valid, Validity::Invalid);
        assert_eq!(alone, verdict(&Backwards));
    }
}
