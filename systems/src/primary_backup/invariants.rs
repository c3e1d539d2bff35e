//! What must hold of the nodes, judged by what they say of themselves.
//!
//! Each predicate reads the probes alone. Those of one node come in the order it emitted them; those of different
//! nodes in any order, so a predicate never concludes anything from which of two nodes was heard first. A probe
//! that is missing never accuses. What is remembered of commands is bounded: the oldest are forgotten.

use std::collections::BTreeMap;

use rashomon_core::{Invariant, NodeId, Probe, Time, Value, Violation};

use crate::chapter::{bound, text, violation};

/// A fresh set of all predicates.
pub(super) fn all() -> Vec<Box<dyn Invariant>> {
    vec![
        Box::new(OnePrimaryPerView::default()),
        Box::new(ViewsNeverGoBack::default()),
        Box::new(ViewSuccession::default()),
        Box::new(SameSequence::default()),
        Box::new(CommittedStays::default()),
    ]
}

/// At most one server serves as primary in a view.
#[derive(Debug, Default)]
struct OnePrimaryPerView {
    primaries: BTreeMap<u64, NodeId>,
}

impl Invariant for OnePrimaryPerView {
    fn name(&self) -> &'static str {
        "one-primary-per-view"
    }

    fn about(&self) -> &'static str {
        "at most one server serves as primary in a view"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        let ("primary", Some(view)) = (probe.probe.as_str(), probe.number("term")) else { return Ok(()) };
        let first = *self.primaries.entry(view).or_insert(node);
        if first == node {
            return Ok(());
        }
        violation(self.name(), format!("{first} and {node} both served as primary of view {view}"))
    }
}

/// The view of a node never goes back.
#[derive(Debug, Default)]
struct ViewsNeverGoBack {
    views: BTreeMap<NodeId, u64>,
}

impl Invariant for ViewsNeverGoBack {
    fn name(&self) -> &'static str {
        "views-never-go-back"
    }

    fn about(&self) -> &'static str {
        "the view of a node, be it the view service or a server, never goes back, also when it starts again"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        if !matches!(probe.probe.as_str(), "boot" | "enter" | "view") {
            return Ok(());
        }
        let Some(view) = probe.number("view") else { return Ok(()) };
        let highest = self.views.entry(node).or_default();
        if view >= *highest {
            *highest = view;
            return Ok(());
        }
        let because =
            format!("{node} is in view {view} (`{}`) after it had reached view {highest}", probe.probe);
        violation(self.name(), because)
    }
}

/// A view follows one that was acknowledged, and its primary has the state of it.
#[derive(Debug, Default)]
struct ViewSuccession {
    /// The latest view of a view service: its number, primary and backup.
    latest: BTreeMap<NodeId, (u64, Option<String>, Option<String>)>,
}

impl Invariant for ViewSuccession {
    fn name(&self) -> &'static str {
        "view-succession"
    }

    fn about(&self) -> &'static str {
        "a view follows one that its primary acknowledged; its primary was the primary of that, or the complete backup"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        let ("view", Some(view)) = (probe.probe.as_str(), probe.number("view")) else { return Ok(()) };
        let owned = |field| text(probe, field).map(str::to_owned);
        let before = self.latest.insert(node, (view, owned("primary"), owned("backup")));
        let Some((before, old_primary, old_backup)) = before.filter(|(before, ..)| before + 1 == view) else {
            return Ok(());
        };
        if probe.number("acknowledged").is_some_and(|acknowledged| acknowledged != before) {
            let because =
                format!("view {view} was formed before the primary of view {before} acknowledged it");
            return violation(self.name(), because);
        }
        let primary = text(probe, "primary");
        if primary == old_primary.as_deref() {
            return Ok(());
        }
        let who = primary.unwrap_or("nobody");
        if primary != old_backup.as_deref() {
            let because = format!("{who} is the primary of view {view}, and was no member of view {before}");
            return violation(self.name(), because);
        }
        if probe.fields.get("complete").and_then(Value::as_bool) == Some(false) {
            let because =
                format!("{who} is the primary of view {view}, and was not given the state of view {before}");
            return violation(self.name(), because);
        }
        Ok(())
    }
}

/// Servers of a view have the same state after the same command.
#[derive(Debug, Default)]
struct SameSequence {
    /// The fingerprint of the state after a command, by view and number, and who told it first.
    states: BTreeMap<(u64, u64), (String, NodeId)>,
}

impl Invariant for SameSequence {
    fn name(&self) -> &'static str {
        "same-sequence"
    }

    fn about(&self) -> &'static str {
        "primary and backup of a view have the same state after the same command"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        let ("apply" | "transfer" | "restore", Some(view), Some(number), Some(digest)) =
            (probe.probe.as_str(), probe.number("view"), probe.number("op"), text(probe, "digest"))
        else {
            return Ok(());
        };
        bound(&mut self.states);
        let (first, who) = self.states.entry((view, number)).or_insert_with(|| (digest.to_owned(), node));
        if first == digest {
            return Ok(());
        }
        let because = format!(
            "{who} and {node} have different states after command {number} in view {view}: {first} and {digest}"
        );
        violation(self.name(), because)
    }
}

