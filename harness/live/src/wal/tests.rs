//! The log under kills, power failures and damage at random places.

use std::path::Path;

use proptest::prelude::*;
use rashomon_core::Seed;

use super::note::Note;
use super::*;

/// What a test does to a log.
#[derive(Clone, Debug)]
enum Step {
    /// Appends a record and hands it to the operating system.
    Append,
    /// Syncs.
    Sync,
    /// Replaces all by this many records.
    Checkpoint(usize),
    /// Kills and opens again.
    Kill,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => Just(Step::Append),
        3 => Just(Step::Sync),
        1 => (0..4_usize).prop_map(Step::Checkpoint),
        1 => Just(Step::Kill),
    ];
    proptest::collection::vec(step, 0..24)
}

/// A log that small needs many segments.
const SMALL: u64 = 100;

fn open(dir: &Path) -> (Log, Vec<Vec<u8>>) {
    let (log, restored) = Log::open_with_limit(dir, SMALL).unwrap();
    (log, restored.records)
}

/// Carries out the steps, and gives the records that are durable and those that are merely written.
fn work(dir: &Path, steps: &[Step]) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let (mut log, records) = open(dir);
    assert!(records.is_empty());
    let (mut durable, mut written) = (Vec::<Vec<u8>>::new(), Vec::<Vec<u8>>::new());
    let mut next = 0;
    let mut record = || {
        next += 1;
        format!("{{\"record\":{next},\"padding\":\"{}\"}}", "x".repeat(next % 17)).into_bytes()
    };
    for step in steps {
        match step {
            Step::Append => {
                written.push(record());
                log.append(written.last().unwrap());
                log.write().unwrap();
            }
            Step::Sync => {
                log.sync(&mut || {}).unwrap();
                durable.append(&mut written);
            }
            Step::Checkpoint(count) => {
                written.clear();
                durable = (0..*count).map(|_| record()).collect();
                log.checkpoint(&durable, &mut || {}).unwrap();
            }
            Step::Kill => {
                drop(log);
                let (again, records) = open(dir);
                durable.append(&mut written);
                assert_eq!(records, durable, "a kill loses nothing that was written");
                log = again;
            }
        }
    }
    (durable, written)
}

fn synced(dir: &Path) -> (std::path::PathBuf, u64) {
    let note = Note::read(dir).unwrap().unwrap().unwrap();
    (super::segment::path(dir, note.segment), note.length)
}

proptest! {
    // Each case syncs for real, many times.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn power_off_takes_only_what_was_not_synced(steps in steps(), seed: u64) {
        let dir = tempfile::tempdir().unwrap();
        let (durable, written) = work(dir.path(), &steps);
        let (path, length) = synced(dir.path());
        let tail = std::fs::metadata(path).unwrap().len() - length;
        let lost = lose_tail(dir.path(), &mut Seed(seed).rng()).unwrap();
        prop_assert!(lost <= tail && (lost > 0 || tail == 0), "{lost} of {tail}");
        let (_, records) = open(dir.path());
        prop_assert_eq!(&records[..durable.len()], &durable[..]);
        // Of the rest a beginning may have survived, and something is missing where anything was lost.
        let survivors = &records[durable.len()..];
        prop_assert!(written.starts_with(survivors));
        prop_assert!(lost == 0 || survivors.len() < written.len());
        // It can go on from there.
        let (mut log, records) = open(dir.path());
        log.append(b"1");
        log.sync(&mut || {}).unwrap();
        drop(log);
        let (_, more) = open(dir.path());
        prop_assert_eq!(more.len(), records.len() + 1);
    }

    #[test]
    fn a_flipped_bit_in_the_synced_part_stops_the_node(steps in steps(), place: prop::sample::Index) {
        let dir = tempfile::tempdir().unwrap();
        work(dir.path(), &steps);
        let (path, length) = synced(dir.path());
        let mut bytes = std::fs::read(&path).unwrap();
        let bit = place.index(length as usize * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&path, bytes).unwrap();
        let error = Log::open_with_limit(dir.path(), SMALL).unwrap_err();
        prop_assert!(matches!(error, WalError::Corrupt { .. }), "{error}");
    }

    #[test]
    fn a_synced_part_that_was_cut_stops_the_node(steps in steps(), place: prop::sample::Index) {
        let dir = tempfile::tempdir().unwrap();
        work(dir.path(), &steps);
        let (path, length) = synced(dir.path());
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_len(place.index(length as usize) as u64).unwrap();
        let error = Log::open_with_limit(dir.path(), SMALL).unwrap_err();
        prop_assert!(matches!(error, WalError::Corrupt { .. }), "{error}");
    }

    #[test]
    fn damage_behind_the_note_is_dropped(steps in steps(), rubbish: Vec<u8>) {
        let dir = tempfile::tempdir().unwrap();
        let (mut durable, mut written) = work(dir.path(), &steps);
        durable.append(&mut written);
        let (path, _) = synced(dir.path());
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.extend_from_slice(&rubbish);
        std::fs::write(&path, bytes).unwrap();
        let (_, restored) = Log::open_with_limit(dir.path(), SMALL).unwrap();
        prop_assert_eq!(restored.records, durable);
        prop_assert_eq!(restored.dropped, rubbish.len() as u64);
    }
}

