//! Whether every read of a counter lies within its bounds.

use std::cmp::Ordering;

use rashomon_core::history::Pair;
use rashomon_core::{Anomaly, History, Map, Verdict};
use serde_json::json;

use super::additions::{Additions, Bounds};
use crate::accusations::{Accusations, anomaly};
use crate::linearizable::node;
use crate::{Budget, Checker};

/// Judges a counter that begins at 0, in the terms of Jepsen's `counter`.
///
/// Operations: `add` with a whole number, which may be negative (Jepsen's checker allows none that is); `read`, whose
/// `ok` value is the sum. Keys are counters of their own.
///
/// The adds that had ended when a read began are in what it shows. Those that began before it ended may be. So the value
/// lies between the sum of the former and all negative ones of the latter, and the sum of the former and all positive
/// ones of the latter.
///
/// - *below bounds*: less than that, so an acknowledged add is missing;
/// - *above bounds*: more than that, so an add counted twice, or one that failed, or had not begun.
///
/// Each is *invalid*. An add that ended `info` may happen at any time from its beginning on, or never: it widens the
/// bounds of all later reads. One that ended `fail` counts for nothing. Bounds are no sums: a value between them that no
/// adds make is let pass. *Unknown* when no read succeeded.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counter;

/// Its anomalies.
const ORDER: [&str; 2] = ["below-bounds", "above-bounds"];

impl Counter {
    fn judge(self, history: &History, budget: &Budget<'_>) -> Result<Verdict, String> {
        let mut accusations = Accusations::default();
        let (mut reads, mut adds) = (0, 0);
        for counter in Additions::follow(history, budget)?.values() {
            reads += counter.reads.len();
            adds += counter.adds.len();
            for ((read, value), bounds) in counter.reads.iter().zip(counter.bounds(true)) {
                if let Some(name) = outside(*value, bounds) {
                    accusations.add(name, || tell(name, *read, *value, bounds));
                }
            }
        }
        let facts = format!("{reads} reads, {adds} adds that may have happened");
        let verdict = match accusations.verdict(self.name(), &ORDER, &facts) {
            Some(invalid) => invalid,
            None if reads == 0 => {
                Verdict::unknown(self.name(), format!("vacuous: no read succeeded; {facts}"))
            }
            None => Verdict::valid(self.name(), format!("{facts}: each read lies within its bounds")),
        };
        Ok(verdict.with_stat("reads", reads).with_stat("adds", adds))
    }
}

/// The anomaly that a value outside its bounds is.
pub(super) fn outside(value: i64, bounds: Bounds) -> Option<&'static str> {
    let value = i128::from(value);
    match (value.cmp(&bounds.least), value.cmp(&bounds.greatest)) {
        (Ordering::Less, _) => Some("below-bounds"),
        (_, Ordering::Greater) => Some("above-bounds"),
        _ => None,
    }
}

pub(super) fn tell(name: &str, read: Pair<'_>, value: i64, bounds: Bounds) -> Anomaly {
    let Bounds { least, greatest } = bounds;
    let who = node(&read).unwrap_or("a read");
    let index = read.invoke.index;
    let because = format!(
        "{who} showed {value} (op {index}), where the adds make at least {least} and at most {greatest}"
    );
    // As text, for a sum may be greater than the numbers of JSON.
    let details = Map::from_iter([
        ("least".to_owned(), json!(least.to_string())),
        ("greatest".to_owned(), json!(greatest.to_string())),
    ]);
    anomaly(name, because, vec![read], details)
}

impl Checker for Counter {
    fn name(&self) -> &'static str {
        "counter"
    }

    fn about(&self) -> &'static str {
        "every read of a counter lies between what was certainly added before it and what may have been"
    }

    fn check(&self, history: &History, budget: &Budget<'_>) -> Verdict {
        self.judge(history, budget).unwrap_or_else(|reason| Verdict::unknown(self.name(), reason))
    }
}
