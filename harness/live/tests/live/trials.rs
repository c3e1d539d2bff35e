//! The trials.

use serde_json::json;

use crate::support::{Trial, alone, is_alive, nodes};
use rashomon_core::client::Outcome;
use rashomon_core::{Disruption, NodeId, World};

/// Every trial, by name.
pub(crate) const ALL: &[(&str, fn())] = &[
    ("five_processes_serve", five_processes_serve),
    ("a_killed_node_is_gone_and_comes_back_with_its_log", a_killed_node_is_gone_and_comes_back_with_its_log),
    ("a_partition_blocks_and_heals", a_partition_blocks_and_heals),
];

fn five_processes_serve() {
    let mut trial = Trial::start(5);
    let pids: std::collections::BTreeSet<i32> = trial.world.pids().into_values().collect();
    assert_eq!(pids.len(), 5);
    let me = std::process::id().cast_signed();
    for node in 1..=5 {
        trial.ok(node, &json!({"type": "round_trip"}));
        assert!(pids.iter().all(|pid| *pid != me && is_alive(*pid)));
    }
    trial.world.verify_healed().unwrap();
    trial.world.shutdown().unwrap();
    assert!(!pids.into_iter().any(is_alive));
}

fn a_killed_node_is_gone_and_comes_back_with_its_log() {
    let mut trial = Trial::start(3);
    let pid = trial.world.pids()[&NodeId(2)];
    trial.ok(2, &json!({"type": "write", "value": "kept"}));
    let kill = trial.inject(&Disruption::Kill { nodes: nodes(&[2]) });
    assert!(!is_alive(pid));
    assert_eq!(trial.world.running(), nodes(&[1, 3]));
    let outcome = trial.call(2, &json!({"type": "echo", "value": 1}));
    assert!(matches!(outcome, Outcome::Ok(NodeId(3), _)), "{outcome:?}");
    assert!(trial.world.verify_healed().is_err());
    let impact = trial.heal(kill);
    assert_eq!((impact.bit, impact.processes, impact.lost_bytes), (true, 1, 0));
    assert_eq!(trial.heal(kill), impact, "healing twice is harmless");
    trial.world.verify_healed().unwrap();
    assert_eq!(trial.notes(2), ["kept"]);
    assert_ne!(trial.world.pids()[&NodeId(2)], pid);
}

fn a_partition_blocks_and_heals() {
    let mut trial = Trial::start(3);
    let cut = trial.inject(&alone(1, 3));
    let outcome = trial.call(1, &json!({"type": "round_trip"}));
    assert!(matches!(outcome, Outcome::Info(_)), "{outcome:?}");
    // Clients do not pass the switch.
    trial.ok(1, &json!({"type": "echo", "value": 1}));
    assert!(trial.world.verify_healed().is_err());
    let impact = trial.heal(cut);
    assert!(impact.bit && impact.messages >= 2, "{impact:?}");
    trial.world.verify_healed().unwrap();
    trial.ok(1, &json!({"type": "round_trip"}));
}
