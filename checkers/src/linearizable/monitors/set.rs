//! A set whose operations each concern one element and say whether it was there.
//!
//! An element is a bit. Adds and removes that found what they were to change flip it; all else only looks at it. A flip
//! is put off as long as possible: until some operation returns that cannot have happened yet. If that is one that
//! looks, the bit must be flipped once; if it flips, once or, where the bit is set already, there and back. Of the
//! flips that could be taken the one that returns first is, since any other could serve later in its place. Repeats
//! are no matter.
//!
//! A flip that never returned may serve at any time after its call, or never. Updates that returned without saying
//! what they found are left to the search.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use super::super::partition::NEVER;
use super::events::{self, Event};
use super::view::View;
use super::{Clash, Finding};
use crate::Passage;

/// About how much memory [`judge`] needs for the key.
pub(super) fn bytes(view: &View<'_>) -> usize {
    events::bytes(view) + view.claims.len() * (size_of::<Element>() + 64)
}

/// One element at a moment of the sweep.
#[derive(Debug, Default)]
struct Element {
    there: bool,
    /// The flips that could be taken, to absent and to present: return and claim.
    flips: [BTreeSet<(u32, u32)>; 2],
    /// The claims that wait to see it absent, and present.
    looks: [Vec<u32>; 2],
}

/// What a claim does to its element: the bit after it, and whether that must have been the other before.
#[derive(Clone, Copy, Debug)]
struct Part {
    element: u32,
    there: bool,
    flips: bool,
}

/// The elements of one key.
struct Sweep<'v> {
    view: &'v View<'v>,
    parts: Vec<Part>,
    elements: Vec<Element>,
    done: Vec<bool>,
    order: Vec<u32>,
}

/// Judges a key; the error says why this is no case for it.
pub(super) fn judge(view: &View<'_>) -> Result<Finding, &'static str> {
    let mut numbers: FxHashMap<u32, u32> = FxHashMap::default();
    let mut parts = Vec::with_capacity(view.claims.len());
    for (passage, claim) in view.passages().zip(view.claims) {
        let (element, there, flips) = match passage {
            Passage::Flips(element, there) => (element, there, true),
            Passage::Turns(element, there) if claim.ret == NEVER => (element, there, true),
            Passage::Turns(..) => return Err("an update does not say what it found"),
            Passage::Shows(element, there) => (element, there, false),
            Passage::Enters(_)
            | Passage::Leaves(_)
            | Passage::AnyLeaves
            | Passage::FindsEmpty
            | Passage::Grows(_)
            | Passage::Whole(_)
            | Passage::Impossible
            | Passage::Unclear => return Err("an operation concerns no single element"),
        };
        let next = numbers.len() as u32;
        let element = *numbers.entry(element.number()).or_insert(next);
        parts.push(Part { element, there, flips });
    }
    let mut elements = Vec::new();
    elements.resize_with(numbers.len(), Element::default);
    let count = view.claims.len();
    let sweep = Sweep { view, parts, elements, done: vec![false; count], order: Vec::with_capacity(count) };
    Ok(match sweep.run() {
        Ok(order) => Finding::Order(order),
        Err(clash) => Finding::Clash(clash),
    })
}

impl Sweep<'_> {
    fn run(mut self) -> Result<Vec<u32>, Clash> {
        for event in events::events(self.view) {
            match event {
                Event::Call(claim) => self.call(claim),
                Event::Return(claim) if self.done[claim as usize] => {}
                Event::Return(claim) => self.due(claim).ok_or_else(|| self.clash(claim))?,
            }
        }
        Ok(self.order)
    }

    fn call(&mut self, claim: u32) {
        let Part { element, there, flips } = self.parts[claim as usize];
        let element = &mut self.elements[element as usize];
        if flips {
            let ret = self.view.claims[claim as usize].ret;
            element.flips[usize::from(there)].insert((ret, claim));
        } else if element.there == there {
            self.done[claim as usize] = true;
            self.order.push(claim);
        } else {
            element.looks[usize::from(there)].push(claim);
        }
    }

    /// Lets a claim happen that can wait no longer; none if it cannot.
    fn due(&mut self, claim: u32) -> Option<()> {
        let Part { element, there, flips } = self.parts[claim as usize];
        if flips && self.elements[element as usize].there == there {
            self.flip(element, !there)?;
        }
        // One that looks is seen to as the bit changes; one that flips is the first to return of its kind.
        self.flip(element, there)?;
        debug_assert!(self.done[claim as usize], "a claim that is due has happened");
        Some(())
    }

    /// Takes the flip that returns first, and lets those happen that waited to see it.
    fn flip(&mut self, element: u32, there: bool) -> Option<()> {
        let element = &mut self.elements[element as usize];
        let (_, flip) = element.flips[usize::from(there)].pop_first()?;
        element.there = there;
        for claim in std::iter::once(flip).chain(element.looks[usize::from(there)].drain(..)) {
            self.done[claim as usize] = true;
            self.order.push(claim);
        }
        Some(())
    }

    /// The clash of a claim that could not happen with all that is known of its element: also of what was called later,
    /// since a flip that is set aside could have served.
    fn clash(&self, claim: u32) -> Clash {
        let element = self.parts[claim as usize].element;
        Clash::of((0..self.parts.len() as u32).filter(|place| self.parts[*place as usize].element == element))
    }
}
