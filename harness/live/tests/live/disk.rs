//! Logs under kills, power failures and slow disks, with real processes.

use std::path::PathBuf;
use std::time::Duration;

use rashomon_core::{Disruption, Event, NodeId, World};
use serde_json::json;

use crate::support::{Trial, nodes};
use crate::trials;

pub(crate) const TRIALS: &[trials::Trial] = &[
    ("power_off_takes_what_was_not_synced_and_no_more", power_off_takes_what_was_not_synced_and_no_more),
    ("a_later_step_waits_for_an_earlier_record", a_later_step_waits_for_an_earlier_record),
    ("a_read_waits_for_what_it_saw", a_read_waits_for_what_it_saw),
    ("a_slow_disk_bites_and_is_healed", a_slow_disk_bites_and_is_healed),
    ("a_disk_stays_slow_over_a_restart", a_disk_stays_slow_over_a_restart),
    ("a_checkpoint_replaces_the_log", a_checkpoint_replaces_the_log),
    ("a_damaged_log_stops_the_node", a_damaged_log_stops_the_node),
    ("a_disk_that_fails_stops_the_node", a_disk_that_fails_stops_the_node),
];

fn slow(numbers: &[u16], milliseconds: u64) -> Disruption {
    let time = Duration::from_millis(milliseconds);
    Disruption::SlowDisk { nodes: nodes(numbers), at_least: time, at_most: time }
}

fn power_off(numbers: &[u16]) -> Disruption {
    Disruption::PowerOff { nodes: nodes(numbers) }
}

/// The first segment of a node's log.
fn segment(trial: &Trial, node: u16) -> PathBuf {
    trial.dir.path().join(format!("nodes/n{node}/wal/0000000000000001.wal"))
}

fn length(trial: &Trial, node: u16) -> u64 {
    std::fs::metadata(segment(trial, node)).unwrap().len()
}

fn power_off_takes_what_was_not_synced_and_no_more() {
    let mut trial = Trial::start(2);
    for value in ["one", "two", "three"] {
        trial.ok(1, &json!({"type": "write", "value": value}));
    }
    let synced = length(&trial, 1);
    // The disk will not have synced before the power fails.
    let slow = trial.inject(&slow(&[1], 60_000));
    let pending = trial.begin(1, &json!({"type": "write", "value": "four"}));
    trial.until("written", |trial| length(trial, 1) > synced);
    let tail = length(&trial, 1) - synced;
    let off = trial.inject(&power_off(&[1]));
    // It was never acknowledged.
    assert!(matches!(trial.outcome(pending), rashomon_core::Outcome::Info(_)));
    let impact = trial.heal(off);
    assert!(impact.bit && impact.lost_bytes > 0 && impact.lost_bytes <= tail, "{impact:?} of {tail}");
    assert_eq!(trial.notes(1), ["one", "two", "three"]);
    trial.heal(slow);
    trial.ok(1, &json!({"type": "write", "value": "five"}));
    // With nothing unsynced there is nothing to lose.
    let off = trial.inject(&power_off(&[1]));
    assert_eq!(trial.heal(off).lost_bytes, 0);
    assert_eq!(trial.notes(1), ["one", "two", "three", "five"]);
    trial.world.verify_healed().unwrap();
}

fn a_later_step_waits_for_an_earlier_record() {
    let mut trial = Trial::start(2);
    let slow = trial.inject(&slow(&[1], 300));
    trial.begin(1, &json!({"type": "write_and_spread", "value": "durable"}));
    // The message leaves in a step of its own, after the one that persists.
    trial.heard(2, "durable");
    let off = trial.inject(&power_off(&[1]));
    let impact = trial.heal(off);
    assert_eq!(impact.lost_bytes, 0, "the message was seen before the record was durable");
    assert_eq!(trial.notes(1), ["durable"]);
    trial.heal(slow);
}

