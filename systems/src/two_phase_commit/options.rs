//! The numbers that a plan may set, and everything else that a node is told when it begins.

use std::collections::BTreeSet;
use std::time::Duration;

use rashomon_core::{BootError, NodeId, OptionInfo, Setup};

use super::account::{AccountNumber, shard};
use super::bugs::Bug;
use crate::chapter::{Mistake, Options, refused};

const RESEND: OptionInfo = OptionInfo {
    name: "resend",
    summary: "milliseconds after which the coordinator repeats what was not answered",
    default: 50,
};
const GIVE_UP: OptionInfo = OptionInfo {
    name: "give-up",
    summary: "milliseconds after which the coordinator aborts what not all have voted for",
    default: 400,
};
const INQUIRE: OptionInfo = OptionInfo {
    name: "inquire",
    summary: "milliseconds from one inquiry of a participant in doubt to the next",
    default: 100,
};
const IDLE: OptionInfo = OptionInfo {
    name: "idle",
    summary: "milliseconds after which a participant aborts what it was not asked to prepare",
    default: 1000,
};
const CHECKPOINT_EVERY: OptionInfo = OptionInfo {
    name: "checkpoint-every",
    summary: "records from one checkpoint of a log to the next",
    default: 512,
};

/// Every option.
pub(super) const OPTIONS: &[OptionInfo] = &[RESEND, GIVE_UP, INQUIRE, IDLE, CHECKPOINT_EVERY];

/// What a node knows from the start and never changes.
#[derive(Debug)]
pub(super) struct Config {
    pub(super) me: NodeId,
    /// The first node.
    pub(super) coordinator: NodeId,
    /// The others.
    pub(super) participants: Vec<NodeId>,
    pub(super) resend: Duration,
    pub(super) give_up: Duration,
    pub(super) inquire: Duration,
    pub(super) idle: Duration,
    pub(super) checkpoint_every: u64,
    bugs: BTreeSet<Bug>,
}

impl Config {
    /// Checks what the plan says.
    pub(super) fn new(setup: &Setup) -> Result<Config, BootError> {
        let options = Options::of(setup, Bug::CHAPTER, OPTIONS)?;
        let [coordinator, participants @ ..] = &setup.nodes[..] else {
            return refused("two_phase_commit needs a coordinator");
        };
        // One participant would keep all accounts, and its answer to a read would not fit into one message.
        if participants.len() < 2 {
            return refused(
                "two_phase_commit needs at least three nodes: a coordinator and two participants",
            );
        }
        let config = Config {
            me: setup.me,
            coordinator: *coordinator,
            participants: participants.to_vec(),
            resend: options.milliseconds(&RESEND)?,
            give_up: options.milliseconds(&GIVE_UP)?,
            inquire: options.milliseconds(&INQUIRE)?,
            idle: options.milliseconds(&IDLE)?,
            checkpoint_every: options.positive(&CHECKPOINT_EVERY)?,
            bugs: Bug::chosen(setup)?,
        };
        options.below(&RESEND, &GIVE_UP)?;
        Ok(config)
    }

    /// The participant that keeps the account.
    pub(super) fn shard(&self, account: AccountNumber) -> NodeId {
        shard(&self.participants, account)
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
        assert_eq!(error(3, &[], &[]), None);
        assert_eq!(error(9, &[("resend", 10.into())], &["vote-before-force"]), None);
        assert!(error(4, &[("resent", 5.into())], &[]).unwrap().contains("no option `resent`"));
        assert!(error(4, &[("resend", 400.into())], &[]).unwrap().contains("below `give-up`"));
        assert!(error(4, &[], &["slow"]).unwrap().contains("no bug `slow`"));
        assert!(error(2, &[], &[]).unwrap().contains("at least three nodes"));
    }
}
