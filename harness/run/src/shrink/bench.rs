//! Where candidates are tried.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rashomon_core::{Happening, History, Link, Time, Validity};
use rashomon_results::{Accusation, RunVerdict};

use crate::judge::Limits;
use crate::progress::{Event, Observer};
use crate::run::{Imagined, Script, imagine};
use crate::schedule::Schedule;

/// How hard to try.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Attempts at a time.
    pub jobs: usize,
    /// The longest that it may take, in real time.
    pub time: Duration,
}

/// How far the shrinking is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// What is being made less.
    pub step: &'static str,
    /// Attempts so far.
    pub attempts: u64,
    /// Faults of the smallest run so far.
    pub faults: usize,
    /// Ops of the smallest run so far.
    pub ops: usize,
}

/// A place for attempts: knows what they are to show, counts them, and ends when time is up.
pub(super) struct Bench<'a> {
    accusation: Accusation,
    jobs: usize,
    deadline: Instant,
    interrupted: &'a AtomicBool,
    attempts: AtomicU64,
    progress: Mutex<Progress>,
    watch: &'a (dyn Fn(&Progress) + Sync),
}

impl<'a> Bench<'a> {
    /// A bench on which runs are to be accused of this.
    pub(super) fn new(
        accusation: Accusation,
        effort: &Effort,
        begun: Instant,
        interrupted: &'a AtomicBool,
        watch: &'a (dyn Fn(&Progress) + Sync),
    ) -> Bench<'a> {
        Bench {
            accusation,
            jobs: effort.jobs.max(1),
            deadline: begun + effort.time,
            interrupted,
            attempts: AtomicU64::new(0),
            progress: Mutex::new(Progress::default()),
            watch,
        }
    }

    /// How many attempts were made.
    pub(super) fn attempts(&self) -> u64 {
        self.attempts.load(Ordering::Relaxed)
    }

    /// Whether no more attempts are made.
    pub(super) fn is_over(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed) || Instant::now() >= self.deadline
    }

    /// Says what is being tried, and on what.
    pub(super) fn step(&self, step: &'static str, schedule: &Schedule) {
        let (faults, ops) = (schedule.faults().len(), schedule.ops.len());
        *self.progress.lock().expect("nobody panics while it notes") =
            Progress { step, attempts: 0, faults, ops };
    }

    /// Runs a candidate. If it fails in the same way: when it was seen to.
    pub(super) fn fails(&self, schedule: &Schedule) -> Option<Time> {
        let run = self.run(schedule, None)?;
        found_at(&self.accusation, &run.verdict, &run.history)
            .filter(|_| run.verdict.valid == Validity::Invalid)
    }

    /// The messages that the network touched in a run: dropped, delayed, repeated, damaged.
    pub(super) fn touched(&self, schedule: &Schedule) -> Vec<(Link, u64)> {
        let run = self.run(schedule, Some(Time::ZERO));
        run.map_or_else(Vec::new, |run| run.trace.happenings.iter().filter_map(touched).collect())
    }

    fn run(&self, schedule: &Schedule, traced: Option<Time>) -> Option<Imagined> {
        if self.is_over() {
            return None;
        }
        let attempts = self.attempts.fetch_add(1, Ordering::Relaxed) + 1;
        let progress = *self.progress.lock().expect("nobody panics while it notes");
        (self.watch)(&Progress { attempts, ..progress });
        let enough = AtomicBool::new(false);
        let mut clock = Clock { bench: self, enough: &enough };
        let time = self.deadline.saturating_duration_since(Instant::now());
        let limits = Limits { time, ..Limits::default() };
        let run = imagine(Script::Listed(schedule), limits, traced, &mut clock, &enough).ok()?;
        // A run that was broken off proves nothing.
        (!enough.load(Ordering::Relaxed)).then_some(run)
    }

    /// The first, in order, of so many candidates that fails. Several are tried at a time.
    pub(super) fn first(
        &self,
        count: usize,
        candidate: &(dyn Fn(usize) -> Schedule + Sync),
    ) -> Option<usize> {
        let next = AtomicUsize::new(0);
        let found = AtomicUsize::new(usize::MAX);
        let work = || {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                // Those before the best so far are under way already: they were begun in order.
                if number >= count || number > found.load(Ordering::Relaxed) || self.is_over() {
                    break;
                }
                if self.fails(&candidate(number)).is_some() {
                    found.fetch_min(number, Ordering::Relaxed);
                }
            }
        };
        if self.jobs == 1 || count == 1 {
            work();
        } else {
            std::thread::scope(|scope| {
                for _ in 0..self.jobs.min(count) {
                    scope.spawn(work);
                }
            });
        }
        Some(found.into_inner()).filter(|number| *number < count)
    }
}

/// Ends an attempt when time is up.
struct Clock<'a> {
    bench: &'a Bench<'a>,
    enough: &'a AtomicBool,
}

impl Observer for Clock<'_> {
    fn event(&mut self, event: &Event<'_>) {
        if matches!(event, Event::Tick(_)) && self.bench.is_over() {
            self.enough.store(true, Ordering::Relaxed);
        }
    }
}

/// When the first anomaly of that kind was complete: the time of the probe that shows it, or of the last of its ops.
pub(super) fn found_at(accusation: &Accusation, verdict: &RunVerdict, history: &History) -> Option<Time> {
    let end = history.ops().iter().map(|op| op.time).max().unwrap_or_default();
    let complete = |anomaly: &rashomon_core::Anomaly| {
        if let Some(time) = anomaly.details.get("time").and_then(rashomon_core::Value::as_u64) {
            return Time(time);
        }
        let times =
            anomaly.events.iter().filter_map(|index| history.ops().get(usize::try_from(*index).ok()?));
        times.map(|op| op.time).max().unwrap_or(end)
    };
    accusation.among(&verdict.checkers).map(complete).min()
}

/// The name of a message that the network touched.
pub(super) fn touched(happening: &Happening) -> Option<(Link, u64)> {
    match happening {
        Happening::Message { link, sequence, fate, .. } if !fate.is_empty() => Some((*link, *sequence)),
        _ => None,
    }
}
