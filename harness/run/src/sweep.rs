//! Many simulated runs: each seed draws its own mixture of faults, rates and sizes.
//!
//! One mixture finds one kind of mistake. A swarm of mixtures, most of which leave something out, finds more (Groce
//! et al., *Swarm Testing*, 2012): a bug that needs kills and no partitions hides when there are always both.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rand::RngExt;
use rand::seq::IndexedRandom;
use rashomon_core::{FaultKind, Seed, SystemInfo, Validity};
use rashomon_results::RunVerdict;
use rashomon_sim::{Span, Timing};

use crate::judge::Limits;
use crate::plan::{Faults, Nemesis, Plan, PlanError, PlanFile, Random, Simulation, makes_sense};
use crate::run::in_memory;

/// What a seed did.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Which one.
    pub seed: u64,
    /// What to think of it.
    pub verdict: RunVerdict,
}

/// What all seeds did.
#[derive(Clone, Debug, Default)]
pub struct Sweep {
    /// Seeds that ran.
    pub ran: u64,
    /// Of these, how many ended `valid`.
    pub valid: u64,
    /// How many proved nothing, because a fault that the seed had drawn never bit.
    pub vacuous: u64,
    /// In how many each legal weakness was seen.
    pub weaknesses: BTreeMap<String, u64>,
    /// The others, by seed: what was accused, did not recover or crashed.
    pub failures: Vec<Finding>,
}

/// Runs the plan that `plan` makes of each seed, on `jobs` threads. With `until_failure` the first failure is the
/// last seed begun. `each` hears of every finished seed.
pub fn sweep(
    seeds: std::ops::Range<u64>,
    jobs: usize,
    until_failure: bool,
    plan: impl Fn(u64) -> Plan + Sync,
    interrupted: &AtomicBool,
    each: impl Fn(u64, &RunVerdict) + Sync,
) -> Sweep {
    let next = AtomicU64::new(seeds.start);
    let stop = AtomicBool::new(false);
    let sweep = Mutex::new(Sweep::default());
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                while !interrupted.load(Ordering::Relaxed) && !stop.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        break;
                    }
                    let verdict = judge(&plan(seed));
                    each(seed, &verdict);
                    let failed = is_failure(&verdict);
                    let mut sweep = sweep.lock().expect("no thread panics while it counts");
                    sweep.ran += 1;
                    sweep.valid += u64::from(verdict.valid == Validity::Valid);
                    for weakness in &verdict.weaknesses {
                        *sweep.weaknesses.entry(weakness.control.clone()).or_default() += 1;
                    }
                    sweep.vacuous += u64::from(verdict.valid == Validity::Unknown && !failed);
                    if failed {
                        sweep.failures.push(Finding { seed, verdict });
                        stop.fetch_or(until_failure, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let mut sweep = sweep.into_inner().expect("no thread panicked while it counted");
    sweep.failures.sort_by_key(|finding| finding.seed);
    sweep
}

/// A run that cannot start is `unknown`, and says why.
fn judge(plan: &Plan) -> RunVerdict {
    let never = AtomicBool::new(false);
    in_memory(plan, Limits::default(), &never).unwrap_or_else(|error| {
        let problems = vec![format!("the system did not start: {error}")];
        RunVerdict::new(
            Vec::new(),
            Vec::new(),
            problems,
            rashomon_results::Totals::default(),
            rashomon_results::Ended::Failed,
        )
    })
}

/// Whether a seed is to be reported: invalid, or unknown for another reason than that it proved nothing.
fn is_failure(verdict: &RunVerdict) -> bool {
    match verdict.valid {
        Validity::Valid => false,
        Validity::Invalid => true,
        Validity::Unknown => {
            let causes = verdict.checkers.iter().flat_map(|checker| &checker.unknown);
            !verdict.problems.iter().chain(causes).all(|cause| cause.contains("vacuous"))
        }
    }
}

/// The plan of a seed: what the flags do not say is its own mixture.
pub fn plan_of(seed: u64, flags: &PlanFile) -> Result<Plan, PlanError> {
    let flags = PlanFile { seed: Some(seed), ..flags.clone() };
    let system = Plan::assemble(flags.clone(), None, None, Faults::default(), seed)?.system;
    Plan::assemble(flags, None, Some(mixture(seed, &system)), Faults::default(), seed)
}

/// The mixture of a seed: what a plan may say instead, this fills in.
pub fn mixture(seed: u64, system: &SystemInfo) -> PlanFile {
    let mut rng = Seed(seed).split("swarm").rng();
    let kinds: Vec<FaultKind> = FaultKind::ALL
        .iter()
        .map(|(kind, ..)| *kind)
        .filter(|kind| makes_sense(*kind, system, system.nodes))
        // A seed with every kind at once rarely gets anywhere.
        .filter(|_| rng.random_range(0..3_u8) == 0)
        .collect();
    let mut of = |values: &[u64]| *values.choose(&mut rng).expect("there is something to choose from");
    let interval = Duration::from_millis(of(&[200, 400, 700, 1000, 1500]));
    // Mostly quiet: such a run reaches the same states of a protocol in a tenth of the time. Some bugs need load.
    let rate = of(&[20, 50, 100, 200, 500]) as u32;
    let concurrency = of(&[2, 5, 10, 20]) as usize;
    // What needs more nodes than a swarm draws always has as many as it needs.
    let nodes = match system.nodes {
        1 => 1,
        2..=5 => of(&[3, 5, 5, 5]) as u16,
        many => many,
    };
    let message = match of(&[0, 0, 1, 2]) {
        0 => Span::micros(50, 1_000),
        1 => Span::micros(200, 10_000),
        // So long that rounds of a protocol overlap.
        _ => Span::micros(1_000, 40_000),
    };
    let sync = if of(&[0, 0, 1]) == 0 { Span::micros(100, 300) } else { Span::micros(500, 10_000) };
    let timing = Timing { message, sync, ..Timing::default() };
    // Seldom, for it costs more than the run: it finds a type that does not survive its own encoding.
    let through_json = of(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]) == 0;
    PlanFile {
        version: 1,
        nodes: Some(nodes),
        simulation: Some(Simulation { timing, through_json }),
        time_limit: Some(Duration::from_secs(15)),
        rate: Some(rate),
        concurrency: Some(concurrency),
        seed: Some(seed),
        nemesis: Some(Nemesis::Random(Random { kinds, interval })),
        ..PlanFile::default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::registry;

    #[test]
    fn seeds_draw_machines_and_networks_of_their_own() {
        let system = registry::system("raft").expect("it is there").info;
        let drawn: Vec<Simulation> = (0..100).filter_map(|seed| mixture(seed, &system).simulation).collect();
        let latencies: BTreeSet<Duration> = drawn.iter().map(|drawn| drawn.timing.message.at_most).collect();
        assert_eq!((drawn.len(), latencies.len()), (100, 3));
        assert!((1..20).contains(&drawn.iter().filter(|drawn| drawn.through_json).count()));
        assert!(drawn.iter().all(|drawn| drawn.timing.trouble().is_none()));
    }
}
