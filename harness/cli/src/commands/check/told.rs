//! How the verdicts on histories are told: one in full, many in a line each, or as JSON.

use std::io::IsTerminal;
use std::time::Duration;

use rashomon_core::Validity;
use rashomon_results::terminal::{self, Shown};
use serde_json::{Value, json};

use super::{Judged, Spent};
use crate::args::CheckArguments;
use crate::commands::history::{Refusal, Source};
use crate::exit::Exit;
use crate::progress;

/// The longest that a line says why, in characters; a check of that file alone says it in full.
const SUMMARY: usize = 110;

/// The widest that names are made, to stand in a column.
const NAME: usize = 48;

/// Tells verdicts as they come.
pub(super) struct Teller<'a> {
    arguments: &'a CheckArguments,
    many: bool,
    width: usize,
    /// Of each kind: valid, unknown, invalid, refused.
    counts: [usize; 4],
}

impl<'a> Teller<'a> {
    pub(super) fn new(sources: &[Source], many: bool, arguments: &'a CheckArguments) -> Teller<'a> {
        let widths = sources.iter().map(|source| source.to_string().chars().count());
        Teller { arguments, many, width: widths.max().unwrap_or(0).min(NAME), counts: [0; 4] }
    }

    pub(super) fn tell(&mut self, source: &Source, result: &Result<Judged, Refusal>) {
        self.counts[match result {
            Ok(judged) => judged.verdict.valid as usize,
            Err(_) => 3,
        }] += 1;
        if let Err(refusal) = result {
            eprintln!("error: {}", refusal.of(source));
        }
        match result {
            _ if self.arguments.json => outln!("{}", self.object(source, result)),
            Err(refusal) if self.many => outln!("REFUSED  {} {}", self.name(source), refusal.reason),
            Err(_) => {}
            Ok(judged) if self.many => self.line(source, judged),
            Ok(judged) => self.full(judged),
        }
    }

    /// The sum of many.
    pub(super) fn conclude(&self, exit: Exit) {
        if !self.many || self.arguments.json {
            return;
        }
        let [valid, unknown, invalid, refused] = self.counts;
        let word = match exit {
            Exit::Valid => "VALID",
            Exit::Unknown => "UNKNOWN",
            Exit::Invalid => "INVALID",
            Exit::Usage | Exit::Harness => "REFUSED",
        };
        let total: usize = self.counts.iter().sum();
        outln!(
            "\n{word}  {total} histories: {valid} valid, {invalid} invalid, {unknown} unknown, {refused} refused"
        );
    }

    fn name(&self, source: &Source) -> String {
        format!("{:<width$}", source.to_string(), width = self.width)
    }

    fn line(&self, source: &Source, judged: &Judged) {
        let word = match judged.verdict.valid {
            Validity::Valid => "VALID",
            Validity::Unknown => "UNKNOWN",
            Validity::Invalid => "INVALID",
        };
        let (ops, took) = (judged.verdict.totals.ops, short(judged.reading + judged.checking));
        let summary = judged.verdict.checkers.first().map_or("", |checker| checker.summary.as_str());
        let summary: String =
            summary.chars().map(|next| if next.is_control() { ' ' } else { next }).collect();
        let cut = if summary.chars().count() > SUMMARY {
            summary.chars().take(SUMMARY - 1).chain(['…']).collect()
        } else {
            summary
        };
        outln!("{word:<7}  {} {ops:>9} ops {took:>8}  {cut}", self.name(source));
        if let Some(spent) = judged.spent {
            outln!("         {}", self.raise(spent));
        }
        if let Some(levels) = &judged.levels {
            outln!("\n{levels}");
        }
    }

    fn full(&self, judged: &Judged) {
        for note in &judged.notes {
            eprintln!("note: {note}");
        }
        let shown = Shown {
            verdict: &judged.verdict,
            plan: None,
            history: Some(&judged.history),
            run: None,
            report: judged.report.as_deref(),
            colour: progress::colour(std::io::stdout().is_terminal()),
        };
        out!("{}", terminal::render(&shown));
        if let Some(spent) = judged.spent {
            outln!("\n  {}", self.raise(spent));
        }
        if let Some(levels) = &judged.levels {
            out!("\n{levels}");
        }
    }

    /// Which budget ran out, and how to raise it.
    fn raise(&self, spent: Spent) -> String {
        match spent {
            Spent::Time => {
                let (had, more) = (
                    self.arguments.budget_time,
                    (self.arguments.budget_time * 10).max(Duration::from_secs(10)),
                );
                let [had, more] = [had, more].map(|time| humantime::format_duration(time).to_string());
                format!("the time budget of {had} ran out; `--budget-time {more}` gives more")
            }
            Spent::Memory => {
                let had = self.arguments.budget_memory.div_ceil(1 << 20);
                format!("the memory budget of {had} MB ran out; `--budget-memory {}MB` gives more", had * 4)
            }
        }
    }

    fn object(&self, source: &Source, result: &Result<Judged, Refusal>) -> Value {
        let mut object = match result {
            Ok(judged) => {
                let mut object = json!(judged.verdict);
                object["format"] = json!(judged.format);
                object["notes"] = json!(judged.notes);
                object["seconds"] = json!({
                    "reading": judged.reading.as_secs_f64(),
                    "checking": judged.checking.as_secs_f64(),
                });
                object["peak_memory"] = json!(peak_memory());
                if let Some(spent) = judged.spent {
                    object["raise"] = self.raise(spent).into();
                }
                object
            }
            Err(refusal) => json!({"error": refusal.to_json()}),
        };
        object["file"] = source.to_string().into();
        object
    }
}

/// The most memory that this process has had so far, in bytes, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib << 10)
}

/// A length of time in a column.
fn short(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds < 0.01 => format!("{:.1} ms", seconds * 1e3),
        seconds if seconds < 1.0 => format!("{:.0} ms", seconds * 1e3),
        seconds => format!("{seconds:.1} s"),
    }
}
