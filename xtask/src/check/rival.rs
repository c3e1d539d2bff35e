//! Another checker, run as a program of the user's within bounds of time and memory.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;

use super::seconds;

/// The time between two looks at a rival's memory.
const LOOK: Duration = Duration::from_millis(2);

/// A rival, and the command that runs it.
#[derive(Clone, Debug)]
pub(crate) struct Rival {
    known: &'static Known,
    command: Vec<String>,
}

/// What is known of a rival: what it judges, and what it reads.
#[derive(Debug)]
struct Known {
    name: &'static str,
    kinds: &'static [&'static str],
    format: &'static str,
}

const KNOWN: [Known; 3] = [
    Known {
        name: "porcupine",
        kinds: &[
            "register",
            "cas-register",
            "queue",
            "stack",
            "priority-queue",
            "porcupine-etcd",
            "porcupine-kv",
        ],
        format: "jsonl",
    },
    Known { name: "elle", kinds: &["list-append", "rw-register"], format: "jepsen-edn" },
    Known { name: "awdit", kinds: &["rw-register"], format: "plume" },
];

impl FromStr for Rival {
    type Err = String;

    fn from_str(text: &str) -> Result<Rival, String> {
        let names = KNOWN.map(|known| known.name).join(", ");
        let (name, command) = text.split_once('=').ok_or(format!("not NAME=COMMAND; names are {names}"))?;
        let known = KNOWN
            .iter()
            .find(|known| known.name == name)
            .ok_or(format!("`{name}` is no rival whose formats are known; these are {names}"))?;
        let command: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
        if command.is_empty() {
            return Err(format!("{name} has no command"));
        }
        Ok(Rival { known, command })
    }
}

/// How long it may take, and how many bytes.
pub(super) struct Limits {
    pub(super) time: Duration,
    pub(super) memory: f64,
}

/// What became of a rival.
pub(super) enum Outcome {
    /// It answered.
    Judged { verdict: String, reading: f64, checking: f64 },
    /// It was stopped after that time.
    TimedOut(Duration),
    /// It was stopped for using more than so many bytes.
    OutOfMemory(f64),
    /// It ended otherwise: how, and what it said last.
    Died(String),
}

/// What a rival took, memory in bytes.
pub(super) struct Took {
    pub(super) outcome: Outcome,
    memory: f64,
}

impl Rival {
    pub(super) fn name(&self) -> &'static str {
        self.known.name
    }

    /// Whether it judges such histories.
    pub(super) fn takes(&self, kind: &str) -> bool {
        self.known.kinds.contains(&kind)
    }

    /// The format of the files that it reads.
    pub(super) fn format(&self) -> &'static str {
        self.known.format
    }

    /// Runs it once. A rival that goes beyond its limits is stopped with all processes that it started.
    pub(super) fn judge(&self, kind: &str, file: &Path, limits: &Limits) -> Result<Took> {
        let begun = Instant::now();
        let mut child = Command::new(&self.command[0])
            .args(&self.command[1..])
            .arg(kind)
            .arg(file)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .with_context(|| format!("starting {}", self.command[0]))?;
        let mut stdout = child.stdout.take().context("its output is a pipe")?;
        let reader = std::thread::spawn(move || {
            let mut text = String::new();
            // What is no text has no verdict in it either.
            let _ = stdout.read_to_string(&mut text);
            text
        });
        let mut memory = 0.0_f64;
        let outcome = loop {
            if let Some(status) = child.try_wait()? {
                let text = reader.join().unwrap_or_default();
                break answer(&text).unwrap_or_else(|| Outcome::Died(format!("{status}, no verdict")));
            }
            memory = memory.max(peak(child.id()));
            if memory > limits.memory {
                stop(&mut child)?;
                break Outcome::OutOfMemory(limits.memory);
            }
            if begun.elapsed() > limits.time {
                stop(&mut child)?;
                break Outcome::TimedOut(limits.time);
            }
            std::thread::sleep(LOOK);
        };
        Ok(Took { outcome, memory })
    }
}

/// The verdict on the last line that a rival printed.
fn answer(text: &str) -> Option<Outcome> {
    let object: Value = serde_json::from_str(text.lines().next_back()?).ok()?;
    let verdict = object["valid"].as_str()?.to_owned();
    let [reading, checking] = ["reading", "checking"].map(|part| object["seconds"][part].as_f64());
    Some(Outcome::Judged { verdict, reading: reading?, checking: checking? })
}

