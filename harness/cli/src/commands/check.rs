//! `rashomon check`: judges recorded histories.

mod told;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rashomon_checkers::formats::{Format, Recording, Streamed};
use rashomon_checkers::{Budget, Question, isolation, judge};
use rashomon_core::{History, Validity, Verdict};
use rashomon_results::{Ended, RunVerdict, Totals, report};
use rashomon_run::Threads;

use super::history::{self, Refusal, Source};
use crate::args::CheckArguments;
use crate::exit::{Exit, fail};
use crate::progress;

/// What a file came to.
struct Judged {
    /// What was judged; of a large history, what the verdict names.
    history: History,
    format: Format,
    notes: Vec<String>,
    verdict: RunVerdict,
    /// The table of isolation levels, where it was asked for and there is one.
    levels: Option<String>,
    /// The budget that ran out before there was an answer.
    spent: Option<Spent>,
    report: Option<PathBuf>,
    reading: Duration,
    checking: Duration,
}

/// A budget that ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spent {
    Time,
    Memory,
}

pub(crate) fn run(arguments: &CheckArguments) -> Exit {
    let question = match question(arguments) {
        Ok(question) => question,
        Err(refusal) => return fail(Exit::Usage, &refusal.reason),
    };
    let mut exit = Exit::Valid;
    let mut sources = Vec::new();
    for path in &arguments.files {
        match history::sources(path) {
            Ok(found) => sources.extend(found),
            Err(refusal) => exit = exit.max(fail(Exit::Usage, &refusal.of(&Source::File(path.clone())))),
        }
    }
    let many = arguments.files.len() > 1 || sources.len() > 1;
    for (flag, path) in [("--report", &arguments.report), ("--dot", &arguments.dot)] {
        if many && path.as_ref().is_some_and(|path| !path.is_dir()) {
            let reason =
                format!("{flag}: several histories need a folder, which must be there, for their files");
            return fail(Exit::Usage, &reason);
        }
    }
    let mut told = told::Teller::new(&sources, many, arguments);
    for (number, source) in sources.iter().enumerate() {
        let result = examine(source, &question, arguments, many.then_some((number, sources.len())));
        let result = result.and_then(|judged| match &arguments.dot {
            Some(path) => graphed(path, source, &judged.verdict).map(|()| judged),
            None => Ok(judged),
        });
        exit = exit.max(match &result {
            Ok(judged) => judged.verdict.valid.into(),
            Err(_) => Exit::Usage,
        });
        told.tell(source, &result);
    }
    told.conclude(exit);
    exit
}

fn question(arguments: &CheckArguments) -> Result<Question, Refusal> {
    let parse = |text: &String| {
        serde_json::from_str(text).map_err(|error| {
            Refusal::new(format!("--initial: `{text}` is not JSON; text takes quotes: {error}"))
        })
    };
    let initial = arguments.initial.as_ref().map(parse).transpose()?;
    Ok(Question {
        model: arguments.model.clone(),
        initial,
        promised: arguments.promised,
        by_search: arguments.by_search,
    })
}

/// Reads and judges one history, which has a place among all.
fn examine(
    source: &Source,
    question: &Question,
    arguments: &CheckArguments,
    place: Option<(usize, usize)>,
) -> Result<Judged, Refusal> {
    let place = place.map_or_else(String::new, |(number, of)| format!("{}/{of} ", number + 1));
    let bar = progress::spinner("{spinner} {wide_msg} {bytes} {elapsed}");
    bar.set_message(format!("{place}{source}: reading"));
    let begun = Instant::now();
    let large = {
        let bounds = Bounds::from_now(arguments);
        let expired = || bounds.expired();
        let threads = Threads::of_this_machine();
        let budget = Budget::new(arguments.budget_memory, &expired).with_crew(&threads);
        let is_drawn = arguments.report.is_some();
        history::judge_large(source, arguments.format, question, is_drawn, &budget, &bar).and_then(|judged| {
            judged.map(|(streamed, reading)| bounds.judged(source, streamed, reading)).transpose()
        })
    };
    let judged = match large {
        Ok(Some(judged)) => Ok(judged),
        Ok(None) => {
            let recording = history::read(source, arguments.format, &bar);
            let reading = begun.elapsed();
            bar.set_message(format!("{place}{source}: judging"));
            recording.and_then(|recording| decide(source, recording, question, arguments, reading))
        }
        Err(refusal) => Err(refusal),
    };
    bar.finish_and_clear();
    judged
}

