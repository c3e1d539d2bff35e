//! `rashomon sim`: runs a plan in virtual time, for one seed or for many.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use rashomon_core::Validity;
use rashomon_run::judge::Limits;
use rashomon_run::plan::PlanError;
use rashomon_run::sweep::{Sweep, mixture, sweep};
use rashomon_run::{Plan, Settings, schedule};
use serde_json::json;

use super::outcome::{interruption, tell, told};
use super::plan::{self, Said};
use super::shrink::{self, Kept};
use crate::args::SimArguments;
use crate::exit::{Exit, fail};
use crate::progress;

pub(crate) fn run(arguments: &SimArguments) -> Exit {
    let interrupted = match interruption() {
        Ok(interrupted) => interrupted,
        Err(error) => return fail(Exit::Harness, &error),
    };
    if let Some(file) = &arguments.schedule {
        return listed(arguments, file, &interrupted);
    }
    let said = match plan::said(&arguments.plan, None) {
        Ok(said) => said,
        Err(error) => return fail(Exit::Usage, &error),
    };
    let first = said.seed().unwrap_or_else(|| if arguments.seeds.is_some() { 0 } else { plan::fresh_seed() });
    // Whatever is wrong with the plan is wrong for every seed.
    let plan = match mixed(&said, first) {
        Ok(plan) => plan,
        Err(error) => return fail(Exit::Usage, &error),
    };
    match arguments.seeds {
        None => one(arguments, &plan, &interrupted),
        Some(0) => fail(Exit::Usage, &"--seeds 0: there is nothing to run"),
        Some(count) => many(arguments, &said, &plan, first, count, &interrupted),
    }
}

/// The plan of a seed: what nobody says is its own mixture.
fn mixed(said: &Said, seed: u64) -> Result<Plan, PlanError> {
    let said = said.with_seed(seed);
    let system = said.plan(None, seed)?.system;
    said.plan(Some(mixture(seed, &system)), seed)
}

fn settings(arguments: &SimArguments, command: String) -> Settings {
    Settings {
        out: arguments.output.out.clone(),
        executable: PathBuf::new(),
        command,
        limits: Limits::default(),
    }
}

/// A run that is told again from its schedule.
fn listed(arguments: &SimArguments, file: &Path, interrupted: &AtomicBool) -> Exit {
    let schedule = match schedule::read(file) {
        Ok(schedule) => schedule,
        Err(error) => return fail(Exit::Usage, &error),
    };
    if let Err(error) = plan::same_system(&arguments.plan, file, &schedule) {
        return fail(Exit::Usage, &error);
    }
    let settings = settings(arguments, shrink::again(file));
    let mut observer = progress::observer(&schedule.plan, std::io::stderr().is_terminal());
    let outcome = rashomon_run::scheduled(&schedule, &settings, observer.as_mut(), interrupted);
    drop(observer);
    tell(outcome, arguments.output.json)
}

/// One seed, with all its files.
fn one(arguments: &SimArguments, plan: &Plan, interrupted: &AtomicBool) -> Exit {
    let settings = settings(arguments, plan::command("sim", plan, &arguments.plan, None));
    let mut observer = progress::observer(plan, std::io::stderr().is_terminal());
    let outcome = rashomon_run::simulated(plan, &settings, observer.as_mut(), interrupted);
    drop(observer);
    match outcome {
        Ok(outcome) if outcome.verdict.valid == Validity::Invalid => {
            match shrink::kept(arguments, plan, outcome, &settings, interrupted) {
                Ok(kept) => {
                    let exit = tell(Ok(kept.outcome), arguments.output.json);
                    if arguments.output.json {
                        eprint!("{}", kept.words);
                    } else {
                        out!("{}", kept.words);
                    }
                    exit
                }
                Err(error) => fail(Exit::Harness, &error),
            }
        }
        outcome => tell(outcome, arguments.output.json),
    }
}

