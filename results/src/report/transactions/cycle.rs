//! What an anomaly's details say of a cycle.

use maud::{Markup, html};
use rashomon_core::Anomaly;
use serde_json::Value;

use crate::describe;

/// The most edges that are told in words.
const TOLD: usize = 200;

/// A cycle of transactions. The edge at a place leads from the transaction there to the next, the last to the first.
#[derive(Debug)]
pub(crate) struct Cycle {
    pub(crate) members: Vec<Member>,
    pub(crate) edges: Vec<Edge>,
}

/// One transaction of a cycle.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// The index of its invocation.
    pub(crate) invoke: u64,
    pub(crate) process: String,
}

/// Why one transaction comes before the next.
#[derive(Debug)]
pub(crate) struct Edge {
    pub(crate) class: Class,
    pub(crate) key: Option<String>,
    pub(crate) because: String,
}

/// The kind of an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Ww,
    Wr,
    Rw,
    Process,
    RealTime,
}

impl Class {
    fn parse(text: &str) -> Option<Class> {
        let all = [Class::Ww, Class::Wr, Class::Rw, Class::Process, Class::RealTime];
        all.into_iter().find(|class| class.name() == text)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Class::Ww => "ww",
            Class::Wr => "wr",
            Class::Rw => "rw",
            Class::Process => "process",
            Class::RealTime => "realtime",
        }
    }

    /// What it means that an edge is of this kind.
    fn meaning(self) -> &'static str {
        match self {
            Class::Ww => "wrote the version before",
            Class::Wr => "wrote what the next one read",
            Class::Rw => "read a version that the next one replaced",
            Class::Process => "same process, earlier",
            Class::RealTime => "ended before the next one began",
        }
    }
}

impl Edge {
    /// The edge in short: `rw x`.
    pub(crate) fn label(&self, longest: usize) -> String {
        match &self.key {
            Some(key) => format!("{} {}", self.class.name(), describe::shortened(key, longest)),
            None => self.class.name().to_owned(),
        }
    }
}

impl Cycle {
    /// The cycle that an anomaly is; `None` where it is none, or does not say enough to draw it.
    pub(crate) fn of(anomaly: &Anomaly) -> Option<Cycle> {
        let list = |name: &str| anomaly.details.get(name).and_then(Value::as_array);
        let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let member = |value: &Value| {
            Some(Member {
                name: describe::shortened(&text(value, "name")?, 12),
                invoke: value.get("invoke")?.as_u64()?,
                process: describe::shortened(&text(value, "process")?, 12),
            })
        };
        let edge = |value: &Value| {
            Some(Edge {
                class: Class::parse(value.get("class")?.as_str()?)?,
                key: text(value, "key"),
                because: text(value, "because")?,
            })
        };
        let members: Vec<Member> = list("transactions")?.iter().map(member).collect::<Option<_>>()?;
        let edges: Vec<Edge> = list("edges")?.iter().map(edge).collect::<Option<_>>()?;
        (members.len() > 1 && members.len() == edges.len()).then_some(Cycle { members, edges })
    }

    pub(crate) fn after(&self, place: usize) -> &Member {
        &self.members[(place + 1) % self.members.len()]
    }

    /// The edges that touch a transaction: the one that leads to it, and the one that leads on.
    pub(crate) fn around(&self, place: usize) -> [&Edge; 2] {
        [&self.edges[(place + self.edges.len() - 1) % self.edges.len()], &self.edges[place]]
    }

    /// Every edge in words. `id` begins the names by which the picture leads to them.
    pub(crate) fn told(&self, id: &str) -> Markup {
        html! {
            ol.edges {
                @for (place, edge) in self.edges.iter().enumerate().take(TOLD) {
                    li id=(format!("{id}-{place}")) {
                        span.step { (self.members[place].name) " → " (self.after(place).name) }
                        span.edge.(edge.class.name()) { (edge.label(24)) }
                        span.why { (describe::clean(&edge.because, 600)) }
                    }
                }
                @if self.edges.len() > TOLD { li { span.why { "and " (self.edges.len() - TOLD) " more" } } }
            }
        }
    }

    /// The kinds of edges that there are, with what they mean.
    pub(crate) fn legend(&self) -> Markup {
        let all = [Class::Ww, Class::Wr, Class::Rw, Class::Process, Class::RealTime];
        let there = |class: &Class| self.edges.iter().any(|edge| edge.class == *class);
        html! {
            p.hint {
                "An arrow: the one comes before the other. "
                @for class in all.into_iter().filter(there) {
                    span.edge.(class.name()) { (class.name()) } " " (class.meaning()) ". "
                }
            }
        }
    }
}
