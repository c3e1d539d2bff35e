//! What a plan may not ask for.

use std::collections::BTreeSet;
use std::time::Duration;

use rashomon_core::{Disruption, Fault, FaultKind, NodeId, Reshaping, Shape, SystemInfo, Target};

use super::{Nemesis, RecordedFault};
use crate::registry;

/// What is wrong with a nemesis: the token that is at fault, and why.
pub(super) fn nemesis(nemesis: &Nemesis, system: &SystemInfo, nodes: u16) -> Result<(), (String, String)> {
    match nemesis {
        Nemesis::Random(random) => {
            if random.interval < Duration::from_millis(10) {
                return Err(("\"interval\"".into(), "the nemesis interval must be at least 10ms".into()));
            }
            random.kinds.iter().try_for_each(|kind| kind_fits(*kind, system, nodes))
        }
        Nemesis::Recorded(faults) => {
            let mut ids = BTreeSet::new();
            for (number, fault) in faults.iter().enumerate() {
                let wrong = |reason| {
                    ("\"recorded\"".into(), format!("fault {} of those recorded: {reason}", number + 1))
                };
                recorded(fault, system, nodes).map_err(wrong)?;
                let id = fault.id.unwrap_or(number as u32);
                if !ids.insert(id) {
                    return Err(wrong(format!("another one has the id {id}")));
                }
            }
            Ok(())
        }
        Nemesis::Script(script) => {
            let mut names = BTreeSet::new();
            for (number, step) in script.steps.iter().enumerate() {
                let wrong = |reason: String| {
                    let token =
                        step.name.as_ref().map_or_else(|| "\"script\"".into(), |name| format!("\"{name}\""));
                    (token, format!("step {} of the script: {reason}", number + 1))
                };
                match (&step.fault, step.heal.is_empty()) {
                    (None, true) => return Err(wrong("it neither does nor heals anything".into())),
                    (Some(_), false) => return Err(wrong("it both does and heals something".into())),
                    (Some(fault), true) => {
                        kind_fits(fault.kind(), system, nodes).map_err(|(_, reason)| wrong(reason))?;
                        nodes_exist(fault, nodes).map_err(wrong)?;
                    }
                    (None, false) => {}
                }
                if step.at.is_some() && step.on.is_some()
                    || step.at.is_none() && step.on.is_none() && step.once_after.is_empty()
                {
                    return Err(wrong("it takes one trigger: `at`, `on`, or else `once-after`".into()));
                }
                if step.repeat && (step.on.is_none() || step.lasts.is_none()) {
                    return Err(wrong("`repeat` needs a probe to wait for (`on`) and an end (`for`)".into()));
                }
                for name in step.heal.iter().chain(&step.once_after) {
                    if !names.contains(name) {
                        return Err(wrong(registry::unknown(
                            "earlier step",
                            name,
                            names.iter().map(|name: &String| name.as_str()),
                        )));
                    }
                }
                if step.name.clone().is_some_and(|name| !names.insert(name)) {
                    return Err(wrong("another step has the same name".into()));
                }
            }
            Ok(())
        }
    }
}

/// What is wrong with a recorded fault.
pub(crate) fn recorded(recorded: &RecordedFault, system: &SystemInfo, nodes: u16) -> Result<(), String> {
    const LONGEST: Duration = Duration::from_hours(24);
    kind_fits(recorded.disruption.kind(), system, nodes).map_err(|(_, reason)| reason)?;
    nodes_struck_exist(&recorded.disruption, nodes)?;
    if recorded.until.is_some_and(|until| until < recorded.at) {
        return Err("it ends before it begins".to_owned());
    }
    let (durations, shares) = match &recorded.disruption {
        Disruption::Links { rule, .. } => {
            ([rule.delay, rule.jitter], [rule.loss, rule.duplicate, rule.reorder, rule.corrupt])
        }
        Disruption::SlowDisk { at_least, at_most, .. } => ([*at_least, *at_most], [0; 4]),
        Disruption::Clock { skew, .. } => {
            skew.trouble().map_or(Ok(()), Err)?;
            ([Duration::ZERO; 2], [0; 4])
        }
        Disruption::Kill { .. }
        | Disruption::PowerOff { .. }
        | Disruption::Pause { .. }
        | Disruption::Restart { .. }
        | Disruption::Membership { .. } => ([Duration::ZERO; 2], [0; 4]),
    };
    if durations.iter().chain([&recorded.at]).chain(&recorded.until).any(|duration| *duration > LONGEST) {
        return Err("it takes longer than a day".to_owned());
    }
    match shares.iter().find(|share| **share > 100) {
        Some(share) => Err(format!("{share} percent; 0 to 100 can be done")),
        None => Ok(()),
    }
}

