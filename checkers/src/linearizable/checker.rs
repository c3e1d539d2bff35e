//! The checker of linearizability, for any model.

use std::collections::BTreeMap;

use rashomon_core::{Anomaly, History, HistoryError, Validity, Verdict};

use super::because::{describe, tell};
use super::drawing::{context, details, longest};
use super::minimal::{Core, confirm, reduce};
use super::partition::Partition;
use super::rounds::{self, Rounds, Settled};
use super::stream::{Gathered, Stream};
use super::witness::Ledger;
use crate::archive::{Archive, Excerpt};
use crate::{Budget, Checker, Follow, Model};

/// The operations that a window names before it says "and more".
const NAMED: usize = 8;

/// Decides whether a history is linearizable for a model.
///
/// - *Valid*: an order was found for every key and replayed by [`verify`](super::verify).
/// - *Invalid*: one key has no order, by two searches with different fingerprints, or by a monitor and a search
///   of what it found. The anomaly's events are a minimal core (see [`set_aside`](super::set_aside)), its reason names them, and its details hold what a
///   picture needs.
/// - *Unknown*: the budget ran out, an operation is none of the model's, or nothing was observed.
#[derive(Clone, Debug)]
pub struct Linearizable<M> {
    name: &'static str,
    about: &'static str,
    model: M,
    monitored: bool,
}

impl<M: Model> Linearizable<M> {
    /// A checker of that model with a generic name.
    pub fn new(model: M) -> Linearizable<M> {
        Linearizable::named(
            "linearizable",
            "every operation takes effect at one instant between call and return",
            model,
        )
    }

    /// A checker of that model with a name of its own.
    pub fn named(name: &'static str, about: &'static str, model: M) -> Linearizable<M> {
        Linearizable { name, about, model, monitored: true }
    }

    /// The same checker without its near-linear monitors: every key is searched.
    pub fn by_search(mut self) -> Linearizable<M> {
        self.monitored = false;
        self
    }

