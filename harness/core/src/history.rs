//! Recorded histories: the file format and the pairing of invocations with completions.
//!
//! A history file is JSON lines. The first line is the header, [`HEADER`]; every other line is an [`Op`]. The
//! file is written as the run goes, so a run that was killed leaves a prefix, perhaps with a torn last line:
//! [`History::read`] keeps the prefix and says so in [`History::torn`].

use std::collections::BTreeMap;
use std::io::BufRead;

use thiserror::Error;

use crate::{Kind, Op, Process};

/// The first line of every history file.
pub const HEADER: &str = r#"{"rashomon":"history","version":1}"#;

/// The longest line that is read: an op is small, and a longer line is not one.
const LONGEST_LINE: u64 = 16 << 20;

/// Why a history cannot be read.
#[derive(Debug, Error)]
pub enum HistoryError {
    /// The text is not what the format says.
    #[error("line {line}: {reason}")]
    Malformed {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The source failed.
    #[error("line {line}: {source}")]
    Io {
        /// Counted from 1.
        line: usize,
        /// The failure.
        source: std::io::Error,
    },
}

impl HistoryError {
    /// The text of line `line`, counted from 1, is wrong for `reason`.
    pub fn at(line: usize, reason: impl Into<String>) -> HistoryError {
        HistoryError::Malformed { line, reason: reason.into() }
    }
}

/// A history whose ops pair up: the input of every checker.
///
/// Holds: indices are dense from 0, unless it is an [`excerpt`](History::excerpt); a process has at most one op open at a time; each completion follows an
/// invocation of the same process and `f`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    ops: Vec<Op>,
    /// For an invocation the position of its completion, and the other way round.
    partner: Vec<Option<u32>>,
    torn: bool,
}

/// One operation from end to end.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'a> {
    /// How it began.
    pub invoke: &'a Op,
    /// How it ended; `None` when the history ends first, which means the same as `info`.
    pub completion: Option<&'a Op>,
}

impl Pair<'_> {
    /// How it ended: `Ok`, `Fail` or `Info`.
    pub fn outcome(&self) -> Kind {
        self.completion.map_or(Kind::Info, |op| op.kind)
    }
}

impl History {
    /// A history from its ops, in order. Indices are assigned by position.
    ///
    /// Errors name the position of the op at fault, counted from 1.
    pub fn new(ops: Vec<Op>) -> Result<History, HistoryError> {
        let lines: Vec<usize> = (1..=ops.len()).collect();
        History::with_lines(ops, &lines)
    }

    /// Some of the operations of a history, with the indices that their ops have there, in that order.
    ///
    /// Errors name the position of the op at fault, counted from 1.
    pub fn excerpt(ops: Vec<Op>) -> Result<History, HistoryError> {
        if let Some(place) = ops.windows(2).position(|two| two[0].index >= two[1].index) {
            return Err(HistoryError::at(place + 2, "its index is not above the one before"));
        }
        let lines: Vec<usize> = (1..=ops.len()).collect();
        History::pair(&ops, &lines).map(|partner| History { ops, partner, torn: false })
    }

    /// A history from ops that stood on the given lines of a file, which errors then name.
    pub fn with_lines(mut ops: Vec<Op>, lines: &[usize]) -> Result<History, HistoryError> {
        for (op, index) in ops.iter_mut().zip(0..) {
            op.index = index;
        }
        History::pair(&ops, lines).map(|partner| History { ops, partner, torn: false })
    }

