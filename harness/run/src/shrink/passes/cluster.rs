//! Fewer nodes, and fewer clients.

use std::collections::BTreeMap;

use rashomon_core::{Disruption, Link, NodeId};

use super::super::bench::Bench;
use super::faults::{striking, with_nodes};
use crate::plan::{Nemesis, Plan, RecordedFault};
use crate::schedule::{Schedule, ScheduledOp};

/// The faults of the story, and all that clients asked in the whole run, in a smaller cluster. It fails there, if at
/// all, by another way than before, since every draw is another: so it is tried only once, and with all ops.
pub(super) fn smaller(bench: &Bench<'_>, whole: &Schedule, story: Schedule) -> Schedule {
    let nodes = story.plan.nodes;
    for left in [3, 4].into_iter().filter(|left| *left < nodes) {
        let groups = subsets(nodes, left);
        let faults = story.faults().to_vec();
        let candidate = |number: usize| {
            let plan = Plan { time_limit: whole.plan.time_limit, nodes: left, ..whole.plan.clone() };
            within(&Schedule { plan, ..whole.clone() }.with_faults(faults.clone()), &groups[number])
        };
        if let Some(number) = bench.first(groups.len(), &candidate) {
            return candidate(number);
        }
    }
    story
}

/// Every choice of `left` of so many nodes.
fn subsets(nodes: u16, left: u16) -> Vec<Vec<NodeId>> {
    const MOST: usize = 24;
    let all = NodeId::first(nodes);
    let mut chosen = vec![Vec::new()];
    for _ in 0..left {
        chosen = chosen
            .into_iter()
            .flat_map(|group: Vec<NodeId>| {
                let after = group.last().copied();
                let later = all.iter().filter(move |node| Some(**node) > after).copied();
                later.map(move |node| group.iter().copied().chain([node]).collect()).collect::<Vec<_>>()
            })
            .collect();
    }
    chosen.truncate(MOST);
    chosen
}

/// The schedule for these nodes alone, which become the first ones.
fn within(story: &Schedule, nodes: &[NodeId]) -> Schedule {
    let names: BTreeMap<NodeId, NodeId> =
        nodes.iter().zip(NodeId::first(nodes.len() as u16)).map(|(old, new)| (*old, new)).collect();
    let renamed = |link: &Link| Some(Link { from: *names.get(&link.from)?, to: *names.get(&link.to)? });
    let faults = story.faults().iter().filter_map(|fault| {
        let disruption = match &fault.disruption {
            Disruption::Links { kind, links, rule } => {
                let links: Vec<Link> = links.iter().filter_map(renamed).collect();
                (!links.is_empty()).then_some(Disruption::Links { kind: *kind, links, rule: *rule })
            }
            Disruption::Membership { steps } => {
                let renamed = |step: &Vec<NodeId>| -> Vec<NodeId> {
                    step.iter().filter_map(|node| names.get(node)).copied().collect()
                };
                let steps: Vec<Vec<NodeId>> = steps.iter().map(renamed).collect();
                steps.iter().all(|step| !step.is_empty()).then_some(Disruption::Membership { steps })
            }
            on_nodes @ (Disruption::Kill { .. }
            | Disruption::PowerOff { .. }
            | Disruption::Pause { .. }
            | Disruption::Restart { .. }
            | Disruption::SlowDisk { .. }
            | Disruption::Clock { .. }) => {
                let nodes: Vec<NodeId> =
                    on_nodes.nodes().iter().filter_map(|node| names.get(node)).copied().collect();
                (!nodes.is_empty()).then(|| with_nodes(on_nodes, nodes))
            }
        }?;
        Some(striking(fault, disruption))
    });
    let faults: Vec<RecordedFault> = faults.collect();
    let home = |node: NodeId| names.get(&node).copied().unwrap_or(NodeId(node.0 % nodes.len() as u16 + 1));
    let ops = story.ops.iter().map(|op| ScheduledOp { node: home(op.node), ..op.clone() }).collect();
    let plan = Plan { nodes: nodes.len() as u16, nemesis: Nemesis::Recorded(faults), ..story.plan.clone() };
    Schedule { plan, ops, ..story.clone() }
}

/// One client for all that goes to one node, then other numbers: whatever of it still fails.
pub(super) fn fewest_clients(bench: &Bench<'_>, mut story: Schedule) -> Schedule {
    let clients = story.clients();
    for (place, (process, home)) in clients.iter().enumerate().rev() {
        let earlier = || clients[..place].iter();
        // Rather one that asks the same node first; an op of any other would ask another node than before.
        let same = earlier().filter(|(_, node)| node == home);
        let others = earlier().filter(|(_, node)| node != home);
        let hosts: Vec<(u64, NodeId)> = same.chain(others).copied().collect();
        let candidate = |number: usize| renamed(&story, &BTreeMap::from([(*process, hosts[number])]));
        if let Some(number) = bench.first(hosts.len(), &candidate) {
            story = candidate(number);
        }
    }
    let numbers =
        story.clients().into_iter().zip(0..).map(|((process, home), number)| (process, (number, home)));
    let numbered = renamed(&story, &numbers.collect());
    if bench.first(1, &|_| numbered.clone()).is_some() { numbered } else { story }
}

/// The schedule with other numbers and homes for some clients.
fn renamed(story: &Schedule, names: &BTreeMap<u64, (u64, NodeId)>) -> Schedule {
    let ops = story.ops.iter().map(|op| {
        let (process, node) = names.get(&op.process).copied().unwrap_or((op.process, op.node));
        ScheduledOp { process, node, ..op.clone() }
    });
    Schedule { ops: ops.collect(), ..story.clone() }
}
