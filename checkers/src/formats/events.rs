//! The events of a file, taken from it one by one.
//!
//! Of the file only the text of one event is held. What goes into a box is an op, or the text itself where the box can
//! read it faster; in both cases it is seen here that the indices rise, and counted what clients said.

use std::io::{BufRead, Read};

use memchr::memchr;
use rashomon_core::{History, HistoryError, Kind, Op, Process, Time};

use super::format::Format;
use super::forms::{Forms, Spot};
use super::jepsen::{self, Fields};
use super::marks::{Mark, Marks, Place};
use super::stream::Source;
use crate::Inbox;
use crate::scan::{self, Notation};

/// The longest line that is read.
const LONGEST: u64 = 16 << 20;

/// The events of a file, which go where they are asked for.
pub(super) struct Events<'s> {
    text: Text<'s>,
    /// The index of the next one.
    due: u64,
    op: Op,
    /// What was counted so far.
    pub(super) told: Told,
    /// Where it was on the way.
    pub(super) marks: Marks,
}

/// How the file is taken apart.
enum Text<'s> {
    /// Our own format.
    Lines(Lines<Box<dyn BufRead + Send + 's>>),
    /// Jepsen's.
    Forms {
        forms: Forms<Box<dyn BufRead + Send + 's>>,
        fields: Fields,
        notation: Notation,
        /// The index that the last op names.
        last: Option<u64>,
    },
}

