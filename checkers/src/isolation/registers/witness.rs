//! Whether an order of transactions explains what they read: told from the order alone, and not from how it was found.

use super::dependencies::Observed;
use crate::isolation::level::Order;

/// Whether these are all transactions that happened, each once, in an order that keeps to this one; and whether, done so,
/// each reads what the registers hold.
pub(super) fn explains(observed: &Observed<'_>, order: Order, witness: &[u32]) -> bool {
    is_complete(observed, witness) && keeps_to(observed, order, witness) && reads_right(observed, witness)
}

fn is_complete(observed: &Observed<'_>, witness: &[u32]) -> bool {
    let mut missing = observed.happened.clone();
    let once = witness.iter().all(|number| std::mem::take(&mut missing[*number as usize]));
    once && !missing.contains(&true)
}

fn keeps_to(observed: &Observed<'_>, order: Order, witness: &[u32]) -> bool {
    let transactions = observed.transactions;
    match order {
        Order::Plain => true,
        Order::Session => {
            let earlier = transactions.earlier();
            let mut done = vec![false; transactions.len()];
            witness.iter().all(|number| {
                done[*number as usize] = true;
                earlier[*number as usize].is_none_or(|before| done[before as usize])
            })
        }
        Order::RealTime => {
            // The first to end of those that come later.
            let mut end = u32::MAX;
            witness.iter().rev().all(|number| {
                let in_time = transactions.invoke_of(*number) < end;
                end = end.min(transactions.success_of(*number).unwrap_or(u32::MAX));
                in_time
            })
        }
    }
}

fn reads_right(observed: &Observed<'_>, witness: &[u32]) -> bool {
    let registers = observed.registers;
    let mut values: Vec<Option<u32>> = vec![None; registers.keys()];
    witness.iter().all(|number| {
        let right =
            registers.reads_of(*number).all(|read| values[read.key as usize] == registers.value(read));
        for write in registers.writes_of(*number) {
            values[write.key as usize] = Some(write.value);
        }
        right
    })
}

#[cfg(test)]
mod tests {
    use rashomon_core::Kind;

    use super::super::accesses::Registers;
    use super::super::dependencies::Observed;
    use super::explains;
    use crate::isolation::level::Order;
    use crate::isolation::micro_ops::{Argument, Gathered, MicroOp, Verb};
    use crate::isolation::transactions::Transactions;

    /// While one reads what the first wrote, this process writes again after the first has ended.
    fn check(process: u64, told: impl Fn(&Observed<'_>)) {
        let write = |value| MicroOp { verb: Verb::Write, key: 0, argument: Argument::Value(value) };
        let read = |argument| MicroOp { verb: Verb::Read, key: 0, argument };
        let events = [
            (1, Kind::Invoke, read(Argument::Nothing)),
            (0, Kind::Invoke, write(1)),
            (0, Kind::Ok, write(1)),
            (process, Kind::Invoke, write(2)),
            (process, Kind::Ok, write(2)),
            (1, Kind::Ok, read(Argument::Value(1))),
        ];
        let (mut transactions, mut registers) = (Transactions::new(true), Registers::default());
        for (index, (process, kind, micro_op)) in (0..).zip(events) {
            let mut gathered = Gathered::default();
            gathered.list.push(micro_op);
            let micro_ops = gathered.between(0, 1);
            if kind == Kind::Invoke {
                let number = transactions.invoke(process, "txn", index, micro_ops).unwrap();
                registers.begin(number, micro_ops.list).unwrap();
            } else {
                let number = transactions.complete(process, "txn", kind, index, micro_ops).unwrap();
                registers.end(number, micro_ops.list);
            }
        }
        let registers = registers.settled();
        told(&Observed::new(&registers, &transactions));
    }

    #[test]
    fn all_must_be_there_once_and_read_right() {
        check(0, |observed| {
            for order in Order::ALL {
                assert!(explains(observed, order, &[1, 0, 2]));
                for wrong in [&[1, 2, 0][..], &[0, 1, 2], &[1, 0], &[1, 0, 0, 2]] {
                    assert!(!explains(observed, order, wrong), "{order:?}: {wrong:?}");
                }
            }
        });
    }

    #[test]
    fn only_what_keeps_to_the_order_counts() {
        for (process, orders) in [(0, &[Order::Plain][..]), (2, &[Order::Plain, Order::Session])] {
            check(process, |observed| {
                for order in Order::ALL {
                    assert_eq!(explains(observed, order, &[2, 1, 0]), orders.contains(&order), "{order:?}");
                }
            });
        }
    }
}