    fn pair(ops: &[Op], lines: &[usize]) -> Result<Vec<Option<u32>>, HistoryError> {
        let mut open: BTreeMap<Process, usize> = BTreeMap::new();
        let mut partner = vec![None; ops.len()];
        for position in 0..ops.len() {
            let op = &ops[position];
            let wrong = |reason: String| HistoryError::at(lines[position], reason);
            match (op.process, op.kind) {
                // The nemesis only ever informs; its ops stand for themselves.
                (Process::Nemesis, _) => {}
                (process, Kind::Invoke) => {
                    if open.insert(process, position).is_some() {
                        return Err(wrong(format!(
                            "process {process} invokes `{}` while its last op is open",
                            op.f
                        )));
                    }
                }
                (process, kind) => {
                    let Some(invoke) = open.remove(&process) else {
                        return Err(wrong(format!(
                            "process {process} completes `{}` ({kind}) without invoking it",
                            op.f
                        )));
                    };
                    if ops[invoke].f != op.f {
                        let begun = &ops[invoke].f;
                        return Err(wrong(format!(
                            "process {process} invoked `{begun}` and completes `{}`",
                            op.f
                        )));
                    }
                    partner[invoke] = Some(position as u32);
                    partner[position] = Some(invoke as u32);
                }
            }
        }
        Ok(partner)
    }

    /// Reads the JSON-lines format.
    ///
    /// An unterminated last line is what a killed run leaves: it is dropped, and [`History::torn`] says so.
    pub fn read(mut source: impl BufRead) -> Result<History, HistoryError> {
        let mut ops = Vec::new();
        let mut lines = Vec::new();
        let mut line = Vec::new();
        let mut torn = false;
        for number in 1.. {
            line.clear();
            let mut limited = std::io::Read::take(&mut source, LONGEST_LINE);
            let length = limited
                .read_until(b'\n', &mut line)
                .map_err(|source| HistoryError::Io { line: number, source })?;
            if length == 0 {
                if number == 1 {
                    return Err(HistoryError::at(1, "the file is empty; a history begins with its header"));
                }
                break;
            }
            if line.pop_if(|byte| *byte == b'\n').is_none() {
                if length as u64 == LONGEST_LINE {
                    return Err(HistoryError::at(
                        number,
                        format!("a line of more than {LONGEST_LINE} bytes"),
                    ));
                }
                torn = true;
                break;
            }
            if number == 1 {
                check_header(&line)?;
            } else if !line.iter().all(u8::is_ascii_whitespace) {
                let op: Op = serde_json::from_slice(&line)
                    .map_err(|error| HistoryError::at(number, error.to_string()))?;
                if op.index != ops.len() as u64 {
                    let reason =
                        format!("index {} where {} was due: indices are dense from 0", op.index, ops.len());
                    return Err(HistoryError::at(number, reason));
                }
                ops.push(op);
                lines.push(number);
            }
        }
        let mut history = History::with_lines(ops, &lines)?;
        history.torn = torn;
        Ok(history)
    }

    /// All ops in order; `ops()[i].index == i`, unless it is an [`excerpt`](History::excerpt).
    pub fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// The op with that index.
    pub fn op(&self, index: u64) -> Option<&Op> {
        self.position(index).map(|position| &self.ops[position])
    }

    fn position(&self, index: u64) -> Option<usize> {
        let dense = usize::try_from(index).ok()?;
        if self.ops.get(dense).is_some_and(|op| op.index == index) {
            return Some(dense);
        }
        self.ops.binary_search_by_key(&index, |op| op.index).ok()
    }

    /// Whether the file ended in the middle of a line.
    pub fn torn(&self) -> bool {
        self.torn
    }

    /// The client operations, in the order of their invocations.
    pub fn pairs(&self) -> impl Iterator<Item = Pair<'_>> {
        self.ops
            .iter()
            .filter(|op| op.kind == Kind::Invoke && op.process != Process::Nemesis)
            .map(|invoke| Pair { invoke, completion: self.partner_of(invoke) })
    }

    /// The completion of an invocation, or the invocation of a completion.
    pub fn partner_of(&self, op: &Op) -> Option<&Op> {
        self.partner[self.position(op.index)?].map(|position| &self.ops[position as usize])
    }
}

