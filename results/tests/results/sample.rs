//! A run that never was: five clients on a replicated register for fifteen seconds, with faults, made from
//! nothing but a seed, so that what is shown of a run can be tested without running one.

use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use rashomon_core::switch::{LinkCounts, LinkRule};
use rashomon_core::{
    Anomaly, Disruption, Fault, FaultId, FaultKind, History, Impact, Kind, Link, Map, NodeId, Op, Process,
    Shape, Target, Time, Value, Verdict,
};
use rashomon_results::{
    Coverage, Ended, Network, NodeReport, RunVerdict, Schedule, ScheduleEntry, ScheduleEvent, Totals,
};
use serde_json::json;

/// The parts of a made-up run.
pub(crate) struct Sample {
    pub(crate) plan: Value,
    pub(crate) history: History,
    pub(crate) schedule: Schedule,
    pub(crate) network: Network,
    pub(crate) verdict: RunVerdict,
}

/// How the run should be.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    /// Client threads.
    pub(crate) clients: u64,
    /// Ops a second that each client does.
    pub(crate) rate: u64,
    /// How long it lasts.
    pub(crate) length: Duration,
    /// Whether a read is stale.
    pub(crate) stale: bool,
}

impl Default for Wanted {
    fn default() -> Wanted {
        Wanted { clients: 10, rate: 40, length: Duration::from_secs(15), stale: true }
    }
}

/// A small generator of numbers: the same run every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

const MS: u64 = 1_000_000;

/// A fault of the made-up schedule: when it begins and ends, in percent of the run.
struct Strike {
    from: u64,
    to: u64,
    fault: Fault,
    disruption: Disruption,
    impact: Impact,
}

fn between(left: &[u16], right: &[u16]) -> Vec<Link> {
    let pairs = left.iter().flat_map(|a| right.iter().map(move |b| (NodeId(*a), NodeId(*b))));
    pairs.flat_map(|(a, b)| [Link { from: a, to: b }, Link { from: b, to: a }]).collect()
}

fn strikes() -> Vec<Strike> {
    let nodes = NodeId::first(5);
    let links = |kind, links, rule| Disruption::Links { kind, links, rule };
    let cut = LinkRule { cut: true, ..LinkRule::default() };
    let impact = |messages, processes, lost_bytes, slow_syncs| Impact {
        clocks: 0,
        changes: 0,
        bit: messages + processes + slow_syncs > 0,
        messages,
        processes,
        lost_bytes,
        slow_syncs,
    };
    vec![
        Strike {
            from: 8,
            to: 17,
            fault: Fault::Partition { shape: Shape::RandomHalves },
            disruption: links(FaultKind::Partition, between(&[2, 4], &[1, 3, 5]), cut),
            impact: impact(412, 0, 0, 0),
        },
        Strike {
            from: 22,
            to: 30,
            fault: Fault::Kill { target: Target::Leader },
            disruption: Disruption::Kill { nodes: vec![NodeId(3)] },
            impact: impact(0, 1, 0, 0),
        },
        Strike {
            from: 26,
            to: 40,
            fault: Fault::Jitter { target: Target::All, up_to: Duration::from_millis(50) },
            disruption: links(
                FaultKind::Jitter,
                Link::all(&nodes).collect(),
                LinkRule { jitter: Duration::from_millis(50), ..LinkRule::default() },
            ),
            impact: impact(1893, 0, 0, 0),
        },
        Strike {
            from: 44,
            to: 52,
            fault: Fault::SlowDisk { target: Target::All },
            disruption: Disruption::SlowDisk {
                nodes: nodes.clone(),
                at_least: Duration::from_millis(5),
                at_most: Duration::from_millis(50),
            },
            impact: impact(0, 0, 0, 307),
        },
        Strike {
            from: 48,
            to: 55,
            fault: Fault::PowerOff { target: Target::One },
            disruption: Disruption::PowerOff { nodes: vec![NodeId(5)] },
            impact: impact(0, 1, 212, 0),
        },
        Strike {
            from: 60,
            to: 71,
            fault: Fault::Partition { shape: Shape::Leader },
            disruption: links(FaultKind::Partition, between(&[1], &[2, 3, 4, 5]), cut),
            impact: impact(655, 0, 0, 0),
        },
        Strike {
            from: 76,
            to: 83,
            fault: Fault::Pause { target: Target::Minority },
            disruption: Disruption::Pause { nodes: vec![NodeId(2), NodeId(4)] },
            impact: impact(0, 2, 0, 0),
        },
        Strike {
            from: 87,
            to: 93,
            fault: Fault::Loss { target: Target::All, percent: 20 },
            disruption: links(
                FaultKind::Loss,
                Link::all(&nodes).collect(),
                LinkRule { loss: 20, ..LinkRule::default() },
            ),
            impact: impact(388, 0, 0, 0),
        },
    ]
}

/// What one client is about.
struct Client {
    process: u64,
    open: Option<Open>,
}

struct Open {
    invoke: Op,
    outcome: Kind,
}

