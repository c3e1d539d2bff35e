//! `rashomon test`: runs a plan against real processes.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rashomon_results::terminal::{self, Shown};
use rashomon_run::plan::{self, PlanError, PlanFile};
use rashomon_run::{Nemesis, Plan, RunError, Settings};

use crate::args::TestArguments;
use crate::exit::{Exit, fail};
use crate::progress;

pub(crate) fn run(arguments: &TestArguments) -> Exit {
    let plan = match lower(arguments) {
        Ok(plan) => plan,
        Err(error) => return fail(Exit::Usage, &error),
    };
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    // The first Ctrl-C ends the run in order; a second one ends the program.
    let handler = ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(255);
        }
    });
    if let Err(error) = handler {
        return fail(Exit::Harness, &error);
    }
    let settings = Settings {
        out: arguments.out.clone(),
        executable: PathBuf::from("/proc/self/exe"),
        command: command(&plan, arguments),
        limits: rashomon_run::judge::Limits::default(),
    };
    let mut observer = progress::observer(&plan, std::io::stderr().is_terminal());
    let outcome = rashomon_run::run(&plan, &settings, observer.as_mut(), &interrupted);
    drop(observer);
    match outcome {
        Err(error @ (RunError::Start { .. } | RunError::Store(_))) => fail(Exit::Harness, &error),
        Ok(outcome) => {
            if arguments.json {
                println!(
                    "{}",
                    serde_json::to_string_pretty(&outcome.verdict).expect("a verdict is plain data")
                );
            } else {
                let colour = progress::colour(std::io::stdout().is_terminal());
                let report = outcome.folder.report_file();
                let shown = Shown {
                    verdict: &outcome.verdict,
                    plan: Some(&outcome.plan),
                    history: Some(&outcome.history),
                    run: Some(outcome.folder.path()),
                    report: Some(&report),
                    colour,
                };
                print!("{}", terminal::render(&shown));
            }
            match outcome.failure {
                Some(error) => fail(Exit::Harness, &error),
                None => outcome.verdict.valid.into(),
            }
        }
    }
}

/// From flags and a plan file to a plan that cannot be wrong.
fn lower(arguments: &TestArguments) -> Result<Plan, PlanError> {
    let wrong = |flag: &str, reason: String| PlanError { origin: flag.to_owned(), line: None, reason };
    let file = arguments.plan.as_ref().map(|path| plan::read(path)).transpose()?;
    let origin = arguments.plan.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
    let kinds = arguments
        .nemesis
        .as_ref()
        .map(|text| plan::parse_kinds(text).map_err(|reason| wrong("--nemesis", reason)))
        .transpose()?;
    let mut options = rashomon_core::Map::new();
    for option in &arguments.options {
        let parsed =
            option.split_once('=').and_then(|(name, number)| Some((name, number.parse::<u64>().ok()?)));
        let Some((name, number)) = parsed else {
            return Err(wrong("--option", format!("`{option}` is not NAME=NUMBER")));
        };
        options.insert(name.to_owned(), number.into());
    }
    let flags = PlanFile {
        version: 1,
        system: arguments.system.clone(),
        nodes: arguments.nodes,
        workload: arguments.workload.clone(),
        time_limit: arguments.time_limit,
        rate: arguments.rate,
        concurrency: arguments.concurrency,
        seed: arguments.seed,
        bugs: arguments.bug.clone(),
        options,
        nemesis: None,
        command: None,
    };
    let file = file.as_ref().map(|(file, text)| (file.clone(), origin.as_str(), text.as_str()));
    Plan::assemble(flags, file, plan::Faults { kinds, interval: arguments.nemesis_interval }, fresh_seed())
}

/// A seed for a run that is given none: the only draw that does not descend from a seed.
fn fresh_seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    // The standard library keys its hashers from the operating system's randomness. Six digits are easy to repeat.
    std::hash::RandomState::new().build_hasher().finish() % 1_000_000
}

/// The command that repeats the run.
fn command(plan: &Plan, arguments: &TestArguments) -> String {
    let mut words = vec!["rashomon test".to_owned(), plan.system.name.to_owned()];
    if let Some(path) = &arguments.plan {
        words.push(format!("--plan {}", path.display()));
    }
    for bug in &plan.bugs {
        words.push(format!("--bug {bug}"));
    }
    words.push(format!("--nodes {} --workload {}", plan.nodes, plan.workload));
    if let Nemesis::Random(random) = &plan.nemesis {
        let kinds: Vec<&str> = random.kinds.iter().map(|kind| kind.name()).collect();
        words.push(if kinds.is_empty() {
            "--nemesis none".to_owned()
        } else {
            format!("--nemesis {} --nemesis-interval {}", kinds.join(","), compact(random.interval))
        });
    }
    words.push(format!(
        "--time-limit {} --rate {} --concurrency {}",
        compact(plan.time_limit),
        plan.rate,
        plan.concurrency
    ));
    for (name, number) in &plan.options {
        words.push(format!("--option {name}={number}"));
    }
    words.push(format!("--seed {}", plan.seed));
    words.join(" ")
}

/// A duration as one word.
fn compact(duration: std::time::Duration) -> String {
    humantime::format_duration(duration).to_string().replace(' ', "")
}
