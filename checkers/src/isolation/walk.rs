//! Walks through the graph that keep to a rule, their strongly connected components, and shortest cycles.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use rustc_hash::FxHashMap;

use super::graph::{Class, Graph};
use crate::Budget;

/// How anti-dependencies (rw) may follow each other in a cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// As they like, if at all.
    Free,
    /// Exactly one.
    Single,
    /// Never two in a row. A state at layer 1 was just entered by one: its snapshot is not known to include anything.
    Apart,
    /// Never right after another or after ww, which orders commits and not what snapshots include.
    Prefix,
    /// Exactly one, then exactly one wr.
    Fracture,
}

/// The graph as seen by one rule. A state is a vertex at layer 0 or 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk<'g> {
    pub(super) graph: &'g Graph,
    pub(super) rule: Rule,
    /// The classes that may be used.
    pub(super) classes: Class,
}

/// One step of a path: the vertex it leaves, and why.
pub(super) type Step = (u32, Class);

/// The budget is spent.
#[derive(Debug)]
pub(super) struct Exhausted;

impl Walk<'_> {
    fn states(&self) -> usize {
        self.graph.vertices() * 2
    }

    /// The layer after an edge, where the rule allows it.
    fn next(&self, layer: u32, class: Class) -> Option<u32> {
        if class == Class::LINK {
            return Some(layer);
        }
        if !self.classes.contains(class) {
            return None;
        }
        let rw = class == Class::RW;
        match self.rule {
            Rule::Single | Rule::Apart | Rule::Prefix if rw => (layer == 0).then_some(1),
            Rule::Single => Some(layer),
            Rule::Fracture if layer == 1 => (class == Class::WR).then_some(0),
            Rule::Fracture => rw.then_some(1),
            Rule::Free | Rule::Apart => Some(0),
            Rule::Prefix => Some(u32::from(class == Class::WW)),
        }
    }

    fn step(&self, state: u32, place: usize) -> Option<u32> {
        let (target, class) = self.graph.edge(state >> 1, place);
        self.next(state & 1, class).map(|layer| (target << 1) | layer)
    }

    /// The strongly connected components of more than one state, by Tarjan's algorithm without recursion.
    pub(super) fn components(&self) -> Vec<Vec<u32>> {
        const NEW: u32 = u32::MAX;
        const DONE: u32 = u32::MAX - 1;
        let layered = matches!(self.rule, Rule::Apart | Rule::Prefix);
        // Without layers only every second state is there.
        let slot = |state: u32| (if layered { state } else { state >> 1 }) as usize;
        let mut low = vec![NEW; if layered { self.states() } else { self.graph.vertices() }];
        let mut stack: Vec<u32> = Vec::new();
        let mut calls: Vec<(u32, u32, u32)> = Vec::new();
        let mut count = 0;
        let mut found = Vec::new();
        for root in (0..self.states() as u32).filter(|state| layered || state & 1 == 0) {
            if low[slot(root)] != NEW {
                continue;
            }
            // A call is a state, its number, and the next of its edges. `low` of an open state is the least number
            // that it is known to reach.
            calls.push((root, count, 0));
            low[slot(root)] = count;
            stack.push(root);
            count += 1;
            while let Some((state, number, place)) = calls.last_mut() {
                let (state, number) = (*state, *number);
                if (*place as usize) < self.graph.degree(state >> 1) {
                    *place += 1;
                    let Some(target) = self.step(state, *place as usize - 1) else { continue };
                    if low[slot(target)] == NEW {
                        low[slot(target)] = count;
                        calls.push((target, count, 0));
                        stack.push(target);
                        count += 1;
                    } else if low[slot(target)] != DONE {
                        low[slot(state)] = low[slot(state)].min(low[slot(target)]);
                    }
                    continue;
                }
                calls.pop();
                let lowest = low[slot(state)];
                if let Some((caller, ..)) = calls.last() {
                    low[slot(*caller)] = low[slot(*caller)].min(lowest);
                }
                if lowest == number {
                    let start = stack.iter().rposition(|other| *other == state).expect("it was pushed");
                    for member in &stack[start..] {
                        low[slot(*member)] = DONE;
                    }
                    if stack.len() - start > 1 {
                        found.push(stack[start..].to_vec());
                    }
                    stack.truncate(start);
                }
            }
        }
        found
    }

    /// The same in vertices, transactions first, in their order: for rules that need no layers.
    pub(super) fn groups(&self) -> Vec<Vec<u32>> {
        let mut groups = self.components();
        for members in &mut groups {
            for state in members.iter_mut() {
                *state >>= 1;
            }
            members.sort_unstable();
        }
        groups.sort_unstable();
        groups
    }

    /// A shortest closed walk that begins with an edge of `first`, or none if there is none. When the budget is spent
    /// meanwhile, the shortest that was found.
    ///
    /// From each vertex a 0-1 breadth-first search with a visited array, never further than the best found so far; all
    /// of them first to a small depth, then to greater ones, so that a short cycle anywhere is found before a deep search
    /// begins.
    pub(super) fn shortest(&self, first: Class, budget: &Budget<'_>) -> Result<Option<Vec<Step>>, Exhausted> {
        let ranks = if self.rule == Rule::Single { self.ranks() } else { Vec::new() };
        let starts = self.starts(first, &ranks);
        let mut search = Search::new(self.states(), ranks);
        let mut limit = 2;
        loop {
            let mut best: Option<Vec<Step>> = None;
            let mut cut = false;
            for start in &starts {
                if (budget.expired)() {
                    // What was found is a cycle, if perhaps not a shortest.
                    return best.map(Some).ok_or(Exhausted);
                }
                let bound = best.as_ref().map_or(limit, |_| limit - 1);
                match search.from(self, *start, first, bound) {
                    Outcome::Found(walk, length) => {
                        best = Some(walk);
                        limit = length;
                        if length <= 2 {
                            return Ok(best);
                        }
                    }
                    Outcome::Cut => cut = true,
                    Outcome::Nothing => {}
                }
            }
            // A fracture has two steps; a longer walk would be more than one.
            if best.is_some() || !cut || self.rule == Rule::Fracture {
                return Ok(best);
            }
            limit *= 2;
        }
    }

    /// For each vertex a number, such that none without anti-dependencies leads to a smaller one; those who are on a cycle
    /// together have the same. Otherwise they are in the order of the vertices, as far as that is possible.
    ///
    /// Who comes back to where it began after one anti-dependency passes only what ranks no higher than that. As edges
    /// mostly lead a little way in the order in which transactions began, this leaves few vertices to look at, even where
    /// one component holds nearly all of them and there is nothing to be found.
    fn ranks(&self) -> Vec<u32> {
        let calm = Walk { rule: Rule::Free, classes: self.classes.without(Class::RW), ..*self };
        let all = || 0..self.graph.vertices() as u32;
        let mut group: Vec<u32> = all().collect();
        let mut members: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
        for list in calm.groups() {
            let name = list[0];
            for vertex in &list {
                group[*vertex as usize] = name;
            }
            members.insert(name, list);
        }
        let mut waiting = vec![0_u32; group.len()];
        let targets = |vertex: u32| {
            let places = 0..self.graph.degree(vertex);
            places.filter_map(move |place| calm.step(vertex << 1, place)).map(|state| state >> 1)
        };
        let between = |from: u32, to: &u32| group[from as usize] != group[*to as usize];
        for vertex in all() {
            for target in targets(vertex).filter(|target| between(vertex, target)) {
                waiting[group[target as usize] as usize] += 1;
            }
        }
        // What is no transaction goes first, as it only leads on.
        let turn = |name: u32| Reverse((self.graph.is_real(name), name));
        let mut free: BinaryHeap<Reverse<(bool, u32)>> = all()
            .filter(|vertex| group[*vertex as usize] == *vertex && waiting[*vertex as usize] == 0)
            .map(turn)
            .collect();
        let mut ranks = vec![0; group.len()];
        let mut rank = 0;
        while let Some(Reverse((_, name))) = free.pop() {
            rank += 1;
            let alone = [name];
            for vertex in members.get(&name).map_or(&alone[..], Vec::as_slice) {
                ranks[*vertex as usize] = rank;
                for target in targets(*vertex).filter(|target| between(*vertex, target)) {
                    let waiting = &mut waiting[group[target as usize] as usize];
                    *waiting -= 1;
                    if *waiting == 0 {
                        free.push(turn(group[target as usize]));
                    }
                }
            }
        }
        ranks
    }

    /// The transactions from which a closed walk can start: those in a component, with such an edge inside of it.
    fn starts(&self, first: Class, ranks: &[u32]) -> Vec<u32> {
        // One anti-dependency exactly is no rule that a component can tell: whatever has them at all may do.
        let free = Walk { rule: Rule::Free, ..*self };
        let within = match self.rule {
            Rule::Single | Rule::Fracture => &free,
            Rule::Free | Rule::Apart | Rule::Prefix => self,
        };
        let mut component = vec![0_u32; self.states()];
        let components = within.components();
        for (number, members) in (1..).zip(&components) {
            for member in members {
                component[*member as usize] = number;
            }
        }
        let inside = |vertex: &u32| {
            let state = *vertex << 1;
            let place = component[state as usize];
            place != 0
                && (0..self.graph.degree(*vertex)).any(|edge| {
                    let (_, class) = self.graph.edge(*vertex, edge);
                    first.contains(class)
                        && within.step(state, edge).is_some_and(|target| {
                            let leads_back =
                                ranks.is_empty() || ranks[target as usize >> 1] <= ranks[*vertex as usize];
                            component[target as usize] == place && leads_back
                        })
                })
        };
        (0..self.graph.vertices() as u32)
            .filter(|vertex| self.graph.is_real(*vertex))
            .filter(inside)
            .collect()
    }
}

