//! The log itself: open, append, sync, replace.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::note::{Note, NoteFile};
use super::segment::{self, HEADER, Role};

/// A segment that has grown beyond this is followed by another.
const SEGMENT_LIMIT: u64 = 4 * 1024 * 1024;

/// Why a log cannot be used. Each of these stops the node.
#[derive(Debug, Error)]
pub enum WalError {
    /// The disk refused.
    #[error("log {path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The refusal.
        source: io::Error,
    },
    /// What had been synced is not there any more as it was.
    #[error("log {path} is corrupt at byte {offset}, which had been synced: {reason}")]
    Corrupt {
        /// The segment.
        path: PathBuf,
        /// Where the damage begins.
        offset: u64,
        /// What is wrong.
        reason: String,
    },
    /// The note beside the log makes no sense.
    #[error("the note of log {path} cannot be trusted: {reason}")]
    Note {
        /// The folder.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// What a log held when it was opened.
#[derive(Debug, Default)]
pub(crate) struct Restored {
    /// The payloads of its records, in order.
    pub(crate) records: Vec<Vec<u8>>,
    /// Bytes of a torn tail, which were dropped.
    pub(crate) dropped: u64,
}

/// A log that is open for writing.
#[derive(Debug)]
pub(crate) struct Log {
    dir: PathBuf,
    folder: File,
    note: NoteFile,
    /// The segment that is written to.
    file: File,
    number: u64,
    /// Its bytes, those in `buffer` not counted.
    length: u64,
    /// Records appended, but not yet written.
    buffer: Vec<u8>,
    limit: u64,
}

/// Adds the path to an error of the disk.
fn at(path: &Path) -> impl FnOnce(io::Error) -> WalError + '_ {
    |source| WalError::Io { path: path.to_owned(), source }
}

impl Log {
    /// Opens the log in `dir`, or begins one.
    ///
    /// Drops a torn tail, syncs and notes what remains: so whatever the caller is given is durable.
    pub(crate) fn open(dir: &Path) -> Result<(Log, Restored), WalError> {
        Log::open_with_limit(dir, SEGMENT_LIMIT)
    }

    /// The same with segments of another size.
    pub(super) fn open_with_limit(dir: &Path, limit: u64) -> Result<(Log, Restored), WalError> {
        std::fs::create_dir_all(dir).map_err(at(dir))?;
        let folder = File::open(dir).map_err(at(dir))?;
        let note = Note::read(dir).map_err(at(dir))?;
        let distrust = |reason: String| WalError::Note { path: dir.to_owned(), reason };
        let note = note.map_err(distrust)?;
        let (numbers, unfinished) = segment::list(dir).map_err(at(dir))?;
        for path in &unfinished {
            std::fs::remove_file(path).map_err(at(path))?;
        }
        let noted = match (note, numbers.as_slice()) {
            (None, []) => {
                create(dir, &folder, 1, &segment::header(1, Role::Replaces), &mut || {})?;
                Note { segment: 1, length: 0 }
            }
            // Killed after the first segment was made and before the first note.
            (None, [1]) => Note { segment: 1, length: 0 },
            (None, _) => return Err(distrust("it is missing".to_owned())),
            (Some(note), numbers) if numbers.contains(&note.segment) => note,
            (Some(note), _) => {
                return Err(distrust(format!("it names segment {}, which is missing", note.segment)));
            }
        };
        let (last, restored) = restore(dir, &folder, noted)?;
        let path = segment::path(dir, last);
        let file = File::options().append(true).open(&path).map_err(at(&path))?;
        file.sync_all().map_err(at(&path))?;
        folder.sync_all().map_err(at(dir))?;
        let length = file.metadata().map_err(at(&path))?.len();
        let note = NoteFile::open(dir).map_err(at(dir))?;
        note.write(Note { segment: last, length }).map_err(at(dir))?;
        let log =
            Log { dir: dir.to_owned(), folder, note, file, number: last, length, buffer: Vec::new(), limit };
        Ok((log, restored))
    }

    /// Appends a record. It is on its way with [`write`](Log::write), and durable after [`sync`](Log::sync).
    pub(crate) fn append(&mut self, payload: &[u8]) {
        segment::push_record(&mut self.buffer, payload);
    }

