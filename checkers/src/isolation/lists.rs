//! Lists that transactions append to: what was appended and read, in compact arrays.

use rashomon_core::{Kind, Value};
use rustc_hash::FxHashMap;

use super::transactions::{Verb, micro_op};
use crate::models::{Datum, Values};

/// One element appended by one transaction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Append {
    pub(super) transaction: u32,
    pub(super) key: u32,
    pub(super) element: u32,
}

/// A read of a prefix of its key's order: only its length is kept. A transaction's own appends at its end do not count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Read {
    pub(super) transaction: u32,
    pub(super) key: u32,
    pub(super) length: u32,
}

/// A read that does not agree with its key's order.
#[derive(Clone, Debug)]
pub(super) struct Stray {
    pub(super) transaction: u32,
    pub(super) key: u32,
    /// All that was read.
    pub(super) list: Vec<u32>,
    /// How much of it others wrote.
    pub(super) length: u32,
    /// The element that is there twice, if this is why.
    pub(super) twice: Option<u32>,
    /// The transaction whose read it contradicts, when the order was as it was then.
    pub(super) against: Option<u32>,
}

/// A transaction that contradicts itself.
#[derive(Clone, Debug)]
pub(super) struct Contradiction {
    pub(super) transaction: u32,
    pub(super) key: u32,
    pub(super) kind: ContradictionKind,
    pub(super) because: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ContradictionKind {
    /// A read differs from what the transaction itself read or appended before.
    Internal,
    /// A read shows what the transaction appends only later.
    Future,
}

/// The order of a key's elements, as the longest read shows it.
#[derive(Clone, Debug, Default)]
pub(super) struct Chain {
    pub(super) elements: Vec<u32>,
    /// Who read the whole of it first.
    pub(super) shown: Option<u32>,
}

/// An element's place in its key's order, and its append.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Element {
    pub(super) place: Option<u32>,
    pub(super) append: Option<u32>,
}

/// All lists of a history.
#[derive(Debug, Default)]
pub(super) struct Lists {
    keys: Values,
    values: Values,
    pub(super) appends: Vec<Append>,
    pub(super) reads: Vec<Read>,
    pub(super) strays: Vec<Stray>,
    pub(super) contradictions: Vec<Contradiction>,
    pub(super) chains: Vec<Chain>,
    pub(super) elements: FxHashMap<(u32, u32), Element>,
    /// For each transaction, where its appends and its reads stand.
    spans: Vec<[u32; 4]>,
    /// How many reads there were.
    pub(super) read: usize,
}

/// What a transaction knows of one key while one goes through it.
#[derive(Debug)]
struct Known {
    key: u32,
    /// All of the list, after a read.
    list: Option<Vec<u32>>,
    /// What it appended itself since its first read, or since it began.
    own: Vec<u32>,
}

impl Lists {
    /// Takes the micro-ops of one transaction, which counts even when it failed: its values must not be read.
    pub(super) fn take(
        &mut self,
        transaction: u32,
        outcome: Kind,
        micro_ops: &[Value],
    ) -> Result<(), String> {
        let first = self.appends.len() as u32;
        let mut parsed = Vec::with_capacity(micro_ops.len());
        for value in micro_ops {
            let (verb, key, argument) = micro_op(value)?;
            let key = self.keys.intern(key).number();
            if key as usize >= self.chains.len() {
                self.chains.resize_with(key as usize + 1, Chain::default);
            }
            match verb {
                Verb::Append => {
                    let element = self.values.intern(argument).number();
                    let number = self.appends.len() as u32;
                    let entry = self.elements.entry((key, element)).or_default();
                    if entry.append.is_some() {
                        let (key, element) = (self.key(key), self.value(element));
                        return Err(format!(
                            "{element} is appended to key {key} a second time: values must differ"
                        ));
                    }
                    entry.append = Some(number);
                    self.appends.push(Append { transaction, key, element });
                    parsed.push((key, Some(element), argument));
                }
                Verb::Read => parsed.push((key, None, argument)),
                Verb::Write => return Err(format!("{value}: a list takes append and r, not w")),
            }
        }
        let reads = self.reads.len() as u32;
        if outcome == Kind::Ok {
            self.observe(transaction, &parsed)?;
        }
        if self.spans.len() <= transaction as usize {
            self.spans.resize(transaction as usize + 1, [0; 4]);
        }
        self.spans[transaction as usize] = [first, self.appends.len() as u32, reads, self.reads.len() as u32];
        Ok(())
    }

