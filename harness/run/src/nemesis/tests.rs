use std::collections::BTreeSet;
use std::time::Duration;

use rashomon_core::{FaultKind, Seed, Shape, Skew, Target};

use super::*;
use crate::plan::{Random, Script, ScriptStep};

const NODES: [NodeId; 5] = [NodeId(1), NodeId(2), NodeId(3), NodeId(4), NodeId(5)];

fn cluster() -> Cluster<'static> {
    Cluster { nodes: &NODES, running: &NODES, leader: Some(NodeId(2)), source: None }
}

/// Runs a nemesis to `until` and gives its orders with their times.
fn orders(director: &mut Director, until: Duration) -> Vec<(Time, Order)> {
    let mut orders = Vec::new();
    while let Some(now) = director.next_due().filter(|due| *due <= Time::ZERO + until) {
        orders.extend(director.due(now, &cluster()).into_iter().map(|order| (now, order)));
    }
    orders
}

fn random(kinds: Vec<FaultKind>, seed: u64) -> Director {
    let plan = Nemesis::Random(Random { kinds, interval: Duration::from_millis(1500) });
    Director::new(&plan, Seed(seed).rng())
}

fn script(steps: &str) -> Director {
    let steps: Vec<ScriptStep> = serde_json::from_str(steps).unwrap();
    Director::new(&Nemesis::Script(Script { steps }), Seed(1).rng())
}

fn secs(secs: u64) -> Time {
    Time::ZERO + Duration::from_secs(secs)
}

#[test]
fn every_kind_occurs_within_fifteen_seconds() {
    let kinds = crate::plan::DEFAULT_KINDS.to_vec();
    for seed in 0..200 {
        let seen: BTreeSet<FaultKind> = orders(&mut random(kinds.clone(), seed), Duration::from_secs(14))
            .into_iter()
            .filter_map(|(_, order)| match order {
                Order::Inject { disruption, .. } => Some(disruption.kind()),
                Order::Skip { .. } | Order::Heal { .. } => None,
            })
            .collect();
        assert!(kinds.iter().all(|kind| seen.contains(kind)), "seed {seed}: {seen:?}");
        assert!(seen.contains(&FaultKind::SlowDisk), "seed {seed}: power-off comes with slow-disk");
    }
}

#[test]
fn what_is_injected_is_healed_and_never_twice() {
    let mut open = BTreeSet::new();
    let all = FaultKind::ALL.iter().map(|(kind, ..)| *kind).collect();
    for (at, order) in orders(&mut random(all, 3), Duration::from_mins(2)) {
        match order {
            Order::Inject { id, .. } => assert!(open.insert(id), "{id:?} twice at {at}"),
            Order::Heal { id } => assert!(open.remove(&id), "{id:?} healed but not in force at {at}"),
            Order::Skip { .. } => {}
        }
        assert!(open.len() <= 3, "too much at once: {open:?}");
    }
}

#[test]
fn clocks_are_wrong_in_every_way_by_amounts_that_can_be() {
    let mut forms = BTreeSet::new();
    for (_, order) in orders(&mut random(vec![FaultKind::Clock], 4), Duration::from_mins(2)) {
        if let Order::Inject { disruption: Disruption::Clock { nodes, skew }, .. } = order {
            assert!(!nodes.is_empty() && skew.trouble().is_none(), "{nodes:?} {skew:?}");
            forms.insert(match skew {
                Skew::Ahead(_) => "ahead",
                Skew::Behind(_) => "behind",
                Skew::Strobe { .. } => "strobe",
                Skew::Fast(_) => "fast",
                Skew::Slow(_) => "slow",
            });
        }
    }
    assert_eq!(forms.len(), 5, "{forms:?}");
}

#[test]
fn the_same_seed_makes_the_same_nemesis() {
    let kinds = crate::plan::DEFAULT_KINDS.to_vec();
    let run = |seed| orders(&mut random(kinds.clone(), seed), Duration::from_mins(1));
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
}

#[test]
fn no_kinds_no_faults() {
    assert_eq!(random(vec![], 1).next_due(), None);
}

