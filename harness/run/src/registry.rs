//! Everything that has a name: one line adds a system.

use std::path::Path;

use rashomon_core::{Invariant, System, SystemInfo, WorldError};
use rashomon_live::node::{self, NodeError};
use rashomon_sim::{Config, SimWorld};
use rashomon_systems::{echo, lock, paxos, primary_backup, raft, synod, two_phase_commit};

use crate::run::Stage;

/// A system, its types forgotten.
#[derive(Clone, Copy)]
pub struct SystemEntry {
    /// What the harness needs to know of it.
    pub info: SystemInfo,
    /// The whole system in virtual time.
    pub simulate: fn(Config) -> Result<Box<dyn Stage>, WorldError>,
    /// The main of a node process.
    pub node: fn(&Path) -> Result<(), NodeError>,
    /// Fresh invariants for one run.
    pub invariants: fn() -> Vec<Box<dyn Invariant>>,
}

fn entry<S: System>() -> SystemEntry {
    SystemEntry {
        info: S::info(),
        simulate: |config| Ok(Box::new(SimWorld::<S>::start(config)?)),
        node: node::run::<S>,
        invariants: S::invariants,
    }
}

/// Every system.
pub fn systems() -> Vec<SystemEntry> {
    vec![
        entry::<raft::Raft>(),
        entry::<paxos::Paxos>(),
        entry::<synod::Synod>(),
        entry::<primary_backup::PrimaryBackup>(),
        entry::<two_phase_commit::TwoPhaseCommit>(),
        entry::<lock::Lock>(),
        entry::<lock::Redlock>(),
        entry::<echo::Echo>(),
    ]
}

/// The system of that name, or an error that suggests the nearest.
pub fn system(name: &str) -> Result<SystemEntry, String> {
    let all = systems();
    all.iter()
        .find(|entry| entry.info.name == name)
        .copied()
        .ok_or_else(|| unknown("system", name, all.iter().map(|entry| entry.info.name)))
}

/// Says that `name` is unknown and suggests the nearest of the known ones.
pub fn unknown<'a>(what: &str, name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let nearest = known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(candidate, name), *candidate))
        .min()
        .filter(|(distance, candidate)| *distance <= 2.max(candidate.len() / 3));
    match nearest {
        Some((_, candidate)) => format!("no {what} is called `{name}`; did you mean `{candidate}`?"),
        None if known.is_empty() => format!("no {what} is called `{name}`: there is none"),
        None => format!("no {what} is called `{name}`; there are: {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_suggests_the_near_one() {
        let names = ["register", "set"];
        assert_eq!(
            unknown("workload", "registr", names),
            "no workload is called `registr`; did you mean `register`?"
        );
        assert_eq!(
            unknown("workload", "banking", names),
            "no workload is called `banking`; there are: register, set"
        );
    }

    #[test]
    fn what_a_system_names_exists() {
        for entry in systems() {
            for workload in entry.info.workloads {
                assert!(rashomon_workloads::by_name(workload).is_some(), "{}: {workload}", entry.info.name);
            }
        }
    }

    #[test]
    fn the_bank_that_is_asked_is_the_one_that_is_kept_and_judged() {
        use rashomon_systems::two_phase_commit::{ACCOUNTS, MOST_TRANSFERS, OPENING};
        use rashomon_workloads::Bank;
        let judged = rashomon_checkers::BANK;
        assert_eq!((Bank::ACCOUNTS, Bank::OPENING), (ACCOUNTS, OPENING));
        assert_eq!((Bank::ACCOUNTS, Bank::OPENING), (judged.accounts, judged.balance));
        assert!(Bank::OPS <= MOST_TRANSFERS as u64, "an account takes every transfer of its bank");
    }
}
