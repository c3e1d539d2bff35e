//! Judging a history while it is read.

use rashomon_core::{HistoryError, Kind, Op, Verdict};

use crate::Budget;
use crate::archive::Archive;
use crate::scan::Notation;

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

/// Takes what `fill` puts into boxes: while one is filled, `learn` looks at what was in the one before.
///
/// An error of `fill` counts once what came before was learnt.
pub(crate) fn in_turns<B: Default + Send>(
    mut fill: impl FnMut(&mut B) -> Result<bool, HistoryError> + Send,
    mut learn: impl FnMut(&mut B) -> Result<(), HistoryError> + Send,
    budget: &Budget<'_>,
) -> Result<(), HistoryError> {
    let (mut before, mut next) = (B::default(), B::default());
    let mut last = Ok(true);
    loop {
        let (mut filled, mut learnt) = (Ok(false), Ok(()));
        let mut jobs: Vec<crate::Job<'_>> = Vec::new();
        if let Ok(true) = last {
            let (fill, filled, next) = (&mut fill, &mut filled, &mut next);
            jobs.push(Box::new(move || *filled = fill(next)));
        }
        jobs.push(Box::new(|| learnt = learn(&mut before)));
        budget.crew.work(jobs);
        learnt?;
        if !last? {
            return Ok(());
        }
        last = filled;
        std::mem::swap(&mut before, &mut next);
    }
}
