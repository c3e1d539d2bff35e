//! Terms, indices and places in the log.

use std::fmt;

use rashomon_core::Value;
use serde::{Deserialize, Serialize};

/// A term: logical time, in which at most one node leads (5.1). The first election makes it 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Term(pub u64);

/// An index of the log, whose first entry has index 1; 0 is the place before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Index(pub u64);

/// A place in the log: an index, and the term of the entry there.
///
/// Positions order by term first, then index: that is "more up-to-date" in the election restriction (5.4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// The term of the entry.
    pub term: Term,
    /// Its index.
    pub index: Index,
}

impl Term {
    /// The term after this one.
    pub fn next(self) -> Term {
        Term(self.0 + 1)
    }
}

impl Index {
    /// The place before the first entry.
    pub const ZERO: Index = Index(0);

    /// The index after this one.
    pub fn next(self) -> Index {
        Index(self.0 + 1)
    }

    /// The index before this one; the place before the first entry has none before it.
    pub fn prev(self) -> Index {
        Index(self.0.saturating_sub(1))
    }

    /// The index this many entries further.
    pub fn plus(self, entries: usize) -> Index {
        Index(self.0.saturating_add(entries as u64))
    }
}

impl From<Term> for Value {
    fn from(term: Term) -> Value {
        term.0.into()
    }
}

impl From<Index> for Value {
    fn from(index: Index) -> Value {
        index.0.into()
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of term {}", self.index, self.term)
    }
}
