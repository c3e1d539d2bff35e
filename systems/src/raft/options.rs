//! The numbers that a plan may set, and everything else that a node is told when it begins.

use std::collections::BTreeSet;
use std::time::Duration;

use rashomon_core::{BootError, NodeId, OptionInfo, Setup};

use super::bugs::Bug;
use crate::chapter::{Mistake, Options, refused};

const HEARTBEAT: OptionInfo =
    OptionInfo { name: "heartbeat", summary: "milliseconds between two heartbeats of a leader", default: 50 };
const ELECTION_MIN: OptionInfo =
    OptionInfo { name: "election-min", summary: "shortest election time-out, in milliseconds", default: 300 };
const ELECTION_MAX: OptionInfo =
    OptionInfo { name: "election-max", summary: "longest election time-out, in milliseconds", default: 600 };
const SNAPSHOT_EVERY: OptionInfo = OptionInfo {
    name: "snapshot-every",
    summary: "applied entries from one snapshot to the next; 0 takes none",
    default: 256,
};
const BATCH: OptionInfo =
    OptionInfo { name: "batch", summary: "most entries that one message carries", default: 64 };

/// Every option.
pub(super) const OPTIONS: &[OptionInfo] = &[HEARTBEAT, ELECTION_MIN, ELECTION_MAX, SNAPSHOT_EVERY, BATCH];

/// What a node knows from the start and never changes.
#[derive(Debug)]
pub(super) struct Config {
    pub(super) me: NodeId,
    /// Every process: those that the cluster begins with, and those that may ever belong to it.
    pub(super) nodes: Vec<NodeId>,
    pub(super) heartbeat: Duration,
    pub(super) election_min: Duration,
    pub(super) election_max: Duration,
    /// `None` takes no snapshots.
    pub(super) snapshot_every: Option<u64>,
    pub(super) batch: usize,
    bugs: BTreeSet<Bug>,
}

impl Config {
    /// Checks what the plan says.
    pub(super) fn new(setup: &Setup) -> Result<Config, BootError> {
        let options = Options::of(setup, Bug::CHAPTER, OPTIONS)?;
        let config = Config {
            me: setup.me,
            nodes: setup.nodes.clone(),
            heartbeat: options.milliseconds(&HEARTBEAT)?,
            election_min: options.milliseconds(&ELECTION_MIN)?,
            election_max: options.milliseconds(&ELECTION_MAX)?,
            snapshot_every: Some(options.number(&SNAPSHOT_EVERY)?).filter(|every| *every > 0),
            batch: usize::try_from(options.positive(&BATCH)?).unwrap_or(usize::MAX),
            bugs: Bug::chosen(setup)?,
        };
        if config.election_min > config.election_max {
            return refused("option `election-min` is above `election-max`");
        }
        options.below(&HEARTBEAT, &ELECTION_MIN)?;
        Ok(config)
    }

    /// Whether to make this mistake.
    pub(super) fn has(&self, bug: Bug) -> bool {
        self.bugs.contains(&bug)
    }
}

#[cfg(test)]
mod tests {
    use rashomon_core::{Map, Value};

    use super::*;

    fn error(options: &[(&str, Value)], bugs: &[&str]) -> Option<String> {
        let options: Map<String, Value> =
            options.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let bugs = bugs.iter().map(|bug| (*bug).to_owned()).collect();
        Config::new(&Setup { me: NodeId(1), nodes: NodeId::first(3), bugs, options })
            .err()
            .map(|error| error.to_string())
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_the_reason() {
        assert_eq!(error(&[], &[]), None);
        assert_eq!(error(&[("snapshot-every", 0.into()), ("batch", 1.into())], &["local-read"]), None);
        let reason = |options: &[(&str, Value)]| error(options, &[]).unwrap();
        assert!(reason(&[("hartbeat", 5.into())]).contains("no option `hartbeat`; it has heartbeat"));
        assert!(reason(&[("batch", 0.into())]).contains("at least 1"));
        assert!(reason(&[("batch", "x".into())]).contains("non-negative integer"));
        assert!(reason(&[("election-min", 700.into())]).contains("above `election-max`"));
        assert!(reason(&[("heartbeat", 300.into())]).contains("below `election-min`"));
        assert!(error(&[], &["slow"]).unwrap().contains("no bug `slow`"));
    }
}
