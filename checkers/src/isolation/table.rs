//! The table of levels: what holds, what is violated, what is not known.

use std::fmt::Write;

use rashomon_core::{Validity, Verdict};
use serde_json::{Map, Value};

use super::level::{Isolation, Level, Levels, Order};

/// What became of each level.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) violated: Levels,
    pub(super) holds: Levels,
}

impl Table {
    /// Violations spread to all that implies a level, and what holds spreads to all that a level implies.
    pub(super) fn new(violated: Levels, holds: impl Fn(Level) -> bool) -> Table {
        let mut closed = Levels::default();
        for level in Level::all().filter(|level| !violated.contains(*level) && holds(*level)) {
            let implied = Level::all().filter(|other| level.implies(*other));
            closed = implied.fold(closed, Levels::with);
        }
        for level in Level::all() {
            assert!(!(closed.contains(level) && violated.contains(level)), "{level} holds and is violated");
        }
        Table { violated, holds: closed }
    }

    pub(super) fn of(&self, level: Level) -> Validity {
        if self.violated.contains(level) {
            Validity::Invalid
        } else if self.holds.contains(level) {
            Validity::Valid
        } else {
            Validity::Unknown
        }
    }

    pub(super) fn to_json(&self) -> Value {
        let rows = Isolation::ALL.map(|isolation| {
            let cells = Order::ALL.map(|order| {
                let word = match self.of(Level { isolation, order }) {
                    Validity::Valid => "holds",
                    Validity::Unknown => "unknown",
                    Validity::Invalid => "violated",
                };
                (order.name().to_owned(), word.into())
            });
            (isolation.name().to_owned(), Value::Object(cells.into_iter().collect()))
        });
        Value::Object(rows.into_iter().collect::<Map<_, _>>())
    }

    /// The strongest levels that hold.
    pub(super) fn strongest(&self) -> Vec<Level> {
        let holds = || Level::all().filter(|level| self.holds.contains(*level));
        holds().filter(|level| !holds().any(|other| other != *level && other.implies(*level))).collect()
    }
}

/// The table of levels of a verdict on transactions, for people; `None` when the verdict has none.
pub fn table(verdict: &Verdict) -> Option<String> {
    let levels = verdict.stats.get("levels")?;
    let mut text = format!("{:<30}{:<11}{:<11}{}\n", "level", "plain", "session", "realtime");
    for isolation in Isolation::ALL {
        let row = levels.get(isolation.name())?;
        let cell = |order: Order| row.get(order.name()).and_then(Value::as_str).unwrap_or("unknown");
        let [plain, session, realtime] = Order::ALL.map(cell);
        writeln!(text, "{:<30}{plain:<11}{session:<11}{realtime}", isolation.name())
            .expect("a string takes everything");
    }
    Some(text)
}
