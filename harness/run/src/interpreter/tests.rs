//! The interpreter against a world of cardboard: each rule of the design on its own.

use std::collections::BTreeSet;

use rashomon_core::generator::Keys;
use rashomon_core::{Disruption, FaultId, Impact, Probe, Violation};
use rashomon_results::ScheduleEntry;
use rashomon_results::ScheduleEvent::{self, Healed, Injected, Intent};
use rashomon_workloads::Register;

use super::*;
use crate::plan::Faults as FaultFlags;
use crate::progress::Nobody;

const MS: Duration = Duration::from_millis(1);

/// Decides how a call ends: after how long, and how. `None`: never.
type Answer = Box<dyn FnMut(Time, &Call) -> Option<(Duration, Outcome)>>;

/// A world whose time is a number and whose answers are a function.
struct Cardboard {
    nodes: Vec<NodeId>,
    now: Time,
    answer: Answer,
    events: Vec<(Time, WorldEvent)>,
    calls: Vec<(Time, Call)>,
    log: Vec<String>,
    healable: bool,
}

impl Cardboard {
    fn new(answer: impl FnMut(Time, &Call) -> Option<(Duration, Outcome)> + 'static) -> Cardboard {
        Cardboard {
            nodes: NodeId::first(5),
            now: Time::ZERO,
            answer: Box::new(answer),
            events: Vec::new(),
            calls: Vec::new(),
            log: Vec::new(),
            healable: true,
        }
    }
}

impl World for Cardboard {
    fn nodes(&self) -> &[NodeId] {
        &self.nodes
    }

    fn now(&self) -> Time {
        self.now
    }

    fn call(&mut self, call: Call) {
        if let Some((after, outcome)) = (self.answer)(self.now, &call) {
            let event = WorldEvent::Completion { process: call.process, outcome };
            self.events.push((self.now + after, event));
        }
        self.calls.push((self.now, call));
    }

    fn inject(&mut self, id: FaultId, disruption: &Disruption) -> Result<(), WorldError> {
        self.log.push(format!("inject {} {disruption}", id.0));
        Ok(())
    }

    fn heal(&mut self, id: FaultId) -> Result<Impact, WorldError> {
        self.log.push(format!("heal {}", id.0));
        Ok(Impact { bit: id.0 == 0, messages: 3, ..Impact::default() })
    }

    fn verify_healed(&mut self) -> Result<(), WorldError> {
        self.log.push("verify".into());
        if self.healable { Ok(()) } else { Err(WorldError::NotHealed("n2 does not run".into())) }
    }

    fn running(&self) -> Vec<NodeId> {
        self.nodes.clone()
    }

    fn poll(&mut self, until: Time) -> Option<WorldEvent> {
        let first =
            self.events.iter().enumerate().min_by_key(|(_, (at, _))| *at).map(|(i, (at, _))| (i, *at));
        match first {
            Some((position, at)) if at <= until.max(self.now) => {
                self.now = self.now.max(at);
                Some(self.events.remove(position).1)
            }
            _ => {
                self.now = self.now.max(until);
                None
            }
        }
    }
}

#[derive(Default)]
struct Memory {
    ops: Vec<Op>,
    schedule: Vec<ScheduleEntry>,
}

