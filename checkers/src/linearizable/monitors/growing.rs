//! A set or a list that only grows and is read as a whole, where each element was added once only.
//!
//! What was read must form a chain, each answer part of the next: a subset, or for a list a beginning. In any order the
//! reads stand in the order of the chain, equal ones together, and each addition stands right before the first answer
//! that shows it; additions that no answer shows stand last. These *slots* are all there is to decide: there is an order
//! exactly when nothing returned before something in an earlier slot was called. Within the additions of one slot any
//! order will do for a set, so that of their calls does; in a list each has a slot of its own.
//!
//! An addition that never returned takes part if an answer shows it.

use rustc_hash::FxHashMap;

use super::super::partition::NEVER;
use super::register::NONE;
use super::view::View;
use super::{Clash, Finding};
use crate::models::Datum;
use crate::{Passage, Shape};

/// About how much memory [`judge`] needs for the key.
pub(super) fn bytes(view: &View<'_>) -> usize {
    view.claims.len() * 64
}

/// One answer: the elements, and the claims that had it.
#[derive(Debug)]
struct Snapshot<'a> {
    elements: &'a [Datum],
    reads: Vec<u32>,
}

/// What happens between two points of an order, with the read that says so, [`NONE`] where there is none.
struct Slot {
    claims: Vec<u32>,
    shown_by: u32,
}

/// Judges a key; the error says why this is no case for it.
pub(super) fn judge(view: &View<'_>) -> Result<Finding, &'static str> {
    let impossible = |passage| passage == Passage::Impossible;
    if let Some(claim) = view.passages().position(impossible) {
        return Ok(Finding::Clash(Clash::of([claim as u32])));
    }
    let mut additions: FxHashMap<Datum, u32> = FxHashMap::default();
    let mut reads: Vec<(&[Datum], u32)> = Vec::new();
    for (passage, claim) in view.passages().zip(0..) {
        match passage {
            Passage::Grows(element) => {
                if additions.insert(element, claim).is_some() {
                    return Err("an element was added twice");
                }
            }
            Passage::Whole(elements) => reads.push((elements, claim)),
            Passage::Enters(_)
            | Passage::Leaves(_)
            | Passage::AnyLeaves
            | Passage::FindsEmpty
            | Passage::Flips(..)
            | Passage::Turns(..)
            | Passage::Shows(..)
            | Passage::Impossible
            | Passage::Unclear => return Err("an operation neither adds an element nor reads them all"),
        }
    }
    let growth = Growth { view, additions, ordered: view.shape == Shape::GrowingList };
    let found =
        growth.chain(reads).and_then(|chain| growth.slots(&chain)).and_then(|slots| growth.check(slots));
    Ok(match found {
        Ok(order) => Finding::Order(order),
        Err(mut clash) => {
            clash.others = growth.shown(&clash.pool);
            Finding::Clash(clash)
        }
    })
}

struct Growth<'v> {
    view: &'v View<'v>,
    additions: FxHashMap<Datum, u32>,
    ordered: bool,
}

impl Growth<'_> {
    /// The answers in the order of their sizes. A clash is one that does not contain the one before, or that is none.
    fn chain<'a>(&self, mut reads: Vec<(&'a [Datum], u32)>) -> Result<Vec<Snapshot<'a>>, Clash> {
        reads.sort_by_key(|(elements, claim)| (elements.len(), *claim));
        let mut chain: Vec<Snapshot<'a>> = Vec::new();
        for (elements, claim) in reads {
            match chain.last_mut() {
                Some(last) if last.elements == elements => last.reads.push(claim),
                last => {
                    if let Some(last) = last.filter(|last| !self.contains(elements, last.elements)) {
                        return Err(Clash::of([last.reads[0], claim]));
                    }
                    chain.push(Snapshot { elements, reads: vec![claim] });
                }
            }
        }
        Ok(chain)
    }

    fn contains(&self, larger: &[Datum], smaller: &[Datum]) -> bool {
        if self.ordered {
            return larger.starts_with(smaller);
        }
        let mut rest = larger.iter();
        smaller.iter().all(|element| rest.any(|other| other == element))
    }

    /// Everything that takes part, in slots. A clash is an answer with an element that nothing added, or that is there
    /// twice.
    fn slots(&self, chain: &[Snapshot<'_>]) -> Result<Vec<Slot>, Clash> {
        let mut slots: Vec<Slot> = Vec::new();
        let mut placed = vec![false; self.view.claims.len()];
        let mut before: &[Datum] = &[];
        for snapshot in chain {
            let read = snapshot.reads[0];
            let mut new = Vec::new();
            let mut known = before.iter().peekable();
            for element in snapshot.elements {
                if known.next_if_eq(&element).is_some() {
                    continue;
                }
                let addition = self.additions.get(element).copied().ok_or_else(|| Clash::of([read]))?;
                if std::mem::replace(&mut placed[addition as usize], true) {
                    return Err(Clash::of([read]));
                }
                new.push(addition);
            }
            if self.ordered {
                slots.extend(new.into_iter().map(|addition| Slot { claims: vec![addition], shown_by: read }));
            } else if !new.is_empty() {
                new.sort_unstable();
                slots.push(Slot { claims: new, shown_by: read });
            }
            slots.push(Slot { claims: snapshot.reads.clone(), shown_by: read });
            before = snapshot.elements;
        }
        let rest = self.additions.values().copied().filter(|addition| {
            !placed[*addition as usize] && self.view.claims[*addition as usize].ret != NEVER
        });
        let mut rest: Vec<u32> = rest.collect();
        rest.sort_unstable();
        slots.push(Slot { claims: rest, shown_by: NONE });
        Ok(slots)
    }

    /// The order of the slots. A clash is what returned before something in an earlier slot was called.
    fn check(&self, slots: Vec<Slot>) -> Result<Vec<u32>, Clash> {
        let claims = &self.view.claims;
        let mut order = Vec::with_capacity(claims.len());
        // The claim called last among the slots so far, and a read of its slot.
        let mut latest = (NONE, NONE);
        for slot in slots {
            if latest.0 != NONE {
                let call = claims[latest.0 as usize].call;
                if let Some(early) = slot.claims.iter().find(|claim| claims[**claim as usize].ret < call) {
                    let pool = [*early, latest.0, latest.1, slot.shown_by];
                    return Err(Clash::of(pool.into_iter().filter(|claim| *claim != NONE)));
                }
            }
            let call = |claim: u32| if claim == NONE { 0 } else { claims[claim as usize].call };
            let last = slot.claims.iter().copied().max_by_key(|claim| claims[*claim as usize].call);
            if let Some(last) = last.filter(|last| latest.0 == NONE || call(*last) > call(latest.0)) {
                latest = (last, slot.shown_by);
            }
            order.extend(slot.claims);
        }
        Ok(order)
    }

    /// The additions of what the reads of a pool show.
    fn shown(&self, pool: &[u32]) -> Vec<u32> {
        let mut others: Vec<u32> = pool
            .iter()
            .filter_map(|claim| match self.view.passage(*claim) {
                Passage::Whole(elements) => Some(elements),
                _ => None,
            })
            .flatten()
            .filter_map(|element| self.additions.get(element).copied())
            .filter(|addition| pool.binary_search(addition).is_err())
            .collect();
        others.sort_unstable();
        others.dedup();
        others
    }
}
