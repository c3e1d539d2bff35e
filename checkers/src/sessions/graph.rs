//! Pairs that an order must keep to.

use std::collections::VecDeque;

/// No node.
const NONE: u32 = u32::MAX;

/// How many nodes of cycles are tried as the beginning of a short one.
const TRIED: usize = 64;

/// The pair of two nodes, the first of which must come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    pub(super) from: u32,
    pub(super) to: u32,
    /// Of what kinds it is: bits.
    pub(super) kinds: u8,
    /// The operations that say so, at either end; [`Edge::NO_OP`] where another edge of the path says it.
    pub(super) ops: (u32, u32),
}

impl Edge {
    pub(super) const NO_OP: u32 = NONE;
}

/// Nodes from 0 and edges between them.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) nodes: u32,
    pub(super) edges: Vec<Edge>,
}

impl Graph {
    /// A new node.
    pub(super) fn node(&mut self) -> u32 {
        self.nodes += 1;
        self.nodes - 1
    }

    pub(super) fn edge(&mut self, from: u32, to: u32, kinds: u8, ops: (u32, u32)) {
        self.edges.push(Edge { from, to, kinds, ops });
    }

    /// About how much memory looking for an order takes.
    pub(super) fn bytes(&self) -> usize {
        self.edges.len() * (size_of::<Edge>() + 8) + self.nodes as usize * 24
    }

    /// An order of the nodes that keeps to the edges of these kinds, or a short cycle of them.
    pub(super) fn order(&self, kinds: u8) -> Result<Vec<u32>, Vec<Edge>> {
        let counts = |edge: &&Edge| edge.kinds & kinds != 0;
        let mut starts = vec![0_u32; self.nodes as usize + 1];
        for edge in self.edges.iter().filter(counts) {
            starts[edge.from as usize + 1] += 1;
        }
        for node in 0..self.nodes as usize {
            starts[node + 1] += starts[node];
        }
        let mut list = vec![0_u32; starts[self.nodes as usize] as usize];
        let mut filled = starts.clone();
        let mut waits = vec![0_u32; self.nodes as usize];
        for (edge, place) in self.edges.iter().zip(0_u32..).filter(|(edge, _)| counts(edge)) {
            let slot = &mut filled[edge.from as usize];
            list[*slot as usize] = place;
            *slot += 1;
            waits[edge.to as usize] += 1;
        }
        let out = |node: u32| {
            let range = starts[node as usize] as usize..starts[node as usize + 1] as usize;
            list[range].iter().map(|place| self.edges[*place as usize])
        };
        let mut order: Vec<u32> = (0..self.nodes).filter(|node| waits[*node as usize] == 0).collect();
        let mut next = 0;
        while let Some(node) = order.get(next).copied() {
            next += 1;
            for edge in out(node) {
                waits[edge.to as usize] -= 1;
                if waits[edge.to as usize] == 0 {
                    order.push(edge.to);
                }
            }
        }
        if order.len() == self.nodes as usize {
            return Ok(order);
        }
        let left: Vec<u32> = (0..self.nodes).filter(|node| waits[*node as usize] > 0).collect();
        // Not all that is left lies on a cycle, but from all of it, going back, one comes to a cycle.
        let mut shortest: Option<Vec<Edge>> = None;
        let (mut tried, mut seen) = (0, vec![NONE; self.nodes as usize]);
        for start in left {
            if let Some(cycle) = around(start, &out, &mut seen)
                && shortest.as_ref().is_none_or(|shortest| cycle.len() < shortest.len())
            {
                shortest = Some(cycle);
            }
            tried += usize::from(shortest.is_some());
            if tried > TRIED {
                break;
            }
        }
        Err(shortest.unwrap_or_default())
    }
}

/// A shortest cycle through a node. `seen` remembers by which start a node was reached.
fn around<I: Iterator<Item = Edge>>(
    start: u32,
    out: &impl Fn(u32) -> I,
    seen: &mut [u32],
) -> Option<Vec<Edge>> {
    let mut reached: Vec<(Edge, u32)> = Vec::new();
    let mut queue = VecDeque::from([(start, NONE)]);
    while let Some((node, by)) = queue.pop_front() {
        for edge in out(node) {
            if edge.to == start {
                let mut cycle = vec![edge];
                let mut by = by;
                while by != NONE {
                    cycle.push(reached[by as usize].0);
                    by = reached[by as usize].1;
                }
                cycle.reverse();
                return Some(cycle);
            }
            if std::mem::replace(&mut seen[edge.to as usize], start) != start {
                reached.push((edge, by));
                queue.push_back((edge.to, reached.len() as u32 - 1));
            }
        }
    }
    None
}
