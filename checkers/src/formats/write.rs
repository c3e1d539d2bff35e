//! Histories written for other tools, op by op.

use std::fmt::{self, Write as _};
use std::io::{self, Write};
use std::str::FromStr;

use rashomon_core::history::HEADER;
use rashomon_core::{History, Op, Process, Value};

use super::format::Format;
use super::jepsen::TUPLE;

/// A format that histories can be written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Target {
    /// Our own: JSON lines after a header.
    #[default]
    Jsonl,
    /// Jepsen's: one map a line.
    JepsenEdn,
}

impl Target {
    /// All of them.
    pub const ALL: [Target; 2] = [Target::Jsonl, Target::JepsenEdn];

    /// The format as one that can be read.
    pub fn format(self) -> Format {
        match self {
            Target::Jsonl => Format::Jsonl,
            Target::JepsenEdn => Format::JepsenEdn,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.format().fmt(f)
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(name: &str) -> Result<Target, String> {
        Target::ALL.into_iter().find(|target| target.format().name() == name).ok_or_else(|| {
            let names = Target::ALL.map(|target| target.format().name()).join(", ");
            format!("`{name}` is no format that can be written; these are {names}")
        })
    }
}

/// Writes a history that comes op by op, and keeps nothing of it.
#[derive(Debug)]
pub struct Writer<W> {
    sink: W,
    target: Target,
    text: String,
}

impl<W: Write> Writer<W> {
    /// A writer that has written what stands before the first op.
    pub fn new(mut sink: W, target: Target) -> io::Result<Writer<W>> {
        match target {
            Target::Jsonl => writeln!(sink, "{HEADER}")?,
            Target::JepsenEdn => {}
        }
        Ok(Writer { sink, target, text: String::new() })
    }

    /// Writes the next op, whose index must be one above that of the op before.
    pub fn op(&mut self, op: &Op) -> io::Result<()> {
        match self.target {
            Target::Jsonl => serde_json::to_writer(&mut self.sink, op)?,
            Target::JepsenEdn => {
                self.text.clear();
                edn(&mut self.text, op).map_err(io::Error::other)?;
                self.sink.write_all(self.text.as_bytes())?;
            }
        }
        self.sink.write_all(b"\n")
    }

    /// Writes what is still held back, and gives the sink back.
    pub fn finish(mut self) -> io::Result<W> {
        self.sink.flush()?;
        Ok(self.sink)
    }
}

/// The history in Jepsen's EDN, one op a line; keys become tuples.
pub fn write_edn(history: &History) -> String {
    let mut text = String::new();
    for op in history.ops() {
        edn(&mut text, op).expect("a string takes everything");
        text.push('\n');
    }
    text
}

fn edn(text: &mut String, op: &Op) -> fmt::Result {
    let (index, time, kind) = (op.index, op.time.0, op.kind);
    write!(text, "{{:index {index}, :time {time}, :type :{kind}, :process ")?;
    match op.process {
        Process::Client(number) => write!(text, "{number}")?,
        Process::Nemesis => text.push_str(":nemesis"),
    }
    text.push_str(", :f ");
    let simple = |next: char| next.is_ascii_alphanumeric() || "-_.?!*+<>=".contains(next);
    if op.f.chars().all(simple) && op.f.chars().next().is_some_and(char::is_alphabetic) {
        write!(text, ":{}", op.f)?;
    } else {
        quoted(text, &op.f);
    }
    text.push_str(", :value ");
    match &op.key {
        Some(key) => {
            write!(text, "#{TUPLE} [")?;
            quoted(text, key);
            text.push(' ');
            asked(text, &op.value)?;
            text.push(']');
        }
        None => asked(text, &op.value)?,
    }
    for (name, extra) in [("error", &op.error), ("node", &op.node)] {
        if let Some(extra) = extra {
            write!(text, ", :{name} ")?;
            quoted(text, extra);
        }
    }
    text.push('}');
    Ok(())
}

/// The value of an op. Elle knows the verbs of transactions as keywords only.
fn asked(text: &mut String, of: &Value) -> fmt::Result {
    let verb = |micro_op: &Value| match micro_op.as_array().map(Vec::as_slice) {
        Some([Value::String(verb), _, _]) => ["append", "r", "w"].contains(&verb.as_str()),
        _ => false,
    };
    let Some(micro_ops) = of.as_array().filter(|list| !list.is_empty() && list.iter().all(verb)) else {
        return value(text, of);
    };
    for (place, micro_op) in micro_ops.iter().enumerate() {
        text.push_str(if place > 0 { " [:" } else { "[[:" });
        text.push_str(micro_op[0].as_str().unwrap_or_default());
        for part in [&micro_op[1], &micro_op[2]] {
            text.push(' ');
            value(text, part)?;
        }
        text.push(']');
    }
    text.push(']');
    Ok(())
}

fn value(text: &mut String, of: &Value) -> fmt::Result {
    match of {
        Value::Null => text.push_str("nil"),
        Value::Bool(yes) => write!(text, "{yes}")?,
        Value::Number(number) => write!(text, "{number}")?,
        Value::String(content) => quoted(text, content),
        Value::Array(list) => {
            text.push('[');
            for (place, item) in list.iter().enumerate() {
                text.push_str(if place > 0 { " " } else { "" });
                value(text, item)?;
            }
            text.push(']');
        }
        Value::Object(map) => {
            text.push('{');
            for (place, (key, item)) in map.iter().enumerate() {
                text.push_str(if place > 0 { ", " } else { "" });
                quoted(text, key);
                text.push(' ');
                value(text, item)?;
            }
            text.push('}');
        }
    }
    Ok(())
}

fn quoted(text: &mut String, content: &str) {
    text.push('"');
    for next in content.chars() {
        match next {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            other => text.push(other),
        }
    }
    text.push('"');
}
