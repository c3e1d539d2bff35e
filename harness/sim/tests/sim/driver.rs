//! A small interpreter: a workload, faults at random, a history, and then the heal and final reads.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use rand::RngExt;
use rand::seq::IndexedRandom;
use rashomon_core::Trace;
use rashomon_core::generator::{Asked, Generator as _, Invocation, Next};
use rashomon_core::{
    Call, Cluster, Event, Fault, FaultId, FaultKind, History, Impact, Invariant, Kind, NodeId, Op, Outcome,
    Process, Reshaping, Rng, Seed, Shape, Skew, System, Target, Time, World,
};
use rashomon_sim::{Config, SimWorld};

/// What a run does.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) config: Config,
    pub(crate) workload: &'static str,
    pub(crate) time_limit: Duration,
    pub(crate) rate: u32,
    pub(crate) concurrency: usize,
    pub(crate) kinds: Vec<FaultKind>,
    /// The mean time between faults.
    pub(crate) interval: Duration,
}

/// The faults of the main job.
pub(crate) const DEFAULT_KINDS: [FaultKind; 4] =
    [FaultKind::Partition, FaultKind::Kill, FaultKind::Pause, FaultKind::PowerOff];

impl Plan {
    pub(crate) fn new(seed: u64) -> Plan {
        Plan {
            config: Config::new(5, Seed(seed)),
            workload: "register",
            time_limit: Duration::from_secs(30),
            rate: 500,
            concurrency: 10,
            kinds: DEFAULT_KINDS.to_vec(),
            interval: Duration::from_millis(1500),
        }
    }
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Outline {
    pub(crate) ops: Vec<Op>,
    pub(crate) violations: Vec<String>,
    pub(crate) problems: Vec<String>,
    pub(crate) impacts: BTreeMap<FaultKind, Vec<Impact>>,
    pub(crate) steps: u64,
    pub(crate) probes: u64,
    /// Final reads that are still wanting.
    pub(crate) unread: usize,
}

impl Outline {
    pub(crate) fn count(&self, kind: Kind) -> usize {
        self.ops.iter().filter(|op| op.kind == kind && op.process != Process::Nemesis).count()
    }

    /// The history as its file has it.
    pub(crate) fn text(&self) -> String {
        self.ops.iter().map(|op| serde_json::to_string(op).unwrap() + "\n").collect()
    }

    /// FNV-1a over the text.
    pub(crate) fn digest(&self) -> u64 {
        self.text()
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }

    pub(crate) fn history(self) -> History {
        History::new(self.ops).unwrap()
    }
}

struct Driver<'a> {
    world: &'a mut dyn World,
    ops: Vec<Op>,
    invariants: Vec<Box<dyn Invariant>>,
    leader_probe: &'static str,
    leaders: BTreeMap<NodeId, u64>,
    open: BTreeMap<u64, (usize, Invocation, NodeId)>,
    ended: VecDeque<(usize, Op)>,
    violations: Vec<String>,
    problems: Vec<String>,
    impacts: BTreeMap<FaultKind, Vec<Impact>>,
    heals: BTreeMap<FaultId, (Time, FaultKind)>,
    next_fault: u32,
    probes: u64,
    /// A power failure to come.
    planned: Option<(Time, Fault)>,
}

/// Runs a plan.
pub(crate) fn run<S: System>(plan: &Plan) -> Outline {
    let mut world = SimWorld::<S>::start(plan.config.clone()).unwrap();
    let outline = drive(plan, &mut world, S::invariants(), S::info().leader_probe);
    Outline { steps: world.steps(), ..outline }
}

/// Runs a plan for its trace.
pub(crate) fn trace<S: System>(plan: &Plan) -> Trace {
    let mut world = SimWorld::<S>::start(plan.config.clone()).unwrap();
    drive(plan, &mut world, S::invariants(), S::info().leader_probe);
    world.take_trace()
}

