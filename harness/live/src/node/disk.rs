//! The thread that makes records durable, many with one fsync.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use rashomon_core::Seed;

use super::{NodeError, doing};
use crate::control::Slowness;
use crate::poller::Waker;
use crate::wal::{Log, Restored, WalError};

/// Something to write, with its number.
#[derive(Debug)]
enum Job {
    Append(u64, Vec<u8>),
    Checkpoint(u64, Vec<Vec<u8>>),
}

/// What both sides see.
#[derive(Debug, Default)]
struct Shared {
    durable: AtomicU64,
    records: AtomicU64,
    syncs: AtomicU64,
    slow_syncs: AtomicU64,
    slowness: Mutex<Option<Slowness>>,
    failure: Mutex<Option<WalError>>,
}

/// The main thread's end of the disk.
#[derive(Debug)]
pub(super) struct Disk {
    jobs: Sender<Job>,
    shared: Arc<Shared>,
}

/// A panic elsewhere while the lock was held leaves these plain values as good as before.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Disk {
    /// Opens the log and starts the thread, which wakes `waker` whenever something became durable.
    pub(super) fn open(
        dir: &Path,
        seed: Seed,
        slowness: Option<Slowness>,
        waker: Waker,
    ) -> Result<(Disk, Restored), NodeError> {
        let (log, restored) = Log::open(dir)?;
        let (jobs, queue) = channel();
        let shared = Arc::new(Shared { slowness: Mutex::new(slowness), ..Shared::default() });
        let theirs = Arc::clone(&shared);
        thread::Builder::new()
            .name("disk".to_owned())
            .spawn(move || {
                if let Err(error) = work(log, &queue, &theirs, seed, &waker) {
                    *lock(&theirs.failure) = Some(error);
                }
                waker.wake();
            })
            .map_err(doing("starting the disk's thread"))?;
        Ok((Disk { jobs, shared }, restored))
    }

    /// Appends a record.
    pub(super) fn append(&self, number: u64, payload: Vec<u8>) {
        self.give(Job::Append(number, payload));
    }

    /// Replaces the whole log by these records.
    pub(super) fn checkpoint(&self, number: u64, payloads: Vec<Vec<u8>>) {
        self.give(Job::Checkpoint(number, payloads));
    }

    fn give(&self, job: Job) {
        // A thread that is gone has left its reason, which `durable` will find.
        let _ = self.jobs.send(job);
    }

    /// The number up to which all is durable, or why the disk has failed.
    pub(super) fn durable(&self) -> Result<u64, WalError> {
        match lock(&self.shared.failure).take() {
            Some(failure) => Err(failure),
            None => Ok(self.shared.durable.load(Ordering::Acquire)),
        }
    }

    /// Makes every later fsync slower, or no longer.
    pub(super) fn slow_down(&self, slowness: Option<Slowness>) {
        *lock(&self.shared.slowness) = slowness;
    }

    /// Records written, fsyncs, and how many of those were slowed.
    pub(super) fn counts(&self) -> (u64, u64, u64) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (read(&self.shared.records), read(&self.shared.syncs), read(&self.shared.slow_syncs))
    }
}

/// The thread's life: take all that waits, write it, sync once, say so.
fn work(
    mut log: Log,
    queue: &Receiver<Job>,
    shared: &Shared,
    seed: Seed,
    waker: &Waker,
) -> Result<(), WalError> {
    let mut rng = seed.rng();
    let mut before_sync = || {
        shared.syncs.fetch_add(1, Ordering::Relaxed);
        let slowness = *lock(&shared.slowness);
        if let Some(slowness) = slowness {
            shared.slow_syncs.fetch_add(1, Ordering::Relaxed);
            thread::sleep(slowness.draw(&mut rng));
        }
    };
    while let Ok(first) = queue.recv() {
        let mut last = 0;
        let mut pending = false;
        for job in std::iter::once(first).chain(queue.try_iter()) {
            match job {
                Job::Append(number, payload) => {
                    log.append(&payload);
                    shared.records.fetch_add(1, Ordering::Relaxed);
                    (last, pending) = (number, true);
                }
                Job::Checkpoint(number, payloads) => {
                    // Records that it replaces need no sync of their own: nothing is released before this.
                    log.checkpoint(&payloads, &mut before_sync)?;
                    shared.records.fetch_add(payloads.len() as u64, Ordering::Relaxed);
                    (last, pending) = (number, false);
                }
            }
        }
        if pending {
            log.sync(&mut before_sync)?;
        }
        shared.durable.store(last, Ordering::Release);
        waker.wake();
    }
    Ok(())
}
