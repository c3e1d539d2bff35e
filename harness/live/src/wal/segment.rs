//! One file of a log: a header, then records.

use std::io;
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 7] = b"RSHMWAL";
const VERSION: u8 = 1;

/// The bytes of a segment's header: magic, version, number, what it is, checksum.
pub(super) const HEADER: usize = 8 + 8 + 1 + 4;
/// The bytes before a record's payload: length, and checksum of length and payload.
const FRAME: usize = 4 + 4;

/// What a segment is to those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It goes on where the one before ended.
    Continues,
    /// It replaces all before it.
    Replaces,
}

/// The bytes that a segment begins with.
pub(super) fn header(number: u64, role: Role) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER);
    bytes.extend_from_slice(MAGIC);
    bytes.push(VERSION);
    bytes.extend_from_slice(&number.to_be_bytes());
    bytes.push(u8::from(role == Role::Replaces));
    bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_be_bytes());
    bytes
}

/// Reads the header of segment `number`.
pub(super) fn read_header(bytes: &[u8], number: u64) -> Result<Role, String> {
    let bytes = bytes.get(..HEADER).ok_or("the header is cut off")?;
    let (head, checksum) = bytes.split_at(HEADER - 4);
    if crc32c::crc32c(head).to_be_bytes() != checksum {
        return Err("the header's checksum does not match".to_owned());
    }
    if !head.starts_with(MAGIC) {
        return Err("it is no segment of a log".to_owned());
    }
    if head[7] != VERSION {
        return Err(format!("its version {} is unknown", head[7]));
    }
    if head[8..16] != number.to_be_bytes() {
        return Err("the header has another number".to_owned());
    }
    match head[16] {
        0 => Ok(Role::Continues),
        1 => Ok(Role::Replaces),
        other => Err(format!("its role {other} is unknown")),
    }
}

/// Appends a record to `bytes`.
pub(super) fn push_record(bytes: &mut Vec<u8>, payload: &[u8]) {
    let length = u32::try_from(payload.len()).expect("a record is smaller than 4 GiB").to_be_bytes();
    bytes.extend_from_slice(&length);
    let checksum = crc32c::crc32c_append(crc32c::crc32c(&length), payload);
    bytes.extend_from_slice(&checksum.to_be_bytes());
    bytes.extend_from_slice(payload);
}

/// The record at `offset`, and where the next begins. `None` at the end.
pub(super) fn record(bytes: &[u8], offset: usize) -> Option<Result<(&[u8], usize), String>> {
    let rest = &bytes[offset..];
    if rest.is_empty() {
        return None;
    }
    Some(parse(rest).map(|payload| (payload, offset + FRAME + payload.len())))
}

fn parse(rest: &[u8]) -> Result<&[u8], String> {
    let (length, tail) = rest.split_first_chunk::<4>().ok_or("the length of a record is cut off")?;
    let (checksum, tail) = tail.split_first_chunk::<4>().ok_or("the checksum of a record is cut off")?;
    let size = u32::from_be_bytes(*length) as usize;
    let payload = tail.get(..size).ok_or("a record is cut off")?;
    if crc32c::crc32c_append(crc32c::crc32c(length), payload) != u32::from_be_bytes(*checksum) {
        return Err("a record's checksum does not match".to_owned());
    }
    Ok(payload)
}

/// Where segment `number` is.
pub(super) fn path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:016}.wal"))
}

/// The numbers of the segments in a folder, in order, and the files that were never finished.
pub(super) fn list(dir: &Path) -> io::Result<(Vec<u64>, Vec<PathBuf>)> {
    let (mut numbers, mut unfinished) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("wal") => numbers.extend(stem.and_then(|stem| stem.parse::<u64>().ok())),
            Some("tmp") => unfinished.push(path),
            _ => {}
        }
    }
    numbers.sort_unstable();
    Ok((numbers, unfinished))
}
