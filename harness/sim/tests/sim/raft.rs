//! Raft in virtual time.

use std::collections::BTreeSet;
use std::time::Duration;

use rashomon_checkers::Budget;
use rashomon_core::{FaultKind, Kind, Validity};
use rashomon_systems::raft::Raft;

use crate::driver::{DEFAULT_KINDS, Plan, run};

fn short(seed: u64) -> Plan {
    Plan { time_limit: Duration::from_secs(8), rate: 100, ..Plan::new(seed) }
}

#[test]
fn a_clean_cluster_is_accused_by_nobody() {
    let mut lost_bytes = 0;
    let mut bitten = BTreeSet::new();
    for seed in 0..20 {
        let outline = run::<Raft>(&short(seed));
        assert_eq!(outline.violations, [] as [&str; 0], "seed {seed}");
        assert_eq!(outline.problems, [] as [&str; 0], "seed {seed}");
        assert_eq!(outline.unread, 0, "seed {seed}");
        assert!(outline.count(Kind::Ok) > 100, "seed {seed}");
        for (kind, impacts) in &outline.impacts {
            lost_bytes += impacts.iter().map(|impact| impact.lost_bytes).sum::<u64>();
            if impacts.iter().any(|impact| impact.bit) {
                bitten.insert(*kind);
            }
        }
        let checker = rashomon_checkers::by_name("linearizable-register").unwrap();
        let verdict = checker.check(&outline.history(), &Budget::unlimited());
        assert_eq!(verdict.valid, Validity::Valid, "seed {seed}: {verdict:?}");
    }
    // All that with faults that did something.
    let kinds = DEFAULT_KINDS.into_iter().chain([FaultKind::SlowDisk]);
    assert_eq!(bitten, kinds.collect());
    assert!(lost_bytes > 0, "no power failure ever found anything unsynced");
}
