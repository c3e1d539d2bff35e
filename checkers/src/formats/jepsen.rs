//! Jepsen's histories, in EDN.

use std::collections::BTreeMap;
use std::fmt::Write;

use rashomon_core::{History, HistoryError, Kind, Op, Process, Time, Value};

use super::edn::{Edn, Reader};

/// Whether values are pairs of a key and a value, as in Jepsen's `independent` tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keyed {
    /// Where they carry the tag, and where every read is invoked with a pair of something and nil.
    #[default]
    Detect,
    /// They are.
    Yes,
    /// They are not.
    No,
}

/// The tag of Jepsen's pairs of key and value.
const TUPLE: &str = "jepsen.independent/tuple";

/// An op as read, before its key is told from its value.
struct Raw {
    op: Op,
    /// The value in two parts, when it is a pair, and whether it says so itself.
    pair: Option<(Value, Value)>,
    tagged: bool,
}

/// Reads a sequence of maps, or maps one after another. Also answers whether values were taken as pairs.
pub(super) fn read(text: &str, keyed: Keyed) -> Result<(History, bool), HistoryError> {
    let wrong = |error: super::EdnError| HistoryError::at(error.line, error.reason);
    let mut reader = Reader::new(text, 1);
    let inside = reader.enter_sequence().map_err(wrong)?;
    let mut raws = Vec::new();
    let mut lines = Vec::new();
    let mut last_index = None;
    while let Some((line, form)) = reader.next_value(inside).map_err(wrong)? {
        let (raw, index) = raw(&form, raws.len()).map_err(|reason| HistoryError::at(line, reason))?;
        if index.is_some() && index <= last_index {
            let reason = "its :index is not above the one before: ops must come in order";
            return Err(HistoryError::at(line, reason));
        }
        last_index = index.or(last_index);
        raws.push(raw);
        lines.push(line);
    }
    if inside && let Some((line, _)) = reader.next_value(false).map_err(wrong)? {
        return Err(HistoryError::at(line, "something follows the sequence of ops"));
    }
    let pairs = match keyed {
        Keyed::Yes => true,
        Keyed::No => false,
        Keyed::Detect => all_reads_are_pairs(&raws),
    };
    let mut open: BTreeMap<Process, Option<String>> = BTreeMap::new();
    let mut any = false;
    let mut ops = Vec::with_capacity(raws.len());
    for Raw { mut op, pair, tagged } in raws {
        let client = op.process != Process::Nemesis;
        let invoked = open.get(&op.process).cloned().flatten();
        if client && keyed != Keyed::No {
            if let Some((key, value)) = pair.filter(|_| pairs || tagged) {
                let key = text_of(&key);
                // Some tools answer with a bare value where they were asked with a pair.
                if op.kind == Kind::Invoke || tagged || invoked.as_deref() == Some(&key) {
                    (op.key, op.value) = (Some(key), value);
                    any = true;
                }
            }
            if op.key.is_none() && op.kind != Kind::Invoke {
                op.key = invoked;
            }
        }
        if op.kind == Kind::Invoke {
            open.insert(op.process, op.key.clone());
        }
        ops.push(op);
    }
    Ok((History::with_lines(ops, &lines)?, any))
}

