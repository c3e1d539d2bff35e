//! Accusations, with the few events that show them.

use rashomon_core::history::Pair;
use rashomon_core::{Anomaly, Map};
use serde_json::json;

use super::evidence::{Effect, Key};
use crate::linearizable::operation;

/// The effects of a journal that an accusation quotes at most.
const QUOTED: usize = 12;

/// The anomalies, worst first: what breaks mutual exclusion, what loses something, what is merely wrong.
const ORDER: [&str; 14] = [
    "overlapping-sections",
    "lost-update",
    "stale-token",
    "token-reuse",
    "lost-effect",
    "rewritten-journal",
    "token-went-back",
    "token-changed",
    "out-of-order",
    "phantom-effect",
    "repeated-effect",
    "wrong-read",
    "wrong-answer",
    "",
];

/// Where an anomaly stands among others.
pub(super) fn rank(name: &str) -> usize {
    ORDER.iter().position(|known| *known == name).unwrap_or(ORDER.len())
}

impl<'h> Key<'h> {
    /// Accuses by these ops, and these effects of the longest journal.
    pub(super) fn accuse(
        &self,
        name: &'static str,
        ops: &[Option<Pair<'h>>],
        effects: &[Effect],
        because: String,
    ) -> Anomaly {
        debug_assert!(ORDER.contains(&name));
        let mut ops: Vec<Pair<'h>> = ops.iter().copied().flatten().collect();
        ops.sort_by_key(|pair| pair.invoke.index);
        ops.dedup_by_key(|pair| pair.invoke.index);
        let mut events: Vec<u64> = ops
            .iter()
            .flat_map(|pair| [Some(pair.invoke.index), pair.completion.map(|op| op.index)])
            .flatten()
            .collect();
        events.sort_unstable();
        let shown: Vec<_> = ops
            .iter()
            .map(|pair| {
                let mut shown = operation(pair);
                if let Some(journal) = shown["result"].as_array() {
                    shown["result"] = json!(format!("{} effects", journal.len()));
                }
                shown
            })
            .collect();
        let mut details = Map::new();
        details.insert("ops".to_owned(), shown.into());
        if !effects.is_empty() {
            details.insert("effects".to_owned(), effects.iter().map(quote).collect::<Vec<_>>().into());
        }
        Anomaly {
            name: name.to_owned(),
            key: self.name.map(str::to_owned),
            events,
            evidence: if effects.is_empty() { Vec::new() } else { vec![excerpt(effects)] },
            because,
            details,
        }
    }

    /// Names a section with its op.
    pub(super) fn named(&self, work: u64) -> String {
        match self.works.get(&work) {
            Some(pair) => format!("work {work} (op {})", pair.invoke.index),
            None => format!("work {work}"),
        }
    }

    /// The read that showed the longest journal.
    pub(super) fn longest(&self) -> Option<Pair<'h>> {
        self.longest.map(|longest| self.readings[longest].pair)
    }

    /// The request of a section.
    pub(super) fn work(&self, work: u64) -> Option<Pair<'h>> {
        self.works.get(&work).copied()
    }
}

/// An effect as people read it.
fn quote(effect: &Effect) -> String {
    let Effect { work, token, write, value } = effect;
    let token = token.map_or_else(String::new, |token| format!(" with token {token}"));
    format!("work {work}{token} {} {value}", if *write { "wrote" } else { "read" })
}

fn excerpt(effects: &[Effect]) -> String {
    let quoted: Vec<String> = if effects.len() <= QUOTED {
        effects.iter().map(quote).collect()
    } else {
        let (head, tail) = (&effects[..QUOTED / 2], &effects[effects.len() - QUOTED / 2..]);
        let left = format!("{} more", effects.len() - QUOTED);
        head.iter().map(quote).chain([left]).chain(tail.iter().map(quote)).collect()
    };
    format!("the journal: {}", quoted.join("; "))
}
