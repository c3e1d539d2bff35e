//! Less time in which nothing is done.

use std::collections::BTreeSet;
use std::time::Duration;

use super::super::bench::Bench;
use crate::plan::RecordedFault;
use crate::schedule::{Schedule, ScheduledOp};

/// A gap that is not worth the trouble.
const SHORT: Duration = Duration::from_millis(4);
/// What is tried to leave of a gap, in sixteenths.
const LEFT: [u32; 5] = [0, 2, 4, 8, 12];

/// Moves faults and ops closer to what comes before them.
pub(super) fn less(bench: &Bench<'_>, mut story: Schedule) -> Schedule {
    let mut place = 0;
    while let Some((from, to)) = gaps(&story).get(place).copied() {
        let candidate =
            |number: usize| earlier(&story, to, to.saturating_sub(from) * (16 - LEFT[number]) / 16);
        match bench.first(LEFT.len(), &candidate) {
            Some(number) => story = candidate(number),
            None => place += 1,
        }
        if bench.is_over() {
            break;
        }
    }
    story
}

/// Times that are easier to read: whole tens of milliseconds, or whole ones, for all events at once.
pub(super) fn rounded(bench: &Bench<'_>, story: Schedule) -> Schedule {
    const UNITS: [Duration; 3] =
        [Duration::from_millis(10), Duration::from_millis(1), Duration::from_micros(10)];
    let candidate = |number: usize| {
        let unit = UNITS[number].as_nanos();
        // A schedule lasts a day at most.
        moved(&story, |time| Duration::from_nanos((time.as_nanos() / unit * unit) as u64))
    };
    match bench.first(UNITS.len(), &candidate) {
        Some(number) => candidate(number),
        None => story,
    }
}

/// The times between one event of the schedule and the next.
fn gaps(story: &Schedule) -> Vec<(Duration, Duration)> {
    let faults = story.faults().iter().flat_map(|fault| [Some(fault.at), fault.until]).flatten();
    let ops = story.ops.iter().map(|op| op.at);
    let times: BTreeSet<Duration> = faults.chain(ops).chain([Duration::ZERO]).collect();
    let times: Vec<Duration> = times.into_iter().collect();
    times
        .windows(2)
        .map(|pair| (pair[0], pair[1]))
        .filter(|(from, to)| to.saturating_sub(*from) > SHORT)
        .collect()
}

/// What happens from `when` on happens so much earlier. The end stays where it is: what follows an event may take as
/// long as before. It is cut off later.
fn earlier(story: &Schedule, when: Duration, by: Duration) -> Schedule {
    moved(story, |time| if time >= when { time.saturating_sub(by) } else { time })
}

/// The schedule with other times; their order must stay.
fn moved(story: &Schedule, to: impl Fn(Duration) -> Duration) -> Schedule {
    let faults = story.faults().iter().map(|fault| RecordedFault {
        at: to(fault.at),
        until: fault.until.map(&to),
        ..fault.clone()
    });
    let ops = story.ops.iter().map(|op| ScheduledOp { at: to(op.at), ..op.clone() }).collect();
    Schedule { ops, ..story.clone() }.with_faults(faults.collect())
}
