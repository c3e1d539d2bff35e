//! A table of values, so that a search compares small numbers.

use std::collections::BTreeMap;

use rashomon_core::Value;
use rustc_hash::FxHashMap;

/// A value's place in the table of [`Values`] it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Datum(u32);

/// The distinct values of a history: equal values have the same [`Datum`].
#[derive(Clone, Debug, Default)]
pub struct Values {
    list: Vec<Value>,
    integers: FxHashMap<i64, Datum>,
    others: BTreeMap<String, Datum>,
}

impl Values {
    /// The number of this value, the same one every time.
    pub fn intern(&mut self, value: &Value) -> Datum {
        let next = Datum(self.list.len() as u32);
        let datum = match value.as_i64() {
            Some(integer) => *self.integers.entry(integer).or_insert(next),
            None => *self.others.entry(value.to_string()).or_insert(next),
        };
        if datum == next {
            self.list.push(value.clone());
        }
        datum
    }

    /// The value with this number.
    pub fn get(&self, datum: Datum) -> &Value {
        &self.list[datum.0 as usize]
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
            assert_eq!(values.get(*datum), value);
        }
    }
}
