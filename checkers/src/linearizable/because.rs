//! Why a core has no order, in words.

use std::ops::ControlFlow;

use rashomon_core::history::Pair;
use rashomon_core::{HistoryError, Kind, Value};

mod elements;
mod growing;
mod passages;

use super::drawing::node;
use super::minimal::Core;
use super::partition::{Claim, Known, NEVER, Partition};
use super::search::Farthest;
use crate::archive::{Archive, Excerpt};
use crate::{Effect, Model};

/// The operations that a sentence lists before it says "and more".
const LISTED: usize = 6;

/// An anomaly's name and its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Story {
    pub(crate) name: &'static str,
    pub(crate) because: String,
}

/// Tells why the core of a partition has no order, as specifically as its shape allows.
pub(crate) fn tell<M: Model>(
    model: &M,
    archive: &dyn Archive,
    operations: &Excerpt,
    partition: &Partition<M>,
    core: &Core,
    longest: &Farthest,
) -> Result<Story, HistoryError> {
    let teller = Teller {
        model,
        operations,
        partition,
        core: core.claims.iter().map(|place| partition.claims[*place]).collect(),
    };
    let first = teller.growing(core, archive)?.or_else(|| teller.elements(core));
    if let (None, Some(read)) = (&first, teller.never_written()) {
        return teller.garbage(read, archive);
    }
    let story = first
        .or_else(|| teller.future_read())
        .or_else(|| teller.lost_update())
        .or_else(|| teller.stale_read())
        .or_else(|| teller.back_again())
        .or_else(|| teller.lost_append())
        .or_else(|| teller.passages(core))
        .unwrap_or_else(|| teller.no_order(longest));
    Ok(story)
}

struct Teller<'a, M: Model> {
    model: &'a M,
    operations: &'a Excerpt,
    partition: &'a Partition<M>,
    core: Vec<Claim>,
}

