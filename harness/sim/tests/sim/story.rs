//! Traces and overrides: how a run is told, and told differently.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rashomon_core::switch::LinkRule;
use rashomon_core::{Disruption, FaultId, FaultKind, Happening, Link, NodeId, Trace, World};
use rashomon_sim::{Config, Override};
use rashomon_systems::raft::Raft;
use serde_json::json;

use crate::driver::{Plan, run, trace};
use crate::pad::{Desk, MILLISECOND, config};

const LINK: Link = Link { from: NodeId(1), to: NodeId(2) };

/// n1 tells n2 a number of things over a link that loses half of them; gives what n2 heard, and the trace.
fn told(config: Config) -> (Vec<String>, Trace) {
    story(config, 50)
}

/// The same over a link that loses so many of a hundred.
fn story(config: Config, loss: u8) -> (Vec<String>, Trace) {
    let mut desk = Desk::new(Config { trace: 1000, ..config });
    let rule = LinkRule { loss, ..LinkRule::default() };
    let lossy = Disruption::Links { kind: FaultKind::Loss, links: vec![LINK], rule };
    desk.world.inject(FaultId(0), &lossy).unwrap();
    for number in 0..20 {
        desk.ok(1, json!({"type": "tell", "to": 2, "text": format!("m{number}")}));
        desk.pass(2 * MILLISECOND);
    }
    let probes = desk.probes("heard");
    let heard = probes.iter().map(|(.., probe)| probe.fields["text"].as_str().unwrap().to_owned());
    (heard.collect(), desk.world.take_trace())
}

#[test]
fn a_trace_tells_what_became_of_every_message() {
    let (heard, trace) = told(config(1));
    let mut arrived = Vec::new();
    let mut lost = 0;
    for happening in &trace.happenings {
        if let Happening::Message { link, sequence, arrivals, fate, text, .. } = happening {
            assert_eq!((*link, *sequence), (LINK, arrived.len() as u64 + lost));
            if arrivals.is_empty() {
                assert_eq!(fate, &["lost"]);
                lost += 1;
            } else {
                arrived.push(text.clone());
            }
        }
    }
    assert!(lost > 3 && heard.len() > 3);
    assert_eq!(arrived.len(), heard.len());
    assert!(arrived.iter().zip(&heard).all(|(text, heard)| text.contains(heard)), "{arrived:?}");
    assert_eq!(trace.left_out, 0);
}

#[test]
fn an_override_changes_the_fate_of_one_message_and_of_no_other() {
    let (heard, _) = told(config(1));
    let number = |text: &str| text[1..].parse::<u64>().unwrap();
    let kept = number(&heard[1]);
    let lost = (0..20).find(|other| !heard.contains(&format!("m{other}"))).unwrap();
    let overrides = BTreeMap::from([
        ((LINK, kept), Override::Drop),
        ((LINK, lost), Override::Deliver(Duration::from_micros(1))),
    ]);
    let (again, _) = told(Config { overrides, ..config(1) });
    let set = |heard: &[String]| heard.iter().map(|text| number(text)).collect::<BTreeSet<u64>>();
    let changed: Vec<u64> = set(&heard).symmetric_difference(&set(&again)).copied().collect();
    let mut expected = vec![kept, lost];
    expected.sort_unstable();
    assert_eq!(changed, expected);
}

#[test]
fn what_is_let_pass_takes_as_long_as_on_a_clear_link() {
    let all = |fate| (0..20).map(|number| ((LINK, number), fate)).collect();
    let arrivals = |(_, trace): (Vec<String>, Trace)| -> Vec<_> {
        let arrivals = |happening: &Happening| match happening {
            Happening::Message { at, arrivals, fate, .. } => {
                assert_eq!(fate.len(), 0, "nothing was done to it");
                Some(arrivals.iter().map(|arrival| arrival.since(*at)).collect::<Vec<_>>())
            }
            _ => None,
        };
        trace.happenings.iter().filter_map(arrivals).collect()
    };
    let clear = arrivals(story(config(1), 0));
    let passed = arrivals(story(Config { overrides: all(Override::Pass), ..config(1) }, 100));
    assert_eq!(clear.len(), 20);
    assert_eq!(clear, passed);
}

#[test]
fn a_trace_changes_nothing_and_ends_where_it_is_told_to() {
    let plan = Plan { time_limit: Duration::from_secs(4), rate: 50, ..Plan::new(3) };
    let mut traced = plan.clone();
    traced.config.trace = 1_000;
    assert_eq!(run::<Raft>(&plan).text(), run::<Raft>(&traced).text());
    let short = trace::<Raft>(&traced);
    assert_eq!(short.happenings.len(), 1_000);
    traced.config.trace = 1_000_000;
    let whole = trace::<Raft>(&traced);
    assert_eq!(short.left_out, whole.happenings.len() as u64 - 1_000);
    assert_eq!(short.happenings, whole.happenings[..1_000]);
    let kinds: BTreeSet<String> = whole
        .happenings
        .iter()
        .map(|happening| serde_json::to_value(happening).unwrap()["what"].as_str().unwrap().to_owned())
        .collect();
    for kind in ["message", "request", "answer", "timer", "durable", "boot"] {
        assert!(kinds.contains(kind), "{kind}: {kinds:?}");
    }
}
