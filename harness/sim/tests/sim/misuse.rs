//! Nodes and callers that break the rules.

use std::time::Duration;

use rashomon_core::{Disruption, Event, FaultId, NodeId, Outcome, Seed, Time, World, WorldError};
use rashomon_sim::{Config, SimWorld, Span, Timing};
use serde_json::json;

use crate::pad::{Desk, MILLISECOND, Pad, config};

fn desk() -> Desk {
    Desk::new(config(1))
}

/// What becomes of a node that makes that mistake, and of the client that made it do so.
fn crash(mut desk: Desk, how: &str) -> String {
    let process = desk.begin(1, json!({"type": "misuse", "how": how}));
    desk.pass(Duration::from_secs(2));
    let crashes = desk.crashes();
    assert_eq!(crashes.len(), 1, "{how}: {:?}", desk.events);
    assert_eq!(crashes[0].0, NodeId(1));
    assert_eq!(desk.world.running(), [NodeId(2), NodeId(3)]);
    assert!(desk.world.verify_healed().unwrap_err().to_string().contains(&crashes[0].1));
    let ends = desk.events.iter().filter_map(|event| match event {
        Event::Completion { process: whose, outcome } if *whose == process => Some(outcome),
        _ => None,
    });
    // The others can do without.
    let ends: Vec<&Outcome> = ends.collect();
    assert_eq!(ends.len(), 1, "{how}: {ends:?}");
    assert_eq!(desk.values(2), [] as [u64; 0]);
    crashes[0].1.clone()
}

#[test]
fn a_node_that_breaks_the_protocol_has_ended_by_itself() {
    assert_eq!(crash(desk(), "panic"), "it panicked: out of ideas");
    assert!(crash(desk(), "myself").contains("does not send to itself"));
    assert!(crash(desk(), "stranger").contains("sends to n99"));
    assert!(crash(desk(), "nonsense").contains("must be an object with a `type`"));
    assert!(crash(desk(), "untyped").contains("must be an object with a `type`"));
}

#[test]
fn a_node_that_never_comes_to_rest_has_ended_by_itself() {
    for every in [0, 1, 7] {
        let mut config = config(1);
        config.options.insert("every".to_owned(), every.into());
        let mut desk = Desk::new(config);
        assert_eq!(desk.ok(2, json!({"type": "write", "value": 5}))["type"], "ok");
        desk.begin(1, json!({"type": "misuse", "how": "loop"}));
        desk.pass(Duration::from_secs(2));
        let crashes = desk.crashes();
        assert!(crashes.len() == 1 && crashes[0].1.contains("endless loop"), "{every} ns: {crashes:?}");
        assert_eq!(desk.values(2), [5]);
    }
}

#[test]
fn what_does_not_survive_its_encoding_is_found_where_it_is_looked_for() {
    let through_json = || Desk::new(Config { through_json: true, ..config(1) });
    assert!(crash(through_json(), "large").contains("too large"));
    assert!(crash(through_json(), "lossy").contains("does not survive"));
}

#[test]
fn a_second_answer_and_one_to_somebody_else_are_heard_by_nobody() {
    let mut desk = desk();
    assert_eq!(desk.ok(1, json!({"type": "misuse", "how": "twice"}))["type"], "first");
    desk.begin(2, json!({"type": "ignore"}));
    desk.pass(MILLISECOND);
    let foreign = desk.begin(1, json!({"type": "misuse", "how": "foreign"}));
    desk.pass(20 * MILLISECOND);
    let ends: Vec<&Event> =
        desk.events.iter().filter(|event| matches!(event, Event::Completion { .. })).collect();
    // Its own ticket was among those that it answered; n2's was not its to answer.
    assert!(matches!(ends[..], [Event::Completion { process, .. }] if *process == foreign), "{ends:?}");
    assert_eq!(desk.crashes(), []);
}

#[test]
fn a_system_that_does_not_boot_does_not_start() {
    let config = Config { bugs: vec!["unbootable".to_owned()], ..config(1) };
    let error = SimWorld::<Pad>::start(config).err().unwrap();
    assert_eq!(error.to_string(), "n2: no key in the ignition");
}

#[test]
fn a_node_that_does_not_boot_again_has_ended_by_itself() {
    let mut desk = Desk::new(Config { bugs: vec!["once".to_owned()], ..config(1) });
    desk.ok(1, json!({"type": "write", "value": 1}));
    desk.world.inject(FaultId(0), &Disruption::Restart { nodes: vec![NodeId(1)] }).unwrap();
    desk.pass(100 * MILLISECOND);
    assert_eq!(desk.crashes(), [(NodeId(1), "it boots but once".to_owned())]);
    desk.world.heal(FaultId(0)).unwrap();
    assert!(desk.world.verify_healed().is_err());
}

#[test]
fn a_configuration_that_makes_no_sense_is_refused() {
    let refused = |config: Config| SimWorld::<Pad>::start(config).err().unwrap().to_string();
    assert!(refused(Config::new(0, Seed(1))).contains("0 nodes"));
    assert!(refused(Config::new(1001, Seed(1))).contains("1001 nodes"));
    let timing = Timing { message: Span::micros(0, 0), ..Timing::default() };
    assert!(refused(Config { timing, ..config(1) }).contains("a message takes no time"));
}

#[test]
fn a_fault_that_cannot_be_is_refused() {
    let mut desk = desk();
    let pause = |node| Disruption::Pause { nodes: vec![NodeId(node)] };
    for stranger in [0, 4] {
        let error = desk.world.inject(FaultId(7), &pause(stranger)).unwrap_err();
        assert!(matches!(error, WorldError::Node { node, .. } if node == NodeId(stranger)));
    }
    desk.world.inject(FaultId(7), &pause(1)).unwrap();
    assert!(desk.world.inject(FaultId(7), &pause(2)).is_err());
    desk.world.heal(FaultId(7)).unwrap();
    assert!(desk.world.inject(FaultId(7), &pause(2)).is_err(), "a number is used once");
    assert_eq!(desk.world.heal(FaultId(8)).unwrap(), rashomon_core::Impact::default());
}

#[test]
fn requests_that_make_no_sense_are_hopeless() {
    let mut desk = desk();
    for (body, code) in
        [(json!({"type": "grow"}), "(10)"), (json!({"type": "write"}), "(12)"), (json!({"value": 1}), "(12)")]
    {
        let outcome = desk.call(1, body);
        assert!(matches!(&outcome, Outcome::Fail(text) if text.contains(code)), "{outcome:?}");
    }
}

#[test]
fn with_nothing_left_to_happen_time_stands_still_rather_than_end() {
    let mut desk = desk();
    while desk.world.poll(Time::MAX).is_some() {}
    assert_eq!(desk.world.now(), Time::ZERO);
}
