//! The zoo: every seeded bug must be caught, no correct system accused, and no legal weakness reported.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use rashomon_core::{Shows, SystemInfo, Validity};
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
    /// The most runs of one hunt against real processes; the first catch ends it. 0: no such hunts.
    pub live: u64,
}

/// What is kept in one cage.
#[derive(Clone, Debug, Serialize)]
pub struct Cage {
    /// The system.
    pub system: &'static str,
    /// What is different about it.
    #[serde(flatten)]
    pub inmate: Inmate,
    /// What was found in virtual time.
    pub sim: Hunted,
    /// What was found against real processes, where that was tried.
    pub live: Option<Hunted>,
    /// Whether all is as it should be: a bug caught in every hunt; a correct system not accused; a legal weakness
    /// seen, and not reported.
    pub good: bool,
}

/// A system, and what is different about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Inmate {
    /// Nothing: it is correct.
    Correct,
    /// Nothing: it is known to break as it stands.
    Weak,
    /// A seeded bug.
    Bug {
        /// Which one.
        bug: &'static str,
        /// Where it shows.
        shows: Shows,
    },
    /// A plan that brings out a legal weakness.
    Control {
        /// Which one.
        control: &'static str,
    },
}

impl Inmate {
    /// Everything that a system has in the zoo.
    fn all(system: &SystemInfo) -> impl Iterator<Item = Inmate> {
        let bugs = system.bugs.iter().map(|bug| Inmate::Bug { bug: bug.name, shows: bug.shows });
        let controls = system.controls.iter().map(|control| Inmate::Control { control: control.name });
        let itself = if system.weak.is_some() { Inmate::Weak } else { Inmate::Correct };
        std::iter::once(itself).chain(bugs).chain(controls)
    }

    /// The name of the bug or of the legal weakness.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Inmate::Correct | Inmate::Weak => None,
            Inmate::Bug { bug, .. } => Some(bug),
            Inmate::Control { control } => Some(control),
        }
    }

    /// Whether it is to be caught, and is hunted until it is.
    fn is_prey(self) -> bool {
        matches!(self, Inmate::Weak | Inmate::Bug { .. })
    }

    fn flags(self, system: &SystemInfo) -> PlanFile {
        let file = PlanFile { version: 1, system: Some(system.name.to_owned()), ..PlanFile::default() };
        match self {
            Inmate::Correct | Inmate::Weak => file,
            Inmate::Bug { bug, .. } => PlanFile { bugs: vec![bug.to_owned()], ..file },
            Inmate::Control { control } => PlanFile { control: Some(control.to_owned()), ..file },
        }
    }

    /// Whether hunts came to what they should.
    fn is_good(self, hunted: &Hunted) -> bool {
        hunted.trouble.is_empty()
            && match self {
                Inmate::Correct => hunted.found == 0,
                Inmate::Weak | Inmate::Bug { .. } => hunted.found == hunted.hunts,
                Inmate::Control { .. } => hunted.found == 0 && hunted.seen > 0,
            }
    }
}

/// What hunts came to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Hunted {
    /// How many hunts there were.
    pub hunts: u64,
    /// How many of them found something.
    pub found: u64,
    /// How many runs there were in all.
    pub runs: u64,
    /// In how many runs the legal weakness was seen.
    pub seen: u64,
    /// The median of the seeds, or runs, that a find took.
    pub median: Option<u64>,
    /// The median of the real time that a find took, in milliseconds.
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
    for inmate in Inmate::all(system) {
        let flags = inmate.flags(system);
        let sim = simulate(&flags, inmate, effort, interrupted)?;
        let live = match inmate {
            Inmate::Bug { shows: Shows::Sim, .. } => None,
            _ if effort.live == 0 => None,
            _ => Some(against_processes(&flags, inmate, effort, settings, interrupted)?),
        };
        let good = inmate.is_good(&sim) && live.as_ref().is_none_or(|hunted| inmate.is_good(hunted));
        let cage = Cage { system: system.name, inmate, sim, live, good };
        each(&cage);
        cages.push(cage);
    }
    Ok(cages)
}

