//! A power failure, as the log sees it: what was not synced is lost or torn.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rand::{Rng as _, RngExt};
use rashomon_core::Rng;

use super::note::Note;
use super::segment;

/// Takes from the log in `dir` what lies behind its note, and tells how many bytes that cost.
///
/// The process must be dead. A page cache writes back as it pleases, so the unsynced tail of the noted segment
/// may be gone altogether, or end anywhere, or be rubbish from anywhere on; a segment that was never noted is
/// either there as a whole or not at all. What was synced is never touched.
pub(crate) fn lose_tail(dir: &Path, rng: &mut Rng) -> io::Result<u64> {
    let (numbers, unfinished) = match segment::list(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        listed => listed?,
    };
    // A node that never noted anything has nothing to lose; a damaged note is for the node to complain about.
    let Ok(Some(note)) = Note::read(dir)? else { return Ok(0) };
    let mut lost = 0;
    let later = numbers.into_iter().filter(|number| *number > note.segment);
    for path in unfinished.into_iter().chain(later.map(|number| segment::path(dir, number))) {
        if rng.random_bool(0.5) {
            lost += std::fs::metadata(&path)?.len();
            std::fs::remove_file(&path)?;
        }
    }
    let path = segment::path(dir, note.segment);
    let length = std::fs::metadata(&path)?.len();
    if length <= note.length {
        return Ok(lost);
    }
    let file = File::options().write(true).open(&path)?;
    let kept = match rng.random_range(0..4) {
        0 | 1 => note.length,
        _ => rng.random_range(note.length..length),
    };
    if rng.random_range(0..4) == 0 {
        let mut rubbish = vec![0; (length - kept) as usize];
        rng.fill_bytes(&mut rubbish);
        file.write_all_at(&rubbish, kept)?;
    } else {
        file.set_len(kept)?;
    }
    Ok(lost + (length - kept))
}