fn kind_fits(kind: FaultKind, system: &SystemInfo, nodes: u16) -> Result<(), (String, String)> {
    let token = format!("\"{kind}\"");
    if kind.is_link() && nodes < 2 {
        return Err((token, format!("{kind} needs two nodes at least: one node has no links")));
    }
    if kind == FaultKind::Membership {
        if !system.membership {
            let reason = format!(
                "membership needs a system that can change who belongs to it while it runs; the nodes of {} are fixed",
                system.name
            );
            return Err((token, reason));
        }
        if nodes < 3 {
            return Err((
                token,
                "membership needs three nodes at least: one leaves, and a majority stays".into(),
            ));
        }
    }
    if matches!(kind, FaultKind::PowerOff | FaultKind::SlowDisk) && !system.durable {
        return Err((
            token,
            format!("{kind} needs a system that keeps something on disk; {} does not", system.name),
        ));
    }
    Ok(())
}

/// A recorded run may have had more nodes.
fn nodes_struck_exist(disruption: &Disruption, nodes: u16) -> Result<(), String> {
    let named: Vec<NodeId> = match disruption {
        Disruption::Links { links, .. } => links.iter().flat_map(|link| [link.from, link.to]).collect(),
        Disruption::Membership { steps } => {
            never_empty(steps)?;
            steps.concat()
        }
        Disruption::Kill { .. }
        | Disruption::PowerOff { .. }
        | Disruption::Pause { .. }
        | Disruption::Restart { .. }
        | Disruption::SlowDisk { .. }
        | Disruption::Clock { .. } => Vec::new(),
    };
    match disruption.nodes().iter().chain(&named).find(|node| node.0 > nodes) {
        Some(node) => Err(format!("there is no {node}: the nodes are n1 to n{nodes}")),
        None => Ok(()),
    }
}

/// A cluster is never without nodes.
fn never_empty(steps: &[Vec<NodeId>]) -> Result<(), String> {
    if steps.is_empty() || steps.iter().any(Vec::is_empty) {
        return Err("a membership needs one node at least".to_owned());
    }
    Ok(())
}

/// Every node that a fault names must be there, every share must be one.
fn nodes_exist(fault: &Fault, nodes: u16) -> Result<(), String> {
    let exists = |node: &NodeId| {
        if node.0 <= nodes {
            Ok(())
        } else {
            Err(format!("there is no {node}: the nodes are n1 to n{nodes}"))
        }
    };
    let target = |target: &Target| match target {
        Target::Nodes(named) => named.iter().try_for_each(exists),
        Target::One | Target::Minority | Target::Majority | Target::All | Target::Leader | Target::Source => {
            Ok(())
        }
    };
    let share = |percent: u8| {
        if (1..=100).contains(&percent) {
            Ok(())
        } else {
            Err(format!("{percent} percent; 1 to 100 can be done"))
        }
    };
    match fault {
        Fault::Partition { shape: Shape::Groups(groups) } => groups.iter().flatten().try_for_each(exists),
        Fault::Membership { change: Reshaping::Members(steps) } => {
            never_empty(steps)?;
            steps.iter().flatten().try_for_each(exists)
        }
        Fault::Partition { .. } | Fault::Membership { .. } => Ok(()),
        Fault::Delay { target: whom, .. }
        | Fault::Jitter { target: whom, .. }
        | Fault::Kill { target: whom }
        | Fault::PowerOff { target: whom }
        | Fault::Pause { target: whom }
        | Fault::Restart { target: whom }
        | Fault::SlowDisk { target: whom } => target(whom),
        Fault::Clock { target: whom, skew } => target(whom).and_then(|()| skew.trouble().map_or(Ok(()), Err)),
        Fault::Loss { target: whom, percent }
        | Fault::Duplicate { target: whom, percent }
        | Fault::Reorder { target: whom, percent }
        | Fault::Corrupt { target: whom, percent } => target(whom).and_then(|()| share(*percent)),
    }
}
