//! Transactions judged while their file is read, so that a history may be larger than memory.
//!
//! What is judged and how is the same as of a history that was read as a whole; only the history itself is not there
//! afterwards.

use std::io::{BufRead, Read};

use rashomon_core::{History, HistoryError, Kind, Op, Process, Time, Verdict};

use super::format::Format;
use super::forms::Forms;
use super::jepsen::{self, Fields};
use crate::Budget;
use crate::isolation::{Level, Stream, Taken};
use crate::scan::Notation;

/// The longest line, and the longest op of several lines, that is read.
const LONGEST: u64 = 16 << 20;

/// What was judged, and what there was in the file.
#[derive(Clone, Debug)]
pub struct Streamed {
    /// The verdict.
    pub verdict: Verdict,
    /// How many transactions began.
    pub ops: u64,
    /// Of these, how many happened.
    pub ok: u64,
    /// How many did not.
    pub fail: u64,
    /// When the last event was.
    pub last: Time,
    /// When the first transaction ended ok.
    pub first_ok: Option<Time>,
    /// How the file was written.
    pub format: Format,
    /// What a reader of the verdict should know about how the file was taken.
    pub notes: Vec<String>,
}

/// The model of transactions whose ops a file begins with, when it can be judged while it is read.
pub fn streams(format: Format, beginning: &str) -> Option<&'static str> {
    let [append, write] = match format {
        Format::Jsonl | Format::JepsenJson => ["[\"append\",", "[\"w\","],
        Format::JepsenEdn => ["[:append", "[:w"],
        _ => return None,
    };
    // Values that are pairs of a key and a value must be told apart by the whole file.
    if beginning.contains(jepsen::TUPLE) {
        return None;
    }
    let bare = beginning.replace([' ', '\n'], "");
    match (bare.find(append), bare.find(write)) {
        (Some(append), write) if write.is_none_or(|write| append < write) => Some("list-append"),
        (_, Some(_)) => Some("rw-register"),
        (_, None) => None,
    }
}

/// Judges the transactions of a file of one of the formats, and of one of the models, that [`streams`] names.
pub fn judge_stream(
    source: impl BufRead,
    format: Format,
    model: &str,
    promised: Option<Level>,
    budget: &Budget<'_>,
) -> Result<Streamed, HistoryError> {
    let promised = promised.unwrap_or(Level::STRICT_SERIALIZABLE);
    let stream = if model == "rw-register" { Stream::registers(promised) } else { Stream::lists(promised) };
    let verdict = Verdict::unknown(model, "nothing was read");
    let told = Streamed {
        verdict,
        ops: 0,
        ok: 0,
        fail: 0,
        last: Time::ZERO,
        first_ok: None,
        notes: Vec::new(),
        format,
    };
    let mut taking = Taking { stream, told, events: 0, budget };
    match format {
        Format::JepsenEdn => jepsen(source, Notation::Edn, &mut taking)?,
        Format::JepsenJson => jepsen(source, Notation::Json, &mut taking)?,
        _ => jsonl(&mut Lines { source, line: Vec::new(), number: 0 }, &mut taking)?,
    }
    let Taking { stream, mut told, .. } = taking;
    told.verdict = stream.verdict(budget);
    Ok(told)
}

/// A file, line by line.
struct Lines<R> {
    source: R,
    line: Vec<u8>,
    /// The number of the line, counted from 1.
    number: usize,
}

impl<R: BufRead> Lines<R> {
    /// Goes to the next line, without its end; false when there is none, and an error when it is too long. Answers
    /// besides whether the line had an end.
    fn next(&mut self) -> Result<Option<bool>, HistoryError> {
        self.line.clear();
        self.number += 1;
        let length = Read::take(&mut self.source, LONGEST)
            .read_until(b'\n', &mut self.line)
            .map_err(|source| HistoryError::Io { line: self.number, source })?;
        if length == 0 {
            return Ok(None);
        }
        let ended = self.line.pop_if(|byte| *byte == b'\n').is_some();
        if !ended && length as u64 == LONGEST {
            return Err(self.wrong(format!("a line of more than {LONGEST} bytes")));
        }
        Ok(Some(ended))
    }

