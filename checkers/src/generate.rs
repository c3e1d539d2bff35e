//! Histories made by machine: what clients of a correct object would have seen, and lies about it.
//!
//! Each operation takes effect at a random moment between its call and its return, so the history is
//! linearizable by construction, until a lie is told. For tests and benchmarks, and for those who want to see a checker
//! work: [`Subject`] names what can be made, and [`Plant`] the violations.

mod lists;
mod plant;
mod stream;
mod subject;

mod kv;
mod queues;
mod registers;
mod sets;
mod sums;
mod transactions;

use rashomon_core::{History, Seed, Value};

pub use lists::ListClients;
pub use plant::Plant;
pub use stream::Stream;
pub use subject::Subject;

use kv::Kv;
use queues::{Order, Waiting};
use registers::{CasRegister, UniqueRegister};
use sets::ElementSet;
use stream::Object;

/// Clients of one object, always busy.
#[derive(Clone, Copy, Debug)]
pub struct Clients {
    /// How many operations they do.
    pub operations: u64,
    /// How many are at it at once.
    pub clients: u64,
    /// How many in a thousand operations never return.
    pub open_per_mille: u64,
    /// Whether one read, at 95% of the length, answers with a value long replaced; or one dequeue with one that came out
    /// before.
    pub stale: bool,
    /// What decides everything else.
    pub seed: Seed,
}

/// A stream of small numbers, one split of the seed each.
#[derive(Clone, Copy, Debug)]
struct Draws {
    seed: Seed,
    drawn: u64,
}

impl Draws {
    fn new(seed: Seed) -> Draws {
        Draws { seed, drawn: 0 }
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.drawn += 1;
        self.seed.split_number(self.drawn).0 % bound
    }
}

impl Clients {
    /// Half reads and half writes of unique values, of a register that is `null` at first.
    pub fn unique_register(self) -> History {
        self.run(UniqueRegister::new(self.clients), Plant::StaleRead)
    }

    /// Reads, writes and cas of few values: `values` of them, so that many operations write the same.
    pub fn cas_register(self, values: u64) -> History {
        self.run(CasRegister { value: Value::Null, values }, Plant::StaleRead)
    }

    /// Gets, puts and appends of strings under some keys; a put in each twenty operations, and gets and appends in
    /// equal shares.
    pub fn kv(self, keys: u64) -> History {
        self.run(Kv { values: vec![String::new(); keys as usize], written: 0 }, Plant::StaleRead)
    }

    /// Half enqueues of unique values and half dequeues, of a first-in first-out queue.
    pub fn unique_queue(self) -> History {
        self.run(Waiting::new(Order::First, &self), Plant::Duplicate)
    }

    /// Half pushes of unique values and half pops, of a stack.
    pub fn unique_stack(self) -> History {
        self.run(Waiting::new(Order::Last, &self), Plant::Reordered)
    }

    /// Half inserts of unique values in no order and half polls, of a priority queue.
    pub fn unique_priority_queue(self) -> History {
        self.run(Waiting::new(Order::Greatest, &self), Plant::Reordered)
    }

    /// Adds, removes and questions in equal shares, about `elements` elements of a set.
    pub fn element_set(self, elements: u64) -> History {
        self.run(ElementSet::new(elements), Plant::StaleRead)
    }

    fn run(self, object: impl Object + 'static, lie: Plant) -> History {
        let ops = Stream::new(self, self.stale.then_some(lie), Box::new(object)).collect();
        History::new(ops).expect("each client does one operation at a time")
    }
}
