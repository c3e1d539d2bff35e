//! What sessions did to versions.

use std::collections::{BTreeMap, BTreeSet};

use rashomon_core::history::Pair;
use rashomon_core::{History, Kind, Process, Value};
use rustc_hash::FxHashMap;

use crate::Budget;
use crate::models::{Datum, Values};

/// A value of a key, by its number: 0 to the number of keys are the initial ones.
pub(super) type Version = u32;

/// One operation on the versions of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Access {
    /// The index of its invocation.
    pub(super) op: u32,
    pub(super) reads: Option<Version>,
    pub(super) writes: Option<Version>,
    /// Whether the session knows that it is done.
    pub(super) done: bool,
}

/// All that takes part, by key and session.
#[derive(Debug, Default)]
pub(super) struct Accesses<'h> {
    pub(super) keys: Vec<Option<&'h str>>,
    /// For each version its key, its value, and the operation that wrote it.
    pub(super) versions: Vec<(u32, Value, Option<u32>)>,
    /// For each key and process, in their order.
    pub(super) sessions: BTreeMap<(u32, Process), Vec<Access>>,
    /// A read of a value that nothing wrote: its operation, and a failed one that would have, if any.
    pub(super) garbage: Option<(u32, Option<u32>)>,
}

/// What an operation asks and was answered.
struct Claim {
    reads: Option<Datum>,
    writes: Option<Datum>,
}

fn claim(pair: &Pair<'_>, values: &mut Values, nil_reads_anything: bool) -> Result<Claim, String> {
    let answer = pair.completion.filter(|op| op.kind == Kind::Ok).map(|op| &op.value);
    let argument = &pair.invoke.value;
    match pair.invoke.f.as_str() {
        "read" => {
            let known = answer.filter(|value| !(value.is_null() && nil_reads_anything));
            Ok(Claim { reads: known.map(|value| values.intern(value)), writes: None })
        }
        "write" => Ok(Claim { reads: None, writes: Some(values.intern(argument)) }),
        "cas" if answer == Some(&Value::Bool(false)) => {
            Err("a refused cas says only what the value was not".to_owned())
        }
        "cas" => match argument.as_array().map(Vec::as_slice) {
            Some([from, to]) if from == to => Ok(Claim { reads: Some(values.intern(from)), writes: None }),
            Some([from, to]) => {
                Ok(Claim { reads: Some(values.intern(from)), writes: Some(values.intern(to)) })
            }
            _ => Err(format!("a cas has a value [from, to], not {argument}")),
        },
        other => Err(format!("a register has no operation `{other}`")),
    }
}

/// The values that were certainly there, directly or since a cas whose value was there took them away.
fn observed(claims: &[(u32, Pair<'_>, Claim)]) -> BTreeSet<(u32, Datum)> {
    let mut observed = BTreeSet::new();
    let mut next: Vec<(u32, Datum)> = claims
        .iter()
        .filter(|(_, pair, _)| pair.outcome() == Kind::Ok)
        .filter_map(|(key, _, claim)| claim.reads.map(|value| (*key, value)))
        .collect();
    let mut sources: FxHashMap<(u32, Datum), Datum> = FxHashMap::default();
    for (key, pair, claim) in claims.iter().filter(|(_, pair, _)| pair.outcome() != Kind::Fail) {
        if let (Some(from), Some(to)) = (claim.reads, claim.writes) {
            debug_assert!(pair.invoke.f == "cas");
            sources.insert((*key, to), from);
        }
    }
    while let Some((key, value)) = next.pop() {
        if observed.insert((key, value)) {
            next.extend(sources.get(&(key, value)).map(|from| (key, *from)));
        }
    }
    observed
}

impl<'h> Accesses<'h> {
    /// Sorts a history of registers that hold `initial` at first. The error says why it cannot be judged.
    pub(super) fn of(
        history: &'h History,
        initial: &Value,
        nil_reads_anything: bool,
        budget: &Budget<'_>,
    ) -> Result<Accesses<'h>, String> {
        if history.pairs().all(|pair| pair.outcome() != Kind::Ok) {
            return Err("vacuous: no operation succeeded".to_owned());
        }
        if history.ops().len().saturating_mul(200) > budget.bytes {
            return Err("memory budget exhausted".to_owned());
        }
        let mut accesses = Accesses::default();
        let mut values = Values::default();
        let first = values.intern(initial);
        let mut numbers: BTreeMap<Option<&str>, u32> = BTreeMap::new();
        let mut claims: Vec<(u32, Pair<'h>, Claim)> = Vec::new();
        for pair in history.pairs() {
            let key = pair.invoke.key.as_deref();
            let number = *numbers.entry(key).or_insert_with(|| {
                accesses.keys.push(key);
                accesses.keys.len() as u32 - 1
            });
            let claim = claim(&pair, &mut values, nil_reads_anything)
                .map_err(|reason| format!("op {}: {reason}", pair.invoke.index))?;
            claims.push((number, pair, claim));
        }
        let keys = accesses.keys.len() as u32;
        accesses.versions = (0..keys).map(|key| (key, initial.clone(), None)).collect();
        let mut versions: FxHashMap<(u32, Datum), Version> =
            (0..keys).map(|key| ((key, first), key)).collect();
        // Values that only failed operations would have written.
        let mut failed: FxHashMap<(u32, Datum), u32> = FxHashMap::default();
        let observed: BTreeSet<(u32, Datum)> = observed(&claims);
        for (key, pair, claim) in &claims {
            let Some(value) = claim.writes else { continue };
            let op = pair.invoke.index as u32;
            let happened = match pair.outcome() {
                Kind::Ok => true,
                Kind::Info | Kind::Invoke => observed.contains(&(*key, value)),
                Kind::Fail => {
                    failed.entry((*key, value)).or_insert(op);
                    false
                }
            };
            if happened {
                let version = accesses.versions.len() as u32;
                if versions.insert((*key, value), version).is_some() {
                    let again = if value == first { "the initial value" } else { "a value" };
                    return Err(format!(
                        "op {op}: {again} was written again, so a read does not name its write, and the question is NP-hard"
                    ));
                }
                accesses.versions.push((*key, values.get(value), Some(op)));
            }
        }
        for (key, pair, claim) in &claims {
            accesses.add(*key, pair, claim, &versions, &failed);
        }
        Ok(accesses)
    }

    fn add(
        &mut self,
        key: u32,
        pair: &Pair<'_>,
        claim: &Claim,
        versions: &FxHashMap<(u32, Datum), Version>,
        failed: &FxHashMap<(u32, Datum), u32>,
    ) {
        let op = pair.invoke.index as u32;
        let done = match pair.outcome() {
            Kind::Ok => true,
            Kind::Info | Kind::Invoke => false,
            Kind::Fail => return,
        };
        let writes = claim.writes.and_then(|value| versions.get(&(key, value)).copied());
        let mine = writes.is_some_and(|version| self.versions[version as usize].2 == Some(op));
        if !done && !mine {
            return;
        }
        let reads = claim.reads.and_then(|value| {
            let version = versions.get(&(key, value)).copied();
            if version.is_none() && self.garbage.is_none() {
                self.garbage = Some((op, failed.get(&(key, value)).copied()));
            }
            version
        });
        if reads.is_some() || writes.is_some() {
            let access = Access { op, reads, writes, done };
            self.sessions.entry((key, pair.invoke.process)).or_default().push(access);
        }
    }
}
