//! Cycles of transactions: their names, and the levels that they rule out.

use super::graph::{Class, Graph};
use super::level::{Isolation, Levels, Order};
use super::walk::Step;

/// A cycle that passes each of its transactions once: each with the reason why it comes before the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cycle(pub(super) Vec<Step>);

impl Cycle {
    /// The simple cycles of which a closed walk consists. Vertices that are no transactions are left out: the reason that
    /// led into them is the reason for the transaction behind them.
    pub(super) fn of_walk(graph: &Graph, walk: &[Step]) -> Vec<Cycle> {
        let mut cycles = Vec::new();
        let mut open: Vec<Step> = Vec::new();
        let real = || walk.iter().filter(|(vertex, _)| graph.is_real(*vertex));
        for step in real().chain(real().next()) {
            if let Some(place) = open.iter().position(|(vertex, _)| *vertex == step.0) {
                cycles.push(Cycle(open.split_off(place)).direct());
            }
            open.push(*step);
        }
        cycles
    }

    /// The same without the transactions between two of one process, or between two of which one ended before the other
    /// began: what is before what is before a third is before the third.
    fn direct(mut self) -> Cycle {
        let last = |steps: &[Step], place: usize| steps[(place + steps.len() - 1) % steps.len()].1;
        let mut place = 0;
        while place < self.0.len() {
            let class = self.0[place].1;
            let passes_on =
                [Class::PROCESS, Class::REALTIME].contains(&class) && last(&self.0, place) == class;
            if passes_on && self.0.len() > 2 {
                self.0.remove(place);
            } else {
                place += 1;
            }
        }
        self
    }

    fn count(&self, class: Class) -> usize {
        self.0.iter().filter(|(_, other)| *other == class).count()
    }

    /// Whether no anti-dependency comes right after an edge of these classes, around the cycle.
    fn never_after(&self, classes: Class) -> bool {
        let before = self.0.iter().cycle().skip(self.0.len() - 1);
        self.0
            .iter()
            .zip(before)
            .all(|((_, class), (_, last))| *class != Class::RW || !classes.contains(*last))
    }

    /// The order between transactions without which there would be no cycle.
    pub(super) fn order(&self) -> Order {
        if self.count(Class::REALTIME) > 0 {
            Order::RealTime
        } else if self.count(Class::PROCESS) > 0 {
            Order::Session
        } else {
            Order::Plain
        }
    }

    /// Its name, after Adya.
    pub(super) fn name(&self) -> String {
        let name = match self.count(Class::RW) {
            0 if self.count(Class::WR) == 0 => "G0",
            0 => "G1c",
            1 => "G-single",
            _ if self.never_after(Class::RW) => "G-nonadjacent",
            _ => "G2-item",
        };
        match self.order() {
            Order::Plain => name.to_owned(),
            Order::Session => format!("{name}-process"),
            Order::RealTime => format!("{name}-realtime"),
        }
    }

    /// What it rules out.
    ///
    /// A level of Cerone, Bernardi and Gotsman forbids the cycles that its axioms cannot do without. With VIS the least
    /// visibility (wr, and the column's order; ww too where concurrent writers are forbidden):
    /// read atomic forbids one rw after one step of VIS; causal, one rw after any steps of wr and the column's order;
    /// parallel snapshot isolation, one rw after any steps without rw. Prefix and snapshot isolation give each transaction
    /// a moment of snapshot and a later one of commit: rw leads from a snapshot to a commit, wr from a commit to a
    /// snapshot, ww from a commit to a commit (prefix) or to a snapshot (snapshot isolation). A cycle of such moments is
    /// one of transactions in which no rw comes after a step that leads to a commit.
    pub(super) fn rules_out(&self) -> Levels {
        let (rw, wr, ww) = (self.count(Class::RW), self.count(Class::WR), self.count(Class::WW));
        let rest = self.0.len() - rw;
        let mut weakest = vec![Isolation::RepeatableRead, Isolation::Serializable];
        if rw == 0 {
            weakest.push(if wr == 0 { Isolation::ReadUncommitted } else { Isolation::ReadCommitted });
        }
        if rw == 1 {
            weakest.push(Isolation::ParallelSnapshot);
            if ww == 0 {
                weakest.push(Isolation::Causal);
                if wr == 0 || rest == 1 {
                    weakest.push(Isolation::ReadAtomic);
                }
            }
        }
        if self.never_after(Class::RW) {
            weakest.push(Isolation::Snapshot);
        }
        if self.never_after(Class::RW.with(Class::WW)) {
            weakest.push(Isolation::Prefix);
        }
        Levels::from(&weakest, self.order())
    }
}

