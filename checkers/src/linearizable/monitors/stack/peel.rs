//! Peeling values off a stack, from outside.

use rustc_hash::FxHashSet;

use super::super::Clash;
use super::super::register::NONE;
use super::cover::Cover;
use super::free::Free;
use super::moments::Moments;
use super::stabbing::Stabbing;

/// How many stuck values are tried as the beginning of a clash, and how many values it may then have to count as small.
const TRIED: usize = 16;
const SMALL: usize = 64;

/// One value: moments are inclusive.
#[derive(Clone, Copy, Debug)]
struct Life {
    push: u32,
    /// [`NONE`] for a value that stays in.
    pop: u32,
    /// The moments of its push, and of its pop: for a value that stays in, the one after all others.
    pushed: (u32, u32),
    popped: (u32, u32),
    /// When the order pushes it and pops it.
    at: (u32, u32),
}

impl Life {
    /// The moments that it covers.
    fn covers(&self) -> Option<(u32, u32)> {
        let (first, last) = (self.pushed.1 + 1, self.popped.0.saturating_sub(1));
        (first <= last).then_some((first, last))
    }

    fn claims(&self) -> impl Iterator<Item = u32> + use<> {
        [self.push, self.pop].into_iter().filter(|claim| *claim != NONE)
    }
}

/// The values of a stack, while they are peeled off.
#[derive(Debug)]
pub(super) struct Peeling<'m> {
    moments: &'m Moments,
    lives: Vec<Life>,
    cover: Cover,
    free: Free,
    /// The pushes, with label 2i, and pops, with label 2i + 1, of values that cover something.
    waiting: Stabbing,
    /// For each value, which of the two had a free moment: bits 1 and 2.
    satisfied: Vec<u8>,
    /// The values that have left, the outermost first.
    left: Vec<u32>,
}