impl Sink for Memory {
    fn op(&mut self, op: &Op) -> Result<(), StoreError> {
        self.ops.push(op.clone());
        Ok(())
    }
    fn schedule(&mut self, entry: &ScheduleEntry) -> Result<(), StoreError> {
        self.schedule.push(entry.clone());
        Ok(())
    }
    fn flush(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}

fn plan(text: &str) -> Plan {
    let file = crate::plan::parse("test", text).unwrap();
    Plan::assemble(file, None, None, FaultFlags::default(), 1).unwrap()
}

const CALM: &str = r#"{"version":1,"system":"raft","time-limit":"2s","rate":200,"nemesis":{"kinds":[]}}"#;

/// What a correct register would say, roughly: enough for the workload to go on.
fn reply(call: &Call) -> Outcome {
    let kind = call.body["type"].as_str().unwrap();
    let mut body = Body::new();
    body.insert("type".into(), format!("{kind}_ok").into());
    if kind == "read" {
        body.insert("value".into(), Value::Null);
    }
    Outcome::Ok(call.home, body)
}

fn interpret(plan: &Plan, world: &mut Cardboard, invariants: Vec<Box<dyn Invariant>>) -> (Record, Memory) {
    let mut memory = Memory::default();
    let interrupted = AtomicBool::new(false);
    let mut workload = Register::new();
    let mut nobody = Nobody;
    let interpreter =
        Interpreter::new(world, &mut workload, plan, invariants, &mut memory, &mut nobody, &interrupted);
    let (record, failure) = interpreter.run();
    assert!(failure.is_none(), "{failure:?}");
    (record, memory)
}

#[test]
fn indices_are_dense_and_times_never_go_back() {
    let mut world = Cardboard::new(|_, call| Some((MS * 3, reply(call))));
    let (record, memory) = interpret(&plan(CALM), &mut world, vec![]);
    assert!(memory.ops.len() > 500, "{}", memory.ops.len());
    assert!(memory.ops.iter().enumerate().all(|(i, op)| op.index == i as u64));
    assert!(memory.ops.is_sorted_by_key(|op| op.time));
    rashomon_core::History::new(memory.ops).expect("every completion follows its invocation");
    assert_eq!(record.totals.ops, record.totals.ok);
    assert_eq!(record.ended, Ended::TimeLimit);
}

#[test]
fn an_invocation_is_recorded_before_the_request_leaves_and_a_completion_after_the_reply() {
    let mut world = Cardboard::new(|_, call| Some((MS * 7, reply(call))));
    let (_, memory) = interpret(&plan(CALM), &mut world, vec![]);
    let invokes: Vec<Time> =
        memory.ops.iter().filter(|op| op.kind == Kind::Invoke).map(|op| op.time).collect();
    let calls: Vec<Time> = world.calls.iter().map(|(at, _)| *at).collect();
    assert_eq!(invokes, calls);
    let history = rashomon_core::History::new(memory.ops).unwrap();
    assert!(history.pairs().all(|pair| pair.completion.unwrap().time >= pair.invoke.time + MS * 7));
}

#[test]
fn a_process_is_retired_by_info_and_by_nothing_else() {
    let mut count = 0;
    let mut world = Cardboard::new(move |_, call| {
        count += 1;
        let outcome = match count % 10 {
            0 => Outcome::Info("timed out".into()),
            1 => Outcome::Fail("refused".into()),
            _ => reply(call),
        };
        Some((MS, outcome))
    });
    let (record, memory) = interpret(&plan(CALM), &mut world, vec![]);
    assert!(record.totals.info > 10 && record.totals.fail > 10);
    let mut retired = BTreeSet::new();
    for op in &memory.ops {
        assert!(!retired.contains(&op.process), "process {} acts after its info", op.process);
        if op.kind == Kind::Info {
            retired.insert(op.process);
        }
    }
    // The sequence of a process counts its ops from 1: this is what session tables are keyed by.
    let mut last = BTreeMap::new();
    for (_, call) in &world.calls {
        let before = last.insert(call.process, call.sequence).unwrap_or(0);
        assert_eq!(call.sequence, before + 1);
    }
}

#[test]
fn open_infos_of_a_key_are_capped() {
    let mut world = Cardboard::new(|_, call| {
        Some((MS, if call.read_only { reply(call) } else { Outcome::Info("timed out".into()) }))
    });
    let (_, memory) = interpret(&plan(CALM), &mut world, vec![]);
    let mut infos = BTreeMap::new();
    for op in memory.ops.iter().filter(|op| op.kind == Kind::Info) {
        *infos.entry(op.key.clone()).or_insert(0) += 1;
    }
    // Ops already under way when a key retires may still add to it: at most one for each thread.
    assert!(infos.values().all(|infos| *infos < Keys::INFOS + 10), "{infos:?}");
}

#[test]
fn at_the_end_open_ops_have_one_deadline_and_the_rest_becomes_info() {
    let mut world = Cardboard::new(|_, call| (call.process % 2 == 0).then(|| (MS * 900, reply(call))));
    let (_, memory) = interpret(&plan(CALM), &mut world, vec![]);
    let last_invoke =
        memory.ops.iter().filter(|op| op.kind == Kind::Invoke && op.time < Time::ZERO + MS * 2001);
    assert!(last_invoke.clone().count() > 5);
    let late: Vec<&Op> = memory
        .ops
        .iter()
        .filter(|op| op.error.as_deref() == Some("still open at the end of the run"))
        .collect();
    assert!(late.iter().any(|op| op.time <= Time::ZERO + MS * 3200), "within one deadline of the limit");
    let oks = memory.ops.iter().filter(|op| op.kind == Kind::Ok && op.time > Time::ZERO + MS * 2000).count();
    assert!(oks > 0, "what ends within the deadline is not lost");
    let history = rashomon_core::History::new(memory.ops.clone()).unwrap();
    assert!(history.pairs().all(|pair| pair.completion.is_some()), "nothing stays open in the record");
}

#[test]
fn faults_are_healed_and_verified_before_the_final_reads() {
    let text = r#"{"version":1,"system":"raft","time-limit":"2s","rate":100,
        "nemesis":{"script":[{"at":"1s","do":{"fault":"partition","shape":"halves"}},
                             {"at":"1500ms","do":{"fault":"kill","target":"one"},"for":"200ms"}]}}"#;
    let mut world = Cardboard::new(|_, call| Some((MS, reply(call))));
    let (record, memory) = interpret(&plan(text), &mut world, vec![]);
    assert_eq!(world.log.len(), 5, "{:?}", world.log);
    assert_eq!(world.log[2], "heal 1");
    assert_eq!(world.log[3..], ["heal 0", "verify"]);
    let healed = memory.ops.iter().rposition(|op| op.f == "stop-partition").unwrap();
    let last_read = memory.ops.iter().rposition(|op| op.kind == Kind::Ok).unwrap();
    assert!(last_read > healed, "final reads come after the healing");
    // Intent is recorded before acting, and what it did after.
    let events: Vec<ScheduleEvent> = memory.schedule.iter().map(|entry| entry.event).collect();
    assert_eq!(events, [Intent, Injected, Intent, Injected, Healed, Healed]);
    let partition = record.coverage[&rashomon_core::FaultKind::Partition];
    assert_eq!((partition.injected, partition.bit, partition.messages), (1, 1, 3));
    let kill = record.coverage[&rashomon_core::FaultKind::Kill];
    assert_eq!((kill.injected, kill.bit), (1, 0), "the kill did not bite and that is said");
}

