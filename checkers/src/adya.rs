//! Whether two transactions each missed what the other inserted.

use std::collections::BTreeMap;

use rashomon_core::history::Pair;
use rashomon_core::{History, Kind, Value, Verdict};

use crate::accusations::{Accusations, anomaly};
use crate::circle::{self, Link, Member};
use crate::{Budget, Checker};

/// Looks for anti-dependency cycles over predicates (G2 of Adya 1999), in the terms of Jepsen's `adya`.
///
/// Operation: `insert` on a key, with `[a, nil]` or `[nil, b]`. Its transaction looks, by predicates, for rows with that
/// key in two tables; if there are none, it inserts one into the first table or into the second, and fails otherwise. So
/// of all inserts of one key at most one can succeed, if transactions are serializable.
///
/// - *G2*: two of them succeeded: neither saw what the other inserted.
///
/// It is *invalid*. An insert that ended `info` may have happened, which accuses nobody. Where keys and values are no
/// tuples of Jepsen's, `[key, [a, b]]` is understood as well. *Unknown* when no key on which an insert succeeded was
/// tried twice.
#[derive(Clone, Copy, Debug, Default)]
pub struct Adya;

/// The inserts of one key.
#[derive(Debug, Default)]
struct Inserts<'h> {
    tried: usize,
    succeeded: Vec<Pair<'h>>,
}

/// The key of an insert as text.
fn key(pair: &Pair<'_>) -> Result<String, String> {
    let row = |value: &Value| match value.as_array().map(Vec::as_slice) {
        Some([a, b]) => a.is_null() != b.is_null(),
        _ => false,
    };
    match (&pair.invoke.key, pair.invoke.value.as_array().map(Vec::as_slice)) {
        (Some(key), Some(_)) if row(&pair.invoke.value) => Ok(key.clone()),
        (None, Some([key, value])) if row(value) => Ok(key.to_string()),
        _ => Err(format!(
            "op {}: an insert has a key and one of two ids, [a, nil] or [nil, b], not {}",
            pair.invoke.index, pair.invoke.value
        )),
    }
}

impl Adya {
    fn judge(self, history: &History, budget: &Budget<'_>) -> Result<Verdict, String> {
        let mut keys: BTreeMap<String, Inserts<'_>> = BTreeMap::new();
        for (pair, place) in history.pairs().zip(1_usize..) {
            if pair.invoke.f != "insert" {
                return Err(format!(
                    "op {}: there is no operation `{}` here",
                    pair.invoke.index, pair.invoke.f
                ));
            }
            let inserts = keys.entry(key(&pair)?).or_default();
            inserts.tried += 1;
            inserts.succeeded.extend((pair.outcome() == Kind::Ok).then_some(pair));
            budget.spend(pair.invoke.index, place * size_of::<(String, Inserts<'_>)>())?;
        }
        let mut accusations = Accusations::default();
        for (key, inserts) in &keys {
            if let [first, second, ..] = inserts.succeeded[..] {
                accusations.add("G2", || {
                    let (one, two) = (first.invoke.index, second.invoke.index);
                    let because = format!(
                        "two inserts of the key {key} succeeded (ops {one} and {two}), though each had to fail if it saw \
                         what the other inserted: each read before the other wrote"
                    );
                    let missed = |other: &Pair<'_>| {
                        let because = format!(
                            "it looked for rows of key {key} and found none, which the other inserted: {}",
                            other.invoke.value
                        );
                        Link::new("rw", Some(key.clone()), because)
                    };
                    let members = [&first, &second].map(Member::of);
                    let details = circle::details(&members, &[missed(&second), missed(&first)]);
                    let mut anomaly = anomaly("G2", because, vec![first, second], details);
                    anomaly.key = Some(key.clone());
                    anomaly
                });
            }
        }
        let tested =
            keys.values().filter(|inserts| inserts.tried > 1 && !inserts.succeeded.is_empty()).count();
        let legal = keys.values().filter(|inserts| inserts.succeeded.len() == 1).count();
        let facts = format!("{} keys, {legal} with one insert, {tested} tried more than once", keys.len());
        let illegal = accusations.count("G2");
        let verdict = match accusations.verdict(self.name(), &["G2"], &facts) {
            Some(invalid) => invalid,
            None if tested == 0 => Verdict::unknown(self.name(), format!("vacuous: {facts}")),
            None => Verdict::valid(self.name(), format!("{facts}: no key has two")),
        };
        Ok(verdict
            .with_stat("keys", keys.len())
            .with_stat("legal", legal)
            .with_stat("illegal", illegal)
            .with_stat("tested", tested))
    }
}

impl Checker for Adya {
    fn name(&self) -> &'static str {
        "adya"
    }

    fn about(&self) -> &'static str {
        "of inserts that each have to fail if they see another, one succeeds at most: no G2"
    }

    fn check(&self, history: &History, budget: &Budget<'_>) -> Verdict {
        self.judge(history, budget).unwrap_or_else(|reason| Verdict::unknown(self.name(), reason))
    }
}
