//! A cycle in words and as a drawing.

use petgraph::Graph;
use petgraph::dot::Dot;
use serde_json::{Map, json};

use super::cycle::Cycle;
use super::finding::Finding;
use super::graph::Class;
use super::transactions::Transactions;

/// The finding that a cycle is. `why` explains a dependency between two transactions by its key and a sentence.
pub(super) fn explain(
    cycle: &Cycle,
    transactions: &Transactions,
    why: impl Fn(u32, Class, u32) -> Option<(String, String)>,
) -> Finding {
    let name = |place: usize| format!("T{}", place % cycle.0.len() + 1);
    let mut graph = Graph::new();
    let nodes: Vec<_> = cycle
        .0
        .iter()
        .enumerate()
        .map(|(place, (vertex, _))| {
            let one = transactions.get(*vertex);
            let events =
                one.completion.map_or_else(|| one.invoke.to_string(), |end| format!("{}-{end}", one.invoke));
            graph.add_node(format!("{} (process {}, events {events})", name(place), one.process))
        })
        .collect();
    let mut edges = Vec::new();
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
        let label = match &key {
            Some(key) => format!("{} {key}", class.name()),
            None => class.name().to_owned(),
        };
        graph.add_edge(nodes[place], nodes[(place + 1) % nodes.len()], label);
        sentences.push(format!("{} comes before {}: {sentence}", name(place), name(place + 1)));
        edges.push(json!({
            "from": name(place), "to": name(place + 1), "class": class.name(), "key": key, "because": sentence,
        }));
    }
    let told: Vec<String> = (0..cycle.0.len())
        .map(|place| {
            let one = transactions.get(cycle.0[place].0);
            let event = one.completion.map_or_else(String::new, |end| format!("-{end}"));
            format!("{} = events {}{event}", name(place), one.invoke)
        })
        .collect();
    let mut details = Map::new();
    details.insert("edges".to_owned(), edges.into());
    details.insert("dot".to_owned(), Dot::new(&graph).to_string().into());
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
        details,
    }
}