enum Outcome {
    /// A closed walk and its length.
    Found(Vec<Step>, u32),
    /// None so far, but the search was not allowed further.
    Cut,
    /// There is none.
    Nothing,
}

/// The memory of searches, used again by each.
struct Search {
    /// For each state: the search that reached it, how far it was then, the state before it, and why.
    came: Vec<(u32, u32, u32, Class)>,
    round: u32,
    queue: VecDeque<(u32, u32)>,
    /// The ranks of vertices, where there is to be one anti-dependency: the first step.
    ranks: Vec<u32>,
}

impl Search {
    fn new(states: usize, ranks: Vec<u32>) -> Search {
        Search { came: vec![(0, 0, 0, Class::NONE); states], round: 0, queue: VecDeque::new(), ranks }
    }

    fn from(&mut self, walk: &Walk<'_>, start: u32, first: Class, longest: u32) -> Outcome {
        self.round += 1;
        self.queue.clear();
        let mut cut = false;
        let origin = start << 1;
        let goal = (start << 1) | u32::from(walk.rule == Rule::Single);
        self.queue.push_back((origin, 0));
        let mut begun = false;
        while let Some((state, length)) = self.queue.pop_front() {
            if begun && self.came[state as usize].1 < length {
                continue;
            }
            if begun && state == goal {
                return Outcome::Found(self.path(origin, goal), length);
            }
            let vertex = state >> 1;
            let weight = u32::from(walk.graph.is_real(vertex));
            for place in 0..walk.graph.degree(vertex) {
                let (_, class) = walk.graph.edge(vertex, place);
                if !begun && !first.contains(class) {
                    continue;
                }
                let Some(target) = walk.step(state, place) else { continue };
                if !self.ranks.is_empty() && self.ranks[target as usize >> 1] > self.ranks[start as usize] {
                    continue;
                }
                let reached = length + weight;
                if reached > longest {
                    cut = true;
                    continue;
                }
                let (round, known, ..) = self.came[target as usize];
                if round == self.round && known <= reached {
                    continue;
                }
                self.came[target as usize] = (self.round, reached, state, class);
                if weight == 0 {
                    self.queue.push_front((target, reached));
                } else {
                    self.queue.push_back((target, reached));
                }
            }
            begun = true;
        }
        if cut { Outcome::Cut } else { Outcome::Nothing }
    }

