//! How long things take.

use std::time::Duration;

use rashomon_core::{Seed, Time};
use serde::{Deserialize, Serialize};

/// From the shortest to the longest that something takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Span {
    /// At least.
    #[serde(with = "humantime_serde")]
    pub at_least: Duration,
    /// At most.
    #[serde(with = "humantime_serde")]
    pub at_most: Duration,
}

impl Span {
    /// From so many microseconds to so many.
    pub const fn micros(at_least: u64, at_most: u64) -> Span {
        Span { at_least: Duration::from_micros(at_least), at_most: Duration::from_micros(at_most) }
    }

    /// The time that `key` stands for: uniform over the span, and the same whenever it is asked.
    ///
    /// A key and not a stream of draws, so that one message less leaves the latencies of the others alone. The
    /// seed is mixed well already; the bias of the remainder is below one in a billion.
    pub(crate) fn draw(self, key: Seed) -> Duration {
        let least = Time::from(self.at_least).0;
        let width = Time::from(self.at_most).0.saturating_sub(least).saturating_add(1);
        Duration::from_nanos(least + key.0 % width)
    }

    /// Why it cannot be used, if it cannot.
    pub(crate) fn trouble(self) -> Option<&'static str> {
        if self.at_least > self.at_most {
            Some("takes at least longer than at most")
        } else if self.at_least.is_zero() {
            // What takes no time could go on for ever without time passing.
            Some("takes no time")
        } else if self.at_most > Duration::from_hours(1) {
            Some("takes longer than an hour")
        } else {
            None
        }
    }
}

/// How fast the simulated machines and their network are while nothing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Timing {
    /// A message from node to node, one way.
    pub message: Span,
    /// A request or reply between a client and a node, one way.
    pub client: Span,
    /// A sync of the disk.
    pub sync: Span,
    /// From the start of a process until it is there for others.
    pub boot: Span,
}

impl Default for Timing {
    fn default() -> Timing {
        Timing {
            message: Span::micros(50, 1_000),
            client: Span::micros(50, 500),
            sync: Span::micros(100, 300),
            boot: Span::micros(2_000, 10_000),
        }
    }
}

impl Timing {
    /// Why it cannot be used, if it cannot.
    pub fn trouble(&self) -> Option<String> {
        [
            ("a message", self.message),
            ("a request", self.client),
            ("a sync", self.sync),
            ("a boot", self.boot),
        ]
        .into_iter()
        .find_map(|(what, span)| span.trouble().map(|trouble| format!("{what} {trouble}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_stay_in_the_span_and_reach_both_ends() {
        let span = Span { at_least: Duration::from_nanos(3), at_most: Duration::from_nanos(6) };
        let drawn: std::collections::BTreeSet<u128> =
            (0..100).map(|key| span.draw(Seed(1).split_number(key)).as_nanos()).collect();
        assert_eq!(drawn.into_iter().collect::<Vec<_>>(), [3, 4, 5, 6]);
        assert_eq!(span.draw(Seed(5)), span.draw(Seed(5)));
    }

    #[test]
    fn what_takes_no_time_is_refused() {
        assert_eq!(Timing::default().trouble(), None);
        let instant = Timing { message: Span::micros(0, 5), ..Timing::default() };
        assert_eq!(instant.trouble().as_deref(), Some("a message takes no time"));
        let backwards = Timing { sync: Span::micros(7, 5), ..Timing::default() };
        assert!(backwards.trouble().is_some_and(|reason| reason.starts_with("a sync")));
    }
}
