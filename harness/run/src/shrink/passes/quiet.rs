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

/// What happens from `when` on happens so much earlier.
fn earlier(story: &Schedule, when: Duration, by: Duration) -> Schedule {
    let moved = |time: Duration| if time >= when { time.saturating_sub(by) } else { time };
    let faults = story.faults().iter().map(|fault| RecordedFault {
        at: moved(fault.at),
        until: fault.until.map(moved),
        ..fault.clone()
    });
    let ops = story.ops.iter().map(|op| ScheduledOp { at: moved(op.at), ..op.clone() }).collect();
    // The end stays where it is: what follows an event may take as long as before. It is cut off later.
    Schedule { ops, ..story.clone() }.with_faults(faults.collect())
}
