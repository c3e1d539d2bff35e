//! Whether everything that went into a queue came out.

use rashomon_core::history::Pair;
use rashomon_core::{Anomaly, History, Map, Verdict};

use super::flow::{Element, Fault, Flow, Queue};
use super::unordered::{accuse, recovered};
use crate::accusations::{Accusations, anomaly, completed};
use crate::models::Datum;
use crate::{Budget, Checker};

/// Judges a queue that was emptied at the end, in the terms of Jepsen's `total-queue`: what goes in must come out.
///
/// Operations are those of [`UnorderedQueue`](super::UnorderedQueue).
///
/// - *lost element*: its enqueue was acknowledged, the queue was found empty by an operation that began after that, and
///   it never came out;
/// - *phantom*, *aborted* and *future dequeue*: it came out and had not gone in, as there.
///
/// Each is *invalid*. An element that came out more often than it went in is counted as `duplicated` and accuses nobody:
/// a queue may deliver at least once. The queue was *found empty* by a drain that succeeded, by a dequeue that answered
/// nil, and by one that failed with an error that says `empty` or `exhausted`.
///
/// An enqueue that ended `info` need not come out; one that did is `recovered`. A dequeue that ended so may have taken
/// one element, and a drain any number: so many losses they excuse, if they began before the queue was found empty, and
/// then the verdict is *unknown*. It is also *unknown* when acknowledged elements never came out and the queue was not
/// found empty since (`remaining`), and when nothing was acknowledged.
#[derive(Clone, Copy, Debug, Default)]
pub struct TotalQueue;

/// Its anomalies, the worst first.
const ORDER: [&str; 4] = ["lost-element", "phantom-dequeue", "aborted-dequeue", "future-dequeue"];

/// What never came out of one queue.
#[derive(Debug, Default)]
struct Missing<'h> {
    /// What is missing where the queue was found empty, with its enqueue.
    lost: Vec<(Datum, Pair<'h>)>,
    /// Who found it empty.
    witness: Option<Pair<'h>>,
    /// How many of these may have gone unseen.
    excused: usize,
    /// All that was acknowledged and never came out.
    total: usize,
}

/// The acknowledged enqueues of an element that no dequeue answers for, the last to end.
fn unanswered<'a, 'h>(element: &'a Element<'h>) -> impl Iterator<Item = Pair<'h>> + 'a {
    let mut acknowledged: Vec<Pair<'h>> = element.acknowledged().copied().collect();
    acknowledged.sort_by_key(completed);
    acknowledged.into_iter().skip(element.left.len())
}

/// What is missing, as the witness sees it that finds most to be lost beyond excuse.
fn missing<'h>(queue: &Queue<'h>) -> Missing<'h> {
    // When each loss began to be one: the queue may be found empty before that.
    let mut losses: Vec<(u64, Datum, Pair<'h>)> = Vec::new();
    for (datum, element) in &queue.elements {
        losses.extend(unanswered(element).map(|enqueue| (completed(&enqueue), *datum, enqueue)));
    }
    losses.sort_by_key(|(acknowledged, datum, _)| (*acknowledged, *datum));
    let before = |list: &[u64], end: u64| list.partition_point(|began| *began < end);
    let excuse = |witness: &Pair<'h>| {
        if before(&queue.unanswered_drains, completed(witness)) > 0 {
            usize::MAX
        } else {
            before(&queue.unanswered, completed(witness))
        }
    };
    let found = |witness: &Pair<'h>| {
        losses.partition_point(|(acknowledged, _, _)| *acknowledged < witness.invoke.index)
    };
    let best = queue.empty.iter().max_by_key(|witness| {
        let (lost, excused) = (found(witness), excuse(witness));
        (lost.saturating_sub(excused), lost)
    });
    let Some(witness) = best else { return Missing { total: losses.len(), ..Missing::default() } };
    let lost = losses[..found(witness)].iter().map(|(_, datum, enqueue)| (*datum, *enqueue)).collect();
    Missing { lost, witness: Some(*witness), excused: excuse(witness), total: losses.len() }
}