fn op(time: u64, kind: Kind, process: u64, f: &str, key: &str, node: u64) -> Op {
    Op {
        index: 0,
        time: Time(time),
        kind,
        process: Process::Client(process),
        f: f.into(),
        value: Value::Null,
        key: Some(key.into()),
        error: None,
        node: Some(format!("n{}", node % 5 + 1)),
    }
}

/// Makes a run.
pub(crate) fn sample(shape: Wanted) -> Sample {
    let end = shape.length.as_nanos() as u64;
    let strikes = strikes();
    let in_force = |time: u64| strikes.iter().filter(move |s| (s.from..s.to).contains(&(time * 100 / end)));
    let mut dice = Dice(7);
    let mut ops: Vec<Op> = Vec::new();
    let mut clients: Vec<Client> = (0..shape.clients).map(|process| Client { process, open: None }).collect();
    let mut values: BTreeMap<String, Vec<(u64, u64)>> = BTreeMap::new();
    let mut agenda: BinaryHeap<std::cmp::Reverse<(u64, u64)>> = BinaryHeap::new();
    let pace = 1_000_000_000 / shape.rate;
    for thread in 0..shape.clients {
        agenda.push(std::cmp::Reverse((380 * MS + dice.roll(pace), thread)));
    }
    let mut fresh = 1;
    let mut stale_at = None;
    while let Some(std::cmp::Reverse((time, thread))) = agenda.pop() {
        let client = &mut clients[thread as usize];
        let Some(Open { invoke, outcome }) = client.open.take() else {
            if time >= end {
                continue;
            }
            let key = format!("k{}", dice.roll(6) + 6 * (time * 4 / end));
            let seen = values.entry(key.clone()).or_default().last().map(|(value, _)| *value);
            let mut invoke = match (dice.roll(4), seen) {
                (0 | 1, _) => op(time, Kind::Invoke, client.process, "read", &key, thread),
                (2, Some(from)) => {
                    fresh += 1;
                    Op {
                        value: json!([from, fresh]),
                        ..op(time, Kind::Invoke, client.process, "cas", &key, thread)
                    }
                }
                _ => {
                    fresh += 1;
                    Op {
                        value: json!(fresh),
                        ..op(time, Kind::Invoke, client.process, "write", &key, thread)
                    }
                }
            };
            let mut latency = 700_000 + dice.roll(2_500_000) * (1 + dice.roll(12) / 11 * 6);
            let mut outcome = Kind::Ok;
            for strike in in_force(time) {
                let worse = dice.roll(100);
                match strike.fault.kind() {
                    FaultKind::Jitter => latency += dice.roll(110) * MS,
                    FaultKind::SlowDisk => latency += (8 + dice.roll(90)) * MS,
                    FaultKind::Loss => latency += (worse / 70) * (60 + dice.roll(300)) * MS,
                    FaultKind::Kill | FaultKind::Partition if worse < 22 => {
                        latency = (500 + dice.roll(500)) * MS;
                        outcome = if invoke.f == "read" { Kind::Fail } else { Kind::Info };
                    }
                    _ if worse < 9 => outcome = Kind::Fail,
                    _ => latency += (worse / 60) * (20 + dice.roll(280)) * MS,
                }
            }
            invoke.index = ops.len() as u64;
            ops.push(invoke.clone());
            client.open = Some(Open { invoke, outcome });
            agenda.push(std::cmp::Reverse((time + latency, thread)));
            continue;
        };
        let key = invoke.key.clone().unwrap_or_default();
        let past = values.entry(key).or_default();
        let current = past.last().copied();
        let mut done = Op { time: Time(time), kind: outcome, ..invoke.clone() };
        match (outcome, done.f.as_str()) {
            (Kind::Ok, "read") => {
                done.value = json!(current.map(|(value, _)| value));
                // The one lie: what was true two writes ago, told after the last of them was acknowledged.
                let cut = in_force(time).any(|s| s.fault.kind() == FaultKind::Partition && s.from > 50);
                let before = past.len().checked_sub(2).map(|place| past[place]);
                let known =
                    current.is_some_and(|(_, acknowledged)| ops[acknowledged as usize].time < invoke.time);
                if let (true, true, None, Some(old), true) = (shape.stale, cut, &stale_at, before, known) {
                    done.value = json!(old.0);
                    done.node = Some("n1".into());
                    stale_at = Some((old.1, current.expect("known").1, ops.len() as u64));
                }
            }
            (Kind::Ok, "cas") if invoke.value[0] != json!(current.map(|(value, _)| value)) => {
                done.kind = Kind::Fail;
                done.error = Some("22 precondition-failed".into());
            }
            (Kind::Ok, f) => {
                let value = if f == "cas" { &invoke.value[1] } else { &invoke.value };
                past.push((value.as_u64().expect("a number"), ops.len() as u64));
            }
            (Kind::Fail, _) => done.error = Some("11 temporarily-unavailable".into()),
            _ => done.error = Some("no answer within 1s".into()),
        }
        if done.kind == Kind::Info {
            client.process += shape.clients;
        }
        done.index = ops.len() as u64;
        ops.push(done);
        agenda.push(std::cmp::Reverse((time + dice.roll(2 * pace), thread)));
    }
    let history = History::new(ops).expect("the sample pairs up");
    let schedule = schedule(&strikes, end);
    let verdict = verdict(&history, &strikes, stale_at);
    Sample { plan: plan(shape), history, schedule, network: network(), verdict }
}

