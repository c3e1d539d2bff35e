//! A register with reads, writes and cas, where each value was written once only.
//!
//! Then the value that an operation needs names the operation that gave it. A *block* is all that happens while
//! values follow each other by cas alone: a write, its readers, the cas from its value, the readers of that, and so
//! on. In any order the operations of a block stand together, and the block of the initial value comes first. With
//! f the least return of a block and s the greatest call, block A must precede block B exactly when f(A) < s(B).
//!
//! - A block with f < s is *forward*: it certainly held from f to s.
//! - A block with s < f is *backward*: one instant between s and f is enough for it.
//!
//! There is no order if two forward intervals overlap or a backward one lies inside a forward one: then each of the
//! two blocks must precede the other. Otherwise there is one. (A longer cycle of blocks would contain such a
//! pair: where no block of a minimal cycle precedes the one after the next, s grows all the way round.)
//!
//! An optional operation takes part when its value is needed by one that takes part, and vanishes otherwise:
//! nothing else can be gained from it.
//!
//! A contradiction between blocks needs at most two operations of each, and for each of these that is optional one
//! more, which needs it.

use rustc_hash::FxHashMap;

use super::super::partition::{Known, NEVER};
use super::blocks;
use super::view::View;
use super::{Clash, Finding};

/// No claim.
pub(super) const NONE: u32 = u32::MAX;

/// One value of the register, by the number of the state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Version {
    /// The claim that gives it.
    pub(super) giver: u32,
    /// The cas from it that takes part.
    pub(super) taker: u32,
    /// The first of its readers in the order of their calls; each names the next.
    pub(super) reader: u32,
    /// The least return of its readers, and their greatest call.
    pub(super) first_return: u32,
    pub(super) last_call: u32,
}

const UNUSED: Version = Version { giver: NONE, taker: NONE, reader: NONE, first_return: NEVER, last_call: 0 };

/// The values of a register and their operations.
pub(super) struct Versions<'v> {
    pub(super) view: &'v View<'v>,
    pub(super) list: Vec<Version>,
    /// The next reader of the same version, for each claim that is one.
    pub(super) next_reader: Vec<u32>,
    /// The optional claims that take part, each with a definite claim that needs it.
    needed_by: FxHashMap<u32, u32>,
    /// How many cas take part.
    swaps: usize,
}

/// About how much memory [`judge`] needs for the key.
pub(super) fn bytes(view: &View<'_>) -> usize {
    view.states * (size_of::<Version>() + blocks::BYTES) + view.claims.len() * 8
}

