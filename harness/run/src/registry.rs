//! Everything that has a name: one line adds a system.

use std::path::Path;
use std::sync::OnceLock;

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

/// A system, as the registry keeps it.
pub fn entry<S: System>() -> SystemEntry {
    SystemEntry {
        info: S::info(),
        simulate: |config| Ok(Box::new(SimWorld::<S>::start(config)?)),
        node: node::run::<S>,
        invariants: S::invariants,
    }
}

/// The systems of a binary that is not ours.
static GUESTS: OnceLock<Vec<SystemEntry>> = OnceLock::new();

/// Adds systems from outside this workspace. Once, before anything else is asked of the registry.
///
/// An error says that a name is taken, or that guests were invited before.
pub fn invite(guests: Vec<SystemEntry>) -> Result<(), String> {
    let mut names: Vec<&str> = residents().iter().map(|entry| entry.info.name).collect();
    for guest in &guests {
        if names.contains(&guest.info.name) {
            return Err(format!("two systems are called `{}`", guest.info.name));
        }
        names.push(guest.info.name);
    }
    GUESTS.set(guests).map_err(|_| "systems were added before".to_owned())
}

/// Every system, those invited first.
pub fn systems() -> Vec<SystemEntry> {
    GUESTS.get().into_iter().flatten().copied().chain(residents()).collect()
}

fn residents() -> Vec<SystemEntry> {
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
    fn a_guest_needs_a_name_of_its_own_and_comes_once() {
        assert_eq!(invite(vec![entry::<echo::Echo>()]), Err("two systems are called `echo`".to_owned()));
        let town = SystemEntry {
            info: SystemInfo { name: "town", ..system("echo").unwrap().info },
            ..entry::<echo::Echo>()
        };
        assert_eq!(invite(vec![town, town]), Err("two systems are called `town`".to_owned()));
        assert_eq!(invite(vec![town]), Ok(()));
        assert_eq!(system("town").map(|entry| entry.info.name), Ok("town"));
        assert_eq!(invite(Vec::new()), Err("systems were added before".to_owned()));
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
