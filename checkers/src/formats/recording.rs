//! A history from a file, and how to take it.

use std::io::{BufRead, Read};

use rashomon_core::{History, HistoryError, Kind, Process, Value};

use super::cobra::{CobraLog, is_cobra, read_cobra};
use super::format::Format;
use super::jepsen::{self, Keyed, Taken};
use super::{dbcop, plume, porcupine, sessions};
use crate::scan::Notation;

/// How much of a file is looked at to tell its format.
const BEGINNING: u64 = 64 << 10;

/// A history from a file, and what its format and content say about how to judge it.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// What was read.
    pub history: History,
    /// How it was written.
    pub format: Format,
    /// The model that its operations suggest.
    pub model: Option<&'static str>,
    /// Whether a read that answered `null` may have read anything: so in Knossos and Jepsen.
    pub nil_reads_anything: bool,
    /// Whether the order of its events is that of real time. Where it is not, only sessions have an order.
    pub timed: bool,
    /// What a reader of the verdict should know about how the file was taken.
    pub notes: Vec<String>,
    /// What the file says and a history has no place for, such as fields of its ops.
    pub left_out: Vec<String>,
}

/// Reads a history from a stream: in that format, or in the one that its beginning suggests.
pub fn read_from(mut source: impl BufRead, format: Option<Format>) -> Result<Recording, HistoryError> {
    if let Some(format) = format {
        return read_keyed_from(source, format, Keyed::Detect);
    }
    let mut beginning = Vec::new();
    let io = |source| HistoryError::Io { line: 1, source };
    source.by_ref().take(BEGINNING).read_to_end(&mut beginning).map_err(io)?;
    let format = if is_cobra(&beginning) { Format::Cobra } else { Format::detect(text_of(&beginning)?)? };
    read_keyed_from(beginning.as_slice().chain(source), format, Keyed::Detect)
}

/// The text at the beginning of a file; a character that is cut off at its end is left out.
fn text_of(beginning: &[u8]) -> Result<&str, HistoryError> {
    let error = match std::str::from_utf8(beginning) {
        Ok(text) => return Ok(text),
        Err(error) => error,
    };
    let before = String::from_utf8_lossy(&beginning[..error.valid_up_to()]);
    if error.error_len().is_none()
        && beginning.len() as u64 == BEGINNING
        && let std::borrow::Cow::Borrowed(text) = before
    {
        return Ok(text);
    }
    Err(HistoryError::at(1 + before.matches('\n').count(), "not UTF-8 text"))
}

/// Reads a history in that format.
pub fn read(format: Format, text: &str) -> Result<Recording, HistoryError> {
    read_keyed(format, text, Keyed::Detect)
}

/// Reads a history in that format, where it is known whether Jepsen's values are pairs of key and value.
pub fn read_keyed(format: Format, text: &str, keyed: Keyed) -> Result<Recording, HistoryError> {
    read_keyed_from(text.as_bytes(), format, keyed)
}