    fn path(&self, origin: u32, goal: u32) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut state = goal;
        loop {
            let (_, _, before, class) = self.came[state as usize];
            steps.push((before >> 1, class));
            state = before;
            if state == origin {
                break;
            }
        }
        steps.reverse();
        steps
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::graph::{Class, Graph};
    use super::{Rule, Walk};
    use crate::Budget;

    const CLASSES: [Class; 4] = [Class::WW, Class::WR, Class::RW, Class::LINK];

    /// The length of a shortest closed walk with one anti-dependency exactly, by trying all pairs.
    fn shortest(graph: &Graph, classes: Class) -> Option<usize> {
        let vertices = graph.vertices();
        let mut ways = vec![vec![None; vertices]; vertices];
        let weight = |vertex: usize| usize::from(graph.is_real(vertex as u32));
        for (vertex, row) in ways.iter_mut().enumerate() {
            row[vertex] = Some(0);
        }
        for _ in 0..vertices {
            for row in &mut ways {
                for middle in 0..vertices {
                    for (to, class) in graph.out(middle as u32) {
                        let calm = class == Class::LINK || classes.without(Class::RW).contains(class);
                        if let (true, Some(length)) = (calm, row[middle]) {
                            let best = &mut row[to as usize];
                            let length = length + weight(middle);
                            *best = Some(best.map_or(length, |best: usize| best.min(length)));
                        }
                    }
                }
            }
        }
        let starts = (0..vertices as u32).filter(|vertex| graph.is_real(*vertex));
        let walks = starts.flat_map(|start| {
            let first = graph.out(start).filter(|(_, class)| *class == Class::RW);
            first.filter_map(|(to, _)| Some(1 + ways[to as usize][start as usize]?)).collect::<Vec<_>>()
        });
        walks.min()
    }