    fn wrong(&self, reason: impl Into<String>) -> HistoryError {
        HistoryError::at(self.number, reason)
    }
}

/// A stream and what was counted on the way to it.
struct Taking<'b> {
    stream: Stream,
    told: Streamed,
    /// How many events there were, those of the nemesis among them.
    events: u64,
    budget: &'b Budget<'b>,
}

impl Taking<'_> {
    fn count(&mut self, taken: Taken) {
        let time = Time(taken.time.unwrap_or(self.events));
        self.events += 1;
        self.told.last = self.told.last.max(time);
        match taken.kind {
            Kind::Invoke => self.told.ops += 1,
            Kind::Ok => {
                self.told.ok += 1;
                self.told.first_ok.get_or_insert(time);
            }
            Kind::Fail => self.told.fail += 1,
            Kind::Info => {}
        }
    }

    fn op(&mut self, op: &Op) -> Result<(), String> {
        self.stream.take(op, self.budget)?;
        if op.process == Process::Nemesis {
            self.events += 1;
        } else {
            self.count(Taken { index: None, time: Some(op.time.0), kind: op.kind });
        }
        Ok(())
    }
}

/// Our own format.
fn jsonl<R: BufRead>(lines: &mut Lines<R>, taking: &mut Taking<'_>) -> Result<(), HistoryError> {
    while let Some(ended) = lines.next()? {
        if lines.number == 1 {
            // The history that reads it knows what a header is.
            lines.line.push(b'\n');
            History::read(lines.line.as_slice())?;
            continue;
        }
        if !ended {
            taking.told.notes.push("the last line was torn and was left out".to_owned());
            break;
        }
        if lines.line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let due = taking.events;
        let other = |index: u64| format!("index {index} where {due} was due: indices are dense from 0");
        if let Some(taken) = taking.stream.take_json(&lines.line, None, taking.budget) {
            let taken = taken.map_err(|reason| lines.wrong(reason))?;
            if let Some(index) = taken.index.filter(|index| *index != due) {
                return Err(lines.wrong(other(index)));
            }
            taking.count(taken);
        } else {
            let op: Op =
                serde_json::from_slice(&lines.line).map_err(|error| lines.wrong(error.to_string()))?;
            if op.index != due {
                return Err(lines.wrong(other(op.index)));
            }
            taking.op(&op).map_err(|reason| lines.wrong(reason))?;
        }
    }
    Ok(())
}

/// Jepsen's notations.
fn jepsen(source: impl BufRead, notation: Notation, taking: &mut Taking<'_>) -> Result<(), HistoryError> {
    let mut forms = Forms::new(source);
    let mut fields = Fields::new(notation);
    let mut last = None;
    while let Some((line, form)) = forms.next_form()? {
        let wrong = |reason: String| HistoryError::at(line, reason);
        let (stream, place) = (&mut taking.stream, taking.events);
        let fast = match notation {
            Notation::Edn => stream.take_edn(form.as_bytes(), place, taking.budget),
            Notation::Json => stream.take_json(form.as_bytes(), Some(place), taking.budget),
        };
        let index = if let Some(taken) = fast {
            let taken = taken.map_err(wrong)?;
            taking.count(taken);
            taken.index
        } else {
            let Some((map, tagged)) = jepsen::map(form, line, notation)? else { continue };
            if tagged {
                return Err(wrong("a value with a key of its own, where those before had none".to_owned()));
            }
            let (op, index) = fields.op(map, taking.events as usize).map_err(wrong)?;
            taking.op(&op).map_err(wrong)?;
            index
        };
        if index.is_some() && index <= last {
            return Err(wrong(jepsen::not_above(notation)));
        }
        last = index.or(last);
    }
    Ok(())
}
