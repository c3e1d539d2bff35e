//! From a fault to the nodes and links that it strikes now.

use std::time::Duration;

use rand::seq::{IndexedRandom, SliceRandom};

use super::{Disruption, Fault, FaultKind, Reshaping, Shape, Target};
use crate::switch::LinkRule;
use crate::{Link, NodeId, Rng};

/// What the nemesis knows when it resolves a fault.
#[derive(Clone, Debug)]
pub struct Cluster<'a> {
    /// Every node.
    pub nodes: &'a [NodeId],
    /// The nodes that run.
    pub running: &'a [NodeId],
    /// The live node with the highest-term leader probe.
    pub leader: Option<NodeId>,
    /// The node whose probe armed the fault.
    pub source: Option<NodeId>,
}

impl Fault {
    /// Names the nodes and links that it strikes now. `None` when there is nobody left to strike.
    pub fn resolve(&self, cluster: &Cluster<'_>, rng: &mut Rng) -> Option<Disruption> {
        let links = |target: &Target, rule: LinkRule, rng: &mut Rng| {
            let nodes = target.pick(cluster, cluster.nodes, rng);
            let links: Vec<Link> = Link::all(cluster.nodes)
                .filter(|link| nodes.contains(&link.from) || nodes.contains(&link.to))
                .collect();
            (!links.is_empty()).then_some(Disruption::Links { kind: self.kind(), links, rule })
        };
        // A dead or stopped process cannot be struck again.
        let living = |target: &Target, rng: &mut Rng| {
            Some(target.pick(cluster, cluster.running, rng)).filter(|nodes| !nodes.is_empty())
        };
        match self {
            Fault::Partition { shape } => {
                let links = shape.cut(cluster, rng);
                (!links.is_empty()).then_some(Disruption::Links {
                    kind: FaultKind::Partition,
                    links,
                    rule: LinkRule { cut: true, ..LinkRule::default() },
                })
            }
            Fault::Delay { target, by } => links(target, LinkRule { delay: *by, ..LinkRule::default() }, rng),
            Fault::Jitter { target, up_to } => {
                links(target, LinkRule { jitter: *up_to, ..LinkRule::default() }, rng)
            }
            Fault::Loss { target, percent } => {
                links(target, LinkRule { loss: *percent, ..LinkRule::default() }, rng)
            }
            Fault::Duplicate { target, percent } => {
                links(target, LinkRule { duplicate: *percent, ..LinkRule::default() }, rng)
            }
            Fault::Reorder { target, percent } => {
                links(target, LinkRule { reorder: *percent, ..LinkRule::default() }, rng)
            }
            Fault::Corrupt { target, percent } => {
                links(target, LinkRule { corrupt: *percent, ..LinkRule::default() }, rng)
            }
            Fault::Kill { target } => living(target, rng).map(|nodes| Disruption::Kill { nodes }),
            Fault::PowerOff { target } => living(target, rng).map(|nodes| Disruption::PowerOff { nodes }),
            Fault::Pause { target } => living(target, rng).map(|nodes| Disruption::Pause { nodes }),
            Fault::Restart { target } => living(target, rng).map(|nodes| Disruption::Restart { nodes }),
            Fault::SlowDisk { target } => living(target, rng).map(|nodes| Disruption::SlowDisk {
                nodes,
                at_least: Duration::from_millis(5),
                at_most: Duration::from_millis(50),
            }),
            // A machine has a clock whether its process runs or not.
            Fault::Clock { target, skew } => {
                let nodes = target.pick(cluster, cluster.nodes, rng);
                (!nodes.is_empty()).then_some(Disruption::Clock { nodes, skew: *skew })
            }
            Fault::Membership { change } => {
                let steps = change.steps(cluster.nodes, rng);
                (!steps.is_empty()).then_some(Disruption::Membership { steps })
            }
        }
    }
}

impl Reshaping {
    /// One membership after the other; none when there are too few nodes for any to leave.
    fn steps(&self, nodes: &[NodeId], rng: &mut Rng) -> Vec<Vec<NodeId>> {
        let most = nodes.len() - (nodes.len() / 2 + 1).min(nodes.len());
        let mut shuffled = nodes.to_vec();
        shuffled.shuffle(rng);
        let sorted = |mut nodes: Vec<NodeId>| {
            nodes.sort_unstable();
            nodes
        };
        if let Reshaping::Members(steps) = self {
            return steps.iter().cloned().map(sorted).collect();
        }
        if most == 0 {
            return Vec::new();
        }
        let (outside, inside) = shuffled.split_at(rand::RngExt::random_range(rng, 1..=most));
        let newcomer = outside[0];
        let then = match self {
            Reshaping::Shrink | Reshaping::Members(_) => None,
            Reshaping::Grow => Some(inside.iter().copied().chain([newcomer]).collect()),
            Reshaping::Replace => Some(inside[1..].iter().copied().chain([newcomer]).collect()),
        };
        [inside.to_vec()].into_iter().chain(then).map(sorted).collect()
    }
}

