//! What a run leaves behind.

use std::collections::{BTreeMap, BTreeSet};

use rashomon_core::{FaultKind, Op, Time, Violation};
use rashomon_results::{
    Coverage, Ended, HistoryWriter, ScheduleEntry, ScheduleWriter, StoreError, Totals, Weakness,
};

/// Where a run is written as it goes.
pub trait Sink {
    /// One more op of the history.
    fn op(&mut self, op: &Op) -> Result<(), StoreError>;
    /// One more entry of the schedule; it must be there before this returns.
    fn schedule(&mut self, entry: &ScheduleEntry) -> Result<(), StoreError>;
    /// Hands over what is still held back.
    fn flush(&mut self) -> Result<(), StoreError>;
}

/// The files of a run folder.
pub struct Files {
    /// `history.jsonl`.
    pub history: HistoryWriter,
    /// `schedule.jsonl`.
    pub schedule: ScheduleWriter,
}

impl Sink for Files {
    fn op(&mut self, op: &Op) -> Result<(), StoreError> {
        self.history.write(op)
    }

    fn schedule(&mut self, entry: &ScheduleEntry) -> Result<(), StoreError> {
        self.schedule.write(entry)
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        self.history.flush()
    }
}

/// What is known of a run besides its history and schedule.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its figures.
    pub totals: Totals,
    /// What each requested kind of fault did.
    pub coverage: BTreeMap<FaultKind, Coverage>,
    /// The invariants that did not hold, with the time of the probe that showed it.
    pub violations: Vec<(Time, Violation)>,
    /// The legal weaknesses that were seen.
    pub weaknesses: Vec<Weakness>,
    /// Probes that the invariants were shown.
    pub probes: u64,
    /// Why the run cannot be called valid whatever the checkers say.
    pub problems: Vec<String>,
    /// Final reads that succeeded, and how many there should have been.
    pub final_reads: Option<(usize, usize)>,
    /// Why it ended.
    pub ended: Ended,
}

impl Record {
    pub(super) fn new(requested: BTreeSet<FaultKind>) -> Record {
        Record {
            totals: Totals::default(),
            coverage: requested.into_iter().map(|kind| (kind, Coverage::new(kind))).collect(),
            violations: Vec::new(),
            weaknesses: Vec::new(),
            probes: 0,
            problems: Vec::new(),
            final_reads: None,
            ended: Ended::Failed,
        }
    }

    /// Counts one more sight of a legal weakness, and keeps what was said of the first.
    pub(super) fn weakness(&mut self, control: &str, because: String) {
        match self.weaknesses.iter_mut().find(|weakness| weakness.control == control) {
            Some(weakness) => weakness.times += 1,
            None => self.weaknesses.push(Weakness { control: control.to_owned(), because, times: 1 }),
        }
    }
}