#[test]
fn a_step_strikes_at_its_time_and_is_healed_at_its_end() {
    let mut director = script(r#"[{"at":"2s","do":{"fault":"kill","target":"leader"},"for":"3s"}]"#);
    let orders = orders(&mut director, Duration::from_mins(1));
    let disruption = Disruption::Kill { nodes: vec![NodeId(2)] };
    let fault = Fault::Kill { target: Target::Leader };
    assert_eq!(
        orders,
        [
            (secs(2), Order::Inject { id: FaultId(0), fault, disruption }),
            (secs(5), Order::Heal { id: FaultId(0) })
        ]
    );
}

#[test]
fn a_step_is_armed_by_the_probe_it_names() {
    let mut director = script(
        r#"[{"on":{"probe":"vote","node":"n3","fields":{"candidate":["n1","n2"]}},
             "do":{"fault":"kill","target":"source"},"for":"1s","repeat":true}]"#,
    );
    assert_eq!(director.next_due(), None);
    let vote = |candidate: &str| Probe::new("vote").with("candidate", candidate);
    director.observe(secs(1), NodeId(3), &vote("n5"));
    director.observe(secs(1), NodeId(4), &vote("n1"));
    director.observe(secs(1), NodeId(3), &Probe::new("leader"));
    assert_eq!(director.next_due(), None, "another candidate, another node, another probe");
    director.observe(secs(1), NodeId(3), &vote("n2"));
    let orders = director.due(secs(1), &cluster());
    assert!(
        matches!(&orders[..], [Order::Inject { disruption: Disruption::Kill { nodes }, .. }] if nodes == &[NodeId(3)])
    );
    assert_eq!(director.due(secs(2), &cluster()), [Order::Heal { id: FaultId(0) }]);
    director.observe(secs(3), NodeId(3), &vote("n1"));
    assert_eq!(director.due(secs(3), &cluster()).len(), 1, "it repeats");
}

#[test]
fn steps_wait_for_each_other_and_heal_each_other() {
    let mut director = script(
        r#"[{"name":"cut","at":"1s","do":{"fault":"partition","shape":"leader"}},
            {"name":"late","once-after":["cut"],"after":"2s","heal":["cut"]},
            {"once-after":["late"],"do":{"fault":"pause","target":"one"}}]"#,
    );
    let orders = orders(&mut director, Duration::from_mins(1));
    assert_eq!(orders.len(), 3);
    assert!(matches!(
        &orders[0],
        (at, Order::Inject { fault: Fault::Partition { shape: Shape::Leader }, .. }) if *at == secs(1)
    ));
    assert_eq!(orders[1], (secs(3), Order::Heal { id: FaultId(0) }));
    assert!(matches!(&orders[2], (at, Order::Inject { fault: Fault::Pause { .. }, .. }) if *at == secs(3)));
}

#[test]
fn a_fault_that_finds_nobody_is_skipped_and_said() {
    let mut director = script(r#"[{"at":"1s","do":{"fault":"kill"}}]"#);
    let nobody = Cluster { running: &[], ..cluster() };
    assert!(matches!(director.due(secs(1), &nobody)[..], [Order::Skip { .. }]));
}

#[test]
fn recorded_faults_strike_the_same_nodes_at_the_same_times() {
    let kill =
        |node| (Fault::Kill { target: Target::Leader }, Disruption::Kill { nodes: vec![NodeId(node)] });
    let recorded = |at, until: Option<u64>, (fault, disruption)| crate::plan::RecordedFault {
        id: None,
        at: Duration::from_secs(at),
        until: until.map(Duration::from_secs),
        fault,
        disruption,
    };
    let plan = Nemesis::Recorded(vec![recorded(2, Some(4), kill(3)), recorded(1, None, kill(5))]);
    let mut director = Director::new(&plan, Seed(1).rng());
    let done: Vec<(Time, u32)> = orders(&mut director, Duration::from_mins(1))
        .into_iter()
        .map(|(at, order)| match order {
            Order::Inject { id, .. } | Order::Heal { id } | Order::Skip { id, .. } => (at, id.0),
        })
        .collect();
    assert_eq!(done, [(secs(1), 1), (secs(2), 0), (secs(4), 0)]);
}
