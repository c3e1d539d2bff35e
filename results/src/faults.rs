//! The faults of a run, each from its injection to its healing.

use std::collections::{BTreeMap, BTreeSet};

use rashomon_core::{Disruption, Fault, FaultId, FaultKind, Impact, Link, NodeId, Time};
use serde_json::Value;

use crate::describe;
use crate::store::{ScheduleEntry, ScheduleEvent};

/// One fault, put together from its entries in the schedule.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FaultSpan {
    pub(crate) id: FaultId,
    pub(crate) kind: Option<FaultKind>,
    /// What the plan asked for.
    pub(crate) asked: String,
    /// What it resolved to, with nodes and links by name.
    pub(crate) resolved: String,
    /// The nodes it strikes: itself, or every link of theirs.
    pub(crate) nodes: Vec<NodeId>,
    pub(crate) from: Time,
    /// `None` when the schedule ends first.
    pub(crate) to: Option<Time>,
    pub(crate) impact: Option<Impact>,
    /// What it came to: the last event on record.
    pub(crate) state: ScheduleEvent,
    pub(crate) notes: Vec<String>,
}

impl FaultSpan {
    /// Its kind, or a word where even that is not on record.
    pub(crate) fn name(&self) -> &'static str {
        self.kind.map_or("fault", FaultKind::name)
    }

    /// Whether it was in force at all.
    pub(crate) fn struck(&self) -> bool {
        match self.state {
            ScheduleEvent::Injected | ScheduleEvent::Healed => true,
            ScheduleEvent::Intent | ScheduleEvent::Skipped | ScheduleEvent::Failed => false,
        }
    }

    /// Which of three it is, for its colour: of the network, of processes, of disks.
    pub(crate) fn family(&self) -> &'static str {
        match self.kind {
            Some(kind) if kind.is_link() => "link",
            Some(FaultKind::SlowDisk) => "disk",
            _ => "process",
        }
    }

    /// What it did, in words.
    pub(crate) fn effect(&self) -> String {
        match &self.impact {
            Some(impact) => {
                describe::effect(impact.messages, impact.processes, impact.lost_bytes, impact.slow_syncs)
            }
            None => "not on record".to_owned(),
        }
    }
}

/// The faults of a schedule, in the order of their beginnings.
pub(crate) fn spans(entries: &[ScheduleEntry]) -> Vec<FaultSpan> {
    let nodes = all_nodes(entries);
    let mut spans: BTreeMap<FaultId, FaultSpan> = BTreeMap::new();
    for entry in entries {
        let span = spans.entry(entry.id).or_insert_with(|| FaultSpan {
            id: entry.id,
            kind: None,
            asked: String::new(),
            resolved: String::new(),
            nodes: Vec::new(),
            from: entry.time,
            to: None,
            impact: None,
            state: entry.event,
            notes: Vec::new(),
        });
        if let Some(fault) = &entry.fault {
            span.kind = Some(fault.kind());
            span.asked = asked(fault);
        }
        if let Some(disruption) = &entry.disruption {
            span.kind = Some(disruption.kind());
            span.resolved = resolved(disruption, &nodes);
            span.nodes = struck(disruption);
        }
        if let Some(impact) = &entry.impact {
            span.impact = Some(impact.clone());
        }
        span.notes.extend(entry.note.clone());
        match entry.event {
            ScheduleEvent::Intent => {}
            ScheduleEvent::Injected => {
                span.from = entry.time;
                span.state = entry.event;
            }
            ScheduleEvent::Healed => {
                // A foreign or damaged schedule may heal before it injects.
                span.to = Some(entry.time.max(span.from));
                span.state = entry.event;
            }
            // A heal that failed leaves the fault in force: it struck all the same.
            ScheduleEvent::Failed if span.state == ScheduleEvent::Injected => {}
            ScheduleEvent::Skipped | ScheduleEvent::Failed => span.state = entry.event,
        }
    }
    let mut spans: Vec<FaultSpan> = spans.into_values().collect();
    spans.sort_by_key(|span| (span.from, span.id));
    spans
}

/// Every node that the schedule mentions.
fn all_nodes(entries: &[ScheduleEntry]) -> BTreeSet<NodeId> {
    let mut nodes = BTreeSet::new();
    for disruption in entries.iter().filter_map(|entry| entry.disruption.as_ref()) {
        nodes.extend(disruption.nodes());
        if let Disruption::Links { links, .. } = disruption {
            nodes.extend(links.iter().flat_map(|link| [link.from, link.to]));
        }
    }
    nodes
}