#[test]
fn final_reads_see_every_key_through_every_node_by_fresh_processes() {
    let mut world = Cardboard::new(|_, call| Some((MS, reply(call))));
    let (record, memory) = interpret(&plan(CALM), &mut world, vec![]);
    let before: BTreeSet<u64> = world
        .calls
        .iter()
        .filter(|(at, _)| *at < Time::ZERO + MS * 2000)
        .map(|(_, call)| call.process)
        .collect();
    let last: Vec<&Call> =
        world.calls.iter().map(|(_, call)| call).filter(|c| !before.contains(&c.process)).collect();
    let keys: BTreeSet<Option<String>> = memory.ops.iter().map(|op| op.key.clone()).collect();
    let pairs: BTreeSet<(NodeId, String)> =
        last.iter().map(|call| (call.home, call.body["key"].to_string())).collect();
    assert_eq!(pairs.len(), keys.len() * 5);
    assert_eq!(record.final_reads, Some((keys.len() * 5, keys.len() * 5)));
    assert!(record.problems.is_empty());
}

#[test]
fn a_system_that_never_answers_again_has_not_recovered() {
    let mut world = Cardboard::new(|now, call| {
        let outcome =
            if now < Time::ZERO + MS * 1500 { reply(call) } else { Outcome::Fail("refused".into()) };
        Some((MS * 50, outcome))
    });
    let (record, _) = interpret(&plan(CALM), &mut world, vec![]);
    assert!(record.problems[0].starts_with("not recovered"), "{:?}", record.problems);
    assert!(world.now > Time::ZERO + Duration::from_secs(11), "it was retried for ten seconds");
}

