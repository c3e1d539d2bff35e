//! A priority queue where each value was inserted once only.
//!
//! A value is in the queue for certain from the return of its insert to the call of its poll; it is *critical* then. A
//! poll can happen at a moment when no greater value is critical, and a poll that found nothing when no value is. Polls
//! do not hinder each other: where two can happen at one moment, the greater value goes first, and a value that is
//! inserted at the last moment possible hinders nothing while it is not critical. So a sweep over the events in which
//! each poll happens as soon as it can finds an order if there is one.
//!
//! An insert that never returned takes part if its value came out, and is done right before its poll. Polls without
//! answer are left to the search.

use std::collections::BinaryHeap;

use super::super::partition::NEVER;
use super::events::{self, Event};
use super::register::NONE;
use super::seen::Seen;
use super::view::View;
use super::{Clash, Finding};
use crate::Passage;

/// About how much memory [`judge`] needs for the key.
pub(super) fn bytes(view: &View<'_>) -> usize {
    Seen::bytes(view) + events::bytes(view) + view.claims.len() * 40
}

/// Judges a key; the error says why this is no case for it.
pub(super) fn judge(view: &View<'_>) -> Result<Finding, &'static str> {
    let seen = Seen::look(view)?;
    if !seen.unanswered.is_empty() {
        return Err("some polls have no answer");
    }
    let found = seen.check(view).and_then(|()| Sweep::new(view, &seen).run());
    Ok(match found {
        Ok(order) => Finding::Order(order),
        Err(mut clash) => {
            clash.others = seen.counterparts(&clash.pool);
            Finding::Clash(clash)
        }
    })
}

/// The queue at a moment of the sweep.
struct Sweep<'v> {
    view: &'v View<'v>,
    /// For each claim the other one about its value, [`NONE`] where there is none.
    partner: Vec<u32>,
    /// Whether the claim has been put in order.
    done: Vec<bool>,
    /// Values that are critical, and some that were: priority and insert.
    critical: BinaryHeap<(i64, u32)>,
    /// Polls that may happen now: priority and claim.
    polls: BinaryHeap<(i64, u32)>,
    /// Polls that found nothing and may happen now.
    empty: Vec<u32>,
    /// Whether the poll of each insert has been called.
    called: Vec<bool>,
    order: Vec<u32>,
}

impl<'v> Sweep<'v> {
    fn new(view: &'v View<'v>, seen: &Seen) -> Sweep<'v> {
        let count = view.claims.len();
        let mut partner = vec![NONE; count];
        for (insert, poll) in &seen.values {
            if *insert != NONE && *poll != NONE {
                partner[*insert as usize] = *poll;
                partner[*poll as usize] = *insert;
            }
        }
        Sweep {
            view,
            partner,
            done: vec![false; count],
            critical: BinaryHeap::new(),
            polls: BinaryHeap::new(),
            empty: Vec::new(),
            called: vec![false; count],
            order: Vec::with_capacity(count),
        }
    }

    fn passage(&self, claim: u32) -> Passage<'v> {
        self.view.passage(claim)
    }

    fn priority(&self, claim: u32) -> i64 {
        match self.passage(claim) {
            Passage::Enters(value) | Passage::Leaves(value) => self.view.priority(value),
            _ => i64::MIN,
        }
    }

    /// Puts a claim in order, once.
    fn put(&mut self, claim: u32) {
        if !std::mem::replace(&mut self.done[claim as usize], true) {
            self.order.push(claim);
        }
    }

    fn run(mut self) -> Result<Vec<u32>, Clash> {
        for event in events::events(self.view) {
            match event {
                Event::Call(claim) => self.call(claim),
                Event::Return(claim) => self.ret(claim)?,
            }
        }
        Ok(self.order)
    }

    fn call(&mut self, claim: u32) {
        match self.passage(claim) {
            Passage::Enters(_) => {
                // A poll that was called before the insert of its value may happen from here on.
                let poll = self.partner[claim as usize];
                if poll != NONE && self.called[claim as usize] {
                    self.polls.push((self.priority(poll), poll));
                }
            }
            Passage::Leaves(_) => {
                let insert = self.partner[claim as usize];
                self.called[insert as usize] = true;
                if self.view.claims[insert as usize].call < self.view.claims[claim as usize].call {
                    self.polls.push((self.priority(claim), claim));
                }
            }
            _ => self.empty.push(claim),
        }
    }

    fn ret(&mut self, claim: u32) -> Result<(), Clash> {
        // Until this event more and more polls could happen: values only ceased to be critical since the last return.
        self.satisfy();
        if let Passage::Enters(_) = self.passage(claim) {
            self.put(claim);
            if !self.called[claim as usize] {
                self.critical.push((self.priority(claim), claim));
            }
        } else if !self.done[claim as usize] {
            return Err(self.clash(claim));
        }
        Ok(())
    }

    /// Lets all polls happen that can.
    fn satisfy(&mut self) {
        while self.critical.peek().is_some_and(|(_, insert)| self.called[*insert as usize]) {
            self.critical.pop();
        }
        let greatest = self.critical.peek().map(|(priority, _)| *priority);
        while let Some((_, poll)) = self
            .polls
            .peek()
            .copied()
            .filter(|(priority, _)| greatest.is_none_or(|greatest| *priority >= greatest))
        {
            self.polls.pop();
            self.put(self.partner[poll as usize]);
            self.put(poll);
        }
        if greatest.is_none() {
            for claim in std::mem::take(&mut self.empty) {
                self.put(claim);
            }
        }
    }

    /// The clash of a poll with greater values that were critical, one after the other, as long as it could have
    /// happened.
    fn clash(&self, late: u32) -> Clash {
        let claims = &self.view.claims;
        let priority = self.priority(late);
        let insert = self.partner[late as usize];
        let entered = if insert == NONE { 0 } else { claims[insert as usize].call };
        let (begin, end) = (claims[late as usize].call.max(entered), claims[late as usize].ret);
        let mut greater: Vec<(u32, u32, u32)> = claims
            .iter()
            .zip(0..)
            .filter(|(claim, place)| {
                matches!(self.passage(*place), Passage::Enters(_))
                    && claim.ret < end
                    && (insert == NONE || self.priority(*place) > priority)
            })
            .map(|(claim, place)| {
                let leaves = self.partner[place as usize];
                (claim.ret, if leaves == NONE { NEVER } else { claims[leaves as usize].call }, place)
            })
            .filter(|(from, to, _)| from < to && *to > begin)
            .collect();
        greater.sort_unstable();
        let mut pool: Vec<u32> = [late, insert].into_iter().filter(|claim| *claim != NONE).collect();
        let mut rest = greater.into_iter().peekable();
        let mut longest: Option<(u32, u32, u32)> = None;
        let mut from = begin;
        // The moment right after `from` must be covered, then the moment right after the end of what covers it.
        while from < end {
            while let Some(next) = rest.next_if(|(start, _, _)| *start <= from) {
                if longest.is_none_or(|(_, end, _)| end < next.1) {
                    longest = Some(next);
                }
            }
            let Some((_, to, place)) = longest.filter(|(_, to, _)| *to > from) else { break };
            pool.extend([place, self.partner[place as usize]].into_iter().filter(|claim| *claim != NONE));
            from = to;
        }
        Clash::of(pool)
    }
}