/// A fault as the plan wrote it: `partition leader`, `loss all, percent 20`.
fn asked(fault: &Fault) -> String {
    let mut text = fault.kind().name().to_owned();
    let Ok(Value::Object(mut fields)) = serde_json::to_value(fault) else { return text };
    fields.remove("fault");
    for whom in ["shape", "target"] {
        if let Some(whom) = fields.remove(whom) {
            text = format!("{text} {}", describe::value(&whom));
        }
    }
    for (name, field) in fields {
        text = format!("{text}, {} {}", name.replace('_', " "), describe::value(&field));
    }
    text
}

fn struck(disruption: &Disruption) -> Vec<NodeId> {
    match disruption {
        Disruption::Links { links, .. } => centre(links),
        Disruption::Kill { .. }
        | Disruption::PowerOff { .. }
        | Disruption::Pause { .. }
        | Disruption::Restart { .. }
        | Disruption::SlowDisk { .. } => disruption.nodes().to_vec(),
    }
}

/// The nodes that every one of the links touches, if there are any.
fn centre(links: &[Link]) -> Vec<NodeId> {
    let Some(first) = links.first() else { return Vec::new() };
    let touches = |node: &NodeId| links.iter().all(|link| link.from == *node || link.to == *node);
    [first.from, first.to].into_iter().filter(touches).collect()
}

fn resolved(disruption: &Disruption, nodes: &BTreeSet<NodeId>) -> String {
    match disruption {
        Disruption::Links { links, rule, .. } => {
            let mut parts = Vec::new();
            if rule.cut {
                parts.push(cut(links, nodes));
            }
            let mut changes = Vec::new();
            if !rule.delay.is_zero() {
                changes.push(format!("+{}", describe::span(rule.delay)));
            }
            if !rule.jitter.is_zero() {
                changes.push(format!("+0 to {}", describe::span(rule.jitter)));
            }
            for (percent, what) in [
                (rule.loss, "lost"),
                (rule.duplicate, "doubled"),
                (rule.reorder, "overtaken"),
                (rule.corrupt, "damaged"),
            ] {
                if percent > 0 {
                    changes.push(format!("{percent}% {what}"));
                }
            }
            if !changes.is_empty() {
                parts.push(format!("{} on {}", changes.join(", "), which(links, nodes)));
            }
            parts.join("; ")
        }
        Disruption::SlowDisk { nodes, at_least, at_most } => format!(
            "{}: fsync {} to {} slower",
            names(nodes),
            describe::span(*at_least),
            describe::span(*at_most)
        ),
        Disruption::Kill { nodes }
        | Disruption::PowerOff { nodes }
        | Disruption::Pause { nodes }
        | Disruption::Restart { nodes } => names(nodes),
    }
}

fn names<'a>(nodes: impl IntoIterator<Item = &'a NodeId>) -> String {
    nodes.into_iter().map(NodeId::to_string).collect::<Vec<_>>().join(" ")
}

/// Which links, in words.
fn which(links: &[Link], nodes: &BTreeSet<NodeId>) -> String {
    let centre = centre(links);
    if links.len() == nodes.len() * nodes.len().saturating_sub(1) {
        "every link".to_owned()
    } else if centre.is_empty() {
        format!("{} links", links.len())
    } else {
        format!("the links of {}", names(&centre))
    }
}

/// A cut as its groups where it is a clean one (`n1 n2 | n3 n4 n5`), else link by link.
fn cut(links: &[Link], nodes: &BTreeSet<NodeId>) -> String {
    let cut: BTreeSet<Link> = links.iter().copied().collect();
    let severed = |a: NodeId, b: NodeId| {
        cut.contains(&Link { from: a, to: b }) || cut.contains(&Link { from: b, to: a })
    };
    let mut left: BTreeSet<NodeId> = nodes.clone();
    let mut groups: Vec<BTreeSet<NodeId>> = Vec::new();
    while let Some(seed) = left.pop_first() {
        let mut group = BTreeSet::from([seed]);
        let mut fresh = vec![seed];
        while let Some(node) = fresh.pop() {
            let joined: Vec<NodeId> = left.iter().copied().filter(|other| !severed(node, *other)).collect();
            for other in joined {
                left.remove(&other);
                group.insert(other);
                fresh.push(other);
            }
        }
        groups.push(group);
    }
    let inside =
        |link: &Link| groups.iter().any(|group| group.contains(&link.from) && group.contains(&link.to));
    let between: usize = groups.iter().map(|group| group.len() * (nodes.len() - group.len())).sum();
    if groups.len() > 1 && cut.len() == between && !cut.iter().any(inside) {
        groups.sort_by_key(BTreeSet::len);
        return groups.iter().map(names).collect::<Vec<_>>().join(" | ");
    }
    one_by_one(&cut)
}

