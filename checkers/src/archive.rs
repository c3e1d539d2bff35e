//! Operations looked up again after they were judged.
//!
//! A history that is judged while it is read is not kept, and few of its operations matter in the end: those that a
//! verdict names. They are read once more.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use rashomon_core::history::Pair;
use rashomon_core::{History, HistoryError, Kind, Op, Process};

/// Where the operations of a history can be had again.
pub trait Archive {
    /// Shows all operations of clients, in whatever order, until `visit` has seen enough.
    ///
    /// The error says why they cannot be had: a file may be gone, or be another one by now.
    fn each(&self, visit: &mut dyn FnMut(&Pair<'_>) -> ControlFlow<()>) -> Result<(), HistoryError>;

    /// Shows the operations that were invoked within these spans.
    fn pick(&self, spans: &Spans, visit: &mut dyn FnMut(&Pair<'_>)) -> Result<(), HistoryError> {
        self.each(&mut |pair| {
            if spans.contain(pair.invoke.index) {
                visit(pair);
            }
            ControlFlow::Continue(())
        })
    }
}

impl Archive for History {
    fn each(&self, visit: &mut dyn FnMut(&Pair<'_>) -> ControlFlow<()>) -> Result<(), HistoryError> {
        // Whether it was broken off makes no difference here.
        let _ = self.pairs().try_for_each(|pair| visit(&pair));
        Ok(())
    }

    fn pick(&self, spans: &Spans, visit: &mut dyn FnMut(&Pair<'_>)) -> Result<(), HistoryError> {
        for (first, last) in &spans.list {
            let from = self.ops().partition_point(|op| op.index < *first);
            let within = self.ops()[from..].iter().take_while(|op| op.index <= *last);
            for invoke in within.filter(|op| op.kind == Kind::Invoke && op.process != Process::Nemesis) {
                visit(&Pair { invoke, completion: self.partner_of(invoke) });
            }
        }
        Ok(())
    }
}

/// Spans of events, by their indices.
#[derive(Clone, Debug, Default)]
pub struct Spans {
    /// The first and the last event of each: in order, and apart from each other.
    list: Vec<(u64, u64)>,
}

impl Spans {
    /// From `around` events before each of these to as many behind it.
    pub fn new(events: impl IntoIterator<Item = u64>, around: u64) -> Spans {
        let mut events: Vec<u64> = events.into_iter().collect();
        events.sort_unstable();
        let mut list: Vec<(u64, u64)> = Vec::new();
        for event in events {
            let (first, end) = (event.saturating_sub(around), event.saturating_add(around));
            match list.last_mut() {
                Some(before) if first <= before.1.saturating_add(1) => before.1 = end,
                _ => list.push((first, end)),
            }
        }
        Spans { list }
    }

    /// Whether the event is within one of them.
    pub fn contain(&self, event: u64) -> bool {
        let after = self.list.partition_point(|(first, _)| *first <= event);
        after > 0 && event <= self.list[after - 1].1
    }

    /// The first and the last event of each, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, u64)> {
        self.list.iter().copied()
    }

    /// The last event of all, if there is any.
    pub fn end(&self) -> Option<u64> {
        self.list.last().map(|(_, last)| *last)
    }
}

/// A few operations of a history, by their invocations.
#[derive(Clone, Debug, Default)]
pub(crate) struct Excerpt {
    operations: BTreeMap<u32, (Op, Option<Op>)>,
}

impl Excerpt {
    /// The operations that these events invoked.
    pub(crate) fn new(
        archive: &dyn Archive,
        calls: impl IntoIterator<Item = u32>,
    ) -> Result<Excerpt, HistoryError> {
        let calls: Vec<u32> = calls.into_iter().collect();
        let mut operations = BTreeMap::new();
        archive.pick(&Spans::new(calls.iter().copied().map(u64::from), 0), &mut |pair| {
            let operation = (pair.invoke.clone(), pair.completion.cloned());
            operations.insert(pair.invoke.index as u32, operation);
        })?;
        match calls.iter().find(|call| !operations.contains_key(*call)) {
            Some(call) => Err(HistoryError::at(*call as usize + 1, "the operation is there no more")),
            None => Ok(Excerpt { operations }),
        }
    }

    /// The operation that an event invoked: one of those that were asked for.
    pub(crate) fn pair(&self, call: u32) -> Pair<'_> {
        let (invoke, completion) = &self.operations[&call];
        Pair { invoke, completion: completion.as_ref() }
    }
}
