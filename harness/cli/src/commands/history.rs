//! Histories that the command line names, and why one cannot be taken.

use std::cell::Cell;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use rashomon_checkers::formats::{self, CobraLog, Format, Recording, Streamed};
use rashomon_checkers::{Budget, JudgeError, Question, checker_of};
use rashomon_core::{HistoryError, Validity};
use serde_json::{Value, json};

/// The histories that stand for a folder, if they are there: those of our runs, and of Jepsen's.
const OF_A_RUN: [&str; 2] = ["history.jsonl", "history.edn"];

/// Where a history comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Input,
    File(PathBuf),
    /// A folder of the logs of all sessions, as Cobra writes them.
    Logs(PathBuf),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Input => f.pad("-"),
            Source::File(path) | Source::Logs(path) => f.pad(&path.display().to_string()),
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

impl From<JudgeError> for Refusal {
    fn from(error: JudgeError) -> Refusal {
        Refusal::new(error)
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Refusal {
        Refusal::new(error)
    }
}

/// What a path stands for: itself, the history of a run, the logs of one history, or every file of a folder.
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
    if are_logs(&files)? {
        return Ok(vec![Source::Logs(path.to_owned())]);
    }
    Ok(files.into_iter().map(Source::File).collect())
}

/// Whether these files are the logs of one history of Cobra.
fn are_logs(files: &[PathBuf]) -> Result<bool, Refusal> {
    if !files.iter().all(|file| file.extension().is_some_and(|extension| extension == "log")) {
        return Ok(false);
    }
    let mut beginning = Vec::new();
    for file in files {
        beginning.clear();
        File::open(file)?.take(16).read_to_end(&mut beginning)?;
        // The log of a session without transactions is empty.
        if !beginning.is_empty() {
            return Ok(formats::is_cobra(&beginning));
        }
    }
    Ok(false)
}

/// Reads the logs of a folder as one history.
fn read_logs(folder: &Path) -> Result<Recording, Refusal> {
    let mut logs = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() && path.extension().is_some_and(|extension| extension == "log") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            logs.push((name, std::fs::read(&path)?));
        }
    }
    logs.sort_unstable();
    let logs: Vec<CobraLog<'_>> = logs.iter().map(|(name, bytes)| CobraLog { name, bytes }).collect();
    formats::read_cobra(&logs).map_err(|error| match error {
        // A log has no lines; the reason names the byte.
        HistoryError::Malformed { reason, .. } => Refusal::new(reason),
        error @ HistoryError::Io { .. } => error.into(),
    })
}

/// A larger file is judged while it is read, where that can be done.
const LARGE: u64 = 8 << 20;

/// A file of which a page is to be made is judged so only if it is larger, and if it is of transactions: the page of what
/// was read as a whole has curves too.
const LARGE_TO_DRAW: u64 = 64 << 20;

/// How much of a file is looked at to tell what it is.
const BEGINNING: usize = 1 << 17;

/// A file that can be read more than once; the bar follows.
struct Again<'a> {
    path: &'a Path,
    bar: &'a ProgressBar,
    begun: Instant,
    /// How long it took to take all of it.
    reading: Cell<Duration>,
}

impl formats::Source for Again<'_> {
    fn open(&self) -> io::Result<Box<dyn BufRead + Send + '_>> {
        self.open_at(0)
    }

    fn open_at(&self, offset: u64) -> io::Result<Box<dyn BufRead + Send + '_>> {
        let mut file = File::open(self.path)?;
        file.seek(SeekFrom::Start(offset))?;
        self.bar.reset();
        self.bar.set_position(offset);
        Ok(Box::new(BufReader::with_capacity(BEGINNING, self.bar.wrap_read(file))))
    }

    fn size(&self) -> Option<u64> {
        self.bar.length()
    }

    fn taken(&self) {
        self.reading.set(self.begun.elapsed());
        self.bar.set_message(format!("{}: judging", self.path.display()));
    }
}

/// Judges a large file while it is read, and tells how long the reading took; `None` when that cannot be done with this
/// file and this question.
pub(super) fn judge_large(
    source: &Source,
    format: Option<Format>,
    question: &Question,
    is_drawn: bool,
    budget: &Budget<'_>,
    bar: &ProgressBar,
) -> Result<Option<(Streamed, Duration)>, Refusal> {
    let Source::File(path) = source else { return Ok(None) };
    let length = std::fs::metadata(path)?.len();
    if length < if is_drawn { LARGE_TO_DRAW } else { LARGE } {
        return Ok(None);
    }
    let mut beginning = Vec::new();
    File::open(path)?.take(BEGINNING as u64).read_to_end(&mut beginning)?;
    let beginning = String::from_utf8_lossy(&beginning);
    let format = match format {
        Some(format) => format,
        None => Format::detect(&beginning)?,
    };
    let Some(beginning) = formats::begins(format, &beginning) else { return Ok(None) };
    if question.model.is_none() && beginning.model.is_none() {
        return Ok(None);
    }
    let checker = checker_of(beginning, question)?;
    if is_drawn && !["list-append", "rw-register"].contains(&checker.name()) {
        return Ok(None);
    }
    bar.set_length(length);
    let again = Again { path, bar, begun: Instant::now(), reading: Cell::default() };
    let streamed = formats::judge_stream(&again, format, checker.as_ref(), budget)?;
    // The first operations may suggest a model that later ones do not fit; then nothing was judged that could be counted.
    let doubtful = |streamed: &Streamed| {
        question.model.is_none()
            && streamed.verdict.valid == Validity::Unknown
            && streamed.verdict.stats.is_empty()
            && !(budget.expired)()
            && !Budget::is_out_of_memory(&streamed.verdict)
    };
    let reading = again.reading.get();
    Ok(streamed.filter(|streamed| !doubtful(streamed)).map(|streamed| (streamed, reading)))
}

/// Reads a history; the bar follows.
pub(super) fn read(source: &Source, format: Option<Format>, bar: &ProgressBar) -> Result<Recording, Refusal> {
    let bytes: Box<dyn Read> = match source {
        Source::Input => Box::new(io::stdin().lock()),
        Source::Logs(folder) if format.is_none_or(|format| format == Format::Cobra) => {
            return read_logs(folder);
        }
        Source::Logs(_) => return Err(Refusal::new("a folder of Cobra's logs is of no other format")),
        Source::File(path) => {
            let file = File::open(path)?;
            bar.set_length(file.metadata()?.len());
            Box::new(file)
        }
    };
    let reader = BufReader::with_capacity(1 << 18, bar.wrap_read(bytes));
    Ok(formats::read_from(reader, format)?)
}
