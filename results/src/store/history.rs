//! The writer of `history.jsonl`.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use rashomon_core::{Op, history};

use super::StoreError;
use super::journal::Journal;

/// Writes a history while it happens.
///
/// Ops are gathered and handed over by the quarter megabyte: the caller flushes at intervals, so that a run
/// that is killed has lost at most one interval. Only whole lines are handed over.
#[derive(Debug)]
pub struct HistoryWriter<W: Write = File> {
    journal: Journal<W>,
    next: u64,
}

impl HistoryWriter {
    /// A new history in `file`; the header is written at once.
    pub fn create(file: &Path) -> Result<HistoryWriter, StoreError> {
        Ok(HistoryWriter { journal: Journal::create(file, history::HEADER)?, next: 0 })
    }
}

impl<W: Write> HistoryWriter<W> {
    /// A history into anything that takes bytes, which errors call `file`.
    pub fn new(file: &Path, out: W) -> Result<HistoryWriter<W>, StoreError> {
        Ok(HistoryWriter { journal: Journal::new(file, out, history::HEADER)?, next: 0 })
    }

    /// Adds the next op, whose index must be the number of ops before it.
    pub fn write(&mut self, op: &Op) -> Result<(), StoreError> {
        assert_eq!(op.index, self.next, "the indices of a history are dense from 0");
        self.next += 1;
        self.journal.push(op)
    }

    /// How many ops were added.
    pub fn written(&self) -> u64 {
        self.next
    }

    /// Hands over everything that was added, so that it outlives this process.
    pub fn flush(&mut self) -> Result<(), StoreError> {
        self.journal.flush()
    }
}

#[cfg(test)]
mod tests {
    use rashomon_core::{History, Kind, Process, Time};
    use serde_json::json;

    use super::*;

    fn op(index: u64, kind: Kind) -> Op {
        Op {
            index,
            time: Time(index * 1000),
            kind,
            process: Process::Client(index / 2),
            f: "write".into(),
            value: json!("a\nb"),
            key: Some("x".into()),
            error: None,
            node: Some("n1".into()),
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mut bytes = Vec::new();
        let mut writer = HistoryWriter::new(Path::new("h"), &mut bytes).unwrap();
        let ops: Vec<Op> =
            (0..20_000).map(|i| op(i, if i % 2 == 0 { Kind::Invoke } else { Kind::Ok })).collect();
        for op in &ops {
            writer.write(op).unwrap();
        }
        assert_eq!(writer.written(), 20_000);
        drop(writer);
        assert_eq!(History::read(bytes.as_slice()).unwrap().ops(), ops);
    }

    #[test]
    fn what_was_flushed_is_a_history_whatever_comes_after() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("history.jsonl");
        let mut writer = HistoryWriter::create(&file).unwrap();
        writer.write(&op(0, Kind::Invoke)).unwrap();
        writer.flush().unwrap();
        writer.write(&op(1, Kind::Ok)).unwrap();
        // The process dies here: its memory is gone, the file stays.
        std::mem::forget(writer);
        let read = History::read(std::fs::read(&file).unwrap().as_slice()).unwrap();
        assert_eq!(read.ops().len(), 1);
        assert!(!read.torn());
    }

    #[test]
    fn a_history_is_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("history.jsonl");
        drop(HistoryWriter::create(&file).unwrap());
        let error = HistoryWriter::create(&file).unwrap_err().to_string();
        assert!(error.contains("history.jsonl: creating: "), "{error}");
    }
}
