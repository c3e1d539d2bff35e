//! From flags and a plan file to a plan that cannot be wrong, and back to the command that repeats it.

use std::path::Path;

use rashomon_run::plan::{self, PlanError, PlanFile};
use rashomon_run::{Nemesis, Plan, Schedule};

use crate::args::PlanArguments;

/// What the flags and the plan file say, before it is checked.
pub(super) struct Said {
    flags: PlanFile,
    file: Option<(PlanFile, String, String)>,
    faults: plan::Faults,
}

impl Said {
    /// A plan that cannot be wrong, on top of what `base` says; a seed that nobody gives is `fresh_seed`.
    pub(super) fn plan(&self, base: Option<PlanFile>, fresh_seed: u64) -> Result<Plan, PlanError> {
        let file =
            self.file.as_ref().map(|(file, origin, text)| (file.clone(), origin.as_str(), text.as_str()));
        Plan::assemble(self.flags.clone(), file, base, self.faults.clone(), fresh_seed)
    }

    /// The seed that the flags or the file give.
    pub(super) fn seed(&self) -> Option<u64> {
        self.flags.seed.or_else(|| self.file.as_ref().and_then(|(file, ..)| file.seed))
    }

    /// The same with another seed.
    pub(super) fn with_seed(&self, seed: u64) -> Said {
        let flags = PlanFile { seed: Some(seed), ..self.flags.clone() };
        Said { flags, file: self.file.clone(), faults: self.faults.clone() }
    }
}

/// Reads flags and plan file.
pub(super) fn said(arguments: &PlanArguments, replay: Option<&Path>) -> Result<Said, PlanError> {
    let wrong = |flag: &str, reason: String| PlanError { origin: flag.to_owned(), line: None, reason };
    let read = arguments.plan.as_ref().map(|path| plan::read(path)).transpose()?;
    let replayed = replay.map(rashomon_run::replay).transpose()?.map(|file| (file, String::new()));
    let file = read.or(replayed);
    let origin =
        arguments.plan.as_deref().or(replay).map(|path| path.display().to_string()).unwrap_or_default();
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
        control: arguments.control.clone(),
        options,
        simulation: None,
        nemesis: None,
        command: None,
    };
    let file = file.map(|(file, text)| (file, origin, text));
    Ok(Said { flags, file, faults: plan::Faults { kinds, interval: arguments.nemesis_interval } })
}

/// The flags may name the system of a schedule, and nothing else that it says itself.
pub(super) fn same_system(
    arguments: &PlanArguments,
    file: &Path,
    schedule: &Schedule,
) -> Result<(), PlanError> {
    let wrong = |reason: String| PlanError { origin: "command line".to_owned(), line: None, reason };
    let system = schedule.plan.system.name;
    if arguments.system.as_ref().is_some_and(|named| named != system) {
        return Err(wrong(format!("{} is of the system {system}", file.display())));
    }
    let PlanArguments { system: _, nodes, workload, nemesis, nemesis_interval, time_limit, rate, .. } =
        arguments;
    let PlanArguments { concurrency, seed, bug, options, plan, .. } = arguments;
    let flags = [
        (nodes.is_some(), "--nodes"),
        (workload.is_some(), "--workload"),
        (nemesis.is_some(), "--nemesis"),
        (nemesis_interval.is_some(), "--nemesis-interval"),
        (time_limit.is_some(), "--time-limit"),
        (rate.is_some(), "--rate"),
        (concurrency.is_some(), "--concurrency"),
        (seed.is_some(), "--seed"),
        (!bug.is_empty(), "--bug"),
        (!options.is_empty(), "--option"),
        (plan.is_some(), "--plan"),
    ];
    match flags.iter().find(|(given, _)| *given) {
        Some((_, flag)) => Err(wrong(format!("{flag} goes with no --schedule: the schedule says it"))),
        None => Ok(()),
    }
}

/// A seed for a run that is given none: the only draw that does not descend from a seed.
pub(super) fn fresh_seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    // The standard library keys its hashers from the operating system's randomness. Six digits are easy to repeat.
    std::hash::RandomState::new().build_hasher().finish() % 1_000_000
}

/// How this binary was called: `rashomon`, or the name of one that brings systems of its own.
pub(super) fn program() -> String {
    let called = std::env::args_os().next().map(std::path::PathBuf::from);
    let name = called.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_else(|| "rashomon".to_owned())
}

/// The command that repeats the run.
pub(super) fn command(verb: &str, plan: &Plan, arguments: &PlanArguments, replay: Option<&Path>) -> String {
    let mut words = vec![format!("{} {verb} {}", program(), plan.system.name)];
    if let Some(path) = &arguments.plan {
        words.push(format!("--plan {}", path.display()));
    }
    if let Some(path) = replay {
        words.push(format!("--replay {}", path.display()));
    }
    for bug in &plan.bugs {
        words.push(format!("--bug {bug}"));
    }
    if let Some(control) = &plan.control {
        words.push(format!("--control {control}"));
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
