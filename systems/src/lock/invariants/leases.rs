//! What must hold of leases: the word of the lock server, and of those who act by it.

use std::collections::BTreeMap;

use rashomon_core::{Invariant, NodeId, Probe, Time, Violation};

use super::lease;
use crate::chapter::{bound, text, violation};

/// Each grant of a lock has a greater token than all before it.
#[derive(Debug, Default)]
pub(super) struct TokensRise {
    greatest: BTreeMap<String, u64>,
}

impl Invariant for TokensRise {
    fn name(&self) -> &'static str {
        "tokens-rise"
    }

    fn about(&self) -> &'static str {
        "each grant of a lock has a greater token than all grants before it, also when the lock server starts again"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        let ("grant", Some((lock, token))) = (probe.probe.as_str(), lease(probe)) else { return Ok(()) };
        bound(&mut self.greatest);
        let greatest = self.greatest.entry(lock.clone()).or_default();
        if token > *greatest {
            *greatest = token;
            return Ok(());
        }
        let because = format!("{node} granted lock {lock} with token {token} after token {greatest}");
        violation(self.name(), because)
    }
}

/// A lock is granted again only when the lease before has run out, or its owner is done.
///
/// That the lease ran out the lock server says itself, in the same life. Otherwise the owner must be done: whatever it
/// does under its token after the next grant shows that two had a lease at that moment.
#[derive(Debug, Default)]
pub(super) struct OneLease {
    /// The last grant of each lock, and whether its time ran out.
    last: BTreeMap<String, (u64, bool)>,
    /// Leases that did not run out before the next grant, and when that was.
    succeeded: BTreeMap<(String, u64), Time>,
    /// When somebody last acted under a token, and who.
    acts: BTreeMap<(String, u64), (Time, NodeId)>,
}

impl OneLease {
    fn check(&self, lease: &(String, u64)) -> Result<(), Violation> {
        let (Some(next), Some((acted, who))) = (self.succeeded.get(lease), self.acts.get(lease)) else {
            return Ok(());
        };
        if acted <= next {
            return Ok(());
        }
        let (lock, token) = lease;
        let because = format!(
            "{who} acted under token {token} of lock {lock} at {acted}, and its lease had not run out when the lock \
             was granted again at {next}"
        );
        violation("one-lease", because)
    }
}

impl Invariant for OneLease {
    fn name(&self) -> &'static str {
        "one-lease"
    }

    fn about(&self) -> &'static str {
        "a lock is granted again only when the lease before has run out or its owner is done"
    }

    fn observe(&mut self, at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        let Some(lease) = lease(probe) else { return Ok(()) };
        match probe.probe.as_str() {
            "grant" => {
                let (lock, token) = lease;
                bound(&mut self.last);
                let Some((before, ran_out)) = self.last.insert(lock.clone(), (token, false)) else {
                    return Ok(());
                };
                if ran_out || before + 1 != token {
                    return Ok(());
                }
                bound(&mut self.succeeded);
                self.succeeded.insert((lock.clone(), before), at);
                self.check(&(lock, before))
            }
            "timeout" => {
                if let Some((last, ran_out)) = self.last.get_mut(&lease.0) {
                    *ran_out |= *last == lease.1;
                }
                Ok(())
            }
            "act" => {
                bound(&mut self.acts);
                let latest = self.acts.entry(lease.clone()).or_insert((at, node));
                *latest = (*latest).max((at, node));
                self.check(&lease)
            }
            _ => Ok(()),
        }
    }
}

/// A lease whose time has run is in nobody's way.
#[derive(Debug, Default)]
pub(super) struct LeasesEnd {
    /// The lease of each lock whose time has run, in the present life of the lock server.
    over: BTreeMap<String, u64>,
}

impl Invariant for LeasesEnd {
    fn name(&self) -> &'static str {
        "leases-end"
    }

    fn about(&self) -> &'static str {
        "when the time of a lease has run, it is neither renewed nor in the way of others"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        if probe.probe == "boot" && text(probe, "role") == Some("server") {
            // A server that starts again grants each lease its whole time once more.
            self.over.clear();
        }
        let Some((lock, token)) = lease(probe) else { return Ok(()) };
        match probe.probe.as_str() {
            "timeout" => {
                bound(&mut self.over);
                self.over.insert(lock, token);
                Ok(())
            }
            "renew" | "deny" | "release" if self.over.get(&lock) == Some(&token) => {
                let because = format!(
                    "the lease of lock {lock} with token {token} had run its time, and {node} still held to it \
                     (`{}`)",
                    probe.probe
                );
                violation(self.name(), because)
            }
            _ => Ok(()),
        }
    }
}

