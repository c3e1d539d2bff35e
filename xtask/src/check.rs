//! What checking costs: time and memory on histories of known shape and size, ours and our rivals'.

mod ours;
mod recorded;
mod rival;
mod rows;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Args;

use crate::runs;
use ours::Ours;
use rival::{Limits, Rival};
use rows::{Row, Table};

/// `xtask check`: our own cost is told by `rashomon check --json`, a rival's by a program of the user's that is called
/// with the kind of history and a file, and whose last line is a JSON object such as
/// `{"valid": "valid", "seconds": {"reading": 0.2, "checking": 1.5}}`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The longest history, in operations or transactions.
    #[arg(long, default_value_t = 1_000_000)]
    most: u64,
    /// Our runs of each, of which the median counts. A rival runs once.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Another checker to measure on the same histories: porcupine=COMMAND, elle=COMMAND or awdit=COMMAND. It is called
    /// with the kind of history and a file: JSON lines and Porcupine's own for porcupine, Jepsen's EDN for elle, Plume's
    /// text for awdit. May be given several times.
    #[arg(long = "rival", value_name = "NAME=COMMAND")]
    rivals: Vec<Rival>,
    /// How long a rival may take for one file.
    #[arg(long, default_value = "60s", value_parser = humantime::parse_duration)]
    rival_time: Duration,
    /// How much memory a rival may use, in gigabytes; one that uses more is stopped.
    #[arg(long, value_name = "GB", default_value_t = 8.0)]
    rival_memory: f64,
    /// Only the tables whose title has this word in it.
    #[arg(long, value_name = "WORD")]
    only: Option<String>,
    /// The folder that holds `porcupine`, with its recorded histories, for the first table.
    #[arg(long, value_name = "DIR")]
    histories: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let binary = runs::binary()?;
    let folder = tempfile::tempdir()?;
    let limits = Limits { time: arguments.rival_time, memory: arguments.rival_memory * 1e9 };
    let mut bench = Bench { arguments, binary: &binary, folder: folder.path(), limits, wrong: Vec::new() };
    println!("{}", machine());
    if let Some(histories) = &arguments.histories {
        recorded::measure(&mut bench, histories)?;
    }
    for table in &rows::TABLES {
        if bench.is_wanted(table.title) {
            bench.table(table)?;
        }
    }
    ensure!(bench.wrong.is_empty(), "verdicts that must not be:\n{}", bench.wrong.join("\n"));
    Ok(())
}

/// What else the machine is doing, without which no figure means much.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or("unknown").to_owned();
    format!("{cores} cores, load average {load} at the start")
}

struct Bench<'a> {
    arguments: &'a Arguments,
    binary: &'a Path,
    folder: &'a Path,
    limits: Limits,
    /// Verdicts that are not what the history was made for, and rivals who contradict us.
    wrong: Vec<String>,
}

impl Bench<'_> {
    fn is_wanted(&self, title: &str) -> bool {
        self.arguments.only.as_ref().is_none_or(|word| title.to_lowercase().contains(&word.to_lowercase()))
    }

    fn rivals<'r>(&'r self, row: &Row) -> impl Iterator<Item = &'r Rival> + use<'r> {
        let kind = row.kind;
        self.arguments.rivals.iter().filter(move |rival| rival.takes(kind))
    }

    fn table(&mut self, table: &Table) -> Result<()> {
        let rows: Vec<&Row> = table.rows.iter().filter(|row| row.ops <= self.arguments.most).collect();
        let mut names: Vec<&str> = rows.iter().flat_map(|row| self.rivals(row)).map(Rival::name).collect();
        names.sort_unstable();
        names.dedup();
        println!("\n{}\n", table.title);
        let own = ["history", "ops", "clients", "file", "reading", "checking", "aim", "memory", "verdict"];
        let heads = [&own, names.as_slice()].concat();
        println!("| {} |", heads.join(" | "));
        println!("|{}", "---|".repeat(heads.len()));
        for row in rows {
            let ours = self.ours(table, row)?;
            let cells = names.iter().map(|name| self.cell(row, name, &ours)).collect::<Result<String>>()?;
            println!("{}{cells}", told(row, &ours));
        }
        Ok(())
    }

    /// Makes the history of a row in a format.
    fn make(&self, row: &Row, format: &str) -> Result<PathBuf> {
        let file = self.folder.join(format!("history.{format}"));
        let made = Command::new(self.binary)
            .args(["generate", row.kind, "--format", format, "--ops", &row.ops.to_string()])
            .args(["--clients", &row.clients.to_string()])
            .args(row.more)
            .arg("--out")
            .arg(&file)
            .status()?;
        ensure!(made.success(), "`generate` failed for {}", row.name);
        Ok(file)
    }

    fn ours(&mut self, table: &Table, row: &Row) -> Result<Ours> {
        let file = self.make(row, "jsonl")?;
        let mut all = Vec::new();
        for _ in 0..self.arguments.runs.max(1) {
            all.push(ours::measure(self.binary, &file, row.kind, table.more)?);
        }
        all.sort_by(|one, other| one.checking.total_cmp(&other.checking));
        let mut median = all.swap_remove(all.len() / 2);
        median.file = std::fs::metadata(&file)?.len();
        if median.verdict != row.wanted {
            self.wrong.push(format!("{}: {}, not {}", row.name, median.verdict, row.wanted));
        }
        Ok(median)
    }

    /// What a rival made of a row.
    fn cell(&mut self, row: &Row, name: &str, ours: &Ours) -> Result<String> {
        let Some(rival) = self.rivals(row).find(|rival| rival.name() == name).cloned() else {
            return Ok(" |".to_owned());
        };
        let file = match rival.format() {
            "plume" => {
                let (from, to) = (self.folder.join("history.jsonl"), self.folder.join("history.plume"));
                let mut convert = Command::new(self.binary);
                convert.arg("convert").arg(from).args(["--to", "plume", "--out"]).arg(&to);
                ensure!(convert.output()?.status.success(), "`convert` failed for {}", row.name);
                to
            }
            "jsonl" => self.folder.join("history.jsonl"),
            format => self.make(row, format)?,
        };
        let result = rival.judge(row.kind, &file, &self.limits)?;
        if file.extension().is_some_and(|extension| extension != "jsonl") {
            std::fs::remove_file(&file)?;
        }
        self.wrong
            .extend(result.contradicts(&ours.verdict).map(|said| format!("{}: {name} {said}", row.name)));
        Ok(format!(" {} |", result.told(ours.checking + ours.reading)))
    }
}

/// Our part of a row.
fn told(row: &Row, ours: &Ours) -> String {
    let reading = if ours.reading > 0.0 { seconds(ours.reading) } else { "with checking".to_owned() };
    format!(
        "| {} | {} | {} | {:.1} MB | {reading} | {} | {} | {:.0} MB | {} |",
        row.name,
        row.ops,
        row.clients,
        ours.file as f64 / 1e6,
        seconds(ours.checking),
        row.aim,
        ours.memory / 1e6,
        ours.verdict,
    )
}

fn seconds(seconds: f64) -> String {
    match seconds * 1e3 {
        ms if ms < 10.0 => format!("{ms:.2} ms"),
        ms if ms < 1000.0 => format!("{ms:.0} ms"),
        ms => format!("{:.2} s", ms / 1e3),
    }
}