impl<'s> Events<'s> {
    /// From the beginning of a file.
    pub(super) fn of(source: &'s dyn Source, format: Format) -> Result<Events<'s>, HistoryError> {
        let place = match format {
            Format::JepsenEdn | Format::JepsenJson => {
                Place::Form { spot: Spot::BEGINNING, last: None, processes: false }
            }
            _ => Place::Line { offset: 0, number: 0 },
        };
        Events::at(source, format, Mark { due: 0, place })
    }

    /// From a mark on, which was made in the same file.
    pub(super) fn at(source: &'s dyn Source, format: Format, mark: Mark) -> Result<Events<'s>, HistoryError> {
        let io = |source| HistoryError::Io { line: mark.line(), source };
        let text = if mark.offset() == 0 { source.open() } else { source.open_at(mark.offset()) };
        let text = text.map_err(io)?;
        let text = match mark.place {
            Place::Line { offset, number } => Text::Lines(Lines::new(text, offset, number)),
            Place::Form { spot, last, processes } => {
                let notation = if format == Format::JepsenEdn { Notation::Edn } else { Notation::Json };
                let fields = Fields::new(notation).knowing(processes);
                Text::Forms { forms: Forms::at(text, spot), fields, notation, last }
            }
        };
        Ok(Events { text, due: mark.due, op: Op::blank(), told: Told::default(), marks: Marks::new() })
    }

    /// The place before the next event, where the events behind it can be told without those before.
    fn mark(&self) -> Option<Mark> {
        let place = match &self.text {
            Text::Lines(lines) => Place::Line { offset: lines.offset(), number: lines.number },
            Text::Forms { forms, fields, last, .. } => {
                Place::Form { spot: forms.spot(), last: *last, processes: fields.known()? }
            }
        };
        Some(Mark { due: self.due, place })
    }

    /// Puts events into the box until it is full, or there are no more: then the answer is `false`.
    pub(super) fn fill(&mut self, inbox: &mut dyn Inbox) -> Result<bool, HistoryError> {
        while !inbox.is_full() {
            if self.marks.is_wanted(self.due)
                && let Some(mark) = self.mark()
            {
                self.marks.put(mark);
            }
            let Some((kind, time)) = self.put_next(inbox)? else { return Ok(false) };
            if let Some(kind) = kind {
                self.told.count(kind, time.unwrap_or(Time(self.due)));
            }
            self.due += 1;
        }
        Ok(true)
    }

    /// Puts the next event into the box; tells what a client says by it, if it is one's, and its time if it has one.
    fn put_next(&mut self, inbox: &mut dyn Inbox) -> Result<Option<Put>, HistoryError> {
        match &mut self.text {
            Text::Lines(lines) => put_line(lines, &mut self.op, self.due, &mut self.told.notes, inbox),
            Text::Forms { forms, fields, notation, last } => {
                put_form(forms, fields, *notation, last, &mut self.op, self.due, inbox)
            }
        }
    }
}

/// What was counted on the way through a file.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) ops: u64,
    pub(super) ok: u64,
    pub(super) fail: u64,
    pub(super) last: Time,
    pub(super) first_ok: Option<Time>,
    pub(super) notes: Vec<String>,
}

impl Told {
    fn count(&mut self, kind: Kind, time: Time) {
        self.last = self.last.max(time);
        match kind {
            Kind::Invoke => self.ops += 1,
            Kind::Ok => {
                self.ok += 1;
                self.first_ok.get_or_insert(time);
            }
            Kind::Fail => self.fail += 1,
            Kind::Info => {}
        }
    }
}

/// What a client said, and when.
type Put = (Option<Kind>, Option<Time>);

/// What an op says of a client.
fn said(op: &Op) -> Option<Kind> {
    (op.process != Process::Nemesis).then_some(op.kind)
}

/// Of our own format.
fn put_line(
    lines: &mut Lines<impl BufRead>,
    op: &mut Op,
    due: u64,
    notes: &mut Vec<String>,
    inbox: &mut dyn Inbox,
) -> Result<Option<Put>, HistoryError> {
    loop {
        let number = lines.number + 1;
        let Some((line, ended)) = lines.next()? else { return Ok(None) };
        let wrong = |reason: String| HistoryError::at(number, reason);
        if number == 1 {
            // The history that reads it knows what a header is.
            History::read([line, b"\n"].concat().as_slice())?;
            continue;
        }
        if !ended {
            notes.push("the last line was torn and was left out".to_owned());
            return Ok(None);
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let dense = |index: u64| {
            let other = || format!("index {index} where {due} was due: indices are dense from 0");
            if index == due { Ok(()) } else { Err(wrong(other())) }
        };
        if let Some(taken) = inbox.take_text(number, line, None, Notation::Json) {
            taken.index.map_or(Ok(()), dense)?;
            return Ok(Some((Some(taken.kind), taken.time.map(Time))));
        }
        if scan::op(line, Notation::Json, op) != Some((true, true)) {
            *op = serde_json::from_slice(line).map_err(|error| wrong(error.to_string()))?;
        }
        dense(op.index)?;
        let put = (said(op), Some(op.time));
        inbox.take(number, op);
        return Ok(Some(put));
    }
}

/// Of Jepsen's notations.
fn put_form(
    forms: &mut Forms<impl BufRead>,
    fields: &mut Fields,
    notation: Notation,
    last: &mut Option<u64>,
    op: &mut Op,
    due: u64,
    inbox: &mut dyn Inbox,
) -> Result<Option<Put>, HistoryError> {
    loop {
        let Some((line, form)) = forms.next_form()? else { return Ok(None) };
        let wrong = |reason: String| HistoryError::at(line, reason);
        let (index, put) = if let Some(taken) = inbox.take_text(line, form.as_bytes(), Some(due), notation) {
            fields.named();
            (taken.index, (Some(taken.kind), taken.time.map(Time)))
        } else {
            let index = if let Some((index, time)) = scan::op(form.as_bytes(), notation, op) {
                fields.named();
                let index = index.then_some(op.index);
                if !time {
                    op.time = Time(due);
                }
                op.index = due;
                index
            } else {
                let Some((map, tagged)) = jepsen::map(form, line, notation)? else { continue };
                if tagged {
                    let reason = "a value with a key of its own, where those before had none";
                    return Err(wrong(reason.to_owned()));
                }
                let (taken, index) = fields.op(map, due as usize).map_err(wrong)?;
                *op = taken;
                index
            };
            let put = (said(op), Some(op.time));
            inbox.take(line, op);
            (index, put)
        };
        if index.is_some() && index <= *last {
            return Err(wrong(jepsen::not_above(notation)));
        }
        *last = index.or(*last);
        return Ok(Some(put));
    }
}

/// A file, line by line.
struct Lines<R> {
    source: R,
    /// The line, where the source did not have all of it at once.
    line: Vec<u8>,
    /// How much of what the source has is the line before.
    passed: usize,
    /// How much of the file was taken from the source.
    taken: u64,
    /// The number of the line, counted from 1.
    number: usize,
}

impl<R: BufRead> Lines<R> {
    /// From a place in the file on: behind so many bytes, and so many lines.
    fn new(source: R, offset: u64, number: usize) -> Lines<R> {
        Lines { source, line: Vec::new(), passed: 0, taken: offset, number }
    }

    /// The bytes before the next line.
    fn offset(&self) -> u64 {
        self.taken + self.passed as u64
    }

    /// The next line without its end, if there is one, and whether it had an end. An error when it is too long.
    fn next(&mut self) -> Result<Option<(&[u8], bool)>, HistoryError> {
        self.taken = self.offset();
        self.source.consume(std::mem::take(&mut self.passed));
        self.number += 1;
        let number = self.number;
        let io = |source| HistoryError::Io { line: number, source };
        if let Some(length) = memchr(b'\n', self.source.fill_buf().map_err(io)?) {
            self.passed = length + 1;
            return Ok(Some((&self.source.fill_buf().map_err(io)?[..length], true)));
        }
        self.line.clear();
        let length = Read::take(&mut self.source, LONGEST).read_until(b'\n', &mut self.line).map_err(io)?;
        if length == 0 {
            return Ok(None);
        }
        self.taken += length as u64;
        let ended = self.line.pop_if(|byte| *byte == b'\n').is_some();
        if !ended && length as u64 == LONGEST {
            return Err(HistoryError::at(number, format!("a line of more than {LONGEST} bytes")));
        }
        Ok(Some((&self.line, ended)))
    }
}
