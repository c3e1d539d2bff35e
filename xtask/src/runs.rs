//! Runs of the binary, and what they say.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The binary beside this one.
pub(crate) fn binary() -> Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name("rashomon");
    if !path.exists() {
        bail!("{} is not there: build it with `cargo build --release`", path.display());
    }
    Ok(path)
}

/// One finished run.
pub(crate) struct Run {
    /// 0 valid, 1 invalid, 2 unknown; anything else is the harness's own failure.
    pub(crate) exit: i32,
    /// The verdict as printed by `--json`; null when there is none.
    pub(crate) verdict: Value,
    /// From start to end of the process.
    pub(crate) wall: Duration,
    /// What it wrote to standard error.
    pub(crate) log: String,
    /// The folder that holds the run's own folder.
    out: PathBuf,
}

impl Run {
    /// A number of the run's totals.
    pub(crate) fn total(&self, name: &str) -> u64 {
        self.verdict["totals"][name].as_u64().unwrap_or(0)
    }

    /// The first accusation: which checker, which anomaly, and when its last event happened.
    pub(crate) fn accusation(&self) -> Option<(String, String, Duration)> {
        let checkers = self.verdict["checkers"].as_array()?;
        checkers
            .iter()
            .flat_map(|checker| {
                let name = checker["checker"].as_str().unwrap_or_default().to_owned();
                let anomalies = checker["anomalies"].as_array().cloned().unwrap_or_default();
                anomalies.into_iter().map(move |anomaly| (name.clone(), anomaly))
            })
            .map(|(checker, anomaly)| {
                let at = self.time_of(&anomaly);
                (checker, anomaly["name"].as_str().unwrap_or_default().to_owned(), at)
            })
            .min_by_key(|(_, _, at)| *at)
    }

    /// When the evidence was complete: a probe carries its time, an anomaly of the history has its events.
    fn time_of(&self, anomaly: &Value) -> Duration {
        if let Some(time) = anomaly["details"]["time"].as_u64() {
            return Duration::from_nanos(time);
        }
        let last =
            anomaly["events"].as_array().and_then(|events| events.iter().filter_map(Value::as_u64).max());
        let history = std::fs::read_to_string(self.out.join("latest/history.jsonl")).unwrap_or_default();
        let time = last
            .and_then(|index| history.lines().nth(index as usize + 1))
            .and_then(|line| serde_json::from_str::<Value>(line).ok())
            .and_then(|op| op["time"].as_u64());
        Duration::from_nanos(time.unwrap_or(0))
    }
}

/// Runs `rashomon test` with these arguments, in a folder of its own.
pub(crate) fn test(binary: &Path, arguments: &[String], out: &Path) -> Result<Run> {
    let begun = Instant::now();
    let output = Command::new(binary)
        .arg("test")
        .args(arguments)
        .arg("--json")
        .arg("--out")
        .arg(out)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("starting {}", binary.display()))?;
    Ok(Run {
        exit: output.status.code().unwrap_or(-1),
        verdict: serde_json::from_slice(&output.stdout).unwrap_or_default(),
        wall: begun.elapsed(),
        log: String::from_utf8_lossy(&output.stderr).into_owned(),
        out: out.to_owned(),
    })
}

/// Does all jobs, so many at a time, and gives the results in order.
pub(crate) fn in_parallel<J: Send, R: Send>(
    jobs: Vec<J>,
    at_a_time: usize,
    work: impl Fn(J) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let count = jobs.len();
    let queue: Mutex<VecDeque<(usize, J)>> = Mutex::new(jobs.into_iter().enumerate().collect());
    let results: Mutex<Vec<Option<Result<R>>>> = Mutex::new((0..count).map(|_| None).collect());
    std::thread::scope(|scope| {
        for _ in 0..at_a_time.max(1) {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().expect("no job panics").pop_front();
                    let Some((position, job)) = next else { break };
                    let result = work(job);
                    results.lock().expect("no job panics")[position] = Some(result);
                }
            });
        }
    });
    let results = results.into_inner().expect("no job panicked");
    results.into_iter().map(|result| result.expect("every job was done")).collect()
}

/// The middle of the values.
pub(crate) fn median(mut values: Vec<Duration>) -> Option<Duration> {
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

/// Seconds with two digits.
pub(crate) fn seconds(duration: Duration) -> String {
    format!("{:.2} s", duration.as_secs_f64())
}
