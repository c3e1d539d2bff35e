//! A cycle in words and as a drawing.

use super::cycle::Cycle;
use super::finding::Finding;
use super::graph::Class;
use super::transactions::Transactions;
use crate::circle::{self, Link, Member};

/// The finding that a cycle is. `why` explains a dependency between two transactions by its key and a sentence.
pub(super) fn explain(
    cycle: &Cycle,
    transactions: &Transactions,
    why: impl Fn(u32, Class, u32) -> Option<(String, String)>,
) -> Finding {
    let name = |place: usize| circle::name(cycle.0.len(), place);
    let mut members = Vec::new();
    let mut links = Vec::new();
    let mut told = Vec::new();
    let mut sentences = Vec::new();
    for (place, (vertex, class)) in cycle.0.iter().enumerate() {
        let next = cycle.0[(place + 1) % cycle.0.len()].0;
        let (one, two) = (transactions.get(*vertex), transactions.get(next));
        let (key, sentence) = match *class {
            Class::PROCESS => (None, format!("process {} did it earlier", one.process)),
            Class::REALTIME => (
                None,
                format!(
                    "it ended at event {}, before the other began at event {}",
                    one.completion.unwrap_or(one.invoke),
                    two.invoke
                ),
            ),
            class => {
                let (key, sentence) =
                    why(*vertex, class, next).expect("an edge has its reason in the history");
                (Some(key), sentence)
            }
        };
        let end = one.completion.map_or_else(String::new, |end| format!("-{end}"));
        told.push(format!("{} = events {}{end}", name(place), one.invoke));
        sentences.push(format!("{} comes before {}: {sentence}", name(place), name(place + 1)));
        members.push(Member {
            process: one.process.to_string(),
            invoke: one.invoke,
            completion: one.completion,
        });
        links.push(Link::new(class.name(), key, sentence));
    }
    Finding {
        name: cycle.name(),
        key: None,
        transactions: cycle.0.iter().map(|(vertex, _)| *vertex).collect(),
        because: format!(
            "each of {} transactions would come before itself ({}): {}",
            cycle.0.len(),
            told.join(", "),
            sentences.join("; ")
        ),
        rules_out: cycle.rules_out(),
        details: circle::details(&members, &links),
        marks: Vec::new(),
    }
}
