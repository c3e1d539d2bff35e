//! Events in numbers, on their way from the text of a history to those who learn from them.

use rashomon_core::{Kind, Op, Process};

use super::micro_ops::{Gathered, MicroOps, Names, Reading};
use super::scan;
use crate::scan::Notation;
use crate::{Inbox, Taken};

/// Events of clients, in the order of their history, with their micro-ops in numbers.
#[derive(Debug, Default)]
pub(super) struct Batch {
    list: Vec<Entry>,
    micro_ops: Gathered,
    /// The `f` of the events; most have that of the event before.
    fs: String,
}

#[derive(Debug)]
struct Entry {
    line: usize,
    index: u64,
    kind: Kind,
    process: u64,
    /// Where its `f` begins and ends.
    f: (usize, usize),
    /// Where its micro-ops end; they begin where those before end.
    end: usize,
    /// Why its micro-ops cannot be understood.
    unknown: Option<String>,
}

/// One event of a batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event<'b> {
    /// Where it stands in its file.
    pub(super) line: usize,
    pub(super) index: u64,
    pub(super) kind: Kind,
    pub(super) process: u64,
    pub(super) f: &'b str,
    pub(super) micro_ops: MicroOps<'b>,
    pub(super) unknown: Option<&'b str>,
}

impl Batch {
    pub(super) fn clear(&mut self) {
        self.list.clear();
        self.micro_ops.clear();
        self.fs.clear();
    }

    /// How many events there are.
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn events(&self) -> impl Iterator<Item = Event<'_>> {
        let mut from = 0;
        self.list.iter().map(move |entry| {
            let from = std::mem::replace(&mut from, entry.end);
            Event {
                line: entry.line,
                index: entry.index,
                kind: entry.kind,
                process: entry.process,
                f: &self.fs[entry.f.0..entry.f.1],
                micro_ops: self.micro_ops.between(from, entry.end),
                unknown: entry.unknown.as_deref(),
            }
        })
    }

    /// About how much memory it takes.
    pub(super) fn bytes(&self) -> usize {
        self.list.capacity() * size_of::<Entry>() + self.micro_ops.bytes() + self.fs.capacity()
    }

    fn push(&mut self, line: usize, index: u64, event: (Kind, u64, &str), unknown: Option<String>) {
        let (kind, process, f) = event;
        let last = self.list.last().map_or((0, 0), |entry| entry.f);
        let f = if &self.fs[last.0..last.1] == f {
            last
        } else {
            let from = self.fs.len();
            self.fs.push_str(f);
            (from, self.fs.len())
        };
        let end = self.micro_ops.list.len();
        self.list.push(Entry { line, index, kind, process, f, end, unknown });
    }
}

/// Makes numbers of events.
#[derive(Debug)]
pub(super) struct Numbering {
    reading: Reading,
    pub(super) names: Names,
    /// Whether there was an event that cannot be understood: then the others need not be.
    lost: bool,
}

impl Numbering {
    pub(super) fn new(reading: Reading) -> Numbering {
        Numbering { reading, names: Names::default(), lost: false }
    }
}

/// Where the next events of a history are put.
#[derive(Debug)]
pub(crate) struct Intake<'s> {
    pub(super) numbering: &'s mut Numbering,
    pub(super) batch: &'s mut Batch,
}

/// So many events, or so many elements that they read, are enough for one batch.
const EVENTS: usize = 8192;
const ELEMENTS: usize = 1 << 20;

impl Intake<'_> {
    /// Whether there is enough for now.
    pub(super) fn is_full(&self) -> bool {
        self.batch.len() >= EVENTS || self.batch.micro_ops.elements.len() >= ELEMENTS
    }

    /// Takes the next event, if it is of a client, which stands at this line of its file.
    pub(super) fn take(&mut self, line: usize, op: &Op) {
        let Process::Client(process) = op.process else { return };
        let Intake { numbering: Numbering { reading, names, lost }, batch } = self;
        let mut unknown = None;
        if !*lost && matches!(op.kind, Kind::Invoke | Kind::Ok) {
            let taken = names.take(&op.value, op.kind == Kind::Invoke, *reading, &mut batch.micro_ops);
            unknown = taken.err();
            *lost = unknown.is_some();
        }
        batch.push(line, op.index, (op.kind, process, &op.f), unknown);
    }
}

impl Inbox for Intake<'_> {
    fn is_full(&self) -> bool {
        Intake::is_full(self)
    }

    fn take(&mut self, line: usize, op: &mut Op) {
        Intake::take(self, line, op);
    }

    fn take_text(
        &mut self,
        line: usize,
        text: &[u8],
        index: Option<u64>,
        notation: Notation,
    ) -> Option<Taken> {
        let Intake { numbering: Numbering { reading, names, .. }, batch } = self;
        let (list, elements) = (batch.micro_ops.list.len(), batch.micro_ops.elements.len());
        let event = scan::event(text, notation, *reading, names, &mut batch.micro_ops);
        let Some((event, index)) = event.and_then(|event| Some((event, index.or(event.index)?))) else {
            batch.micro_ops.list.truncate(list);
            batch.micro_ops.elements.truncate(elements);
            return None;
        };
        batch.push(line, index, (event.kind, event.process, event.f), None);
        Some(Taken { index: event.index, time: event.time, kind: event.kind })
    }
}