#[cfg(test)]
mod tests {
    use super::super::level::{Isolation, Level};
    use super::{Class, Cycle, Graph};

    const WW: Class = Class::WW;
    const WR: Class = Class::WR;
    const RW: Class = Class::RW;
    const PROCESS: Class = Class::PROCESS;
    const REALTIME: Class = Class::REALTIME;

    fn cycle(classes: &[Class]) -> Cycle {
        Cycle((0..).zip(classes.iter().copied()).collect())
    }

    #[test]
    fn names_follow_the_anti_dependencies() {
        for (classes, name) in [
            (&[WW, WW][..], "G0"),
            (&[WW, PROCESS], "G0-process"),
            (&[WW, WR], "G1c"),
            (&[WR, REALTIME, PROCESS], "G1c-realtime"),
            (&[RW, WR, WW], "G-single"),
            (&[RW, PROCESS], "G-single-process"),
            (&[RW, WW, RW, WR], "G-nonadjacent"),
            (&[RW, WW, RW, REALTIME], "G-nonadjacent-realtime"),
            (&[RW, RW], "G2-item"),
            (&[RW, WW, RW], "G2-item"),
            (&[RW, RW, PROCESS], "G2-item-process"),
        ] {
            assert_eq!(cycle(classes).name(), name);
        }
    }

    #[test]
    fn each_cycle_rules_out_its_levels_and_no_weaker_ones() {
        use Isolation as I;
        for (classes, weakest) in [
            (&[WW, WW][..], &[I::ReadUncommitted][..]),
            (&[WW, WR], &[I::ReadCommitted]),
            (&[RW, WR], &[I::ReadAtomic]),
            (&[RW, WR, WR], &[I::Causal, I::RepeatableRead]),
            (&[RW, WW], &[I::ParallelSnapshot, I::RepeatableRead]),
            (&[RW, WW, WR], &[I::Prefix, I::ParallelSnapshot, I::RepeatableRead]),
            (&[RW, WR, RW, WR], &[I::Prefix, I::RepeatableRead]),
            (&[RW, WW, RW, WR], &[I::Snapshot, I::RepeatableRead]),
            (&[RW, RW], &[I::RepeatableRead]),
            (&[RW, RW, WR], &[I::RepeatableRead]),
        ] {
            let ruled = cycle(classes).rules_out();
            for level in Level::all() {
                let expected = weakest.iter().any(|one| level.isolation.implies(*one));
                assert_eq!(ruled.contains(level), expected, "{classes:?}, {level}");
            }
        }
    }

    #[test]
    fn what_lies_between_two_of_one_process_is_left_out() {
        let direct = |classes: &[Class]| cycle(classes).direct().0;
        assert_eq!(direct(&[RW, PROCESS, PROCESS, PROCESS]), [(0, RW), (1, PROCESS)]);
        assert_eq!(direct(&[PROCESS, RW, PROCESS, PROCESS]), [(1, RW), (2, PROCESS)]);
        assert_eq!(direct(&[REALTIME, REALTIME, RW, WR, WR]), [(0, REALTIME), (2, RW), (3, WR), (4, WR)]);
        assert_eq!(direct(&[RW, PROCESS, REALTIME]), [(0, RW), (1, PROCESS), (2, REALTIME)]);
    }

    #[test]
    fn a_walk_that_crosses_itself_is_two_cycles() {
        let graph = Graph::build(3, |edges| edges.add(0, 1, RW)).unwrap();
        let cycles = Cycle::of_walk(&graph, &[(0, RW), (1, WR), (2, WW), (1, WR)]);
        assert_eq!(cycles, [Cycle(vec![(1, WR), (2, WW)]), Cycle(vec![(0, RW), (1, WR)])]);
        let cycles = Cycle::of_walk(&graph, &[(0, RW), (1, PROCESS), (2, PROCESS)]);
        assert_eq!(cycles, [Cycle(vec![(0, RW), (1, PROCESS)])], "each is made direct");
    }
}
