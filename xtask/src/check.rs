//! What checking costs: time and memory on histories of known shape and size, ours and a rival's.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::Value;

use crate::runs;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The longest history, in operations or transactions.
    #[arg(long, default_value_t = 1_000_000)]
    most: u64,
    /// Runs of each, of which the median counts.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Another checker to measure on the same files: called with the kind of history and the file, in JSON lines.
    #[arg(long, value_name = "COMMAND")]
    rival: Option<String>,
    /// How long the rival may take for one file.
    #[arg(long, default_value = "60s", value_parser = humantime::parse_duration)]
    rival_time: Duration,
    /// The folder that holds `porcupine`, with its recorded histories, for the first rows.
    #[arg(long, value_name = "DIR")]
    histories: Option<PathBuf>,
}

/// A row of a table.
struct Row {
    name: &'static str,
    kind: &'static str,
    ops: u64,
    clients: u64,
    /// More words for `rashomon generate`.
    more: &'static [&'static str],
    wanted: &'static str,
    /// The aim for the checking alone.
    aim: &'static str,
}

const fn row(name: &'static str, kind: &'static str, ops: u64, clients: u64) -> Row {
    Row { name, kind, ops, clients, more: &[], wanted: "valid", aim: "" }
}

const STALE: &[&str] = &["--info", "1%", "--plant", "stale-read"];

/// Part 1: one object, linearizable.
const LINEARIZABLE: [Row; 10] = [
    Row {
        more: STALE,
        wanted: "invalid",
        aim: "1 ms",
        ..row("register, 1% info, one stale read", "register", 1000, 10)
    },
    Row { aim: "20 ms", ..row("register", "register", 100_000, 5) },
    Row { aim: "150 ms", ..row("register", "register", 1_000_000, 5) },
    Row { aim: "150 ms", ..row("register", "register", 1_000_000, 10) },
    Row {
        more: STALE,
        wanted: "invalid",
        aim: "150 ms",
        ..row("register, 1% info, one stale read", "register", 1_000_000, 30)
    },
    row("FIFO queue", "queue", 1000, 10),
    Row { aim: "600 ms", ..row("FIFO queue", "queue", 1_000_000, 10) },
    Row { aim: "1,000 ms", ..row("priority queue", "priority-queue", 1_000_000, 10) },
    Row { aim: "2,000 ms", ..row("stack", "stack", 1_000_000, 10) },
    row("register with cas", "cas-register", 1_000_000, 10),
];

/// Part 2: transactions.
const TRANSACTIONS: [Row; 5] = [
    row("list-append", "list-append", 10_000, 20),
    row("list-append", "list-append", 100_000, 20),
    row("list-append", "list-append", 1_000_000, 20),
    row("list-append", "list-append", 1_000_000, 500),
    row("list-append", "list-append", 10_000_000, 20),
];

/// How the time grows with the length.
const GROWTH: [Row; 5] = [
    row("register", "register", 1000, 10),
    row("register", "register", 10_000, 10),
    row("register", "register", 100_000, 10),
    row("register", "register", 1_000_000, 10),
    row("register", "register", 10_000_000, 10),
];

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let binary = runs::binary()?;
    let folder = tempfile::tempdir()?;
    if let Some(histories) = &arguments.histories {
        recorded(&binary, histories)?;
    }
    let bench = Bench { arguments, binary: &binary, folder: folder.path() };
    bench.table("One object", &LINEARIZABLE)?;
    bench.table("Transactions of 4 micro-ops on 10 active keys", &TRANSACTIONS)?;
    bench.table("Growth", &GROWTH)
}

struct Bench<'a> {
    arguments: &'a Arguments,
    binary: &'a Path,
    folder: &'a Path,
}

/// What a check took.
struct Measured {
    verdict: String,
    reading: f64,
    checking: f64,
    memory: f64,
}

