//! What is to happen when: one instant per name.

use std::collections::{BTreeMap, BTreeSet};

use rashomon_core::Time;

/// Named instants, the earliest first. Setting a name again moves it.
#[derive(Debug)]
pub(crate) struct Agenda<T> {
    by_time: BTreeSet<(Time, T)>,
    by_name: BTreeMap<T, Time>,
}

impl<T: Clone + Ord> Agenda<T> {
    /// Nothing to do.
    pub(crate) fn new() -> Agenda<T> {
        Agenda { by_time: BTreeSet::new(), by_name: BTreeMap::new() }
    }

    /// Puts `name` down for `at`.
    pub(crate) fn set(&mut self, name: T, at: Time) {
        if let Some(before) = self.by_name.insert(name.clone(), at) {
            if before == at {
                return;
            }
            let entry = (before, name);
            self.by_time.remove(&entry);
            self.by_time.insert((at, entry.1));
        } else {
            self.by_time.insert((at, name));
        }
    }

    /// Strikes `name` out, if it is there.
    pub(crate) fn cancel(&mut self, name: &T) {
        if let Some((name, at)) = self.by_name.remove_entry(name) {
            self.by_time.remove(&(at, name));
        }
    }

    /// The earliest instant.
    pub(crate) fn next(&self) -> Option<Time> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Takes the earliest name out when its time has come.
    pub(crate) fn pop_due(&mut self, now: Time) -> Option<T> {
        if self.next()? > now {
            return None;
        }
        let (_, name) = self.by_time.pop_first()?;
        self.by_name.remove(&name);
        Some(name)
    }

    /// How many names are down.
    pub(crate) fn len(&self) -> usize {
        self.by_name.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_due_in_order_and_can_be_moved_and_struck_out() {
        let mut agenda = Agenda::new();
        agenda.set("a", Time(30));
        agenda.set("b", Time(10));
        agenda.set("c", Time(20));
        agenda.set("b", Time(40));
        agenda.cancel(&"c");
        agenda.cancel(&"never set");
        assert_eq!(agenda.next(), Some(Time(30)));
        assert_eq!(agenda.pop_due(Time(29)), None);
        assert_eq!(agenda.pop_due(Time(50)), Some("a"));
        assert_eq!(agenda.pop_due(Time(50)), Some("b"));
        assert_eq!(agenda.pop_due(Time(50)), None);
        assert_eq!(agenda.len(), 0);
    }
}
