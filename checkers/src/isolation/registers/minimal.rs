//! Few transactions over registers that no order explains, found by trying all orders of them.

use rustc_hash::FxHashSet;

use super::accesses::{Read, Source};
use super::dependencies::Observed;
use crate::isolation::level::Order;

/// No more than so many transactions are tried.
const MOST: usize = 48;

/// The steps for each question.
const STEPS: u32 = 1 << 18;

/// Some of these transactions, of which no order explains what they read; of any fewer of them there is one. Nothing, when
/// there is an order of all, or that is not found out.
///
/// What somebody read whose writer is not among them counts for nothing. So what is impossible for some is for all.
pub(super) fn core(observed: &Observed<'_>, order: Order, shown: &[u32]) -> Option<Vec<u32>> {
    let mut list: Vec<u32> = shown.to_vec();
    if list.len() > MOST || Trial::new(observed, order, &list).explains() != Some(false) {
        return None;
    }
    for transaction in shown.iter().rev() {
        let fewer: Vec<u32> = list.iter().copied().filter(|other| other != transaction).collect();
        if Trial::new(observed, order, &fewer).explains() == Some(false) {
            list = fewer;
        }
    }
    Some(list)
}

/// What one of the transactions must find, and what it leaves.
struct Step {
    /// Those who must come before, by their bits.
    after: u64,
    /// Places of registers, and what they are to hold.
    reads: Vec<(usize, u32)>,
    writes: Vec<(usize, u32)>,
}

/// The transactions, whose registers are numbered anew.
struct Trial {
    steps: Vec<Step>,
    registers: Vec<u32>,
    /// States that lead nowhere: who was done, and what the registers held then.
    dead: FxHashSet<(u64, Vec<u32>)>,
    left: u32,
}

impl Trial {
    fn new(observed: &Observed<'_>, order: Order, list: &[u32]) -> Trial {
        let Observed { registers, transactions, .. } = observed;
        let mut keys: Vec<u32> = list
            .iter()
            .flat_map(|number| registers.writes_of(*number).iter().map(|write| write.key))
            .collect();
        keys.sort_unstable();
        keys.dedup();
        let place = |key: u32| keys.binary_search(&key).ok();
        let matters = |read: &Read| match read.source {
            Source::Nothing => true,
            Source::Write(_) | Source::Nobody(_) => {
                registers.writer(*read).is_some_and(|writer| list.contains(&writer))
            }
        };
        let before = |one: u32, two: u32| {
            let ended = transactions.success_of(one).is_some_and(|end| end < transactions.invoke_of(two));
            ended
                && match order {
                    Order::Plain => false,
                    Order::Session => transactions.get(one).process == transactions.get(two).process,
                    Order::RealTime => true,
                }
        };
        let step = |number: &u32| Step {
            after: (0..)
                .zip(list)
                .fold(0, |after, (bit, other)| after | u64::from(before(*other, *number)) << bit),
            reads: registers
                .reads_of(*number)
                .filter(matters)
                .filter_map(|read| Some((place(read.key)?, registers.version(read)?)))
                .collect(),
            writes: registers
                .last_writes_of(*number)
                .filter_map(|(version, write)| Some((place(write.key)?, version)))
                .collect(),
        };
        Trial {
            steps: list.iter().map(step).collect(),
            registers: keys.iter().map(|key| registers.nothing(*key)).collect(),
            dead: FxHashSet::default(),
            left: STEPS,
        }
    }

    /// Whether some order explains all; nothing when that takes too long.
    fn explains(mut self) -> Option<bool> {
        let mut registers = std::mem::take(&mut self.registers);
        self.go_on(0, &mut registers)
    }

    fn go_on(&mut self, done: u64, registers: &mut Vec<u32>) -> Option<bool> {
        if done.count_ones() as usize == self.steps.len() {
            return Some(true);
        }
        if self.dead.contains(&(done, registers.clone())) {
            return Some(false);
        }
        self.left = self.left.checked_sub(1)?;
        for place in 0..self.steps.len() {
            let step = &self.steps[place];
            let fits = step.reads.iter().all(|(register, version)| registers[*register] == *version);
            if done >> place & 1 == 1 || step.after & !done != 0 || !fits {
                continue;
            }
            let before = registers.clone();
            for (register, version) in &step.writes {
                registers[*register] = *version;
            }
            let found = self.go_on(done | 1 << place, registers)?;
            *registers = before;
            if found {
                return Some(true);
            }
        }
        self.dead.insert((done, registers.clone()));
        Some(false)
    }
}
