//! A history from a file, and how to take it.

use std::fmt;
use std::str::FromStr;

use rashomon_core::{History, HistoryError, Kind, Process, Value};
use serde::Serialize;

use super::jepsen::{self, Keyed};
use super::porcupine;

/// A format of history files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Our own: JSON lines after a header.
    Jsonl,
    /// Jepsen's: a sequence of maps, or one map a line.
    JepsenEdn,
    /// The logs of a Jepsen test of etcd in Porcupine's test data.
    PorcupineEtcd,
    /// The key-value histories in Porcupine's test data: maps with a `:key`.
    PorcupineKv,
}

impl Format {
    /// All formats.
    pub const ALL: [Format; 4] =
        [Format::Jsonl, Format::JepsenEdn, Format::PorcupineEtcd, Format::PorcupineKv];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Format::Jsonl => "jsonl",
            Format::JepsenEdn => "jepsen-edn",
            Format::PorcupineEtcd => "porcupine-etcd",
            Format::PorcupineKv => "porcupine-kv",
        }
    }

    /// The format that the content of a file suggests.
    pub fn detect(text: &str) -> Result<Format, HistoryError> {
        let start = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with(';');
        let Some((first, number)) =
            text.lines().zip(1..).find(|(line, _)| start(line)).map(|(line, number)| (line.trim(), number))
        else {
            return Err(HistoryError::at(1, "the file is empty; there is nothing to judge"));
        };
        if first.starts_with("{\"") || first.starts_with("{ \"") {
            return if first.contains("\"rashomon\"") {
                Ok(Format::Jsonl)
            } else {
                Err(HistoryError::at(number, "JSON without the header of a Rashomon history"))
            };
        }
        if text.lines().take(1000).any(|line| line.contains(porcupine::MARK)) {
            return Ok(Format::PorcupineEtcd);
        }
        match first.chars().next() {
            Some('{') if first.contains(":key ") => Ok(Format::PorcupineKv),
            Some('{' | '[' | '(' | '#') => Ok(Format::JepsenEdn),
            _ => Err(HistoryError::at(
                number,
                "neither a Rashomon history, nor Jepsen's EDN, nor a log of Jepsen's",
            )),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Format, String> {
        Format::ALL.into_iter().find(|format| format.name() == name).ok_or_else(|| {
            format!("`{name}` is no format; formats are {}", Format::ALL.map(Format::name).join(", "))
        })
    }
}

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
    /// What a reader of the verdict should know about how the file was taken.
    pub notes: Vec<String>,
}

/// Reads a history in that format.
pub fn read(format: Format, text: &str) -> Result<Recording, HistoryError> {
    read_keyed(format, text, Keyed::Detect)
}

/// Reads a history in that format, where it is known whether Jepsen's values are pairs of key and value.
pub fn read_keyed(format: Format, text: &str, keyed: Keyed) -> Result<Recording, HistoryError> {
    let mut notes = Vec::new();
    let history = match format {
        Format::Jsonl => {
            let history = History::read(text.as_bytes())?;
            if history.torn() {
                notes.push("the last line was torn and was left out".to_owned());
            }
            history
        }
        Format::JepsenEdn => {
            let (history, pairs) = jepsen::read(text, keyed)?;
            if pairs {
                notes.push("values were taken as pairs of a key and a value".to_owned());
            }
            if !text.contains(":process") {
                notes.push("no op names its process; all were taken to be of one".to_owned());
            }
            history
        }
        Format::PorcupineKv => jepsen::read(text, Keyed::No)?.0,
        Format::PorcupineEtcd => {
            let (history, passed) = porcupine::read(text)?;
            if passed > 0 {
                notes.push(format!("{passed} lines of the log hold no op and were passed over"));
            }
            notes.push("a cas that failed was taken to have found another value".to_owned());
            history
        }
    };
    Ok(Recording {
        model: model(&history),
        history,
        format,
        nil_reads_anything: format == Format::JepsenEdn,
        notes,
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
    if !history.ops().iter().any(|op| client(&op)) {
        None
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
