//! A file that is read again for some of its operations.

use std::ops::ControlFlow;

use rashomon_core::history::Pair;
use rashomon_core::{HistoryError, Kind, Op, Process};
use rustc_hash::FxHashMap;

use super::events::Events;
use super::format::Format;
use super::marks::Marks;
use super::stream::Source;
use crate::scan::{self, Notation};
use crate::{Archive, Inbox, Spans, Taken};

/// A file that was read to its end before, with what was noted on the way.
pub(super) struct Reread<'s> {
    pub(super) source: &'s dyn Source,
    pub(super) format: Format,
    /// Places from which it can be read.
    pub(super) marks: Marks,
    /// Invocations that have no end, in order: all that there are, or some of them.
    pub(super) endless: Vec<u64>,
}

impl Reread<'_> {
    /// Shows the operations that were invoked within the spans, and passes over what is far from them.
    fn near(&self, spans: &Spans, visit: &mut dyn FnMut(&Pair<'_>)) -> Result<(), HistoryError> {
        let mut show = |pair: &Pair<'_>| {
            visit(pair);
            ControlFlow::Continue(())
        };
        let mut pairing = Pairing::new(Some(spans), &self.endless, &mut show);
        let mut events: Option<Events<'_>> = None;
        for (first, last) in spans.iter() {
            // It stops behind a span where nothing is open, so nothing in between is missed.
            if let Some(mark) = self.marks.before(first)
                && mark.due > pairing.next
            {
                events = Some(Events::at(self.source, self.format, mark)?);
            }
            let events = match &mut events {
                Some(events) => events,
                None => events.insert(Events::of(self.source, self.format)?),
            };
            pairing.last = last;
            if !events.fill(&mut pairing)? {
                break;
            }
        }
        pairing.finish();
        Ok(())
    }
}

impl Archive for Reread<'_> {
    fn each(&self, visit: &mut dyn FnMut(&Pair<'_>) -> ControlFlow<()>) -> Result<(), HistoryError> {
        let mut pairing = Pairing::new(None, &self.endless, visit);
        Events::of(self.source, self.format)?.fill(&mut pairing)?;
        pairing.finish();
        Ok(())
    }

    fn pick(&self, spans: &Spans, visit: &mut dyn FnMut(&Pair<'_>)) -> Result<(), HistoryError> {
        self.near(spans, visit)
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
    /// Invocations for whose end nobody need wait.
    endless: &'v [u64],
    /// The last event of the span that is read.
    last: u64,
    /// The index of the next event.
    next: u64,
    visit: &'v mut dyn FnMut(&Pair<'_>) -> ControlFlow<()>,
    /// Whether enough was seen of all.
    over: bool,
}

impl<'v> Pairing<'v> {
    fn new(
        spans: Option<&'v Spans>,
        endless: &'v [u64],
        visit: &'v mut dyn FnMut(&Pair<'_>) -> ControlFlow<()>,
    ) -> Pairing<'v> {
        Pairing {
            open: FxHashMap::default(),
            spare: Vec::new(),
            spans,
            endless,
            last: u64::MAX,
            next: 0,
            visit,
            over: false,
        }
    }

    fn passes_over(&self, index: u64, kind: Kind, process: u64) -> bool {
        match (kind, self.spans) {
            (Kind::Invoke, Some(spans)) => !spans.contain(index),
            (Kind::Invoke, None) => false,
            (Kind::Ok | Kind::Fail | Kind::Info, _) => !self.open.contains_key(&process),
        }
    }

    /// Shows what has not ended.
    fn finish(self) {
        let mut open: Vec<Op> = self.open.into_values().collect();
        open.sort_unstable_by_key(|invoke| invoke.index);
        for invoke in &open {
            if self.over || (self.visit)(&Pair { invoke, completion: None }).is_break() {
                break;
            }
        }
    }
}

impl Inbox for Pairing<'_> {
    fn is_full(&self) -> bool {
        self.over || (self.next > self.last && self.open.is_empty())
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
        if !self.passes_over(at, start.kind, start.process) {
            return None;
        }
        self.next = at.saturating_add(1);
        Some(Taken { index: start.index, time: None, kind: start.kind })
    }

    fn take(&mut self, _line: usize, op: &mut Op) {
        self.next = op.index.saturating_add(1);
        let Process::Client(process) = op.process else { return };
        if self.passes_over(op.index, op.kind, process) {
            return;
        }
        if op.kind != Kind::Invoke {
            let Some(invoke) = self.open.remove(&process) else { return };
            self.over = (self.visit)(&Pair { invoke: &invoke, completion: Some(op) }).is_break();
            self.spare.push(invoke);
        } else if self.endless.binary_search(&op.index).is_ok() {
            self.over = (self.visit)(&Pair { invoke: op, completion: None }).is_break();
        } else {
            let mut kept = self.spare.pop().unwrap_or_else(Op::blank);
            std::mem::swap(&mut kept, op);
            self.open.insert(process, kept);
        }
    }
}
