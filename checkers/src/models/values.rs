//! A table of values, so that a search compares small numbers.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use rashomon_core::Value;
use rustc_hash::FxHashMap;

/// A value's place in the table of [`Values`] it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Datum(u32);

/// The distinct values of a history: equal values have the same [`Datum`].
#[derive(Clone, Debug, Default)]
pub struct Values {
    /// The values that are integers, in their places; 0 in those of others.
    list: Vec<i64>,
    /// The values that are none.
    beside: FxHashMap<Datum, Value>,
    /// Where the integers from 0 stand, so far as a plain table of them is worth its memory.
    small: Vec<Option<NonZeroU32>>,
    integers: FxHashMap<i64, Datum>,
    others: BTreeMap<String, Datum>,
}

/// The entries of the plain table that a value may cost, and those that it has in any case.
const SMALL_EACH: usize = 4;
const SMALL_LEAST: usize = 1024;

impl Datum {
    /// The number: values are numbered from 0 in the order in which they were met.
    pub fn number(self) -> u32 {
        self.0
    }

    /// The datum of a number that [`Datum::number`] gave.
    pub(crate) fn from_number(number: u32) -> Datum {
        Datum(number)
    }
}

impl Values {
    /// Makes room for so many values, most of which are integers. Memory that is not used in the end was never there.
    pub(crate) fn expect(&mut self, values: usize) {
        // Without that room it goes on all the same.
        let _ = self.list.try_reserve_exact(values).and_then(|()| self.small.try_reserve_exact(values));
    }

    /// The number of this value, the same one every time.
    pub fn intern(&mut self, value: &Value) -> Datum {
        let next = Datum(self.list.len() as u32);
        let integer = value.as_i64();
        let datum = match integer {
            Some(integer) => self.intern_integer(integer, next),
            None => *self.others.entry(value.to_string()).or_insert(next),
        };
        if datum == next {
            self.list.push(integer.unwrap_or_default());
            if integer.is_none() {
                self.beside.insert(datum, value.clone());
            }
        }
        datum
    }

    /// The number of an integer.
    pub(crate) fn integer(&mut self, integer: i64) -> Datum {
        let next = Datum(self.list.len() as u32);
        let datum = self.intern_integer(integer, next);
        if datum == next {
            self.list.push(integer);
        }
        datum
    }

    /// About how much memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.list.len() * size_of::<i64>()
            + self.small.len() * size_of::<u32>()
            + self.integers.capacity() * 16
            + self.beside.capacity() * (size_of::<(Datum, Value)>() + 1)
    }

    /// The table answers for nearly all integers of a history: those written are mostly counted upwards, and it is
    /// read in that order too, while a hash scatters them over memory.
    fn intern_integer(&mut self, integer: i64, next: Datum) -> Datum {
        let place = usize::try_from(integer).unwrap_or(usize::MAX);
        if let Some(Some(found)) = self.small.get(place) {
            return Datum(found.get() - 1);
        }
        if let Some(found) = self.integers.get(&integer) {
            return *found;
        }
        let entry = next.0.checked_add(1).and_then(NonZeroU32::new);
        if place < self.list.len() * SMALL_EACH + SMALL_LEAST && entry.is_some() {
            if place >= self.small.len() {
                self.small.resize(place + 1, None);
            }
            self.small[place] = entry;
        } else {
            self.integers.insert(integer, next);
        }
        next
    }

    /// The value with this number.
    pub fn get(&self, datum: Datum) -> Value {
        let integer = self.list[datum.0 as usize];
        self.beside.get(&datum).cloned().unwrap_or_else(|| Value::from(integer))
    }
}

#[cfg(test)]
mod tests {
    use rashomon_core::Value;

    use super::Values;

    #[test]
    fn equal_values_have_equal_numbers_and_others_do_not() {
        let mut values = Values::default();
        let data = [Value::Null, 1.into(), "1".into(), vec![1, 2].into(), Value::Bool(true)];
        let first: Vec<_> = data.iter().map(|value| values.intern(value)).collect();
        let again: Vec<_> = data.iter().map(|value| values.intern(value)).collect();
        assert_eq!(first, again);
        for (value, datum) in data.iter().zip(&first) {
            assert_eq!(&values.get(*datum), value);
        }
    }

    #[test]
    fn integers_are_found_again_in_the_table_or_beside_it() {
        let mut values = Values::default();
        let integers: Vec<i64> = (0..3000).flat_map(|i| [i, -i - 1, i * 1_000_003, 5000 - i]).collect();
        let first: Vec<_> = integers.iter().map(|integer| values.intern(&(*integer).into())).collect();
        for (integer, datum) in integers.iter().zip(first) {
            assert_eq!(values.intern(&(*integer).into()), datum);
            assert_eq!(values.get(datum), *integer);
        }
    }
}