fn drive(
    plan: &Plan,
    world: &mut dyn World,
    invariants: Vec<Box<dyn Invariant>>,
    leader_probe: &'static str,
) -> Outline {
    let mut driver = Driver {
        world,
        ops: Vec::new(),
        invariants,
        leader_probe,
        leaders: BTreeMap::new(),
        open: BTreeMap::new(),
        ended: VecDeque::new(),
        violations: Vec::new(),
        problems: Vec::new(),
        impacts: BTreeMap::new(),
        heals: BTreeMap::new(),
        next_fault: 0,
        probes: 0,
        planned: None,
    };
    let unread = driver.phases(plan);
    Outline {
        ops: driver.ops,
        violations: driver.violations,
        problems: driver.problems,
        impacts: driver.impacts,
        steps: 0,
        probes: driver.probes,
        unread,
    }
}

impl Driver<'_> {
    fn phases(&mut self, plan: &Plan) -> usize {
        let nodes = self.world.nodes().to_vec();
        let mut workload = (rashomon_workloads::by_name(plan.workload).unwrap().make)();
        let mut clients = workload.as_mut().stagger(Duration::from_secs(1) / plan.rate.max(1));
        let mut rng = plan.config.seed.split("clients").rng();
        let mut nemesis = plan.config.seed.split("nemesis").rng();
        let end = Time::ZERO + plan.time_limit;
        let mut strike = if plan.kinds.is_empty() { Time::MAX } else { Time::ZERO + Duration::from_secs(1) };
        let mut free: Vec<usize> = (0..plan.concurrency).collect();
        let mut processes: Vec<(u64, u64)> =
            (0..plan.concurrency as u64).map(|process| (process, 0)).collect();
        let mut next_process = plan.concurrency as u64;
        while self.world.now() < end {
            let now = self.world.now();
            self.heal_due(now);
            if let Some((_, fault)) = self.planned.take_if(|(at, _)| *at <= now) {
                self.inject(
                    &fault,
                    now + Duration::from_millis(nemesis.random_range(300..=1500)),
                    &mut nemesis,
                );
            }
            if strike <= now {
                self.strike(plan, &mut nemesis);
                let mean = plan.interval.as_nanos() as u64;
                strike = now + Duration::from_nanos(nemesis.random_range(mean / 2..=mean * 3 / 2));
            }
            let mut wake = end.min(strike);
            if let Some((at, _)) = &self.planned {
                wake = wake.min(*at);
            }
            while !free.is_empty() {
                let mut asked = Asked { now, free: &free, threads: plan.concurrency, rng: &mut rng };
                match clients.next(&mut asked) {
                    Next::Do(thread, invocation) => {
                        free.retain(|other| *other != thread);
                        processes[thread].1 += 1;
                        let (process, sequence) = processes[thread];
                        let home = nodes[thread % nodes.len()];
                        let request = clients.inner().request(&invocation);
                        let op = self.invoke(thread, (process, sequence), home, invocation, request);
                        clients.update(thread, &op);
                    }
                    Next::Wait(until) => {
                        wake = wake.min(until.unwrap_or(Time::MAX));
                        break;
                    }
                    Next::Done => break,
                }
            }
            if let Some((next, _)) = self.heals.values().min() {
                wake = wake.min(*next);
            }
            if let Some(event) = self.world.poll(wake) {
                self.take(event, |invocation, reply| clients.inner().response(invocation, reply));
            }
            while let Some((thread, op)) = self.ended.pop_front() {
                clients.update(thread, &op);
                if op.kind == Kind::Info {
                    processes[thread] = (next_process, 0);
                    next_process += 1;
                }
                free.insert(free.partition_point(|other| *other < thread), thread);
            }
        }
        let reads = clients.inner().final_reads();
        let request = |invocation: &Invocation| clients.inner().request(invocation);
        let response = |invocation: &Invocation, reply: &rashomon_core::rpc::Body| {
            clients.inner().response(invocation, reply)
        };
        // No new ops; open ones end; all is healed; everything is read through every node.
        self.settle(&response);
        self.heal_due(Time::MAX);
        if let Err(error) = self.world.verify_healed() {
            self.problems.push(error.to_string());
        }
        let mut wanted: VecDeque<(NodeId, Invocation)> =
            nodes.iter().flat_map(|node| reads.iter().map(|read| (*node, read.clone()))).collect();
        let end = self.world.now() + Duration::from_secs(10);
        while self.world.now() < end
            && let Some((node, read)) = wanted.pop_front()
        {
            next_process += 1;
            self.invoke(0, (next_process, 1), node, read.clone(), request(&read));
            self.settle(&response);
            if let Some((_, op)) = self.ended.pop_front()
                && op.kind != Kind::Ok
            {
                wanted.push_back((node, read));
            }
        }
        wanted.len()
    }

    fn settle(
        &mut self,
        response: &impl Fn(&Invocation, &rashomon_core::rpc::Body) -> Result<rashomon_core::Value, String>,
    ) {
        self.ended.clear();
        let end = self.world.now() + Duration::from_secs(2);
        while !self.open.is_empty() {
            let Some(event) = self.world.poll(end) else { break };
            self.take(event, response);
        }
        assert!(self.open.is_empty(), "an op outlived its deadline");
    }

    fn write(&mut self, mut op: Op) -> Op {
        op.index = self.ops.len() as u64;
        op.time = self.world.now();
        self.ops.push(op.clone());
        op
    }

    fn invoke(
        &mut self,
        thread: usize,
        (process, sequence): (u64, u64),
        home: NodeId,
        invocation: Invocation,
        request: rashomon_workloads::Request,
    ) -> Op {
        let op = self.write(op(Kind::Invoke, process, &invocation, home));
        self.open.insert(process, (thread, invocation, home));
        self.world.call(Call { process, sequence, home, read_only: request.read_only, body: request.body });
        op
    }

    fn take(
        &mut self,
        event: Event,
        response: impl Fn(&Invocation, &rashomon_core::rpc::Body) -> Result<rashomon_core::Value, String>,
    ) {
        match event {
            Event::Completion { process, outcome } => {
                let (thread, invocation, home) = self.open.remove(&process).unwrap();
                let (kind, value, error, node) = match outcome {
                    Outcome::Ok(node, reply) => {
                        (Kind::Ok, response(&invocation, &reply).unwrap(), None, node)
                    }
                    Outcome::Fail(reason) => (Kind::Fail, invocation.value.clone(), Some(reason), home),
                    Outcome::Info(reason) => (Kind::Info, invocation.value.clone(), Some(reason), home),
                };
                let op = self.write(Op { value, error, ..op(kind, process, &invocation, node) });
                self.ended.push_back((thread, op));
            }
            Event::Probe { at, node, probe } => {
                self.probes += 1;
                if probe.probe == self.leader_probe
                    && let Some(term) = probe.number("term")
                {
                    self.leaders.insert(node, term);
                }
                for invariant in &mut self.invariants {
                    if let Err(violation) = invariant.observe(at, node, &probe) {
                        self.violations.push(format!("{at} {}: {}", violation.invariant, violation.because));
                    }
                }
            }
            Event::Crash { node, report } => self.problems.push(format!("{node}: {report}")),
            Event::Garbage { node, line } => self.problems.push(format!("{node}: {line}")),
        }
    }

    fn strike(&mut self, plan: &Plan, rng: &mut Rng) {
        if self.heals.len() >= 2 || self.planned.is_some() {
            return;
        }
        let kind = *plan.kinds.choose(rng).unwrap();
        let now = self.world.now();
        let mean = plan.interval.as_nanos() as u64;
        let lasts = Duration::from_nanos(rng.random_range(mean / 2..=mean * 5 / 4));
        let fault = fault(kind, rng);
        if kind == FaultKind::PowerOff {
            // A power failure finds unsynced records only where syncing takes long.
            self.inject(&Fault::SlowDisk { target: Target::All }, now + Duration::from_millis(400), rng);
            self.planned = Some((now + Duration::from_millis(390), fault));
            return;
        }
        self.inject(&fault, now + lasts, rng);
    }

    fn inject(&mut self, fault: &Fault, heal: Time, rng: &mut Rng) {
        let nodes = self.world.nodes().to_vec();
        let running = self.world.running();
        let leader = running
            .iter()
            .filter_map(|node| self.leaders.get(node).map(|term| (*term, *node)))
            .max()
            .map(|top| top.1);
        let cluster = Cluster { nodes: &nodes, running: &running, leader, source: None };
        let Some(disruption) = fault.resolve(&cluster, rng) else { return };
        let id = FaultId(self.next_fault);
        self.next_fault += 1;
        self.nemesis(format!("start-{}", fault.kind()), disruption.to_string());
        self.world.inject(id, &disruption).unwrap();
        self.heals.insert(id, (heal, fault.kind()));
    }

    fn heal_due(&mut self, now: Time) {
        let due: Vec<FaultId> =
            self.heals.iter().filter(|(_, (at, _))| *at <= now).map(|(id, _)| *id).collect();
        for id in due {
            let (_, kind) = self.heals.remove(&id).unwrap();
            let impact = self.world.heal(id).unwrap();
            assert_eq!(self.world.heal(id).unwrap(), impact, "healing twice is harmless");
            self.nemesis(format!("stop-{kind}"), format!("{impact:?}"));
            self.impacts.entry(kind).or_default().push(impact);
        }
    }

    fn nemesis(&mut self, f: String, value: String) {
        let invocation = Invocation { f: "nemesis", key: None, value: value.into() };
        let op = op(Kind::Info, 0, &invocation, NodeId(1));
        self.write(Op { process: Process::Nemesis, f, node: None, ..op });
    }
}

