//! What became of each element that was added to a set.

mod elements;

use rashomon_core::{Anomaly, History, Kind, Verdict};
use serde_json::json;

use crate::quantiles::quantiles;
use crate::{Budget, Checker};
use elements::{Elements, Fate};

/// The anomalies of one kind that are told one by one; the others are counted.
const TOLD: usize = 8;

/// Follows every element of a set that grows, in the terms of Jepsen's `set-full`.
///
/// An element becomes *known* when its add is acknowledged or when a read first shows it: so an add that ended `info`
/// counts from the first read on that shows it, and then it is `recovered`. Operations: `add` with the element; `read`,
/// whose `ok` value lists all elements. Keys are separate sets. Jepsen's test for duplicates can never come true
/// (its condition is a count below one); this one does.
///
/// Maelstrom's `g-set` is the same question. So is its `broadcast`, where elements are messages, and `broadcast` is what
/// an add is called; the time until a message is in every read that begins is `stable_latency`.
///
/// - *stable*: from some time on, every read that began later showed it;
/// - *lost*: known, then missing from the last read that began after that, and never seen again;
/// - *never read*: its add was not acknowledged and no read showed it, or no read began after it was known;
/// - *stale*: stable in the end, but missing from some read that began after it was known;
/// - *phantom*: read, but never added before that read ended, or its add certainly failed;
/// - *duplicate*: twice in one read.
///
/// Lost, phantom and duplicate elements are *invalid*; stale ones are when the set ought to be linearizable.
/// *Unknown* when no read succeeded after an acknowledged add.
#[derive(Clone, Copy, Debug)]
pub struct Set {
    name: &'static str,
    about: &'static str,
    /// What adding is called.
    add: &'static str,
    linearizable: bool,
}

impl Default for Set {
    fn default() -> Set {
        Set {
            name: "set",
            about: "no acknowledged add is lost, no element is a phantom, and none is there twice",
            add: "add",
            linearizable: false,
        }
    }
}

impl Set {
    /// A checker of sets whose reads must show all that was known before they began.
    pub fn linearizable() -> Set {
        Set { linearizable: true, ..Set::default() }
    }

    /// The same as the default, by Jepsen's name.
    pub fn full() -> Set {
        Set { name: "set-full", ..Set::default() }
    }

    /// Maelstrom's grow-only set.
    pub fn grow_only() -> Set {
        Set {
            name: "g-set",
            about: "a grow-only set keeps every acknowledged element, shows no phantom, and none twice",
            ..Set::default()
        }
    }

    /// Maelstrom's broadcast: the messages that were sent, and those that nodes have.
    pub fn broadcast() -> Set {
        Set {
            name: "broadcast",
            about: "every acknowledged message arrives and stays, and none that nobody sent, nor any twice",
            add: "broadcast",
            ..Set::default()
        }
    }
}

impl Checker for Set {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn check(&self, history: &History, budget: &Budget<'_>) -> Verdict {
        let succeeded =
            |f: &str| history.pairs().filter(|pair| pair.outcome() == Kind::Ok && pair.invoke.f == f).count();
        let reads = succeeded("read");
        if reads == 0 {
            return Verdict::unknown(self.name(), "vacuous: no read succeeded");
        }
        let elements = match Elements::follow(history, self.add, budget) {
            Ok(elements) => elements,
            Err(reason) => return Verdict::unknown(self.name(), reason),
        };
        let mut anomalies = Vec::new();
        let mut kinds = vec![Fate::Lost, Fate::Phantom, Fate::Duplicate];
        if self.linearizable {
            kinds.push(Fate::Stale);
        }
        for fate in kinds {
            anomalies.extend(elements.with(fate).take(TOLD).map(|element| element.accuse(fate)));
        }
        let count = |fate: Fate| elements.with(fate).count();
        let summary = format!(
            "{} elements: {} stable, {} lost, {} never read, {} stale, {} phantom, {} duplicate",
            elements.len(),
            count(Fate::Stable),
            count(Fate::Lost),
            count(Fate::NeverRead),
            count(Fate::Stale),
            count(Fate::Phantom),
            count(Fate::Duplicate)
        );
        let mut verdict = if !anomalies.is_empty() {
            let first: &Anomaly = &anomalies[0];
            let summary = format!("{}: {}; {summary}", first.name, first.because);
            Verdict::invalid(self.name(), summary, anomalies)
        } else if count(Fate::Stable) == 0 {
            Verdict::unknown(self.name(), format!("vacuous: no read began after an add was known; {summary}"))
        } else {
            Verdict::valid(self.name(), summary)
        };
        for fate in Fate::ALL {
            verdict = verdict.with_stat(fate.name(), count(fate));
        }
        verdict
            .with_stat("elements", elements.len())
            .with_stat("recovered", elements.recovered())
            .with_stat("reads", reads)
            .with_stat("stable_latency", quantiles(elements.stable_latencies()))
            .with_stat("lost_latency", quantiles(elements.lost_latencies()))
            .with_stat("examples", json!(elements.examples(TOLD)))
    }
}
