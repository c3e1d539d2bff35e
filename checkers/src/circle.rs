//! A cycle of operations each of which comes before the next, told for a picture, for a program and for Graphviz.

use petgraph::Graph;
use petgraph::dot::Dot;
use rashomon_core::history::Pair;
use rashomon_core::{Map, Value};
use serde_json::json;

/// One operation of a cycle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) process: String,
    pub(crate) invoke: u64,
    pub(crate) completion: Option<u64>,
}

impl Member {
    pub(crate) fn of(pair: &Pair<'_>) -> Member {
        Member {
            process: pair.invoke.process.to_string(),
            invoke: pair.invoke.index,
            completion: pair.completion.map(|op| op.index),
        }
    }
}

/// Why one operation comes before the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// `ww`, `wr`, `rw`, `process` or `realtime`.
    pub(crate) class: &'static str,
    pub(crate) key: Option<String>,
    /// A sentence of which the operation before is the subject, and "the other" the one after.
    pub(crate) because: String,
}

impl Link {
    pub(crate) fn new(class: &'static str, key: Option<String>, because: String) -> Link {
        Link { class, key, because }
    }
}

/// The name of the member at a place, going round: T1, T2, ...
pub(crate) fn name(members: usize, place: usize) -> String {
    format!("T{}", place % members + 1)
}

/// The details of an anomaly that is a cycle: its `transactions`, the `edges` between them, and the whole as `dot`. The
/// link at a place leads from the member there to the next, that of the last to the first.
pub(crate) fn details(members: &[Member], links: &[Link]) -> Map<String, Value> {
    assert_eq!(members.len(), links.len(), "a cycle has as many edges as vertices");
    let name = |place: usize| name(members.len(), place);
    let mut graph = Graph::new();
    let mut transactions = Vec::new();
    let mut vertices = Vec::new();
    for (place, member) in members.iter().enumerate() {
        let Member { process, invoke, completion } = member;
        let events = completion.map_or_else(|| invoke.to_string(), |end| format!("{invoke}-{end}"));
        vertices.push(graph.add_node(format!("{} (process {process}, events {events})", name(place))));
        transactions.push(
            json!({"name": name(place), "process": process, "invoke": invoke, "completion": completion}),
        );
    }
    let mut edges = Vec::new();
    for (place, Link { class, key, because }) in links.iter().enumerate() {
        let label = key.as_ref().map_or_else(|| (*class).to_owned(), |key| format!("{class} {key}"));
        graph.add_edge(vertices[place], vertices[(place + 1) % vertices.len()], label);
        edges.push(json!({
            "from": name(place), "to": name(place + 1), "class": class, "key": key, "because": because,
        }));
    }
    let mut details = Map::new();
    details.insert("transactions".to_owned(), transactions.into());
    details.insert("edges".to_owned(), edges.into());
    details.insert("dot".to_owned(), Dot::new(&graph).to_string().into());
    details
}

#[cfg(test)]
mod tests {
    use super::{Link, Member, details};

    #[test]
    fn a_cycle_ends_where_it_began_and_its_names_cannot_leave_their_quotes() {
        let member = |invoke, completion| Member { process: "3".to_owned(), invoke, completion };
        let members = [member(0, Some(4)), member(2, None)];
        let key = Some("a\"];\n\\".to_owned());
        let links = [
            Link::new("wr", key, "it appended 1, and the other read it".to_owned()),
            Link::new("realtime", None, "it ended before the other began".to_owned()),
        ];
        let details = details(&members, &links);
        assert_eq!(details["edges"][1]["from"], "T2");
        assert_eq!(details["edges"][1]["to"], "T1");
        assert_eq!(details["transactions"][1]["completion"], serde_json::Value::Null);
        let dot = details["dot"].as_str().unwrap();
        assert!(dot.contains(r#"0 [ label = "T1 (process 3, events 0-4)" ]"#), "{dot}");
        assert!(dot.contains(r#"0 -> 1 [ label = "wr a\"];\l\\" ]"#), "{dot}");
    }
}
