//! The log of a Jepsen test of etcd, as Porcupine's test data has it.

use std::io::{BufRead, Read};

use rashomon_core::{History, HistoryError, Kind, Op, Process, Time, Value};

use super::edn::{Edn, Reader};

/// The longest line that is taken: a longer one holds no op.
const LONGEST_LINE: u64 = 1 << 20;

/// What the lines that hold ops begin with.
pub(super) const MARK: &str = "jepsen.util";

/// Reads the lines `INFO  jepsen.util - process :type :f value`; other lines of the log are passed over. Also
/// answers how many those were.
///
/// In these logs a cas that failed is known to have found another value, so it becomes an answer: `false`.
pub(super) fn read(mut source: impl BufRead) -> Result<(History, usize), HistoryError> {
    let mut ops = Vec::new();
    let mut lines = Vec::new();
    let mut passed = 0;
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let read = source.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line);
        match read.map_err(|source| HistoryError::Io { line: number, source })? as u64 {
            0 => break,
            LONGEST_LINE if line.last() != Some(&b'\n') => {
                return Err(HistoryError::at(number, format!("a line of more than {LONGEST_LINE} bytes")));
            }
            _ => {}
        }
        let line = std::str::from_utf8(&line).map_err(|_| HistoryError::at(number, "not UTF-8 text"))?;
        let Some((_, rest)) = line.split_once(MARK) else {
            passed += usize::from(!line.trim().is_empty());
            continue;
        };
        let op = op(rest, number, ops.len()).map_err(|reason| HistoryError::at(number, reason))?;
        ops.push(op);
        lines.push(number);
    }
    if ops.is_empty() {
        return Err(HistoryError::at(1, "no line of this log holds an op"));
    }
    Ok((History::with_lines(ops, &lines)?, passed))
}

fn op(rest: &str, line: usize, position: usize) -> Result<Op, String> {
    let rest = rest.trim_start().strip_prefix('-').ok_or("the op does not follow a dash")?;
    let mut reader = Reader::new(rest, line);
    let mut next = |what: &str| match reader.next_value() {
        Ok(Some((_, value))) => Ok(value),
        Ok(None) => Err(format!("the op has no {what}")),
        Err(error) => Err(error.reason),
    };
    let process = match next("process")? {
        Edn::Number(number) if number.is_u64() => Process::Client(number.as_u64().unwrap_or_default()),
        Edn::Keyword(name) if name == "nemesis" => Process::Nemesis,
        other => return Err(format!("{} is no process", other.to_json())),
    };
    let kind = match next("type")? {
        Edn::Keyword(name) if name == "invoke" => Kind::Invoke,
        Edn::Keyword(name) if name == "ok" => Kind::Ok,
        Edn::Keyword(name) if name == "fail" => Kind::Fail,
        Edn::Keyword(name) if name == "info" => Kind::Info,
        other => return Err(format!("{} is no type of op", other.to_json())),
    };
    let f = match next("f")? {
        Edn::Keyword(name) => name,
        other => return Err(format!("{} is no name of an op", other.to_json())),
    };
    let value = next("value")?;
    let (kind, value, error) = match (kind, f.as_str(), value) {
        (Kind::Fail, "cas", _) => (Kind::Ok, Value::Bool(false), None),
        (Kind::Info | Kind::Fail, _, Edn::Keyword(reason)) => (kind, Value::Null, Some(reason)),
        (kind, _, value) => (kind, value.to_json(), None),
    };
    Ok(Op {
        index: position as u64,
        time: Time(position as u64),
        kind,
        process,
        f,
        value,
        key: None,
        error,
        node: None,
    })
}