fn a_read_waits_for_what_it_saw() {
    let mut trial = Trial::start(1);
    let slow = trial.inject(&slow(&[1], 150));
    trial.begin(1, &json!({"type": "write", "value": "seen"}));
    // Another client's read, in a later step, sees the record: so it must not be answered before it is durable.
    let mut read = trial.ok(1, &json!({"type": "read"}));
    while read["values"] == json!([]) {
        read = trial.ok(1, &json!({"type": "read"}));
    }
    let off = trial.inject(&power_off(&[1]));
    assert_eq!(trial.heal(off).lost_bytes, 0, "the read was answered before the record was durable");
    assert_eq!(trial.notes(1), ["seen"]);
    trial.heal(slow);
}

fn a_slow_disk_bites_and_is_healed() {
    let mut trial = Trial::start(2);
    let idle = trial.inject(&slow(&[1, 2], 5));
    let impact = trial.heal(idle);
    assert_eq!((impact.bit, impact.slow_syncs), (false, 0), "nothing was written");
    let busy = trial.inject(&slow(&[1], 5));
    trial.ok(1, &json!({"type": "write", "value": "slow"}));
    let impact = trial.heal(busy);
    assert_eq!((impact.bit, impact.slow_syncs), (true, 1));
    trial.ok(1, &json!({"type": "write", "value": "fast"}));
    assert_eq!(trial.heal(busy), impact);
    trial.world.verify_healed().unwrap();
    let counters = trial.world.network().unwrap().nodes[&NodeId(1)];
    assert_eq!((counters.slow_syncs, counters.records, counters.syncs), (1, 2, 2));
}

fn a_disk_stays_slow_over_a_restart() {
    let mut trial = Trial::start(2);
    let slow = trial.inject(&slow(&[1], 5));
    let restart = trial.inject(&Disruption::Restart { nodes: nodes(&[1]) });
    trial.heal(restart);
    trial.eventually(1, &json!({"type": "write", "value": "slow"}));
    assert!(trial.heal(slow).slow_syncs >= 1);
}

fn a_checkpoint_replaces_the_log() {
    let mut trial = Trial::start(1);
    trial.ok(1, &json!({"type": "write", "value": "old"}));
    trial.ok(1, &json!({"type": "replace", "value": "new"}));
    trial.ok(1, &json!({"type": "write", "value": "more"}));
    assert!(!segment(&trial, 1).exists());
    let fault = trial.inject(&power_off(&[1]));
    assert_eq!(trial.heal(fault).lost_bytes, 0);
    assert_eq!(trial.notes(1), ["new", "more"]);
}

/// The report of this node's crash.
fn crash(trial: &mut Trial, of: u16) -> String {
    trial.wait("crash", |event| match event {
        Event::Crash { node: NodeId(node), report } if *node == of => Some(report.clone()),
        _ => None,
    })
}

fn a_damaged_log_stops_the_node() {
    let mut trial = Trial::start(2);
    trial.ok(1, &json!({"type": "write", "value": "precious"}));
    let kill = trial.inject(&Disruption::Kill { nodes: nodes(&[1]) });
    let path = segment(&trial, 1);
    let mut bytes = std::fs::read(&path).unwrap();
    let place = bytes.len() - 3;
    bytes[place] ^= 4;
    std::fs::write(&path, bytes).unwrap();
    trial.heal(kill);
    let report = crash(&mut trial, 1);
    assert!(report.contains("corrupt") && report.contains("had been synced"), "{report}");
    assert!(trial.world.verify_healed().is_err());
    assert_eq!(trial.world.running(), nodes(&[2]));
}

fn a_disk_that_fails_stops_the_node() {
    let mut trial = Trial::start(1);
    trial.ok(1, &json!({"type": "write", "value": "precious"}));
    std::fs::remove_dir_all(trial.dir.path().join("nodes/n1/wal")).unwrap();
    let pending = trial.begin(1, &json!({"type": "replace", "value": "lost"}));
    let report = crash(&mut trial, 1);
    assert!(report.contains("log ") && report.contains("No such file"), "{report}");
    assert!(matches!(trial.outcome(pending), rashomon_core::Outcome::Info(_)));
}
