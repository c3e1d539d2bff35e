//! What can go wrong, as data.
//!
//! Three things are kept apart: *what* (a [`Fault`], as a plan writes it), *where* (the [`Disruption`] it
//! resolves to at the moment of injection, with nodes and links by name) and *how* ([`crate::World::inject`]).
//! So a schedule can be stored, replayed and shrunk.

mod resolve;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::switch::LinkRule;
use crate::{Link, NodeId, Skew};
pub use resolve::Cluster;

/// The name of a fault on the command line and in the coverage of a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// Some links carry nothing.
    Partition,
    /// Messages take longer.
    Delay,
    /// Messages take longer by amounts that vary.
    Jitter,
    /// Some messages vanish.
    Loss,
    /// Some messages arrive twice.
    Duplicate,
    /// Some messages are overtaken by later ones.
    Reorder,
    /// Some messages arrive damaged.
    Corrupt,
    /// A process is killed, and stays down until healed.
    Kill,
    /// The power fails: like a kill, and what was not synced is lost or torn.
    PowerOff,
    /// A process is stopped, and goes on later as if nothing had happened.
    Pause,
    /// A process is killed and started again at once.
    Restart,
    /// A disk takes long to sync.
    SlowDisk,
    /// A clock is wrong.
    Clock,
    /// Nodes leave the cluster and come back.
    Membership,
}

impl FaultKind {
    /// Every kind, with its name and what it does.
    pub const ALL: [(FaultKind, &'static str, &'static str); 14] = [
        (FaultKind::Partition, "partition", "cut links between nodes, in one of several shapes"),
        (FaultKind::Delay, "delay", "hold every message back by a fixed time"),
        (FaultKind::Jitter, "jitter", "hold every message back by a random time"),
        (FaultKind::Loss, "loss", "drop some messages"),
        (FaultKind::Duplicate, "duplicate", "deliver some messages twice"),
        (FaultKind::Reorder, "reorder", "let some messages be overtaken"),
        (FaultKind::Corrupt, "corrupt", "flip bits in some messages"),
        (FaultKind::Kill, "kill", "SIGKILL processes, start them again later"),
        (FaultKind::PowerOff, "power-off", "kill processes and lose or tear what they had not synced"),
        (FaultKind::Pause, "pause", "SIGSTOP processes, SIGCONT them later"),
        (FaultKind::Restart, "restart", "SIGKILL processes and start them again at once"),
        (FaultKind::SlowDisk, "slow-disk", "delay every fsync by 5 to 50 ms"),
        (FaultKind::Clock, "clock", "set clocks of nodes wrong, or let them run fast or slow"),
        (
            FaultKind::Membership,
            "membership",
            "have nodes leave the cluster, join it again, replace each other",
        ),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        FaultKind::ALL
            .iter()
            .find(|(kind, ..)| *kind == self)
            .map(|(_, name, _)| *name)
            .expect("ALL has every kind")
    }

    /// The faults of the network, which only the switch can do.
    pub fn is_link(self) -> bool {
        match self {
            FaultKind::Partition
            | FaultKind::Delay
            | FaultKind::Jitter
            | FaultKind::Loss
            | FaultKind::Duplicate
            | FaultKind::Reorder
            | FaultKind::Corrupt => true,
            FaultKind::Kill
            | FaultKind::PowerOff
            | FaultKind::Pause
            | FaultKind::Restart
            | FaultKind::SlowDisk
            | FaultKind::Clock
            | FaultKind::Membership => false,
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for FaultKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        FaultKind::ALL
            .iter()
            .find_map(|(kind, name, _)| (*name == text).then_some(*kind))
            .ok_or_else(|| format!("no fault is called `{text}`"))
    }
}

/// Whom a fault strikes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// One node, at random.
    #[default]
    One,
    /// The largest number of nodes that still leaves a majority.
    Minority,
    /// The smallest number of nodes that is a majority.
    Majority,
    /// Every node.
    All,
    /// The live node with the highest term, as the nodes' probes tell; one at random where none leads.
    Leader,
    /// The node whose probe armed the fault.
    Source,
    /// These nodes.
    Nodes(Vec<NodeId>),
}

/// How the links are cut.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// One node alone.
    One,
    /// The smaller and the larger half, in order of their numbers.
    Halves,
    /// The smaller and the larger half, at random.
    #[default]
    RandomHalves,
    /// A random minority alone with the leader, if there is one.
    Minority,
    /// Every node sees a majority, but no two see the same one.
    MajorityRing,
    /// Two halves that share one node.
    Bridge,
    /// The leader alone.
    Leader,
    /// One node hears the others and is not heard, or the other way round.
    OneWay,
    /// Nodes see each other only within a group; a node that stands in several joins them.
    Groups(Vec<Vec<NodeId>>),
}