impl Target {
    /// The nodes among `from` that it means; sizes are reckoned on the whole cluster.
    fn pick(&self, cluster: &Cluster<'_>, from: &[NodeId], rng: &mut Rng) -> Vec<NodeId> {
        let majority = cluster.nodes.len() / 2 + 1;
        let some = |count: usize, rng: &mut Rng| {
            let mut nodes: Vec<NodeId> = from.sample(rng, count.min(from.len())).copied().collect();
            nodes.sort_unstable();
            nodes
        };
        match self {
            Target::One => some(1, rng),
            Target::Minority => some((cluster.nodes.len() - majority).max(1), rng),
            Target::Majority => some(majority, rng),
            Target::All => from.to_vec(),
            Target::Leader => match cluster.leader.filter(|leader| from.contains(leader)) {
                Some(leader) => vec![leader],
                None => some(1, rng),
            },
            Target::Source => cluster.source.filter(|source| from.contains(source)).into_iter().collect(),
            Target::Nodes(nodes) => nodes.iter().copied().filter(|node| from.contains(node)).collect(),
        }
    }
}

impl Shape {
    /// The links that it cuts.
    fn cut(&self, cluster: &Cluster<'_>, rng: &mut Rng) -> Vec<Link> {
        let nodes = cluster.nodes;
        let mut shuffled = nodes.to_vec();
        shuffled.shuffle(rng);
        let half = nodes.len() / 2;
        let alone = |node: NodeId| {
            let rest = nodes.iter().copied().filter(|other| *other != node).collect();
            outside(nodes, &[vec![node], rest])
        };
        match self {
            Shape::One => alone(shuffled[0]),
            Shape::Leader => alone(cluster.leader.unwrap_or(shuffled[0])),
            Shape::Halves => outside(nodes, &[nodes[..half].to_vec(), nodes[half..].to_vec()]),
            Shape::RandomHalves => outside(nodes, &[shuffled[..half].to_vec(), shuffled[half..].to_vec()]),
            Shape::Minority => {
                // The leader among the minority is what tells a true quorum from a false one.
                if let Some(position) = shuffled.iter().position(|node| Some(*node) == cluster.leader) {
                    shuffled.swap(0, position);
                }
                let few = (nodes.len() - 1) / 2;
                outside(nodes, &[shuffled[..few].to_vec(), shuffled[few..].to_vec()])
            }
            Shape::Bridge => {
                let middle = shuffled[half];
                let (mut left, mut right) = (shuffled[..half].to_vec(), shuffled[half + 1..].to_vec());
                left.push(middle);
                right.push(middle);
                outside(nodes, &[left, right])
            }
            Shape::MajorityRing => {
                // On a shuffled ring each node sees itself and as many neighbours as make a majority.
                let reach = (nodes.len() / 2).div_ceil(2);
                let groups: Vec<Vec<NodeId>> = (0..shuffled.len())
                    .map(|at| (0..=reach).map(|step| shuffled[(at + step) % shuffled.len()]).collect())
                    .collect();
                outside(nodes, &groups)
            }
            Shape::OneWay => {
                let node = shuffled[0];
                let deaf = rand::RngExt::random_bool(rng, 0.5);
                Link::all(nodes)
                    .filter(|link| if deaf { link.to == node } else { link.from == node })
                    .collect()
            }
            Shape::Groups(groups) => outside(nodes, groups),
        }
    }
}

