//! Judging a history while it is read.

use rashomon_core::{HistoryError, Kind, Op, Verdict};

use crate::archive::Archive;
use crate::scan::Notation;
use crate::{Budget, Job};

/// Takes the events of a history, keeps of them what it needs, and judges in the end.
///
/// Its verdict is that of the [`Checker`](crate::Checker) it belongs to, on a history that need not fit into memory.
pub trait Follow {
    /// Is told beforehand that about so many events will come, or fewer.
    fn expect(&mut self, _events: u64, _budget: &Budget<'_>) {}

    /// Takes all events that `fill` puts into boxes, until it answers `false`: then there are no more. While one box is
    /// filled, another member of the crew may look at what was in the one before.
    ///
    /// An error is that of `fill`, or says which event cannot follow those before it: the first of them.
    fn feed(&mut self, fill: &mut Fill<'_>, budget: &Budget<'_>) -> Result<(), HistoryError>;

    /// The invocations that have no end, in order, where that is known: so nobody looks for it.
    fn endless(&self) -> Vec<u64> {
        Vec::new()
    }

    /// Judges what was taken. Operations that the verdict names are looked up in the archive.
    fn verdict(self: Box<Self>, archive: &dyn Archive, budget: &Budget<'_>) -> Verdict;
}

/// Puts the next events into a box, until it is full or there are no more: then the answer is `false`.
pub type Fill<'f> = dyn FnMut(&mut dyn Inbox) -> Result<bool, HistoryError> + Send + 'f;

/// Where the next events of a history are put, in their order.
pub trait Inbox {
    /// Whether there is enough for now.
    fn is_full(&self) -> bool;

    /// Takes the next event, which stands at this line of its file. It may keep what is in `op`, and leave something else
    /// there. Indices are dense from 0.
    fn take(&mut self, line: usize, op: &mut Op);

    /// Takes the next event from its text, where that is faster than to make an op of it first; `None` when this text
    /// is to be taken as an op. Its index is the one that it names, if none is given.
    fn take_text(
        &mut self,
        _line: usize,
        _text: &[u8],
        _index: Option<u64>,
        _notation: Notation,
    ) -> Option<Taken> {
        None
    }
}

/// An event that was taken from its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Its index, where it names one.
    pub index: Option<u64>,
    /// Its time in nanoseconds, where it names one.
    pub time: Option<u64>,
    /// What it says of its operation.
    pub kind: Kind,
}

/// Two boxes, one of which is filled while it is learnt what was in the other.
#[derive(Debug)]
pub(crate) struct Turns<B> {
    /// Was filled the last time.
    ready: B,
    /// Is filled next.
    next: B,
    /// What was said when the last box was filled: whether there are more.
    more: Result<bool, HistoryError>,
}

impl<B: Default + Send> Turns<B> {
    /// With nothing in either box.
    pub(crate) fn new() -> Turns<B> {
        Turns { ready: B::default(), next: B::default(), more: Ok(true) }
    }

    /// The box that was filled the last time, and the one that is filled next.
    pub(crate) fn boxes(&self) -> (&B, &B) {
        (&self.ready, &self.next)
    }

    /// Fills the next box, if there are more events, while another member of the crew may learn what was in the one
    /// before. Answers whether there is another turn to take.
    ///
    /// An error of `fill` counts once what came before was learnt, so that of two errors the first is told.
    pub(crate) fn take(
        &mut self,
        fill: impl FnOnce(&mut B) -> Result<bool, HistoryError> + Send,
        learn: impl FnOnce(&mut B) -> Result<(), HistoryError> + Send,
        budget: &Budget<'_>,
    ) -> Result<bool, HistoryError> {
        let (mut filled, mut learnt) = (Ok(false), Ok(()));
        let Turns { ready, next, more } = self;
        let mut jobs: Vec<Job<'_>> = Vec::new();
        if let Ok(true) = more {
            jobs.push(Box::new(|| filled = fill(next)));
        }
        jobs.push(Box::new(|| learnt = learn(ready)));
        budget.crew.work(jobs);
        learnt?;
        let goes_on = std::mem::replace(more, filled)?;
        std::mem::swap(ready, next);
        Ok(goes_on)
    }
}
