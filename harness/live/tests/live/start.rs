//! Starting a cluster, and nodes that do not start.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use rashomon_core::{Disruption, NodeId, World, WorldError};
use rashomon_live::{Config, LiveWorld};
use serde_json::json;

use crate::support::{self, Trial, is_alive};
use crate::trials;

pub(crate) const TRIALS: &[trials::Trial] = &[
    ("five_processes_serve", five_processes_serve),
    ("two_clusters_run_side_by_side", two_clusters_run_side_by_side),
    ("a_node_that_dies_at_start_is_told_with_its_log", a_node_that_dies_at_start_is_told_with_its_log),
    ("a_node_that_babbles_at_start_is_told", a_node_that_babbles_at_start_is_told),
    ("a_node_that_never_gets_ready_is_given_up", a_node_that_never_gets_ready_is_given_up),
    ("what_cannot_start_at_all_is_told", what_cannot_start_at_all_is_told),
    ("a_node_without_its_harness_ends", a_node_without_its_harness_ends),
    ("a_node_ends_with_its_standard_input", a_node_ends_with_its_standard_input),
];

fn five_processes_serve() {
    let mut trial = Trial::start(5);
    let pids: std::collections::BTreeSet<i32> = trial.world.pids().into_values().collect();
    assert_eq!(pids.len(), 5);
    let me = std::process::id().cast_signed();
    let my_group = rustix::process::getpgrp();
    for node in 1..=5 {
        trial.ok(node, &json!({"type": "round_trip"}));
        assert!(pids.iter().all(|pid| *pid != me && is_alive(*pid)));
    }
    for pid in &pids {
        let group = rustix::process::getpgid(rustix::process::Pid::from_raw(*pid)).unwrap();
        assert_ne!(group, my_group, "Ctrl-C would reach the nodes");
    }
    trial.world.verify_healed().unwrap();
    trial.world.shutdown().unwrap();
    assert!(!pids.into_iter().any(is_alive));
}

fn two_clusters_run_side_by_side() {
    let (mut one, mut two) = (Trial::start(3), Trial::start(3));
    one.ok(1, &json!({"type": "write", "value": "one"}));
    two.ok(1, &json!({"type": "write", "value": "two"}));
    one.ok(2, &json!({"type": "round_trip"}));
    two.ok(2, &json!({"type": "round_trip"}));
    assert_eq!((one.notes(1), two.notes(1)), (vec!["one".to_owned()], vec!["two".to_owned()]));
}

/// The error of starting these misfits.
fn refusal(system: &str, change: impl FnOnce(&mut Config)) -> WorldError {
    let dir = tempfile::tempdir().unwrap();
    let mut config = Config { system: system.to_owned(), ..support::config(2, dir.path()) };
    change(&mut config);
    LiveWorld::start(config).expect_err("a misfit started")
}

fn a_node_that_dies_at_start_is_told_with_its_log() {
    let text = refusal("dies", |_| {}).to_string();
    assert!(text.contains("exited with status 3") && text.contains("the dog ate my log"), "{text}");
}

fn a_node_that_babbles_at_start_is_told() {
    let text = refusal("babbles", |_| {}).to_string();
    assert!(text.contains("`hello, world`"), "{text}");
}

fn a_node_that_never_gets_ready_is_given_up() {
    let error = refusal("is-mute", |config| config.patience = Duration::from_millis(300));
    let text = error.to_string();
    assert!(matches!(error, WorldError::Node { .. }));
    assert!(text.contains("ready within 300ms") && text.contains("I shall say nothing"), "{text}");
}

fn what_cannot_start_at_all_is_told() {
    let missing = refusal("notebook", |config| config.executable = PathBuf::from("/no/such/program"));
    assert!(matches!(missing, WorldError::Io { .. }), "{missing}");
    assert!(missing.to_string().contains("spawning n1"), "{missing}");
    let many = refusal("notebook", |config| config.nodes = 101).to_string();
    assert!(many.contains("1 to 100"), "{many}");
    let none = refusal("notebook", |config| config.nodes = 0).to_string();
    assert!(none.contains("1 to 100"), "{none}");
}

fn a_node_without_its_harness_ends() {
    // The config names another process as its parent: as if the harness had died before the node looked.
    let mut trial = Trial::start(1);
    trial.ok(1, &json!({"type": "echo", "value": 1}));
    let path = trial.dir.path().join("nodes/n1/config.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let me = format!("\"parent\": {}", std::process::id());
    assert!(text.contains(&me), "{text}");
    let config = trial.dir.path().join("orphan.json");
    std::fs::write(&config, text.replace(&me, "\"parent\": 1")).unwrap();
    let output = std::process::Command::new("/proc/self/exe")
        .args(["node", "notebook", "--config"])
        .arg(&config)
        .output()
        .unwrap();
    assert!(!output.status.success());
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(log.contains("is not my parent any more"), "{log}");
    assert_eq!(trial.world.running(), [NodeId(1)]);
}

fn a_node_ends_with_its_standard_input() {
    let mut trial = Trial::start(1);
    // Its place is needed.
    trial.inject(&Disruption::Kill { nodes: vec![NodeId(1)] });
    let mut node = std::process::Command::new("/proc/self/exe")
        .args(["node", "notebook", "--config"])
        .arg(trial.dir.path().join("nodes/n1/config.json"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(node.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == r#"{"report":"ready"}"#));
    drop(node.stdin.take());
    assert!(node.wait().unwrap().success());
}