/// Hunts in virtual time. What has no bug is watched over all the seeds of one hunt.
fn simulate(
    flags: &PlanFile,
    inmate: Inmate,
    effort: &Effort,
    interrupted: &AtomicBool,
) -> Result<Hunted, PlanError> {
    // Whatever is wrong with the plan is wrong for every seed.
    plan_of(0, flags)?;
    let mut hunted = Hunted { hunts: if inmate.is_prey() { effort.hunts } else { 1 }, ..Hunted::default() };
    let (mut seeds, mut times) = (Vec::new(), Vec::new());
    for hunt in 0..hunted.hunts {
        let begun = Instant::now();
        let first = hunt * 1_000_000;
        let swept = sweep(
            first..first + effort.seeds,
            effort.jobs,
            inmate.is_prey(),
            |seed| plan_of(seed, flags).expect("what is right for one seed is right for all"),
            interrupted,
            |_, _| {},
        );
        hunted.runs += swept.ran;
        hunted.seen += inmate.name().and_then(|name| swept.weaknesses.get(name)).copied().unwrap_or(0);
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

/// Hunts against real processes: each up to `effort.live` runs, and the first catch ends it. What has no bug is run
/// once a hunt.
fn against_processes(
    flags: &PlanFile,
    inmate: Inmate,
    effort: &Effort,
    settings: &Settings,
    interrupted: &AtomicBool,
) -> Result<Hunted, PlanError> {
    let mut hunted = Hunted { hunts: effort.hunts, ..Hunted::default() };
    let (mut runs, mut times) = (Vec::new(), Vec::new());
    for hunt in 0..hunted.hunts {
        let begun = Instant::now();
        for run in 1..=if inmate.is_prey() { effort.live } else { 1 } {
            let seed = hunt * effort.live + run;
            let flags = PlanFile { seed: Some(seed), ..flags.clone() };
            let plan = Plan::assemble(flags, None, None, Faults::default(), seed)?;
            hunted.runs += 1;
            match live(&plan, settings, &mut Nobody, interrupted) {
                Ok(outcome) => {
                    let verdict = &outcome.verdict;
                    let mut weaknesses = verdict.weaknesses.iter().map(|weakness| weakness.control.as_str());
                    hunted.seen += u64::from(weaknesses.any(|control| Some(control) == inmate.name()));
                    if verdict.valid == Validity::Invalid {
                        hunted.found += 1;
                        hunted.by.extend(accusers(verdict));
                        runs.push(run);
                        times.push(begun.elapsed());
                        break;
                    }
                    hunted.trouble.extend(outcome.failure.map(|failure| failure.to_string()));
                }
                Err(error @ (RunError::Start { .. } | RunError::Store(_))) => {
                    hunted.trouble.push(error.to_string());
                }
            }
        }
    }
    (hunted.median, hunted.median_ms) = (median(runs), median(times.iter().map(millis).collect()));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry;

    #[test]
    fn what_counts_as_good() {
        let bug = Inmate::Bug { bug: "b", shows: Shows::Live };
        let control = Inmate::Control { control: "c" };
        let hunted = |found, seen| Hunted { hunts: 3, found, runs: 9, seen, ..Hunted::default() };
        assert!(Inmate::Correct.is_good(&hunted(0, 0)));
        assert!(!Inmate::Correct.is_good(&hunted(1, 0)), "accused");
        assert!(Inmate::Weak.is_good(&hunted(3, 0)));
        assert!(!Inmate::Weak.is_good(&hunted(0, 0)), "known to break, and nobody saw it");
        assert!(bug.is_good(&hunted(3, 0)));
        assert!(!bug.is_good(&hunted(2, 0)), "escaped once");
        assert!(control.is_good(&hunted(0, 1)));
        assert!(!control.is_good(&hunted(0, 0)), "never seen, so nothing is shown");
        assert!(!control.is_good(&hunted(1, 5)), "a legal weakness reported");
        let troubled = Hunted { trouble: vec!["a node died".into()], ..hunted(3, 1) };
        assert!(!bug.is_good(&troubled));
    }

    #[test]
    fn every_known_weakness_has_a_plan_that_can_be_run() {
        let weak: Vec<SystemInfo> =
            registry::systems().iter().map(|entry| entry.info).filter(|info| info.weak.is_some()).collect();
        assert!(weak.iter().any(|info| info.name == "redlock"));
        for info in weak {
            let plan = Plan::assemble(Inmate::Weak.flags(&info), None, None, Faults::default(), 1);
            assert_eq!(plan.unwrap_or_else(|error| panic!("{}: {error}", info.name)).system.name, info.name);
        }
    }
}
