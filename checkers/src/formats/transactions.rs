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
use crate::isolation::{Intake, Level, Stream, Taken, Unfit};
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
    source: impl BufRead + Send,
    format: Format,
    model: &str,
    promised: Option<Level>,
    budget: &Budget<'_>,
) -> Result<Streamed, HistoryError> {
    let promised = promised.unwrap_or(Level::STRICT_SERIALIZABLE);
    let mut stream =
        if model == "rw-register" { Stream::registers(promised) } else { Stream::lists(promised) };
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
    let mut counts = Counts { told, events: 0 };
    match format {
        Format::JepsenEdn => jepsen(source, Notation::Edn, &mut stream, &mut counts, budget)?,
        Format::JepsenJson => jepsen(source, Notation::Json, &mut stream, &mut counts, budget)?,
        _ => jsonl(source, &mut stream, &mut counts, budget)?,
    }
    let mut told = counts.told;
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

/// What was counted on the way through a file.
struct Counts {
    told: Streamed,
    /// How many events there were, those of the nemesis among them.
    events: u64,
}

impl Counts {
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

    fn count_op(&mut self, op: &Op) {
        if op.process == Process::Nemesis {
            self.events += 1;
        } else {
            self.count(Taken { index: None, time: Some(op.time.0), kind: op.kind });
        }
    }
}

impl From<Unfit> for HistoryError {
    fn from(unfit: Unfit) -> HistoryError {
        HistoryError::at(unfit.line, unfit.reason)
    }
}

/// Our own format.
fn jsonl(
    source: impl BufRead + Send,
    stream: &mut Stream,
    counts: &mut Counts,
    budget: &Budget<'_>,
) -> Result<(), HistoryError> {
    let mut lines = Lines { source, line: Vec::new(), number: 0 };
    let fill = |intake: &mut Intake<'_>| {
        while !intake.is_full() {
            let Some(ended) = lines.next()? else { return Ok(false) };
            if lines.number == 1 {
                // The history that reads it knows what a header is.
                lines.line.push(b'\n');
                History::read(lines.line.as_slice())?;
                continue;
            }
            if !ended {
                counts.told.notes.push("the last line was torn and was left out".to_owned());
                return Ok(false);
            }
            if lines.line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let due = counts.events;
            let index = if let Some(taken) = intake.take_text(lines.number, &lines.line, None, Notation::Json)
            {
                counts.count(taken);
                taken.index
            } else {
                let op: Op =
                    serde_json::from_slice(&lines.line).map_err(|error| lines.wrong(error.to_string()))?;
                intake.take(lines.number, &op);
                counts.count_op(&op);
                Some(op.index)
            };
            if let Some(index) = index.filter(|index| *index != due) {
                let reason = format!("index {index} where {due} was due: indices are dense from 0");
                return Err(lines.wrong(reason));
            }
        }
        Ok(true)
    };
    stream.feed(fill, budget)
}

/// Jepsen's notations.
fn jepsen(
    source: impl BufRead + Send,
    notation: Notation,
    stream: &mut Stream,
    counts: &mut Counts,
    budget: &Budget<'_>,
) -> Result<(), HistoryError> {
    let mut forms = Forms::new(source);
    let mut fields = Fields::new(notation);
    let mut last = None;
    let fill = |intake: &mut Intake<'_>| {
        while !intake.is_full() {
            let Some((line, form)) = forms.next_form()? else { return Ok(false) };
            let wrong = |reason: String| HistoryError::at(line, reason);
            let due = counts.events;
            let index = if let Some(taken) = intake.take_text(line, form.as_bytes(), Some(due), notation) {
                counts.count(taken);
                taken.index
            } else {
                let Some((map, tagged)) = jepsen::map(form, line, notation)? else { continue };
                if tagged {
                    return Err(wrong(
                        "a value with a key of its own, where those before had none".to_owned(),
                    ));
                }
                let (op, index) = fields.op(map, due as usize).map_err(wrong)?;
                intake.take(line, &op);
                counts.count_op(&op);
                index
            };
            if index.is_some() && index <= last {
                return Err(wrong(jepsen::not_above(notation)));
            }
            last = index.or(last);
        }
        Ok(true)
    };
    stream.feed(fill, budget)
}
