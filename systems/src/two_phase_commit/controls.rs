//! The legal weaknesses, and by what they show.

use rashomon_core::{Control, Invariant, NodeId, Probe, Time, Violation};

use crate::chapter::{text, violation};

/// All of them, as the harness sees them.
pub(super) const CONTROLS: &[Control] = &[Control {
    name: "blocking",
    summary: "a participant that voted yes and cannot learn the decision keeps its locks until it can, and whoever needs \
              them aborts; that is legal, and no protocol can always avoid it",
    plan: Some(include_str!("plans/blocking.json")),
    tempting: || Box::new(DoubtIsShort),
}];

/// Whoever is in doubt soon learns the decision. It is asked twice, of the coordinator and of all who may know.
#[derive(Debug)]
struct DoubtIsShort;

impl Invariant for DoubtIsShort {
    fn name(&self) -> &'static str {
        "doubt-is-short"
    }

    fn about(&self) -> &'static str {
        "a participant that voted yes and asks what became of it is told by somebody"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        let ("blocked", Some(name)) = (probe.probe.as_str(), text(probe, "transaction")) else {
            return Ok(());
        };
        violation(self.name(), format!("{node} voted yes on transaction {name}, asked, and was told nothing"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chapter::violated;

    #[test]
    fn a_participant_that_nobody_answers() {
        let seen = |script: &str| violated(vec![Box::new(DoubtIsShort)], script);
        assert_eq!(seen("n2 vote transaction=t1.4 vote=yes"), [""; 0]);
        assert_eq!(seen("n2 blocked transaction=t1.4"), ["doubt-is-short"]);
        assert_eq!(seen("n2 blocked"), [""; 0]);
    }
}
