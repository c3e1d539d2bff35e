//! A disk under the law of effects: what stands behind a record waits until the record is durable.

use std::collections::VecDeque;

use rand::RngExt;
use rashomon_core::{Effect, Rng};
use rashomon_systems::raft::{RaftProtocol, Record};

type Wish = Effect<RaftProtocol>;

#[derive(Debug, Default)]
pub(crate) struct Disk {
    durable: Vec<Record>,
    /// Effects in the order emitted, from the first record that is not durable yet.
    held: VecDeque<Wish>,
    /// How many of the records held are covered by the sync under way; 0 when none is.
    syncing: usize,
}

fn is_record(wish: &Wish) -> bool {
    matches!(wish, Effect::Persist(_) | Effect::Checkpoint(_))
}

impl Disk {
    pub(crate) fn emit(&mut self, wish: Wish) {
        self.held.push_back(wish);
    }

    /// The effects that nothing holds back any more.
    pub(crate) fn released(&mut self) -> Vec<Wish> {
        let mut free = Vec::new();
        while let Some(wish) = self.held.pop_front_if(|wish| !is_record(wish)) {
            free.push(wish);
        }
        free
    }

    /// Begins a sync of all that waits for one, if there is any and none is under way.
    pub(crate) fn begin_sync(&mut self) -> bool {
        if self.syncing > 0 {
            return false;
        }
        self.syncing = self.held.iter().filter(|wish| is_record(wish)).count();
        self.syncing > 0
    }

    /// Ends the sync: its records are durable, and the effects between them free.
    pub(crate) fn synced(&mut self) -> Vec<Wish> {
        let mut free = Vec::new();
        for _ in 0..std::mem::take(&mut self.syncing) {
            free.extend(self.released());
            let record = self.held.pop_front().expect("a sync covers records that are held");
            self.write(record);
        }
        free.extend(self.released());
        free
    }

    fn write(&mut self, wish: Wish) {
        match wish {
            Effect::Persist(record) => self.durable.push(record),
            Effect::Checkpoint(records) => self.durable = records,
            other => panic!("{other:?} is no record"),
        }
    }

    /// The process dies: the operating system still has all that was written.
    pub(crate) fn killed(&mut self) {
        self.keep(usize::MAX);
    }

    /// The power fails: of what was not synced, a beginning remains. Tells how many records are lost.
    pub(crate) fn power_off(&mut self, rng: &mut Rng) -> usize {
        let unsynced = self.held.iter().filter(|wish| is_record(wish)).count();
        let kept = rng.random_range(0..=unsynced as u64) as usize;
        self.keep(kept);
        unsynced - kept
    }

    fn keep(&mut self, records: usize) {
        self.syncing = 0;
        let held = std::mem::take(&mut self.held);
        for record in held.into_iter().filter(is_record).take(records) {
            self.write(record);
        }
    }

    /// What a process is given when it starts: through JSON, as on a real disk.
    pub(crate) fn records(&self) -> Vec<Record> {
        let text = serde_json::to_string(&self.durable).unwrap();
        serde_json::from_str(&text).unwrap()
    }
}
