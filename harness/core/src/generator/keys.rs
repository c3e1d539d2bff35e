//! Keys that retire.

use std::collections::BTreeMap;

use rand::RngExt;

use crate::Rng;

/// A window of active keys. A key retires after a number of ops, or of open infos, and a fresh one takes its
/// place: this bounds what a checker must search, whatever the faults do.
#[derive(Debug)]
pub struct Keys {
    active: Vec<Key>,
    next: u64,
    most_ops: u64,
    most_infos: u64,
    /// Which key stands where in `active`.
    positions: BTreeMap<String, usize>,
    all: Vec<String>,
}

#[derive(Debug)]
struct Key {
    name: String,
    ops: u64,
    infos: u64,
}

impl Keys {
    /// The ops after which a key retires.
    pub const OPS: u64 = 200;
    /// The open infos after which a key retires.
    pub const INFOS: u64 = 8;

    /// `active` keys at a time, with the usual limits.
    pub fn new(active: usize) -> Keys {
        Keys::with_limits(active, Keys::OPS, Keys::INFOS)
    }

    /// `active` keys at a time; each retires after `most_ops` ops or `most_infos` open infos.
    pub fn with_limits(active: usize, most_ops: u64, most_infos: u64) -> Keys {
        assert!(active > 0 && most_ops > 0 && most_infos > 0, "a key must live for an op at least");
        let mut keys = Keys {
            active: Vec::new(),
            next: 0,
            most_ops,
            most_infos,
            positions: BTreeMap::new(),
            all: Vec::new(),
        };
        for position in 0..active {
            let key = keys.fresh(position);
            keys.active.push(key);
        }
        keys
    }

    fn fresh(&mut self, position: usize) -> Key {
        let name = self.next.to_string();
        self.next += 1;
        self.positions.insert(name.clone(), position);
        self.all.push(name.clone());
        Key { name, ops: 0, infos: 0 }
    }

    fn retire(&mut self, position: usize) {
        self.positions.remove(&self.active[position].name);
        self.active[position] = self.fresh(position);
    }

    /// An active key for one more op.
    pub fn draw(&mut self, rng: &mut Rng) -> String {
        let position = rng.random_range(0..self.active.len());
        if self.active[position].ops >= self.most_ops {
            self.retire(position);
        }
        let key = &mut self.active[position];
        key.ops += 1;
        key.name.clone()
    }

    /// Counts an op on `key` that nobody knows the end of.
    pub fn info(&mut self, key: &str) {
        let Some(position) = self.positions.get(key).copied() else { return };
        self.active[position].infos += 1;
        if self.active[position].infos >= self.most_infos {
            self.retire(position);
        }
    }

    /// Every key that was ever active, in order.
    pub fn all(&self) -> &[String] {
        &self.all
    }
}
