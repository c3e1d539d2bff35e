//! What happens when.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rashomon_core::Time;

/// Things to come, the earliest first; of those at one instant, the one put in first.
///
/// The heap moves small keys about, while the things themselves stay where they are.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    order: BinaryHeap<Reverse<(Time, u64, u32)>>,
    places: Vec<Option<T>>,
    free: Vec<u32>,
    counter: u64,
}

impl<T> Queue<T> {
    /// Nothing is to come.
    pub(crate) fn new() -> Queue<T> {
        Queue { order: BinaryHeap::new(), places: Vec::new(), free: Vec::new(), counter: 0 }
    }

    /// Puts something down for `at`.
    pub(crate) fn push(&mut self, at: Time, thing: T) {
        let place = match self.free.pop() {
            Some(place) => {
                self.places[place as usize] = Some(thing);
                place
            }
            None => {
                self.places.push(Some(thing));
                u32::try_from(self.places.len() - 1).expect("fewer than four billion things are to come")
            }
        };
        self.counter += 1;
        self.order.push(Reverse((at, self.counter, place)));
    }

    /// Takes out the next thing, unless it is later than `until`.
    pub(crate) fn pop(&mut self, until: Time) -> Option<(Time, T)> {
        let Reverse((at, ..)) = self.order.peek()?;
        if *at > until {
            return None;
        }
        let Reverse((at, _, place)) = self.order.pop()?;
        self.free.push(place);
        let thing = self.places[place as usize].take().expect("what the heap knows is in its place");
        Some((at, thing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_rules_and_then_the_order_of_arrival() {
        let mut queue = Queue::new();
        for (at, name) in [(20, 'c'), (10, 'a'), (20, 'd'), (10, 'b'), (30, 'e')] {
            queue.push(Time(at), name);
        }
        let mut out = String::new();
        while let Some((_, name)) = queue.pop(Time(20)) {
            out.push(name);
            if name == 'a' {
                queue.push(Time(10), 'x');
            }
        }
        assert_eq!(out, "abxcd");
        assert_eq!(queue.pop(Time(29)), None);
        assert_eq!(queue.pop(Time::MAX), Some((Time(30), 'e')));
        assert_eq!(queue.pop(Time::MAX), None);
    }
}