impl Bench<'_> {
    fn table(&self, title: &str, rows: &[Row]) -> Result<()> {
        println!("\n{title}\n");
        println!("| history | ops | clients | file | reading | checking | aim | memory | verdict | rival |");
        println!("|---|---|---|---|---|---|---|---|---|---|");
        for row in rows.iter().filter(|row| row.ops <= self.arguments.most) {
            println!("{}", self.measure(row)?);
        }
        Ok(())
    }

    fn measure(&self, row: &Row) -> Result<String> {
        let file = self.folder.join("history.jsonl");
        let made = Command::new(self.binary)
            .args(["generate", row.kind, "--ops", &row.ops.to_string()])
            .args(["--clients", &row.clients.to_string()])
            .args(row.more)
            .arg("--out")
            .arg(&file)
            .status()?;
        ensure!(made.success(), "`generate` failed for {}", row.name);
        let mut all = Vec::new();
        for _ in 0..self.arguments.runs.max(1) {
            let output = Command::new(self.binary)
                .args(["check", "--json", "--model", row.kind, "--budget-memory", "16GB"])
                .args(["--budget-time", "10m"])
                .arg(&file)
                .stderr(Stdio::null())
                .output()?;
            if output.status.code() == Some(254) {
                return Ok(format!(
                    "| {} | {} | {} | missing: no model judges this yet |",
                    row.name, row.ops, row.clients
                ));
            }
            all.push(measured(&output.stdout)?);
        }
        all.sort_by(|one, other| one.checking.total_cmp(&other.checking));
        let median = &all[all.len() / 2];
        let verdict = if median.verdict == row.wanted {
            median.verdict.clone()
        } else {
            format!("**{}**, not {}", median.verdict, row.wanted)
        };
        let size = std::fs::metadata(&file)?.len() as f64 / 1e6;
        Ok(format!(
            "| {} | {} | {} | {size:.1} MB | {} | {} | {} | {:.0} MB | {verdict} | {} |",
            row.name,
            row.ops,
            row.clients,
            seconds(median.reading),
            seconds(median.checking),
            row.aim,
            median.memory / 1e6,
            self.rival(row.kind, &file)?,
        ))
    }

    /// What the rival takes for the whole of it, reading included.
    fn rival(&self, kind: &str, file: &Path) -> Result<String> {
        let Some(rival) = &self.arguments.rival else { return Ok(String::new()) };
        let begun = Instant::now();
        let mut child =
            Command::new(rival).arg(kind).arg(file).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let status = format!("/proc/{}/status", child.id());
        let mut memory = 0.0_f64;
        loop {
            if let Some(exit) = child.try_wait()? {
                let took = seconds(begun.elapsed().as_secs_f64());
                let output = child.wait_with_output()?;
                let word = String::from_utf8_lossy(&output.stdout).trim().to_owned();
                let word = if exit.success() { word } else { format!("failed ({exit})") };
                return Ok(format!("{took}, {memory:.0} MB, {word}"));
            }
            memory = memory.max(peak(&status).unwrap_or_default());
            if begun.elapsed() > self.arguments.rival_time {
                child.kill()?;
                child.wait()?;
                let limit = humantime::format_duration(self.arguments.rival_time);
                return Ok(format!("more than {limit}, {memory:.0} MB"));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// The peak of a process's resident memory, in megabytes.
fn peak(status: &str) -> Option<f64> {
    let text = std::fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<f64>().ok().map(|kib| kib * 1024.0 / 1e6)
}

fn measured(stdout: &[u8]) -> Result<Measured> {
    let object: Value = serde_json::from_slice(stdout).context("the verdict")?;
    let number = |value: &Value| value.as_f64().context("a figure is missing");
    Ok(Measured {
        verdict: object["valid"].as_str().unwrap_or("?").to_owned(),
        reading: number(&object["seconds"]["reading"])?,
        checking: number(&object["seconds"]["checking"])?,
        memory: number(&object["peak_memory"])?,
    })
}

/// Porcupine's recorded histories, all in one go.
fn recorded(binary: &Path, histories: &Path) -> Result<()> {
    println!("\nRecorded histories\n");
    println!("| files | how many | reading, summed | checking, summed | slowest |");
    println!("|---|---|---|---|---|");
    for (folder, model) in [("porcupine/etcd", "cas-register"), ("porcupine/kv", "kv")] {
        let files = histories.join(folder);
        ensure!(files.is_dir(), "{} is no folder", files.display());
        let output = Command::new(binary).args(["check", "--json", "--model", model]).arg(files).output()?;
        let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let all = lines.map(measured).collect::<Result<Vec<_>>>()?;
        let sum = |of: fn(&Measured) -> f64| seconds(all.iter().map(of).sum());
        let slowest = all.iter().map(|one| one.checking).fold(0.0, f64::max);
        println!(
            "| {folder} | {} | {} | {} | {} |",
            all.len(),
            sum(|one| one.reading),
            sum(|one| one.checking),
            seconds(slowest)
        );
    }
    Ok(())
}

fn seconds(seconds: f64) -> String {
    match seconds * 1e3 {
        ms if ms < 10.0 => format!("{ms:.2} ms"),
        ms if ms < 1000.0 => format!("{ms:.0} ms"),
        ms => format!("{:.2} s", ms / 1e3),
    }
}