fn plan(shape: Wanted) -> Value {
    json!({
        "version": 1, "system": "raft", "nodes": 5, "workload": "register",
        "time-limit": "15s", "rate": shape.rate * shape.clients, "concurrency": shape.clients,
        "seed": 8_675_309_u64, "bugs": ["stale-read"], "options": {"heartbeat-ms": 50},
        "nemesis": {"kinds": ["partition", "kill", "jitter", "slow-disk", "power-off", "pause", "loss"],
                    "interval": "1s 500ms"},
        "command": "rashomon test raft --workload register --nodes 5 --bug stale-read --seed 8675309",
    })
}

fn schedule(strikes: &[Strike], end: u64) -> Schedule {
    let mut entries = Vec::new();
    for (number, strike) in strikes.iter().enumerate() {
        let at = |percent: u64, more: u64| Time(percent * end / 100 + more);
        let entry = |time, event| ScheduleEntry::new(time, FaultId(number as u32), event);
        let disruption = Some(strike.disruption.clone());
        entries.push(ScheduleEntry {
            fault: Some(strike.fault.clone()),
            disruption: disruption.clone(),
            ..entry(at(strike.from, 0), ScheduleEvent::Intent)
        });
        entries.push(ScheduleEntry { disruption, ..entry(at(strike.from, MS), ScheduleEvent::Injected) });
        entries.push(ScheduleEntry {
            impact: Some(strike.impact.clone()),
            ..entry(at(strike.to, 0), ScheduleEvent::Healed)
        });
    }
    entries.sort_by_key(|entry| entry.time);
    Schedule { entries, torn: false }
}

fn network() -> Network {
    let mut dice = Dice(3);
    let five = NodeId::first(5);
    let links = Link::all(&five).map(|link| {
        let mut some = |most: u64| dice.roll(most);
        let (cut, lost, delayed) = (some(160), some(40), some(200));
        let delivered = 800 + some(2000);
        let counts = LinkCounts {
            sent: delivered + cut + lost,
            delivered,
            cut,
            lost,
            delayed,
            kernel_dropped: some(50) / 48,
            bytes: delivered * 140,
            ..LinkCounts::default()
        };
        (link, counts)
    });
    let links: Vec<_> = links.collect();
    let nodes = five.iter().map(|node| NodeReport { starts: 1, ..NodeReport::new(*node) });
    Network::new(links, nodes.collect())
}

fn verdict(history: &History, strikes: &[Strike], stale: Option<(u64, u64, u64)>) -> RunVerdict {
    let totals = Totals { leader_changes: Some(4), ..Totals::of(history) };
    let linearizable = match stale {
        None => Verdict::valid("linearizable", format!("{} ops on 24 keys are linearizable", totals.ops)),
        Some((old, new, read)) => {
            let ops = history.ops();
            let invoke = |index: u64| history.partner_of(&ops[index as usize]).expect("it completed").index;
            let mut events = vec![invoke(old), old, invoke(new), new, invoke(read), read];
            events.sort_unstable();
            let key = ops[read as usize].key.clone();
            let shown = |index: u64| match &ops[index as usize].value {
                Value::Array(pair) => pair[1].clone(),
                other => other.clone(),
            };
            let mut details = Map::new();
            details.insert("order".into(), json!([invoke(old), invoke(new)]));
            details.insert("state".into(), shown(new));
            details.insert("stuck".into(), json!(invoke(read)));
            let because = format!(
                "the read (op {}) answered {} although {} had replaced it: op {new} was acknowledged before \
                 the read began, and nothing wrote {} again",
                invoke(read),
                ops[read as usize].value,
                shown(new),
                ops[read as usize].value,
            );
            let anomaly =
                Anomaly { name: "stale-read".into(), key, events, evidence: vec![], because, details };
            Verdict::invalid("linearizable", "1 of 24 keys is not linearizable", vec![anomaly])
        }
    };
    let checkers = vec![
        linearizable,
        Verdict::valid("stats", format!("{} of {} ops were ok", totals.ok, totals.ops)),
        Verdict::valid("availability", "the longest silence was 0.61 s, under partition"),
        Verdict::valid("raft invariants", "election safety, log matching and 3 more held on 512 probes"),
    ];
    let mut coverage: BTreeMap<FaultKind, Coverage> = BTreeMap::new();
    for strike in strikes {
        let kind = strike.fault.kind();
        coverage.entry(kind).or_insert_with(|| Coverage::new(kind)).add(&strike.impact);
    }
    RunVerdict::new(checkers, coverage.into_values().collect(), vec![], totals, Ended::TimeLimit)
}
