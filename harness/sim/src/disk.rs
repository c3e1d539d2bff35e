//! The disk of one node.

use rand::RngExt;
use rashomon_core::Rng;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Something to write.
#[derive(Clone, Debug)]
pub(crate) enum Job<R> {
    /// One more record.
    Append(R),
    /// These records in place of all before: all of them or none.
    Checkpoint(Vec<R>),
}

/// A log that loses what was not synced.
///
/// As in the live driver, everything that waits when a sync begins is written and synced together. What comes
/// meanwhile is in the process's memory and dies with it.
#[derive(Debug)]
pub(crate) struct Disk<R> {
    /// What is durable.
    log: Vec<R>,
    /// Written, and being synced.
    syncing: Vec<Job<R>>,
    /// Not yet written.
    waiting: Vec<Job<R>>,
}

impl<R: Clone + Serialize + DeserializeOwned> Disk<R> {
    /// An empty log.
    pub(crate) fn new() -> Disk<R> {
        Disk { log: Vec::new(), syncing: Vec::new(), waiting: Vec::new() }
    }

    /// What a process is given when it starts.
    pub(crate) fn records(&self) -> Vec<R> {
        self.log.clone()
    }

    /// The same by way of JSON, as from a real disk.
    pub(crate) fn records_through_json(&self) -> Result<Vec<R>, serde_json::Error> {
        self.log.iter().map(|record| serde_json::from_slice(&serde_json::to_vec(record)?)).collect()
    }

    /// Takes something to write.
    pub(crate) fn give(&mut self, job: Job<R>) {
        self.waiting.push(job);
    }

    /// Begins to sync what waits. Tells how many jobs, none if a sync is under way or nothing waits.
    pub(crate) fn begin_sync(&mut self) -> usize {
        if !self.syncing.is_empty() {
            return 0;
        }
        std::mem::swap(&mut self.syncing, &mut self.waiting);
        self.syncing.len()
    }

    /// The sync is over. Tells how many jobs are durable now.
    pub(crate) fn synced(&mut self) -> usize {
        let mut jobs = std::mem::take(&mut self.syncing);
        let count = jobs.len();
        jobs.drain(..).for_each(|job| self.apply(job));
        // Kept for its room.
        self.syncing = jobs;
        count
    }

    fn apply(&mut self, job: Job<R>) {
        match job {
            Job::Append(record) => self.log.push(record),
            Job::Checkpoint(records) => self.log = records,
        }
    }

    /// The process dies. The operating system still has what was written; a checkpoint that was not yet in place
    /// of the old log, and what came after it, is gone.
    pub(crate) fn killed(&mut self) {
        self.waiting.clear();
        for job in std::mem::take(&mut self.syncing) {
            match job {
                Job::Append(record) => self.log.push(record),
                Job::Checkpoint(_) => break,
            }
        }
    }

    /// The power fails: what was being synced is cut at any byte, and a record that is torn is dropped at the
    /// next start. Tells how many bytes that cost.
    pub(crate) fn power_off(&mut self, rng: &mut Rng) -> u64 {
        self.waiting.clear();
        let jobs = std::mem::take(&mut self.syncing);
        let sizes: Vec<u64> = jobs.iter().map(size).collect();
        let total: u64 = sizes.iter().sum();
        // A page cache writes back when it pleases: as often as not it had not begun.
        let cut = if rng.random_bool(0.5) { 0 } else { rng.random_range(0..=total) };
        let mut end = 0;
        for (job, size) in jobs.into_iter().zip(sizes) {
            end += size;
            if end > cut {
                break;
            }
            self.apply(job);
        }
        total - cut
    }
}

/// The bytes of its JSON: what it takes on a real disk, checksums not counted.
fn size<R: Serialize>(job: &Job<R>) -> u64 {
    let bytes = |record: &R| serde_json::to_vec(record).map_or(1, |text| text.len() as u64);
    match job {
        Job::Append(record) => bytes(record),
        // It comes into being when its folder is synced, which is one more thing to lose.
        Job::Checkpoint(records) => 1 + records.iter().map(bytes).sum::<u64>(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rashomon_core::Seed;

    use super::*;

    fn disk(durable: &[u32], syncing: &[Job<u32>], waiting: &[u32]) -> Disk<u32> {
        let mut disk = Disk::new();
        for record in durable {
            disk.give(Job::Append(*record));
        }
        disk.begin_sync();
        disk.synced();
        for job in syncing {
            disk.give(job.clone());
        }
        assert_eq!(disk.begin_sync(), syncing.len());
        for record in waiting {
            disk.give(Job::Append(*record));
        }
        disk
    }

    #[test]
    fn what_waits_is_synced_together_and_what_comes_later_is_not() {
        let mut disk = disk(&[1], &[Job::Append(2), Job::Append(3)], &[4]);
        assert_eq!(disk.records(), [1]);
        assert_eq!(disk.begin_sync(), 0, "one sync at a time");
        disk.synced();
        assert_eq!(disk.records(), [1, 2, 3]);
        assert_eq!(disk.begin_sync(), 1);
        disk.synced();
        assert_eq!(disk.records_through_json().unwrap(), [1, 2, 3, 4]);
    }

    #[test]
    fn a_kill_keeps_what_was_written() {
        let mut written = disk(&[1], &[Job::Append(2), Job::Append(3)], &[4]);
        written.killed();
        assert_eq!(written.records(), [1, 2, 3]);
        assert_eq!(written.begin_sync(), 0);
        let mut halfway = disk(&[1], &[Job::Append(2), Job::Checkpoint(vec![9]), Job::Append(3)], &[]);
        halfway.killed();
        assert_eq!(halfway.records(), [1, 2]);
    }

    #[test]
    fn a_power_failure_leaves_some_beginning_of_what_was_not_synced() {
        let jobs = [Job::Append(20), Job::Append(30), Job::Checkpoint(vec![40, 41]), Job::Append(50)];
        let mut seen = BTreeSet::new();
        for seed in 0..200 {
            let mut disk = disk(&[10], &jobs, &[60]);
            let lost = disk.power_off(&mut Seed(seed).rng());
            assert_eq!(lost == 0, disk.records() == [40, 41, 50]);
            seen.insert(disk.records());
        }
        let beginnings: [&[u32]; 5] = [&[10], &[10, 20], &[10, 20, 30], &[40, 41], &[40, 41, 50]];
        assert_eq!(seen, beginnings.into_iter().map(<[u32]>::to_vec).collect());
    }

    #[test]
    fn without_unsynced_records_a_power_failure_costs_nothing() {
        let mut disk = disk(&[1, 2], &[], &[3]);
        assert_eq!(disk.power_off(&mut Seed(1).rng()), 0);
        assert_eq!(disk.records(), [1, 2]);
    }
}
