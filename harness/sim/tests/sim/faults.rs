//! What faults do to nodes, disks and clients, and what is said of them.

use std::time::Duration;

use rashomon_core::switch::LinkRule;
use rashomon_core::{
    Disruption, Event, FaultId, FaultKind, Link, NodeId, Outcome, Probe, Time, WallClock, World,
};
use rashomon_sim::{Config, Span, Timing};
use serde_json::json;

use crate::pad::{Desk, MILLISECOND, config};

const FAULT: FaultId = FaultId(0);

fn desk(seed: u64) -> Desk {
    Desk::new(config(seed))
}

fn one() -> Vec<NodeId> {
    vec![NodeId(1)]
}

/// What the node took for the time since the start when it said that.
fn wall(probe: &Probe) -> Duration {
    Time(probe.number("wall").unwrap()).since(Time::ZERO + WallClock::EPOCH)
}

/// Syncs of n1 take 10 ms.
fn slow() -> Disruption {
    Disruption::SlowDisk { nodes: one(), at_least: 10 * MILLISECOND, at_most: 10 * MILLISECOND }
}

#[test]
fn what_follows_a_record_waits_until_it_is_durable() {
    let mut desk = desk(1);
    desk.world.inject(FAULT, &slow()).unwrap();
    let begun = desk.world.now();
    desk.ok(1, json!({"type": "write", "value": 1}));
    assert!(desk.world.now() >= begun + 10 * MILLISECOND);
    let (at, ..) = desk.probes("written")[0].clone();
    assert!(at >= begun + 10 * MILLISECOND, "a probe waits as well");
    // A later step waits for an earlier one's record.
    desk.begin(1, json!({"type": "write", "value": 2}));
    desk.pass(2 * MILLISECOND);
    let begun = desk.world.now();
    assert_eq!(desk.values(1), [1, 2]);
    assert!(desk.world.now() >= begun + 5 * MILLISECOND);
    let impact = desk.world.heal(FAULT).unwrap();
    assert!(impact.bit && impact.slow_syncs == 2, "{impact:?}");
    let begun = desk.world.now();
    desk.ok(1, json!({"type": "write", "value": 3}));
    assert!(desk.world.now() < begun + 5 * MILLISECOND);
}

#[test]
fn timers_do_not_wait_for_the_disk() {
    let mut desk = desk(1);
    desk.world.inject(FAULT, &slow()).unwrap();
    desk.begin(1, json!({"type": "write", "value": 1}));
    desk.begin(1, json!({"type": "alarm", "number": 1, "after": 2}));
    desk.pass(6 * MILLISECOND);
    assert_eq!(desk.probes("alarm"), [], "it fired, but what it emitted waits");
    desk.pass(10 * MILLISECOND);
    let (_, _, probe) = desk.probes("alarm")[0].clone();
    assert!(wall(&probe) < 6 * MILLISECOND, "{probe:?}");
}

/// Writes to n1 while its disk is slow, and takes it down before the record is durable.
fn interrupted(seed: u64, request: &str, fault: &Disruption) -> (Vec<u64>, u64, Outcome) {
    let mut desk = desk(seed);
    desk.ok(1, json!({"type": "write", "value": 1}));
    desk.world.inject(FAULT, &slow()).unwrap();
    let process = desk.begin(1, json!({"type": request, "value": 2}));
    desk.pass(3 * MILLISECOND);
    desk.world.inject(FaultId(1), fault).unwrap();
    desk.pass(MILLISECOND * 100);
    let lost = desk.world.heal(FaultId(1)).unwrap().lost_bytes;
    desk.world.heal(FAULT).unwrap();
    desk.world.verify_healed().unwrap();
    desk.pass(Duration::from_secs(2));
    let outcome = desk.events.iter().find_map(|event| match event {
        Event::Completion { process: whose, outcome } if *whose == process => Some(outcome.clone()),
        _ => None,
    });
    (desk.values(1), lost, outcome.unwrap())
}

#[test]
fn a_kill_loses_nothing_that_was_written() {
    for seed in 0..20 {
        let (values, lost, outcome) = interrupted(seed, "write", &Disruption::Kill { nodes: one() });
        assert_eq!((values, lost), (vec![1, 2], 0));
        assert!(matches!(outcome, Outcome::Info(_)), "{outcome:?}");
        // A checkpoint that was not in place leaves the old log.
        let (values, ..) = interrupted(seed, "replace", &Disruption::Kill { nodes: one() });
        assert_eq!(values, [1]);
    }
}

