//! Kill, restart, pause, and processes that end by themselves.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddrV4, TcpStream};
use std::process::{Command, Stdio};

use rashomon_core::client::Outcome;
use rashomon_core::{Disruption, Event, FaultId, NodeId, Value, World};
use serde_json::json;

use crate::support::{Trial, is_alive, nodes, state};
use crate::trials;

pub(crate) const TRIALS: &[trials::Trial] = &[
    ("a_killed_node_is_gone_and_comes_back_with_its_log", a_killed_node_is_gone_and_comes_back_with_its_log),
    ("a_kill_that_nobody_notices_does_not_bite", a_kill_that_nobody_notices_does_not_bite),
    ("a_message_for_a_dead_node_makes_a_kill_bite", a_message_for_a_dead_node_makes_a_kill_bite),
    (
        "a_node_killed_twice_starts_when_the_last_is_healed",
        a_node_killed_twice_starts_when_the_last_is_healed,
    ),
    ("a_restarted_node_is_another_process", a_restarted_node_is_another_process),
    ("a_paused_node_stands_still_and_goes_on", a_paused_node_stands_still_and_goes_on),
    ("pausing_a_dead_node_is_nothing", pausing_a_dead_node_is_nothing),
    ("a_paused_node_can_be_killed", a_paused_node_can_be_killed),
    ("a_node_that_panics_is_a_crash_and_stays_away", a_node_that_panics_is_a_crash_and_stays_away),
    ("a_node_that_babbles_is_told_and_goes_on", a_node_that_babbles_is_told_and_goes_on),
    ("a_fault_on_a_stranger_is_refused", a_fault_on_a_stranger_is_refused),
    ("a_killed_harness_leaves_nothing", a_killed_harness_leaves_nothing),
];

fn kill(numbers: &[u16]) -> Disruption {
    Disruption::Kill { nodes: nodes(numbers) }
}

fn pause(numbers: &[u16]) -> Disruption {
    Disruption::Pause { nodes: nodes(numbers) }
}

fn a_killed_node_is_gone_and_comes_back_with_its_log() {
    let mut trial = Trial::start(3);
    let pid = trial.world.pids()[&NodeId(2)];
    trial.ok(2, &json!({"type": "write", "value": "kept"}));
    let fault = trial.inject(&kill(&[2]));
    assert!(!is_alive(pid));
    assert_eq!(trial.world.running(), nodes(&[1, 3]));
    // The dead node refuses, which is definite: the next is asked.
    let outcome = trial.call(2, &json!({"type": "echo", "value": 1}));
    assert!(matches!(outcome, Outcome::Ok(NodeId(3), _)), "{outcome:?}");
    assert!(trial.world.verify_healed().is_err());
    let impact = trial.heal(fault);
    assert_eq!((impact.bit, impact.processes, impact.lost_bytes), (true, 1, 0));
    assert_eq!(trial.heal(fault), impact, "healing twice is harmless");
    trial.world.verify_healed().unwrap();
    assert_eq!(trial.notes(2), ["kept"]);
    assert_ne!(trial.world.pids()[&NodeId(2)], pid);
}

fn a_kill_that_nobody_notices_does_not_bite() {
    let mut trial = Trial::start(2);
    trial.ok(1, &json!({"type": "echo", "value": 1}));
    let fault = trial.inject(&kill(&[2]));
    let impact = trial.heal(fault);
    assert_eq!((impact.bit, impact.processes), (false, 0));
    trial.world.verify_healed().unwrap();
}

fn a_message_for_a_dead_node_makes_a_kill_bite() {
    let mut trial = Trial::start(3);
    let fault = trial.inject(&kill(&[2]));
    trial.ok(1, &json!({"type": "spread", "value": "news"}));
    trial.heard(3, "news");
    trial.until("carried", |trial| {
        let link = rashomon_core::Link { from: NodeId(1), to: NodeId(2) };
        trial.world.network().unwrap().links[&link].sent == 1
    });
    let impact = trial.heal(fault);
    assert_eq!((impact.bit, impact.processes), (true, 1));
}

fn a_node_killed_twice_starts_when_the_last_is_healed() {
    let mut trial = Trial::start(2);
    let (first, second) = (trial.inject(&kill(&[2])), trial.inject(&kill(&[1, 2])));
    trial.heal(first);
    assert!(trial.world.running().is_empty());
    trial.heal(second);
    assert_eq!(trial.world.running(), nodes(&[1, 2]));
    trial.world.verify_healed().unwrap();
    trial.ok(2, &json!({"type": "round_trip"}));
}

fn a_restarted_node_is_another_process() {
    let mut trial = Trial::start(2);
    let pid = trial.world.pids()[&NodeId(1)];
    // Something waits for it, so it bites.
    let pending = trial.begin(1, &json!({"type": "ignore"}));
    let fault = trial.inject(&Disruption::Restart { nodes: nodes(&[1]) });
    assert_ne!(trial.world.pids()[&NodeId(1)], pid);
    let outcome = trial.outcome(pending);
    assert!(matches!(outcome, Outcome::Info(_)), "{outcome:?}");
    trial.world.heal(fault).map(|impact| assert_eq!((impact.bit, impact.processes), (true, 1))).unwrap();
    trial.world.verify_healed().unwrap();
    trial.ok(1, &json!({"type": "round_trip"}));
}

