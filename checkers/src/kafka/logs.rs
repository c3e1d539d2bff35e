//! What stands in each log, by what sends were told and polls showed.

use std::collections::{BTreeMap, BTreeSet};

use rashomon_core::history::Pair;
use rashomon_core::{Anomaly, Kind, Map};

use super::transactions::Transactions;
use crate::accusations::{Accusations, anomaly};
use crate::models::Datum;

/// The log of one key.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// At each offset the messages that were seen there, each with a transaction that says so.
    pub(super) entries: BTreeMap<u64, BTreeMap<Datum, usize>>,
    /// The offsets of each message.
    places: BTreeMap<Datum, BTreeSet<u64>>,
}

/// Who sent and polled a message.
#[derive(Debug, Default)]
pub(super) struct Traces {
    pub(super) writer: Option<usize>,
    pub(super) readers: Vec<usize>,
}

/// All logs of a history.
#[derive(Debug, Default)]
pub(super) struct Logs {
    by_key: BTreeMap<Datum, Log>,
    pub(super) messages: BTreeMap<(Datum, Datum), Traces>,
    /// For each transaction whether its sends are known to have happened.
    committed: Vec<bool>,
}

/// An anomaly of the log of a key.
pub(super) fn tell(
    transactions: &Transactions<'_>,
    name: &str,
    key: Datum,
    because: String,
    numbers: impl IntoIterator<Item = usize>,
) -> Anomaly {
    let ops: Vec<Pair<'_>> = numbers.into_iter().map(|number| transactions.list[number].pair).collect();
    let mut anomaly = anomaly(name, because, ops, Map::default());
    anomaly.key = Some(transactions.name(key));
    anomaly
}

impl Logs {
    /// The logs that these transactions show. The error says what cannot be understood.
    pub(super) fn of(transactions: &Transactions<'_>) -> Result<Logs, String> {
        let mut logs = Logs::default();
        for (number, transaction) in transactions.list.iter().enumerate() {
            for sent in &transaction.sends {
                let traces = logs.messages.entry((sent.key, sent.value)).or_default();
                let before = traces.writer.map(|writer| &transactions.list[writer]);
                match before {
                    Some(before) if before.outcome != Kind::Fail && transaction.outcome != Kind::Fail => {
                        let (one, two) = (before.pair.invoke.index, transaction.pair.invoke.index);
                        let (key, value) = (transactions.name(sent.key), transactions.value(sent.value));
                        return Err(format!(
                            "op {two}: the message {value} was sent to {key} before, in op {one}"
                        ));
                    }
                    Some(before) if before.outcome != Kind::Fail => {}
                    _ => traces.writer = Some(number),
                }
            }
            for polled in &transaction.polls {
                logs.messages.entry((polled.key, polled.value)).or_default().readers.push(number);
            }
        }
        let seen = |key: Datum, value: Datum| {
            let readers = logs.messages.get(&(key, value)).map(|traces| &traces.readers);
            readers.into_iter().flatten().any(|reader| transactions.list[*reader].outcome == Kind::Ok)
        };
        logs.committed = transactions
            .list
            .iter()
            .map(|transaction| match transaction.outcome {
                Kind::Ok => true,
                Kind::Info | Kind::Invoke => transaction.sends.iter().any(|sent| seen(sent.key, sent.value)),
                Kind::Fail => false,
            })
            .collect();
        for (number, transaction) in transactions.list.iter().enumerate() {
            let sends = transaction.sends.iter().filter(|_| logs.committed[number]);
            for message in sends.chain(&transaction.polls) {
                let Some(offset) = message.offset else { continue };
                let log = logs.by_key.entry(message.key).or_default();
                log.entries.entry(offset).or_default().entry(message.value).or_insert(number);
                log.places.entry(message.value).or_default().insert(offset);
            }
        }
        Ok(logs)
    }

    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    /// The first message between two offsets, neither included.
    pub(super) fn between(&self, key: Datum, from: Option<u64>, to: u64) -> Option<(u64, Datum, usize)> {
        let start = from.map_or(0, |from| from.saturating_add(1));
        if start >= to {
            return None;
        }
        let (offset, messages) = self.by_key.get(&key)?.entries.range(start..to).next()?;
        messages.iter().next().map(|(value, number)| (*offset, *value, *number))
    }

