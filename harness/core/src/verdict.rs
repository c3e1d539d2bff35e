//! What to think of a history.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How a checker judges: ordered, and the worst wins, so that `unknown` never masks `invalid`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Validity {
    /// One consistent story explains all the testimony.
    #[default]
    Valid,
    /// Not settled: the budget ran out, the run was vacuous, or the evidence is missing.
    Unknown,
    /// No consistent story exists.
    Invalid,
}

impl fmt::Display for Validity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Validity::Valid => "valid",
            Validity::Unknown => "unknown",
            Validity::Invalid => "invalid",
        })
    }
}

/// One violation, with the evidence that shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Anomaly {
    /// Its name in the literature: `nonlinearizable`, `lost-element`, `election-safety`, ...
    pub name: String,
    /// The key it concerns, where the data has independent parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The indices, in the history, of the few events that show it: removing any one would hide it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<u64>,
    /// Evidence that is not in the history, one line each: what nodes said of themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
    /// Why these events cannot all be true, in one or two sentences.
    pub because: String,
    /// Whatever more the checker can say, for programs and drawings.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub details: Map<String, Value>,
}

/// What one checker found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The checker's name.
    pub checker: String,
    /// Its judgement.
    pub valid: Validity,
    /// One line for people: what was checked, or what is wrong.
    pub summary: String,
    /// Every violation found, worst first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub anomalies: Vec<Anomaly>,
    /// What could not be settled and why, when `valid` is unknown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
    /// Figures for programs: method used, counts, quantiles.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub stats: Map<String, Value>,
}

impl Verdict {
    /// A verdict of `checker` that finds nothing wrong.
    pub fn valid(checker: impl Into<String>, summary: impl Into<String>) -> Verdict {
        Verdict {
            checker: checker.into(),
            valid: Validity::Valid,
            summary: summary.into(),
            anomalies: Vec::new(),
            unknown: Vec::new(),
            stats: Map::new(),
        }
    }

    /// A verdict of `checker` that could not be reached, because of `cause`.
    pub fn unknown(checker: impl Into<String>, cause: impl Into<String>) -> Verdict {
        let cause = cause.into();
        Verdict { valid: Validity::Unknown, unknown: vec![cause.clone()], ..Verdict::valid(checker, cause) }
    }

    /// A verdict of `checker` that found `anomalies`, of which there must be at least one.
    pub fn invalid(
        checker: impl Into<String>,
        summary: impl Into<String>,
        anomalies: Vec<Anomaly>,
    ) -> Verdict {
        assert!(!anomalies.is_empty(), "an accusation without evidence");
        Verdict { valid: Validity::Invalid, anomalies, ..Verdict::valid(checker, summary) }
    }

    /// The same verdict with a figure added.
    pub fn with_stat(mut self, name: &str, value: impl Into<Value>) -> Verdict {
        self.stats.insert(name.to_owned(), value.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_wins_and_unknown_never_masks_invalid() {
        use Validity::{Invalid, Unknown, Valid};
        assert_eq!([Valid, Invalid, Unknown].into_iter().max(), Some(Invalid));
        assert_eq!([Valid, Unknown].into_iter().max(), Some(Unknown));
        assert_eq!(Validity::default(), Valid);
    }
}
