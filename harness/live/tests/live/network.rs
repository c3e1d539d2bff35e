//! What happens to messages between nodes.

use std::net::UdpSocket;
use std::time::Duration;

use rashomon_core::client::Outcome;
use rashomon_core::switch::LinkRule;
use rashomon_core::{Event, FaultKind, Link, NodeId, Value, World};
use rashomon_live::NodeCounters;
use serde_json::json;

use crate::support::{Trial, alone, around};
use crate::trials;

pub(crate) const TRIALS: &[trials::Trial] = &[
    ("a_partition_blocks_and_heals", a_partition_blocks_and_heals),
    ("a_damaged_message_is_a_lost_message", a_damaged_message_is_a_lost_message),
    ("a_duplicated_message_is_heard_twice", a_duplicated_message_is_heard_twice),
    ("a_delayed_message_is_overtaken", a_delayed_message_is_overtaken),
    ("strangers_are_not_heard", strangers_are_not_heard),
    ("a_message_too_large_for_a_frame_stops_the_node", a_message_too_large_for_a_frame_stops_the_node),
    ("the_journal_tells_each_fate", the_journal_tells_each_fate),
];

const ONE_TO_TWO: Link = Link { from: NodeId(1), to: NodeId(2) };

fn a_partition_blocks_and_heals() {
    let mut trial = Trial::start(3);
    let cut = trial.inject(&alone(1, 3));
    let outcome = trial.call(1, &json!({"type": "round_trip"}));
    assert!(matches!(outcome, Outcome::Info(_)), "{outcome:?}");
    // Clients do not pass the switch, and the others still have each other.
    trial.ok(1, &json!({"type": "echo", "value": 1}));
    trial.ok(2, &json!({"type": "spread", "value": "beyond"}));
    trial.heard(3, "beyond");
    assert!(trial.world.verify_healed().is_err());
    let impact = trial.heal(cut);
    assert!(impact.bit && impact.messages >= 3, "{impact:?}");
    trial.world.verify_healed().unwrap();
    trial.ok(1, &json!({"type": "round_trip"}));
    let heard = |event: &Event| matches!(event, Event::Probe { node: NodeId(1), probe, .. } if probe.probe == "heard");
    assert!(!trial.seen.iter().any(heard), "the partition leaks");
    let links = trial.world.network().unwrap().links;
    assert_eq!((links[&ONE_TO_TWO].sent, links[&ONE_TO_TWO].cut), (2, 1), "{:?}", links[&ONE_TO_TWO]);
}

/// What the driver of a node has counted by now.
fn counters(trial: &mut Trial, node: u16) -> NodeCounters {
    trial.world.verify_healed().unwrap();
    trial.world.network().unwrap().nodes[&NodeId(node)]
}

fn a_damaged_message_is_a_lost_message() {
    let mut trial = Trial::start(2);
    let rule = LinkRule { corrupt: 100, ..LinkRule::default() };
    let fault = trial.inject(&around(1, 2, FaultKind::Corrupt, rule));
    for _ in 0..20 {
        trial.ok(1, &json!({"type": "spread", "value": "damaged"}));
    }
    trial.until("carried", |trial| trial.world.network().unwrap().links[&ONE_TO_TWO].corrupted == 20);
    let impact = trial.heal(fault);
    assert_eq!((impact.bit, impact.messages), (true, 20));
    trial.ok(1, &json!({"type": "spread", "value": "whole"}));
    trial.heard(2, "whole");
    let counters = counters(&mut trial, 2);
    assert_eq!((counters.damaged, counters.received), (20, 1), "{counters:?}");
    assert!(!trial.seen.iter().any(|event| matches!(event, Event::Crash { .. } | Event::Garbage { .. })));
}

fn a_duplicated_message_is_heard_twice() {
    let mut trial = Trial::start(2);
    let rule = LinkRule { duplicate: 100, ..LinkRule::default() };
    let fault = trial.inject(&around(1, 2, FaultKind::Duplicate, rule));
    trial.ok(1, &json!({"type": "spread", "value": "echo"}));
    trial.heard(2, "echo");
    trial.heard(2, "echo");
    assert!(trial.heal(fault).bit);
    assert_eq!(counters(&mut trial, 2).received, 2);
}

fn a_delayed_message_is_overtaken() {
    let mut trial = Trial::start(2);
    let rule = LinkRule { delay: Duration::from_millis(200), ..LinkRule::default() };
    let fault = trial.inject(&around(1, 2, FaultKind::Delay, rule));
    trial.ok(1, &json!({"type": "spread", "value": "slow"}));
    trial.until("carried", |trial| trial.world.network().unwrap().links[&ONE_TO_TWO].delayed == 1);
    assert!(trial.heal(fault).bit);
    trial.ok(1, &json!({"type": "spread", "value": "fast"}));
    trial.heard(2, "slow");
    let fast = |event: &Event| matches!(event, Event::Probe { probe, .. } if probe.fields.get("value") == Some(&json!("fast")));
    assert!(trial.seen.iter().any(fast), "the slow message came first");
}

