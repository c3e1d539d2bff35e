//! What is known of one decree.

use std::collections::{BTreeMap, BTreeSet};

use rashomon_core::history::Pair;
use rashomon_core::{Anomaly, Kind, Map, Value};

use crate::linearizable::{node, operation};
use crate::models::{Datum, Values};

/// The operations on one key.
#[derive(Debug, Default)]
pub(super) struct Decree<'h> {
    proposals: Vec<(Datum, Pair<'h>)>,
    /// The answers that name a value, and once the decree is closed, in the order in which they came.
    answers: Vec<Answer<'h>>,
    /// When the learns began that were answered with nil.
    nils: Vec<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Answer<'h> {
    value: Datum,
    came: u64,
    pair: Pair<'h>,
}

impl<'h> Decree<'h> {
    /// Takes an operation into account. The error says what cannot be understood.
    pub(super) fn take(&mut self, pair: Pair<'h>, values: &mut Values) -> Result<(), String> {
        let proposes = match pair.invoke.f.as_str() {
            "propose" => true,
            "learn" => false,
            other => return Err(format!("op {}: consensus has no operation `{other}`", pair.invoke.index)),
        };
        if proposes {
            let value = values.intern(&pair.invoke.value);
            self.proposals.push((value, pair));
        }
        let Some(answer) = pair.completion.filter(|op| op.kind == Kind::Ok) else { return Ok(()) };
        if answer.value != Value::Null {
            let value = values.intern(&answer.value);
            self.answers.push(Answer { value, came: answer.index, pair });
        } else if proposes {
            return Err(format!(
                "op {}: a proposal was answered with nil and not with a decision",
                answer.index
            ));
        } else {
            self.nils.push(pair.invoke.index);
        }
        Ok(())
    }

    /// Nothing more is to come.
    pub(super) fn close(&mut self) {
        self.answers.sort_by_key(|answer| answer.came);
    }

    pub(super) fn decided(&self) -> bool {
        !self.answers.is_empty()
    }

    pub(super) fn proposals(&self) -> usize {
        self.proposals.len()
    }

    pub(super) fn answers(&self) -> usize {
        self.answers.len()
    }

    /// How many learns began after somebody was told the decision, and were answered with nil.
    pub(super) fn late_nils(&self) -> usize {
        let known = self.answers.first().map_or(u64::MAX, |answer| answer.came);
        self.nils.iter().filter(|began| **began > known).count()
    }

    /// The first answer, and the first that differs from it.
    pub(super) fn disagreement(&self, values: &Values) -> Option<Anomaly> {
        let first = self.answers.first()?;
        let other = self.answers.iter().find(|answer| answer.value != first.value)?;
        let because = format!("{}, and {}: two values for one key", first.says(values), other.says(values));
        Some(anomaly("agreement", because, &[first.pair, other.pair]))
    }

    /// Two answers of one node that differ, the earliest such.
    pub(super) fn change(&self, values: &Values) -> Option<Anomaly> {
        let mut firsts: BTreeMap<&str, &Answer<'_>> = BTreeMap::new();
        for answer in &self.answers {
            let Some(who) = node(&answer.pair) else { continue };
            let first = *firsts.entry(who).or_insert(answer);
            if first.value != answer.value {
                let because =
                    format!("{}, and later {}: {who} decided twice", first.says(values), answer.says(values));
                return Some(anomaly("integrity", because, &[first.pair, answer.pair]));
            }
        }
        None
    }

    /// The first answer that names a value which nobody can have proposed.
    pub(super) fn invention(&self, values: &Values) -> Option<Anomaly> {
        let proposed = |answer: &Answer<'_>, proposal: &Pair<'_>| {
            proposal.outcome() != Kind::Fail && proposal.invoke.index < answer.came
        };
        let of = |value: Datum| self.proposals.iter().filter(move |(other, _)| *other == value);
        let mut judged = BTreeSet::new();
        for answer in &self.answers {
            // Later answers that name the same value have no fewer proposals to stand on.
            if !judged.insert(answer.value)
                || of(answer.value).any(|(_, proposal)| proposed(answer, proposal))
            {
                continue;
            }
            let heard = of(answer.value).find(|(_, proposal)| proposal.outcome() != Kind::Fail);
            let proposal = heard.or_else(|| of(answer.value).next()).map(|(_, proposal)| *proposal);
            let cause = match (heard, proposal.map_or(0, |proposal| proposal.invoke.index)) {
                (Some(_), began) => format!("its proposal (op {began}) began only later"),
                (None, _) if proposal.is_none() => "nobody ever proposed it".to_owned(),
                (None, began) => format!("its proposal (op {began}) failed and so certainly did not happen"),
            };
            let because = format!("{}, but {cause}", answer.says(values));
            let pairs: Vec<Pair<'_>> = proposal.into_iter().chain([answer.pair]).collect();
            return Some(anomaly("validity", because, &pairs));
        }
        None
    }
}

impl Answer<'_> {
    fn says(&self, values: &Values) -> String {
        let who = match node(&self.pair) {
            Some(node) => node.to_owned(),
            None => format!("the answer to process {}", self.pair.invoke.process),
        };
        format!("{who} said that {} is decided (op {})", values.get(self.value), self.came)
    }
}

fn anomaly(name: &str, because: String, pairs: &[Pair<'_>]) -> Anomaly {
    let mut pairs = pairs.to_vec();
    pairs.sort_by_key(|pair| pair.invoke.index);
    let ends = |pair: &Pair<'_>| [Some(pair.invoke.index), pair.completion.map(|op| op.index)];
    let mut events: Vec<u64> = pairs.iter().flat_map(ends).flatten().collect();
    events.sort_unstable();
    let ops: Vec<Value> = pairs.iter().map(operation).collect();
    Anomaly {
        name: name.to_owned(),
        key: None,
        events,
        evidence: Vec::new(),
        because,
        details: Map::from_iter([("ops".to_owned(), ops.into())]),
    }
}