#[test]
fn every_moment_of_a_checkpoint_leaves_the_old_log_or_the_new() {
    let dir = tempfile::tempdir().unwrap();
    let copy = tempfile::tempdir().unwrap();
    let (mut log, _) = open(dir.path());
    log.append(b"\"old\"");
    log.sync(&mut || {}).unwrap();
    let snapshot = |to: &Path| {
        for entry in std::fs::read_dir(dir.path()).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    };
    // Killed before the new segment has its name: the old log, and no trace of the new.
    log.checkpoint(&[b"\"new\"".to_vec()], &mut || snapshot(copy.path())).unwrap();
    assert_eq!(open(copy.path()).1, [b"\"old\"".to_vec()]);
    assert!(super::segment::list(copy.path()).unwrap().1.is_empty());
    // Killed after it has its name and before it is noted: the new log.
    let segment = super::segment::path(copy.path(), 2);
    std::fs::copy(super::segment::path(dir.path(), 2), segment).unwrap();
    assert_eq!(open(copy.path()).1, [b"\"new\"".to_vec()]);
    assert_eq!(open(dir.path()).1, [b"\"new\"".to_vec()]);
}

#[test]
fn records_are_not_durable_before_the_sync() {
    let dir = tempfile::tempdir().unwrap();
    let (mut log, _) = open(dir.path());
    let empty = synced(dir.path()).1;
    log.append(b"1");
    log.write().unwrap();
    assert_eq!(synced(dir.path()).1, empty);
    let mut seen = 0;
    log.sync(&mut || seen = synced(dir.path()).1).unwrap();
    assert_eq!(seen, empty, "noted before it was synced");
    assert!(synced(dir.path()).1 > empty);
}

#[test]
fn a_log_that_lost_its_note_or_a_segment_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    work(dir.path(), &[Step::Append, Step::Sync, Step::Checkpoint(1), Step::Append, Step::Sync]);
    let note = dir.path().join("synced");
    let kept = std::fs::read(&note).unwrap();
    std::fs::remove_file(&note).unwrap();
    assert!(matches!(Log::open(dir.path()), Err(WalError::Note { .. })));
    std::fs::write(&note, &kept[1..]).unwrap();
    assert!(matches!(Log::open(dir.path()), Err(WalError::Note { .. })));
    std::fs::write(&note, &kept).unwrap();
    assert!(Log::open(dir.path()).is_ok());
    std::fs::remove_file(synced(dir.path()).0).unwrap();
    assert!(matches!(Log::open(dir.path()), Err(WalError::Note { .. })));
}
