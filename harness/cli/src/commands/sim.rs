//! `rashomon sim`: runs a plan in virtual time, for one seed or for many.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rashomon_core::Validity;
use rashomon_run::judge::Limits;
use rashomon_run::plan::PlanError;
use rashomon_run::sweep::{Sweep, mixture, sweep};
use rashomon_run::{Plan, Settings};
use serde_json::json;

use super::outcome::{interruption, tell};
use super::plan::{self, Said};
use crate::args::SimArguments;
use crate::exit::{Exit, fail};
use crate::progress;

pub(crate) fn run(arguments: &SimArguments) -> Exit {
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
        None => one(arguments, &plan),
        Some(0) => fail(Exit::Usage, &"--seeds 0: there is nothing to run"),
        Some(count) => many(arguments, &said, &plan, first, count),
    }
}

/// The plan of a seed: what nobody says is its own mixture.
fn mixed(said: &Said, seed: u64) -> Result<Plan, PlanError> {
    let said = said.with_seed(seed);
    let system = said.plan(None, seed)?.system;
    said.plan(Some(mixture(seed, &system)), seed)
}

fn one(arguments: &SimArguments, plan: &Plan) -> Exit {
    let interrupted = match interruption() {
        Ok(interrupted) => interrupted,
        Err(error) => return fail(Exit::Harness, &error),
    };
    let settings = Settings {
        out: arguments.output.out.clone(),
        executable: PathBuf::new(),
        command: plan::command("sim", plan, &arguments.plan, None),
        limits: Limits::default(),
    };
    let mut observer = progress::observer(plan, std::io::stderr().is_terminal());
    let outcome = rashomon_run::simulated(plan, &settings, observer.as_mut(), &interrupted);
    drop(observer);
    tell(outcome, arguments.output.json)
}

fn many(arguments: &SimArguments, said: &Said, plan: &Plan, first: u64, count: u64) -> Exit {
    let interrupted = match interruption() {
        Ok(interrupted) => interrupted,
        Err(error) => return fail(Exit::Harness, &error),
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let target = if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(Some(count), target);
    let style = ProgressStyle::with_template("{spinner} {pos}/{len} seeds  {per_sec}  {msg}");
    bar.set_style(style.expect("the template is well formed"));
    let begun = Instant::now();
    let anomalies = Mutex::new(BTreeMap::<String, u64>::new());
    let swept = sweep(
        first..first.saturating_add(count),
        arguments.jobs.unwrap_or(cores),
        !arguments.keep_going,
        |seed| mixed(said, seed).expect("what is right for one seed is right for all"),
        &interrupted,
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
    if arguments.output.json {
        let failures: Vec<_> = swept
            .failures
            .iter()
            .map(|f| json!({"seed": f.seed, "valid": f.verdict.valid, "summary": f.verdict.summary, "again": again(f.seed)}))
            .collect();
        let report = json!({
            "system": plan.system.name, "bugs": plan.bugs, "first_seed": first, "ran": swept.ran, "valid": swept.valid,
            "vacuous": swept.vacuous, "failures": failures, "anomalies": anomalies, "seconds": seconds,
        });
        println!("{report:#}");
        return exit;
    }
    let word = match exit {
        Exit::Valid => "VALID",
        Exit::Invalid => "INVALID",
        Exit::Unknown | Exit::Usage | Exit::Harness => "UNKNOWN",
    };
    println!(
        "{word}  {} in virtual time: {} seeds from {first}, {:.1} a second",
        plan.system.name,
        swept.ran,
        swept.ran as f64 / seconds
    );
    println!("  {} valid, {} vacuous, {} failed", swept.valid, swept.vacuous, swept.failures.len());
    if let Some(found) = swept.failures.first() {
        println!("  seed {}: {}", found.seed, found.verdict.summary);
        println!("  again   {}", again(found.seed));
    }
    exit
}

/// The command that replays one seed of a sweep: the same words, without those that make it many.
fn repeat(system: &str, words: &[String], seed: u64) -> String {
    let mut kept = vec![format!("rashomon sim {system} --seed {seed}")];
    let mut words = words.iter().filter(|word| *word != system);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--keep-going" | "--json" => {}
            "--seeds" | "--seed" | "--jobs" | "-j" | "-s" => drop(words.next()),
            word if word.starts_with("--seed") || word.starts_with("--jobs=") => {}
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