impl TotalQueue {
    fn judge(self, history: &History, budget: &Budget<'_>) -> Result<Verdict, String> {
        let flow = Flow::follow(history, budget)?;
        let mut accusations = Accusations::default();
        let mut duplicated = 0;
        for (datum, element) in flow.elements() {
            for (fault, left) in element.faults() {
                if fault == Fault::Duplicate {
                    duplicated += 1;
                } else {
                    accusations.add(fault.name(), || accuse(fault, &flow, datum, element, left));
                }
            }
        }
        let mut unknown = Vec::new();
        let (mut lost, mut remaining) = (0, 0);
        for (place, queue) in (0..).zip(flow.queues.values()) {
            budget.spend(place, 0)?;
            let missing = missing(queue);
            remaining += missing.total - missing.lost.len();
            if missing.lost.len() > missing.excused {
                lost += missing.lost.len();
                for (datum, enqueue) in &missing.lost {
                    accusations.add("lost-element", || tell_lost(&flow, &missing, *datum, *enqueue));
                }
            } else if !missing.lost.is_empty() {
                unknown.push(format!(
                    "{} elements never came out, and dequeues of unknown end may have taken as many",
                    missing.lost.len()
                ));
            }
        }
        if remaining > 0 {
            unknown.push(format!(
                "{remaining} acknowledged elements never came out, and the queue was not found empty since"
            ));
        }
        let sum =
            |of: fn(&Element<'_>) -> usize| flow.elements().map(|(_, element)| of(element)).sum::<usize>();
        let acknowledged = sum(|element| element.acknowledged().count());
        let (left, recovered) = (sum(|element| element.left.len()), sum(recovered));
        if acknowledged == 0 {
            unknown.push("vacuous: no enqueue was acknowledged".to_owned());
        }
        let facts = format!(
            "{acknowledged} enqueues acknowledged, {left} elements came out, {recovered} of them recovered, {duplicated} \
             duplicated"
        );
        let verdict = match accusations.verdict(self.name(), &ORDER, &facts) {
            Some(invalid) => invalid,
            None if unknown.is_empty() => Verdict::valid(self.name(), facts),
            None => {
                let summary = format!("{}; {facts}", unknown.join("; "));
                Verdict { unknown, ..Verdict::unknown(self.name(), summary) }
            }
        };
        Ok(verdict
            .with_stat("attempts", sum(|element| element.entered.len()))
            .with_stat("acknowledged", acknowledged)
            .with_stat("dequeued", left)
            .with_stat("lost", lost)
            .with_stat("remaining", remaining)
            .with_stat("recovered", recovered)
            .with_stat("duplicated", duplicated))
    }
}

fn tell_lost<'h>(flow: &Flow<'h>, missing: &Missing<'h>, datum: Datum, enqueue: Pair<'h>) -> Anomaly {
    let value = flow.value(datum);
    let index = |pair: &Pair<'_>| pair.invoke.index;
    let witness = missing.witness.as_ref().map_or(0, index);
    let excuse = match missing.excused {
        0 => String::new(),
        some => {
            format!(", of {} such elements, {some} of which may have been taken unseen", missing.lost.len())
        }
    };
    let because = format!(
        "{value} was put in (op {}) and acknowledged, the queue was found empty after that (op {witness}), and it never \
         came out{excuse}",
        index(&enqueue)
    );
    let ops = [Some(enqueue), missing.witness].into_iter().flatten().collect();
    anomaly("lost-element", because, ops, Map::from_iter([("element".to_owned(), value)]))
}

impl Checker for TotalQueue {
    fn name(&self) -> &'static str {
        "total-queue"
    }

    fn about(&self) -> &'static str {
        "every acknowledged element came out of a queue that was emptied, and nothing came out that had not gone in"
    }

    fn check(&self, history: &History, budget: &Budget<'_>) -> Verdict {
        self.judge(history, budget).unwrap_or_else(|reason| Verdict::unknown(self.name(), reason))
    }
}
