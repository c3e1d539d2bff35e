//! The calls and returns of a key in the order of time.

use super::super::partition::NEVER;
use super::view::View;

/// The call or the return of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Call(u32),
    Return(u32),
}

/// About how much memory the walk takes.
pub(super) fn bytes(view: &View<'_>) -> usize {
    view.claims.len() * size_of::<u64>()
}

/// All events in their order. What never returned has no return.
pub(super) fn events(view: &View<'_>) -> impl Iterator<Item = Event> {
    let claims = &view.claims;
    // Returns come nearly in the order of the calls, and sorted runs sort fast.
    let mut returns: Vec<(u32, u32)> =
        claims.iter().map(|claim| claim.ret).zip(0..).filter(|(ret, _)| *ret != NEVER).collect();
    returns.sort_by_key(|(ret, _)| *ret);
    let mut returns = returns.into_iter().peekable();
    let mut calls = claims.iter().map(|claim| claim.call).zip(0..).peekable();
    std::iter::from_fn(move || match (calls.peek(), returns.peek()) {
        (Some((call, _)), Some((ret, _))) if ret < call => {
            returns.next().map(|(_, claim)| Event::Return(claim))
        }
        (Some(_), _) => calls.next().map(|(_, claim)| Event::Call(claim)),
        (None, _) => returns.next().map(|(_, claim)| Event::Return(claim)),
    })
}