/// A lock is freed for its owner alone.
#[derive(Debug, Default)]
pub(super) struct ReleasedByOwner;

impl Invariant for ReleasedByOwner {
    fn name(&self) -> &'static str {
        "released-by-owner"
    }

    fn about(&self) -> &'static str {
        "a lock is freed before its time only when its owner asks for it"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        let ("release", Some((lock, token)), Some(owner), Some(by)) =
            (probe.probe.as_str(), lease(probe), text(probe, "owner"), text(probe, "by"))
        else {
            return Ok(());
        };
        if owner == by {
            return Ok(());
        }
        let because =
            format!("{node} freed lock {lock}, which {owner} had with token {token}, because {by} was done");
        violation(self.name(), because)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn violated(script: &str) -> Vec<String> {
        crate::chapter::violated(super::super::all(), script)
    }

    #[test]
    fn a_token_that_was_there_before() {
        assert_eq!(
            violated("n1 grant lock=a token=1\n n1 grant lock=a token=3\n n1 grant lock=b token=1"),
            [""; 0]
        );
        assert_eq!(violated("n1 grant lock=a token=2\n n1 grant lock=a token=2"), ["tokens-rise"]);
        assert_eq!(
            violated("n1 grant lock=a token=2\n n1 boot role=server\n n1 grant lock=a token=1"),
            ["tokens-rise"]
        );
    }

    #[test]
    fn a_lease_that_will_not_end() {
        let after = |line: &str| {
            violated(&format!("n1 grant lock=a token=1\n n1 timeout lock=a token=1\n n1 {line}"))
        };
        assert_eq!(after("grant lock=a token=2"), [""; 0]);
        assert_eq!(after("deny lock=a token=2"), [""; 0]);
        assert_eq!(after("deny lock=b token=1"), [""; 0]);
        assert_eq!(after("deny lock=a token=1"), ["leases-end"]);
        assert_eq!(after("renew lock=a token=1"), ["leases-end"]);
        assert_eq!(after("release lock=a token=1 owner=x by=x"), ["leases-end"]);
        assert_eq!(after("boot role=server\n n1 deny lock=a token=1"), [""; 0], "its time began anew");
    }

    #[test]
    fn a_lock_that_another_frees() {
        assert_eq!(violated("n1 release lock=a token=1 owner=x by=x"), [""; 0]);
        assert_eq!(violated("n1 release lock=a token=1 owner=x by=y"), ["released-by-owner"]);
    }

    /// Probes of lock `a` in the order in which they are heard: when, who, what, token.
    fn one_lease(probes: &[(u64, u16, &'static str, u64)]) -> bool {
        let mut invariant = OneLease::default();
        probes.iter().all(|(at, node, name, token)| {
            let probe = Probe::new(*name).with("lock", "a").with("token", *token);
            invariant.observe(Time::ZERO + Duration::from_millis(*at), NodeId(*node), &probe).is_ok()
        })
    }

    #[test]
    fn two_leases_at_a_time() {
        let granted = [(1, 1, "grant", 7), (9, 1, "grant", 8)];
        let with = |more: &[(u64, u16, &'static str, u64)]| one_lease(&[&granted, more].concat());
        assert!(with(&[(5, 3, "act", 7), (10, 4, "act", 8)]), "the first was done");
        assert!(!with(&[(12, 3, "act", 7)]), "the first was not done");
        assert!(!one_lease(&[&[(12, 3, "act", 7)], &granted[..]].concat()), "whatever is heard first");
        assert!(
            one_lease(&[(1, 1, "grant", 7), (8, 1, "timeout", 7), (9, 1, "grant", 8), (12, 3, "act", 7)]),
            "the lease ran out: its owner may not know"
        );
        assert!(
            one_lease(&[(1, 1, "grant", 7), (9, 1, "grant", 9), (12, 3, "act", 7)]),
            "a probe is missing"
        );
    }
}