/// A frame as the format says, made by hand.
fn frame(run: u64, from: u16, to: u16, incarnation: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = b"RSHM\x01".to_vec();
    frame.extend_from_slice(&from.to_be_bytes());
    frame.extend_from_slice(&to.to_be_bytes());
    frame.extend_from_slice(&incarnation.to_be_bytes());
    frame.extend_from_slice(&run.to_be_bytes());
    frame.extend_from_slice(payload);
    let checksum = crc32c::crc32c(&frame);
    frame.extend_from_slice(&checksum.to_be_bytes());
    frame
}

fn strangers_are_not_heard() {
    let mut trial = Trial::start(3);
    let config = std::fs::read(trial.dir.path().join("nodes/n2/config.json")).unwrap();
    let config: Value = serde_json::from_slice(&config).unwrap();
    let run = config["run"].as_u64().unwrap();
    let peer = &config["peers"][0];
    assert_eq!(peer["node"], "n1");
    let ear = peer["listen"].as_str().unwrap();
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    let rumour = br#"{"rumour":"slander"}"#;
    stranger.send_to(&frame(run ^ 1, 1, 2, 1, rumour), ear).unwrap();
    stranger.send_to(&frame(run, 3, 2, 1, rumour), ear).unwrap();
    stranger.send_to(&frame(run, 1, 3, 1, rumour), ear).unwrap();
    stranger.send_to(b"GET / HTTP/1.1", ear).unwrap();
    // What is well formed in every respect is heard: the others were dropped for what they are.
    stranger.send_to(&frame(run, 1, 2, 1, br#"{"rumour":"forged"}"#), ear).unwrap();
    trial.heard(2, "forged");
    let seen = counters(&mut trial, 2);
    assert_eq!((seen.foreign, seen.misaddressed, seen.damaged), (1, 2, 1), "{seen:?}");
    // A stale frame is one of an earlier incarnation than was heard.
    stranger.send_to(&frame(run, 1, 2, 0, rumour), ear).unwrap();
    trial.until("counted", |trial| counters(trial, 2).stale == 1);
    // A relay carries only what comes from its own node.
    let relay = peer["address"].as_str().unwrap();
    stranger.send_to(&frame(run, 2, 1, 1, rumour), relay).unwrap();
    trial.until("counted", |trial| trial.world.network().unwrap().strays == 1);
    assert!(!trial.seen.iter().any(|event| format!("{event:?}").contains("slander")));
}

fn a_message_too_large_for_a_frame_stops_the_node() {
    let mut trial = Trial::start(2);
    trial.begin(1, &json!({"type": "spread", "value": "x".repeat(9000)}));
    let report = trial.wait("crash", |event| match event {
        Event::Crash { node: NodeId(1), report } => Some(report.clone()),
        _ => None,
    });
    assert!(report.contains("too large for a frame"), "{report}");
}

fn the_journal_tells_each_fate() {
    let mut trial = Trial::start(2);
    let cut = trial.inject(&alone(1, 2));
    trial.ok(1, &json!({"type": "spread", "value": "cut"}));
    trial.until("carried", |trial| trial.world.network().unwrap().links[&ONE_TO_TWO].cut == 1);
    trial.heal(cut);
    trial.ok(1, &json!({"type": "spread", "value": "through"}));
    trial.heard(2, "through");
    let kill = trial.inject(&rashomon_core::Disruption::Kill { nodes: vec![NodeId(2)] });
    trial.ok(1, &json!({"type": "spread", "value": "missed"}));
    trial.until("carried", |trial| trial.world.network().unwrap().links[&ONE_TO_TWO].sent == 3);
    trial.heal(kill);
    let Trial { world, dir, .. } = trial;
    let (network, summary) = world.shutdown().unwrap();
    assert_eq!(network.links[&ONE_TO_TWO].delivered, 2);
    assert_eq!((summary.entries, summary.left_out), (4, 0));
    let file = std::fs::File::open(dir.path().join("messages.jsonl.zst")).unwrap();
    let text = String::from_utf8(zstd::decode_all(file).unwrap()).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["format"], &lines[0]["version"]), (&json!("rashomon-messages"), &json!(1)));
    assert_eq!(
        (&lines[1]["kind"], &lines[1]["marks"], &lines[1]["at"]),
        (&json!("rumour"), &json!(["cut"]), &json!([]))
    );
    assert_eq!((&lines[2]["marks"], lines[2]["at"].as_array().unwrap().len()), (&json!([]), 1));
    assert_eq!((&lines[4]["sequence"], &lines[4]["receiver"]), (&json!(2), &json!("absent")));
    assert_eq!(lines[5], json!({"end": true, "entries": 4, "left_out": 0}));
}