fn one_by_one(cut: &BTreeSet<Link>) -> String {
    const MANY: usize = 8;
    let mut parts: Vec<String> = Vec::new();
    for link in cut {
        let back = cut.contains(&Link { from: link.to, to: link.from });
        if !back {
            parts.push(format!("{}->{}", link.from, link.to));
        } else if link.from < link.to {
            parts.push(format!("{}-{}", link.from, link.to));
        }
    }
    if parts.len() > MANY {
        let more = parts.len() - MANY;
        parts.truncate(MANY);
        parts.push(format!("and {more} more"));
    }
    format!("cut: {}", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rashomon_core::switch::LinkRule;
    use rashomon_core::{Shape, Target};

    use super::*;

    fn nodes() -> BTreeSet<NodeId> {
        NodeId::first(5).into_iter().collect()
    }

    fn links(groups: [&[u16]; 2], both: bool) -> Vec<Link> {
        let mut links = Vec::new();
        for from in groups[0] {
            for to in groups[1] {
                links.push(Link { from: NodeId(*from), to: NodeId(*to) });
                if both {
                    links.push(Link { from: NodeId(*to), to: NodeId(*from) });
                }
            }
        }
        links
    }

    #[test]
    fn a_clean_cut_is_named_by_its_groups() {
        assert_eq!(cut(&links([&[2, 4], &[1, 3, 5]], true), &nodes()), "n2 n4 | n1 n3 n5");
        assert_eq!(cut(&links([&[3], &[1, 2, 4, 5]], true), &nodes()), "n3 | n1 n2 n4 n5");
    }

    #[test]
    fn any_other_cut_is_named_by_its_links() {
        assert_eq!(
            cut(&links([&[3], &[1, 2, 4, 5]], false), &nodes()),
            "cut: n3->n1, n3->n2, n3->n4, n3->n5"
        );
        // A bridge: n3 joins both sides.
        assert_eq!(cut(&links([&[1, 2], &[4, 5]], true), &nodes()), "cut: n1-n4, n1-n5, n2-n4, n2-n5");
    }

    #[test]
    fn link_rules_are_told_with_their_reach() {
        let every: Vec<Link> = Link::all(&NodeId::first(5)).collect();
        let rule = LinkRule { delay: Duration::from_millis(50), loss: 20, ..LinkRule::default() };
        let disruption = Disruption::Links { kind: FaultKind::Delay, links: every, rule };
        assert_eq!(resolved(&disruption, &nodes()), "+50 ms, 20% lost on every link");
    }

    #[test]
    fn a_fault_runs_from_injection_to_heal() {
        let entry = |time, event| ScheduleEntry::new(Time(time), FaultId(1), event);
        let entries = [
            ScheduleEntry {
                fault: Some(Fault::Partition { shape: Shape::Leader }),
                ..entry(1, ScheduleEvent::Intent)
            },
            ScheduleEntry {
                disruption: Some(Disruption::Kill { nodes: vec![NodeId(3)] }),
                ..entry(2, ScheduleEvent::Injected)
            },
            entry(9, ScheduleEvent::Healed),
        ];
        let all = spans(&entries);
        assert_eq!((all[0].from, all[0].to, all[0].struck()), (Time(2), Some(Time(9)), true));
        assert_eq!(all[0].asked, "partition leader");
        let cut_short = &spans(&entries[..2])[0];
        assert_eq!((cut_short.to, cut_short.struck()), (None, true));
        assert!(!spans(&entries[..1])[0].struck(), "an intent alone is not a fault");
        assert_eq!(asked(&Fault::Loss { target: Target::All, percent: 20 }), "loss all, percent 20");
    }
}
