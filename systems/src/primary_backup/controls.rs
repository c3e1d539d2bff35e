//! Legal weaknesses: each is told by an invariant that somebody might think must hold.

use std::collections::BTreeMap;

use rashomon_core::{Control, Invariant, NodeId, Probe, Time, Violation};

use crate::chapter::violation;

/// All of them, as the harness sees them.
pub(super) const CONTROLS: &[Control] = &[Control {
    name: "replaced-and-unaware",
    summary: "a primary that is cut off believes itself in office while another serves; that is legal, since it \
              answers nobody without its backup",
    plan: Some(include_str!("plans/replaced-and-unaware.json")),
    tempting: || Box::new(OneInOffice::default()),
}];

/// At most one server at a time believes itself to be the primary.
#[derive(Debug, Default)]
struct OneInOffice {
    /// Who entered office and has not left it, and in which view.
    offices: BTreeMap<NodeId, u64>,
}

impl Invariant for OneInOffice {
    fn name(&self) -> &'static str {
        "one-in-office"
    }

    fn about(&self) -> &'static str {
        "at most one server at a time believes itself to be the primary"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        if matches!(probe.probe.as_str(), "boot" | "enter") {
            self.offices.remove(&node);
        }
        let ("primary", Some(view)) = (probe.probe.as_str(), probe.number("term")) else { return Ok(()) };
        let other = self.offices.iter().find(|(other, before)| **other != node && **before < view);
        let seen = other.map(|(other, before)| {
            format!("{node} serves in view {view}, while {other} has not yet left view {before}")
        });
        self.offices.insert(node, view);
        seen.map_or(Ok(()), |because| violation(self.name(), because))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chapter::violated;

    #[test]
    fn a_primary_that_has_not_heard_of_its_successor() {
        let seen = |script: &str| violated(vec![Box::new(OneInOffice::default())], script).len();
        assert_eq!(seen("n2 primary term=1\n n3 primary term=2"), 1);
        assert_eq!(seen("n2 primary term=1\n n2 enter view=2\n n3 primary term=2"), 0);
        assert_eq!(seen("n2 primary term=1\n n2 boot view=1\n n3 primary term=2"), 0, "it forgot its office");
        assert_eq!(seen("n2 primary term=1\n n2 primary term=2"), 0);
    }
}
