//! What the history says of each key.

use std::collections::BTreeMap;

use rashomon_core::history::Pair;
use rashomon_core::{History, Kind, Value};

use crate::Budget;

/// One thing that was done at the resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Effect {
    pub(super) work: u64,
    pub(super) token: Option<u64>,
    /// Whether it wrote the value; otherwise it read it.
    pub(super) write: bool,
    pub(super) value: u64,
}

/// A section that was acknowledged: what its client was told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ack<'h> {
    pub(super) pair: Pair<'h>,
    pub(super) work: u64,
    pub(super) token: Option<u64>,
    pub(super) read: u64,
    pub(super) wrote: u64,
}

/// A read of the journal: how much it showed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading<'h> {
    pub(super) pair: Pair<'h>,
    pub(super) length: usize,
}

/// One lock, and what it protects.
#[derive(Debug)]
pub(super) struct Key<'h> {
    pub(super) name: Option<&'h str>,
    /// The sections that were asked for.
    pub(super) works: BTreeMap<u64, Pair<'h>>,
    pub(super) acks: Vec<Ack<'h>>,
    /// The reads of the journal, in the order in which they were invoked.
    pub(super) readings: Vec<Reading<'h>>,
    /// The longest journal that was read.
    pub(super) journal: Vec<Effect>,
    /// Which of `readings` that is.
    pub(super) longest: Option<usize>,
}

/// All keys of a history.
#[derive(Debug)]
pub(super) struct Evidence<'h> {
    pub(super) keys: Vec<Key<'h>>,
}

impl<'h> Evidence<'h> {
    /// Reads the history. The error says what cannot be understood, or that the budget is spent.
    pub(super) fn gather(history: &'h History, budget: &Budget<'_>) -> Result<Evidence<'h>, String> {
        let mut keys: BTreeMap<Option<&str>, Key<'h>> = BTreeMap::new();
        for pair in history.pairs() {
            let name = pair.invoke.key.as_deref();
            let key = keys.entry(name).or_insert_with(|| Key::new(name));
            match pair.invoke.f.as_str() {
                "work" => key.add_work(pair)?,
                "read" => key.add_reading(pair)?,
                other => return Err(format!("op {}: a lock has no operation `{other}`", pair.invoke.index)),
            }
            if pair.invoke.index.is_multiple_of(512) && (budget.expired)() {
                return Err("time budget exhausted".to_owned());
            }
        }
        let mut keys: Vec<Key<'h>> = keys.into_values().collect();
        let mut bytes = 0_usize;
        for key in &mut keys {
            key.read_longest()?;
            bytes = bytes.saturating_add(key.journal.len().saturating_mul(size_of::<Effect>()));
            if bytes > budget.bytes {
                return Err("memory budget exhausted".to_owned());
            }
        }
        Ok(Evidence { keys })
    }
}

impl<'h> Key<'h> {
    fn new(name: Option<&'h str>) -> Key<'h> {
        Key {
            name,
            works: BTreeMap::new(),
            acks: Vec::new(),
            readings: Vec::new(),
            journal: Vec::new(),
            longest: None,
        }
    }

    fn add_work(&mut self, pair: Pair<'h>) -> Result<(), String> {
        let index = pair.invoke.index;
        let work = pair.invoke.value.as_u64().ok_or_else(|| {
            format!("op {index}: work has a name that is a number, not {}", pair.invoke.value)
        })?;
        if self.works.insert(work, pair).is_some() {
            return Err(format!("op {index}: work {work} is asked for a second time"));
        }
        if let Some(answer) = pair.completion.filter(|op| op.kind == Kind::Ok) {
            let number = |field: &str| answer.value.get(field).and_then(Value::as_u64);
            let token = answer.value.get("token").unwrap_or(&Value::Null);
            let (Some(read), Some(wrote), true) =
                (number("read"), number("wrote"), token.is_null() || token.is_u64())
            else {
                let reason = "work is answered with token, read and wrote";
                return Err(format!("op {}: {reason}, not {}", answer.index, answer.value));
            };
            self.acks.push(Ack { pair, work, token: token.as_u64(), read, wrote });
        }
        Ok(())
    }

    fn add_reading(&mut self, pair: Pair<'h>) -> Result<(), String> {
        let Some(answer) = pair.completion.filter(|op| op.kind == Kind::Ok) else { return Ok(()) };
        let Value::Array(list) = &answer.value else {
            return Err(format!("op {}: a read answers with a journal, not {}", answer.index, answer.value));
        };
        let longest = self.longest.map_or(0, |longest| self.readings[longest].length);
        if self.longest.is_none() || list.len() > longest {
            self.longest = Some(self.readings.len());
        }
        self.readings.push(Reading { pair, length: list.len() });
        Ok(())
    }

    fn read_longest(&mut self) -> Result<(), String> {
        if let Some(longest) = self.longest {
            self.journal = self.readings[longest].effects().collect::<Result<_, _>>()?;
        }
        // All others are read too, where they are compared; what makes no sense in them is told here.
        self.readings.iter().try_for_each(|reading| reading.effects().try_for_each(|effect| effect.map(drop)))
    }
}

impl<'h> Reading<'h> {
    /// What it showed.
    pub(super) fn effects(&self) -> impl Iterator<Item = Result<Effect, String>> + use<'h> {
        let answer = self.pair.completion;
        let list = answer.and_then(|op| op.value.as_array()).map_or(&[][..], Vec::as_slice);
        let index = answer.map_or(0, |op| op.index);
        list.iter().map(move |value| {
            parse(value).ok_or_else(|| format!("op {index}: {value} is no effect in a journal"))
        })
    }

    pub(super) fn invoked(&self) -> u64 {
        self.pair.invoke.index
    }

    pub(super) fn completed(&self) -> u64 {
        completed(&self.pair)
    }
}

/// The index at which an op ended; later than all where it did not.
pub(super) fn completed(pair: &Pair<'_>) -> u64 {
    pair.completion.map_or(u64::MAX, |op| op.index)
}

fn parse(value: &Value) -> Option<Effect> {
    let [work, token, f, value] = value.as_array()?.as_slice() else { return None };
    let write = match f.as_str()? {
        "read" => false,
        "write" => true,
        _ => return None,
    };
    let token = if token.is_null() { None } else { Some(token.as_u64()?) };
    Some(Effect { work: work.as_u64()?, token, write, value: value.as_u64()? })
}