impl<'a, M: Model> Teller<'a, M> {
    fn pair(&self, claim: &Claim) -> Pair<'a> {
        self.operations.pair(claim.call)
    }

    /// `write 9 (op 790)`.
    fn name(&self, claim: &Claim) -> String {
        format!("{} (op {})", describe(&self.pair(claim)), claim.call)
    }

    /// `n3 answered read -> 7 (op 812)`.
    fn testimony(&self, claim: &Claim) -> String {
        let pair = self.pair(claim);
        match node(&pair) {
            Some(node) => format!("{node} answered {}", self.name(claim)),
            None => format!("process {} was answered {}", pair.invoke.process, self.name(claim)),
        }
    }

    fn value(&self, state: u32) -> String {
        let shown = self.model.show(self.partition.states.get(state)).to_string();
        if shown.chars().count() > 60 {
            let start: String = shown.chars().take(57).collect();
            return format!("{start}...");
        }
        shown
    }

    fn givers(&self, state: u32) -> impl Iterator<Item = &Claim> {
        self.partition.claims.iter().filter(move |claim| claim.effect.gives() == Some(state))
    }

    /// Whether every way to reach a state is known, so that `givers` are all there are.
    fn givers_are_known(&self) -> bool {
        self.partition.claims.iter().all(|claim| claim.effect != Known::Any)
    }

    /// The read of a value that was never there, if that is the core.
    fn never_written(&self) -> Option<&Claim> {
        let [read] = self.core.as_slice() else { return None };
        let state = read.effect.needs()?;
        let others = self.givers(state).any(|giver| giver.call != read.call);
        (state != self.partition.initial && !others && self.givers_are_known()).then_some(read)
    }

    /// Where the value comes from that a read found and nothing wrote: perhaps from an operation that failed.
    fn garbage(&self, read: &Claim, archive: &dyn Archive) -> Result<Story, HistoryError> {
        let testimony = self.testimony(read);
        let state = read.effect.needs().unwrap_or(self.partition.initial);
        let value = self.value(state);
        let mut model = self.model.clone();
        let mut failed: Option<(u64, String)> = None;
        archive.each(&mut |pair| {
            let wrote = pair.outcome() == Kind::Fail
                && pair.invoke.key == self.partition.key
                && matches!(
                    model.action(pair).ok().flatten().map(|action| model.effect(&action)),
                    Some(Effect::Set(to) | Effect::Swap(_, to))
                        if &to == self.partition.states.get(state)
                );
            if wrote && failed.as_ref().is_none_or(|(call, _)| pair.invoke.index < *call) {
                failed = Some((pair.invoke.index, describe(pair)));
            }
            ControlFlow::Continue(())
        })?;
        Ok(match failed {
            Some((call, operation)) => Story {
                name: "dirty-read",
                because: format!(
                    "{testimony}, but the only operation to write {value}, {operation} (op {call}), failed and so \
                     certainly did not happen"
                ),
            },
            None => Story {
                name: "garbage-read",
                because: format!("{testimony}, but nothing ever wrote {value}"),
            },
        })
    }

    /// The value was there before anything began to write it.
    fn future_read(&self) -> Option<Story> {
        self.core.iter().find_map(|read| {
            let state = read.effect.needs()?;
            let others = || self.core.iter().filter(|claim| claim.call != read.call);
            let later = |write: &Claim| write.effect.gives() == Some(state) && write.call > read.ret;
            if self.core.len() < 2 || !others().all(later) || !self.givers_are_known() {
                return None;
            }
            Some(Story {
                name: "future-read",
                because: format!(
                    "{} before anything that writes {} had begun: {} came later",
                    self.testimony(read),
                    self.value(state),
                    self.list(&others().collect::<Vec<_>>())
                ),
            })
        })
    }

    /// Two updates went out from the same version.
    fn lost_update(&self) -> Option<Story> {
        let from = |claim: &Claim| match claim.effect {
            Known::Swap(from, _) if claim.ret != NEVER => Some(from),
            _ => None,
        };
        let state = self.core.iter().find_map(from)?;
        let (swaps, rest): (Vec<&Claim>, Vec<&Claim>) =
            self.core.iter().partition(|claim| from(claim) == Some(state));
        let gives = |claim: &&Claim| claim.effect.gives() == Some(state);
        if swaps.len() < 2 || !rest.iter().all(gives) || !self.givers_are_known() {
            return None;
        }
        let times = self.givers(state).count() + usize::from(state == self.partition.initial);
        if times >= swaps.len() {
            return None;
        }
        let both = if swaps.len() == 2 { "both" } else { "all" };
        Some(Story {
            name: "lost-update",
            because: format!(
                "{} {both} succeeded from the value {}, which was there only {}: one of them did not see \
                 the other",
                self.list(&swaps),
                self.value(state),
                if times == 1 { "once".to_owned() } else { format!("{times} times") }
            ),
        })
    }

    /// The value had been replaced before the read began.
    fn stale_read(&self) -> Option<Story> {
        let over = |proof: &Claim, read: &Claim| proof.ret < read.call;
        self.core.iter().find_map(|read| {
            let state = read.effect.needs()?;
            self.core.iter().find_map(|proof| {
                let seen = proof.effect.gives().or(proof.effect.needs())?;
                let writes = |write: &Claim| {
                    write.effect.gives() == Some(state) && write.ret < proof.call && write.ret < read.call
                };
                let rest = |claim: &&Claim| claim.call != read.call && claim.call != proof.call;
                if seen == state
                    || !over(proof, read)
                    || !self.core.iter().filter(rest).all(writes)
                    || !self.givers_are_known()
                {
                    return None;
                }
                Some(self.stale(read, proof, state, seen))
            })
        })
    }

    fn stale(&self, read: &Claim, proof: &Claim, state: u32, seen: u32) -> Story {
        let wrote = proof.effect.gives().is_some();
        let observed = |state: u32| {
            self.partition
                .claims
                .iter()
                .filter(move |claim| claim.ret != NEVER && claim.effect.needs() == Some(state))
        };
        let last = self
            .partition
            .claims
            .iter()
            .filter(|claim| claim.ret != NEVER && claim.effect.needs().is_some())
            .max_by_key(|claim| claim.ret);
        let forgotten = wrote
            && observed(seen).next().is_none()
            && last.is_some_and(|last| last.effect.needs() == Some(state));
        let name = match read.effect {
            Known::Swap(..) => "lost-update",
            _ if forgotten => "lost-write",
            _ => "stale-read",
        };
        let began = if matches!(read.effect, Known::Swap(..)) { "it" } else { "the read" };
        let fact = if wrote {
            format!("{} had completed before {began} began", self.name(proof))
        } else {
            format!("{} had already been answered before {began} began", self.name(proof))
        };
        let nothing = if self.givers(state).next().is_none() {
            format!("nothing ever wrote {}", self.value(state))
        } else {
            format!("nothing wrote {} afterwards", self.value(state))
        };
        Story { name, because: format!("{} although {fact}, and {nothing}", self.testimony(read)) }
    }

    /// The value went and came back, though it was written once only.
    fn back_again(&self) -> Option<Story> {
        let mut ops: Vec<&Claim> = self.core.iter().filter(|claim| claim.ret != NEVER).collect();
        ops.sort_by_key(|claim| claim.call);
        let [first, between, last] = ops.as_slice() else { return None };
        let state = first.effect.needs()?;
        let seen = between.effect.gives().or(between.effect.needs())?;
        let times = self.givers(state).count() + usize::from(state == self.partition.initial);
        if self.core.len() != 3
            || last.effect.needs() != Some(state)
            || seen == state
            || between.effect.needs() == Some(state)
            || first.ret > between.call
            || between.ret > last.call
            || times != 1
            || !self.givers_are_known()
        {
            return None;
        }
        Some(Story {
            name: "stale-read",
            because: format!(
                "{} although {} was over before it began, and {} was over before that: the value {} was \
                 gone and came back, but it was there only once",
                self.testimony(last),
                self.name(between),
                self.name(first),
                self.value(state)
            ),
        })
    }

    /// What was appended before the read began is not in the answer.
    fn lost_append(&self) -> Option<Story> {
        let [one, other] = self.core.as_slice() else { return None };
        let (append, read) = if one.effect == Known::Any { (one, other) } else { (other, one) };
        let Value::String(found) = self.model.show(self.partition.states.get(read.effect.needs()?)) else {
            return None;
        };
        let lacks = match &self.pair(append).invoke.value {
            Value::String(added) => !found.contains(added.as_str()),
            _ => false,
        };
        let replaced = self.partition.claims.iter().any(|claim| claim.effect.gives().is_some());
        (append.effect == Known::Any && append.ret < read.call && lacks && !replaced).then(|| Story {
            name: "lost-write",
            because: format!(
                "{} although {} had completed before the read began, and nothing replaces the value",
                self.testimony(read),
                self.name(append)
            ),
        })
    }

    /// Whatever else: the operations, and where the best attempt ends.
    fn no_order(&self, longest: &Farthest) -> Story {
        let all: Vec<&Claim> = self.core.iter().collect();
        let stuck = longest
            .window
            .iter()
            .map(|claim| &self.partition.claims[*claim as usize])
            .find(|claim| claim.ret == longest.bound);
        let end = match stuck {
            Some(claim) => format!(
                "; the order that gets farthest ends with the value {}, where {} is impossible",
                self.value(longest.state),
                self.name(claim)
            ),
            None => String::new(),
        };
        let because = if let [only] = all.as_slice() {
            format!("{}, which no order of the other operations explains{end}", self.testimony(only))
        } else {
            format!("no order of these {} operations explains them: {}{end}", all.len(), self.list(&all))
        };
        Story { name: "nonlinearizable", because }
    }

    fn list(&self, claims: &[&Claim]) -> String {
        let names: Vec<String> = claims.iter().take(LISTED).map(|claim| self.name(claim)).collect();
        if claims.len() > LISTED {
            return format!("{} and {} more", names.join(", "), claims.len() - LISTED);
        }
        match names.as_slice() {
            [] => String::new(),
            [only] => only.clone(),
            [first @ .., last] => format!("{} and {last}", first.join(", ")),
        }
    }
}

/// An operation in a few words: `read -> 7`, `write 9`, `cas 4 -> 5`.
pub(crate) fn describe(pair: &Pair<'_>) -> String {
    let short = |value: &Value| {
        let text = value.to_string();
        if text.chars().count() > 60 {
            format!("{}...", text.chars().take(57).collect::<String>())
        } else {
            text
        }
    };
    let f = &pair.invoke.f;
    let argument = &pair.invoke.value;
    let answer = pair.completion.filter(|op| op.kind == Kind::Ok).map(|op| &op.value);
    match (f.as_str(), argument, answer) {
        ("cas", Value::Array(both), answer) if both.len() == 2 => {
            let refused = if answer == Some(&Value::Bool(false)) { " refused" } else { "" };
            format!("cas {} -> {}{refused}", short(&both[0]), short(&both[1]))
        }
        ("read" | "get", _, Some(answer)) | (_, Value::Null, Some(answer)) => {
            format!("{f} -> {}", short(answer))
        }
        (_, argument, Some(answer)) if answer != argument && !answer.is_null() => {
            format!("{f} {} -> {}", short(argument), short(answer))
        }
        (_, Value::Null, None) => f.clone(),
        (_, argument, _) => format!("{f} {}", short(argument)),
    }
}
