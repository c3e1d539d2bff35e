//! The table of isolation levels.

use maud::{Markup, html};
use rashomon_core::{Map, Value, Verdict};

use crate::describe;

/// From the weakest to the strongest, as far as they can be compared.
const LEVELS: [&str; 9] = [
    "read-uncommitted",
    "read-committed",
    "read-atomic",
    "causal",
    "prefix",
    "parallel-snapshot-isolation",
    "snapshot-isolation",
    "repeatable-read",
    "serializable",
];

const COLUMNS: [(&str, &str); 3] =
    [("plain", "by itself"), ("session", "sessions"), ("realtime", "real time")];

/// The most allowed anomalies that are named.
const NAMES: usize = 20;

/// What became of each level, if a checker says so.
pub(crate) fn levels(verdict: &Verdict) -> Option<Markup> {
    let table = verdict.stats.get("levels")?.as_object()?;
    let rows: Vec<&str> = LEVELS.into_iter().filter(|level| table.contains_key(*level)).collect();
    if rows.is_empty() {
        return None;
    }
    let promised = verdict.stats.get("promised").and_then(Value::as_str);
    Some(html! {
        div.levels {
            table {
                thead { tr { th { "level" } @for (_, title) in COLUMNS { th { (title) } } } }
                tbody {
                    @for level in rows {
                        tr {
                            th scope="row" { (level) }
                            @for (column, _) in COLUMNS { td { (cell(table, level, column)) } }
                        }
                    }
                }
            }
            @if let Some(promised) = promised { p.hint { "Promised was " b { (describe::clean(promised, 60)) } "." } }
            @if let Some(allowed) = allowed(verdict) { p.hint { "Seen, and allowed by what was promised: " (allowed) "." } }
        }
    })
}

fn cell(table: &Map<String, Value>, level: &str, column: &str) -> Markup {
    let word = table.get(level).and_then(|row| row.get(column)).and_then(Value::as_str);
    match word {
        Some("holds") => html! { span.cell.valid { "holds" } },
        Some("violated") => html! { span.cell.invalid { "violated" } },
        _ => html! { span.cell.unknown { "unknown" } },
    }
}

fn allowed(verdict: &Verdict) -> Option<String> {
    let counts = verdict.stats.get("allowed_anomalies")?.as_object()?;
    let named =
        counts.iter().take(NAMES).map(|(name, count)| format!("{count} {}", describe::clean(name, 40)));
    let named: Vec<String> = named.collect();
    (!named.is_empty()).then(|| named.join(", "))
}
