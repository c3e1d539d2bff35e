//! What must hold of the nodes, judged by what they say of themselves.
//!
//! Each predicate reads the probes alone. Those of one node come in the order it emitted them; those of different
//! nodes in any order, so where two nodes matter the time of a probe decides, and not when it was heard. A probe that
//! is missing never accuses. What is remembered is bounded: the oldest is forgotten.

mod effects;
mod leases;

use rashomon_core::{Invariant, Probe};

use crate::chapter::text;

/// A fresh set of all predicates.
pub(super) fn all() -> Vec<Box<dyn Invariant>> {
    vec![
        Box::new(leases::TokensRise::default()),
        Box::new(leases::OneLease::default()),
        Box::new(leases::LeasesEnd::default()),
        Box::new(leases::ReleasedByOwner),
        Box::new(effects::OneOwnerPerToken::default()),
        Box::new(effects::FenceHolds::default()),
        Box::new(effects::SectionsApart::default()),
    ]
}

/// Those that make sense without tokens.
pub(super) fn of_redlock() -> Vec<Box<dyn Invariant>> {
    vec![Box::new(effects::SectionsApart::default())]
}

/// The lock and the token that a probe is about.
pub(super) fn lease(probe: &Probe) -> Option<(String, u64)> {
    Some((text(probe, "lock")?.to_owned(), probe.number("token")?))
}
