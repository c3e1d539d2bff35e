//! The numbers that a plan may set, and everything else that a node is told when it begins.

use std::collections::BTreeSet;
use std::time::Duration;

use rand::seq::IndexedRandom;
use rashomon_core::rpc::RpcError;
use rashomon_core::{BootError, NodeId, OptionInfo, Setup, Ticket};

use super::bugs::Bug;
use super::request::Request;
use super::system::Cx;
use crate::chapter::{Mistake, Options, refused};

const LEASE: OptionInfo = OptionInfo {
    name: "lease",
    summary: "milliseconds that a lease lasts, unless it is renewed",
    default: 200,
};
const RETRY: OptionInfo = OptionInfo {
    name: "retry",
    summary: "milliseconds after which a holder repeats what was not answered",
    default: 40,
};
const PATIENCE: OptionInfo = OptionInfo {
    name: "patience",
    summary: "milliseconds for which a holder tries to get a lock before it refuses the work",
    default: 250,
};
const WORK: OptionInfo = OptionInfo {
    name: "work",
    summary: "milliseconds that a holder works before each write of its section",
    default: 3,
};

/// Every option.
pub(super) const OPTIONS: &[OptionInfo] = &[LEASE, RETRY, PATIENCE, WORK];

/// Of the Redlock algorithm's servers there are so many at most.
const MOST_SERVERS: usize = 5;

/// What a node knows from the start and never changes.
#[derive(Debug)]
pub(super) struct Config {
    pub(super) me: NodeId,
    /// Who gives out locks.
    pub(super) servers: Vec<NodeId>,
    /// What the locks protect.
    pub(super) resource: NodeId,
    /// Who takes locks, on behalf of clients.
    pub(super) holders: Vec<NodeId>,
    pub(super) lease: Duration,
    pub(super) retry: Duration,
    pub(super) patience: Duration,
    pub(super) work: Duration,
    bugs: BTreeSet<Bug>,
}

impl Config {
    /// One lock server, the resource, and the holders.
    pub(super) fn lock(setup: &Setup) -> Result<Config, BootError> {
        if setup.nodes.len() < 3 {
            return refused("lock needs at least three nodes: the lock server, the resource and a holder");
        }
        Config::new(setup, Bug::CHAPTER, 1, Bug::chosen(setup)?)
    }

    /// Up to five lock servers, the resource, and the holders.
    pub(super) fn redlock(setup: &Setup) -> Result<Config, BootError> {
        let Some(servers @ 1..) = setup.nodes.len().checked_sub(2) else {
            return refused("redlock needs at least three nodes: a lock server, the resource and a holder");
        };
        if let Some(bug) = setup.bugs.first() {
            return refused(format!("redlock has no bug `{bug}`; it has none"));
        }
        Config::new(setup, "redlock", servers.min(MOST_SERVERS), BTreeSet::new())
    }

    fn new(setup: &Setup, system: &str, servers: usize, bugs: BTreeSet<Bug>) -> Result<Config, BootError> {
        let options = Options::of(setup, system, OPTIONS)?;
        let (servers, others) = setup.nodes.split_at(servers);
        let [resource, holders @ ..] = others else {
            return refused(format!("{system} needs a node for the resource"));
        };
        Ok(Config {
            me: setup.me,
            servers: servers.to_vec(),
            resource: *resource,
            holders: holders.to_vec(),
            lease: options.milliseconds(&LEASE)?,
            retry: options.milliseconds(&RETRY)?,
            patience: options.milliseconds(&PATIENCE)?,
            work: options.milliseconds(&WORK)?,
            bugs,
        })
    }

    /// Whether to make this mistake.
    pub(super) fn has(&self, bug: Bug) -> bool {
        self.bugs.contains(&bug)
    }

    /// How many lock servers must grant a lock.
    pub(super) fn quorum(&self) -> usize {
        self.servers.len() / 2 + 1
    }

    /// How long a holder believes in a lease, from when it asked: a tenth less than the lease, as clocks may differ.
    pub(super) fn belief(&self) -> Duration {
        self.lease * 9 / 10
    }

    /// Answers a client that asked the wrong node: nothing was started here, and that node can serve.
    pub(super) fn refer(&self, ticket: Ticket, request: &Request, cx: &mut Cx<'_>) {
        let error = match request {
            Request::Work { .. } => {
                RpcError::unavailable("a holder does the work", self.holders.choose(cx.rng()).copied())
            }
            Request::Read { .. } => {
                RpcError::unavailable("the resource has the journal", Some(self.resource))
            }
        };
        cx.refuse(ticket, error);
    }
}

#[cfg(test)]
mod tests {
    use rashomon_core::{Map, Value};

    use super::*;

    fn setup(nodes: u16, options: &[(&str, Value)], bugs: &[&str]) -> Setup {
        let options: Map<String, Value> =
            options.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let bugs = bugs.iter().map(|bug| (*bug).to_owned()).collect();
        Setup { me: NodeId(1), nodes: NodeId::first(nodes), bugs, options }
    }

    #[test]
    fn every_node_has_one_role() {
        for (nodes, servers, holders) in [(3, 1, 1), (5, 1, 3)] {
            let config = Config::lock(&setup(nodes, &[], &[])).unwrap();
            assert_eq!((config.servers.len(), config.holders.len()), (servers, holders));
        }
        for (nodes, servers, holders) in [(3, 1, 1), (5, 3, 1), (8, 5, 2)] {
            let config = Config::redlock(&setup(nodes, &[], &[])).unwrap();
            assert_eq!((config.servers.len(), config.holders.len()), (servers, holders));
            assert!(!config.servers.contains(&config.resource) && !config.holders.contains(&config.resource));
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_the_reason() {
        let reason = |setup: &Setup| Config::lock(setup).unwrap_err().to_string();
        assert!(reason(&setup(2, &[], &[])).contains("at least three nodes"));
        assert!(reason(&setup(3, &[("lease", 0.into())], &[])).contains("at least 1"));
        assert!(reason(&setup(3, &[("loose", 1.into())], &[])).contains("no option `loose`; it has lease"));
        assert!(reason(&setup(3, &[], &["slow"])).contains("lock has no bug `slow`"));
        let reason = |setup: &Setup| Config::redlock(setup).unwrap_err().to_string();
        assert!(reason(&setup(2, &[], &[])).contains("at least three nodes"));
        assert!(reason(&setup(3, &[], &["token-reused"])).contains("redlock has no bug"));
    }
}
