//! Histories judged while their file is read, so that they may be larger than memory.
//!
//! What is judged and how is the same as of a history that was read as a whole; only the history itself is not there
//! afterwards. The few operations that a verdict names are read once more.

use std::io::{self, BufRead, Read};
use std::ops::ControlFlow;

use memchr::memchr;
use rashomon_core::history::Pair;
use rashomon_core::{History, HistoryError, Kind, Op, Process, Time, Verdict};
use rustc_hash::FxHashMap;

use super::format::Format;
use super::forms::Forms;
use super::jepsen::{self, Fields};
use super::recording;
use crate::scan::{self, Notation};
use crate::{Archive, Budget, Checker, Inbox, Spans, Taken};

/// The longest line, and the longest op of several lines, that is read.
const LONGEST: u64 = 16 << 20;

/// Few events have a text that is shorter, in bytes.
const SHORTEST: u64 = 64;

/// A file that can be read from its beginning more than once.
pub trait Source {
    /// Begins to read it.
    fn open(&self) -> io::Result<Box<dyn BufRead + Send + '_>>;

    /// How many bytes there are, where that is known.
    fn size(&self) -> Option<u64> {
        None
    }

    /// Is told when all of it was taken, and the judging begins.
    fn taken(&self) {}
}

impl Source for &[u8] {
    fn open(&self) -> io::Result<Box<dyn BufRead + Send + '_>> {
        Ok(Box::new(*self))
    }

    fn size(&self) -> Option<u64> {
        Some(self.len() as u64)
    }
}

/// What was judged, and what there was in the file.
#[derive(Clone, Debug)]
pub struct Streamed {
    /// The verdict.
    pub verdict: Verdict,
    /// How many operations began.
    pub ops: u64,
    /// Of these, how many happened.
    pub ok: u64,
    /// How many did not.
    pub fail: u64,
    /// When the last event was.
    pub last: Time,
    /// When the first operation ended ok.
    pub first_ok: Option<Time>,
    /// How the file was written.
    pub format: Format,
    /// What a reader of the verdict should know about how the file was taken.
    pub notes: Vec<String>,
    /// The operations that the anomalies name, and some around them.
    pub excerpt: History,
}

/// What the beginning of a file says about how to judge it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beginning {
    /// How the file is written.
    pub format: Format,
    /// The model that its first operations suggest.
    pub model: Option<&'static str>,
}

/// What the beginning of a file says, if a file of that format that begins so can be judged while it is read; a few
/// dozen kilobytes of it are enough.
pub fn begins(format: Format, beginning: &str) -> Option<Beginning> {
    let lines = match format {
        Format::Jsonl | Format::JepsenJson | Format::JepsenEdn => &beginning[..=beginning.rfind('\n')?],
        _ => return None,
    };
    let open = lines.trim_start().starts_with(['[', '(']);
    let closed = [lines.to_owned(), format!("{}]", lines.trim_end().trim_end_matches(','))];
    let recording = closed[usize::from(open)..].iter().find_map(|text| recording::read(format, text).ok())?;
    // Whether values are pairs with a key, or who did what where no process is named, must be told by the whole file.
    let keyed = recording.history.ops().iter().any(|op| op.key.is_some());
    let clear = recording.notes.is_empty() && (format == Format::Jsonl || !keyed);
    clear.then_some(Beginning { format, model: recording.model })
}

/// Judges a file of one of the formats that [`begins`] names, with a checker that can follow it; `None` when it cannot.
pub fn judge_stream(
    source: &dyn Source,
    format: Format,
    checker: &dyn Checker,
    budget: &Budget<'_>,
) -> Result<Option<Streamed>, HistoryError> {
    let Some(mut follower) = checker.follow() else { return Ok(None) };
    if let Some(size) = source.size() {
        follower.expect(size / SHORTEST, budget);
    }
    let mut events = Events::of(source, format)?;
    follower.feed(&mut |inbox| events.fill(inbox), budget)?;
    let Told { ops, ok, fail, last, first_ok, notes } = events.told;
    source.taken();
    let archive = Reread { source, format };
    let verdict = follower.verdict(&archive, budget);
    let excerpt = around(&verdict, &archive)?;
    Ok(Some(Streamed { verdict, ops, ok, fail, last, first_ok, format, notes, excerpt }))
}

/// The anomalies of a verdict whose operations are picked out.
const SHOWN: usize = 20;

/// The events before and after each event of an anomaly whose operations are picked out with it, if they begin there.
const AROUND: u64 = 60;

/// The operations of the anomalies, and those that began around their events.
fn around(verdict: &Verdict, archive: &dyn Archive) -> Result<History, HistoryError> {
    let events = verdict.anomalies.iter().take(SHOWN).flat_map(|anomaly| anomaly.events.iter().copied());
    let spans = Spans::new(events, AROUND);
    let mut ops = Vec::new();
    if spans.end().is_some() {
        archive.pick(&spans, &mut |pair| {
            ops.push(pair.invoke.clone());
            ops.extend(pair.completion.cloned());
        })?;
    }
    ops.sort_unstable_by_key(|op| op.index);
    History::excerpt(ops)
}

/// A file that is read again for some of its operations.
struct Reread<'s> {
    source: &'s dyn Source,
    format: Format,
}

