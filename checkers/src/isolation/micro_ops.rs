//! The micro-ops of one transaction, in numbers.

use rashomon_core::Value;

use super::beginnings::Beginnings;
use crate::models::{Datum, Values};

/// The verb of a micro-op.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Append,
    Write,
    Read,
}

impl Verb {
    /// As it stands in a history.
    pub(super) fn name(self) -> &'static str {
        match self {
            Verb::Append => "append",
            Verb::Write => "w",
            Verb::Read => "r",
        }
    }
}

/// What a micro-op writes, or what it read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Argument {
    /// `null`.
    Nothing,
    Value(u32),
    /// The elements between two places of [`MicroOps::elements`].
    List(u32, u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MicroOp {
    pub(super) verb: Verb,
    pub(super) key: u32,
    pub(super) argument: Argument,
}

/// What micro-ops read: a whole list, or one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    Lists,
    Values,
}

/// The micro-ops of one transaction, for as long as it is looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct MicroOps<'g> {
    pub(super) list: &'g [MicroOp],
    elements: &'g [u32],
}

impl<'g> MicroOps<'g> {
    /// The list that a micro-op read.
    pub(super) fn elements(self, argument: Argument) -> &'g [u32] {
        match argument {
            Argument::List(from, to) => &self.elements[from as usize..to as usize],
            Argument::Nothing | Argument::Value(_) => &[],
        }
    }
}

/// The micro-ops of some transactions, one after another.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) list: Vec<MicroOp>,
    pub(super) elements: Vec<u32>,
}

impl Gathered {
    pub(super) fn clear(&mut self) {
        self.list.clear();
        self.elements.clear();
    }

    /// About how much memory they take.
    pub(super) fn bytes(&self) -> usize {
        self.list.capacity() * size_of::<MicroOp>() + self.elements.capacity() * 4
    }

    /// The micro-ops between two places.
    pub(super) fn between(&self, from: usize, to: usize) -> MicroOps<'_> {
        MicroOps { list: &self.list[from..to], elements: &self.elements }
    }
}

/// The keys and values of a history, each with a number: keys from 0 on, values less than 2^31.
#[derive(Debug, Default)]
pub(super) struct Names {
    keys: Values,
    /// The values that do not stand for themselves.
    others: Values,
    pub(super) beginnings: Beginnings,
}

/// Integers from 0 up to this stand for themselves; all other values have numbers from here on.
const OTHERS: u32 = 1 << 30;

impl Names {
    /// Adds the micro-ops of an event as it stands in a history. What a read was asked with says nothing.
    pub(super) fn take(
        &mut self,
        value: &Value,
        asked: bool,
        reading: Reading,
        into: &mut Gathered,
    ) -> Result<(), String> {
        let list =
            value.as_array().ok_or_else(|| format!("a transaction is a list of micro-ops, not {value}"))?;
        for value in list {
            let Some([verb, key, argument]) = value.as_array().map(Vec::as_slice) else {
                return Err(format!("{value} is no micro-op `[f, key, value]`"));
            };
            let verb = match verb.as_str() {
                Some("append") => Verb::Append,
                Some("w") => Verb::Write,
                Some("r") => Verb::Read,
                _ => return Err(format!("{verb} is none of the micro-ops append, w and r")),
            };
            check(verb, reading, value)?;
            let key = self.keys.intern(key).number();
            let argument = match (verb, argument) {
                (Verb::Write, Value::Null) => {
                    return Err(format!("{value}: null stands for nothing and is not written"));
                }
                (Verb::Append | Verb::Write, argument) => Argument::Value(self.value_number(argument)),
                (Verb::Read, _) if asked => Argument::Nothing,
                (Verb::Read, Value::Null) => Argument::Nothing,
                (Verb::Read, argument) => self.read(argument, reading, into)?,
            };
            into.list.push(MicroOp { verb, key, argument });
        }
        Ok(())
    }

    fn read(&mut self, argument: &Value, reading: Reading, into: &mut Gathered) -> Result<Argument, String> {
        match (reading, argument) {
            (Reading::Values, argument) => Ok(Argument::Value(self.value_number(argument))),
            (Reading::Lists, Value::Array(values)) => {
                let from = into.elements.len() as u32;
                into.elements.extend(values.iter().map(|value| self.value_number(value)));
                Ok(Argument::List(from, into.elements.len() as u32))
            }
            (Reading::Lists, other) => Err(format!("a read of a list shows a list, not {other}")),
        }
    }

    /// The number of a key that is an integer.
    pub(super) fn integer_key(&mut self, key: i64) -> u32 {
        self.keys.integer(key).number()
    }

    /// The number of a key that is a text.
    pub(super) fn text_key(&mut self, key: &str) -> u32 {
        self.keys.intern(&Value::String(key.to_owned())).number()
    }

    /// The number of a value that is an integer.
    pub(super) fn integer_value(&mut self, value: i64) -> u32 {
        match u32::try_from(value) {
            Ok(value) if value < OTHERS => value,
            _ => OTHERS + self.others.integer(value).number(),
        }
    }

    fn value_number(&mut self, value: &Value) -> u32 {
        match value.as_i64() {
            Some(integer) => self.integer_value(integer),
            None => OTHERS + self.others.intern(value).number(),
        }
    }

    /// A key as people write it.
    pub(super) fn key(&self, key: u32) -> String {
        text(self.keys.get(Datum::from_number(key)))
    }

    /// A value as it stands in a history.
    pub(super) fn raw(&self, value: u32) -> Value {
        match value.checked_sub(OTHERS) {
            None => value.into(),
            Some(other) => self.others.get(Datum::from_number(other)),
        }
    }

    /// A value as people write it.
    pub(super) fn value(&self, value: u32) -> String {
        text(self.raw(value))
    }

    /// A list as people write it.
    pub(super) fn show(&self, list: &[u32]) -> String {
        let list: Vec<String> = list.iter().map(|element| self.value(*element)).collect();
        format!("[{}]", list.join(" "))
    }

    /// About how much memory it takes.
    pub(super) fn bytes(&self) -> usize {
        self.keys.bytes() + self.others.bytes()
    }
}

/// Lists are appended to, registers written.
fn check(verb: Verb, reading: Reading, value: &Value) -> Result<(), String> {
    match (verb, reading) {
        (Verb::Write, Reading::Lists) => Err(format!("{value}: a list takes append and r, not w")),
        (Verb::Append, Reading::Values) => Err(format!("{value}: a register takes w and r, not append")),
        _ => Ok(()),
    }
}

fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}
