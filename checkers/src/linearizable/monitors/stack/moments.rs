//! The moments of a key that matter.

use super::super::events::{Event, events};
use super::super::view::View;

/// The moments right before a return that follows a call, and which of them lie within each claim.
///
/// Between two of them first some operations return, so that values begin to cover, then others are called, so that
/// values cease to. So what can happen at any moment in between can happen at the later of the two.
#[derive(Debug)]
pub(super) struct Moments {
    /// How many there are.
    pub(super) count: u32,
    /// The first and the last moment of each claim.
    spans: Vec<(u32, u32)>,
}

impl Moments {
    pub(super) fn of(view: &View<'_>) -> Moments {
        let mut spans = vec![(0, u32::MAX); view.claims.len()];
        let mut moment = 0;
        let mut returned = false;
        for event in events(view) {
            match event {
                Event::Call(claim) => {
                    moment += u32::from(std::mem::take(&mut returned));
                    spans[claim as usize].0 = moment;
                }
                Event::Return(claim) => {
                    spans[claim as usize].1 = moment;
                    returned = true;
                }
            }
        }
        Moments { count: moment + 1, spans }
    }

    pub(super) fn first(&self, claim: u32) -> u32 {
        self.spans[claim as usize].0
    }

    /// What never returned lasts to the end.
    pub(super) fn last(&self, claim: u32) -> u32 {
        self.spans[claim as usize].1.min(self.count - 1)
    }
}
