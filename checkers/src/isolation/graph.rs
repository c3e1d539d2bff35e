//! Which transaction must come before which, in compact arrays.

/// Why one transaction comes before another; also a set of such reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Class(u8);

impl Class {
    pub(super) const NONE: Class = Class(0);
    /// It wrote the version before the one that the other wrote.
    pub(super) const WW: Class = Class(1);
    /// It wrote what the other read.
    pub(super) const WR: Class = Class(2);
    /// It read the version before the one that the other wrote.
    pub(super) const RW: Class = Class(4);
    /// The same process did it earlier.
    pub(super) const PROCESS: Class = Class(8);
    /// It ended before the other began.
    pub(super) const REALTIME: Class = Class(16);
    /// Out of a vertex that is no transaction: goes on with the reason that led there.
    pub(super) const LINK: Class = Class(32);

    pub(super) fn contains(self, other: Class) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) const fn with(self, other: Class) -> Class {
        Class(self.0 | other.0)
    }

    /// What an edge of this class is called.
    pub(super) fn name(self) -> &'static str {
        match self {
            Class::WW => "ww",
            Class::WR => "wr",
            Class::RW => "rw",
            Class::PROCESS => "process",
            Class::REALTIME => "realtime",
            _ => "link",
        }
    }
}

/// A directed graph whose first `real` vertices are transactions. The others stand for many edges at once: barriers of
/// real time, and fans from many readers to many writers. They have length 0 in paths.
#[derive(Debug, Default)]
pub(super) struct Graph {
    real: u32,
    offsets: Vec<u32>,
    targets: Vec<u32>,
    classes: Vec<Class>,
}

impl Graph {
    pub(super) fn vertices(&self) -> usize {
        self.offsets.len() - 1
    }

    pub(super) fn edges(&self) -> usize {
        self.targets.len()
    }

    pub(super) fn is_real(&self, vertex: u32) -> bool {
        vertex < self.real
    }

    pub(super) fn degree(&self, vertex: u32) -> usize {
        (self.offsets[vertex as usize + 1] - self.offsets[vertex as usize]) as usize
    }

    /// The edge number `place` out of a vertex.
    pub(super) fn edge(&self, vertex: u32, place: usize) -> (u32, Class) {
        let at = self.offsets[vertex as usize] as usize + place;
        (self.targets[at], self.classes[at])
    }

    pub(super) fn out(&self, vertex: u32) -> impl Iterator<Item = (u32, Class)> {
        (0..self.degree(vertex)).map(move |place| self.edge(vertex, place))
    }

    /// The part between these vertices, transactions first, which are numbered anew in their order. `places` holds
    /// `u32::MAX` for every vertex, before and after.
    pub(super) fn part(&self, vertices: &[u32], places: &mut [u32]) -> Graph {
        let real = vertices.iter().filter(|vertex| self.is_real(**vertex)).count() as u32;
        let number = |place: u32| if place < real { place } else { (place - real) | LINK_VERTEX };
        for (place, vertex) in (0..).zip(vertices) {
            places[*vertex as usize] = place;
        }
        let mut edges = Edges { links: vertices.len() as u32 - real, list: Vec::new() };
        for (place, vertex) in (0..).zip(vertices) {
            for (target, class) in self.out(*vertex) {
                if places[target as usize] != u32::MAX {
                    edges.add(number(place), number(places[target as usize]), class);
                }
            }
        }
        for vertex in vertices {
            places[*vertex as usize] = u32::MAX;
        }
        edges.graph(real)
    }
}

/// Marks the number of a vertex that is no transaction, until it is known how many transactions there are.
const LINK_VERTEX: u32 = 1 << 31;

/// A graph in the making.
#[derive(Clone, Debug, Default)]
pub(super) struct Edges {
    links: u32,
    list: Vec<(u32, u32, Class)>,
}

impl Edges {
    /// About how much memory it takes.
    pub(super) fn bytes(&self) -> usize {
        self.list.capacity() * size_of::<(u32, u32, Class)>()
    }

    /// A new vertex that is no transaction.
    pub(super) fn link(&mut self) -> u32 {
        self.links += 1;
        (self.links - 1) | LINK_VERTEX
    }