/// The links between nodes that share no group.
fn outside(nodes: &[NodeId], groups: &[Vec<NodeId>]) -> Vec<Link> {
    Link::all(nodes)
        .filter(|link| !groups.iter().any(|group| group.contains(&link.from) && group.contains(&link.to)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;

    fn cut(shape: &Shape, count: u16, leader: Option<u16>) -> Vec<Link> {
        let nodes = NodeId::first(count);
        let cluster = Cluster { nodes: &nodes, running: &nodes, leader: leader.map(NodeId), source: None };
        shape.cut(&cluster, &mut Seed(1).rng())
    }

    fn seen(links: &[Link], count: u16, from: NodeId) -> usize {
        NodeId::first(count).into_iter().filter(|to| !links.contains(&Link { from, to: *to })).count()
    }

    #[test]
    fn each_partition_cuts_what_its_name_says() {
        assert_eq!(cut(&Shape::One, 5, None).len(), 8);
        assert!(
            cut(&Shape::Leader, 5, Some(3)).iter().all(|link| link.from == NodeId(3) || link.to == NodeId(3))
        );
        assert_eq!(cut(&Shape::Halves, 5, None).len(), 12);
        assert_eq!(cut(&Shape::RandomHalves, 5, None).len(), 12);
        let minority = cut(&Shape::Minority, 5, Some(2));
        assert_eq!(minority.len(), 12);
        assert_eq!(seen(&minority, 5, NodeId(2)), 2, "the leader sees itself and one more");
        let bridge = cut(&Shape::Bridge, 5, None);
        let mut reach: Vec<usize> = NodeId::first(5).iter().map(|node| seen(&bridge, 5, *node)).collect();
        reach.sort_unstable();
        assert_eq!(reach, [3, 3, 3, 3, 5]);
        let one_way = cut(&Shape::OneWay, 5, None);
        assert_eq!(one_way.len(), 4);
    }

    #[test]
    fn on_the_majority_ring_all_see_a_majority_and_no_two_the_same() {
        for count in [3, 5, 7, 9] {
            let links = cut(&Shape::MajorityRing, count, None);
            let sights: std::collections::BTreeSet<Vec<NodeId>> = NodeId::first(count)
                .into_iter()
                .map(|from| {
                    NodeId::first(count)
                        .into_iter()
                        .filter(|to| !links.contains(&Link { from, to: *to }))
                        .collect()
                })
                .collect();
            assert!(sights.iter().all(|sight| sight.len() > usize::from(count) / 2), "{count}: {sights:?}");
            assert!(count == 3 || sights.len() == usize::from(count), "{count}: {sights:?}");
        }
    }

    #[test]
    fn a_majority_of_all_stays_however_the_membership_changes() {
        for count in 2..=7_u16 {
            let nodes = NodeId::first(count);
            let least = usize::from(count / 2 + 1);
            for seed in 0..50 {
                let steps = |change: Reshaping| change.steps(&nodes, &mut Seed(seed).rng());
                let shrunk = steps(Reshaping::Shrink);
                if count == 2 {
                    assert_eq!(shrunk, [] as [Vec<NodeId>; 0]);
                    continue;
                }
                assert!(shrunk.len() == 1 && (least..nodes.len()).contains(&shrunk[0].len()), "{shrunk:?}");
                let grown = steps(Reshaping::Grow);
                assert!(grown.len() == 2 && grown[0].len() + 1 == grown[1].len(), "{grown:?}");
                assert!(grown[0].iter().all(|node| grown[1].contains(node)), "{grown:?}");
                let replaced = steps(Reshaping::Replace);
                let stay = replaced[0].iter().filter(|node| replaced[1].contains(node)).count();
                assert!(
                    replaced[0].len() == replaced[1].len() && stay + 1 == replaced[0].len(),
                    "{replaced:?}"
                );
            }
        }
    }

    #[test]
    fn targets_are_sized_on_the_whole_cluster_and_struck_among_the_living() {
        let nodes = NodeId::first(5);
        let running = [NodeId(2), NodeId(5)];
        let cluster =
            Cluster { nodes: &nodes, running: &running, leader: Some(NodeId(5)), source: Some(NodeId(1)) };
        let mut rng = Seed(3).rng();
        let kill = |target, rng: &mut Rng| Fault::Kill { target }.resolve(&cluster, rng);
        assert_eq!(kill(Target::Leader, &mut rng), Some(Disruption::Kill { nodes: vec![NodeId(5)] }));
        assert_eq!(kill(Target::All, &mut rng), Some(Disruption::Kill { nodes: running.to_vec() }));
        assert_eq!(kill(Target::Source, &mut rng), None, "n1 is dead already");
        assert_eq!(Target::Minority.pick(&cluster, &nodes, &mut rng).len(), 2);
        assert_eq!(Target::Majority.pick(&cluster, &nodes, &mut rng).len(), 3);
    }
}
