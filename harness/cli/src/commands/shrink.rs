//! Shrinks a failing run, and keeps both.

use std::fmt::Write as _;
use std::io::IsTerminal;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use rashomon_results::{Shrunk, Size};
use rashomon_run::progress::Nobody;
use rashomon_run::shrink::{Effort, Progress, shrink, trace};
use rashomon_run::{Outcome, Plan, RunError, Settings};

use crate::args::SimArguments;
use crate::progress;

/// A failing run as it is kept.
pub(super) struct Kept {
    /// The run: the shrunk one, if it could be shrunk.
    pub(super) outcome: Outcome,
    /// What was made of what.
    pub(super) shrunk: Option<Shrunk>,
    /// What to tell of it, line by line.
    pub(super) words: String,
}

/// How many attempts at a time.
pub(super) fn jobs(arguments: &SimArguments) -> usize {
    arguments.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
}

/// The command that tells a schedule again.
pub(super) fn again(file: &Path) -> String {
    format!("{} sim --schedule {}", super::plan::program(), file.display())
}

/// Shrinks an invalid run, unless that is not wanted. The folder of what is left holds that of the original.
pub(super) fn kept(
    arguments: &SimArguments,
    plan: &Plan,
    original: Outcome,
    settings: &Settings,
    interrupted: &AtomicBool,
) -> Result<Kept, RunError> {
    if arguments.no_shrink {
        trace(plan, &original, interrupted)?;
        return Ok(Kept { outcome: original, shrunk: None, words: String::new() });
    }
    if !std::io::stderr().is_terminal() {
        eprintln!("shrinking, for {} at most", humantime::format_duration(arguments.shrink_time));
    }
    let bar = progress::spinner("{spinner} shrinking  {msg}");
    let watch = |progress: &Progress| {
        let Progress { step, attempts, faults, ops } = progress;
        bar.set_message(format!("{faults} faults, {ops} ops  trying fewer {step}, run {attempts}"));
    };
    let effort = Effort { jobs: jobs(arguments), time: arguments.shrink_time };
    let story = shrink(plan, &settings.command, &effort, interrupted, &watch);
    bar.finish_and_clear();
    let story = match story {
        Ok(story) => story,
        Err(reason) => {
            trace(plan, &original, interrupted)?;
            let words = format!("  not shrunk: {reason}\n");
            return Ok(Kept { outcome: original, shrunk: None, words });
        }
    };
    let folder = rashomon_results::RunFolder::create_fresh(&settings.out, plan.system.name)?;
    let original = folder.adopt(&original.folder)?;
    let settings = Settings { command: again(&folder.shrunk_file()), ..settings.clone() };
    // A story that was cut short by Ctrl-C is told nevertheless.
    let never = AtomicBool::new(false);
    let outcome = rashomon_run::scheduled_in(folder, &story, &settings, &mut Nobody, &never)?;
    let words = story.shrunk.as_ref().map(|shrunk| words(shrunk, &outcome, original.path()));
    Ok(Kept { outcome, shrunk: story.shrunk, words: words.unwrap_or_default() })
}

/// What was made of what, and how to go on from there.
fn words(shrunk: &Shrunk, outcome: &Outcome, original: &Path) -> String {
    let file = outcome.folder.shrunk_file();
    let mut text = String::new();
    let Shrunk { before, after, attempts, took_ms, unfinished, .. } = shrunk;
    let change = |name: &str, of: fn(&Size) -> u64| format!("{name} {} to {}", of(before), of(after));
    let changes = [
        change("faults", |size| size.faults),
        change("nodes", |size| size.nodes),
        change("clients", |size| size.clients),
        change("ops", |size| size.ops),
        change("messages", |size| size.messages),
        change("touched by the network", |size| size.touched),
    ];
    let seconds = *took_ms as f64 / 1000.0;
    let _ = writeln!(text, "  shrunk  {}", changes.join(", "));
    let more = if *unfinished { "; time was up before all was tried" } else { "" };
    let _ = writeln!(text, "          in {attempts} runs and {seconds:.1} s{more}");
    let _ =
        writeln!(text, "  live    {} test --schedule {} --times 10", super::plan::program(), file.display());
    let _ = writeln!(text, "  from    {}, kept in {}", shrunk.command, original.display());
    text
}
