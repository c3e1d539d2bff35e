//! Faults that strike less, more simply, and for a shorter time.

use std::collections::BTreeSet;
use std::time::Duration;

use rashomon_core::{Disruption, Fault, Link, NodeId, Reshaping, Target};

use super::super::bench::Bench;
use super::super::minimize::minimize;
use crate::plan::RecordedFault;
use crate::schedule::Schedule;

/// Each fault on as few nodes or pairs of nodes as it takes; a kill in place of a power failure, where it will do.
pub(super) fn narrower(bench: &Bench<'_>, mut story: Schedule) -> Schedule {
    for place in 0..story.faults().len() {
        let fault = story.faults()[place].clone();
        if let Disruption::PowerOff { nodes } = &fault.disruption {
            let kill = striking(&fault, Disruption::Kill { nodes: nodes.clone() });
            let simpler = replaced(&story, place, kill);
            if bench.first(1, &|_| simpler.clone()).is_some() {
                story = simpler;
            }
        }
        let fault = story.faults()[place].clone();
        let disruption = match &fault.disruption {
            Disruption::Links { kind, links, rule } => {
                let on = |pairs: &[(NodeId, NodeId)]| {
                    let links = links.iter().filter(|link| pairs.contains(&pair(**link))).copied().collect();
                    Disruption::Links { kind: *kind, links, rule: *rule }
                };
                let pairs: BTreeSet<(NodeId, NodeId)> = links.iter().copied().map(pair).collect();
                on(&fewest(bench, &story, place, pairs.into_iter().collect(), &on))
            }
            Disruption::Membership { steps } => {
                let on = |steps: &[Vec<NodeId>]| Disruption::Membership { steps: steps.to_vec() };
                on(&fewest(bench, &story, place, steps.clone(), &on))
            }
            on_nodes @ (Disruption::Kill { .. }
            | Disruption::PowerOff { .. }
            | Disruption::Pause { .. }
            | Disruption::Restart { .. }
            | Disruption::SlowDisk { .. }
            | Disruption::Clock { .. }) => {
                let on = |nodes: &[NodeId]| with_nodes(on_nodes, nodes.to_vec());
                on(&fewest(bench, &story, place, on_nodes.nodes().to_vec(), &on))
            }
        };
        if disruption != fault.disruption {
            story = replaced(&story, place, striking(&fault, disruption));
        }
    }
    story
}

/// The fewest things for a fault to strike, at least one of them.
fn fewest<T: Clone + Sync>(
    bench: &Bench<'_>,
    story: &Schedule,
    place: usize,
    all: Vec<T>,
    on: &(dyn Fn(&[T]) -> Disruption + Sync),
) -> Vec<T> {
    let fault = &story.faults()[place];
    let kept = all.clone();
    let left = minimize(all, &|count, things| {
        // A fault that strikes nobody has been tried: it is a fault less.
        let some = |number: usize| {
            let things = things(number);
            if things.is_empty() { kept.clone() } else { things }
        };
        let candidate = |number| replaced(story, place, striking(fault, on(&some(number))));
        let found = bench.first(count, &candidate)?;
        (!things(found).is_empty()).then_some(found)
    });
    if left.is_empty() { kept } else { left }
}

/// Each fault for as short a time as it takes, in halves; one that ends late may as well not end.
pub(super) fn shorter(bench: &Bench<'_>, mut story: Schedule) -> Schedule {
    const TRIES: u32 = 6;
    for place in 0..story.faults().len() {
        let fault = story.faults()[place].clone();
        let Some(until) = fault.until else { continue };
        let lasts = until.saturating_sub(fault.at);
        if lasts < Duration::from_millis(2) {
            continue;
        }
        // From the shortest on: a quarter of a percent, a half, ... and at last three quarters.
        let lengths: Vec<Duration> =
            (1..=TRIES).rev().map(|power| lasts / 2_u32.pow(power)).chain([lasts * 3 / 4]).collect();
        let candidate = |number: usize| {
            let until = Some(fault.at + lengths[number]);
            replaced(&story, place, RecordedFault { until, ..fault.clone() })
        };
        if let Some(number) = bench.first(lengths.len(), &candidate) {
            story = candidate(number);
        }
    }
    story
}

fn pair(link: Link) -> (NodeId, NodeId) {
    (link.from.min(link.to), link.from.max(link.to))
}

/// The story with another fault in that place.
fn replaced(story: &Schedule, place: usize, fault: RecordedFault) -> Schedule {
    let mut faults = story.faults().to_vec();
    faults[place] = fault;
    story.with_faults(faults)
}

/// A fault that does this instead, and says so.
pub(super) fn striking(fault: &RecordedFault, disruption: Disruption) -> RecordedFault {
    let target = || Target::Nodes(disruption.nodes().to_vec());
    let asked = match &disruption {
        Disruption::Links { .. } => fault.fault.clone(),
        Disruption::Kill { .. } => Fault::Kill { target: target() },
        Disruption::PowerOff { .. } => Fault::PowerOff { target: target() },
        Disruption::Pause { .. } => Fault::Pause { target: target() },
        Disruption::Restart { .. } => Fault::Restart { target: target() },
        Disruption::SlowDisk { .. } => Fault::SlowDisk { target: target() },
        Disruption::Clock { skew, .. } => Fault::Clock { target: target(), skew: *skew },
        Disruption::Membership { steps } => Fault::Membership { change: Reshaping::Members(steps.clone()) },
    };
    RecordedFault { fault: asked, disruption, ..fault.clone() }
}

/// The same disruption of other nodes; one of links or of the membership stays as it is.
pub(super) fn with_nodes(disruption: &Disruption, nodes: Vec<NodeId>) -> Disruption {
    match disruption {
        Disruption::Links { .. } | Disruption::Membership { .. } => disruption.clone(),
        Disruption::Kill { .. } => Disruption::Kill { nodes },
        Disruption::PowerOff { .. } => Disruption::PowerOff { nodes },
        Disruption::Pause { .. } => Disruption::Pause { nodes },
        Disruption::Restart { .. } => Disruption::Restart { nodes },
        Disruption::SlowDisk { at_least, at_most, .. } => {
            Disruption::SlowDisk { nodes, at_least: *at_least, at_most: *at_most }
        }
        Disruption::Clock { skew, .. } => Disruption::Clock { nodes, skew: *skew },
    }
}