#[test]
fn a_power_failure_loses_what_was_not_synced_and_nothing_else() {
    let mut lost = 0;
    for seed in 0..40 {
        let off = Disruption::PowerOff { nodes: one() };
        let (values, bytes, outcome) = interrupted(seed, "write", &off);
        assert!(values == [1] || values == [1, 2], "{values:?}");
        assert_eq!(values.len() == 1, bytes > 0);
        assert!(matches!(outcome, Outcome::Info(_)), "{outcome:?}");
        lost += u64::from(values.len() == 1);
        let (values, ..) = interrupted(seed, "replace", &off);
        assert!(values == [1] || values == [2], "a checkpoint is all or nothing: {values:?}");
    }
    assert!((10..40).contains(&lost), "{lost} of 40 lost the record");
}

#[test]
fn only_a_power_failure_tells_an_answer_given_too_early() {
    let early = |fault: &Disruption| {
        (0..40)
            .map(|seed| interrupted(seed, "hasty", fault))
            .filter(|(values, _, outcome)| matches!(outcome, Outcome::Ok(..)) && !values.contains(&2))
            .count()
    };
    assert_eq!(early(&Disruption::Kill { nodes: one() }), 0);
    assert!(early(&Disruption::PowerOff { nodes: one() }) > 10);
}

#[test]
fn a_dead_node_refuses_and_comes_back_with_its_log() {
    let mut desk = desk(2);
    desk.ok(1, json!({"type": "write", "value": 1}));
    desk.begin(1, json!({"type": "alarm", "number": 1, "after": 50}));
    desk.pass(5 * MILLISECOND);
    desk.world.inject(FAULT, &Disruption::Kill { nodes: one() }).unwrap();
    assert_eq!(desk.world.running(), [NodeId(2), NodeId(3)]);
    assert!(desk.world.verify_healed().is_err());
    let outcome = desk.call(1, json!({"type": "read"}));
    assert!(matches!(outcome, Outcome::Ok(NodeId(2), _)), "refused by n1, served by n2: {outcome:?}");
    desk.pass(100 * MILLISECOND);
    let impact = desk.world.heal(FAULT).unwrap();
    assert!(impact.bit && impact.processes == 1, "{impact:?}");
    assert_eq!(desk.world.heal(FAULT).unwrap(), impact);
    desk.world.verify_healed().unwrap();
    assert_eq!(desk.world.running().len(), 3);
    assert_eq!(desk.values(1), [1]);
    let boots: Vec<u64> =
        desk.probes("boot").iter().map(|(.., probe)| probe.number("records").unwrap()).collect();
    assert_eq!(boots, [0, 0, 0, 1]);
    desk.pass(Duration::from_secs(1));
    assert_eq!(desk.probes("alarm"), [], "timers die with the process");
}

#[test]
fn a_fault_that_nobody_noticed_did_not_bite() {
    for fault in [
        Disruption::Kill { nodes: one() },
        Disruption::PowerOff { nodes: one() },
        Disruption::Pause { nodes: one() },
        Disruption::Restart { nodes: one() },
        slow(),
        cut(1, 2),
    ] {
        let mut desk = desk(3);
        desk.world.inject(FAULT, &fault).unwrap();
        desk.pass(100 * MILLISECOND);
        desk.ok(3, json!({"type": "tell", "to": 2, "text": "elsewhere"}));
        assert!(!desk.world.heal(FAULT).unwrap().bit, "{fault}");
    }
}

fn cut(from: u16, to: u16) -> Disruption {
    Disruption::Links {
        kind: FaultKind::Partition,
        links: vec![Link { from: NodeId(from), to: NodeId(to) }],
        rule: LinkRule { cut: true, ..LinkRule::default() },
    }
}

#[test]
fn a_message_to_an_absent_node_shows_that_the_fault_bit() {
    for fault in [Disruption::Kill { nodes: one() }, Disruption::Pause { nodes: one() }, cut(2, 1)] {
        let mut desk = desk(3);
        desk.world.inject(FAULT, &fault).unwrap();
        desk.ok(2, json!({"type": "tell", "to": 1, "text": "hello"}));
        desk.pass(10 * MILLISECOND);
        assert_eq!(desk.probes("heard"), []);
        assert!(desk.world.heal(FAULT).unwrap().bit, "{fault}");
        desk.pass(100 * MILLISECOND);
        let heard = desk.probes("heard").len();
        // What came for a stopped process waits for it.
        assert_eq!(heard, usize::from(matches!(fault, Disruption::Pause { .. })), "{fault}");
    }
}

