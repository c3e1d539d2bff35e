//! Legal weaknesses: each is told by an invariant that somebody might think must hold.

use std::collections::BTreeMap;

use rashomon_core::{Control, Invariant, NodeId, Probe, Time, Violation};

use super::invariants::lease;
use crate::chapter::{bound, violation};

/// All of them, as the harness sees them.
pub(super) const CONTROLS: &[Control] = &[Control {
    name: "two-believers",
    summary: "a holder that stood still, or whose clock is slow, believes that it has a lock while another has it; \
              that is legal, since the resource turns it away",
    plan: Some(include_str!("plans/paused-holder.json")),
    tempting: || Box::new(OneBeliever::default()),
}];

/// At most one holder at a time acts as if it had a lock.
#[derive(Debug, Default)]
struct OneBeliever {
    /// The latest time at which somebody acted under a token, by lock and token.
    acts: BTreeMap<(String, u64), (Time, NodeId)>,
    /// When somebody first did.
    begun: BTreeMap<(String, u64), (Time, NodeId)>,
}

impl Invariant for OneBeliever {
    fn name(&self) -> &'static str {
        "one-believer"
    }

    fn about(&self) -> &'static str {
        "nobody acts under a token of a lock once somebody has acted under the next"
    }

    fn observe(&mut self, at: Time, node: NodeId, probe: &Probe) -> Result<(), Violation> {
        let ("act", Some((lock, token))) = (probe.probe.as_str(), lease(probe)) else { return Ok(()) };
        bound(&mut self.acts);
        bound(&mut self.begun);
        let last = self.acts.entry((lock.clone(), token)).or_insert((at, node));
        *last = (*last).max((at, node));
        let first = self.begun.entry((lock.clone(), token)).or_insert((at, node));
        *first = (*first).min((at, node));
        for earlier in [token.saturating_sub(1), token] {
            let before = self.acts.get(&(lock.clone(), earlier));
            let next = self.begun.get(&(lock.clone(), earlier + 1));
            if let (Some((last, who)), Some((first, other))) = (before, next)
                && last > first
            {
                let because = format!(
                    "{who} acted under token {earlier} of lock {lock} at {last}, after {other} had begun to act under \
                     the next token at {first}"
                );
                return violation("one-believer", because);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn whoever_acts_under_a_token_after_the_next_was_used_believes_too_long() {
        let act = |acts: &[(u64, u64)]| {
            let mut invariant = OneBeliever::default();
            acts.iter().all(|(at, token)| {
                let probe = Probe::new("act").with("lock", "a").with("token", *token);
                invariant.observe(Time::ZERO + Duration::from_millis(*at), NodeId(3), &probe).is_ok()
            })
        };
        assert!(act(&[(1, 1), (2, 1), (3, 2), (4, 3)]));
        assert!(act(&[(3, 2), (1, 1)]), "whatever is heard first");
        assert!(!act(&[(1, 1), (3, 2), (4, 1)]));
        assert!(!act(&[(1, 1), (4, 1), (3, 2)]));
    }
}
