//! What near-linear monitors see of a model: the shape of its objects, and what each action does to one.

use crate::models::Datum;

/// What kind of object a model describes. It decides which near-linear monitor may judge a key; the monitor then looks
/// at what was observed there, and may still decline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Its [`Effect`](crate::Effect)s say everything: a register, if it is any shape at all.
    Register,
    /// What came first goes first.
    Queue,
    /// What came last goes first.
    Stack,
    /// What is greatest, by [`Model::priority`](crate::Model::priority), goes first.
    PriorityQueue,
    /// A set whose elements come and go, each by itself.
    Set,
    /// A set that only grows and is read as a whole.
    GrowingSet,
    /// A list that only grows, at its end, and is read as a whole.
    GrowingList,
}

/// What an action does to an object of the model's [`Shape`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage<'a> {
    /// The value goes into a queue, a stack or a priority queue.
    Enters(Datum),
    /// The value is the next in turn and comes out.
    Leaves(Datum),
    /// Whatever is next comes out, if anything is there: a removal whose answer never came.
    AnyLeaves,
    /// Nothing is there.
    FindsEmpty,
    /// The element was not in the set and is from then on (`true`), or the other way round.
    Flips(Datum, bool),
    /// The element is in the set from then on, or is not, whatever it was before.
    Turns(Datum, bool),
    /// The element is in the set, or is not; nothing changes.
    Shows(Datum, bool),
    /// The element is added to what only grows.
    Grows(Datum),
    /// These are all elements: in their order if it is a list, in the order of their numbers if it is a set.
    Whole(&'a [Datum]),
    /// Possible in no state.
    Impossible,
    /// No monitor knows what to make of it.
    Unclear,
}
