//! What the trials share.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use rashomon_core::client::{Outcome, Policy};
use rashomon_core::rpc::Body;
use rashomon_core::switch::LinkRule;
use rashomon_core::{
    Call, Disruption, Event, FaultId, FaultKind, Impact, Link, NodeId, RunId, Seed, Time, Value, World,
};
use rashomon_live::{Config, LiveWorld};
use serde_json::json;
use tempfile::TempDir;

/// Longer than anything takes: a trial that waits so long has failed.
const FOREVER: Duration = Duration::from_secs(30);

/// A cluster, and what has been seen of it.
pub(crate) struct Trial {
    pub(crate) world: LiveWorld,
    pub(crate) dir: TempDir,
    pub(crate) seen: Vec<Event>,
    next_process: u64,
    next_fault: u32,
}

/// A configuration of the notebook.
pub(crate) fn config(nodes: u16, dir: &Path) -> Config {
    let run = RunId(dir.as_os_str().len() as u64 ^ u64::from(std::process::id()) << 8);
    let policy = Policy { sessions: false, ..Policy::default() };
    Config { policy, ..Config::new("notebook", nodes, Seed(7), run, dir.to_owned()) }
}

impl Trial {
    /// Starts a cluster.
    pub(crate) fn start(nodes: u16) -> Trial {
        Trial::with(nodes, |_| {})
    }

    /// Starts a cluster that is configured otherwise.
    pub(crate) fn with(nodes: u16, change: impl FnOnce(&mut Config)) -> Trial {
        let dir = tempfile::tempdir().unwrap();
        let mut config = config(nodes, dir.path());
        change(&mut config);
        let world = LiveWorld::start(config).unwrap();
        Trial { world, dir, seen: Vec::new(), next_process: 0, next_fault: 0 }
    }

    /// Begins a call, and gives its process.
    pub(crate) fn begin(&mut self, node: u16, body: &Value) -> u64 {
        self.next_process += 1;
        let process = self.next_process;
        let body: Body = body.as_object().unwrap().clone();
        self.world.call(Call { process, sequence: 1, home: NodeId(node), read_only: false, body });
        process
    }

    /// Waits for an event, keeping the others.
    pub(crate) fn wait<T>(&mut self, what: &str, mut test: impl FnMut(&Event) -> Option<T>) -> T {
        if let Some(position) = self.seen.iter().position(|event| test(event).is_some()) {
            let event = self.seen.remove(position);
            return test(&event).unwrap();
        }
        let until = self.world.now() + FOREVER;
        while let Some(event) = self.world.poll(until) {
            if let Some(found) = test(&event) {
                return found;
            }
            self.seen.push(event);
        }
        panic!("no {what} within {FOREVER:?}; seen: {:#?}", self.seen);
    }

    /// Waits for the end of a call.
    pub(crate) fn outcome(&mut self, of: u64) -> Outcome {
        self.wait("completion", |event| match event {
            Event::Completion { process, outcome } if *process == of => Some(outcome.clone()),
            _ => None,
        })
    }

    /// Calls and waits.
    pub(crate) fn call(&mut self, node: u16, body: &Value) -> Outcome {
        let process = self.begin(node, body);
        self.outcome(process)
    }

    /// Calls, waits, and expects this node to have answered.
    pub(crate) fn ok(&mut self, node: u16, body: &Value) -> Body {
        match self.call(node, body) {
            Outcome::Ok(who, body) if who == NodeId(node) => body,
            other => panic!("{other:?} instead of an answer by n{node}"),
        }
    }

    /// Calls until this node has answered.
    pub(crate) fn eventually(&mut self, node: u16, body: &Value) -> Body {
        let until = self.world.now() + FOREVER;
        loop {
            match self.call(node, body) {
                Outcome::Ok(who, body) if who == NodeId(node) => return body,
                other => assert!(self.world.now() < until, "{other:?} for {FOREVER:?}"),
            }
        }
    }

    /// The notebook of a node.
    pub(crate) fn notes(&mut self, node: u16) -> Vec<String> {
        let body = self.eventually(node, &json!({"type": "read"}));
        serde_json::from_value(body["values"].clone()).unwrap()
    }

    /// Waits until a node has heard this from any other.
    pub(crate) fn heard(&mut self, who: u16, what: &str) {
        self.wait(what, |event| match event {
            Event::Probe { node: NodeId(node), probe, .. }
                if *node == who && probe.probe == "heard" && probe.fields["value"] == what =>
            {
                Some(())
            }
            _ => None,
        });
    }

    /// Injects, and gives the fault's number.
    pub(crate) fn inject(&mut self, disruption: &Disruption) -> FaultId {
        self.next_fault += 1;
        let id = FaultId(self.next_fault);
        self.world.inject(id, disruption).unwrap();
        id
    }

    /// Heals.
    pub(crate) fn heal(&mut self, id: FaultId) -> Impact {
        self.world.heal(id).unwrap()
    }

    /// Polls until something outside is so.
    pub(crate) fn until(&mut self, what: &str, mut test: impl FnMut(&mut Trial) -> bool) {
        let until = self.world.now() + FOREVER;
        while !test(self) {
            assert!(self.world.now() < until, "not {what} for {FOREVER:?}");
            let soon = self.world.now() + Duration::from_millis(1);
            if let Some(event) = self.world.poll(soon) {
                self.seen.push(event);
            }
        }
    }
}

/// These nodes by number.
pub(crate) fn nodes(numbers: &[u16]) -> Vec<NodeId> {
    numbers.iter().copied().map(NodeId).collect()
}

/// A disruption of all links from and to `node` among the first `of`.
pub(crate) fn around(node: u16, of: u16, kind: FaultKind, rule: LinkRule) -> Disruption {
    let all = NodeId::first(of);
    let links = Link::all(&all).filter(|link| link.from.0 == node || link.to.0 == node);
    Disruption::Links { kind, links: links.collect(), rule }
}

/// A partition that leaves `node` alone.
pub(crate) fn alone(node: u16, of: u16) -> Disruption {
    around(node, of, FaultKind::Partition, LinkRule { cut: true, ..LinkRule::default() })
}

/// The letter of the process's state in `/proc`.
pub(crate) fn state(pid: i32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

/// Whether the process is in `/proc` and no zombie.
pub(crate) fn is_alive(pid: i32) -> bool {
    state(pid).is_some_and(|state| !matches!(state, 'Z' | 'X'))
}

/// A harness of its own, which tells its nodes and then serves until it is killed.
pub(crate) fn harness(dir: &Path) -> ExitCode {
    let mut world = LiveWorld::start(config(5, dir)).unwrap();
    let pids: BTreeMap<String, i32> =
        world.pids().into_iter().map(|(node, pid)| (node.to_string(), pid)).collect();
    println!("{}", json!({"pids": pids, "addresses": world.addresses().into_values().collect::<Vec<_>>()}));
    std::io::stdout().flush().unwrap();
    loop {
        world.poll(Time::MAX);
    }
}