#[test]
fn a_stopped_node_makes_clients_wait_and_does_all_it_was_asked_once_it_goes_on() {
    let mut desk = desk(4);
    desk.begin(1, json!({"type": "alarm", "number": 1, "after": 50}));
    desk.pass(5 * MILLISECOND);
    desk.world.inject(FAULT, &Disruption::Pause { nodes: one() }).unwrap();
    desk.world.inject(FaultId(1), &Disruption::Pause { nodes: one() }).unwrap();
    let outcome = desk.call(1, json!({"type": "write", "value": 7}));
    assert!(matches!(&outcome, Outcome::Info(text) if text.contains("timed out")), "{outcome:?}");
    assert!(desk.world.heal(FAULT).unwrap().bit);
    assert_eq!(desk.world.running(), [NodeId(2), NodeId(3)], "another fault keeps it still");
    desk.pass(10 * MILLISECOND);
    assert_eq!(desk.probes("alarm"), []);
    let resumed = desk.world.now();
    desk.world.heal(FaultId(1)).unwrap();
    desk.world.verify_healed().unwrap();
    desk.pass(10 * MILLISECOND);
    assert_eq!(desk.probes("alarm").len(), 1, "late, but not lost");
    assert!(desk.probes("alarm")[0].0 >= resumed);
    assert_eq!(desk.values(1), [7], "its client had given up");
}

#[test]
fn a_stop_ends_with_the_process_that_was_stopped() {
    let mut desk = desk(4);
    desk.world.inject(FAULT, &Disruption::Pause { nodes: one() }).unwrap();
    desk.world.inject(FaultId(1), &Disruption::Restart { nodes: one() }).unwrap();
    desk.pass(100 * MILLISECOND);
    assert_eq!(desk.world.running().len(), 3);
    assert_eq!(desk.values(1), [] as [u64; 0]);
    desk.world.heal(FaultId(1)).unwrap();
    desk.world.heal(FAULT).unwrap();
    desk.world.verify_healed().unwrap();
}

#[test]
fn a_process_can_be_stopped_and_killed_while_it_boots() {
    let mut desk = desk(5);
    desk.world.inject(FAULT, &Disruption::Restart { nodes: one() }).unwrap();
    desk.world.inject(FaultId(1), &Disruption::Pause { nodes: one() }).unwrap();
    desk.pass(100 * MILLISECOND);
    assert_eq!(desk.probes("boot").len(), 3);
    desk.world.heal(FaultId(1)).unwrap();
    desk.pass(MILLISECOND);
    assert_eq!(desk.probes("boot").len(), 4);
    desk.world.inject(FaultId(2), &Disruption::Restart { nodes: one() }).unwrap();
    desk.world.inject(FaultId(3), &Disruption::Restart { nodes: one() }).unwrap();
    desk.pass(100 * MILLISECOND);
    assert_eq!(desk.probes("boot").len(), 5, "the first of the two never was");
}

#[test]
fn what_a_dead_life_said_is_dropped_once_the_next_was_heard() {
    // Messages take up to a second, so that those of one life come after those of the next.
    let timing = Timing { message: Span::micros(1_000, 1_000_000), ..Timing::default() };
    let mut desk = Desk::new(Config { timing, ..config(6) });
    for _ in 0..20 {
        desk.ok(1, json!({"type": "tell", "to": 2, "text": "old"}));
    }
    desk.world.inject(FAULT, &Disruption::Restart { nodes: one() }).unwrap();
    desk.world.verify_healed().unwrap_err();
    desk.world.heal(FAULT).unwrap();
    desk.world.verify_healed().unwrap();
    for _ in 0..20 {
        desk.ok(1, json!({"type": "tell", "to": 2, "text": "new"}));
    }
    desk.pass(Duration::from_secs(2));
    let heard: Vec<String> =
        desk.probes("heard").iter().map(|(.., probe)| probe.fields["text"].to_string()).collect();
    let first_new = heard.iter().position(|text| text.contains("new")).unwrap();
    assert!(heard[first_new..].iter().all(|text| text.contains("new")), "{heard:?}");
    let stale = desk.world.network().nodes[&NodeId(2)].stale;
    assert!(stale > 0 && heard.len() as u64 + stale == 40, "{stale}: {heard:?}");
}