fn many(
    arguments: &SimArguments,
    said: &Said,
    plan: &Plan,
    first: u64,
    count: u64,
    interrupted: &AtomicBool,
) -> Exit {
    let bar = progress::counter(count, "{spinner} {pos}/{len} seeds  {per_sec}  {msg}");
    let begun = Instant::now();
    let anomalies = Mutex::new(BTreeMap::<String, u64>::new());
    let swept = sweep(
        first..first.saturating_add(count),
        shrink::jobs(arguments),
        !arguments.keep_going,
        |seed| mixed(said, seed).expect("what is right for one seed is right for all"),
        interrupted,
        |seed, verdict| {
            bar.inc(1);
            if verdict.valid == Validity::Invalid {
                bar.set_message(format!("seed {seed}: {}", verdict.summary));
                let names = verdict.checkers.iter().filter_map(|checker| checker.anomalies.first());
                let mut anomalies = anomalies.lock().expect("no thread panics while it counts");
                names.for_each(|anomaly| *anomalies.entry(anomaly.name.clone()).or_default() += 1);
            }
        },
    );
    bar.finish_and_clear();
    let seconds = begun.elapsed().as_secs_f64();
    let anomalies = anomalies.into_inner().expect("no thread panicked while it counted");
    let again = |seed: u64| {
        let words = std::env::args().skip(2).collect::<Vec<_>>();
        repeat(plan.system.name, &words, seed)
    };
    let exit = judged(&swept, count);
    let invalid = swept.failures.iter().find(|finding| finding.verdict.valid == Validity::Invalid);
    let kept = match invalid.map(|finding| keep(arguments, said, finding.seed, &again, interrupted)) {
        None => None,
        Some(Ok(kept)) => Some(kept),
        Some(Err(error)) => return fail(Exit::Harness, &error),
    };
    if arguments.output.json {
        let failures: Vec<_> = swept
            .failures
            .iter()
            .map(|f| json!({"seed": f.seed, "valid": f.verdict.valid, "summary": f.verdict.summary, "again": again(f.seed)}))
            .collect();
        let report = json!({
            "system": plan.system.name, "bugs": plan.bugs, "first_seed": first, "ran": swept.ran, "valid": swept.valid,
            "vacuous": swept.vacuous, "failures": failures, "anomalies": anomalies, "seconds": seconds,
            "run": kept.as_ref().map(|kept| kept.outcome.folder.path()), "shrunk": kept.as_ref().map(|kept| &kept.shrunk),
        });
        outln!("{report:#}");
        return exit;
    }
    let word = match exit {
        Exit::Valid => "VALID",
        Exit::Invalid => "INVALID",
        Exit::Unknown | Exit::Usage | Exit::Harness => "UNKNOWN",
    };
    outln!(
        "{word}  {} in virtual time: {} seeds from {first}, {:.1} a second",
        plan.system.name,
        swept.ran,
        swept.ran as f64 / seconds
    );
    outln!("  {} valid, {} vacuous, {} failed", swept.valid, swept.vacuous, swept.failures.len());
    if let Some(found) = invalid.or(swept.failures.first()) {
        outln!("  seed {}: {}", found.seed, found.verdict.summary);
        outln!("  again   {}", again(found.seed));
    }
    if let Some(kept) = kept {
        outln!();
        told(&kept.outcome);
        out!("{}", kept.words);
    }
    exit
}

/// Runs the seed again, with all its files, and shrinks it.
fn keep(
    arguments: &SimArguments,
    said: &Said,
    seed: u64,
    again: &dyn Fn(u64) -> String,
    interrupted: &AtomicBool,
) -> Result<Kept, rashomon_run::RunError> {
    let plan = mixed(said, seed).expect("what is right for one seed is right for all");
    let settings = settings(arguments, again(seed));
    let outcome =
        rashomon_run::simulated(&plan, &settings, &mut rashomon_run::progress::Nobody, interrupted)?;
    shrink::kept(arguments, &plan, outcome, &settings, interrupted)
}

/// The command that replays one seed of a sweep: the same words, without those that make it many.
fn repeat(system: &str, words: &[String], seed: u64) -> String {
    let mut kept = vec![format!("{} sim {system} --seed {seed}", plan::program())];
    let mut words = words.iter().filter(|word| *word != system);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--keep-going" | "--json" | "--no-shrink" => {}
            "--seeds" | "--seed" | "--jobs" | "--shrink-time" | "-j" | "-s" => drop(words.next()),
            word if ["--seed", "--jobs=", "--shrink-time="].iter().any(|left| word.starts_with(left)) => {}
            word => kept.push(word.to_owned()),
        }
    }
    kept.join(" ")
}

/// The worst of all seeds; where most of them proved nothing, so did the sweep.
fn judged(swept: &Sweep, wanted: u64) -> Exit {
    let worst = swept.failures.iter().map(|finding| finding.verdict.valid).max();
    match worst {
        Some(valid) => valid.into(),
        None if swept.ran < wanted || swept.valid * 2 < swept.ran => Exit::Unknown,
        None => Exit::Valid,
    }
}
