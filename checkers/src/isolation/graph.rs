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

    pub(super) const fn without(self, other: Class) -> Class {
        Class(self.0 & !other.0)
    }

    /// The number of a single class.
    fn number(self) -> u32 {
        self.0.trailing_zeros()
    }

    fn of_number(number: u32) -> Class {
        Class(1 << number)
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

/// A directed graph whose first `real` vertices are transactions. The others stand for many edges at once: rows of real
/// time, and fans from many readers to many writers. They have length 0 in paths.
#[derive(Debug, Default)]
pub(super) struct Graph {
    real: u32,
    offsets: Vec<u32>,
    /// Each edge in one number: its target, and above that its class.
    edges: Vec<u32>,
}

/// The bits of an edge that are its target; the others are the number of its class.
const TARGET_BITS: u32 = 29;
const TARGET: u32 = (1 << TARGET_BITS) - 1;

/// There are more vertices or edges than a graph holds.
#[derive(Debug)]
pub(super) struct TooLarge;

impl From<TooLarge> for String {
    fn from(_: TooLarge) -> String {
        "the graph of dependencies has more edges than can be numbered".to_owned()
    }
}

impl Graph {
    /// The graph between so many transactions whose edges `each` adds. It is asked twice, and must add the same both
    /// times: first the edges are counted, then each gets its place, so that none is stored more than once.
    pub(super) fn build(real: u32, each: impl Fn(&mut Edges)) -> Result<Graph, TooLarge> {
        let mut counted = Edges { real, places: vec![0; real as usize], placed: None };
        each(&mut counted);
        let vertices = counted.places.len();
        let total: u64 = counted.places.iter().map(|degree| u64::from(*degree)).sum();
        if vertices >= TARGET as usize || total >= u64::from(u32::MAX) {
            return Err(TooLarge);
        }
        let mut offsets = counted.places;
        let mut next = 0;
        for offset in &mut offsets {
            next += std::mem::replace(offset, next);
        }
        let mut filled = Edges { real, places: offsets, placed: Some((0, vec![0; total as usize])) };
        each(&mut filled);
        // Each place now stands where the next vertex begins.
        let mut offsets = filled.places;
        offsets.insert(0, 0);
        let (_, edges) = filled.placed.expect("the edges were given places");
        Ok(Graph { real, offsets, edges })
    }

    pub(super) fn vertices(&self) -> usize {
        self.offsets.len() - 1
    }

    pub(super) fn is_real(&self, vertex: u32) -> bool {
        vertex < self.real
    }

    pub(super) fn degree(&self, vertex: u32) -> usize {
        (self.offsets[vertex as usize + 1] - self.offsets[vertex as usize]) as usize
    }

    /// The edge number `place` out of a vertex.
    pub(super) fn edge(&self, vertex: u32, place: usize) -> (u32, Class) {
        let edge = self.edges[self.offsets[vertex as usize] as usize + place];
        (edge & TARGET, Class::of_number(edge >> TARGET_BITS))
    }

    pub(super) fn out(&self, vertex: u32) -> impl Iterator<Item = (u32, Class)> {
        (0..self.degree(vertex)).map(move |place| self.edge(vertex, place))
    }

    /// Whether there is any cycle: whether taking away vertices that nothing leads to, again and again, leaves any.
    pub(super) fn is_cyclic(&self) -> bool {
        let mut waiting = vec![0_u32; self.vertices()];
        for edge in &self.edges {
            waiting[(edge & TARGET) as usize] += 1;
        }
        let mut left = self.vertices();
        let mut free: Vec<u32> = (0..left as u32).filter(|vertex| waiting[*vertex as usize] == 0).collect();
        while let Some(vertex) = free.pop() {
            left -= 1;
            for (target, _) in self.out(vertex) {
                let waiting = &mut waiting[target as usize];
                *waiting -= 1;
                if *waiting == 0 {
                    free.push(target);
                }
            }
        }
        left > 0
    }

    /// The part between these vertices, transactions first, which are numbered anew in their order. `places` holds
    /// `u32::MAX` for every vertex, before and after.
    pub(super) fn part(&self, vertices: &[u32], places: &mut [u32]) -> Graph {
        let real = vertices.iter().filter(|vertex| self.is_real(**vertex)).count() as u32;
        for (place, vertex) in (0..).zip(vertices) {
            places[*vertex as usize] = place;
        }
        let mut part = Graph { real, offsets: vec![0], edges: Vec::new() };
        for vertex in vertices {
            for (target, class) in self.out(*vertex) {
                let target = places[target as usize];
                if target != u32::MAX {
                    part.edges.push(target | (class.number() << TARGET_BITS));
                }
            }
            part.offsets.push(part.edges.len() as u32);
        }
        for vertex in vertices {
            places[*vertex as usize] = u32::MAX;
        }
        part
    }
}

/// A graph in the making: see [`Graph::build`].
#[derive(Debug)]
pub(super) struct Edges {
    real: u32,
    /// For each vertex how many edges leave it, or, once they have places, where its next goes.
    places: Vec<u32>,
    /// How many vertices that are no transactions there are so far, and the edges, once they have places.
    placed: Option<(u32, Vec<u32>)>,
}

impl Edges {
    /// A new vertex that is no transaction.
    pub(super) fn link(&mut self) -> u32 {
        if let Some((links, _)) = &mut self.placed {
            *links += 1;
            self.real + *links - 1
        } else {
            self.places.push(0);
            self.places.len() as u32 - 1
        }
    }

    /// An edge; none from a transaction to itself.
    pub(super) fn add(&mut self, from: u32, to: u32, class: Class) {
        if from == to {
            return;
        }
        let place = &mut self.places[from as usize];
        if let Some((_, edges)) = &mut self.placed {
            edges[*place as usize] = to | (class.number() << TARGET_BITS);
        }
        *place += 1;
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
}

#[cfg(test)]
mod tests {
    use super::{Class, Graph};

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
    fn edges_keep_their_targets_and_classes() {
        let graph = Graph::build(3, |edges| {
            edges.add(2, 0, Class::RW);
            let link = edges.link();
            edges.add(0, link, Class::REALTIME);
            edges.add(link, 1, Class::LINK);
            edges.add(0, 1, Class::WW);
            edges.add(1, 1, Class::WR);
        })
        .unwrap();
        let out = |vertex| graph.out(vertex).collect::<Vec<_>>();
        assert_eq!(out(0), [(3, Class::REALTIME), (1, Class::WW)]);
        assert_eq!(out(1), []);
        assert_eq!(out(2), [(0, Class::RW)]);
        assert_eq!(out(3), [(1, Class::LINK)]);
        assert!(!graph.is_cyclic());
        let cycle =
            |edges: &mut super::Edges| (0..3).for_each(|from| edges.add(from, (from + 1) % 3, Class::WR));
        assert!(Graph::build(4, cycle).unwrap().is_cyclic());
    }

    #[test]
    fn a_fan_leads_from_every_reader_to_every_other_writer() {
        for (readers, writers) in [(1, 1), (2, 3), (9, 12), (12, 9), (20, 20)] {
            // Transactions 0..readers read, and every second of them writes too.
            let reading: Vec<u32> = (0..readers).collect();
            let writing: Vec<u32> = (0..writers).map(|place| place * 2).collect();
            let graph = Graph::build(64, |edges| edges.fan(&reading, &writing, Class::RW)).unwrap();
            assert!(graph.edges.len() <= 5 * (reading.len() + writing.len()), "linear");
            for reader in reading {
                let expected: Vec<u32> = writing.iter().copied().filter(|writer| *writer != reader).collect();
                assert_eq!(reached(&graph, reader), expected, "from {reader}");
            }
        }
    }
}