fn all_reads_are_pairs(raws: &[Raw]) -> bool {
    let mut reads = raws
        .iter()
        .filter(|raw| raw.op.kind == Kind::Invoke && raw.op.f == "read" && raw.op.process != Process::Nemesis)
        .peekable();
    reads.peek().is_some() && reads.all(|raw| matches!(&raw.pair, Some((_, Value::Null))))
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Whether the value of an op is a list of micro-ops, such as `[[:append 1 2] [:r 3 nil]]`.
fn is_transaction(form: &Edn) -> bool {
    let micro_op = |value: &Edn| match value {
        Edn::Sequence(parts) => parts.len() == 3 && matches!(parts[0], Edn::Keyword(_)),
        _ => false,
    };
    matches!(form.get("value"), Some(Edn::Sequence(list)) if !list.is_empty() && list.iter().all(micro_op))
}

/// The op that a map describes, and its index if it has one.
fn raw(form: &Edn, position: usize) -> Result<(Raw, Option<u64>), String> {
    // Newer histories write records, `#jepsen.history.Op{...}`.
    let form = match form {
        Edn::Tagged(_, inner) => inner,
        other => other,
    };
    if !matches!(form, Edn::Map(_)) {
        return Err("an op is a map".to_owned());
    }
    let process = match form.get("process") {
        Some(Edn::Keyword(name) | Edn::Text(name)) if name == "nemesis" => Process::Nemesis,
        Some(Edn::Number(number)) => match number.as_u64() {
            Some(number) => Process::Client(number),
            None => return Err(format!(":process {number} is no process")),
        },
        Some(other) => return Err(format!(":process {} is no process", other.to_json())),
        // Histories written by hand for Elle leave out what all their ops share.
        None if is_transaction(form) => Process::Client(0),
        None => return Err("the op has no :process".to_owned()),
    };
    let kind = match form.get("type") {
        Some(Edn::Keyword(name) | Edn::Text(name)) => match name.as_str() {
            "invoke" => Kind::Invoke,
            "ok" => Kind::Ok,
            "fail" => Kind::Fail,
            "info" => Kind::Info,
            other => return Err(format!(":type :{other} is none of :invoke, :ok, :fail, :info")),
        },
        Some(other) => {
            return Err(format!(":type {} is none of :invoke, :ok, :fail, :info", other.to_json()));
        }
        None => return Err("the op has no :type".to_owned()),
    };
    let f = match form.get("f") {
        Some(Edn::Keyword(name) | Edn::Text(name) | Edn::Symbol(name)) => name.clone(),
        // Jepsen's own log lines by the nemesis may lack it.
        Some(Edn::Nil) | None if process == Process::Nemesis => "nil".to_owned(),
        None if is_transaction(form) => "txn".to_owned(),
        Some(other) => return Err(format!(":f {} is no name", other.to_json())),
        None => return Err("the op has no :f".to_owned()),
    };
    let number = |name: &str| match form.get(name) {
        None | Some(Edn::Nil) => Ok(None),
        Some(Edn::Number(number)) => match number.as_u64() {
            Some(number) => Ok(Some(number)),
            None => Err(format!(":{name} {number} is not a count")),
        },
        Some(other) => Err(format!(":{name} {} is not a count", other.to_json())),
    };
    let value = form.get("value").unwrap_or(&Edn::Nil);
    let tagged = matches!(value, Edn::Tagged(tag, _) if tag == TUPLE);
    let json = value.to_json();
    let pair = match &json {
        Value::Array(both) => match both.as_slice() {
            [key, value] => Some((key.clone(), value.clone())),
            _ => None,
        },
        _ => None,
    };
    let text = |name: &str| {
        form.get(name).filter(|value| **value != Edn::Nil).map(|value| text_of(&value.to_json()))
    };
    let op = Op {
        index: position as u64,
        time: Time(number("time")?.unwrap_or(position as u64)),
        kind,
        process,
        f,
        value: json,
        key: text("key"),
        error: text("error"),
        node: text("node"),
    };
    Ok((Raw { op, pair, tagged }, number("index")?))
}

/// The history in Jepsen's EDN, one op a line; keys become tuples.
pub fn write_edn(history: &History) -> String {
    let mut text = String::new();
    for op in history.ops() {
        let process = match op.process {
            Process::Client(number) => number.to_string(),
            Process::Nemesis => ":nemesis".to_owned(),
        };
        let mut value = edn_of(&op.value);
        if let Some(key) = &op.key {
            value = format!("#{TUPLE} [{} {value}]", Value::String(key.clone()));
        }
        let f = &op.f;
        let simple = |next: char| next.is_ascii_alphanumeric() || "-_.?!*+<>=".contains(next);
        let f = if f.chars().all(simple) && f.chars().next().is_some_and(char::is_alphabetic) {
            format!(":{f}")
        } else {
            edn_of(&Value::String(f.clone()))
        };
        let mut rest = String::new();
        for (name, extra) in [("error", &op.error), ("node", &op.node)] {
            if let Some(extra) = extra {
                rest = format!("{rest}, :{name} {}", edn_of(&Value::String(extra.clone())));
            }
        }
        let (index, time, kind) = (op.index, op.time.0, op.kind);
        writeln!(
            text,
            "{{:index {index}, :time {time}, :type :{kind}, :process {process}, :f {f}, :value {value}{rest}}}"
        )
        .expect("a string takes everything");
    }
    text
}

fn edn_of(value: &Value) -> String {
    match value {
        Value::Null => "nil".to_owned(),
        Value::Bool(yes) => yes.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => {
            let mut quoted = String::from('"');
            for next in text.chars() {
                match next {
                    '"' => quoted.push_str("\\\""),
                    '\\' => quoted.push_str("\\\\"),
                    '\n' => quoted.push_str("\\n"),
                    other => quoted.push(other),
                }
            }
            quoted + "\""
        }
        Value::Array(list) => {
            let list: Vec<String> = list.iter().map(edn_of).collect();
            format!("[{}]", list.join(" "))
        }
        Value::Object(map) => {
            let entries: Vec<String> = map
                .iter()
                .map(|(key, value)| format!("{} {}", edn_of(&Value::String(key.clone())), edn_of(value)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}
