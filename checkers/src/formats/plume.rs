//! The text format of Plume and `PolySI`: an access a line, `r(key,value,session,transaction)` or `w(...)`.
//!
//! Value 0 is what was there before the first write. Transaction -1 stands for all that were aborted, of which the writes
//! matter: nobody may read them.

mod write;

use std::io::BufRead;

use rashomon_core::{HistoryError, Kind, Value};
use rustc_hash::FxHashMap;

use super::sessions::{Access, Sessions, Transaction, read_as_nothing};

pub(super) use write::write;

/// The transaction that stands for all that were aborted.
const ABORTED: i64 = -1;

/// One line: whether it writes, key, value, session, transaction.
type Line = (bool, u64, u64, u64, i64);

/// Whether a text begins as such a file does.
pub(super) fn is_like(first: &str) -> bool {
    parse(first.trim()).is_ok()
}

pub(super) fn read(source: impl BufRead) -> Result<Sessions, HistoryError> {
    let mut sessions: Sessions = Vec::new();
    // Where the transactions of each session are in `sessions`, and where each transaction is.
    let mut places: FxHashMap<u64, usize> = FxHashMap::default();
    let mut transactions: FxHashMap<i64, (u64, usize)> = FxHashMap::default();
    for (line, number) in source.lines().zip(1..) {
        let line = line.map_err(|source| HistoryError::Io { line: number, source })?;
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let (writes, key, value, session, transaction) =
            parse(line).map_err(|reason| HistoryError::at(number, reason))?;
        let place = *places.entry(session).or_insert_with(|| {
            sessions.push(Vec::new());
            sessions.len() - 1
        });
        let (key, value) = (Value::from(key), Value::from(value));
        let access = if writes { Access::Write { key, value } } else { Access::Read { key, value } };
        if transaction == ABORTED {
            if writes {
                sessions[place].push(Transaction { kind: Kind::Fail, accesses: vec![access] });
            }
            continue;
        }
        let (owner, at) = *transactions.entry(transaction).or_insert_with(|| {
            sessions[place].push(Transaction { kind: Kind::Ok, accesses: Vec::new() });
            (session, sessions[place].len() - 1)
        });
        if owner != session {
            let reason = format!("transaction {transaction} is of session {owner} and of session {session}");
            return Err(HistoryError::at(number, reason));
        }
        sessions[place][at].accesses.push(access);
    }
    read_as_nothing(&mut sessions, &Value::from(0));
    Ok(sessions)
}

fn parse(line: &str) -> Result<Line, String> {
    let wrong = || format!("`{}` is no access `r(key,value,session,transaction)`", short(line));
    let (verb, rest) = line.split_at_checked(1).ok_or_else(wrong)?;
    let inner = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).ok_or_else(wrong)?;
    let parts: Vec<&str> = inner.split(',').map(str::trim).collect();
    let [key, value, session, transaction] = parts.as_slice() else { return Err(wrong()) };
    let count = |text: &str| text.parse::<u64>().map_err(|_| format!("`{}` is no number", short(text)));
    let transaction = match transaction.parse::<i64>() {
        Ok(number) if number >= ABORTED => number,
        _ => return Err(format!("`{}` is no transaction", short(transaction))),
    };
    let writes = match verb {
        "r" => false,
        "w" => true,
        _ => return Err(wrong()),
    };
    Ok((writes, count(key)?, count(value)?, count(session)?, transaction))
}

/// The beginning of a text, for a message.
fn short(text: &str) -> String {
    text.chars().take(60).collect()
}