impl<'m> Peeling<'m> {
    pub(super) fn new(moments: &'m Moments, values: impl Iterator<Item = (u32, u32)>) -> Peeling<'m> {
        let end = moments.count;
        let lives: Vec<Life> = values
            .map(|(push, pop)| {
                let pushed = (moments.first(push), moments.last(push));
                let popped = if pop == NONE { (end, end) } else { (moments.first(pop), moments.last(pop)) };
                Life { push, pop, pushed, popped, at: (0, 0) }
            })
            .collect();
        let cover = Cover::new(moments.count, lives.iter().filter_map(Life::covers));
        let mut waiting = Stabbing::new(moments.count);
        let mut satisfied = vec![0; lives.len()];
        for (place, life) in lives.iter().enumerate().filter(|(_, life)| life.covers().is_some()) {
            let label = place as u32 * 2;
            waiting.add(life.pushed.0, life.pushed.1, label);
            if life.pop == NONE {
                satisfied[place] = 2;
            } else {
                waiting.add(life.popped.0, life.popped.1, label + 1);
            }
        }
        let mut peeling = Peeling {
            moments,
            lives,
            cover,
            free: Free::new(moments.count),
            waiting,
            satisfied,
            left: Vec::new(),
        };
        peeling.look();
        peeling
    }

    /// Finds the moments that have become free, and the values that can leave now.
    fn look(&mut self) {
        while let Some(moment) = self.cover.next_free() {
            self.free.insert(moment);
            let (satisfied, left) = (&mut self.satisfied, &mut self.left);
            self.waiting.take(moment, |label| {
                let bits = &mut satisfied[label as usize / 2];
                let before = std::mem::replace(bits, *bits | 1 << (label & 1));
                if before != 3 && *bits == 3 {
                    left.push(label / 2);
                }
            });
        }
    }

    /// A moment for each pop that found nothing. A clash is one whose moments are all covered, with what covers them.
    /// Asked before any value has left.
    pub(super) fn place_empty(&self, empty: &[u32]) -> Result<Vec<(u32, u32)>, Clash> {
        empty
            .iter()
            .map(|pop| {
                let (first, last) = (self.moments.first(*pop), self.moments.last(*pop));
                let moment = self.free.first(first, last);
                moment.map(|moment| (moment, *pop)).ok_or_else(|| {
                    let chain = Covers::of(self, |_| true).chain(first, last, &[]);
                    Clash::of(chain.iter().flat_map(|place| self.lives[*place].claims()).chain([*pop]))
                })
            })
            .collect()
    }

    /// Lets all values leave that can. A clash is when some cannot.
    pub(super) fn run(&mut self) -> Result<(), Clash> {
        let mut next = 0;
        while let Some(place) = self.left.get(next).copied() {
            let life = &self.lives[place as usize];
            let pushed = self.free.last(life.pushed.0, life.pushed.1);
            let popped = if life.pop == NONE {
                Some(self.moments.count)
            } else {
                self.free.first(life.popped.0, life.popped.1)
            };
            let (Some(pushed), Some(popped), Some((first, last))) = (pushed, popped, life.covers()) else {
                unreachable!(
                    "a value that leaves covered something, and both its operations have a free moment"
                );
            };
            self.lives[place as usize].at = (pushed, popped);
            self.cover.uncover(first, last);
            self.look();
            next += 1;
        }
        let covering = |place: &usize| self.lives[*place].covers().is_some();
        if (0..self.lives.len()).filter(covering).count() == self.left.len() {
            return Ok(());
        }
        Err(self.stuck())
    }

    /// Values none of which can leave before another of them: each has an operation that the others cover.
    fn stuck(&self) -> Clash {
        let stays = |place: usize| self.satisfied[place] != 3;
        let covers = Covers::of(self, stays);
        let mut starts: Vec<usize> = covers.list.iter().map(|(_, _, place)| *place).collect();
        starts.sort_by_key(|place| self.covered_part(*place).map_or(0, |(first, last)| last - first));
        let tries = starts.iter().take(TRIED).filter_map(|start| self.closure(*start, &covers, SMALL));
        let chosen =
            tries.min_by_key(Vec::len).or_else(|| self.closure(*starts.first()?, &covers, usize::MAX));
        Clash::of(chosen.into_iter().flatten().flat_map(|place| self.lives[place].claims()))
    }

    /// The moments of the operation of a stuck value that has no free one, the shorter if that goes for both.
    fn covered_part(&self, place: usize) -> Option<(u32, u32)> {
        let life = &self.lives[place];
        let parts = [(1, life.pushed), (2, life.popped)];
        let stuck = parts.into_iter().filter(|(bit, _)| self.satisfied[place] & bit == 0);
        stuck.map(|(_, part)| part).min_by_key(|(first, last)| last - first)
    }

    /// A stuck value with values that cover its operation, with values that cover theirs, and so on.
    fn closure(&self, start: usize, covers: &Covers<'_>, most: usize) -> Option<Vec<usize>> {
        let mut chosen = vec![start];
        let mut inside = FxHashSet::from_iter([start]);
        let mut next = 0;
        while let Some(place) = chosen.get(next).copied() {
            let (first, last) = self.covered_part(place)?;
            let chain = covers.chain(first, last, &chosen[..chosen.len().min(SMALL)]);
            for more in chain {
                if inside.insert(more) {
                    chosen.push(more);
                }
            }
            if chosen.len() > most {
                return None;
            }
            next += 1;
        }
        Some(chosen)
    }

    /// The order, with the pops that found nothing.
    pub(super) fn order(&self, empty: Vec<(u32, u32)>) -> Vec<u32> {
        // At each moment: pops, the innermost value first; pops of nothing, and values that come and go at once; pushes,
        // the outermost value first.
        let mut steps: Vec<(u32, i64, u32)> = Vec::new();
        let mut last = self.left.len() as i64;
        let mut place = |depth: i64, (pushed, popped): (u32, u32), life: &Life| {
            steps.push((pushed, depth, life.push));
            if life.pop != NONE {
                steps.push((popped, -depth, life.pop));
            }
        };
        for (value, depth) in self.left.iter().zip(1..) {
            let life = &self.lives[*value as usize];
            place(depth, life.at, life);
        }
        let mut at_once = Vec::new();
        for life in self.lives.iter().filter(|life| life.covers().is_none()) {
            if life.popped.0 > life.pushed.1 {
                last += 1;
                place(last, (life.pushed.1, life.popped.0), life);
            } else {
                at_once.push((life.pushed.0.max(life.popped.0), life));
            }
        }
        for (moment, life) in at_once {
            steps.push((moment, 0, life.push));
            steps.push((moment, 0, life.pop));
        }
        steps.extend(empty.into_iter().map(|(moment, pop)| (moment, 0, pop)));
        steps.sort_by_key(|(moment, depth, _)| (*moment, *depth));
        steps.into_iter().map(|(_, _, claim)| claim).collect()
    }
}

/// What values cover, to be asked for few that cover a range.
struct Covers<'p> {
    peeling: &'p Peeling<'p>,
    /// First and last moment with the value, in their order.
    list: Vec<(u32, u32, usize)>,
    /// The place in the list of the one that reaches farthest, among those up to here.
    farthest: Vec<usize>,
}

impl<'p> Covers<'p> {
    fn of(peeling: &'p Peeling<'p>, counts: impl Fn(usize) -> bool) -> Covers<'p> {
        let lives = peeling.lives.iter().enumerate().filter(|(place, _)| counts(*place));
        let mut list: Vec<(u32, u32, usize)> = lives
            .filter_map(|(place, life)| life.covers().map(|(first, last)| (first, last, place)))
            .collect();
        list.sort_unstable();
        let mut farthest: Vec<usize> = (0..list.len()).collect();
        for place in 1..list.len() {
            if list[farthest[place - 1]].1 > list[place].1 {
                farthest[place] = farthest[place - 1];
            }
        }
        Covers { peeling, list, farthest }
    }

    /// Values that together cover the range, as few as possible; those at hand are preferred.
    fn chain(&self, first: u32, last: u32, at_hand: &[usize]) -> Vec<usize> {
        let mut chain = Vec::new();
        let mut from = first;
        while from <= last {
            let covers = |place: &usize| self.peeling.lives[*place].covers();
            let reach = |place: &usize| {
                covers(place)
                    .filter(|(begin, end)| (*begin..=*end).contains(&from))
                    .map(|(_, end)| (end, *place))
            };
            let near = at_hand.iter().filter_map(reach).max();
            let (end, place) = near.unwrap_or_else(|| {
                let before = self.list.partition_point(|(begin, _, _)| *begin <= from);
                before.checked_sub(1).map_or((from, usize::MAX), |before| {
                    let (_, end, place) = self.list[self.farthest[before]];
                    (end.max(from), place)
                })
            });
            if place != usize::MAX {
                chain.push(place);
            }
            from = end + 1;
        }
        chain
    }
}