    proptest! {
        #[test]
        fn one_anti_dependency_and_the_shortest_way_back_are_found(
            arrows in proptest::collection::vec((0..9_u32, 0..9_u32, 0..4_usize), 0..24),
        ) {
            // Vertices from 7 on are no transactions. Only links leave them, and not to where they are entered from.
            let graph = Graph::build(7, |edges| {
                let links = [edges.link(), edges.link()];
                edges.add(links[0], links[1], Class::LINK);
                for (from, to, class) in &arrows {
                    match (*from >= 7, *to >= 7, CLASSES[*class]) {
                        (true, true, _) | (false, _, Class::LINK) => {}
                        (true, false, _) if *to >= 4 => edges.add(*from, *to, Class::LINK),
                        (false, true, class) if *from < 4 => edges.add(*from, *to, class),
                        (false, false, class) => edges.add(*from, *to, class),
                        (true, false, _) | (false, true, _) => {}
                    }
                }
            })
            .unwrap();
            for classes in [Class::WW.with(Class::WR).with(Class::RW), Class::WR.with(Class::RW)] {
                let walk = Walk { graph: &graph, rule: Rule::Single, classes };
                let found = walk.shortest(Class::RW, &Budget::unlimited()).unwrap();
                let length = found.map(|steps| steps.iter().filter(|(vertex, _)| graph.is_real(*vertex)).count());
                prop_assert_eq!(length, shortest(&graph, classes));
            }
        }
    }
}
