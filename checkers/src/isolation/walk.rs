//! Walks through the graph that keep to a rule, their strongly connected components, and shortest cycles.

use std::collections::VecDeque;

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

    /// A shortest closed walk that begins with an edge of `first`, or none if there is none.
    ///
    /// From each vertex a 0-1 breadth-first search with a visited array, never further than the best found so far; all
    /// of them first to a small depth, then to greater ones, so that a short cycle anywhere is found before a deep search
    /// begins.
    pub(super) fn shortest(&self, first: Class, budget: &Budget<'_>) -> Result<Option<Vec<Step>>, Exhausted> {
        let starts = self.starts(first);
        let mut search = Search::new(self.states());
        let mut limit = 2;
        loop {
            let mut best: Option<Vec<Step>> = None;
            let mut cut = false;
            for start in &starts {
                if (budget.expired)() {
                    return Err(Exhausted);
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

    /// The transactions from which a closed walk can start: those in a component, with such an edge inside of it.
    fn starts(&self, first: Class) -> Vec<u32> {
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
                        && within.step(state, edge).is_some_and(|target| component[target as usize] == place)
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
}

impl Search {
    fn new(states: usize) -> Search {
        Search { came: vec![(0, 0, 0, Class::NONE); states], round: 0, queue: VecDeque::new() }
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
