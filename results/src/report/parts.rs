//! What a page is made from, as far as it is there.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use rashomon_core::{History, Trace};
use serde_json::Value;

use crate::store::{Network, RunFolder, Schedule, Shrunk, StoreError};
use crate::{RunVerdict, describe};

/// How much of the end of a node's log is looked at.
const TAIL: u64 = 32 << 10;

/// How many lines of it are shown, and how long they may be.
const LINES: usize = 14;
const LONGEST_LINE: usize = 300;

/// How many nodes' logs are shown.
const NODES: usize = 40;

/// The parts of a page. All but the history may be missing, and that may be empty.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// What the page is called: the name of the run, or of the file.
    pub title: &'a str,
    /// The plan.
    pub plan: Option<&'a Value>,
    /// The history.
    pub history: &'a History,
    /// How many client operations the history had besides, if it is an excerpt.
    pub left_out: u64,
    /// What was done to nodes and network.
    pub schedule: &'a Schedule,
    /// What became of the messages.
    pub network: Option<&'a Network>,
    /// What happened inside.
    pub trace: Option<&'a Trace>,
    /// What the run was shrunk from.
    pub shrunk: Option<&'a Shrunk>,
    /// The verdict.
    pub verdict: Option<&'a RunVerdict>,
    /// The end of each node's log.
    pub logs: &'a [NodeLog],
    /// Files beside the page that a reader may want, by their names.
    pub files: &'a [String],
    /// What could not be read, and why.
    pub missing: &'a [String],
}

/// What stands in where nothing was done to nodes or network.
static NOTHING: Schedule = Schedule { entries: Vec::new(), torn: false };

impl<'a> Parts<'a> {
    /// A history and nothing else, as when it was recorded elsewhere; set the other fields as they are known.
    pub fn new(title: &'a str, history: &'a History) -> Parts<'a> {
        Parts {
            title,
            plan: None,
            history,
            left_out: 0,
            schedule: &NOTHING,
            network: None,
            trace: None,
            shrunk: None,
            verdict: None,
            logs: &[],
            files: &[],
            missing: &[],
        }
    }
}

/// The last words of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeLog {
    /// Which node.
    pub node: String,
    /// The last lines of its log.
    pub last: Vec<String>,
    /// Whether these tell of a panic.
    pub panicked: bool,
}

/// The parts of a run that is on disk.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pub(crate) title: String,
    pub(crate) plan: Option<Value>,
    pub(crate) history: History,
    pub(crate) schedule: Schedule,
    pub(crate) network: Option<Network>,
    pub(crate) trace: Option<Trace>,
    pub(crate) shrunk: Option<Shrunk>,
    pub(crate) verdict: Option<RunVerdict>,
    pub(crate) logs: Vec<NodeLog>,
    pub(crate) files: Vec<String>,
    pub(crate) missing: Vec<String>,
}

impl Loaded {
    /// Reads what can be read. A file that is missing or wrong takes nothing else with it: it is noted.
    pub(crate) fn read(run: &RunFolder) -> Loaded {
        let mut missing = Vec::new();
        let plan = noted(&mut missing, run.plan(), "plan.json", "what was asked for is unknown");
        let history = noted(&mut missing, run.history(), "history.jsonl", "there is nothing to draw");
        let schedule = noted(&mut missing, run.schedule(), "schedule.jsonl", "no fault is on record");
        let network = noted(&mut missing, run.network(), "network.json", "messages were not counted");
        let verdict = noted(&mut missing, run.verdict(), "verdict.json", "the run was never judged");
        let trace = optional(&mut missing, run.trace(), "trace.json", "there is no story to draw");
        let shrunk = optional(&mut missing, run.shrunk(), "shrunk.json", "what was shrunk is unknown");
        let files = [
            "history.jsonl",
            "schedule.jsonl",
            "messages.jsonl.zst",
            "network.json",
            "plan.json",
            "verdict.json",
            "junit.xml",
            "trace.json",
            "shrunk.json",
            "original",
            "nodes",
        ];
        let files =
            files.into_iter().filter(|name| run.path().join(name).exists()).map(str::to_owned).collect();
        Loaded {
            title: run.id(),
            plan,
            history: history.unwrap_or_default(),
            schedule: schedule.unwrap_or_default(),
            network,
            trace,
            shrunk,
            verdict,
            logs: logs(&run.path().join("nodes")),
            files,
            missing,
        }
    }

    pub(crate) fn parts(&self) -> Parts<'_> {
        Parts {
            title: &self.title,
            plan: self.plan.as_ref(),
            history: &self.history,
            left_out: 0,
            schedule: &self.schedule,
            network: self.network.as_ref(),
            trace: self.trace.as_ref(),
            shrunk: self.shrunk.as_ref(),
            verdict: self.verdict.as_ref(),
            logs: &self.logs,
            files: &self.files,
            missing: &self.missing,
        }
    }
}

/// A file that most runs do not have.
fn optional<T>(
    missing: &mut Vec<String>,
    read: Result<Option<T>, StoreError>,
    file: &str,
    so: &str,
) -> Option<T> {
    match read {
        Ok(None) => None,
        read => noted(missing, read, file, so),
    }
}

fn noted<T>(
    missing: &mut Vec<String>,
    read: Result<Option<T>, StoreError>,
    file: &str,
    so: &str,
) -> Option<T> {
    match read {
        Ok(Some(part)) => Some(part),
        Ok(None) => {
            missing.push(format!("{file} is missing: {so}"));
            None
        }
        Err(StoreError::Malformed { line, reason, .. }) => {
            missing.push(format!("{file}:{line}: {reason}: {so}"));
            None
        }
        // The path of the machine that rendered the page says nothing to its reader.
        Err(StoreError::Io { doing, source, .. }) => {
            missing.push(format!("{file}: {doing}: {source}: {so}"));
            None
        }
        Err(StoreError::NotARun { reason, .. }) => {
            missing.push(format!("{file}: {reason}: {so}"));
            None
        }
    }
}

fn logs(nodes: &Path) -> Vec<NodeLog> {
    let Ok(entries) = fs::read_dir(nodes) else { return Vec::new() };
    let mut folders: Vec<_> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    // n2 stands before n10.
    folders.sort_by_key(|path| (path.as_os_str().len(), path.clone()));
    let log = |folder: &std::path::PathBuf| {
        let tail = tail(&folder.join("stderr.log"))?;
        let node = folder.file_name()?.to_string_lossy().into_owned();
        let lines: Vec<&str> = tail.lines().collect();
        let panicked = lines.iter().any(|line| line.contains("panicked at"));
        let last = lines[lines.len().saturating_sub(LINES)..]
            .iter()
            .map(|line| describe::clean(line, LONGEST_LINE))
            .collect();
        Some(NodeLog { node, last, panicked })
    };
    folders.iter().filter_map(log).take(NODES).collect()
}

/// The end of a file, as text; from a whole line on.
fn tail(path: &Path) -> Option<String> {
    let mut file = File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL))).ok()?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    if length > TAIL { text.split_once('\n').map(|(_, rest)| rest.to_owned()) } else { Some(text) }
}
