//! Depth-first search for an order of the operations on one key.
//!
//! The search of Wing and Gong (1993) with the memo of Lowe (2017). A configuration is the set of operations
//! placed so far with the state they led to; a step places one more, any that was called before the first
//! return among those not yet placed. Placed operations leave a linked list of small numbers, so a step touches
//! a few bytes however long the history is, and going back undoes it exactly.
//!
//! What keeps it small, beside the memo:
//!
//! - *Eager reads.* An operation that never changes any state is placed as soon as it is possible: waiting
//!   gains nothing. (One that merely does not change *this* state must not be.)
//! - *Optional operations last*, off the main list, and only those that lead to a state which something in
//!   view needs.
//! - *Absorption.* Right after an optional x, no y that leads to the same state without x: then x was idle.
//! - *Abandonment.* A state is left only if nothing needs it any more or something can still lead to it.
//! - *Dead writes.* A write whose value nothing needs any more is placed just before another write.
//!
//! - *Looking ahead.* Where states only grow, a state from which one soon needed cannot be reached is given up.
//!
//! Abandonment and dead writes need to know every effect, so they are off where an operation's is
//! [`Known::Any`]; looking ahead takes their place there.

mod ahead;
mod choices;
mod placing;

use rustc_hash::FxHashMap;

use super::memo::{Memo, zobrist};
use super::optional::Optionals;
use super::partition::{Known, NEVER, Partition};
use super::problem::Item;
use super::states::Marks;
use crate::Model;

/// No node, no state: the end of a list.
const NONE: u32 = u32::MAX;

/// How far a search has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Not at an end yet.
    Running,
    /// There is an order.
    Found,
    /// There is none.
    Exhausted,
}

/// The configuration from which the latest return was in view.
#[derive(Clone, Debug, Default)]
pub(crate) struct Farthest {
    /// The rank of the return that could not be passed.
    pub(crate) bound: u32,
    /// How many operations had been placed.
    pub(crate) placed: usize,
    /// The last of them, as claims, in order.
    pub(crate) tail: Vec<u32>,
    /// The state they led to.
    pub(crate) state: u32,
    /// The claims that could have come next.
    pub(crate) window: Vec<u32>,
}

impl Farthest {
    fn forget(&mut self) {
        (self.bound, self.placed, self.state) = (0, 0, 0);
        self.tail.clear();
        self.window.clear();
    }
}

/// How many of the placed operations [`Farthest`] remembers.
const TAIL: usize = 64;

#[derive(Clone, Copy, Debug)]
struct Node {
    call: u32,
    ret: u32,
    next: u32,
    previous: u32,
    claim: u32,
    effect: Known,
}

/// One operation placed.
#[derive(Clone, Copy, Debug)]
struct Placed {
    claim: u32,
    from: Source,
}

#[derive(Clone, Copy, Debug)]
enum Source {
    Node(u32),
    Class(u32),
}

/// A configuration with choices left.
#[derive(Clone, Copy, Debug)]
struct Level {
    fingerprint: u128,
    /// How many operations are placed.
    placed: u32,
    state: u32,
    /// The state before, when the last operation placed is an optional one.
    idle: u32,
    /// The node to try next, or [`NONE`] when all have been tried.
    cursor: u32,
    /// The least return among the nodes before the cursor.
    least: u32,
    /// The first return in view.
    bound: u32,
    /// Where this level's optional choices begin.
    choices: u32,
    /// Whether they have been listed.
    listed: bool,
}

/// What a search makes of what comes later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Foresight {
    /// Every effect is known, so it counts which states are still needed, and what leads to them.
    #[default]
    Counting,
    /// It looks at what comes soon.
    Looking,
    /// Nothing.
    Blind,
}