fn a_paused_node_stands_still_and_goes_on() {
    let mut trial = Trial::start(3);
    trial.ok(2, &json!({"type": "echo", "value": 1}));
    let pid = trial.world.pids()[&NodeId(2)];
    let fault = trial.inject(&pause(&[2]));
    assert_eq!(state(pid), Some('T'));
    assert_eq!(trial.world.running(), nodes(&[1, 3]));
    // It is connected and does not answer: doubtful.
    let outcome = trial.call(2, &json!({"type": "write", "value": "late"}));
    assert!(matches!(&outcome, Outcome::Info(reason) if reason.contains("timed out")), "{outcome:?}");
    assert!(trial.world.verify_healed().is_err());
    let impact = trial.heal(fault);
    assert_eq!((impact.bit, impact.processes), (true, 1));
    assert_eq!(trial.world.pids()[&NodeId(2)], pid);
    trial.world.verify_healed().unwrap();
    // An info op may yet happen, and this one does.
    trial.until("written", |trial| trial.notes(2) == ["late"]);
}

fn pausing_a_dead_node_is_nothing() {
    let mut trial = Trial::start(2);
    let dead = trial.inject(&kill(&[2]));
    let still = trial.inject(&pause(&[2]));
    trial.heal(dead);
    assert_eq!(trial.world.running(), nodes(&[1, 2]));
    assert!(!trial.heal(still).bit);
    trial.world.verify_healed().unwrap();
}

fn a_paused_node_can_be_killed() {
    let mut trial = Trial::start(2);
    let still = trial.inject(&pause(&[2]));
    let dead = trial.inject(&kill(&[2]));
    assert_eq!(trial.world.running(), nodes(&[1]));
    // What comes now is the kill's doing, not the pause's.
    trial.call(2, &json!({"type": "echo", "value": 1}));
    assert!(!trial.heal(still).bit);
    assert_eq!(trial.world.running(), nodes(&[1]));
    assert!(trial.heal(dead).bit);
    trial.world.verify_healed().unwrap();
    trial.ok(2, &json!({"type": "round_trip"}));
}

fn a_node_that_panics_is_a_crash_and_stays_away() {
    let mut trial = Trial::start(2);
    let outcome = trial.call(2, &json!({"type": "panic"}));
    assert!(matches!(outcome, Outcome::Info(_)), "{outcome:?}");
    let report = trial.wait("crash", |event| match event {
        Event::Crash { node: NodeId(2), report } => Some(report.clone()),
        _ => None,
    });
    assert!(report.contains("exited with status 101") && report.contains("told to panic"), "{report}");
    assert_eq!(trial.world.running(), nodes(&[1]));
    let fault = trial.inject(&kill(&[2]));
    assert!(!trial.heal(fault).bit);
    assert_eq!(trial.world.running(), nodes(&[1]));
    let error = trial.world.verify_healed().unwrap_err().to_string();
    assert!(error.contains("told to panic"), "{error}");
    let log = std::fs::read_to_string(trial.dir.path().join("nodes/n2/stderr.log")).unwrap();
    assert!(log.contains("told to panic"), "{log}");
}

fn a_node_that_babbles_is_told_and_goes_on() {
    let mut trial = Trial::start(2);
    trial.ok(1, &json!({"type": "babble"}));
    let line = trial.wait("garbage", |event| match event {
        Event::Garbage { node: NodeId(1), line } => Some(line.clone()),
        _ => None,
    });
    assert_eq!(line, "left from debugging");
    trial.world.verify_healed().unwrap();
}

fn a_fault_on_a_stranger_is_refused() {
    let mut trial = Trial::start(1);
    let error = trial.world.inject(FaultId(1), &kill(&[9])).unwrap_err().to_string();
    assert!(error.contains("n9"), "{error}");
    trial.world.verify_healed().unwrap();
}

fn a_killed_harness_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut harness = Command::new("/proc/self/exe")
        .arg("harness")
        .arg(dir.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(harness.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let told: Value = serde_json::from_str(&line).unwrap();
    let pids: Vec<i32> =
        told["pids"].as_object().unwrap().values().map(|pid| pid.as_i64().unwrap() as i32).collect();
    let addresses: Vec<SocketAddrV4> = serde_json::from_value(told["addresses"].clone()).unwrap();
    assert_eq!((pids.len(), addresses.len()), (5, 5));
    assert!(pids.iter().all(|pid| is_alive(*pid)));
    assert!(addresses.iter().all(|address| TcpStream::connect(address).is_ok()));
    // One of them hangs, so that it cannot end by itself when its standard input does.
    let mut stream = TcpStream::connect(addresses[0]).unwrap();
    stream.write_all(b"{\"type\":\"echo\",\"value\":1}\n{\"type\":\"hang\"}\n").unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    assert!(line.contains("echo_ok"), "{line}");
    harness.kill().unwrap();
    harness.wait().unwrap();
    let mut other = Trial::start(1);
    other.until("all gone", |_| !pids.iter().any(|pid| is_alive(*pid)));
    assert!(addresses.iter().all(|address| TcpStream::connect(address).is_err()));
}