    /// Its name in verdicts.
    pub(super) fn title(&self) -> &'static str {
        self.name
    }

    /// What it judges by.
    pub(super) fn model(&self) -> &M {
        &self.model
    }

    /// Judges a history.
    pub fn judge(&self, history: &History, budget: &Budget<'_>) -> Verdict {
        self.conclude_on(Gathered::of(&self.model, history), history, budget)
    }

    /// Judges what was gathered of a history, whose operations can be had again from the archive.
    pub(super) fn conclude_on(
        &self,
        gathered: Gathered<M>,
        archive: &dyn Archive,
        budget: &Budget<'_>,
    ) -> Verdict {
        let Gathered { intake, ledger, succeeded } = gathered;
        if !succeeded {
            return Verdict::unknown(self.name, "vacuous: no operation succeeded");
        }
        let (model, mut partitions) = match intake.sorted() {
            Ok(sorted) => sorted,
            Err(reason) => return Verdict::unknown(self.name, reason),
        };
        let rounds = rounds::run(&model, &mut partitions, self.monitored, budget);
        let verdict = self
            .conclude(&model, archive, &ledger, &mut partitions, &rounds, budget)
            .unwrap_or_else(|error| {
                let reason = format!("what the verdict rests on could not be looked up again: {error}");
                Verdict::unknown(self.name, reason)
            });
        let mut methods: BTreeMap<&str, u64> = BTreeMap::new();
        let mut reasons: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
        for assigned in &rounds.assigned {
            *methods.entry(assigned.method.name()).or_default() += 1;
            *reasons.entry(assigned.method.name()).or_default().entry(assigned.why).or_default() += 1;
        }
        let operations: usize = partitions.iter().map(|partition| partition.claims.len()).sum();
        let dropped: usize = partitions.iter().map(|partition| partition.dropped).sum();
        verdict
            .with_stat("model", model.name())
            .with_stat("keys", partitions.len())
            .with_stat("operations", operations)
            .with_stat("unconstraining", dropped)
            .with_stat("configurations", rounds.configurations)
            .with_stat("methods", serde_json::json!(methods))
            .with_stat("why", serde_json::json!(reasons))
    }

    fn conclude(
        &self,
        model: &M,
        archive: &dyn Archive,
        ledger: &Ledger<M>,
        partitions: &mut [Partition<M>],
        rounds: &Rounds,
        budget: &Budget<'_>,
    ) -> Result<Verdict, HistoryError> {
        let impossible =
            rounds.settled.iter().zip(partitions.iter_mut()).find_map(|(settled, partition)| match settled {
                Settled::Impossible(farthest) => {
                    Some((reduce(model, partition, farthest, budget), partition))
                }
                Settled::Refuted(clash) => Some((confirm(model, partition, clash, budget), partition)),
                Settled::Found(_) | Settled::Open { .. } => None,
            });
        if let Some((reduced, partition)) = impossible {
            return match reduced {
                Ok(Some(core)) => {
                    let anomaly = accuse(model, archive, partition, &core)?;
                    let key = of_key(partition.key.as_deref());
                    let summary = format!("{key}{}: {}", anomaly.name, anomaly.because);
                    Ok(Verdict::invalid(self.name, summary, vec![anomaly]))
                }
                Ok(None) => {
                    self.unknown(archive, partitions, rounds, "two algorithms disagree about the same key")
                }
                Err(spent) => {
                    let cause = format!("{} before a violation was confirmed", spent.cause());
                    self.unknown(archive, partitions, rounds, &cause)
                }
            };
        }
        if let Some(spent) = rounds.spent {
            return self.unknown(archive, partitions, rounds, spent.cause());
        }
        let found = || {
            let all = rounds.settled.iter().zip(partitions.iter());
            all.filter_map(|(settled, partition)| match settled {
                Settled::Found(order) => Some((order, partition)),
                Settled::Impossible(_) | Settled::Refuted(_) | Settled::Open { .. } => None,
            })
        };
        let witness = found().map(|(order, partition)| {
            let calls = order.iter().map(|claim| u64::from(partition.claims[*claim as usize].call));
            (partition.key.as_deref(), calls)
        });
        Ok(match ledger.replay(witness) {
            Ok(()) => {
                let operations: usize = found().map(|(order, _)| order.len()).sum();
                let summary = match partitions.len() {
                    1 => format!("one order explains all {operations} operations, and was replayed"),
                    keys => format!(
                        "{operations} operations on {keys} keys: for each key one order explains all, and was \
                         replayed"
                    ),
                };
                Verdict::valid(self.name, summary)
            }
            Err(reason) => Verdict::unknown(self.name, format!("the order found does not replay: {reason}")),
        })
    }

    /// The verdict when something remains open, with the smallest window that does.
    fn unknown(
        &self,
        archive: &dyn Archive,
        partitions: &[Partition<M>],
        rounds: &Rounds,
        cause: &str,
    ) -> Result<Verdict, HistoryError> {
        let open = rounds.settled.iter().zip(partitions).filter_map(|(settled, partition)| match settled {
            Settled::Open { farthest, size } => Some((farthest, *size, partition)),
            Settled::Impossible(farthest) => Some((farthest, partition.claims.len(), partition)),
            Settled::Refuted(_) | Settled::Found(_) => None,
        });
        let found = |settled: &&Settled| matches!(settled, Settled::Found(_));
        let undecided = partitions.len() - rounds.settled.iter().filter(found).count();
        let mut verdict = Verdict::unknown(self.name, cause);
        let started = open.clone().filter(|(farthest, _, _)| !farthest.window.is_empty());
        if let Some((farthest, size, partition)) =
            started.min_by_key(|(farthest, _, _)| farthest.window.len())
        {
            let ops: Vec<u32> =
                farthest.window.iter().map(|claim| partition.claims[*claim as usize].call).collect();
            let mut window = farthest.window.iter().map(|claim| &partition.claims[*claim as usize]);
            let stuck = window.find(|claim| claim.ret == farthest.bound);
            let named = ops.iter().take(NAMED).copied().chain(stuck.map(|claim| claim.call));
            let operations = Excerpt::new(archive, named)?;
            let name = |call: u32| format!("{} (op {call})", describe(&operations.pair(call)));
            let first: Vec<String> = ops.iter().take(NAMED).map(|call| name(*call)).collect();
            let more =
                if ops.len() > NAMED { format!(" and {} more", ops.len() - NAMED) } else { String::new() };
            let wall = stuck.map_or_else(String::new, |claim| {
                format!(
                    "; no order found passes {}, between the invocations of op {} and op {}",
                    name(claim.call),
                    ops.first().copied().unwrap_or(claim.call),
                    ops.last().copied().unwrap_or(claim.call)
                )
            });
            verdict.unknown.push(format!(
                "{}{} of {size} operations placed{wall}; not settled: {}{more}",
                of_key(partition.key.as_deref()),
                farthest.placed,
                first.join(", ")
            ));
            verdict = verdict.with_stat(
                "window",
                serde_json::json!({
                    "key": partition.key,
                    "ops": ops,
                    "farthest": farthest.bound,
                    "stuck": stuck.map(|claim| claim.call),
                    "placed": farthest.placed,
                    "configurations": rounds.configurations,
                }),
            );
        }
        verdict.summary = format!(
            "{cause} after {} configurations, {undecided} of {} keys undecided",
            rounds.configurations,
            partitions.len()
        );
        debug_assert_eq!(verdict.valid, Validity::Unknown);
        Ok(verdict.with_stat("undecided", undecided))
    }
}

fn of_key(key: Option<&str>) -> String {
    key.map_or_else(String::new, |key| format!("key {key}: "))
}

fn accuse<M: Model>(
    model: &M,
    archive: &dyn Archive,
    partition: &mut Partition<M>,
    core: &Core,
) -> Result<Anomaly, HistoryError> {
    let longest = longest(model, partition, core);
    let places = core.claims.iter().copied().chain(context(partition, core));
    let places = places.chain(longest.window.iter().map(|claim| *claim as usize));
    let operations = Excerpt::new(archive, places.map(|place| partition.claims[place].call))?;
    let story = tell(model, archive, &operations, partition, core, &longest)?;
    let mut events: Vec<u64> = core
        .claims
        .iter()
        .map(|place| operations.pair(partition.claims[*place].call))
        .flat_map(|pair| [Some(pair.invoke.index), pair.completion.map(|op| op.index)])
        .flatten()
        .collect();
    events.sort_unstable();
    Ok(Anomaly {
        name: story.name.to_owned(),
        key: partition.key.clone(),
        events,
        evidence: Vec::new(),
        because: story.because,
        details: details(model, &operations, partition, core, &longest),
    })
}

impl<M: Model + Send + Sync> Checker for Linearizable<M> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn check(&self, history: &History, budget: &Budget<'_>) -> Verdict {
        self.judge(history, budget)
    }

    fn follow(&self) -> Option<Box<dyn Follow + '_>> {
        Some(Box::new(Stream::new(self.clone())))
    }
}
