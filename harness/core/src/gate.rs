//! The law of effects, as a queue: every world drives its nodes through one.

use std::collections::VecDeque;

/// Holds back what was emitted after a record until that record is durable, and keeps all in order.
///
/// The barrier stands per node and not per step: what a *later* step emits waits as well.
#[derive(Debug)]
pub struct Gate<T> {
    persisted: u64,
    durable: u64,
    held: VecDeque<(u64, T)>,
}

impl<T> Default for Gate<T> {
    fn default() -> Gate<T> {
        Gate::new()
    }
}

impl<T> Gate<T> {
    /// Nothing persisted, nothing held.
    pub fn new() -> Gate<T> {
        Gate { persisted: 0, durable: 0, held: VecDeque::new() }
    }

    /// A record is on its way to the disk. Gives its number.
    pub fn persist(&mut self) -> u64 {
        self.persisted += 1;
        self.persisted
    }

    /// How many records were ever on their way.
    pub fn persisted(&self) -> u64 {
        self.persisted
    }

    /// Something is emitted: it is given back when it may happen at once.
    pub fn emit(&mut self, effect: T) -> Option<T> {
        if self.held.is_empty() && self.durable >= self.persisted {
            return Some(effect);
        }
        self.held.push_back((self.persisted, effect));
        None
    }

    /// The disk has made all records up to this number durable.
    pub fn durable(&mut self, number: u64) {
        self.durable = self.durable.max(number);
    }

    /// The next effect that may happen now.
    pub fn release(&mut self) -> Option<T> {
        if self.held.front()?.0 > self.durable {
            return None;
        }
        self.held.pop_front().map(|(_, effect)| effect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_a_record_waits_for_it_in_later_steps_too() {
        let mut gate = Gate::new();
        assert_eq!(gate.emit("before"), Some("before"));
        let first = gate.persist();
        assert_eq!(gate.emit("same step"), None);
        assert_eq!(gate.emit("later step"), None);
        let second = gate.persist();
        assert_eq!(gate.emit("after the second"), None);
        assert_eq!(gate.release(), None);
        gate.durable(first);
        assert_eq!(gate.release(), Some("same step"));
        assert_eq!(gate.emit("last"), None, "nothing overtakes");
        assert_eq!(gate.release(), Some("later step"));
        assert_eq!(gate.release(), None);
        gate.durable(second);
        assert_eq!(gate.release(), Some("after the second"));
        assert_eq!(gate.release(), Some("last"));
        assert_eq!(gate.release(), None);
        assert_eq!(gate.emit("free"), Some("free"));
    }

    #[test]
    fn nothing_overtakes_what_is_released_but_not_yet_taken() {
        let mut gate = Gate::new();
        let record = gate.persist();
        assert_eq!(gate.emit(1), None);
        gate.durable(record);
        assert_eq!(gate.emit(2), None);
        assert_eq!((gate.release(), gate.release()), (Some(1), Some(2)));
    }
}
