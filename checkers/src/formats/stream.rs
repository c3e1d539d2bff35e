//! Histories judged while their file is read, so that they may be larger than memory.
//!
//! What is judged and how is the same as of a history that was read as a whole; only the history itself is not there
//! afterwards. The few operations that a verdict names are read once more.

use std::io::{self, BufRead, Read};

use rashomon_core::{History, HistoryError, Time, Verdict};

use super::events::{Events, Told};
use super::format::Format;
use super::recording;
use super::reread::Reread;
use crate::{Archive, Budget, Checker, Spans};

/// Few events have a text that is shorter, in bytes.
const SHORTEST: u64 = 64;

/// A file that can be read from its beginning more than once.
pub trait Source {
    /// Begins to read it.
    fn open(&self) -> io::Result<Box<dyn BufRead + Send + '_>>;

    /// Begins to read it behind so many bytes. Worth writing where these need not be read.
    fn open_at(&self, offset: u64) -> io::Result<Box<dyn BufRead + Send + '_>> {
        let mut text = self.open()?;
        io::copy(&mut Read::take(&mut text, offset), &mut io::sink())?;
        Ok(text)
    }

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

    fn open_at(&self, offset: u64) -> io::Result<Box<dyn BufRead + Send + '_>> {
        let before = usize::try_from(offset).map_or(self.len(), |offset| offset.min(self.len()));
        Ok(Box::new(&self[before..]))
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
    let Events { told: Told { ops, ok, fail, last, first_ok, notes }, marks, .. } = events;
    source.taken();
    let archive = Reread { source, format, marks, endless: follower.endless() };
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