#[test]
fn a_cluster_that_is_not_healed_is_a_problem() {
    let mut world = Cardboard::new(|_, call| Some((MS, reply(call))));
    world.healable = false;
    let (record, _) = interpret(&plan(CALM), &mut world, vec![]);
    assert_eq!(record.problems, ["not healed: n2 does not run"]);
}

#[test]
fn an_interruption_ends_the_run_in_order() {
    let mut world = Cardboard::new(|_, call| Some((MS, reply(call))));
    let mut memory = Memory::default();
    let interrupted = AtomicBool::new(true);
    let (plan, mut workload, mut nobody) = (plan(CALM), Register::new(), Nobody);
    let interpreter =
        Interpreter::new(&mut world, &mut workload, &plan, vec![], &mut memory, &mut nobody, &interrupted);
    let (record, failure) = interpreter.run();
    assert!(failure.is_none(), "{failure:?}");
    assert_eq!(record.ended, Ended::Interrupted);
    assert_eq!(world.log, ["verify"], "healed and verified all the same");
}

#[test]
fn nonsense_for_an_answer_is_info_or_fail_for_a_read() {
    let mut world = Cardboard::new(|_, call| {
        let mut body = Body::new();
        body.insert("type".into(), "nonsense".into());
        Some((MS, Outcome::Ok(call.home, body)))
    });
    let (_, memory) = interpret(&plan(CALM), &mut world, vec![]);
    let ended = |f: &str| -> BTreeSet<String> {
        memory
            .ops
            .iter()
            .filter(|op| op.f == f && op.kind != Kind::Invoke)
            .map(|op| op.kind.to_string())
            .collect()
    };
    assert_eq!(ended("read"), BTreeSet::from(["fail".to_owned()]));
    assert_eq!(ended("write"), BTreeSet::from(["info".to_owned()]));
}

#[test]
fn crashes_garbage_and_violations_are_kept() {
    struct Never;
    impl Invariant for Never {
        fn name(&self) -> &'static str {
            "never"
        }
        fn about(&self) -> &'static str {
            "nobody says boo"
        }
        fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
            if probe.probe == "boo" {
                return Err(Violation { invariant: "never", because: format!("{node} said boo") });
            }
            Ok(())
        }
    }
    let mut world = Cardboard::new(|_, call| Some((MS, reply(call))));
    let at = Time::ZERO + MS * 100;
    let leader =
        |node, term: u64| WorldEvent::Probe { at, node, probe: Probe::new("leader").with("term", term) };
    world.events = vec![
        (at, WorldEvent::Crash { node: NodeId(2), report: "exit status 101".into() }),
        (at, WorldEvent::Garbage { node: NodeId(3), line: "hello".into() }),
        (at, WorldEvent::Probe { at, node: NodeId(4), probe: Probe::new("boo") }),
        (at, leader(NodeId(1), 1)),
        (at, leader(NodeId(2), 2)),
        (at, leader(NodeId(2), 2)),
    ];
    let (record, _) = interpret(&plan(CALM), &mut world, vec![Box::new(Never)]);
    assert_eq!(record.problems.len(), 2);
    assert!(record.problems[0].contains("n2 ended by itself"));
    assert_eq!(record.violations[0].1.because, "n4 said boo");
    assert_eq!(record.totals.leader_changes, Some(1));
}