fn check_header(line: &[u8]) -> Result<(), HistoryError> {
    #[derive(serde::Deserialize)]
    struct Header {
        rashomon: String,
        version: u64,
    }
    let header: Header = serde_json::from_slice(line)
        .map_err(|_| HistoryError::at(1, format!("not the header of a history, which reads {HEADER}")))?;
    if header.rashomon != "history" {
        return Err(HistoryError::at(1, format!("this is a `{}` file, not a history", header.rashomon)));
    }
    if header.version != 1 {
        let reason =
            format!("version {} of the history format; this program reads version 1", header.version);
        return Err(HistoryError::at(1, reason));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &str) -> Result<History, String> {
        History::read(format!("{HEADER}\n{lines}").as_bytes()).map_err(|error| error.to_string())
    }

    const INVOKE: &str =
        r#"{"index":0,"time":5,"type":"invoke","process":0,"f":"read","value":null,"key":"x"}"#;
    const OK: &str = r#"{"index":1,"time":9,"type":"ok","process":0,"f":"read","value":3,"key":"x"}"#;

    #[test]
    fn ops_pair_up() {
        let history = read(&format!("{INVOKE}\n{OK}\n")).unwrap();
        let pair = history.pairs().next().unwrap();
        assert_eq!(pair.outcome(), Kind::Ok);
        assert_eq!(pair.completion.unwrap().value, 3);
        assert_eq!(history.partner_of(pair.completion.unwrap()).unwrap().index, 0);
    }

    #[test]
    fn an_excerpt_keeps_the_indices() {
        let lines = [INVOKE, OK].map(|line| serde_json::from_str::<Op>(line).unwrap());
        let [invoke, ok] = lines.map(|op| Op { index: op.index * 2 + 7, ..op });
        let history = History::excerpt(vec![invoke.clone(), ok.clone()]).unwrap();
        assert_eq!((history.op(7), history.op(9)), (Some(&invoke), Some(&ok)));
        assert_eq!((history.op(0), history.op(8)), (None, None));
        assert_eq!(history.partner_of(&ok), Some(&invoke));
        let error = History::excerpt(vec![ok, invoke]).unwrap_err().to_string();
        assert_eq!(error, "line 2: its index is not above the one before");
    }

    #[test]
    fn an_op_that_never_completes_is_info() {
        let history = read(&format!("{INVOKE}\n")).unwrap();
        assert_eq!(history.pairs().next().unwrap().outcome(), Kind::Info);
    }

    #[test]
    fn a_torn_last_line_is_dropped_and_said() {
        let history = read(&format!("{INVOKE}\n{}", &OK[..20])).unwrap();
        assert!(history.torn());
        assert_eq!(history.ops().len(), 1);
    }

    #[test]
    fn every_error_names_its_line() {
        let error = read(&format!("{INVOKE}\n{{\"index\":1}}\n")).unwrap_err();
        assert!(error.starts_with("line 3: missing field"), "{error}");
        let error = read(&format!("{OK}\n")).unwrap_err();
        assert!(error.starts_with("line 2: index 1 where 0 was due"), "{error}");
        let error = read(&format!("{}\n", OK.replace("\"index\":1", "\"index\":0"))).unwrap_err();
        assert!(error.contains("without invoking it"), "{error}");
        let error =
            read(&format!("{INVOKE}\n{}\n", INVOKE.replace("\"index\":0", "\"index\":1"))).unwrap_err();
        assert!(error.contains("while its last op is open"), "{error}");
        let error =
            read(&format!("{INVOKE}\n{}\n", OK.replace("\"f\":\"read\"", "\"f\":\"cas\""))).unwrap_err();
        assert!(error.contains("invoked `read` and completes `cas`"), "{error}");
    }

    #[test]
    fn unknown_versions_are_refused() {
        let text = format!("{}\n", HEADER.replace("\"version\":1", "\"version\":2"));
        let error = History::read(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(error, "line 1: version 2 of the history format; this program reads version 1");
    }

    #[test]
    fn numeric_keys_of_other_tools_are_text_here() {
        let history = read(&format!("{}\n", INVOKE.replace("\"x\"", "7"))).unwrap();
        assert_eq!(history.ops()[0].key.as_deref(), Some("7"));
    }
}
