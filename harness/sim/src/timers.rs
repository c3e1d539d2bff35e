//! The timers of one node.

use std::collections::BTreeMap;

use rashomon_core::Time;

/// Named instants of a node's monotonic clock, the earliest first, then by name. Setting a name again moves it.
///
/// A node moves its timers far more often than they fire, so moving is what is cheap: the world is asked for a
/// wake-up only when a timer comes before the wake-up that is there already.
#[derive(Debug)]
pub(crate) struct Timers<T> {
    set: BTreeMap<T, Time>,
    /// When the world will wake the node.
    wake: Option<Time>,
}

impl<T: Clone + Ord> Timers<T> {
    /// Nothing is set.
    pub(crate) fn new() -> Timers<T> {
        Timers { set: BTreeMap::new(), wake: None }
    }

    /// Sets a timer for an instant of the node's monotonic clock.
    pub(crate) fn set(&mut self, timer: T, at: Time) {
        self.set.insert(timer, at);
    }

    /// Forgets a timer.
    pub(crate) fn cancel(&mut self, timer: &T) {
        self.set.remove(timer);
    }

    /// The earliest instant.
    pub(crate) fn next(&self) -> Option<Time> {
        self.set.values().min().copied()
    }

    /// Takes out the first timer whose time has come.
    pub(crate) fn pop_due(&mut self, now: Time) -> Option<T> {
        let (timer, at) = self.set.iter().min_by_key(|(_, at)| **at)?;
        if *at > now {
            return None;
        }
        let timer = timer.clone();
        self.set.remove(&timer);
        Some(timer)
    }

    /// How many are set.
    pub(crate) fn len(&self) -> usize {
        self.set.len()
    }

    /// Whether the world must be asked for a wake-up at that instant of its own; if so it counts as asked.
    pub(crate) fn needs_wake(&mut self, at: Time) -> bool {
        let needed = self.wake.is_none_or(|wake| at < wake);
        if needed {
            self.wake = Some(at);
        }
        needed
    }

    /// Whether a wake-up is the one that is waited for, and not one that an earlier one has replaced.
    pub(crate) fn wakes(&mut self, now: Time) -> bool {
        let awaited = self.wake == Some(now);
        if awaited {
            self.wake = None;
        }
        awaited
    }

    /// Forgets the wake-up: instants of the world have come to mean others of the node.
    pub(crate) fn forget_wake(&mut self) {
        self.wake = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_come_due_in_order_and_can_be_moved_and_cancelled() {
        let mut timers = Timers::new();
        timers.set("a", Time(30));
        timers.set("b", Time(10));
        timers.set("c", Time(20));
        timers.set("d", Time(30));
        timers.set("b", Time(40));
        timers.cancel(&"c");
        timers.cancel(&"never set");
        assert_eq!(timers.next(), Some(Time(30)));
        assert_eq!(timers.pop_due(Time(29)), None);
        assert_eq!(timers.pop_due(Time(50)), Some("a"));
        assert_eq!(timers.pop_due(Time(50)), Some("d"));
        assert_eq!(timers.pop_due(Time(50)), Some("b"));
        assert_eq!((timers.pop_due(Time(50)), timers.len()), (None, 0));
    }

    #[test]
    fn only_the_earliest_wake_up_counts() {
        let mut timers: Timers<()> = Timers::new();
        assert!(timers.needs_wake(Time(20)));
        assert!(!timers.needs_wake(Time(30)));
        assert!(timers.needs_wake(Time(10)));
        assert!(timers.wakes(Time(10)));
        assert!(!timers.wakes(Time(20)), "it was replaced");
        assert!(timers.needs_wake(Time(20)));
    }
}
