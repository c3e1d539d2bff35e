//! Files that grow by whole lines while a run is on.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::StoreError;

/// How much is gathered before it is written, unless the caller flushes earlier.
const ROOM: usize = 256 << 10;

/// A writer of JSON lines that hands over whole lines only.
///
/// After a refusal (a full disk, say) it stays refused: what was handed over before is a readable prefix, and
/// a line written after a gap would make it a lie.
#[derive(Debug)]
pub(crate) struct Journal<W: Write> {
    file: PathBuf,
    out: W,
    waiting: Vec<u8>,
    refused: bool,
}

impl Journal<File> {
    /// A new file that begins with `header`, which is on disk when this returns.
    pub(crate) fn create(file: &Path, header: &str) -> Result<Journal<File>, StoreError> {
        let out = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(file)
            .map_err(StoreError::io(file, "creating"))?;
        Journal::new(file, out, header)
    }
}

impl<W: Write> Journal<W> {
    /// A journal into `out`, which errors call `file`.
    pub(crate) fn new(file: &Path, out: W, header: &str) -> Result<Journal<W>, StoreError> {
        let mut waiting = Vec::with_capacity(ROOM + (4 << 10));
        waiting.extend_from_slice(header.as_bytes());
        waiting.push(b'\n');
        let mut journal = Journal { file: file.to_owned(), out, waiting, refused: false };
        journal.flush()?;
        Ok(journal)
    }

    /// Adds a line. It reaches the file when enough has gathered, or at the next flush.
    pub(crate) fn push(&mut self, line: &impl Serialize) -> Result<(), StoreError> {
        serde_json::to_writer(&mut self.waiting, line)
            .map_err(|error| StoreError::json(&self.file, 1, &error))?;
        self.waiting.push(b'\n');
        if self.waiting.len() >= ROOM { self.flush() } else { Ok(()) }
    }

    /// Hands over everything that waits.
    pub(crate) fn flush(&mut self) -> Result<(), StoreError> {
        let outcome = if self.refused {
            Err(io::Error::other("not tried again after an earlier refusal"))
        } else {
            self.out.write_all(&self.waiting).and_then(|()| self.out.flush())
        };
        self.waiting.clear();
        outcome.map_err(|source| {
            self.refused = true;
            StoreError::io(&self.file, "writing")(source)
        })
    }
}

impl<W: Write> Drop for Journal<W> {
    fn drop(&mut self) {
        if !self.refused {
            // Whoever cares about the outcome has flushed before.
            let _ = self.flush();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk with room for so many bytes.
    struct Disk<'a> {
        content: &'a mut Vec<u8>,
        room: usize,
    }

    impl Write for Disk<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = bytes.len().min(self.room - self.content.len());
            if taken == 0 && !bytes.is_empty() {
                return Err(io::Error::from(io::ErrorKind::StorageFull));
            }
            self.content.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_is_said_and_nothing_follows_the_gap() {
        let mut content = Vec::new();
        let mut journal =
            Journal::new(Path::new("x.jsonl"), Disk { content: &mut content, room: 10 }, "head").unwrap();
        journal.push(&1234).unwrap();
        journal.push(&5678).unwrap();
        let error = journal.flush().unwrap_err().to_string();
        assert!(error.starts_with("x.jsonl: writing: "), "{error}");
        journal.out.room = 1000;
        journal.push(&9).unwrap();
        assert!(journal.flush().is_err());
        drop(journal);
        assert_eq!(String::from_utf8(content).unwrap(), "head\n1234\n");
    }

    #[test]
    fn what_waits_is_written_when_it_is_dropped() {
        let mut content = Vec::new();
        let mut journal = Journal::new(Path::new("x.jsonl"), &mut content, "head").unwrap();
        journal.push(&1).unwrap();
        drop(journal);
        assert_eq!(content, b"head\n1\n");
    }
}
