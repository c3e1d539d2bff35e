//! The faults of a run, each from its injection to its healing.

mod recorded;

use std::collections::{BTreeMap, BTreeSet};

use rashomon_core::{Disruption, Fault, FaultId, FaultKind, Impact, NodeId, Time};
use serde_json::Value;

use crate::describe;
use crate::disruption::{self, centre};
use crate::store::{ScheduleEntry, ScheduleEvent};

/// One fault, put together from its entries in the schedule.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FaultSpan {
    pub(crate) id: FaultId,
    pub(crate) kind: Option<FaultKind>,
    /// What another tool called it, in a history of its own.
    pub(crate) named: Option<String>,
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
    pub(crate) fn name(&self) -> &str {
        self.kind.map(FaultKind::name).or(self.named.as_deref()).unwrap_or("fault")
    }

    /// Whether it was in force at all.
    pub(crate) fn struck(&self) -> bool {
        match self.state {
            ScheduleEvent::Injected | ScheduleEvent::Healed => true,
            ScheduleEvent::Intent | ScheduleEvent::Skipped | ScheduleEvent::Failed => false,
        }
    }

    /// Which of four it is, for its colour: of the network, of processes, of disks, of clocks.
    pub(crate) fn family(&self) -> &'static str {
        match self.kind {
            Some(kind) if kind.is_link() => "link",
            Some(FaultKind::SlowDisk) => "disk",
            Some(FaultKind::Clock) => "clock",
            None => self.named.as_deref().map_or("process", recorded::family),
            Some(_) => "process",
        }
    }

    /// What it did, in words.
    pub(crate) fn effect(&self) -> String {
        match &self.impact {
            Some(impact) => describe::effect(impact),
            None => "not on record".to_owned(),
        }
    }
}

pub(crate) use recorded::recorded;

/// The faults of a schedule, in the order of their beginnings; `known` are nodes that it may not mention.
pub(crate) fn spans(entries: &[ScheduleEntry], known: impl IntoIterator<Item = NodeId>) -> Vec<FaultSpan> {
    let mentioned = all_nodes(entries);
    let nodes: BTreeSet<NodeId> = mentioned.iter().copied().chain(known).collect();
    let mut spans: BTreeMap<FaultId, FaultSpan> = BTreeMap::new();
    for entry in entries {
        let span = spans.entry(entry.id).or_insert_with(|| FaultSpan {
            id: entry.id,
            kind: None,
            named: None,
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
            span.resolved = disruption::resolved(disruption, &mentioned);
            span.nodes = struck(disruption, &nodes);
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
        if let Disruption::Membership { steps } = disruption {
            nodes.extend(steps.iter().flatten());
        }
    }
    nodes
}

/// A fault as the plan wrote it: `partition leader`, `loss all, percent 20`.
fn asked(fault: &Fault) -> String {
    let mut text = fault.kind().name().to_owned();
    let Ok(Value::Object(mut fields)) = serde_json::to_value(fault) else { return text };
    fields.remove("fault");
    for whom in ["shape", "target", "change"] {
        if let Some(whom) = fields.remove(whom) {
            text = format!("{text} {}", describe::value(&whom));
        }
    }
    for (name, field) in fields {
        text = format!("{text}, {} {}", name.replace('_', " "), describe::value(&field));
    }
    text
}

fn struck(disruption: &Disruption, nodes: &BTreeSet<NodeId>) -> Vec<NodeId> {
    match disruption {
        Disruption::Links { links, .. } => centre(links),
        // Those that are to leave the cluster, be it for a while.
        Disruption::Membership { steps } => {
            let leaves = |node: &&NodeId| steps.iter().any(|members| !members.contains(node));
            nodes.iter().filter(leaves).copied().collect()
        }
        Disruption::Kill { .. }
        | Disruption::PowerOff { .. }
        | Disruption::Pause { .. }
        | Disruption::Restart { .. }
        | Disruption::SlowDisk { .. }
        | Disruption::Clock { .. } => disruption.nodes().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use rashomon_core::{Shape, Target};

    use super::*;

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
        let all = spans(&entries, []);
        assert_eq!((all[0].from, all[0].to, all[0].struck()), (Time(2), Some(Time(9)), true));
        assert_eq!(all[0].asked, "partition leader");
        let cut_short = &spans(&entries[..2], [])[0];
        assert_eq!((cut_short.to, cut_short.struck()), (None, true));
        assert!(!spans(&entries[..1], [])[0].struck(), "an intent alone is not a fault");
        assert_eq!(asked(&Fault::Loss { target: Target::All, percent: 20 }), "loss all, percent 20");
    }

    #[test]
    fn a_membership_strikes_those_that_are_to_leave() {
        let steps = vec![vec![NodeId(1), NodeId(2), NodeId(3)], vec![NodeId(1), NodeId(2), NodeId(4)]];
        let entry = ScheduleEntry {
            disruption: Some(Disruption::Membership { steps }),
            ..ScheduleEntry::new(Time(1), FaultId(1), ScheduleEvent::Injected)
        };
        let nodes = |known: u16| spans(std::slice::from_ref(&entry), NodeId::first(known)).remove(0).nodes;
        assert_eq!(nodes(0), [NodeId(3), NodeId(4)]);
        assert_eq!(nodes(5), [NodeId(3), NodeId(4), NodeId(5)]);
    }
}