/// Judges a key; the error says why this is no case for it.
pub(super) fn judge(view: &View<'_>) -> Result<Finding, &'static str> {
    let mut versions = Versions::new(view)?;
    let found = versions.close().and_then(|()| versions.link()).and_then(|()| blocks::order(&versions));
    Ok(match found {
        Ok(order) => Finding::Order(order),
        Err(mut clash) => {
            // An optional claim binds only together with one that needs it.
            clash = Clash::of(clash.pool.iter().flat_map(|claim| [*claim, versions.definite(*claim)]));
            clash.others = versions.ancestors(&clash.pool);
            Finding::Clash(clash)
        }
    })
}

impl<'v> Versions<'v> {
    fn new(view: &'v View<'v>) -> Result<Versions<'v>, &'static str> {
        let mut list = vec![UNUSED; view.states];
        for (claim, place) in view.claims.iter().zip(0..) {
            match claim.effect {
                Known::Set(state) | Known::Swap(_, state) => {
                    if state == view.initial {
                        return Err("the initial value was written again");
                    }
                    let giver = &mut list[state as usize].giver;
                    if *giver != NONE {
                        return Err("a value was written twice");
                    }
                    *giver = place;
                }
                Known::Observe(_) => {}
                Known::Pure => return Err("an answer says only what the value was not"),
                Known::Any => {
                    return Err("the model is no register: the result of an update depends on the state");
                }
            }
        }
        let next_reader = vec![NONE; view.claims.len()];
        Ok(Versions { view, list, next_reader, needed_by: FxHashMap::default(), swaps: 0 })
    }

    pub(super) fn version(&self, state: u32) -> &Version {
        &self.list[state as usize]
    }

    /// The state to which the cas from this one leads, if one takes part.
    pub(super) fn after(&self, state: u32) -> Option<u32> {
        let taker = self.version(state).taker;
        (taker != NONE).then(|| self.view.claims[taker as usize].effect.gives()).flatten()
    }

    fn optional(&self, claim: u32) -> bool {
        self.view.claims[claim as usize].ret == NEVER
    }

    /// Whether the claim takes part.
    pub(super) fn takes_part(&self, claim: u32) -> bool {
        !self.optional(claim) || self.needed_by.contains_key(&claim)
    }

    /// The claim itself if it is definite, or a definite one that needs it.
    fn definite(&self, claim: u32) -> u32 {
        self.needed_by.get(&claim).copied().unwrap_or(claim)
    }

    /// Finds the optional claims that take part. A clash is a value that nothing gives.
    fn close(&mut self) -> Result<(), Clash> {
        for (claim, place) in self.view.claims.iter().zip(0..) {
            if claim.ret == NEVER {
                continue;
            }
            let mut needs = claim.effect.needs();
            while let Some(state) = needs {
                let giver = self.version(state).giver;
                needs = None;
                if giver == NONE {
                    if state != self.view.initial {
                        return Err(Clash::of([place]));
                    }
                } else if self.optional(giver) && !self.needed_by.contains_key(&giver) {
                    self.needed_by.insert(giver, place);
                    needs = self.view.claims[giver as usize].effect.needs();
                }
            }
        }
        Ok(())
    }

    /// Ties readers and cas to their versions. A clash is a second cas from the same one.
    fn link(&mut self) -> Result<(), Clash> {
        for place in (0..self.view.claims.len() as u32).rev() {
            let claim = self.view.claims[place as usize];
            match claim.effect {
                Known::Observe(state) if claim.ret != NEVER => {
                    let version = &mut self.list[state as usize];
                    self.next_reader[place as usize] = version.reader;
                    version.reader = place;
                    version.first_return = version.first_return.min(claim.ret);
                    version.last_call = version.last_call.max(claim.call);
                }
                Known::Swap(from, _) if self.takes_part(place) => {
                    let other = std::mem::replace(&mut self.list[from as usize].taker, place);
                    if other != NONE {
                        return Err(Clash::of([self.definite(place), self.definite(other)]));
                    }
                    self.swaps += 1;
                }
                Known::Observe(_) | Known::Swap(..) | Known::Set(_) | Known::Pure | Known::Any => {}
            }
        }
        Ok(())
    }

    /// The clash when only so many cas stand in blocks: the others follow each other in circles.
    pub(super) fn circles(&self, in_blocks: usize, roots: impl Iterator<Item = u32>) -> Result<(), Clash> {
        if in_blocks == self.swaps {
            return Ok(());
        }
        let mut reached = vec![false; self.list.len()];
        for root in roots {
            let mut state = Some(root);
            while let Some(place) = state {
                reached[place as usize] = true;
                state = self.after(place);
            }
        }
        let stray =
            self.list.iter().zip(reached).find(|(version, reached)| version.taker != NONE && !reached);
        Err(Clash::of(stray.map(|(version, _)| self.definite(version.taker))))
    }

    /// The claims outside the pool that give what it needs, directly or through others.
    fn ancestors(&self, pool: &[u32]) -> Vec<u32> {
        let mut reached: Vec<u32> = Vec::new();
        let mut seen = vec![false; self.list.len()];
        for claim in pool {
            let mut needs = self.view.claims[*claim as usize].effect.needs();
            while let Some(state) = needs.take() {
                let giver = self.version(state).giver;
                if giver != NONE && !std::mem::replace(&mut seen[state as usize], true) {
                    reached.push(giver);
                    needs = self.view.claims[giver as usize].effect.needs();
                }
            }
        }
        reached.retain(|claim| !pool.contains(claim));
        reached.sort_unstable();
        reached
    }
}
