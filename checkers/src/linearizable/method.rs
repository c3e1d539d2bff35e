//! Which algorithm judges a key.

use serde::Serialize;

/// The algorithm that judged a key. Verdicts name it, and why it and no other.
///
/// A monitor is a near-linear algorithm for a special case; it looks at what was observed of a key and declines
/// when its conditions are not met. What all monitors decline is searched. A monitor answers with the same
/// certificates as the search: a [`Witness`](super::Witness), or operations among which there is a minimal core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Intervals of a register's values: where each value was written once only.
    Register,
    /// Intervals of a queue's values: where each value was enqueued once only.
    Queue,
    /// Peeling a stack's values off from outside: where each value was pushed once only.
    Stack,
    /// A sweep over a priority queue's values: where each value was inserted once only.
    PriorityQueue,
    /// A sweep over each element of a set: where all answers say whether the element was there.
    Set,
    /// A chain of the answers of a set or list that only grows: where each element was added once only.
    Growing,
    /// Depth-first search with a memo, after Wing and Gong (1993) and Lowe (2017): for every model.
    Search,
}

impl Method {
    /// Its name in verdicts.
    pub fn name(self) -> &'static str {
        match self {
            Method::Register => "register-monitor",
            Method::Queue => "queue-monitor",
            Method::Stack => "stack-monitor",
            Method::PriorityQueue => "priority-queue-monitor",
            Method::Set => "set-monitor",
            Method::Growing => "growing-monitor",
            Method::Search => "search",
        }
    }
}

/// The algorithm that a key was given to, and the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Assigned {
    pub(crate) method: Method,
    pub(crate) why: &'static str,
}
