//! Views, and the numbers of views and operations.

use std::fmt;

use rashomon_core::{NodeId, Value};
use serde::{Deserialize, Serialize};

/// The number of a view. The first is 1; 0 is before it, when nobody serves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ViewNumber(pub u64);

/// The number of a command, counted from 1 over all views; 0 is the empty state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OpNumber(pub u64);

/// Who serves: the word of the view service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// Which view this is.
    pub number: ViewNumber,
    /// Who takes requests; nobody before the first view.
    pub primary: Option<NodeId>,
    /// Who has everything that the primary answered.
    pub backup: Option<NodeId>,
}

impl View {
    /// The view after this one.
    pub(super) fn successor(&self, primary: NodeId, backup: Option<NodeId>) -> View {
        View { number: ViewNumber(self.number.0 + 1), primary: Some(primary), backup }
    }

    /// Whether the node is its primary.
    pub(super) fn is_primary(&self, node: NodeId) -> bool {
        self.primary == Some(node)
    }

    /// Whether the node is its backup.
    pub(super) fn is_backup(&self, node: NodeId) -> bool {
        self.backup == Some(node)
    }
}

impl OpNumber {
    /// The number after this one.
    #[must_use]
    pub fn next(self) -> OpNumber {
        OpNumber(self.0 + 1)
    }
}

impl From<ViewNumber> for Value {
    fn from(number: ViewNumber) -> Value {
        number.0.into()
    }
}

impl From<OpNumber> for Value {
    fn from(number: OpNumber) -> Value {
        number.0.into()
    }
}

impl fmt::Display for ViewNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for OpNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
