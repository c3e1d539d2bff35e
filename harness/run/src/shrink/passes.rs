//! What is left out, in which order.
//!
//! A round: whole faults; clients, then single ops; what the faults that are left strike, and for how long; the
//! quiet time between events; the touch of the network on single messages. After each, what comes after the moment
//! at which the failure shows is cut off. Rounds go on until one changes nothing. A smaller cluster is tried once,
//! early, while there are ops enough to fail by another way than the first. At last the clients are made as few as
//! can ask what is left to ask.

mod cluster;
mod faults;
mod messages;
mod quiet;

use std::time::Duration;

use rashomon_core::Time;

use super::bench::Bench;
use super::minimize::minimize;
use crate::plan::{Plan, RecordedFault};
use crate::schedule::{Schedule, ScheduledOp};

/// How much longer than to the moment of failure a run is made, in this order: some failures show only when ops that
/// are open then come to their end.
const MARGINS: [Duration; 4] = [
    Duration::from_millis(1),
    Duration::from_millis(100),
    Duration::from_millis(500),
    Duration::from_millis(1200),
];

/// Makes a failing run as small as time allows.
pub(super) fn all(bench: &Bench<'_>, whole: &Schedule) -> Schedule {
    bench.step("the end", whole);
    let mut story = cut(bench, whole.clone());
    let mut first = true;
    loop {
        let before = story.clone();
        bench.step("faults", &story);
        story = cut(bench, fewer_faults(bench, &story));
        if std::mem::take(&mut first) {
            bench.step("nodes", &story);
            story = cut(bench, cluster::smaller(bench, whole, story));
            bench.step("faults", &story);
            story = cut(bench, fewer_faults(bench, &story));
        }
        bench.step("clients", &story);
        story = fewer_clients(bench, &story);
        bench.step("ops", &story);
        story = cut(bench, fewer_ops(bench, &story));
        bench.step("nodes struck", &story);
        story = faults::narrower(bench, story);
        bench.step("times", &story);
        story = cut(bench, faults::shorter(bench, story));
        story = cut(bench, quiet::less(bench, story));
        story = cut(bench, quiet::rounded(bench, story));
        bench.step("messages", &story);
        story = cut(bench, messages::untouched(bench, story));
        if bench.is_over() || (story.faults() == before.faults() && story.ops == before.ops) {
            break;
        }
    }
    bench.step("clients", &story);
    cluster::fewest_clients(bench, story)
}

/// Without what comes after the failure.
fn cut(bench: &Bench<'_>, story: Schedule) -> Schedule {
    let Some(found) = bench.fails(&story) else { return story };
    let limits: Vec<Duration> = MARGINS
        .iter()
        .map(|margin| found.since(Time::ZERO) + *margin)
        .filter(|limit| *limit < story.plan.time_limit)
        .collect();
    let shorter = |number: usize| up_to(&story, limits[number]);
    match bench.first(limits.len(), &shorter) {
        Some(number) => shorter(number),
        None => story,
    }
}

/// The run up to a limit.
fn up_to(story: &Schedule, limit: Duration) -> Schedule {
    let begun = story.faults().iter().filter(|fault| fault.at < limit);
    // What would end later is healed at the end.
    let faults = begun
        .map(|fault| RecordedFault { until: fault.until.filter(|until| *until < limit), ..fault.clone() });
    let ops = story.ops.iter().filter(|op| op.at < limit).cloned().collect();
    let shorter = Schedule { plan: Plan { time_limit: limit, ..story.plan.clone() }, ops, ..story.clone() };
    shorter.with_faults(faults.collect())
}

fn fewer_faults(bench: &Bench<'_>, story: &Schedule) -> Schedule {
    let left = minimize(story.faults().to_vec(), &|count, faults| {
        bench.first(count, &|number| story.with_faults(faults(number)))
    });
    story.with_faults(left)
}

fn fewer_clients(bench: &Bench<'_>, story: &Schedule) -> Schedule {
    let of = |clients: &[u64]| -> Schedule {
        let ops = story.ops.iter().filter(|op| clients.contains(&op.process)).cloned().collect();
        Schedule { ops, ..story.clone() }
    };
    let all: Vec<u64> = story.clients().into_iter().map(|(process, _)| process).collect();
    let left = minimize(all, &|count, clients| bench.first(count, &|number| of(&clients(number))));
    of(&left)
}

fn fewer_ops(bench: &Bench<'_>, story: &Schedule) -> Schedule {
    let with = |ops: Vec<ScheduledOp>| Schedule { ops, ..story.clone() };
    let left = minimize(story.ops.clone(), &|count, ops| bench.first(count, &|number| with(ops(number))));
    with(left)
}
