//! The time that each value spends in a queue, and an order of the values.
//!
//! u must precede v if u's enqueue returned before v's was called, or likewise for their dequeues: two interval
//! orders. Their union has a cycle only if it has one of two values: in a shortest cycle the two orders alternate, and
//! of two pairs of an interval order the first of one always precedes the second of the other.

use super::super::partition::NEVER;
use super::Clash;
use super::register::NONE;
use super::view::View;

/// What is known of one value's enqueue and dequeue, in doubled ranks. A dequeue that found the queue empty is the
/// span of a value that went in and came out at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) enqueue_call: u32,
    /// Not later than the dequeue's return.
    enqueue_return: u32,
    /// Not earlier than the enqueue's call.
    dequeue_call: u32,
    dequeue_return: u32,
    /// The claims, [`NONE`] where there is none.
    pub(super) enqueue: u32,
    pub(super) dequeue: u32,
}

/// A rank doubled.
fn double(rank: u32) -> u32 {
    if rank == NEVER { NEVER } else { rank * 2 }
}

impl Span {
    /// The span of a value. A clash is a dequeue over before the enqueue began.
    pub(super) fn of(view: &View<'_>, enqueue: u32, dequeue: u32) -> Result<Span, Clash> {
        let goes_in = &view.claims[enqueue as usize];
        let comes_out = (dequeue != NONE).then(|| &view.claims[dequeue as usize]);
        let (call, ret) = comes_out.map_or((NEVER, NEVER), |claim| (claim.call, claim.ret));
        if ret < goes_in.call {
            return Err(Clash::of([enqueue, dequeue]));
        }
        Ok(Span {
            enqueue_call: double(goes_in.call),
            enqueue_return: double(goes_in.ret.min(ret)),
            dequeue_call: double(call.max(goes_in.call)),
            dequeue_return: double(ret),
            enqueue,
            dequeue,
        })
    }

    fn at(moment: u32, claim: u32) -> Span {
        Span {
            enqueue_call: moment,
            enqueue_return: moment,
            dequeue_call: moment,
            dequeue_return: moment,
            enqueue: NONE,
            dequeue: claim,
        }
    }

    fn claims(&self) -> impl Iterator<Item = u32> {
        [self.enqueue, self.dequeue].into_iter().filter(|claim| *claim != NONE)
    }
}

/// The places of the list in the order of a time.
fn sorted(list: &[Span], time: impl Fn(&Span) -> u32) -> Vec<u32> {
    let mut keys: Vec<(u32, u32)> = list.iter().map(time).zip(0..).collect();
    keys.sort_unstable();
    keys.into_iter().map(|(_, place)| place).collect()
}

/// For each value that never came out and had to: by when, its place, and the place of the value that says so. In
/// the order of the deadlines; the list is in the order of the enqueues' calls.
pub(super) fn deadlines(list: &[Span]) -> Vec<(u32, usize, usize)> {
    if list.iter().all(|span| span.dequeue != NONE) {
        return Vec::new();
    }
    // The first dequeue among the values from here on.
    let mut first: Vec<usize> = (0..list.len()).collect();
    for place in (1..list.len()).rev() {
        let next = first[place];
        if list[next].dequeue_return < list[first[place - 1]].dequeue_return {
            first[place - 1] = next;
        }
    }
    let mut due: Vec<(u32, usize, usize)> = list
        .iter()
        .enumerate()
        .filter(|(_, span)| span.dequeue == NONE)
        .filter_map(|(place, span)| {
            let later = list.partition_point(|other| other.enqueue_call < span.enqueue_return);
            let culprit = *first.get(later)?;
            let deadline = list[culprit].dequeue_return;
            (deadline != NEVER).then_some((deadline, place, culprit))
        })
        .collect();
    due.sort_unstable();
    due
}

/// Finds a value that came out before one that had gone in before it. The list is in the order of the enqueues'
/// calls.
pub(super) fn overtaking(list: &[Span]) -> Result<(), Clash> {
    let by_return = sorted(list, |span| span.enqueue_return);
    let mut ahead = by_return.iter().map(|place| &list[*place as usize]).peekable();
    let mut slowest: Option<&Span> = None;
    for span in list {
        while let Some(before) = ahead.next_if(|before| before.enqueue_return < span.enqueue_call) {
            if slowest.is_none_or(|slowest| before.dequeue_call > slowest.dequeue_call) {
                slowest = Some(before);
            }
        }
        if let Some(slowest) = slowest.filter(|slowest| span.dequeue_return < slowest.dequeue_call) {
            return Err(Clash::of(slowest.claims().chain(span.claims())));
        }
    }
    Ok(())
}