    /// An edge; none from a transaction to itself.
    pub(super) fn add(&mut self, from: u32, to: u32, class: Class) {
        if from != to {
            self.list.push((from, to, class));
        }
    }

    /// An edge from every reader to every other writer, in linear space. Writers must differ from each other.
    ///
    /// A reader that writes too must not reach itself, so the writers are linked in two rows, one downwards and one
    /// upwards, and such a reader enters each row beside its own place.
    pub(super) fn fan(&mut self, readers: &[u32], writers: &[u32], class: Class) {
        if readers.len().saturating_mul(writers.len()) <= 2 * (readers.len() + writers.len()) {
            for reader in readers {
                for writer in writers {
                    self.add(*reader, *writer, class);
                }
            }
            return;
        }
        let mut sorted = writers.to_vec();
        sorted.sort_unstable();
        let down: Vec<u32> = sorted.iter().map(|_| self.link()).collect();
        let up: Vec<u32> = sorted.iter().map(|_| self.link()).collect();
        for (place, writer) in sorted.iter().enumerate() {
            self.add(down[place], *writer, Class::LINK);
            self.add(up[place], *writer, Class::LINK);
            if place > 0 {
                self.add(down[place], down[place - 1], Class::LINK);
                self.add(up[place - 1], up[place], Class::LINK);
            }
        }
        for reader in readers {
            match sorted.binary_search(reader) {
                Ok(place) => {
                    if place > 0 {
                        self.add(*reader, down[place - 1], class);
                    }
                    if place + 1 < sorted.len() {
                        self.add(*reader, up[place + 1], class);
                    }
                }
                Err(_) => self.add(*reader, up[0], class),
            }
        }
    }

    /// The graph between so many transactions.
    pub(super) fn graph(&self, real: u32) -> Graph {
        let number = |vertex: u32| {
            if vertex & LINK_VERTEX == 0 { vertex } else { (vertex & !LINK_VERTEX) + real }
        };
        let mut offsets = vec![0_u32; (real + self.links) as usize + 1];
        for (from, ..) in &self.list {
            offsets[number(*from) as usize + 1] += 1;
        }
        for vertex in 1..offsets.len() {
            offsets[vertex] += offsets[vertex - 1];
        }
        let mut next = offsets.clone();
        let mut targets = vec![0; self.list.len()];
        let mut classes = vec![Class::NONE; self.list.len()];
        for (from, to, class) in &self.list {
            let next = &mut next[number(*from) as usize];
            (targets[*next as usize], classes[*next as usize]) = (number(*to), *class);
            *next += 1;
        }
        Graph { real, offsets, targets, classes }
    }
}

#[cfg(test)]
mod tests {
    use super::{Class, Edges, Graph};

    /// The transactions that can be reached from a vertex by one edge, links left out.
    fn reached(graph: &Graph, from: u32) -> Vec<u32> {
        let (mut list, mut stack) = (Vec::new(), vec![from]);
        while let Some(vertex) = stack.pop() {
            for (target, _) in graph.out(vertex) {
                if graph.is_real(target) { list.push(target) } else { stack.push(target) }
            }
        }
        list.sort_unstable();
        list.dedup();
        list
    }

    #[test]
    fn a_fan_leads_from_every_reader_to_every_other_writer() {
        for (readers, writers) in [(1, 1), (2, 3), (9, 12), (12, 9), (20, 20)] {
            // Transactions 0..readers read, and every second of them writes too.
            let reading: Vec<u32> = (0..readers).collect();
            let writing: Vec<u32> = (0..writers).map(|place| place * 2).collect();
            let mut edges = Edges::default();
            edges.fan(&reading, &writing, Class::RW);
            assert!(edges.list.len() <= 5 * (reading.len() + writing.len()), "linear");
            let graph = edges.graph(64);
            for reader in reading {
                let expected: Vec<u32> = writing.iter().copied().filter(|writer| *writer != reader).collect();
                assert_eq!(reached(&graph, reader), expected, "from {reader}");
            }
        }
    }
}
