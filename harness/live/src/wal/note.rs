//! The note beside a log: up to where it is durable.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

const NAME: &str = "synced";
const MAGIC: &[u8; 7] = b"RSHMNOT";
const VERSION: u8 = 1;
const SIZE: usize = 8 + 8 + 8 + 4;

/// Up to where a log is durable: every earlier segment whole, and this many bytes of this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Note {
    /// The segment.
    pub(super) segment: u64,
    /// Its durable bytes.
    pub(super) length: u64,
}

impl Note {
    /// The note of a log. `None` when none was ever written; an error text when it is damaged.
    pub(super) fn read(dir: &Path) -> io::Result<Result<Option<Note>, String>> {
        let bytes = match std::fs::read(dir.join(NAME)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Ok(None)),
            Err(error) => return Err(error),
        };
        // Killed between making the file and writing to it.
        Ok(if bytes.is_empty() { Ok(None) } else { Note::decode(&bytes).map(Some) })
    }

    fn encode(self) -> [u8; SIZE] {
        let mut bytes = [0; SIZE];
        bytes[..7].copy_from_slice(MAGIC);
        bytes[7] = VERSION;
        bytes[8..16].copy_from_slice(&self.segment.to_be_bytes());
        bytes[16..24].copy_from_slice(&self.length.to_be_bytes());
        let checksum = crc32c::crc32c(&bytes[..24]);
        bytes[24..].copy_from_slice(&checksum.to_be_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Result<Note, String> {
        let bytes: &[u8; SIZE] =
            bytes.try_into().map_err(|_| format!("it has {} bytes instead of {SIZE}", bytes.len()))?;
        let number = |at: usize| {
            u64::from_be_bytes(bytes[at..at + 8].try_into().expect("eight bytes are eight bytes"))
        };
        if crc32c::crc32c(&bytes[..24]).to_be_bytes() != bytes[24..] {
            return Err("its checksum does not match".to_owned());
        }
        if &bytes[..7] != MAGIC {
            return Err("it is no note".to_owned());
        }
        if bytes[7] != VERSION {
            return Err(format!("its version {} is unknown", bytes[7]));
        }
        Ok(Note { segment: number(8), length: number(16) })
    }
}

/// The file that holds the note.
#[derive(Debug)]
pub(super) struct NoteFile(File);

impl NoteFile {
    /// Opens the file, or makes it.
    pub(super) fn open(dir: &Path) -> io::Result<NoteFile> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(dir.join(NAME))?;
        Ok(NoteFile(file))
    }

    /// Replaces the note, in one write and in place.
    pub(super) fn write(&self, note: Note) -> io::Result<()> {
        self.0.write_all_at(&note.encode(), 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_as_written_and_damage_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Note::read(dir.path()).unwrap(), Ok(None));
        let file = NoteFile::open(dir.path()).unwrap();
        assert_eq!(Note::read(dir.path()).unwrap(), Ok(None), "made, but not yet written");
        let note = Note { segment: 3, length: 0x0102_0304_0506 };
        file.write(Note { segment: 9, length: 9 }).unwrap();
        file.write(note).unwrap();
        assert_eq!(Note::read(dir.path()).unwrap(), Ok(Some(note)));
        for bit in 0..SIZE * 8 {
            let mut bytes = note.encode();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(Note::decode(&bytes).is_err(), "bit {bit}");
        }
        assert!(Note::decode(&note.encode()[1..]).is_err());
    }
}