fn decide(
    source: &Source,
    recording: Recording,
    question: &Question,
    arguments: &CheckArguments,
    reading: Duration,
) -> Result<Judged, Refusal> {
    let bounds = Bounds::from_now(arguments);
    let expired = || bounds.expired();
    let threads = Threads::of_this_machine();
    let budget = Budget::new(arguments.budget_memory, &expired).with_crew(&threads);
    let verdict = judge(&recording, question, &budget)?;
    let checking = bounds.begun.elapsed();
    let spent = bounds.spent(&verdict);
    let levels = levels(arguments, &verdict);
    let totals = Totals::of(&recording.history);
    let verdict = RunVerdict::new(vec![verdict], Vec::new(), Vec::new(), totals, Ended::Recorded);
    let report = match &arguments.report {
        Some(path) => Some(reported(path, source, &recording.history, 0, &recording.notes, &verdict)?),
        None => None,
    };
    let Recording { history, format, notes, .. } = recording;
    Ok(Judged { history, format, notes, verdict, levels, spent, report, reading, checking })
}

fn levels(arguments: &CheckArguments, verdict: &Verdict) -> Option<String> {
    if arguments.levels && !verdict.stats.contains_key("levels") {
        eprintln!("note: {} judges no isolation levels, so there is no table of them", verdict.checker);
    }
    if arguments.levels { isolation::table(verdict) } else { None }
}

/// The time that a verdict may take, and whether it was up.
struct Bounds<'a> {
    arguments: &'a CheckArguments,
    begun: Instant,
    late: AtomicBool,
}

impl<'a> Bounds<'a> {
    fn from_now(arguments: &'a CheckArguments) -> Bounds<'a> {
        Bounds { arguments, begun: Instant::now(), late: AtomicBool::new(false) }
    }

    fn expired(&self) -> bool {
        let is_late = self.begun.elapsed() >= self.arguments.budget_time;
        self.late.fetch_or(is_late, Ordering::Relaxed);
        is_late
    }

    fn spent(&self, verdict: &Verdict) -> Option<Spent> {
        match verdict.valid {
            Validity::Unknown if self.late.load(Ordering::Relaxed) => Some(Spent::Time),
            Validity::Unknown if Budget::is_out_of_memory(verdict) => Some(Spent::Memory),
            Validity::Valid | Validity::Unknown | Validity::Invalid => None,
        }
    }

    /// What became of a file that was judged while it was read.
    fn judged(&self, source: &Source, streamed: Streamed, reading: Duration) -> Result<Judged, Refusal> {
        let Streamed { verdict, ops, ok, fail, last, first_ok, format, notes, excerpt } = streamed;
        let checking = self.begun.elapsed().saturating_sub(reading);
        let (spent, levels) = (self.spent(&verdict), levels(self.arguments, &verdict));
        let info = ops - ok - fail;
        let totals = Totals { ops, ok, fail, info, duration: last, first_ok, ..Totals::default() };
        let verdict = RunVerdict::new(vec![verdict], Vec::new(), Vec::new(), totals, Ended::Recorded);
        let history = excerpt;
        let report = match &self.arguments.report {
            Some(path) => {
                let left_out = ops - history.pairs().count() as u64;
                Some(reported(path, source, &history, left_out, &notes, &verdict)?)
            }
            None => None,
        };
        Ok(Judged { history, format, notes, verdict, levels, spent, report, reading, checking })
    }
}

/// Writes the page of a history, of which so many operations are left out: to the path, or into it where it is a folder.
fn reported(
    path: &Path,
    source: &Source,
    history: &History,
    left_out: u64,
    notes: &[String],
    verdict: &RunVerdict,
) -> Result<PathBuf, Refusal> {
    let title = source.to_string();
    let page = report::render_parts(&report::Parts {
        left_out,
        verdict: Some(verdict),
        missing: notes,
        ..report::Parts::new(&title, history)
    });
    written(path, source, "html", &page)
}

/// Writes the cycles among a verdict's anomalies as graphs: to the path, or into it where it is a folder.
fn graphed(path: &Path, source: &Source, verdict: &RunVerdict) -> Result<(), Refusal> {
    let graphs = verdict.checkers.iter().flat_map(|checker| {
        checker.anomalies.iter().filter_map(move |anomaly| {
            let graph = anomaly.details.get("dot").and_then(serde_json::Value::as_str)?;
            Some(format!("// {}, found by {}\n{graph}\n", anomaly.name, checker.checker))
        })
    });
    let mut graphs: String = graphs.collect();
    if graphs.is_empty() {
        graphs += "// No anomaly is a cycle.\n";
    }
    written(path, source, "dot", &graphs).map(drop)
}

/// Writes a file that belongs to a history: to the path, or into it where it is a folder.
fn written(path: &Path, source: &Source, extension: &str, text: &str) -> Result<PathBuf, Refusal> {
    let path = if path.is_dir() {
        let name = source.to_string().trim_matches(['.', '/']).replace(['/', '\\'], "-");
        path.join(format!("{name}.{extension}"))
    } else {
        path.to_owned()
    };
    let named = |error: std::io::Error| Refusal::new(format!("{}: {error}", path.display()));
    std::fs::write(&path, text).map_err(named)?;
    Ok(path)
}
