//! Whether what processes send and poll goes forward, and what they pass over.

use std::collections::{BTreeMap, BTreeSet};

use rashomon_core::{Kind, Process};

use super::logs::{Logs, tell};
use super::transactions::{Message, Step, Transaction, Transactions};
use crate::Budget;
use crate::accusations::Accusations;
use crate::models::Datum;

/// What a process has done with a log.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// The offset it came to, and the transaction that did; nothing, where it is to begin at the beginning.
    polled: Option<(u64, usize)>,
}

/// A process as a consumer and as a producer.
#[derive(Debug, Default)]
struct Client {
    /// The logs of which it is known where it stands.
    places: BTreeMap<Datum, Place>,
    sent: BTreeMap<Datum, (u64, usize)>,
    /// Whether keys are given to it by its group.
    as_group: bool,
}

/// The offsets of a transaction on each key, in order.
fn offsets(messages: &[Message]) -> BTreeMap<Datum, Vec<u64>> {
    let mut offsets: BTreeMap<Datum, Vec<u64>> = BTreeMap::new();
    for message in messages {
        if let Some(offset) = message.offset {
            offsets.entry(message.key).or_default().push(offset);
        }
    }
    offsets
}

/// Accuses processes that do not go forward, or not step by step. Answers which offsets a consumer passed over.
pub(super) fn accuse(
    transactions: &Transactions<'_>,
    logs: &Logs,
    accusations: &mut Accusations,
    budget: &Budget<'_>,
) -> Result<BTreeSet<(Datum, u64)>, String> {
    let mut watch = Watch { transactions, logs, accusations, passed: BTreeSet::new() };
    let mut clients: BTreeMap<Process, Client> = BTreeMap::new();
    for (step, place) in transactions.steps.iter().zip(0..) {
        budget.spend(place, 0)?;
        match step {
            Step::Assign { process, keys, to_the_beginning, as_group } => {
                let client = clients.entry(*process).or_default();
                client.as_group = *as_group;
                client.places.retain(|key, _| keys.contains(key));
                client.sent.retain(|key, _| keys.contains(key));
                if *to_the_beginning {
                    client.places = keys.iter().map(|key| (*key, Place::default())).collect();
                }
            }
            Step::Transaction(number) => {
                let transaction = &transactions.list[*number];
                watch.inside(*number, transaction);
                watch.next(*number, transaction, clients.entry(transaction.process).or_default());
            }
        }
    }
    Ok(watch.passed)
}

/// Who looks on.
struct Watch<'a, 'h> {
    transactions: &'a Transactions<'h>,
    logs: &'a Logs,
    accusations: &'a mut Accusations,
    passed: BTreeSet<(Datum, u64)>,
}

impl Watch<'_, '_> {
    /// One transaction by itself.
    fn inside(&mut self, number: usize, transaction: &Transaction<'_>) {
        let (transactions, index) = (self.transactions, transaction.pair.invoke.index);
        for (key, offsets) in offsets(&transaction.polls) {
            if transaction.rebalanced.contains(&key) {
                continue;
            }
            for pair in offsets.windows(2) {
                if pair[1] <= pair[0] {
                    self.accusations.add("int-nonmonotonic-poll", || {
                        let because = format!(
                            "the poll of op {index} shows the offset {} of {} after {}",
                            pair[1],
                            transactions.name(key),
                            pair[0]
                        );
                        tell(transactions, "int-nonmonotonic-poll", key, because, [number])
                    });
                } else if let Some(skipped) = self.logs.between(key, Some(pair[0]), pair[1]) {
                    self.skip("int-poll-skip", key, skipped, [number, number], (Some(pair[0]), pair[1]));
                }
            }
        }
        for (key, offsets) in offsets(&transaction.sends) {
            if let Some([from, to]) = offsets.windows(2).find(|pair| pair[1] <= pair[0]) {
                self.accusations.add("int-nonmonotonic-send", || {
                    let name = transactions.name(key);
                    let because =
                        format!("op {index} sent to {name} and was given the offset {to} after {from}");
                    tell(transactions, "int-nonmonotonic-send", key, because, [number])
                });
            }
        }
    }

    /// A message that is there and was passed over on the way from one offset to another.
    fn skip(
        &mut self,
        name: &'static str,
        key: Datum,
        skipped: (u64, Datum, usize),
        polls: [usize; 2],
        (from, to): (Option<u64>, u64),
    ) {
        let (transactions, logs) = (self.transactions, self.logs);
        let (offset, value, shown) = skipped;
        let mut next = Some(skipped);
        while let Some((passed, _, _)) = next {
            self.passed.insert((key, passed));
            next = logs.between(key, Some(passed), to);
        }
        self.accusations.add(name, || {
            let from = from.map_or("the beginning".to_owned(), |from| format!("the offset {from}"));
            let index = |number: usize| transactions.list[number].pair.invoke.index;
            let because = format!(
                "the poll of op {} comes from {from} of {} to {to} and does not show {}, which stands at {offset} (op {})",
                index(polls[1]),
                transactions.name(key),
                transactions.value(value),
                index(shown)
            );
            tell(transactions, name, key, because, [polls[0], polls[1], shown])
        });
    }

    /// What a transaction does after what its process did before.
    fn next(&mut self, number: usize, transaction: &Transaction<'_>, client: &mut Client) {
        let transactions = self.transactions;
        let index = |number: usize| transactions.list[number].pair.invoke.index;
        // A consumer goes on from the last transaction that succeeded.
        if transaction.outcome == Kind::Ok {
            for (key, offsets) in offsets(&transaction.polls) {
                let (Some(first), Some(last)) = (offsets.first(), offsets.last()) else { continue };
                let held = !client.as_group && !transaction.rebalanced.contains(&key);
                if let Some(place) = client.places.get(&key).filter(|_| held) {
                    let from = place.polled.map(|(offset, _)| offset);
                    let before = place.polled.map_or(number, |(_, before)| before);
                    if from.is_some_and(|from| *first <= from) {
                        self.accusations.add("nonmonotonic-poll", || {
                            let name = transactions.name(key);
                            let because = format!(
                                "op {} polled {name} up to the offset {}, and op {}, the next of that process, begins at \
                                 {first}",
                                index(before),
                                from.unwrap_or_default(),
                                index(number)
                            );
                            tell(transactions, "nonmonotonic-poll", key, because, [before, number])
                        });
                    } else if let Some(skipped) = self.logs.between(key, from, *first) {
                        self.skip("poll-skip", key, skipped, [before, number], (from, *first));
                    }
                }
                client.places.insert(key, Place { polled: Some((*last, number)) });
            }
        }
        if transaction.outcome != Kind::Fail {
            for (key, offsets) in offsets(&transaction.sends) {
                let (Some(first), Some(last)) = (offsets.first(), offsets.last()) else { continue };
                if let Some((from, before)) = client.sent.insert(key, (*last, number))
                    && *first <= from
                {
                    self.accusations.add("nonmonotonic-send", || {
                        let because = format!(
                            "op {} sent to {} and was given the offset {from}, and op {}, a later one of that process, \
                             {first}",
                            index(before),
                            transactions.name(key),
                            index(number)
                        );
                        tell(transactions, "nonmonotonic-send", key, because, [before, number])
                    });
                }
            }
        }
    }
}