    /// Hands what was appended to the operating system.
    pub(crate) fn write(&mut self) -> Result<(), WalError> {
        let path = segment::path(&self.dir, self.number);
        self.file.write_all(&self.buffer).map_err(at(&path))?;
        self.length += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Makes all records durable, and notes it. `before` runs just before the disk is asked to sync.
    pub(crate) fn sync(&mut self, before: &mut dyn FnMut()) -> Result<(), WalError> {
        self.write()?;
        before();
        self.file.sync_data().map_err(at(&segment::path(&self.dir, self.number)))?;
        self.note_length()?;
        if self.length > self.limit {
            let next = self.number + 1;
            self.enter(next, &segment::header(next, Role::Continues), &mut || {})?;
        }
        Ok(())
    }

    /// Replaces the whole log by these records, durably. `before` runs just before the disk is asked to sync.
    pub(crate) fn checkpoint(
        &mut self,
        payloads: &[Vec<u8>],
        before: &mut dyn FnMut(),
    ) -> Result<(), WalError> {
        // What was appended before is replaced as well.
        self.buffer.clear();
        let next = self.number + 1;
        let mut content = segment::header(next, Role::Replaces);
        for payload in payloads {
            segment::push_record(&mut content, payload);
        }
        self.enter(next, &content, before)?;
        delete_before(&self.dir, next)
    }

    /// Goes on in a new segment.
    fn enter(&mut self, number: u64, content: &[u8], before: &mut dyn FnMut()) -> Result<(), WalError> {
        create(&self.dir, &self.folder, number, content, before)?;
        let path = segment::path(&self.dir, number);
        self.file = File::options().append(true).open(&path).map_err(at(&path))?;
        self.number = number;
        self.length = content.len() as u64;
        self.note_length()
    }

    fn note_length(&self) -> Result<(), WalError> {
        self.note.write(Note { segment: self.number, length: self.length }).map_err(at(&self.dir))
    }
}

/// Makes a segment that is either there as a whole or not at all.
fn create(
    dir: &Path,
    folder: &File,
    number: u64,
    content: &[u8],
    before: &mut dyn FnMut(),
) -> Result<(), WalError> {
    let path = segment::path(dir, number);
    let unfinished = path.with_extension("tmp");
    let mut file = File::create(&unfinished).map_err(at(&unfinished))?;
    file.write_all(content).map_err(at(&unfinished))?;
    before();
    file.sync_all().map_err(at(&unfinished))?;
    std::fs::rename(&unfinished, &path).map_err(at(&path))?;
    folder.sync_all().map_err(at(dir))
}

/// Deletes the segments before `number`.
fn delete_before(dir: &Path, number: u64) -> Result<(), WalError> {
    let (numbers, _) = segment::list(dir).map_err(at(dir))?;
    for old in numbers.into_iter().filter(|old| *old < number) {
        let path = segment::path(dir, old);
        std::fs::remove_file(&path).map_err(at(&path))?;
    }
    Ok(())
}

/// Reads the segments that count, cuts off what is torn behind the note, and tells which segment is the last.
fn restore(dir: &Path, folder: &File, noted: Note) -> Result<(u64, Restored), WalError> {
    let (numbers, _) = segment::list(dir).map_err(at(dir))?;
    let mut restored = Restored::default();
    let mut last = noted.segment;
    let mut expected = None;
    let mut behind_is_void = false;
    for number in numbers {
        let path = segment::path(dir, number);
        let corrupt = |offset: usize, reason: String| WalError::Corrupt {
            path: path.clone(),
            offset: offset as u64,
            reason,
        };
        let bytes = std::fs::read(&path).map_err(at(&path))?;
        let synced = match number.cmp(&noted.segment) {
            std::cmp::Ordering::Less => bytes.len(),
            std::cmp::Ordering::Equal => noted.length as usize,
            std::cmp::Ordering::Greater => 0,
        };
        if bytes.len() < synced {
            return Err(corrupt(bytes.len(), format!("{synced} bytes had been synced")));
        }
        let role = segment::read_header(&bytes, number);
        let whole = role.as_ref().is_ok_and(|_| first_damage(&bytes).is_none());
        if number > noted.segment && (behind_is_void || !whole) {
            // A segment is synced before it gets its name, so this is the work of a power failure. Nothing
            // in it was ever seen.
            behind_is_void = true;
            restored.dropped += bytes.len() as u64;
            std::fs::remove_file(&path).map_err(at(&path))?;
            continue;
        }
        let role = role.map_err(|reason| corrupt(0, reason))?;
        match role {
            Role::Replaces => restored.records.clear(),
            Role::Continues if expected == Some(number) => {}
            Role::Continues => return Err(corrupt(0, "the segment before it is missing".to_owned())),
        }
        expected = Some(number + 1);
        last = number;
        let mut offset = HEADER;
        while let Some(next) = segment::record(&bytes, offset) {
            match next {
                Ok((payload, end)) if end <= synced || offset >= synced => {
                    restored.records.push(payload.to_owned());
                    offset = end;
                }
                Ok(_) => return Err(corrupt(offset, format!("a record crosses the end at {synced}"))),
                Err(reason) if offset < synced => return Err(corrupt(offset, reason)),
                Err(_) => break,
            }
        }
        if offset < bytes.len() {
            restored.dropped += (bytes.len() - offset) as u64;
            let file = File::options().write(true).open(&path).map_err(at(&path))?;
            file.set_len(offset as u64).map_err(at(&path))?;
            file.sync_all().map_err(at(&path))?;
        }
    }
    folder.sync_all().map_err(at(dir))?;
    Ok((last, restored))
}

/// Where the first record that is not whole begins.
fn first_damage(bytes: &[u8]) -> Option<usize> {
    let mut offset = HEADER;
    while let Some(next) = segment::record(bytes, offset) {
        match next {
            Ok((_, end)) => offset = end,
            Err(_) => return Some(offset),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_an_error_and_nothing_is_noted() {
        let dir = tempfile::tempdir().unwrap();
        let (mut log, _) = Log::open(dir.path()).unwrap();
        let before = Note::read(dir.path()).unwrap();
        log.file = File::options().write(true).open("/dev/full").unwrap();
        log.append(b"1");
        let error = log.sync(&mut || {}).unwrap_err();
        assert!(error.to_string().contains("No space left"), "{error}");
        assert_eq!(Note::read(dir.path()).unwrap(), before);
    }
}
