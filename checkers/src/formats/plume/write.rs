//! A history of transactions over registers as Plume's text.

use std::io::{self, Write};

use rashomon_core::{Kind, Op, Value};
use rustc_hash::FxHashSet;

use super::ABORTED;
use crate::formats::recording::Recording;

/// A micro-op in numbers; a read of nothing has no value.
struct Access {
    writes: bool,
    key: u64,
    value: Option<u64>,
}

/// Writes a history in this format, and answers what it cannot say. An error of kind [`InvalidData`](io::ErrorKind) names
/// an op that has no words in it.
///
/// A transaction that may have happened stands there when somebody read what it wrote, and then without its reads, which
/// claim nothing; otherwise it is left out.
pub(in crate::formats) fn write(recording: &Recording, sink: &mut impl Write) -> io::Result<Vec<String>> {
    let mut read = FxHashSet::default();
    for pair in recording.history.pairs().filter(|pair| pair.outcome() == Kind::Ok) {
        let accesses = accesses(pair.completion.unwrap_or(pair.invoke))?;
        read.extend(accesses.iter().filter(|one| !one.writes).filter_map(|one| Some((one.key, one.value?))));
    }
    let (mut transaction, mut left_out, mut happened) = (0_i64, 0_u64, 0_u64);
    for pair in recording.history.pairs() {
        let told = pair.completion.filter(|op| op.kind == Kind::Ok).unwrap_or(pair.invoke);
        let accesses = accesses(told)?;
        let session = pair.invoke.process;
        let mut line = |access: &Access, transaction: i64| {
            let (verb, key) = (if access.writes { 'w' } else { 'r' }, access.key);
            writeln!(sink, "{verb}({key},{},{session},{transaction})", access.value.unwrap_or(0))
        };
        let mut writes = accesses.iter().filter(|access| access.writes).peekable();
        match pair.outcome() {
            Kind::Ok => accesses.iter().try_for_each(|access| line(access, transaction))?,
            Kind::Fail => {
                writes.try_for_each(|access| line(access, ABORTED))?;
                continue;
            }
            Kind::Invoke | Kind::Info => {
                let seen =
                    |access: &Access| access.value.is_some_and(|value| read.contains(&(access.key, value)));
                if !writes.clone().any(seen) {
                    left_out += 1;
                    continue;
                }
                happened += 1;
                writes.try_for_each(|access| line(access, transaction))?;
            }
        }
        transaction += 1;
    }
    let note = |count: u64, what: &str| (count > 0).then(|| format!("{count} {what}"));
    let mut notes =
        vec!["left out: real time, of which Plume's text knows the order of each session only".to_owned()];
    notes.extend(note(
        happened,
        "transactions of unknown outcome were written as committed, for somebody read what they wrote",
    ));
    notes.extend(note(
        left_out,
        "transactions of unknown outcome were left out, for nobody read what they wrote",
    ));
    Ok(notes)
}

fn accesses(op: &Op) -> io::Result<Vec<Access>> {
    if op.key.is_some() {
        return Err(wrong(op, "it has a key of its own"));
    }
    let micro_ops = op.value.as_array().ok_or_else(|| wrong(op, "it is no transaction over registers"))?;
    micro_ops.iter().map(|micro_op| access(micro_op).map_err(|reason| wrong(op, &reason))).collect()
}

fn access(micro_op: &Value) -> Result<Access, String> {
    let Some([verb, key, value]) = micro_op.as_array().map(Vec::as_slice) else {
        return Err(format!("{micro_op} is no micro-op `[f, key, value]`"));
    };
    let number = |value: &Value| value.as_u64().ok_or_else(|| format!("{value} is no number from 0 up"));
    let key = number(key)?;
    match verb.as_str() {
        Some("r") if value.is_null() => Ok(Access { writes: false, key, value: None }),
        Some("r" | "w") if value == &Value::from(0) => {
            Err("0 stands for what was there before the first write".to_owned())
        }
        Some("r") => Ok(Access { writes: false, key, value: Some(number(value)?) }),
        Some("w") => Ok(Access { writes: true, key, value: Some(number(value)?) }),
        _ => Err(format!("{verb} is none of the micro-ops w and r")),
    }
}

fn wrong(op: &Op, reason: &str) -> io::Error {
    let reason = format!("op {} has no words in Plume's text: {reason}", op.index);
    io::Error::new(io::ErrorKind::InvalidData, reason)
}