/// What was committed in a view is in the state of the primary of every later view.
#[derive(Debug, Default)]
struct CommittedStays {
    /// The furthest command that was committed in each view, and by whom.
    committed: BTreeMap<u64, (u64, NodeId)>,
    /// The last command of each view's primary when it first began to serve.
    primaries: BTreeMap<u64, (u64, NodeId)>,
}

impl CommittedStays {
    fn check(during: u64, commit: (u64, NodeId), view: u64, primary: (u64, NodeId)) -> Result<(), Violation> {
        if view <= during || primary.0 >= commit.0 {
            return Ok(());
        }
        let because = format!(
            "{} committed command {} in view {during}; {} began to serve as primary of view {view} with a state \
             that ends at {}",
            commit.1, commit.0, primary.1, primary.0
        );
        violation("committed-stays", because)
    }
}

impl Invariant for CommittedStays {
    fn name(&self) -> &'static str {
        "committed-stays"
    }

    fn about(&self) -> &'static str {
        "what was committed in a view is in the state with which the primary of any later view begins to serve"
    }

    fn observe(&mut self, _at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        let Some(number) = probe.number("op") else { return Ok(()) };
        match (probe.probe.as_str(), probe.number("view"), probe.number("term")) {
            ("commit", Some(during), _) => {
                let furthest = self.committed.entry(during).or_insert((number, node));
                *furthest = (*furthest).max((number, node));
                let commit = *furthest;
                self.primaries
                    .range(during + 1..)
                    .try_for_each(|(view, primary)| CommittedStays::check(during, commit, *view, *primary))
            }
            ("primary", _, Some(view)) => {
                let primary = *self.primaries.entry(view).or_insert((number, node));
                self.committed
                    .range(..view)
                    .try_for_each(|(during, commit)| CommittedStays::check(*during, *commit, view, primary))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    fn violated(script: &str) -> Vec<String> {
        crate::chapter::violated(super::all(), script)
    }

    #[test]
    fn two_primaries_in_a_view() {
        assert_eq!(violated("n2 primary term=1\n n3 primary term=2\n n2 primary term=1"), [""; 0]);
        assert_eq!(violated("n2 primary term=1\n n3 primary term=1"), ["one-primary-per-view"]);
    }

    #[test]
    fn a_view_that_goes_back() {
        assert_eq!(violated("n2 enter view=4\n n2 boot view=4\n n3 boot view=3"), [""; 0]);
        assert_eq!(violated("n2 enter view=4\n n2 boot view=3"), ["views-never-go-back"]);
        assert_eq!(violated("n1 view view=4\n n1 boot view=0"), ["views-never-go-back"]);
    }

    #[test]
    fn a_view_that_should_not_have_been_formed() {
        let second = |line: &str| {
            violated(&format!("n1 view view=1 acknowledged=0 primary=n2 backup=n3\n n1 view {line}"))
        };
        assert_eq!(second("view=2 acknowledged=1 primary=n2 complete=false"), [""; 0]);
        assert_eq!(second("view=2 acknowledged=1 primary=n3 complete=true"), [""; 0]);
        assert_eq!(second("view=2 acknowledged=0 primary=n3 complete=true"), ["view-succession"]);
        assert_eq!(second("view=2 acknowledged=1 primary=n4 complete=true"), ["view-succession"]);
        assert_eq!(second("view=2 acknowledged=1 primary=n3 complete=false"), ["view-succession"]);
        assert_eq!(second("view=3 acknowledged=2 primary=n4 complete=true"), [""; 0], "a probe is missing");
    }

    #[test]
    fn servers_that_run_different_things() {
        let second = |line: &str| violated(&format!("n2 apply view=3 op=5 digest=aa\n n3 {line}"));
        assert_eq!(second("apply view=3 op=5 digest=aa"), [""; 0]);
        assert_eq!(second("apply view=4 op=5 digest=bb"), [""; 0], "what was not acknowledged may differ");
        assert_eq!(second("apply view=3 op=5 digest=bb"), ["same-sequence"]);
        assert_eq!(second("restore view=3 op=5 digest=bb"), ["same-sequence"]);
    }

    #[test]
    fn a_primary_without_a_committed_command() {
        let committed = "n2 commit view=3 op=7\n n2 commit view=3 op=6\n";
        let primary = |line: &str| violated(&format!("{committed}{line}"));
        assert_eq!(primary("n3 primary term=4 op=7"), [""; 0]);
        assert_eq!(primary("n3 primary term=4 op=9"), [""; 0]);
        assert_eq!(primary("n3 primary term=4 op=6"), ["committed-stays"]);
        assert_eq!(primary("n3 primary term=2 op=0"), [""; 0], "it served before the commitment");
        let reversed = format!("n3 primary term=4 op=6\n{committed}");
        assert_eq!(violated(&reversed), ["committed-stays"; 2], "whichever is heard first");
    }

    #[test]
    fn garbage_accuses_nobody() {
        assert_eq!(
            violated(
                "n2 primary\n n2 primary term=x\n n1 view\n n1 view view=2\n n2 apply op=1\n n1 zap\n n2 commit"
            ),
            [""; 0]
        );
    }
}