fn read_keyed_from(
    mut source: impl BufRead,
    format: Format,
    keyed: Keyed,
) -> Result<Recording, HistoryError> {
    let mut notes = Vec::new();
    let mut left_out = Vec::new();
    let mut jepsen = |taken: Taken| {
        if taken.pairs {
            notes.push("values were taken as pairs of a key and a value".to_owned());
        }
        if !taken.processes {
            let one = |op: &rashomon_core::Op| op.process == Process::Client(0);
            notes.push(if taken.history.ops().iter().all(one) {
                "no op names its process; all were taken to be of one".to_owned()
            } else {
                "no op names its process; each completion was taken for that of the first open op like it"
                    .to_owned()
            });
        }
        if !taken.beyond.is_empty() {
            let fields = taken.beyond.iter().map(|(name, ops)| format!("{name} ({ops})"));
            let fields: Vec<String> = fields.collect();
            left_out.push(format!("fields of ops, with how many had them: {}", fields.join(", ")));
        }
        taken.history
    };
    let history = match format {
        Format::Jsonl => {
            let history = History::read(source)?;
            if history.torn() {
                notes.push("the last line was torn and was left out".to_owned());
            }
            history
        }
        Format::JepsenEdn => jepsen(jepsen::read(source, Notation::Edn, keyed)?),
        Format::JepsenJson => jepsen(jepsen::read(source, Notation::Json, keyed)?),
        Format::PorcupineKv => jepsen(jepsen::read(source, Notation::Edn, Keyed::No)?),
        Format::PorcupineEtcd => {
            let (history, passed) = porcupine::read(source)?;
            if passed > 0 {
                notes.push(format!("{passed} lines of the log hold no op and were passed over"));
            }
            notes.push("a cas that failed was taken to have found another value".to_owned());
            history
        }
        Format::Plume => sessions::history(&plume::read(source)?)?,
        Format::Dbcop => sessions::history(&dbcop::read(source)?)?,
        Format::Cobra => {
            let mut bytes = Vec::new();
            source.read_to_end(&mut bytes).map_err(|source| HistoryError::Io { line: 1, source })?;
            return read_cobra(&[CobraLog { name: "the log", bytes: &bytes }]);
        }
    };
    let timed = format.is_timed();
    if !timed {
        notes.push(sessions::UNTIMED.to_owned());
        left_out.push(sessions::ORDER.to_owned());
    }
    Ok(Recording {
        model: model(&history),
        history,
        format,
        nil_reads_anything: format.nil_reads_anything(),
        timed,
        notes,
        left_out,
    })
}

/// The model whose operations these are.
fn model(history: &History) -> Option<&'static str> {
    let client = |op: &&rashomon_core::Op| op.kind == Kind::Invoke && op.process != Process::Nemesis;
    let all = |names: &[&str]| history.ops().iter().filter(client).all(|op| names.contains(&op.f.as_str()));
    let verbs = |value: &Value| {
        let verb = |micro_op: &Value| micro_op.get(0).and_then(Value::as_str).map(str::to_owned);
        value.as_array().map(|list| list.iter().map(verb).collect::<Option<Vec<_>>>())
    };
    let transactions = |names: &[&str]| {
        let of = |op: &rashomon_core::Op| match verbs(&op.value) {
            Some(Some(verbs)) => verbs.iter().all(|verb| names.contains(&verb.as_str())),
            _ => false,
        };
        history.ops().iter().filter(client).all(of)
    };
    let suggested = super::suggest::checker(history);
    if !history.ops().iter().any(|op| client(&op)) || suggested.is_some() {
        suggested
    } else if transactions(&["append", "r"]) {
        Some("list-append")
    } else if transactions(&["w", "r"]) {
        Some("rw-register")
    } else if all(&["read", "write", "cas"]) {
        Some("cas-register")
    } else if all(&["get", "put", "append"]) {
        Some("kv")
    } else if all(&["add", "read"]) {
        Some("set")
    } else if all(&["add", "remove", "contains"]) {
        Some("element-set")
    } else if all(&["append", "read"]) {
        Some("linearizable-list")
    } else if all(&["enqueue", "dequeue"]) {
        Some("queue")
    } else if all(&["push", "pop"]) {
        Some("stack")
    } else if all(&["insert", "poll"]) {
        Some("priority-queue")
    } else if all(&["propose", "learn"]) {
        Some("consensus")
    } else if all(&["transfer", "read"]) && !all(&["read"]) {
        Some("linearizable-bank")
    } else if all(&["work", "read"]) {
        Some("sections")
    } else if all(&["acquire", "release"]) {
        let acquired = |op: &&rashomon_core::Op| op.kind == Kind::Ok && op.f == "acquire";
        let tokens = history.ops().iter().any(|op| acquired(&op))
            && history.ops().iter().filter(acquired).all(|op| op.value.is_u64());
        Some(if tokens { "lock" } else { "mutex" })
    } else {
        None
    }
}
