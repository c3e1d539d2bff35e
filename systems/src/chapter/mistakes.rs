//! The mistakes of a chapter, and the names by which a plan asks for them.

use std::collections::BTreeSet;

use rashomon_core::{BootError, BugInfo, Setup};

/// A mistake that the nodes of a chapter can be told to make: the enum in its `bugs.rs`.
pub(crate) trait Mistake: Copy + Ord + 'static {
    /// The chapter, as it is called on the command line.
    const CHAPTER: &'static str;
    /// Every mistake, with what the harness is told about it.
    const ALL: &'static [(Self, BugInfo)];

    /// The mistakes that a node is to make.
    fn chosen(setup: &Setup) -> Result<BTreeSet<Self>, BootError> {
        setup.bugs.iter().map(|name| Self::named(name)).collect()
    }

    /// The mistake of this name.
    fn named(name: &str) -> Result<Self, BootError> {
        Self::ALL.iter().find_map(|(mistake, info)| (info.name == name).then_some(*mistake)).ok_or_else(
            || {
                let names: Vec<&str> = Self::ALL.iter().map(|(_, info)| info.name).collect();
                let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                BootError(format!("{} has no bug `{name}`; it has {known}", Self::CHAPTER))
            },
        )
    }
}

/// What the harness is told, without the enum: the `bugs` of a `SystemInfo`.
pub(crate) const fn infos<M: Copy, const N: usize>(all: &[(M, BugInfo); N]) -> [BugInfo; N] {
    let mut infos = [all[0].1; N];
    let mut at = 0;
    while at < N {
        infos[at] = all[at].1;
        at += 1;
    }
    infos
}
