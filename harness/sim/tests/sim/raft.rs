//! Raft in virtual time.

use std::time::Duration;

use rashomon_checkers::Budget;
use rashomon_core::{Kind, Validity};
use rashomon_systems::raft::Raft;

use crate::driver::{Plan, run};

fn short(seed: u64) -> Plan {
    Plan { time_limit: Duration::from_secs(8), rate: 100, ..Plan::new(seed) }
}

#[test]
fn a_clean_cluster_is_accused_by_nobody() {
    for seed in 0..20 {
        let outline = run::<Raft>(&short(seed));
        assert_eq!(outline.violations, [] as [&str; 0], "seed {seed}");
        assert_eq!(outline.problems, [] as [&str; 0], "seed {seed}");
        assert_eq!(outline.unread, 0, "seed {seed}");
        assert!(outline.count(Kind::Ok) > 100, "seed {seed}");
        let checker = rashomon_checkers::by_name("linearizable-register").unwrap();
        let verdict = checker.check(&outline.history(), &Budget::unlimited());
        assert_eq!(verdict.valid, Validity::Valid, "seed {seed}: {verdict:?}");
    }
}
