//! Few transactions over registers that no order explains, found by trying all orders of them.

use rustc_hash::FxHashSet;

use super::accesses::{Read, Source};
use super::dependencies::Observed;
use crate::isolation::level::Order;

/// No more than so many transactions are tried.
const MOST: usize = 48;

/// The steps for the first question, and for all others together.
const STEPS: u32 = 1 << 18;
const STEPS_TO_SHRINK: u32 = 1 << 20;

/// Transactions that no order explains.
pub(super) struct Core {
    pub(super) transactions: Vec<u32>,
    /// Whether there is an order of any fewer of them.
    pub(super) is_minimal: bool,
}

/// Some of these transactions, of which no order explains what they read. Nothing, when there is an order of all, or that
/// is not found out.
///
/// What somebody read whose writer is not among them counts for nothing. So what is impossible for some is for all.
pub(super) fn core(observed: &Observed<'_>, order: Order, shown: &[u32]) -> Option<Core> {
    let explains = |list: &[u32], steps: &mut u32| Trial::new(observed, order, list).explains(steps);
    if shown.len() > MOST || explains(shown, &mut { STEPS })? {
        return None;
    }
    let mut core = Core { transactions: shown.to_vec(), is_minimal: true };
    let mut steps = STEPS_TO_SHRINK;
    for transaction in shown.iter().rev() {
        let fewer: Vec<u32> =
            core.transactions.iter().copied().filter(|other| other != transaction).collect();
        match explains(&fewer, &mut steps) {
            Some(true) => {}
            Some(false) => core.transactions = fewer,
            None => core.is_minimal = false,
        }
    }
    Some(core)
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
        }
    }

    /// Whether some order explains all; nothing when that takes more steps than there are.
    fn explains(mut self, steps: &mut u32) -> Option<bool> {
        let mut registers = std::mem::take(&mut self.registers);
        self.go_on(0, &mut registers, steps)
    }

    fn go_on(&mut self, done: u64, registers: &mut Vec<u32>, steps: &mut u32) -> Option<bool> {
        if done.count_ones() as usize == self.steps.len() {
            return Some(true);
        }
        if self.dead.contains(&(done, registers.clone())) {
            return Some(false);
        }
        *steps = steps.checked_sub(1)?;
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
            let found = self.go_on(done | 1 << place, registers, steps)?;
            *registers = before;
            if found {
                return Some(true);
            }
        }
        self.dead.insert((done, registers.clone()));
        Some(false)
    }
}

#[cfg(test)]
mod tests {
    use rashomon_core::Kind;

    use super::super::accesses::Registers;
    use super::super::dependencies::Observed;
    use super::core;
    use crate::isolation::level::Order;
    use crate::isolation::micro_ops::{Argument, Gathered, MicroOp, Verb};
    use crate::isolation::transactions::Transactions;

    #[test]
    fn who_only_stands_by_is_left_out() {
        let value = Argument::Value;
        let write = |key, number| MicroOp { verb: Verb::Write, key, argument: value(number) };
        let read = |key, number| MicroOp { verb: Verb::Read, key, argument: value(number) };
        // A long fork, and two others, all at once.
        let done = [
            vec![write(2, 1)],
            vec![write(0, 1), write(1, 1)],
            vec![write(0, 2)],
            vec![read(2, 1), read(0, 1)],
            vec![write(1, 2)],
            vec![read(0, 2), read(1, 1)],
            vec![read(0, 1), read(1, 2)],
        ];
        let (mut transactions, mut registers) = (Transactions::new(true), Registers::default());
        for (process, kind) in
            [Kind::Invoke, Kind::Ok].into_iter().flat_map(|kind| (0..7).map(move |one| (one, kind)))
        {
            let mut gathered = Gathered { list: done[process as usize].clone(), ..Gathered::default() };
            for one in gathered.list.iter_mut().filter(|one| one.verb == Verb::Read && kind == Kind::Invoke) {
                one.argument = Argument::Nothing;
            }
            let micro_ops = gathered.between(0, gathered.list.len());
            if kind == Kind::Invoke {
                let number = transactions.invoke(process, "txn", process, micro_ops).unwrap();
                registers.begin(number, micro_ops.list).unwrap();
            } else {
                let number = transactions.complete(process, "txn", kind, 7 + process, micro_ops).unwrap();
                registers.end(number, micro_ops.list);
            }
        }
        let registers = registers.settled();
        let observed = Observed::new(&registers, &transactions);
        let few = core(&observed, Order::Plain, &[0, 1, 2, 3, 4, 5, 6]).unwrap();
        assert_eq!((few.transactions, few.is_minimal), (vec![1, 2, 4, 5, 6], true));
        assert!(core(&observed, Order::Plain, &[0, 1, 2, 4, 5]).is_none(), "these have an order");
    }
}
