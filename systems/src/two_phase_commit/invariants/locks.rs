//! Who holds what.

use std::collections::BTreeMap;

use rashomon_core::{Invariant, NodeId, Probe, Time, Value, Violation};

use super::{Name, list, show, transaction};
use crate::chapter::violation;

/// What is locked at one participant.
#[derive(Debug, Default)]
struct Held {
    /// By account: who holds it, and whether alone.
    accounts: BTreeMap<String, BTreeMap<Name, bool>>,
}

/// An account that is locked to be changed is locked by nobody else.
#[derive(Debug, Default)]
pub(super) struct ExclusiveLocks {
    nodes: BTreeMap<NodeId, Held>,
}

impl Invariant for ExclusiveLocks {
    fn name(&self) -> &'static str {
        "exclusive-locks"
    }

    fn about(&self) -> &'static str {
        "an account that a transaction may change is locked by no other"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        let held = self.nodes.entry(node).or_default();
        match (probe.probe.as_str(), transaction(probe)) {
            // Locks are in memory.
            ("boot", _) => held.accounts.clear(),
            ("unlock", Some(name)) => held.accounts.retain(|_, holders| {
                holders.remove(&name);
                !holders.is_empty()
            }),
            ("lock", Some(name)) => {
                let Some(exclusive) = probe.fields.get("exclusive").and_then(Value::as_bool) else {
                    return Ok(());
                };
                let mut clash = None;
                for account in list(probe, "accounts").unwrap_or_default() {
                    let holders = held.accounts.entry(account.to_owned()).or_default();
                    let other =
                        holders.iter().find(|(other, alone)| **other != name && (exclusive || **alone));
                    clash = clash.or(other.map(|(other, _)| (account, *other)));
                    holders.insert(name, exclusive);
                }
                if let Some((account, other)) = clash {
                    let because = format!(
                        "{node} gave transaction {} a lock on account {account} that transaction {} holds",
                        show(name),
                        show(other)
                    );
                    return violation("exclusive-locks", because);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::all;

    fn lock(name: &str, account: &str, exclusive: bool) -> String {
        format!(r#"n2 lock transaction={name} accounts=["{account}"] exclusive={exclusive}"#)
    }

    fn violated(lines: &[String]) -> Vec<String> {
        crate::chapter::violated(all(), &lines.join("\n"))
    }

    #[test]
    fn a_lock_given_twice() {
        let unlock = "n2 unlock transaction=t1.1".to_owned();
        let boot = "n2 boot prepared=[]".to_owned();
        let first = lock("t1.1", "b/0", true);
        assert_eq!(violated(&[first.clone(), lock("t1.2", "b/0", true)]), ["exclusive-locks"]);
        assert_eq!(violated(&[first.clone(), lock("t1.2", "b/0", false)]), ["exclusive-locks"]);
        assert_eq!(violated(&[first.clone(), lock("t1.2", "b/1", true)]), [""; 0]);
        assert_eq!(violated(&[first.clone(), unlock, lock("t1.2", "b/0", true)]), [""; 0]);
        assert_eq!(violated(&[first, boot, lock("t1.2", "b/0", true)]), [""; 0]);
        let shared = lock("t1.1", "b/0", false);
        assert_eq!(violated(&[shared.clone(), lock("t1.2", "b/0", false)]), [""; 0]);
        assert_eq!(violated(&[shared, lock("t1.2", "b/0", true)]), ["exclusive-locks"]);
    }
}
