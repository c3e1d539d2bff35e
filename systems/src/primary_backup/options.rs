//! The numbers that a plan may set, and everything else that a node is told when it begins.

use std::collections::BTreeSet;
use std::time::Duration;

use rashomon_core::{BootError, NodeId, OptionInfo, Setup};

use super::bugs::Bug;
use crate::chapter::{Mistake, Options, refused};

const PING: OptionInfo =
    OptionInfo { name: "ping", summary: "milliseconds between two pings of a server", default: 50 };
const DEAD_AFTER: OptionInfo = OptionInfo {
    name: "dead-after",
    summary: "milliseconds of silence after which a server counts as dead",
    default: 300,
};
const CHECKPOINT_EVERY: OptionInfo = OptionInfo {
    name: "checkpoint-every",
    summary: "commands from one checkpoint of the log to the next",
    default: 256,
};

/// Every option.
pub(super) const OPTIONS: &[OptionInfo] = &[PING, DEAD_AFTER, CHECKPOINT_EVERY];

/// What a node knows from the start and never changes.
#[derive(Debug)]
pub(super) struct Config {
    pub(super) me: NodeId,
    pub(super) nodes: Vec<NodeId>,
    /// The view service.
    pub(super) service: NodeId,
    pub(super) ping: Duration,
    pub(super) dead_after: Duration,
    pub(super) checkpoint_every: u64,
    bugs: BTreeSet<Bug>,
}

impl Config {
    /// Checks what the plan says.
    pub(super) fn new(setup: &Setup) -> Result<Config, BootError> {
        let options = Options::of(setup, Bug::CHAPTER, OPTIONS)?;
        let [service, _, ..] = setup.nodes[..] else {
            return refused("primary_backup needs at least two nodes: the view service and a server");
        };
        let config = Config {
            me: setup.me,
            nodes: setup.nodes.clone(),
            service,
            ping: options.milliseconds(&PING)?,
            dead_after: options.milliseconds(&DEAD_AFTER)?,
            checkpoint_every: options.positive(&CHECKPOINT_EVERY)?,
            bugs: Bug::chosen(setup)?,
        };
        options.below(&PING, &DEAD_AFTER)?;
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

    fn error(nodes: u16, options: &[(&str, Value)], bugs: &[&str]) -> Option<String> {
        let options: Map<String, Value> =
            options.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let bugs = bugs.iter().map(|bug| (*bug).to_owned()).collect();
        Config::new(&Setup { me: NodeId(1), nodes: NodeId::first(nodes), bugs, options })
            .err()
            .map(|error| error.to_string())
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_the_reason() {
        assert_eq!(error(2, &[], &[]), None);
        assert_eq!(error(4, &[("ping", 10.into())], &["split-brain"]), None);
        let reason = |options: &[(&str, Value)]| error(4, options, &[]).unwrap();
        assert!(reason(&[("pong", 5.into())]).contains("no option `pong`; it has ping"));
        assert!(reason(&[("ping", 0.into())]).contains("at least 1"));
        assert!(reason(&[("ping", "x".into())]).contains("non-negative integer"));
        assert!(reason(&[("ping", 300.into())]).contains("below `dead-after`"));
        assert!(error(4, &[], &["slow"]).unwrap().contains("no bug `slow`"));
        assert!(error(1, &[], &[]).unwrap().contains("at least two nodes"));
    }
}
