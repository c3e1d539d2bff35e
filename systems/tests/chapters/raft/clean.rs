//! The clean system under every fault: nobody is accused, and after the heal it makes progress.

use rashomon_core::Seed;

use crate::raft::rig::{Report, Run};

/// Runs `seeds` runs and demands that none is accused. `RAFT_SEEDS=first..end` runs others than the usual ones.
fn never_accused(name: &str, run: &Run, seeds: u64) -> Report {
    let range = match std::env::var("RAFT_SEEDS").ok() {
        None => 0..seeds,
        Some(range) => {
            let (first, end) = range.split_once("..").expect("RAFT_SEEDS=first..end");
            first.parse().expect("a number")..end.parse().expect("a number")
        }
    };
    let mut total = Report::default();
    for seed in range {
        let report = run.go(Seed(seed).split(name));
        assert!(report.accusations.is_empty(), "{name}, seed {seed}: {:#?}", report.accusations);
        assert!(report.ok > 0, "{name}, seed {seed}: no op succeeded: {report:?}");
        total.ok += report.ok;
        total.fail += report.fail;
        total.info += report.info;
        total.leaders += report.leaders;
        total.restores += report.restores;
        total.lost_records += report.lost_records;
    }
    println!("{name}: {total:?}");
    total
}

#[test]
fn five_nodes_survive_every_fault() {
    let total = never_accused("five", &Run::clean(5).with_option("snapshot-every", 20), 150);
    // The runs must have met what they are for.
    assert!(total.ok > 10_000 && total.info > 100, "{total:?}");
    assert!(total.leaders > 200, "{total:?}");
    assert!(total.restores > 300, "{total:?}");
    assert!(total.lost_records > 5, "{total:?}");
}

#[test]
fn three_nodes_survive_every_fault() {
    never_accused("three", &Run::clean(3).with_option("snapshot-every", 7).with_option("batch", 2), 100);
}

#[test]
fn every_size_of_cluster_works() {
    for nodes in [1, 2, 4, 7, 9] {
        never_accused(&format!("nodes-{nodes}"), &Run::clean(nodes), 6);
    }
}

#[test]
fn without_faults_one_leader_serves_all() {
    let run = Run { kinds: Vec::new(), ..Run::clean(5) };
    let report = run.go(Seed(1));
    assert_eq!(report.accusations, [""; 0]);
    assert_eq!(report.leaders, 1, "nothing disturbs the first leader");
    assert_eq!(report.info, 0);
    assert!(report.ok > 500, "{report:?}");
}
