//! A distributed system under test, written once and run in every world.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::{Node, NodeId, Probe, Protocol, Time};

/// Where a seeded bug can be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shows {
    /// Against real processes, and so also in simulation.
    Live,
    /// In simulation alone: its window is too narrow to hit from outside.
    Sim,
}

/// A named mistake that a chapter can be told to make.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct BugInfo {
    /// What `--bug` takes.
    #[serde(rename = "bug")]
    pub name: &'static str,
    /// The mistake, and who once made it.
    pub summary: &'static str,
    /// The anomaly that it must cause.
    pub anomaly: &'static str,
    /// Where it shows.
    pub shows: Shows,
    /// The plan that brings it out, as the JSON of a plan file, where the default plan does not.
    #[serde(skip)]
    pub plan: Option<&'static str>,
}

/// A legal weakness: looks like a bug, is allowed, and must not be reported.
///
/// It is told by an invariant that somebody might think must hold. That it is broken accuses nobody; that it never
/// is shows that the weakness was not there to be seen.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Control {
    /// A short name.
    #[serde(rename = "control")]
    pub name: &'static str,
    /// Why it is legal.
    pub summary: &'static str,
    /// The plan that brings it out, as the JSON of a plan file, where the default plan does not.
    #[serde(skip)]
    pub plan: Option<&'static str>,
    /// What does not hold of the system, although it may seem that it should.
    #[serde(skip)]
    pub tempting: fn() -> Box<dyn Invariant>,
}

/// Why a system is known to break as its authors describe it, without any mistake in building it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct KnownWeak {
    /// What breaks it.
    pub summary: &'static str,
    /// The plan that brings it out, as the JSON of a plan file, where the default plan does not.
    #[serde(skip)]
    pub plan: Option<&'static str>,
}

/// A number of the system that a plan may set.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct OptionInfo {
    /// Its name in the plan's `options`.
    pub name: &'static str,
    /// What it does, with its unit.
    pub summary: &'static str,
    /// Its value when the plan is silent.
    pub default: u64,
}

/// What the harness needs to know of a system before it runs.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct SystemInfo {
    /// Its name on the command line.
    pub name: &'static str,
    /// One line on what it is.
    pub summary: &'static str,
    /// The paper that the chapter follows.
    pub paper: &'static str,
    /// How many nodes, when nobody says.
    pub nodes: u16,
    /// The workloads it can serve, the default first.
    pub workloads: &'static [&'static str],
    /// Whether a repeated (session, sequence) is answered from memory instead of run twice.
    pub sessions: bool,
    /// Whether its nodes keep anything on disk: without it a kill loses everything by design.
    pub durable: bool,
    /// The probe by which a node says that it leads, with a `term`; empty when nobody leads.
    pub leader_probe: &'static str,
    /// Whether it takes a [`MembershipChange`](crate::MembershipChange): otherwise its nodes are fixed.
    pub membership: bool,
    /// The numbers a plan may set.
    pub options: &'static [OptionInfo],
    /// Its seeded bugs.
    pub bugs: &'static [BugInfo],
    /// Its legal weaknesses.
    pub controls: &'static [Control],
    /// Why it is known to break, if it is: the zoo expects it to be accused as it stands.
    pub weak: Option<KnownWeak>,
}

/// What one node is told when its process begins.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The node itself.
    pub me: NodeId,
    /// Every node of the cluster, this one among them.
    pub nodes: Vec<NodeId>,
    /// The seeded bugs to make.
    pub bugs: Vec<String>,
    /// The numbers that the plan sets.
    pub options: Map<String, Value>,
}

impl Setup {
    /// The value of an option that `info` describes.
    pub fn option(&self, info: &OptionInfo) -> Result<u64, BootError> {
        match self.options.get(info.name) {
            None => Ok(info.default),
            Some(value) => value.as_u64().ok_or_else(|| {
                BootError(format!("option `{}` is {value}; it takes a non-negative integer", info.name))
            }),
        }
    }
}

/// Why a node cannot start.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct BootError(pub String);

/// Nodes said of themselves what cannot all be true.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    /// The invariant's name, as the anomaly is called: `election-safety`.
    pub invariant: &'static str,
    /// Why this cannot be, in a sentence that names nodes and numbers.
    pub because: String,
}

/// A white-box predicate over what the nodes emit, checked after every probe.
///
/// A missing probe never accuses: a process that dies may take its last words with it.
pub trait Invariant: Send {
    /// Its name.
    fn name(&self) -> &'static str;
    /// What it says, with the paper's section.
    fn about(&self) -> &'static str;
    /// Takes one more probe into account.
    fn observe(&mut self, at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation>;
}

/// A system: how to boot its nodes, and what must hold of them.
pub trait System: Send + Sync + 'static {
    /// The types its nodes speak with.
    type Protocol: Protocol;

    /// What the harness needs to know.
    fn info() -> SystemInfo;

    /// A node that begins with the records of its log, in the order persisted.
    fn boot(
        setup: &Setup,
        records: Vec<<Self::Protocol as Protocol>::Record>,
    ) -> Result<Box<dyn Node<Self::Protocol>>, BootError>;

    /// Fresh invariants for one run.
    fn invariants() -> Vec<Box<dyn Invariant>>;
}
