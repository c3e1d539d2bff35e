//! The formats of history files, and how to tell them apart.

use std::fmt;
use std::str::FromStr;

use rashomon_core::HistoryError;
use serde::Serialize;

use super::{dbcop, plume, porcupine};

/// A format of history files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Our own: JSON lines after a header.
    Jsonl,
    /// Jepsen's: a sequence of maps, or one map a line.
    JepsenEdn,
    /// The same in JSON: an array of objects, or one object a line.
    JepsenJson,
    /// The logs of a Jepsen test of etcd in Porcupine's test data.
    PorcupineEtcd,
    /// The key-value histories in Porcupine's test data: maps with a `:key`.
    PorcupineKv,
    /// The text of Plume and `PolySI`: an access of a transaction a line.
    Plume,
    /// The JSON of dbcop: sessions of transactions of events.
    Dbcop,
    /// The binary logs of Cobra, one a session.
    Cobra,
}

impl Format {
    /// All formats.
    pub const ALL: [Format; 8] = [
        Format::Jsonl,
        Format::JepsenEdn,
        Format::JepsenJson,
        Format::PorcupineEtcd,
        Format::PorcupineKv,
        Format::Plume,
        Format::Dbcop,
        Format::Cobra,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Format::Jsonl => "jsonl",
            Format::JepsenEdn => "jepsen-edn",
            Format::JepsenJson => "jepsen-json",
            Format::PorcupineEtcd => "porcupine-etcd",
            Format::PorcupineKv => "porcupine-kv",
            Format::Plume => "plume",
            Format::Dbcop => "dbcop",
            Format::Cobra => "cobra",
        }
    }

    /// Whether a read that answered `null` may have read anything: so in Knossos and Jepsen.
    pub fn nil_reads_anything(self) -> bool {
        match self {
            Format::JepsenEdn | Format::JepsenJson => true,
            Format::Jsonl
            | Format::PorcupineEtcd
            | Format::PorcupineKv
            | Format::Plume
            | Format::Dbcop
            | Format::Cobra => false,
        }
    }

    /// Whether the order of its events is that of real time. Where it is not, only sessions have an order.
    pub fn is_timed(self) -> bool {
        match self {
            Format::Plume | Format::Dbcop | Format::Cobra => false,
            Format::Jsonl
            | Format::JepsenEdn
            | Format::JepsenJson
            | Format::PorcupineEtcd
            | Format::PorcupineKv => true,
        }
    }

    /// The format that a file suggests that begins so; a few dozen kilobytes of it are enough.
    pub fn detect(text: &str) -> Result<Format, HistoryError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let start = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with(';');
        let Some((first, number)) =
            text.lines().zip(1..).find(|(line, _)| start(line)).map(|(line, number)| (line.trim(), number))
        else {
            return Err(HistoryError::at(1, "the file is empty; there is nothing to judge"));
        };
        if plume::is_like(first) {
            return Ok(Format::Plume);
        }
        if first.starts_with(['[', '{']) && dbcop::is_like(text) {
            return Ok(Format::Dbcop);
        }
        // An array may begin on one line, and its first op on another.
        let rest = text.find(first).map_or(first, |at| &text[at..]);
        let op = rest.trim_start_matches(['[', '(']).trim_start();
        if op.strip_prefix('{').is_some_and(|field| field.trim_start().starts_with('"')) {
            return if op.len() == rest.len() && first.contains("\"rashomon\"") {
                Ok(Format::Jsonl)
            } else if op.contains("\"type\"") {
                Ok(Format::JepsenJson)
            } else {
                let reason =
                    "JSON without the header of a Rashomon history, and without ops that have a \"type\"";
                Err(HistoryError::at(number, reason))
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
                "neither a Rashomon history, nor Jepsen's EDN or JSON, nor a log of Jepsen's, nor of Plume, dbcop or \
                 Cobra",
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