/// A search, which can be run in slices.
#[derive(Clone, Debug, Default)]
pub(crate) struct Search {
    seed: u64,
    /// The operations that must be placed, in the order of their calls, and a head that closes the ring.
    nodes: Vec<Node>,
    head: u32,
    optionals: Optionals,
    /// How many nodes need a state, how many operations of either kind do, and how many lead to it. Empty when
    /// not every effect is known.
    needs: Vec<u32>,
    wanted: Vec<u32>,
    gives: Vec<u32>,
    foresight: Foresight,
    any_pure: bool,
    memo: Memo,
    placed: Vec<Placed>,
    levels: Vec<Level>,
    choices: Vec<u32>,
    /// For a walk over needs: the states that were met, and those from which it has to go on.
    marks: Marks,
    ahead: Vec<u32>,
    /// The optional items, on their way.
    optional: Vec<Item>,
    farthest: Farthest,
    started: bool,
    steps: u64,
}

impl Search {
    /// A search for an order of `items`, which come in the order of their calls.
    pub(crate) fn new<M: Model>(partition: &Partition<M>, items: &[Item], seed: u64) -> Search {
        let mut search = Search::default();
        search.begin(partition, items, seed);
        search
    }

    /// Begins anew with other items, in the memory that it has.
    pub(crate) fn begin<M: Model>(&mut self, partition: &Partition<M>, items: &[Item], seed: u64) {
        let effect = |claim: u32| partition.claims[claim as usize].effect;
        self.seed = seed;
        (self.foresight, self.any_pure) = (Foresight::Counting, false);
        self.nodes.clear();
        self.optional.clear();
        for item in items {
            let effect = effect(item.claim);
            if effect == Known::Any {
                self.foresight = Foresight::Looking;
            }
            if item.ret == NEVER {
                self.optional.extend((!effect.is_pure()).then_some(*item));
                continue;
            }
            self.any_pure |= effect == Known::Pure;
            let place = self.nodes.len() as u32;
            let Item { claim, call, ret } = *item;
            let previous = place.saturating_sub(1);
            self.nodes.push(Node { call, ret, next: place + 1, previous, claim, effect });
        }
        self.head = self.nodes.len() as u32;
        let previous = self.head.saturating_sub(1);
        self.nodes.push(Node {
            call: NEVER,
            ret: NEVER,
            next: 0,
            previous,
            claim: NONE,
            effect: Known::Pure,
        });
        self.nodes[0].previous = self.head;
        let mut numbers: FxHashMap<&M::Action, u32> = FxHashMap::default();
        for item in self.optional.iter().filter(|item| effect(item.claim) == Known::Any) {
            let next = numbers.len() as u32;
            numbers.entry(&partition.actions[item.claim as usize]).or_insert(next);
        }
        self.optionals.fill(&self.optional, effect, |claim| numbers[&partition.actions[claim as usize]]);
        if self.is_exact() && !self.any_pure && !self.optional.is_empty() {
            self.marks.clear();
            let needs = self.nodes.iter().filter_map(|node| node.effect.needs());
            self.ahead.clear();
            self.ahead.extend(needs.filter(|state| self.marks.insert(*state)));
            self.optionals.drop_useless(&mut self.ahead, &mut self.marks, effect);
        }
        self.optionals.group(effect);
        self.count(partition.states.len());
        self.memo.clear();
        self.placed.clear();
        self.levels.clear();
        self.choices.clear();
        self.farthest.forget();
        (self.started, self.steps) = (false, 0);
    }

    /// A search of the same items that uses no knowledge of what comes later, so that where it gets stuck is
    /// where a reader would: for pictures.
    pub(crate) fn naive<M: Model>(partition: &Partition<M>, items: &[Item], seed: u64) -> Search {
        let mut search = Search::new(partition, items, seed);
        search.foresight = Foresight::Blind;
        search.needs.clear();
        search
    }

    fn is_exact(&self) -> bool {
        self.foresight == Foresight::Counting
    }

    /// Counts what needs each state and what leads to it, where that is known of all.
    fn count(&mut self, states: usize) {
        let counted = if self.is_exact() { states } else { 0 };
        for counts in [&mut self.needs, &mut self.wanted, &mut self.gives] {
            counts.clear();
            counts.resize(counted, 0);
        }
        if !self.is_exact() {
            return;
        }
        for node in &self.nodes {
            if let Some(state) = node.effect.needs() {
                self.wanted[state as usize] += 1;
                self.needs[state as usize] += 1;
            }
            if let Some(state) = node.effect.gives() {
                self.gives[state as usize] += 1;
            }
        }
        for effect in self.optionals.effects() {
            if let Some(state) = effect.needs() {
                self.wanted[state as usize] += 1;
            }
            if let Some(state) = effect.gives() {
                self.gives[state as usize] += 1;
            }
        }
    }

