//! Every seeded bug is caught in some seed, by something that fits it; the clean system passes the same seeds.
//!
//! `commit-earlier-term` is not here: chance hardly ever plays Figure 8, so `figures` stages it.

use rashomon_core::FaultKind::{
    self, Duplicate, Jitter, Kill, Partition, PowerOff, Reorder, Restart, SlowDisk,
};
use rashomon_core::{Seed, System};
use rashomon_systems::raft::Raft;

use crate::raft::rig::Run;

fn run(kinds: &[FaultKind]) -> Run {
    Run { kinds: kinds.to_vec(), ..Run::clean(5) }
}

/// Looks for a seed in which the bug is caught by one of `names`, and runs that seed without the bug.
fn caught(bug: &'static str, run: &Run, seeds: u64, names: &[&str]) {
    assert!(Raft::info().bugs.iter().any(|info| info.name == bug), "{bug} is not listed");
    let buggy = Run { bug: Some(bug), ..run.clone() };
    for number in 0..seeds {
        let seed = Seed(number).split(bug);
        let found = buggy.go(seed).accusations;
        let Some(accusation) =
            found.iter().find(|accusation| names.iter().any(|name| accusation.starts_with(name)))
        else {
            continue;
        };
        println!("{bug}: seed {number} of {seeds}, {accusation}");
        let clean = run.go(seed).accusations;
        assert!(clean.is_empty(), "without {bug}, seed {number}: {clean:#?}");
        return;
    }
    panic!("{bug} escaped in {seeds} seeds");
}

#[test]
fn ack_before_persist() {
    let run = run(&[PowerOff, SlowDisk]);
    caught(
        "ack-before-persist",
        &run,
        200,
        &["nonlinearizable", "leader-completeness", "state-machine-safety"],
    );
}

#[test]
fn ack_before_persist_hides_from_kill() {
    let run = Run { bug: Some("ack-before-persist"), ..run(&[Kill, SlowDisk, Partition]) };
    for number in 0..30 {
        let found = run.go(Seed(number)).accusations;
        assert!(found.is_empty(), "seed {number}: {found:#?}");
    }
}

#[test]
fn leader_counts_twice() {
    let run = run(&[Partition]);
    caught(
        "leader-counts-twice",
        &run,
        100,
        &["nonlinearizable", "leader-completeness", "state-machine-safety"],
    );
}

#[test]
fn local_read() {
    caught("local-read", &run(&[Partition]), 200, &["nonlinearizable"]);
}

#[test]
fn read_before_noop() {
    let run = run(&[Partition, Kill, Restart]).with_option("batch", 1);
    caught("read-before-noop", &run, 2000, &["nonlinearizable"]);
}

#[test]
fn retry_not_deduplicated() {
    caught("retry-not-deduplicated", &run(&[Partition, Kill]), 200, &["nonlinearizable"]);
}

#[test]
fn sessions_not_in_snapshot() {
    let run = run(&[Kill, Partition]).with_option("snapshot-every", 20);
    caught("sessions-not-in-snapshot", &run, 100, &["state-machine-safety"]);
}

#[test]
fn stale_snapshot_installed() {
    let run = run(&[Partition, Kill, Duplicate, Reorder, Jitter]).with_option("snapshot-every", 5);
    caught("stale-snapshot-installed", &run, 1000, &["applied-in-order"]);
}

#[test]
fn term_not_persisted() {
    caught("term-not-persisted", &run(&[Partition, Kill]), 200, &["terms-never-fall"]);
}

#[test]
fn truncate_without_conflict() {
    let run = run(&[Jitter, Reorder, Duplicate]);
    caught("truncate-without-conflict", &run, 100, &["committed-stays"]);
}

#[test]
fn vote_by_length_alone() {
    let run = run(&[Partition, Kill, PowerOff, SlowDisk]);
    caught("vote-by-length-alone", &run, 2000, &["leader-completeness", "state-machine-safety"]);
}

#[test]
fn vote_not_persisted() {
    // Time-outs that hardly differ make for contested votes.
    let run = run(&[Restart, Kill, SlowDisk]).with_option("election-max", 310);
    caught("vote-not-persisted", &run, 2000, &["one-vote", "election-safety"]);
}
