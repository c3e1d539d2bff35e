//! The numbers that a plan may set, and everything else that a node is told when it begins.

use std::collections::BTreeSet;
use std::time::Duration;

use rashomon_core::{BootError, NodeId, OptionInfo, Setup};

use super::bugs::Bug;
use crate::chapter::{Mistake, Options, refused};

const RETRY_MIN: OptionInfo = OptionInfo {
    name: "retry-min",
    summary: "shortest time after which a proposer begins another ballot, in milliseconds",
    default: 20,
};
const RETRY_MAX: OptionInfo = OptionInfo {
    name: "retry-max",
    summary: "longest time after which a proposer begins another ballot, in milliseconds; doubles with each defeat",
    default: 100,
};

/// Every option.
pub(super) const OPTIONS: &[OptionInfo] = &[RETRY_MIN, RETRY_MAX];

/// What a node knows from the start and never changes.
#[derive(Debug)]
pub(super) struct Config {
    pub(super) me: NodeId,
    pub(super) nodes: Vec<NodeId>,
    pub(super) retry_min: Duration,
    pub(super) retry_max: Duration,
    bugs: BTreeSet<Bug>,
}

impl Config {
    /// Checks what the plan says.
    pub(super) fn new(setup: &Setup) -> Result<Config, BootError> {
        let options = Options::of(setup, Bug::CHAPTER, OPTIONS)?;
        let config = Config {
            me: setup.me,
            nodes: setup.nodes.clone(),
            retry_min: options.milliseconds(&RETRY_MIN)?,
            retry_max: options.milliseconds(&RETRY_MAX)?,
            bugs: Bug::chosen(setup)?,
        };
        if config.retry_min > config.retry_max {
            return refused("option `retry-min` is above `retry-max`");
        }
        Ok(config)
    }

    /// The smallest number of nodes that is a majority of all, so that any two quorums have a node in common.
    pub(super) fn quorum(&self) -> usize {
        if self.has(Bug::QuorumOfHalf) {
            return self.nodes.len() / 2;
        }
        self.nodes.len() / 2 + 1
    }

    /// Whether to make this mistake.
    pub(super) fn has(&self, bug: Bug) -> bool {
        self.bugs.contains(&bug)
    }
}

#[cfg(test)]
mod tests {
    use rashomon_core::Map;

    use super::*;

    fn setup(nodes: u16, options: &[(&str, u64)]) -> Setup {
        let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        Setup { me: NodeId(1), nodes: NodeId::first(nodes), bugs: Vec::new(), options }
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_the_reason() {
        let reason =
            |options: &[(&str, u64)]| Config::new(&setup(3, options)).err().map(|error| error.to_string());
        assert_eq!(reason(&[("retry-min", 7), ("retry-max", 7)]), None);
        assert_eq!(reason(&[("retry-min", 101)]).unwrap(), "option `retry-min` is above `retry-max`");
        assert_eq!(reason(&[("retry-min", 0)]).unwrap(), "option `retry-min` is 0; it must be at least 1");
    }

    #[test]
    fn any_two_quorums_meet() {
        for nodes in 1..=9 {
            let quorum = Config::new(&Setup { options: Map::new(), ..setup(nodes, &[]) }).unwrap().quorum();
            assert!(2 * quorum > usize::from(nodes) && 2 * (quorum - 1) <= usize::from(nodes));
        }
    }
}
