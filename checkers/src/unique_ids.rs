//! Whether no id was given out twice.

use std::collections::BTreeMap;

use rashomon_core::history::Pair;
use rashomon_core::{History, Kind, Map, Verdict};

use crate::accusations::{Accusations, anomaly};
use crate::models::{Datum, Values};
use crate::{Budget, Checker};

/// Judges a generator of ids, in the terms of Jepsen's and Maelstrom's `unique-ids`.
///
/// Operation: `generate`, whose `ok` value is the id, of any type. Keys are generators of their own.
///
/// - *duplicate id*: two answers name the same id.
///
/// It is *invalid*. A `generate` that ended `info` or `fail` told nobody an id, so it accuses nobody. *Unknown* when
/// fewer than two ids were given out, for then none could be a duplicate, and when an answer names none.
#[derive(Clone, Copy, Debug, Default)]
pub struct UniqueIds;

impl UniqueIds {
    fn judge(self, history: &History, budget: &Budget<'_>) -> Result<Verdict, String> {
        let mut values = Values::default();
        let mut first: BTreeMap<(Option<&str>, Datum), Pair<'_>> = BTreeMap::new();
        let mut accusations = Accusations::default();
        let (mut asked, mut given) = (0_usize, 0_usize);
        for pair in history.pairs() {
            if pair.invoke.f != "generate" {
                let f = &pair.invoke.f;
                return Err(format!("op {}: a generator of ids has no operation `{f}`", pair.invoke.index));
            }
            asked += 1;
            let Some(answer) = pair.completion.filter(|op| op.kind == Kind::Ok) else { continue };
            if answer.value.is_null() {
                return Err(format!("op {}: the answer names no id", answer.index));
            }
            given += 1;
            let id = (pair.invoke.key.as_deref(), values.intern(&answer.value));
            if let Some(before) = first.get(&id) {
                accusations.add("duplicate-id", || {
                    let id = &answer.value;
                    let (one, two) = (before.invoke.index, pair.invoke.index);
                    let because = format!("the id {id} was given out twice, in op {one} and in op {two}");
                    let details = Map::from_iter([("id".to_owned(), id.clone())]);
                    anomaly("duplicate-id", because, vec![*before, pair], details)
                });
            } else {
                first.insert(id, pair);
            }
            budget.spend(pair.invoke.index, first.len() * size_of::<(Datum, Pair<'_>)>() * 2)?;
        }
        let duplicates = accusations.count("duplicate-id");
        let facts = format!("{asked} ids asked for, {given} given out");
        let verdict = match accusations.verdict(self.name(), &["duplicate-id"], &facts) {
            Some(invalid) => invalid,
            None if given < 2 => Verdict::unknown(self.name(), format!("vacuous: {facts}")),
            None => Verdict::valid(self.name(), format!("{facts}, all different")),
        };
        Ok(verdict.with_stat("asked", asked).with_stat("given", given).with_stat("duplicates", duplicates))
    }
}

impl Checker for UniqueIds {
    fn name(&self) -> &'static str {
        "unique-ids"
    }

    fn about(&self) -> &'static str {
        "no id is given out twice"
    }

    fn check(&self, history: &History, budget: &Budget<'_>) -> Verdict {
        self.judge(history, budget).unwrap_or_else(|reason| Verdict::unknown(self.name(), reason))
    }
}