    /// Goes through a transaction as it happened.
    fn observe(&mut self, transaction: u32, micro_ops: &[(u32, Option<u32>, &Value)]) -> Result<(), String> {
        let mut known: Vec<Known> = Vec::new();
        let mut list: Vec<u32> = Vec::new();
        for (place, (key, element, argument)) in micro_ops.iter().enumerate() {
            let at = known.iter().position(|known| known.key == *key).unwrap_or_else(|| {
                known.push(Known { key: *key, list: None, own: Vec::new() });
                known.len() - 1
            });
            let known = &mut known[at];
            if let Some(element) = element {
                known.own.push(*element);
                if let Some(list) = &mut known.list {
                    list.push(*element);
                }
                continue;
            }
            self.read += 1;
            list.clear();
            match argument {
                Value::Null => {}
                Value::Array(values) => {
                    list.extend(values.iter().map(|value| self.values.intern(value).number()));
                }
                other => return Err(format!("a read of a list shows a list, not {other}")),
            }
            let later = &micro_ops[place + 1..];
            let future = later
                .iter()
                .filter_map(|(other, element, _)| element.filter(|_| other == key))
                .find(|element| list.contains(element));
            if let Some(element) = future {
                let because = format!(
                    "it read {} from key {} before it appended it",
                    self.value(element),
                    self.key(*key)
                );
                let kind = ContradictionKind::Future;
                self.contradictions.push(Contradiction { transaction, key: *key, kind, because });
            }
            let expected = known.list.as_ref().map_or_else(|| list.ends_with(&known.own), |all| *all == list);
            let first = known.list.is_none();
            let others = if expected { list.len() - known.own.len() } else { list.len() };
            if !expected {
                let because = format!(
                    "it read {} from key {} after it had {}",
                    self.show(&list),
                    self.key(*key),
                    known.list.as_ref().map_or_else(
                        || format!("appended {}", self.show(&known.own)),
                        |all| format!("read or made {}", self.show(all))
                    )
                );
                known.own.clear();
                let kind = ContradictionKind::Internal;
                self.contradictions.push(Contradiction { transaction, key: *key, kind, because });
            }
            let agrees = self.offer(transaction, *key, &list, others as u32);
            if agrees && (first || !expected) {
                self.reads.push(Read { transaction, key: *key, length: others as u32 });
            }
            if later.iter().any(|(other, element, _)| other == key && element.is_none()) {
                known.list = Some(list.clone());
            }
        }
        Ok(())
    }

    /// Compares a list with its key's order, which it may prolong. What disagrees is kept as it is, and never mixed in:
    /// that would invent dependencies.
    fn offer(&mut self, transaction: u32, key: u32, list: &[u32], length: u32) -> bool {
        let chain = &mut self.chains[key as usize];
        let common = chain.elements.len().min(list.len());
        let mut twice = None;
        if chain.elements[..common] == list[..common] {
            for element in &list[common..] {
                let entry = self.elements.entry((key, *element)).or_default();
                if entry.place.is_some() {
                    twice = Some(*element);
                    break;
                }
                entry.place = Some(chain.elements.len() as u32);
                chain.elements.push(*element);
                chain.shown = Some(transaction);
            }
            if twice.is_none() {
                chain.shown.get_or_insert(transaction);
                return true;
            }
        } else {
            let mut sorted = list.to_vec();
            sorted.sort_unstable();
            twice = sorted.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0]);
        }
        let against = chain.shown.filter(|_| twice.is_none());
        self.strays.push(Stray { transaction, key, list: list.to_vec(), length, twice, against });
        false
    }

    pub(super) fn appends_of(&self, transaction: u32) -> &[Append] {
        let [first, end, ..] = self.span(transaction);
        &self.appends[first as usize..end as usize]
    }

    pub(super) fn reads_of(&self, transaction: u32) -> &[Read] {
        let [.., first, end] = self.span(transaction);
        &self.reads[first as usize..end as usize]
    }

    fn span(&self, transaction: u32) -> [u32; 4] {
        self.spans.get(transaction as usize).copied().unwrap_or_default()
    }

    pub(super) fn element(&self, key: u32, element: u32) -> Element {
        self.elements.get(&(key, element)).copied().unwrap_or_default()
    }

    pub(super) fn writer(&self, key: u32, element: u32) -> Option<u32> {
        self.element(key, element).append.map(|append| self.appends[append as usize].transaction)
    }

    pub(super) fn key(&self, key: u32) -> String {
        text(&self.keys.get(Datum::from_number(key)))
    }

    pub(super) fn value(&self, element: u32) -> String {
        text(&self.values.get(Datum::from_number(element)))
    }

    pub(super) fn show(&self, list: &[u32]) -> String {
        let list: Vec<String> = list.iter().map(|element| self.value(*element)).collect();
        format!("[{}]", list.join(" "))
    }

    /// About how much memory it takes.
    pub(super) fn bytes(&self) -> usize {
        self.appends.capacity() * size_of::<Append>()
            + self.reads.capacity() * size_of::<Read>()
            + self.elements.capacity() * 20
            + self.strays.iter().map(|stray| size_of::<Stray>() + stray.list.len() * 4).sum::<usize>()
            + self.spans.capacity() * 16
    }
}

/// A key or a value as people write it.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
