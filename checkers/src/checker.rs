//! The one interface of all checkers, and the list of them.

use rashomon_core::{History, Verdict};

use crate::adya::Adya;
use crate::atomic_commitment::AtomicCommitment;
use crate::availability::Availability;
use crate::bank::{Bank, Opening};
use crate::causal::Causal;
use crate::causal_reverse::CausalReverse;
use crate::consensus::Consensus;
use crate::counters::{Counter, EventualCounter};
use crate::isolation::{ListAppend, RwRegister};
use crate::kafka::Kafka;
use crate::linearizable::Linearizable;
use crate::lock::Lock;
use crate::long_fork::LongFork;
use crate::models::{self, Register};
use crate::queues::{TotalQueue, UnorderedQueue};
use crate::sessions::{Guarantee, Sequential, SessionGuarantees};
use crate::set::Set;
use crate::stats::Stats;
use crate::unique_ids::UniqueIds;
use crate::{Budget, Follow};

/// Judges histories.
pub trait Checker: Send + Sync {
    /// Its name, by which workloads and people ask for it.
    fn name(&self) -> &'static str;

    /// What it decides, in one sentence.
    fn about(&self) -> &'static str;

    /// Judges a history.
    ///
    /// Never `valid` when nothing was observed, and `unknown` when the budget ran out first.
    fn check(&self, history: &History, budget: &Budget<'_>) -> Verdict;

    /// The same while the history is read, if this checker can.
    fn follow(&self) -> Option<Box<dyn Follow + '_>> {
        None
    }
}

/// The banks of the workload `bank`.
pub const BANK: Opening = Opening { accounts: 6, balance: 20 };

/// Every checker that workloads may name, in the order in which people should see them.
pub fn all() -> Vec<Box<dyn Checker>> {
    vec![
        Box::new(Linearizable::named(
            "linearizable-register",
            "every read, write and cas of a register takes effect at one instant between call and return",
            Register::cas(),
        )),
        Box::new(Set::default()),
        Box::new(Set::full()),
        Box::new(Set::grow_only()),
        Box::new(Set::broadcast()),
        Box::new(UnorderedQueue),
        Box::new(TotalQueue),
        Box::new(Counter),
        Box::new(EventualCounter::grow_only()),
        Box::new(EventualCounter::positive_negative()),
        Box::new(UniqueIds),
        Box::new(Consensus),
        Box::new(AtomicCommitment),
        Box::new(Bank::new(BANK)),
        Box::new(Linearizable::named(
            "linearizable-bank",
            "every transfer and every read of a bank takes effect at one instant between call and return: the \
             transactions are strictly serializable",
            models::Bank::new(BANK),
        )),
        Box::new(ListAppend::default()),
        Box::new(RwRegister::default()),
        Box::new(Sequential::default()),
        Box::new(SessionGuarantees::default()),
        Box::new(SessionGuarantees::only(Guarantee::ReadYourWrites)),
        Box::new(SessionGuarantees::only(Guarantee::MonotonicReads)),
        Box::new(SessionGuarantees::only(Guarantee::MonotonicWrites)),
        Box::new(SessionGuarantees::only(Guarantee::WritesFollowReads)),
        Box::new(LongFork),
        Box::new(Causal),
        Box::new(CausalReverse),
        Box::new(Adya),
        Box::new(Kafka),
        Box::new(Lock),
        Box::new(Stats),
        Box::new(Availability),
    ]
}

/// The checker of that name.
pub fn by_name(name: &str) -> Option<Box<dyn Checker>> {
    all().into_iter().find(|checker| checker.name() == name)
}
