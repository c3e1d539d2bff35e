//! The JSON of dbcop: sessions of transactions of events.
//!
//! A file is an array of sessions, or an object with them as `data` or `sessions`. A session is an array of transactions,
//! `{"events": [...], "committed": true}`, where older files say `success`. An event is one of
//! `{"Write": {"variable": 0, "version": 1}}`, `["w", 0, 1]` and `{"write": true, "variable": 0, "value": 1, "success": true}`;
//! a read of version `null`, or of 0 where nobody writes that, found what was there before the first write.

use std::io::BufRead;

use rashomon_core::{HistoryError, Kind, Value};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::sessions::{Access, Sessions, Transaction, read_as_nothing};

/// Whether a JSON text begins as such a file does.
pub(super) fn is_like(text: &str) -> bool {
    text.contains("\"events\"") && !text.contains("\"type\"")
}

#[derive(Deserialize)]
struct Wrapped<'a> {
    #[serde(borrow, alias = "sessions")]
    data: Vec<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
struct Described {
    events: Vec<Value>,
    #[serde(alias = "success")]
    committed: bool,
}

pub(super) fn read(mut source: impl BufRead) -> Result<Sessions, HistoryError> {
    let mut text = String::new();
    source.read_to_string(&mut text).map_err(|source| HistoryError::Io { line: 1, source })?;
    let wrong = |error: serde_json::Error| HistoryError::at(error.line().max(1), error.to_string());
    let described: Vec<Vec<&RawValue>> = if text.trim_start().starts_with('[') {
        serde_json::from_str(&text).map_err(wrong)?
    } else {
        serde_json::from_str::<Wrapped<'_>>(&text).map_err(wrong)?.data
    };
    let mut sessions = Sessions::new();
    let (mut line, mut counted) = (1, 0);
    for session in described {
        let mut taken = Vec::new();
        for raw in session {
            let at = raw.get().as_ptr().addr() - text.as_ptr().addr();
            line += text[counted..at].matches('\n').count();
            counted = at;
            let described: Described = serde_json::from_str(raw.get())
                .map_err(|error| HistoryError::at(line + error.line().max(1) - 1, error.to_string()))?;
            transaction(&described, &mut taken).map_err(|reason| HistoryError::at(line, reason))?;
        }
        sessions.push(taken);
    }
    read_as_nothing(&mut sessions, &Value::from(0));
    Ok(sessions)
}

/// Adds a transaction to its session. A write that failed within one that did not is one of its own that failed: nobody
/// may read it. A read that failed found nothing out.
fn transaction(described: &Described, into: &mut Vec<Transaction>) -> Result<(), String> {
    let mut accesses = Vec::new();
    for described in &described.events {
        let (access, succeeded) =
            event(described).ok_or_else(|| format!("{described} is no event of a transaction"))?;
        match (access, succeeded) {
            (access, true) => accesses.push(access),
            (access @ Access::Write { .. }, false) => {
                into.push(Transaction { kind: Kind::Fail, accesses: vec![access] });
            }
            (Access::Read { .. }, false) => {}
        }
    }
    into.push(Transaction { kind: if described.committed { Kind::Ok } else { Kind::Fail }, accesses });
    Ok(())
}

/// The access that an event is, and whether it succeeded.
fn event(described: &Value) -> Option<(Access, bool)> {
    let number = |value: &Value| value.as_u64().map(Value::from);
    let version = |value: &Value| if value.is_null() { Some(Value::Null) } else { number(value) };
    let read = |key: &Value, value: &Value| Some(Access::Read { key: number(key)?, value: version(value)? });
    let write = |key: &Value, value: &Value| Some(Access::Write { key: number(key)?, value: number(value)? });
    match described {
        Value::Array(parts) => match parts.as_slice() {
            [verb, key, value] if verb == "r" => Some((read(key, value)?, true)),
            [verb, key, value] if verb == "w" => Some((write(key, value)?, true)),
            _ => None,
        },
        Value::Object(fields) => {
            let nothing = Value::Null;
            if let Some(inner) = fields.get("Read") {
                Some((read(inner.get("variable")?, inner.get("version").unwrap_or(&nothing))?, true))
            } else if let Some(inner) = fields.get("Write") {
                Some((write(inner.get("variable")?, inner.get("version")?)?, true))
            } else {
                let key = fields.get("variable")?;
                let value = fields.get("value").or_else(|| fields.get("version")).unwrap_or(&nothing);
                let succeeded = fields.get("success").is_none_or(|success| success == true);
                let access =
                    if fields.get("write")?.as_bool()? { write(key, value)? } else { read(key, value)? };
                Some((access, succeeded))
            }
        }
        _ => None,
    }
}
