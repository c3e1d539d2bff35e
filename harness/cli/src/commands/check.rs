//! `rashomon check`: judges a recorded history.

use std::io::IsTerminal;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, anyhow};
use rashomon_checkers::formats::{self, Format, Recording};
use rashomon_checkers::{Budget, Question, isolation, judge};
use rashomon_results::terminal::{self, Shown};
use rashomon_results::{Ended, RunVerdict, Totals, report};

use crate::args::CheckArguments;
use crate::exit::{Exit, fail};
use crate::progress;

pub(crate) fn run(arguments: &CheckArguments) -> Exit {
    match check(arguments) {
        Ok(exit) => exit,
        Err(error) => fail(Exit::Usage, &format!("{error:#}")),
    }
}

fn check(arguments: &CheckArguments) -> anyhow::Result<Exit> {
    // A run's folder stands for its history.
    let file =
        if arguments.file.is_dir() { arguments.file.join("history.jsonl") } else { arguments.file.clone() };
    let recording = read(&file, arguments.format)?;
    let initial = arguments
        .initial
        .as_ref()
        .map(|text| {
            serde_json::from_str(text)
                .with_context(|| format!("--initial: `{text}` is not JSON; text takes quotes"))
        })
        .transpose()?;
    let question = Question { model: arguments.model.clone(), initial, promised: arguments.promised };
    let end = Instant::now() + arguments.budget_time;
    let expired = || Instant::now() >= end;
    let budget = Budget::new(arguments.budget_memory << 20, &expired);
    let verdict = judge(&recording, &question, &budget).with_context(|| file.display().to_string())?;
    let levels = isolation::table(&verdict).filter(|_| arguments.levels && !arguments.json);
    if arguments.levels && !verdict.stats.contains_key("levels") {
        eprintln!("note: {} judges no isolation levels, so there is no table of them", verdict.checker);
    }
    let totals = Totals::of(&recording.history);
    let verdict = RunVerdict::new(vec![verdict], Vec::new(), Vec::new(), totals, Ended::Recorded);
    if let Some(path) = &arguments.report {
        let page = report::render_parts(&report::Parts {
            verdict: Some(&verdict),
            missing: &recording.notes,
            ..report::Parts::new(&file.display().to_string(), &recording.history)
        });
        std::fs::write(path, page).with_context(|| path.display().to_string())?;
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&verdict)?);
    } else {
        for note in &recording.notes {
            eprintln!("note: {note}");
        }
        let shown = Shown {
            verdict: &verdict,
            plan: None,
            history: Some(&recording.history),
            run: None,
            report: arguments.report.as_deref(),
            colour: progress::colour(std::io::stdout().is_terminal()),
        };
        print!("{}", terminal::render(&shown));
        if let Some(levels) = levels {
            print!("\n{levels}");
        }
    }
    Ok(verdict.valid.into())
}

fn read(file: &Path, format: Option<Format>) -> anyhow::Result<Recording> {
    let named = || file.display().to_string();
    let bytes = std::fs::read(file).with_context(named)?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let before =
            String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]).into_owned();
        let line = 1 + before.matches('\n').count();
        anyhow!("{}:{line}: not UTF-8 text", file.display())
    })?;
    let located = |error: rashomon_core::HistoryError| match error {
        rashomon_core::HistoryError::Malformed { line, reason } => {
            anyhow!("{}:{line}: {reason}", file.display())
        }
        error @ rashomon_core::HistoryError::Io { .. } => anyhow!("{}: {error}", file.display()),
    };
    let format = match format {
        Some(format) => format,
        None => Format::detect(&text).map_err(located)?,
    };
    formats::read(format, &text).map_err(located)
}
