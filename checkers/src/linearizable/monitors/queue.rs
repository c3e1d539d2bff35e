//! A first-in first-out queue where each value was enqueued once only.
//!
//! A value is in the queue for certain from the return of its enqueue to the call of its dequeue. There is no order
//! exactly when
//!
//! - a value was dequeued that was never enqueued, or twice, or before its enqueue began;
//! - u was in the queue before v began to go in, and v was out before u began to come out;
//! - a dequeue found the queue empty, but at each moment of it some value was in the queue for certain;
//! - a value that nobody was told of had to come out by some *deadline*, since one that went in later came out then,
//!   and fewer dequeues without answer had begun by the first k deadlines than k.
//!
//! An enqueue that never returned takes part if its value came out. Dequeues without answer beside ones that found
//! the queue empty are left to the search.

use super::super::partition::NEVER;
use super::register::NONE;
use super::seen::Seen;
use super::spans::{self, Span};
use super::view::View;
use super::{Clash, Finding};

/// The most events: ranks are doubled, to have moments between them.
const LONGEST: u32 = NEVER / 2 - 1;

/// About how much memory [`judge`] needs for the key.
pub(super) fn bytes(view: &View<'_>) -> usize {
    view.claims.len() * (size_of::<Span>() / 2 + 40)
}

/// Judges a key; the error says why this is no case for it.
pub(super) fn judge(view: &View<'_>) -> Result<Finding, &'static str> {
    let seen = Seen::look(view)?;
    if view.claims.iter().any(|claim| claim.call > LONGEST || (claim.ret != NEVER && claim.ret > LONGEST)) {
        return Err("the history is too long");
    }
    if !seen.unanswered.is_empty() && !seen.empty.is_empty() {
        return Err("some dequeues found the queue empty and others have no answer");
    }
    let found = pass(view, &seen).and_then(|mut list| {
        spans::overtaking(&list)?;
        spans::find_gaps(view, &mut list, &seen.empty)?;
        Ok(list)
    });
    match found {
        Ok(list) => {
            let order = spans::arrange(&list).ok_or("the monitor found no order and no contradiction")?;
            Ok(Finding::Order(spans::merge(view, &list, &order)))
        }
        Err(mut clash) => {
            clash.others = seen.counterparts(&clash.pool);
            Ok(Finding::Clash(clash))
        }
    }
}

/// The spans of the values that take part, each with its dequeue, of which some have no answer.
fn pass(view: &View<'_>, seen: &Seen) -> Result<Vec<Span>, Clash> {
    seen.check(view)?;
    let mut list = Vec::with_capacity(seen.values.len() + seen.empty.len());
    for (enqueue, dequeue) in &seen.values {
        let never_in = view.claims[*enqueue as usize].ret == NEVER && *dequeue == NONE;
        if !never_in {
            list.push(Span::of(view, *enqueue, *dequeue)?);
        }
    }
    list.sort_unstable_by_key(|span| span.enqueue_call);
    let due = spans::deadlines(&list);
    // The k-th deadline is met by the k-th dequeue without answer.
    for (met, (deadline, value, _)) in due.iter().enumerate() {
        let taker = seen.unanswered.get(met);
        let in_time = |taker: &&u32| view.claims[**taker as usize].call * 2 < *deadline;
        let Some(taker) = taker.filter(in_time) else {
            let early = due[..=met].iter().flat_map(|(_, value, culprit)| {
                [list[*value].enqueue, list[*culprit].enqueue, list[*culprit].dequeue]
            });
            return Err(Clash::of(early.chain(seen.unanswered.iter().skip(met).copied())));
        };
        list[*value] = Span::of(view, list[*value].enqueue, *taker)?;
    }
    Ok(list)
}
