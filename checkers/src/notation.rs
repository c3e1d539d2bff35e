//! Histories written by hand, for tests and examples.
//!
//! One event a line: `process type f [value] [key=k] [node=n]`, where the type is `invoke`, `ok`, `fail` or
//! `info` and the value is JSON without spaces. Blank lines and what follows `#` do not count. Events are 1 ms
//! apart.
//!
//! ```text
//! 0 invoke write 1
//! 1 invoke read          # concurrent
//! 0 ok     write 1
//! 1 ok     read  1
//! ```

use std::time::Duration;

use rashomon_core::{History, HistoryError, Kind, Op, Process, Time, Value};

/// The history that the text describes. The error names the line.
pub fn parse(text: &str) -> Result<History, HistoryError> {
    let mut ops = Vec::new();
    let mut lines = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        let Some(process) = words.next() else { continue };
        let wrong = |reason: String| HistoryError::at(number, reason);
        let process = match process {
            "nemesis" => Process::Nemesis,
            other => Process::Client(other.parse().map_err(|_| wrong(format!("`{other}` is no process")))?),
        };
        let kind = match words.next() {
            Some("invoke") => Kind::Invoke,
            Some("ok") => Kind::Ok,
            Some("fail") => Kind::Fail,
            Some("info") => Kind::Info,
            other => return Err(wrong(format!("`{}` is no type of event", other.unwrap_or_default()))),
        };
        let f = words.next().ok_or_else(|| wrong("the event lacks its f".to_owned()))?.to_owned();
        let mut op = Op {
            index: ops.len() as u64,
            time: Time::ZERO + Duration::from_millis(ops.len() as u64),
            kind,
            process,
            f,
            value: Value::Null,
            key: None,
            error: None,
            node: None,
        };
        for word in words {
            match word.split_once('=') {
                Some(("key", key)) => op.key = Some(key.to_owned()),
                Some(("node", node)) => op.node = Some(node.to_owned()),
                _ => {
                    op.value =
                        serde_json::from_str(word).map_err(|error| wrong(format!("`{word}`: {error}")))?;
                }
            }
        }
        ops.push(op);
        lines.push(number);
    }
    History::with_lines(ops, &lines)
}

/// The history that the text describes, which is known to be right.
///
/// # Panics
///
/// When it is not.
pub fn history(text: &str) -> History {
    match parse(text) {
        Ok(history) => history,
        Err(error) => panic!("{error}, in:\n{text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{history, parse};

    #[test]
    fn a_line_is_an_event() {
        let history = history("# a comment\n0 invoke cas [1,2] key=x node=n2\n\n0 ok cas [1,2] key=x # done");
        let pair = history.pairs().next().unwrap();
        assert_eq!(pair.invoke.value, serde_json::json!([1, 2]));
        assert_eq!(pair.invoke.key.as_deref(), Some("x"));
        assert_eq!(pair.invoke.node.as_deref(), Some("n2"));
        assert!(pair.completion.is_some());
    }

    #[test]
    fn errors_name_the_line() {
        for (text, expected) in [
            ("\n0 begin read", "line 2: `begin` is no type of event"),
            ("x invoke read", "line 1: `x` is no process"),
            ("0 invoke", "line 1: the event lacks its f"),
            ("0 invoke write {", "line 1: `{`: EOF"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