#[test]
fn a_damaged_message_is_a_lost_one_and_counted() {
    let mut desk = desk(7);
    let corrupt = Disruption::Links {
        kind: FaultKind::Corrupt,
        links: vec![Link { from: NodeId(1), to: NodeId(2) }],
        rule: LinkRule { corrupt: 50, duplicate: 50, ..LinkRule::default() },
    };
    desk.world.inject(FAULT, &corrupt).unwrap();
    for _ in 0..100 {
        desk.ok(1, json!({"type": "tell", "to": 2, "text": "x"}));
    }
    desk.pass(100 * MILLISECOND);
    let network = desk.world.network();
    let link = network.links[&Link { from: NodeId(1), to: NodeId(2) }];
    let node = network.nodes[&NodeId(2)];
    assert_eq!((link.sent, link.corrupted), (100, node.damaged));
    assert!(node.damaged > 25);
    assert_eq!(node.received, 100 + link.duplicated - node.damaged);
    assert_eq!(desk.probes("heard").len() as u64, node.received);
    let touched = desk.world.heal(FAULT).unwrap();
    assert!(touched.bit && touched.messages > node.damaged);
}

#[test]
fn requests_under_way_to_a_node_that_dies_are_doubtful() {
    let mut desk = desk(8);
    let process = desk.begin(1, json!({"type": "ignore"}));
    desk.pass(MILLISECOND);
    desk.world.inject(FAULT, &Disruption::Kill { nodes: one() }).unwrap();
    desk.pass(5 * MILLISECOND);
    let Some(Event::Completion { process: whose, outcome: Outcome::Info(reason) }) = desk.events.last()
    else {
        panic!("{:?}", desk.events.last())
    };
    assert_eq!((*whose, reason.as_str()), (process, "n1: connection reset"));
    assert!(desk.world.heal(FAULT).unwrap().bit, "its client waited for it");
}

#[test]
fn a_node_that_is_back_is_missed_no_more_and_can_be_missed_again() {
    let mut desk = desk(10);
    desk.world.inject(FAULT, &Disruption::Kill { nodes: one() }).unwrap();
    desk.ok(2, json!({"type": "tell", "to": 1, "text": "lost"}));
    desk.pass(10 * MILLISECOND);
    desk.world.heal(FAULT).unwrap();
    desk.world.verify_healed().unwrap();
    desk.ok(2, json!({"type": "tell", "to": 1, "text": "heard"}));
    desk.pass(10 * MILLISECOND);
    assert_eq!(desk.world.network().nodes[&NodeId(1)].missed, 1);
    // Whoever waits when it stops again has missed it.
    desk.begin(1, json!({"type": "ignore"}));
    desk.pass(MILLISECOND);
    desk.world.inject(FaultId(1), &Disruption::Pause { nodes: one() }).unwrap();
    desk.pass(MILLISECOND);
    let impact = desk.world.heal(FaultId(1)).unwrap();
    assert!(impact.bit && impact.processes == 1, "{impact:?}");
}

/// Processes boot within a millisecond, and requests take that long.
fn quick_to_boot(request: Span) -> Desk {
    let timing = Timing { boot: Span::micros(1_000, 1_000), client: request, ..Timing::default() };
    Desk::new(Config { timing, ..config(11) })
}

#[test]
fn a_sync_of_a_dead_life_ends_no_sync_of_the_next() {
    let mut desk = quick_to_boot(Span::micros(100, 100));
    desk.world.inject(FAULT, &slow()).unwrap();
    desk.begin(1, json!({"type": "write", "value": 1}));
    desk.pass(5 * MILLISECOND);
    desk.world.inject(FaultId(1), &Disruption::Restart { nodes: one() }).unwrap();
    desk.pass(2 * MILLISECOND);
    let begun = desk.world.now();
    desk.ok(1, json!({"type": "write", "value": 2}));
    assert!(desk.world.now() >= begun + 10 * MILLISECOND);
}

#[test]
fn a_request_to_a_dead_life_does_not_reach_the_next() {
    let mut desk = quick_to_boot(Span::micros(20_000, 20_000));
    let process = desk.begin(1, json!({"type": "write", "value": 1}));
    desk.pass(MILLISECOND);
    desk.world.inject(FAULT, &Disruption::Restart { nodes: one() }).unwrap();
    desk.pass(100 * MILLISECOND);
    let end = desk.events.last();
    let doubtful = matches!(end, Some(Event::Completion { process: whose, outcome: Outcome::Info(_) }) if *whose == process);
    assert!(doubtful, "{end:?}");
    assert_eq!(desk.values(1), [] as [u64; 0]);
}