fn op(kind: Kind, process: u64, invocation: &Invocation, node: NodeId) -> Op {
    Op {
        index: 0,
        time: Time::ZERO,
        kind,
        process: Process::Client(process),
        f: invocation.f.to_owned(),
        value: invocation.value.clone(),
        key: invocation.key.clone(),
        error: None,
        node: Some(node.to_string()),
    }
}

fn fault(kind: FaultKind, rng: &mut Rng) -> Fault {
    let targets = [Target::Leader, Target::One, Target::Minority, Target::Majority, Target::All];
    let target = targets.choose(rng).unwrap().clone();
    let millis = |rng: &mut Rng| Duration::from_millis(rng.random_range(20..=100));
    let percent = rng.random_range(10..=40);
    match kind {
        FaultKind::Partition => Fault::Partition { shape: Shape::NAMED.choose(rng).unwrap().0.clone() },
        FaultKind::Delay => Fault::Delay { target, by: millis(rng) },
        FaultKind::Jitter => Fault::Jitter { target, up_to: millis(rng) },
        FaultKind::Loss => Fault::Loss { target, percent },
        FaultKind::Duplicate => Fault::Duplicate { target, percent },
        FaultKind::Reorder => Fault::Reorder { target, percent },
        FaultKind::Corrupt => Fault::Corrupt { target, percent },
        FaultKind::Kill => Fault::Kill { target },
        FaultKind::PowerOff => Fault::PowerOff { target },
        FaultKind::Pause => Fault::Pause { target },
        FaultKind::Restart => Fault::Restart { target },
        FaultKind::SlowDisk => Fault::SlowDisk { target },
        // A request to the system, which this driver does not make.
        FaultKind::Membership => Fault::Membership { change: Reshaping::Shrink },
        FaultKind::Clock => {
            let by = millis(rng) * 50;
            let skews = [Skew::Ahead(by), Skew::Behind(by), Skew::Fast(percent), Skew::Slow(percent)];
            Fault::Clock { target, skew: *skews.choose(rng).unwrap() }
        }
    }
}
