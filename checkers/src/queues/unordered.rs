//! Whether everything that came out of a queue had gone in.

use rashomon_core::{History, Kind, Map, Verdict};

use super::flow::{Fault, Flow};
use crate::accusations::{Accusations, anomaly};
use crate::{Budget, Checker};

/// Judges a queue whose elements come out in any order, in the terms of Jepsen's `queue` with an unordered model: every
/// dequeue comes from an enqueue, and each enqueue feeds one dequeue at most.
///
/// Operations: `enqueue` with the element; `dequeue`, whose `ok` value is the element, or nil where there was none;
/// `drain`, whose `ok` value lists all that it took. Equal elements are told apart by how many there are. Keys are
/// queues of their own.
///
/// - *phantom dequeue*: what came out, nobody ever put in;
/// - *aborted dequeue*: all that put it in failed, and so certainly did not happen;
/// - *future dequeue*: it was put in only after it had come out;
/// - *duplicate dequeue*: it came out more often than it had been put in.
///
/// Each is *invalid*. An enqueue that ended `info` may have happened, so it explains a dequeue; a dequeue or drain that
/// ended so may have taken anything, which accuses nobody. Jepsen's checker lets a failed enqueue explain a dequeue too;
/// this one does not. *Unknown* when nothing came out.
#[derive(Clone, Copy, Debug, Default)]
pub struct UnorderedQueue;

/// Its anomalies, the worst first.
const ORDER: [&str; 4] = ["phantom-dequeue", "aborted-dequeue", "future-dequeue", "duplicate-dequeue"];

impl UnorderedQueue {
    fn judge(self, history: &History, budget: &Budget<'_>) -> Result<Verdict, String> {
        let flow = Flow::follow(history, budget)?;
        let mut accusations = Accusations::default();
        for (datum, element) in flow.elements() {
            for (fault, left) in element.faults() {
                accusations.add(fault.name(), || accuse(fault, &flow, datum, element, left));
            }
        }
        let entered = flow.elements().map(|(_, element)| element.entered.len()).sum::<usize>();
        let left = flow.elements().map(|(_, element)| element.left.len()).sum::<usize>();
        let recovered = flow.elements().map(|(_, element)| recovered(element)).sum::<usize>();
        let facts = format!("{entered} enqueues, {left} elements came out");
        let verdict = match accusations.verdict(self.name(), &ORDER, &facts) {
            Some(invalid) => invalid,
            None if left == 0 => Verdict::unknown(self.name(), format!("vacuous: nothing came out; {facts}")),
            None => Verdict::valid(self.name(), format!("{facts}, each of them from an enqueue")),
        };
        Ok(verdict
            .with_stat("enqueues", entered)
            .with_stat("dequeued", left)
            .with_stat("recovered", recovered))
    }
}

/// The times that an element came out which only enqueues of unknown end explain.
pub(super) fn recovered(element: &super::flow::Element<'_>) -> usize {
    let explained = element.left.len() - element.faults().len();
    let certain = element.entered.iter().filter(|pair| pair.outcome() == Kind::Ok).count();
    explained.saturating_sub(certain)
}

/// The anomaly of an element that came out and could not.
pub(super) fn accuse<'h>(
    fault: Fault,
    flow: &Flow<'h>,
    datum: crate::models::Datum,
    element: &super::flow::Element<'h>,
    left: rashomon_core::history::Pair<'h>,
) -> rashomon_core::Anomaly {
    let value = flow.value(datum);
    let (because, ops) = fault.tell(&value, left, element);
    anomaly(fault.name(), because, ops, Map::from_iter([("element".to_owned(), value)]))
}

impl Checker for UnorderedQueue {
    fn name(&self) -> &'static str {
        "unordered-queue"
    }

    fn about(&self) -> &'static str {
        "every element that came out of a queue had gone in, as often as it came out"
    }

    fn check(&self, history: &History, budget: &Budget<'_>) -> Verdict {
        self.judge(history, budget).unwrap_or_else(|reason| Verdict::unknown(self.name(), reason))
    }
}
