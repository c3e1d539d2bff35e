//! A stack where each value was pushed once only.
//!
//! A value is in the stack for certain from the return of its push to the call of its pop: it *covers* the moments
//! between. The value that an order pushes first onto the empty stack, among any set of values, has a push and a pop at
//! moments that no other of them covers. So values are peeled off from outside: one whose push and pop both have a
//! moment that nothing left covers leaves, and what it covered is covered once less. There is no order exactly when that
//! gets stuck, when a value came out that never went in, or when a pop found the stack empty, but each moment of it was
//! covered.
//!
//! The order: a value that leaves is pushed at the last free moment of its push and popped at the first free one of
//! its pop. No moment between them is free then, so what leaves later either lies within or has nothing to do with it.
//!
//! A push that never returned takes part if its value came out, and is done right before its pop. Pops without answer
//! are left to the search.

mod cover;
mod free;
mod moments;
mod peel;
mod stabbing;

use super::events;
use super::seen::Seen;
use super::view::View;
use super::{Clash, Finding};
use moments::Moments;
use peel::Peeling;

/// About how much memory [`judge`] needs for the key.
pub(super) fn bytes(view: &View<'_>) -> usize {
    Seen::bytes(view) + events::bytes(view) + view.claims.len() * 80
}

/// Judges a key; the error says why this is no case for it.
pub(super) fn judge(view: &View<'_>) -> Result<Finding, &'static str> {
    let seen = Seen::look(view)?;
    if !seen.unanswered.is_empty() {
        return Err("some pops have no answer");
    }
    Ok(match order(view, &seen) {
        Ok(order) => Finding::Order(order),
        Err(mut clash) => {
            clash.others = seen.counterparts(&clash.pool);
            Finding::Clash(clash)
        }
    })
}

fn order(view: &View<'_>, seen: &Seen) -> Result<Vec<u32>, Clash> {
    seen.check(view)?;
    let moments = Moments::of(view);
    let mut peeling = Peeling::new(&moments, seen.taking_part(view));
    let empty = peeling.place_empty(&seen.empty)?;
    peeling.run()?;
    Ok(peeling.order(empty))
}
