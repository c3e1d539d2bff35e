//! The small words of invariants.

use std::collections::BTreeMap;

use rashomon_core::{Probe, Value, Violation};

/// The things that a predicate remembers: far more than are ever in dispute at one time.
const REMEMBERED: usize = 1 << 17;

/// Accuses, and says why.
pub(crate) fn violation(invariant: &'static str, because: String) -> Result<(), Violation> {
    Err(Violation { invariant, because })
}

/// A field that is text.
pub(crate) fn text<'a>(probe: &'a Probe, field: &str) -> Option<&'a str> {
    probe.fields.get(field).and_then(Value::as_str)
}

/// Makes room for one more thing: the oldest is forgotten.
pub(crate) fn bound<K: Ord, V>(map: &mut BTreeMap<K, V>) {
    if map.len() >= REMEMBERED {
        map.pop_first();
    }
}

/// The invariants that a script of probes violates, in the order in which it does. A line of it is one probe, written
/// as `node name field=value ...`.
#[cfg(test)]
pub(crate) fn violated(mut invariants: Vec<Box<dyn rashomon_core::Invariant>>, script: &str) -> Vec<String> {
    let mut violated = Vec::new();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut words = line.split_whitespace();
        let node: rashomon_core::NodeId = words.next().unwrap().parse().unwrap();
        let mut probe = Probe::new(words.next().unwrap().to_owned());
        for word in words {
            let (field, value) = word.split_once('=').unwrap();
            let value: Value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
            probe.fields.insert(field.to_owned(), value);
        }
        for invariant in &mut invariants {
            if let Err(violation) = invariant.observe(rashomon_core::Time::ZERO, node, &probe) {
                assert_eq!(violation.invariant, invariant.name());
                violated.push(violation.invariant.to_owned());
            }
        }
    }
    violated
}
