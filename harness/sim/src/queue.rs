//! What happens when.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rashomon_core::Time;

/// Things to come, the earliest first; of those at one instant, the one put in first.
///
/// The heap moves small keys about, while the things themselves stay where they are.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    order: BinaryHeap<Reverse<Key>>,
    places: Vec<Option<T>>,
    free: Vec<u32>,
    counter: u64,
}

/// When, the how manieth, and where, from the highest bits to the lowest: one comparison orders two of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key(u128);

/// The bits of a place: sixteen million things may be to come at a time, and a trillion in a run.
const PLACE_BITS: u32 = 24;

impl Key {
    fn new(at: Time, counter: u64, place: u32) -> Key {
        assert!(
            place < 1 << PLACE_BITS && counter < 1 << (64 - PLACE_BITS),
            "the queue has come to its limits"
        );
        Key(u128::from(at.0) << 64 | u128::from(counter) << PLACE_BITS | u128::from(place))
    }

    fn at(self) -> Time {
        Time((self.0 >> 64) as u64)
    }

    fn place(self) -> u32 {
        self.0 as u32 & ((1 << PLACE_BITS) - 1)
    }
}

impl<T> Queue<T> {
    /// Nothing is to come.
    pub(crate) fn new() -> Queue<T> {
        Queue { order: BinaryHeap::new(), places: Vec::new(), free: Vec::new(), counter: 0 }
    }

    /// Puts something down for `at`.
    pub(crate) fn push(&mut self, at: Time, thing: T) {
        let place = if let Some(place) = self.free.pop() {
            self.places[place as usize] = Some(thing);
            place
        } else {
            self.places.push(Some(thing));
            self.places.len() as u32 - 1
        };
        self.counter += 1;
        self.order.push(Reverse(Key::new(at, self.counter, place)));
    }

    /// Takes out the next thing, unless it is later than `until`.
    pub(crate) fn pop(&mut self, until: Time) -> Option<(Time, T)> {
        let Reverse(next) = self.order.peek()?;
        if next.at() > until {
            return None;
        }
        let Reverse(key) = self.order.pop()?;
        self.free.push(key.place());
        let thing = self.places[key.place() as usize].take().expect("what the heap knows is in its place");
        Some((key.at(), thing))
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