    /// The number of configurations met.
    pub(crate) fn configurations(&self) -> usize {
        self.memo.len()
    }

    /// The number of steps taken.
    pub(crate) fn steps(&self) -> u64 {
        self.steps
    }

    pub(crate) fn farthest(&self) -> &Farthest {
        &self.farthest
    }

    /// The farthest configuration of a search that was stopped.
    pub(crate) fn reached(mut self, initial: u32) -> Farthest {
        let (state, bound) = self.levels.last().map_or((initial, 0), |top| (top.state, top.bound));
        if bound > self.farthest.bound {
            self.note(state, bound);
        }
        self.farthest
    }

    /// How many operations must be placed.
    pub(crate) fn size(&self) -> usize {
        self.head as usize
    }

    /// The order found so far, as claims.
    pub(crate) fn order(&self) -> impl Iterator<Item = u32> + '_ {
        self.placed.iter().map(|placed| placed.claim)
    }

    /// About how much memory the search takes, its states apart.
    pub(crate) fn bytes(&self) -> usize {
        self.memo.bytes()
            + self.nodes.len() * size_of::<Node>()
            + self.placed.capacity() * size_of::<Placed>()
            + self.levels.capacity() * size_of::<Level>()
            + (self.choices.capacity() + 3 * self.needs.len()) * size_of::<u32>()
            + self.marks.bytes()
    }

    /// Goes on for about `steps` steps.
    pub(crate) fn run<M: Model>(&mut self, model: &M, partition: &mut Partition<M>, steps: u64) -> Progress {
        let end = self.steps.saturating_add(steps);
        if !self.started {
            self.started = true;
            if self.hopeless(partition.initial) {
                self.note_start(partition.initial);
                return Progress::Exhausted;
            }
            let fingerprint = self.of_state(partition.initial);
            if self.enter(model, partition, partition.initial, NONE, fingerprint) {
                return Progress::Found;
            }
        }
        while self.steps < end {
            self.steps += 1;
            let Some(top) = self.levels.last().copied() else { return Progress::Exhausted };
            let found = if top.cursor != NONE {
                self.try_node(model, partition, top)
            } else if let Some(class) = self.next_choice(model, partition, top) {
                self.try_class(model, partition, top, class)
            } else {
                self.leave(top);
                false
            };
            if found {
                return Progress::Found;
            }
        }
        Progress::Running
    }

    /// Whether a value that nothing can write is needed.
    fn hopeless(&self, initial: u32) -> bool {
        (0..self.needs.len())
            .any(|state| self.needs[state] > 0 && self.gives[state] == 0 && state as u32 != initial)
    }

    fn note_start(&mut self, state: u32) {
        let culprit = (0..self.head).map(|place| self.nodes[place as usize]).find(|node| {
            node.effect.needs().is_some_and(|need| need != state && self.gives[need as usize] == 0)
        });
        if let Some(culprit) = culprit {
            self.farthest =
                Farthest { bound: culprit.ret, state, window: vec![culprit.claim], ..Farthest::default() };
        }
    }

    fn of_state(&self, state: u32) -> u128 {
        zobrist(self.seed, u64::from(state) | 1 << 33)
    }

    fn of_claim(&self, claim: u32) -> u128 {
        zobrist(self.seed, u64::from(claim))
    }

    /// Enters the configuration that the placed operations led to; true when nothing is left to place.
    fn enter<M: Model>(
        &mut self,
        model: &M,
        partition: &mut Partition<M>,
        state: u32,
        mut idle: u32,
        mut fingerprint: u128,
    ) -> bool {
        let before = self.levels.last().map_or(0, |level| level.placed);
        let mut bound = NEVER;
        let mut place = self.nodes[self.head as usize].next;
        while place != self.head {
            let node = self.nodes[place as usize];
            if node.call > bound {
                break;
            }
            if node.effect.is_pure() && partition.step(model, state, node.claim as usize).is_some() {
                fingerprint ^= self.of_claim(node.claim);
                self.place_node(place);
                idle = NONE;
            } else {
                bound = bound.min(node.ret);
            }
            place = node.next;
        }
        let first = self.nodes[self.head as usize].next;
        if first == self.head {
            return true;
        }
        if !self.memo.insert(fingerprint) || self.unreachable(model, partition, state) {
            // Not a level of its own: what was placed for it goes back at once.
            if bound > self.farthest.bound {
                self.note(state, bound);
            }
            self.take_back(before);
            return false;
        }
        self.levels.push(Level {
            fingerprint,
            placed: self.placed.len() as u32,
            state,
            idle,
            cursor: first,
            least: NEVER,
            bound,
            choices: self.choices.len() as u32,
            listed: false,
        });
        false
    }

    /// Remembers the farthest configuration, which is the one that the placed operations led to.
    fn note(&mut self, state: u32, bound: u32) {
        let Farthest { window, tail, .. } = &mut self.farthest;
        window.clear();
        let mut place = self.nodes[self.head as usize].next;
        while place != self.head && self.nodes[place as usize].call < bound {
            window.push(self.nodes[place as usize].claim);
            place = self.nodes[place as usize].next;
        }
        tail.clear();
        let last = self.placed[self.placed.len().saturating_sub(TAIL)..].iter();
        tail.extend(last.map(|placed| placed.claim));
        (self.farthest.bound, self.farthest.placed) = (bound, self.placed.len());
        self.farthest.state = state;
    }

    /// Gives up a configuration.
    fn leave(&mut self, top: Level) {
        if top.bound > self.farthest.bound {
            self.note(top.state, top.bound);
        }
        self.levels.pop();
        self.choices.truncate(top.choices as usize);
        self.take_back(self.levels.last().map_or(0, |level| level.placed));
    }

    /// Whether leaving the state would strand an operation that needs it.
    fn strands(&self, state: u32, next: u32, effect: Known) -> bool {
        if !self.is_exact() || state == next {
            return false;
        }
        let own = u32::from(effect.needs() == Some(state));
        self.needs[state as usize] > own && self.gives[state as usize] == 0
    }

    fn try_node<M: Model>(&mut self, model: &M, partition: &mut Partition<M>, top: Level) -> bool {
        let node = self.nodes[top.cursor as usize];
        let depth = self.levels.len() - 1;
        if node.call > top.least || top.cursor == self.head {
            self.levels[depth].cursor = NONE;
            return false;
        }
        self.levels[depth].cursor = node.next;
        self.levels[depth].least = top.least.min(node.ret);
        let claim = node.claim as usize;
        let Some(next) = partition.step(model, top.state, claim) else { return false };
        let idle = top.idle != NONE && partition.step(model, top.idle, claim) == Some(next);
        if idle || self.strands(top.state, next, node.effect) {
            return false;
        }
        let mut fingerprint = top.fingerprint ^ self.of_state(top.state) ^ self.of_state(next);
        if self.is_exact() && !self.any_pure && matches!(node.effect, Known::Set(_)) {
            fingerprint ^= self.place_dead_writes(top.cursor);
        }
        fingerprint ^= self.of_claim(node.claim);
        self.place_node(top.cursor);
        self.enter(model, partition, next, NONE, fingerprint)
    }

    fn try_class<M: Model>(
        &mut self,
        model: &M,
        partition: &mut Partition<M>,
        top: Level,
        place: u32,
    ) -> bool {
        let effect = self.optionals.effect(place);
        let Some(claim) = self.optionals.next(place, top.bound) else { return false };
        let Some(next) = partition.step(model, top.state, claim as usize) else { return false };
        let idle = top.idle != NONE && partition.step(model, top.idle, claim as usize) == Some(next);
        if next == top.state || idle || self.strands(top.state, next, effect) {
            return false;
        }
        let fingerprint =
            top.fingerprint ^ self.of_state(top.state) ^ self.of_state(next) ^ self.of_claim(claim);
        self.place_class(place, claim);
        self.enter(model, partition, next, top.state, fingerprint)
    }
}