fn stop(child: &mut Child) -> Result<()> {
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw).context("a process has an id")?;
    kill_process_group(group, Signal::KILL)?;
    child.wait()?;
    Ok(())
}

/// The greatest resident memory that a process, or one that it started, has had so far.
fn peak(process: u32) -> f64 {
    let own = std::fs::read_to_string(format!("/proc/{process}/status")).ok().and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.split_whitespace().next()?.parse::<f64>().ok().map(|kib| kib * 1024.0)
    });
    let children = std::fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
    let children = children.unwrap_or_default();
    let started = children.split_whitespace().filter_map(|id| id.parse().ok()).map(peak);
    started.fold(own.unwrap_or(0.0), f64::max)
}

impl Took {
    /// What it said, if that and our verdict cannot both be right.
    pub(super) fn contradicts(&self, ours: &str) -> Option<String> {
        match &self.outcome {
            Outcome::Judged { verdict, .. }
                if [verdict.as_str(), ours].contains(&"valid")
                    && [verdict.as_str(), ours].contains(&"invalid") =>
            {
                Some(format!("says {verdict}, and we say {ours}"))
            }
            _ => None,
        }
    }

    /// The checking, the reading, the memory, and how many times as long as ours both take together.
    pub(super) fn told(&self, ours: f64) -> String {
        let memory = format!("{:.0} MB", self.memory / 1e6);
        match &self.outcome {
            Outcome::Judged { verdict, reading, checking } => {
                let times = (reading + checking) / ours;
                format!(
                    "{verdict}: {} after {} of reading, {memory}, {times:.1}x",
                    seconds(*checking),
                    seconds(*reading)
                )
            }
            Outcome::TimedOut(limit) => {
                format!("stopped after {}, {memory}", humantime::format_duration(*limit))
            }
            Outcome::OutOfMemory(limit) => format!("stopped at {:.0} GB", limit / 1e9),
            Outcome::Died(how) => format!("died: {how}, {memory}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rival(script: &str) -> (tempfile::TempDir, Rival) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rival.sh");
        std::fs::write(&path, script).unwrap();
        let rival = format!("elle=sh {}", path.display()).parse().unwrap();
        (folder, rival)
    }

    fn judged(script: &str) -> Took {
        let (_folder, rival) = rival(script);
        let limits = Limits { time: Duration::from_millis(300), memory: 1e12 };
        rival.judge("list-append", Path::new("/dev/null"), &limits).unwrap()
    }

    #[test]
    fn the_last_line_is_the_verdict() {
        let took =
            judged("echo noise; echo '{\"valid\":\"invalid\",\"seconds\":{\"reading\":1,\"checking\":2}}'");
        assert!(took.told(0.5).starts_with("invalid: 2.00 s after 1.00 s of reading"), "{}", took.told(0.5));
        assert!(took.told(0.5).ends_with("6.0x"));
        assert_eq!(took.contradicts("valid").as_deref(), Some("says invalid, and we say valid"));
        assert_eq!((took.contradicts("invalid"), took.contradicts("unknown")), (None, None));
    }

    #[test]
    fn one_that_says_nothing_has_died() {
        for script in ["exit 3", "echo valid", "echo '{\"valid\":\"valid\"}'"] {
            assert!(matches!(judged(script).outcome, Outcome::Died(_)), "{script}");
        }
    }

    #[test]
    fn one_that_takes_too_long_is_stopped_with_what_it_started() {
        assert!(matches!(judged("sleep 600 | cat").outcome, Outcome::TimedOut(_)));
    }

    #[test]
    fn one_that_takes_too_much_is_stopped() {
        let (_folder, rival) = rival("sleep 600");
        let limits = Limits { time: Duration::from_mins(10), memory: 1.0 };
        let took = rival.judge("list-append", Path::new("/dev/null"), &limits).unwrap();
        assert!(matches!(took.outcome, Outcome::OutOfMemory(_)), "{}", took.told(1.0));
    }

    #[test]
    fn only_known_rivals_are_taken() {
        for text in ["elle", "knossos=run", "elle= "] {
            assert!(text.parse::<Rival>().is_err(), "{text}");
        }
    }
}
