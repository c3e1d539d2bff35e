//! What must hold of effects: the word of the resource.

use std::collections::{BTreeMap, BTreeSet};

use rashomon_core::{Invariant, NodeId, Probe, Time, Violation};

use crate::chapter::{bound, text, violation};

/// A token belongs to one owner.
#[derive(Debug, Default)]
pub(super) struct OneOwnerPerToken {
    owners: BTreeMap<(String, u64), String>,
}

impl Invariant for OneOwnerPerToken {
    fn name(&self) -> &'static str {
        "one-owner-per-token"
    }

    fn about(&self) -> &'static str {
        "no two critical sections have the same token of a lock"
    }

    fn observe(&mut self, _at: Time, _node: NodeId, probe: &Probe) -> Result<(), Violation> {
        let ("grant" | "act" | "effect", Some(lock), Some(token), Some(owner)) = (
            probe.probe.as_str(),
            text(probe, "lock").or(text(probe, "key")),
            probe.number("token"),
            text(probe, "owner"),
        ) else {
            return Ok(());
        };
        bound(&mut self.owners);
        let first = self.owners.entry((lock.to_owned(), token)).or_insert_with(|| owner.to_owned());
        if first == owner {
            return Ok(());
        }
        violation("one-owner-per-token", format!("{first} and {owner} both had token {token} of lock {lock}"))
    }
}

/// The resource accepts nothing with a token smaller than one it has accepted before.
#[derive(Debug, Default)]
pub(super) struct FenceHolds {
    greatest: BTreeMap<String, u64>,
}

impl Invariant for FenceHolds {
    fn name(&self) -> &'static str {
        "fence-holds"
    }

    fn about(&self) -> &'static str {
        "the resource accepts nothing with a smaller token than one before, also when it starts again"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        let ("effect", Some(key), Some(token)) =
            (probe.probe.as_str(), text(probe, "key"), probe.number("token"))
        else {
            return Ok(());
        };
        bound(&mut self.greatest);
        let greatest = self.greatest.entry(key.to_owned()).or_default();
        if token >= *greatest {
            *greatest = token;
            return Ok(());
        }
        violation(
            "fence-holds",
            format!("{node} accepted token {token} for key {key} after token {greatest}"),
        )
    }
}

/// The effects of one section at a key come without those of another between them.
#[derive(Debug, Default)]
pub(super) struct SectionsApart {
    keys: BTreeMap<String, Sections>,
}

#[derive(Debug, Default)]
struct Sections {
    last: String,
    /// The sections that another has followed.
    past: BTreeSet<String>,
}

impl Invariant for SectionsApart {
    fn name(&self) -> &'static str {
        "sections-apart"
    }

    fn about(&self) -> &'static str {
        "the effects of a critical section at the resource are not interleaved with those of another"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        let ("effect", Some(key), Some(owner)) =
            (probe.probe.as_str(), text(probe, "key"), text(probe, "owner"))
        else {
            return Ok(());
        };
        bound(&mut self.keys);
        let sections = self.keys.entry(key.to_owned()).or_default();
        if sections.last == owner {
            return Ok(());
        }
        let last = std::mem::replace(&mut sections.last, owner.to_owned());
        let because =
            format!("{node} accepted an effect of {owner} on key {key} after {last} had followed it");
        sections.past.insert(last);
        if sections.past.contains(owner) { violation(self.name(), because) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    fn violated(script: &str) -> Vec<String> {
        crate::chapter::violated(super::super::all(), script)
    }

    #[test]
    fn a_token_of_two_owners() {
        let second = |line: &str| violated(&format!("n1 grant lock=a token=4 owner=x\n {line}"));
        assert_eq!(second("n3 act lock=a token=4 owner=x"), [""; 0]);
        assert_eq!(second("n3 act lock=b token=4 owner=y"), [""; 0]);
        assert_eq!(second("n3 act lock=a token=4 owner=y"), ["one-owner-per-token"]);
        assert_eq!(second("n2 effect key=a token=4 owner=y"), ["one-owner-per-token"]);
    }

    #[test]
    fn a_fence_that_falls() {
        assert_eq!(violated("n2 effect key=a token=4 owner=x\n n2 effect key=b token=1 owner=y"), [""; 0]);
        assert_eq!(
            violated("n2 effect key=a token=4 owner=x\n n2 effect key=a token=3 owner=y"),
            ["fence-holds"]
        );
    }

    #[test]
    fn sections_that_overlap() {
        let effects = |owners: &[&str]| {
            let lines: Vec<String> =
                owners.iter().map(|owner| format!("n2 effect key=a owner={owner}")).collect();
            violated(&lines.join("\n"))
        };
        assert_eq!(effects(&["x", "x", "y", "y", "z"]), [""; 0]);
        assert_eq!(effects(&["x", "y", "x"]), ["sections-apart"]);
    }

    #[test]
    fn garbage_accuses_nobody() {
        assert_eq!(
            violated(
                "n1 grant\n n1 grant lock=a\n n1 release lock=a token=1\n n2 effect\n n2 effect key=1\n n9 zap"
            ),
            [""; 0]
        );
    }
}