    /// Accuses of what single messages show.
    pub(super) fn accuse(&self, transactions: &Transactions<'_>, accusations: &mut Accusations) {
        let index = |number: usize| transactions.list[number].pair.invoke.index;
        for (key, log) in &self.by_key {
            let name = || transactions.name(*key);
            for (offset, messages) in &log.entries {
                let mut seen = messages.iter().map(|(value, number)| (transactions.value(*value), *number));
                let (Some(one), Some(two)) = (seen.next(), seen.next()) else { continue };
                accusations.add("inconsistent-offsets", || {
                    let because = format!(
                        "{} and {} both stand at the offset {offset} of {} (ops {} and {})",
                        one.0,
                        two.0,
                        name(),
                        index(one.1),
                        index(two.1)
                    );
                    tell(transactions, "inconsistent-offsets", *key, because, [one.1, two.1])
                });
            }
            for (value, offsets) in log.places.iter().filter(|(_, offsets)| offsets.len() > 1) {
                accusations.add("duplicate", || {
                    let at =
                        |offset: &u64| log.entries.get(offset).and_then(|entry| entry.get(value)).copied();
                    let numbers: Vec<usize> = offsets.iter().take(2).filter_map(at).collect();
                    let value = transactions.value(*value);
                    let because =
                        format!("{value} stands at the offsets {offsets:?} of {}, and was sent once", name());
                    tell(transactions, "duplicate", *key, because, numbers)
                });
            }
        }
        for ((key, value), traces) in &self.messages {
            for reader in &traces.readers {
                let poll = |how: &str| {
                    let (value, key) = (transactions.value(*value), transactions.name(*key));
                    format!("a poll (op {}) showed {value} in {key}, {how}", index(*reader))
                };
                match traces.writer {
                    None => accusations.add("garbage-read", || {
                        tell(transactions, "garbage-read", *key, poll("but nobody ever sent it"), [*reader])
                    }),
                    Some(writer) if writer == *reader => accusations.add("precommitted-read", || {
                        let because = poll("which its own transaction had sent and not yet committed");
                        tell(transactions, "precommitted-read", *key, because, [writer])
                    }),
                    Some(writer)
                        if transactions.list[writer].outcome == Kind::Fail
                            && transactions.list[*reader].outcome == Kind::Ok =>
                    {
                        accusations.add("G1a", || {
                            let because = poll(&format!("but whoever sent it (op {}) failed", index(writer)));
                            tell(transactions, "G1a", *key, because, [writer, *reader])
                        });
                    }
                    Some(_) => {}
                }
            }
        }
    }

    /// Accuses of messages that nobody polled though somebody polled a later one; answers how many of these may have been
    /// taken unseen. `passed` are the offsets that a consumer passed over.
    pub(super) fn accuse_losses(
        &self,
        transactions: &Transactions<'_>,
        passed: &BTreeSet<(Datum, u64)>,
        accusations: &mut Accusations,
    ) -> usize {
        let blind = transactions.list.iter().any(|transaction| transaction.blind);
        let mut perhaps = 0;
        for (key, log) in &self.by_key {
            // The furthest that anybody read, and who: of a message that stands twice the first place counts.
            let first = |value: &Datum| log.places.get(value).and_then(BTreeSet::first).copied();
            let read =
                self.messages.range((*key, Datum::from_number(0))..=(*key, Datum::from_number(u32::MAX)));
            let ok = |number: &&usize| transactions.list[**number].outcome == Kind::Ok;
            let furthest = read
                .filter_map(|((_, value), traces)| Some((first(value)?, *traces.readers.iter().find(ok)?)))
                .max_by_key(|(offset, _)| *offset);
            let Some((bound, reader)) = furthest else { continue };
            for (value, offsets) in &log.places {
                let Some(traces) = self.messages.get(&(*key, *value)) else { continue };
                let Some(writer) = traces.writer.filter(|writer| self.committed[*writer]) else { continue };
                let Some(last) = offsets.last().filter(|last| **last < bound) else { continue };
                if !traces.readers.is_empty() {
                    continue;
                }
                if blind && !offsets.iter().any(|offset| passed.contains(&(*key, *offset))) {
                    perhaps += 1;
                    continue;
                }
                accusations.add("lost-write", || {
                    let index = |number: usize| transactions.list[number].pair.invoke.index;
                    let because = format!(
                        "{} was sent to {} (op {}) and stands at the offset {last}, a poll (op {}) came as far as \
                         {bound}, and nobody ever polled it",
                        transactions.value(*value),
                        transactions.name(*key),
                        index(writer),
                        index(reader)
                    );
                    tell(transactions, "lost-write", *key, because, [writer, reader])
                });
            }
        }
        perhaps
    }

    /// The acknowledged messages that nobody polled, those aside that are lost.
    pub(super) fn unseen(&self, transactions: &Transactions<'_>) -> usize {
        let acknowledged = |traces: &&Traces| {
            traces.writer.is_some_and(|writer| transactions.list[writer].outcome == Kind::Ok)
        };
        self.messages.values().filter(acknowledged).filter(|traces| traces.readers.is_empty()).count()
    }
}
