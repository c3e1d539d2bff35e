//! What values go into and come out of: queue, stack, priority queue.

use std::collections::VecDeque;

use rashomon_core::{Op, Value};

use super::registers::GARBAGE;
use super::stream::{Answer, Asked, Lie, Object};
use super::{Clients, Draws, Plant};

/// Which value comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// The one that went in first.
    First,
    /// The one that went in last.
    Last,
    /// The greatest.
    Greatest,
}

/// Values that wait to come out.
///
/// A removal that stays open may have taken anything. Near-linear algorithms can live with that in a queue that is never
/// found empty, and in no stack or priority queue; such histories are made here, since no search gets through a long one
/// of the others.
pub(super) struct Waiting {
    order: Order,
    clients: u64,
    /// Whether it must not be found empty.
    stocked: bool,
    /// In the order in which they come out.
    values: VecDeque<i64>,
    inserted: i64,
    /// The last one that came out and whose client was told.
    out: Option<i64>,
}

impl Waiting {
    pub(super) fn new(order: Order, clients: &Clients) -> Waiting {
        let stocked = order == Order::First && clients.open_per_mille > 0;
        Waiting { order, clients: clients.clients, stocked, values: VecDeque::new(), inserted: 0, out: None }
    }

    fn insert(&mut self, value: i64) {
        match self.order {
            Order::First => self.values.push_back(value),
            Order::Last => self.values.push_front(value),
            Order::Greatest => {
                let place = self.values.partition_point(|other| *other > value);
                self.values.insert(place, value);
            }
        }
    }

    fn names(&self) -> (&'static str, &'static str) {
        match self.order {
            Order::First => ("enqueue", "dequeue"),
            Order::Last => ("push", "pop"),
            Order::Greatest => ("insert", "poll"),
        }
    }

    /// How many values wait so that some of them have been there for long.
    fn many(&self) -> usize {
        self.clients as usize * 2
    }
}

impl Object for Waiting {
    fn next(&mut self, draws: &mut Draws) -> Asked {
        let (insert, remove) = self.names();
        if draws.below(2) == 0 && !(self.stocked && self.values.len() <= self.many()) {
            return Asked::new(remove, Value::Null);
        }
        self.inserted += 1;
        match self.order {
            Order::First | Order::Last => Asked::new(insert, self.inserted),
            // The greater part decides who comes first, the lesser makes it unique.
            Order::Greatest => Asked::new(insert, ((draws.below(1 << 16) as i64) << 32) + self.inserted),
        }
    }

    fn may_stay_open(&self, op: &Op) -> bool {
        self.order == Order::First || !op.value.is_null()
    }

    fn apply(&mut self, op: &Op) -> Answer {
        if let Some(value) = op.value.as_i64() {
            self.insert(value);
            return Answer::ok(value);
        }
        let value = self.values.pop_front();
        self.out = value.or(self.out);
        Answer::ok(value)
    }

    fn apply_untold(&mut self, op: &Op) {
        let out = self.out;
        self.apply(op);
        self.out = out;
    }

    fn lie(&mut self, plant: Plant, op: &Op) -> Option<Lie> {
        if !op.value.is_null() {
            return None;
        }
        let answer = match plant {
            Plant::Duplicate => Answer::ok(self.out?),
            Plant::Garbage => Answer::ok(GARBAGE),
            Plant::FalseEmpty if self.values.len() > self.many() => Answer::ok(Value::Null),
            // The one that is due last: some of the others have been there for long.
            Plant::Reordered if self.values.len() > self.many() => Answer::ok(self.values.pop_back()?),
            _ => return None,
        };
        Some(Lie::Told(answer))
    }
}