impl Reread<'_> {
    /// Shows the operations that were invoked within the spans, or all.
    fn visit(
        &self,
        spans: Option<&Spans>,
        visit: &mut dyn FnMut(&Pair<'_>) -> ControlFlow<()>,
    ) -> Result<(), HistoryError> {
        let mut pairing =
            Pairing { open: FxHashMap::default(), spare: Vec::new(), spans, visit, over: false };
        let mut events = Events::of(self.source, self.format)?;
        // It is full only when it has seen enough.
        events.fill(&mut pairing)?;
        let Pairing { open, visit, over, .. } = pairing;
        let mut open: Vec<Op> = open.into_values().collect();
        open.sort_unstable_by_key(|invoke| invoke.index);
        for invoke in &open {
            if over || visit(&Pair { invoke, completion: None }).is_break() {
                break;
            }
        }
        Ok(())
    }
}

impl Archive for Reread<'_> {
    fn each(&self, visit: &mut dyn FnMut(&Pair<'_>) -> ControlFlow<()>) -> Result<(), HistoryError> {
        self.visit(None, visit)
    }

    fn pick(&self, spans: &Spans, visit: &mut dyn FnMut(&Pair<'_>)) -> Result<(), HistoryError> {
        self.visit(Some(spans), &mut |pair| {
            visit(pair);
            ControlFlow::Continue(())
        })
    }
}

/// Puts the ends of operations to their beginnings.
struct Pairing<'v> {
    /// The invocations that matter and have not ended, by process.
    open: FxHashMap<u64, Op>,
    /// Ops that are not needed any more, for the memory that their text has.
    spare: Vec<Op>,
    /// Where the invocations stand that matter, if not all do.
    spans: Option<&'v Spans>,
    visit: &'v mut dyn FnMut(&Pair<'_>) -> ControlFlow<()>,
    over: bool,
}

impl Pairing<'_> {
    fn passes_over(&self, index: u64, kind: Kind, process: u64) -> bool {
        match (kind, self.spans) {
            (Kind::Invoke, Some(spans)) => !spans.contain(index),
            (Kind::Invoke, None) => false,
            (Kind::Ok | Kind::Fail | Kind::Info, _) => !self.open.contains_key(&process),
        }
    }
}

impl Inbox for Pairing<'_> {
    fn is_full(&self) -> bool {
        self.over
    }

    fn take_text(
        &mut self,
        _line: usize,
        text: &[u8],
        index: Option<u64>,
        notation: Notation,
    ) -> Option<Taken> {
        let start = scan::start(text, notation)?;
        let at = index.or(start.index)?;
        let taken = Taken { index: start.index, time: None, kind: start.kind };
        self.passes_over(at, start.kind, start.process).then_some(taken)
    }

    fn take(&mut self, _line: usize, op: &mut Op) {
        let Process::Client(process) = op.process else { return };
        if self.passes_over(op.index, op.kind, process) {
            return;
        }
        if op.kind == Kind::Invoke {
            let mut kept = self.spare.pop().unwrap_or_else(Op::blank);
            std::mem::swap(&mut kept, op);
            self.open.insert(process, kept);
            return;
        }
        let Some(invoke) = self.open.remove(&process) else { return };
        let step = (self.visit)(&Pair { invoke: &invoke, completion: Some(op) });
        self.spare.push(invoke);
        // What was asked for may all have ended long before the file does.
        let done = self.open.is_empty() && self.spans.and_then(Spans::end).is_some_and(|end| end <= op.index);
        self.over = step.is_break() || done;
    }
}

/// A file, line by line.
struct Lines<R> {
    source: R,
    /// The line, where the source did not have all of it at once.
    line: Vec<u8>,
    /// How much of what the source has is the line before.
    passed: usize,
    /// The number of the line, counted from 1.
    number: usize,
}

impl<R: BufRead> Lines<R> {
    fn new(source: R) -> Lines<R> {
        Lines { source, line: Vec::new(), passed: 0, number: 0 }
    }

    /// The next line without its end, if there is one, and whether it had an end. An error when it is too long.
    fn next(&mut self) -> Result<Option<(&[u8], bool)>, HistoryError> {
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
        let ended = self.line.pop_if(|byte| *byte == b'\n').is_some();
        if !ended && length as u64 == LONGEST {
            return Err(HistoryError::at(number, format!("a line of more than {LONGEST} bytes")));
        }
        Ok(Some((&self.line, ended)))
    }
}

/// What was counted on the way through a file.
#[derive(Debug, Default)]
struct Told {
    ops: u64,
    ok: u64,
    fail: u64,
    last: Time,
    first_ok: Option<Time>,
    notes: Vec<String>,
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

/// The events of a file, which go where they are asked for.
struct Events<'s> {
    text: Text<'s>,
    /// The index of the next one.
    due: u64,
    op: Op,
    told: Told,
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
    fn of(source: &'s dyn Source, format: Format) -> Result<Events<'s>, HistoryError> {
        let text = source.open().map_err(|source| HistoryError::Io { line: 1, source })?;
        let forms = |text, notation| Text::Forms {
            forms: Forms::new(text),
            fields: Fields::new(notation),
            notation,
            last: None,
        };
        let text = match format {
            Format::JepsenEdn => forms(text, Notation::Edn),
            Format::JepsenJson => forms(text, Notation::Json),
            _ => Text::Lines(Lines::new(text)),
        };
        Ok(Events { text, due: 0, op: Op::blank(), told: Told::default() })
    }

    /// Puts events into the box until it is full, or there are no more: then the answer is `false`.
    fn fill(&mut self, inbox: &mut dyn Inbox) -> Result<bool, HistoryError> {
        while !inbox.is_full() {
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
            (taken.index, (Some(taken.kind), taken.time.map(Time)))
        } else {
            let index = if let Some((index, time)) = scan::op(form.as_bytes(), notation, op) {
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
