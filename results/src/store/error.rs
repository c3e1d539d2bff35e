//! Why a run cannot be stored or read.

use std::io;
use std::path::{Path, PathBuf};

use rashomon_core::HistoryError;
use thiserror::Error;

/// Why a file of a run cannot be written or read.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The machine refused.
    #[error("{}: {doing}: {source}", file.display())]
    Io {
        /// The file or folder.
        file: PathBuf,
        /// What was being done with it.
        doing: &'static str,
        /// The refusal; a full disk shows here.
        source: io::Error,
    },
    /// The text is not what the format says.
    #[error("{}:{line}: {reason}", file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The path is not that of a run, or cannot become one.
    #[error("{}: {reason}", path.display())]
    NotARun {
        /// The path.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl StoreError {
    /// The machine refused `doing` something with `file`. Shaped for `map_err`.
    pub(crate) fn io(file: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> StoreError {
        move |source| StoreError::Io { file: file.to_owned(), doing, source }
    }

    /// A line of `file` is wrong.
    pub(crate) fn malformed(file: &Path, line: usize, reason: impl Into<String>) -> StoreError {
        StoreError::Malformed { file: file.to_owned(), line, reason: reason.into() }
    }

    /// The JSON of `file` is wrong; its text began on line `first`.
    pub(crate) fn json(file: &Path, first: usize, error: &serde_json::Error) -> StoreError {
        // Line 0 stands for "nowhere in particular", which is the beginning.
        let line = first + error.line().max(1) - 1;
        let text = error.to_string();
        // The place is named once, in front; the parser would repeat it behind.
        let reason = text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason);
        StoreError::malformed(file, line, reason)
    }

    /// The history in `file` is wrong.
    pub(crate) fn history(file: &Path, error: HistoryError) -> StoreError {
        match error {
            HistoryError::Malformed { line, reason } => StoreError::malformed(file, line, reason),
            HistoryError::Io { source, .. } => StoreError::io(file, "reading")(source),
        }
    }
}
