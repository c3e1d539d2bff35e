//! Which algorithm judges a key.

use serde::Serialize;

use super::partition::Partition;
use crate::Model;

/// The algorithm that judged a key. Verdicts name it.
///
/// This is where a near-linear monitor for a special case (a register with unique values, a queue, a stack)
/// takes its place: it becomes a variant here, [`Method::pick`] answers with it for the partitions that meet
/// its conditions and with the search for all others, and the checker runs what was picked. A monitor answers
/// with the same certificates as the search: a [`Witness`](super::Witness) or the calls of a minimal core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Depth-first search with a memo, after Wing and Gong (1993) and Lowe (2017): for every model.
    Search,
}

impl Method {
    /// The algorithm for a key, and why it and no faster one.
    pub(crate) fn pick<M: Model>(_partition: &Partition<'_, M>) -> (Method, &'static str) {
        (Method::Search, "it judges every model")
    }

    /// Its name in verdicts.
    pub fn name(self) -> &'static str {
        match self {
            Method::Search => "search",
        }
    }
}
