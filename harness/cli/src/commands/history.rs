//! Histories that the command line names, and why one cannot be taken.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use rashomon_checkers::formats::{self, Format, Recording};
use rashomon_core::HistoryError;
use serde_json::{Value, json};

/// The histories that stand for a folder, if they are there: those of our runs, and of Jepsen's.
const OF_A_RUN: [&str; 2] = ["history.jsonl", "history.edn"];

/// Where a history comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Input,
    File(PathBuf),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Input => f.pad("-"),
            Source::File(path) => f.pad(&path.display().to_string()),
        }
    }
}

/// Why nothing can be said about a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The line of the file that is at fault.
    pub(super) line: Option<usize>,
    pub(super) reason: String,
}

impl Refusal {
    pub(super) fn new(reason: impl fmt::Display) -> Refusal {
        Refusal { line: None, reason: reason.to_string() }
    }

    /// File, line and reason.
    pub(super) fn of(&self, source: &Source) -> String {
        match self.line {
            Some(line) => format!("{source}:{line}: {}", self.reason),
            None => format!("{source}: {}", self.reason),
        }
    }

    pub(super) fn to_json(&self) -> Value {
        json!({"line": self.line, "reason": self.reason})
    }
}

impl From<HistoryError> for Refusal {
    fn from(error: HistoryError) -> Refusal {
        match error {
            HistoryError::Malformed { line, reason } => Refusal { line: Some(line), reason },
            HistoryError::Io { source, .. } => Refusal::new(source),
        }
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Refusal {
        Refusal::new(error)
    }
}

/// What a path stands for: itself, the history of a run, or every file of a folder.
pub(super) fn sources(path: &Path) -> Result<Vec<Source>, Refusal> {
    if path.as_os_str() == "-" {
        return Ok(vec![Source::Input]);
    }
    if !path.is_dir() {
        return Ok(vec![Source::File(path.to_owned())]);
    }
    if let Some(file) = OF_A_RUN.iter().map(|name| path.join(name)).find(|file| file.is_file()) {
        return Ok(vec![Source::File(file)]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if !hidden && entry.path().is_file() {
            files.push(entry.path());
        }
    }
    files.sort_unstable();
    if files.is_empty() {
        return Err(Refusal::new("no file is in this folder"));
    }
    Ok(files.into_iter().map(Source::File).collect())
}

/// Reads a history; the bar follows.
pub(super) fn read(source: &Source, format: Option<Format>, bar: &ProgressBar) -> Result<Recording, Refusal> {
    let bytes: Box<dyn Read> = match source {
        Source::Input => Box::new(io::stdin().lock()),
        Source::File(path) => {
            let file = File::open(path)?;
            bar.set_length(file.metadata()?.len());
            Box::new(file)
        }
    };
    let reader = BufReader::with_capacity(1 << 18, bar.wrap_read(bytes));
    Ok(formats::read_from(reader, format)?)
}