impl Shape {
    /// The shapes that need no nodes by name, each with its name.
    pub const NAMED: [(Shape, &'static str); 8] = [
        (Shape::One, "one"),
        (Shape::Minority, "minority"),
        (Shape::Halves, "halves"),
        (Shape::RandomHalves, "random-halves"),
        (Shape::MajorityRing, "majority-ring"),
        (Shape::Bridge, "bridge"),
        (Shape::Leader, "leader"),
        (Shape::OneWay, "one-way"),
    ];
}

/// How the membership changes. Every node belongs to the cluster at the start, so each begins by having some leave.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reshaping {
    /// At least one node leaves, and at most as many as leave a majority of all.
    #[default]
    Shrink,
    /// Some nodes leave, and one of them comes back.
    Grow,
    /// Some nodes leave, and one of them comes back in the place of another.
    Replace,
    /// These nodes, then those, and so on.
    Members(Vec<Vec<NodeId>>),
}

/// A fault as a plan writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Fault {
    /// See [`FaultKind::Partition`].
    Partition {
        /// Which links are cut.
        #[serde(default)]
        shape: Shape,
    },
    /// See [`FaultKind::Delay`].
    Delay {
        /// The nodes whose links are slow, in both directions.
        #[serde(default = "all")]
        target: Target,
        /// How much longer.
        #[serde(default = "fifty_ms", with = "humantime_serde")]
        by: Duration,
    },
    /// See [`FaultKind::Jitter`].
    Jitter {
        /// The nodes whose links are unsteady, in both directions.
        #[serde(default = "all")]
        target: Target,
        /// At most this much longer.
        #[serde(default = "fifty_ms", with = "humantime_serde")]
        up_to: Duration,
    },
    /// See [`FaultKind::Loss`].
    Loss {
        /// The nodes whose links lose messages, in both directions.
        #[serde(default = "all")]
        target: Target,
        /// Of a hundred messages, how many.
        #[serde(default = "twenty")]
        percent: u8,
    },
    /// See [`FaultKind::Duplicate`].
    Duplicate {
        /// The nodes whose links repeat messages, in both directions.
        #[serde(default = "all")]
        target: Target,
        /// Of a hundred messages, how many.
        #[serde(default = "twenty")]
        percent: u8,
    },
    /// See [`FaultKind::Reorder`].
    Reorder {
        /// The nodes whose links reorder messages, in both directions.
        #[serde(default = "all")]
        target: Target,
        /// Of a hundred messages, how many are held back.
        #[serde(default = "twenty")]
        percent: u8,
    },
    /// See [`FaultKind::Corrupt`].
    Corrupt {
        /// The nodes whose links damage messages, in both directions.
        #[serde(default = "all")]
        target: Target,
        /// Of a hundred messages, how many.
        #[serde(default = "twenty")]
        percent: u8,
    },
    /// See [`FaultKind::Kill`].
    Kill {
        /// Who is killed.
        #[serde(default)]
        target: Target,
    },
    /// See [`FaultKind::PowerOff`].
    PowerOff {
        /// Who loses power.
        #[serde(default)]
        target: Target,
    },
    /// See [`FaultKind::Pause`].
    Pause {
        /// Who stands still.
        #[serde(default)]
        target: Target,
    },
    /// See [`FaultKind::Restart`].
    Restart {
        /// Who starts again.
        #[serde(default)]
        target: Target,
    },
    /// See [`FaultKind::SlowDisk`].
    SlowDisk {
        /// Whose disk is slow.
        #[serde(default = "all")]
        target: Target,
    },
    /// See [`FaultKind::Clock`].
    Clock {
        /// Whose clock is wrong.
        #[serde(default)]
        target: Target,
        /// How.
        #[serde(default = "two_seconds_ahead")]
        skew: Skew,
    },
    /// See [`FaultKind::Membership`].
    Membership {
        /// How it changes.
        #[serde(default)]
        change: Reshaping,
    },
}

fn all() -> Target {
    Target::All
}

fn fifty_ms() -> Duration {
    Duration::from_millis(50)
}

fn twenty() -> u8 {
    20
}

fn two_seconds_ahead() -> Skew {
    Skew::Ahead(Duration::from_secs(2))
}

/// Numbers the injections of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FaultId(pub u32);

/// A fault with its nodes and links by name: what is stored in a schedule and done by a world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Disruption {
    /// Messages on these links obey this rule as well.
    Links {
        /// What it is called in the coverage.
        kind: FaultKind,
        /// The links.
        links: Vec<Link>,
        /// What becomes of their messages.
        rule: LinkRule,
    },
    /// These processes are killed, and started again when healed.
    Kill {
        /// The nodes.
        nodes: Vec<NodeId>,
    },
    /// These nodes lose power, and get it back when healed.
    PowerOff {
        /// The nodes.
        nodes: Vec<NodeId>,
    },
    /// These processes stand still until healed.
    Pause {
        /// The nodes.
        nodes: Vec<NodeId>,
    },
    /// These processes are killed and started again at once.
    Restart {
        /// The nodes.
        nodes: Vec<NodeId>,
    },
    /// Each fsync of these nodes takes longer, by a random time between these two.
    SlowDisk {
        /// The nodes.
        nodes: Vec<NodeId>,
        /// At least.
        #[serde(with = "humantime_serde")]
        at_least: Duration,
        /// At most.
        #[serde(with = "humantime_serde")]
        at_most: Duration,
    },
    /// The clocks of these nodes are wrong until healed, over restarts as well: they are their machines'.
    Clock {
        /// The nodes.
        nodes: Vec<NodeId>,
        /// How.
        skew: Skew,
    },
    /// The cluster is to be made up of other nodes; of all again when healed.
    ///
    /// No world has to do anything for it: it is asked of the system, by requests as a client makes them, one for
    /// each node that comes or goes ([`crate::MembershipChange`]).
    Membership {
        /// One membership after the other; the last stays until healed.
        steps: Vec<Vec<NodeId>>,
    },
}