/// Adds the dequeues that found the queue empty, each at a moment when nothing need be in it. A clash is one that has
/// no such moment, with values that cover it.
pub(super) fn find_gaps(view: &View<'_>, list: &mut Vec<Span>, empty: &[u32]) -> Result<(), Clash> {
    if empty.is_empty() {
        return Ok(());
    }
    let mut covers: Vec<&Span> = list.iter().filter(|span| span.enqueue_return < span.dequeue_call).collect();
    covers.sort_unstable_by_key(|span| span.enqueue_return);
    let mut merged: Vec<(u32, u32)> = Vec::new();
    for span in &covers {
        match merged.last_mut() {
            Some((_, end)) if span.enqueue_return < *end => *end = span.dequeue_call.max(*end),
            _ => merged.push((span.enqueue_return, span.dequeue_call)),
        }
    }
    let mut found = Vec::with_capacity(empty.len());
    for claim in empty {
        let its = &view.claims[*claim as usize];
        let (begin, end) = (double(its.call) + 1, double(its.ret));
        let before = merged.partition_point(|(from, _)| *from < begin);
        let covered = before.checked_sub(1).map_or(0, |last| merged[last].1);
        let moment = if covered > begin { covered.saturating_add(1) } else { begin };
        if moment >= end {
            return Err(Clash::of(cover(&covers, begin, end).chain([*claim])));
        }
        found.push(Span::at(moment, *claim));
    }
    list.append(&mut found);
    Ok(())
}

/// As few values as possible that were in the queue, one after the other, from one moment to another.
fn cover(covers: &[&Span], mut from: u32, end: u32) -> impl Iterator<Item = u32> {
    let mut chosen = Vec::new();
    let mut rest = covers.iter().peekable();
    let mut longest: Option<&Span> = None;
    while from < end {
        while let Some(span) = rest.next_if(|span| span.enqueue_return < from) {
            if longest.is_none_or(|longest| span.dequeue_call > longest.dequeue_call) {
                longest = Some(span);
            }
        }
        let Some(span) = longest.filter(|span| span.dequeue_call > from) else { break };
        chosen.extend(span.claims());
        from = span.dequeue_call.saturating_add(1);
    }
    chosen.into_iter()
}

/// An order of the spans that keeps to both interval orders; none if they contradict each other.
pub(super) fn arrange(list: &[Span]) -> Option<Vec<u32>> {
    let mut sides = [
        Side::new(list, |span| span.enqueue_call, |span| span.enqueue_return),
        Side::new(list, |span| span.dequeue_call, |span| span.dequeue_return),
    ];
    let mut free = vec![0_u8; list.len()];
    let mut gone = vec![false; list.len()];
    let mut ready = Vec::new();
    let mut order = Vec::with_capacity(list.len());
    loop {
        for side in &mut sides {
            side.advance(&gone, |place| {
                free[place as usize] += 1;
                if free[place as usize] == 2 {
                    ready.push(place);
                }
            });
        }
        let Some(next) = ready.pop() else { break };
        gone[next as usize] = true;
        order.push(next);
    }
    (order.len() == list.len()).then_some(order)
}

/// One of the two interval orders: calls and returns with their places, sorted.
struct Side {
    calls: Vec<(u32, u32)>,
    returns: Vec<(u32, u32)>,
    called: usize,
    returned: usize,
}

impl Side {
    fn new(list: &[Span], call: impl Fn(&Span) -> u32, ret: impl Fn(&Span) -> u32) -> Side {
        let mut calls: Vec<(u32, u32)> = list.iter().map(call).zip(0..).collect();
        let mut returns: Vec<(u32, u32)> = list.iter().map(ret).zip(0..).collect();
        calls.sort_unstable();
        returns.sort_unstable();
        Side { calls, returns, called: 0, returned: 0 }
    }

    /// Frees the spans that nothing left must precede any more.
    fn advance(&mut self, gone: &[bool], mut free: impl FnMut(u32)) {
        while self.returns.get(self.returned).is_some_and(|(_, place)| gone[*place as usize]) {
            self.returned += 1;
        }
        let least = self.returns.get(self.returned).map_or(NEVER, |(ret, _)| *ret);
        while let Some((_, place)) = self.calls.get(self.called).filter(|(call, _)| *call <= least) {
            free(*place);
            self.called += 1;
        }
    }
}

/// An order of the claims, from an order of their spans.
pub(super) fn merge(view: &View<'_>, list: &[Span], order: &[u32]) -> Vec<u32> {
    let mut claims = Vec::with_capacity(view.claims.len());
    for part in order.split_inclusive(|place| list[*place as usize].enqueue == NONE) {
        let spans: Vec<&Span> = part.iter().map(|place| &list[*place as usize]).collect();
        let values = if spans.last().is_some_and(|last| last.enqueue == NONE) {
            &spans[..spans.len() - 1]
        } else {
            &spans
        };
        merge_part(view, values, &mut claims);
        claims.extend(spans[values.len()..].iter().map(|empty| empty.dequeue));
    }
    claims
}

/// Enqueues and dequeues of values in their order: a dequeue as soon as no enqueue that is still to come was over
/// before it was called.
fn merge_part(view: &View<'_>, values: &[&Span], claims: &mut Vec<u32>) {
    let claim = |place: u32| &view.claims[place as usize];
    let mut first_return = vec![NEVER; values.len() + 1];
    for (place, span) in values.iter().enumerate().rev() {
        first_return[place] = first_return[place + 1].min(claim(span.enqueue).ret);
    }
    let mut out =
        values.iter().map(|span| span.dequeue).enumerate().filter(|(_, dequeue)| *dequeue != NONE).peekable();
    for (entered, first_return) in first_return.into_iter().enumerate() {
        while let Some((_, dequeue)) =
            out.next_if(|(place, dequeue)| *place < entered && claim(*dequeue).call < first_return)
        {
            claims.push(dequeue);
        }
        claims.extend(values.get(entered).map(|span| span.enqueue));
    }
}
