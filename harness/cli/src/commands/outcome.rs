//! How a run is told, and how it ends.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rashomon_results::terminal::{self, Shown};
use rashomon_run::{Outcome, RunError};

use crate::exit::{Exit, fail};
use crate::progress;

/// A flag that the first Ctrl-C raises, so that the run ends in order; a second one ends the program.
pub(super) fn interruption() -> Result<Arc<AtomicBool>, ctrlc::Error> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(255);
        }
    })?;
    Ok(interrupted)
}

/// Prints the verdict for people.
pub(super) fn told(outcome: &Outcome) {
    let report = outcome.folder.report_file();
    let shown = Shown {
        verdict: &outcome.verdict,
        plan: Some(&outcome.plan),
        history: Some(&outcome.history),
        run: Some(outcome.folder.path()),
        report: Some(&report),
        colour: progress::colour(std::io::stdout().is_terminal()),
    };
    out!("{}", terminal::render(&shown));
}

/// Prints the verdict, and says how the program ends.
pub(super) fn tell(outcome: Result<Outcome, RunError>, json: bool) -> Exit {
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(error @ (RunError::Start { .. } | RunError::Store(_))) => return fail(Exit::Harness, &error),
    };
    if json {
        outln!("{}", serde_json::to_string_pretty(&outcome.verdict).expect("a verdict is plain data"));
    } else {
        told(&outcome);
    }
    match outcome.failure {
        Some(error) => fail(Exit::Harness, &error),
        None => outcome.verdict.valid.into(),
    }
}