impl Disruption {
    /// What kind of fault it is.
    pub fn kind(&self) -> FaultKind {
        match self {
            Disruption::Links { kind, .. } => *kind,
            Disruption::Kill { .. } => FaultKind::Kill,
            Disruption::PowerOff { .. } => FaultKind::PowerOff,
            Disruption::Pause { .. } => FaultKind::Pause,
            Disruption::Restart { .. } => FaultKind::Restart,
            Disruption::SlowDisk { .. } => FaultKind::SlowDisk,
            Disruption::Clock { .. } => FaultKind::Clock,
            Disruption::Membership { .. } => FaultKind::Membership,
        }
    }

    /// The nodes it strikes; empty for a disruption of links and for one of the membership.
    pub fn nodes(&self) -> &[NodeId] {
        match self {
            Disruption::Links { .. } | Disruption::Membership { .. } => &[],
            Disruption::Kill { nodes }
            | Disruption::PowerOff { nodes }
            | Disruption::Pause { nodes }
            | Disruption::Restart { nodes }
            | Disruption::SlowDisk { nodes, .. }
            | Disruption::Clock { nodes, .. } => nodes,
        }
    }
}

/// Written for the terminal and the report: `n1 n2 | n3 n4 n5`, `kill n3`.
impl fmt::Display for Disruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind())?;
        if let Disruption::Links { links, .. } = self {
            return write!(f, " on {} links", links.len());
        }
        if let Disruption::Membership { steps } = self {
            return write!(f, " through {} steps", steps.len());
        }
        self.nodes().iter().try_for_each(|node| write!(f, " {node}"))
    }
}

/// What a disruption did while it was in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Impact {
    /// Whether it bit: a link fault touched a message; a dead or stopped process had an op or a message pending; a
    /// node had the wrong clock; a change of the membership was acknowledged.
    pub bit: bool,
    /// Messages that the switch dropped, delayed, repeated or damaged because of it.
    #[serde(default)]
    pub messages: u64,
    /// Processes seen dead or stopped while something waited for them.
    #[serde(default)]
    pub processes: u64,
    /// Bytes that the power failure took from logs.
    #[serde(default)]
    pub lost_bytes: u64,
    /// Fsyncs that took longer.
    #[serde(default)]
    pub slow_syncs: u64,
    /// Nodes that acknowledged a wrong clock.
    #[serde(default)]
    pub clocks: u64,
    /// Changes of the membership that the system acknowledged.
    #[serde(default)]
    pub changes: u64,
}

impl Fault {
    /// What kind of fault it is.
    pub fn kind(&self) -> FaultKind {
        match self {
            Fault::Partition { .. } => FaultKind::Partition,
            Fault::Delay { .. } => FaultKind::Delay,
            Fault::Jitter { .. } => FaultKind::Jitter,
            Fault::Loss { .. } => FaultKind::Loss,
            Fault::Duplicate { .. } => FaultKind::Duplicate,
            Fault::Reorder { .. } => FaultKind::Reorder,
            Fault::Corrupt { .. } => FaultKind::Corrupt,
            Fault::Kill { .. } => FaultKind::Kill,
            Fault::PowerOff { .. } => FaultKind::PowerOff,
            Fault::Pause { .. } => FaultKind::Pause,
            Fault::Restart { .. } => FaultKind::Restart,
            Fault::SlowDisk { .. } => FaultKind::SlowDisk,
            Fault::Clock { .. } => FaultKind::Clock,
            Fault::Membership { .. } => FaultKind::Membership,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_written_plainly() {
        let fault: Fault = serde_json::from_str(r#"{"fault":"kill","target":"leader"}"#).unwrap();
        assert_eq!(fault, Fault::Kill { target: Target::Leader });
        let fault: Fault = serde_json::from_str(r#"{"fault":"delay","by":"80ms"}"#).unwrap();
        assert_eq!(fault, Fault::Delay { target: Target::All, by: Duration::from_millis(80) });
        let groups: Fault =
            serde_json::from_str(r#"{"fault":"partition","shape":{"groups":[["n1","n2"],["n3"]]}}"#).unwrap();
        assert_eq!(groups.kind(), FaultKind::Partition);
        let clock: Fault =
            serde_json::from_str(r#"{"fault":"clock","target":"leader","skew":{"fast":5}}"#).unwrap();
        assert_eq!(clock, Fault::Clock { target: Target::Leader, skew: Skew::Fast(5) });
        let error = serde_json::from_str::<Fault>(r#"{"fault":"kill","tarjet":"leader"}"#).unwrap_err();
        assert!(error.to_string().contains("unknown field `tarjet`"), "{error}");
    }
}
