//! What changes of the membership must keep to.

use std::collections::BTreeSet;

use rashomon_core::{Invariant, NodeId, Probe, Time, Value, Violation};

use crate::chapter::violation;

/// A configuration is a small step from one that is settled.
#[derive(Debug)]
pub(super) struct OneServerAtATime;

fn servers<'a>(probe: &'a Probe, field: &str) -> Option<BTreeSet<&'a str>> {
    probe.fields.get(field)?.as_array()?.iter().map(Value::as_str).collect()
}

impl Invariant for OneServerAtATime {
    fn name(&self) -> &'static str {
        "one-server-at-a-time"
    }

    fn about(&self) -> &'static str {
        "a configuration differs by one server from the one before it, which is committed (dissertation 4.1)"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        let ("configuration", Some(before), Some(members), Some(place), Some(commit)) = (
            probe.probe.as_str(),
            servers(probe, "before"),
            servers(probe, "members"),
            probe.number("before_index"),
            probe.number("commit"),
        ) else {
            return Ok(());
        };
        let changed: Vec<&str> = before.symmetric_difference(&members).copied().collect();
        if changed.len() != 1 {
            let because = format!("{node} changes {} servers at once: {}", changed.len(), changed.join(" "));
            return violation(self.name(), because);
        }
        if place > commit {
            let because = format!(
                "{node} begins a change although the configuration at {place} is not committed; {commit} is"
            );
            return violation(self.name(), because);
        }
        Ok(())
    }
}
