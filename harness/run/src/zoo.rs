//! The zoo: every seeded bug must be caught, and no correct system accused.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use rashomon_core::{BugInfo, Shows, SystemInfo, Validity};
use rashomon_results::RunVerdict;
use serde::Serialize;

use crate::judge::Limits;
use crate::plan::{Faults, Plan, PlanError, PlanFile};
use crate::progress::Nobody;
use crate::run::{RunError, Settings, live};
use crate::sweep::{plan_of, sweep};

/// How hard to look.
#[derive(Clone, Debug)]
pub struct Effort {
    /// The most seeds of one hunt.
    pub seeds: u64,
    /// Hunts for each bug, each from another first seed.
    pub hunts: u64,
    /// Seeds at a time.
    pub jobs: usize,
    /// The most runs of a live bug against real processes; the first catch ends them. 0: none.
    pub live: u64,
}

/// What is kept in one cage.
#[derive(Clone, Debug, Serialize)]
pub struct Cage {
    /// The system.
    pub system: &'static str,
    /// Its bug; none for the system as it should be.
    pub bug: Option<&'static str>,
    /// Where it shows.
    pub shows: Option<Shows>,
    /// What was found in virtual time.
    pub sim: Hunted,
    /// What was found against real processes, where that was tried.
    pub live: Option<Hunted>,
    /// Whether all is as it should be: a bug caught wherever it was hunted, a correct system not accused.
    pub good: bool,
}

/// What hunts came to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Hunted {
    /// How many hunts there were.
    pub hunts: u64,
    /// How many of them found something.
    pub found: u64,
    /// The median of the seeds, or runs, that those took.
    pub median: Option<u64>,
    /// The median of the real time that those took, in milliseconds.
    pub median_ms: Option<u64>,
    /// The checkers that found it.
    pub by: BTreeSet<String>,
    /// Everything else that went wrong.
    pub trouble: Vec<String>,
}

/// Hunts for everything that a system has.
pub fn visit(
    system: &SystemInfo,
    effort: &Effort,
    settings: &Settings,
    interrupted: &AtomicBool,
    mut each: impl FnMut(&Cage),
) -> Result<Vec<Cage>, PlanError> {
    let mut cages = Vec::new();
    for bug in std::iter::once(None).chain(system.bugs.iter().map(Some)) {
        let flags = PlanFile {
            version: 1,
            system: Some(system.name.to_owned()),
            bugs: bug.iter().map(|bug| bug.name.to_owned()).collect(),
            ..PlanFile::default()
        };
        let sim = simulate(&flags, bug.is_some(), effort, interrupted)?;
        let live = match bug {
            Some(BugInfo { shows: Shows::Sim, .. }) => None,
            _ if effort.live == 0 => None,
            _ => Some(against_processes(&flags, bug.is_some(), effort, settings, interrupted)?),
        };
        let good = |hunted: &Hunted| {
            hunted.trouble.is_empty()
                && if bug.is_some() { hunted.found == hunted.hunts } else { hunted.found == 0 }
        };
        let cage = Cage {
            system: system.name,
            bug: bug.map(|bug| bug.name),
            shows: bug.map(|bug| bug.shows),
            good: good(&sim) && live.as_ref().is_none_or(good),
            sim,
            live,
        };
        each(&cage);
        cages.push(cage);
    }
    Ok(cages)
}

/// Hunts in virtual time. A correct system is watched over all the seeds of one hunt.
fn simulate(
    flags: &PlanFile,
    bug: bool,
    effort: &Effort,
    interrupted: &AtomicBool,
) -> Result<Hunted, PlanError> {
    // Whatever is wrong with the plan is wrong for every seed.
    plan_of(0, flags)?;
    let mut hunted = Hunted { hunts: if bug { effort.hunts } else { 1 }, ..Hunted::default() };
    let (mut seeds, mut times) = (Vec::new(), Vec::new());
    for hunt in 0..hunted.hunts {
        let begun = Instant::now();
        let first = hunt * 1_000_000;
        let swept = sweep(
            first..first + effort.seeds,
            effort.jobs,
            bug,
            |seed| plan_of(seed, flags).expect("what is right for one seed is right for all"),
            interrupted,
            |_, _| {},
        );
        let invalid = swept.failures.iter().find(|finding| finding.verdict.valid == Validity::Invalid);
        if let Some(finding) = invalid {
            hunted.found += 1;
            hunted.by.extend(accusers(&finding.verdict));
            seeds.push(finding.seed - first + 1);
            times.push(begun.elapsed());
        }
        let others = swept.failures.iter().filter(|finding| finding.verdict.valid != Validity::Invalid);
        hunted
            .trouble
            .extend(others.map(|finding| format!("seed {}: {}", finding.seed, finding.verdict.summary)));
    }
    (hunted.median, hunted.median_ms) = (median(seeds), median(times.iter().map(millis).collect()));
    Ok(hunted)
}

/// Hunts against real processes: up to `effort.live` runs, and the first catch ends them.
fn against_processes(
    flags: &PlanFile,
    bug: bool,
    effort: &Effort,
    settings: &Settings,
    interrupted: &AtomicBool,
) -> Result<Hunted, PlanError> {
    let mut hunted = Hunted { hunts: 1, ..Hunted::default() };
    let begun = Instant::now();
    for seed in 1..=if bug { effort.live } else { 1 } {
        let flags = PlanFile { seed: Some(seed), ..flags.clone() };
        let plan = Plan::assemble(flags, None, None, Faults::default(), seed)?;
        match live(&plan, settings, &mut Nobody, interrupted) {
            Ok(outcome) if outcome.verdict.valid == Validity::Invalid => {
                hunted.found = 1;
                hunted.median = Some(seed);
                hunted.median_ms = Some(millis(&begun.elapsed()));
                hunted.by.extend(accusers(&outcome.verdict));
                break;
            }
            Ok(outcome) => hunted.trouble.extend(outcome.failure.map(|failure| failure.to_string())),
            Err(error @ (RunError::Start { .. } | RunError::Store(_))) => {
                hunted.trouble.push(error.to_string());
            }
        }
    }
    Ok(hunted)
}

fn accusers(verdict: &RunVerdict) -> impl Iterator<Item = String> + '_ {
    verdict
        .checkers
        .iter()
        .filter(|checker| checker.valid == Validity::Invalid)
        .map(|checker| checker.checker.clone())
}

fn millis(duration: &Duration) -> u64 {
    duration.as_millis() as u64
}

fn median(mut values: Vec<u64>) -> Option<u64> {
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

/// The settings of a zoo: where live runs are kept.
pub fn settings(out: &Path, executable: &Path) -> Settings {
    Settings {
        out: out.to_owned(),
        executable: executable.to_owned(),
        command: "rashomon zoo".to_owned(),
        limits: Limits::default(),
    }
}
