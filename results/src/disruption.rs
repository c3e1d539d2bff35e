//! What was done to nodes and links, in words.

use std::collections::BTreeSet;

use rashomon_core::{Disruption, Link, NodeId, Skew};

use crate::describe;

/// A disruption with its nodes or links, for one line of text: `n1 n2 | n3 n4 n5`, `n4`, `20% lost on every link`.
///
/// `nodes` are all nodes of the cluster, so that groups can be told from a few links.
pub fn resolved(disruption: &Disruption, nodes: &BTreeSet<NodeId>) -> String {
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
        Disruption::Clock { nodes, skew } => format!("{}: {}", names(nodes), clock(*skew)),
        Disruption::Membership { steps } => {
            let steps: Vec<String> = steps.iter().map(names).collect();
            format!("members {}", steps.join(", then "))
        }
        Disruption::Kill { nodes }
        | Disruption::PowerOff { nodes }
        | Disruption::Pause { nodes }
        | Disruption::Restart { nodes } => names(nodes),
    }
}

/// How a clock is wrong, in words.
fn clock(skew: Skew) -> String {
    match skew {
        Skew::Ahead(by) => format!("clock {} ahead", describe::span(by)),
        Skew::Behind(by) => format!("clock {} behind", describe::span(by)),
        Skew::Strobe { by, every } => {
            format!("clock jumps {} ahead and back every {}", describe::span(by), describe::span(every))
        }
        Skew::Fast(percent) => format!("clock runs {percent}% fast"),
        Skew::Slow(percent) => format!("clock runs {percent}% slow"),
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

/// The nodes that every one of the links touches, if there are any.
pub(crate) fn centre(links: &[Link]) -> Vec<NodeId> {
    let Some(first) = links.first() else { return Vec::new() };
    let touches = |node: &NodeId| links.iter().all(|link| link.from == *node || link.to == *node);
    [first.from, first.to].into_iter().filter(touches).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rashomon_core::FaultKind;
    use rashomon_core::switch::LinkRule;

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
    fn a_membership_is_told_step_by_step() {
        let steps = vec![NodeId::first(2), vec![NodeId(1), NodeId(5)]];
        let told = resolved(&Disruption::Membership { steps }, &nodes());
        assert_eq!(told, "members n1 n2, then n1 n5");
    }

    #[test]
    fn a_wrong_clock_is_told_with_its_error() {
        let told = |skew| resolved(&Disruption::Clock { nodes: vec![NodeId(3), NodeId(4)], skew }, &nodes());
        assert_eq!(told(Skew::Ahead(Duration::from_secs(2))), "n3 n4: clock 2.00 s ahead");
        assert_eq!(told(Skew::Slow(5)), "n3 n4: clock runs 5% slow");
        let (by, every) = (Duration::from_millis(200), Duration::from_millis(20));
        assert_eq!(told(Skew::Strobe { by, every }), "n3 n4: clock jumps 200 ms ahead and back every 20 ms");
    }
}
