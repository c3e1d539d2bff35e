//! Jepsen's histories, in EDN or JSON.

use std::collections::BTreeMap;
use std::io::BufRead;

use rashomon_core::{History, HistoryError, Kind, Map, Op, Process, Time, Value};

use super::edn::{Edn, Reader};
use super::forms::Forms;
use crate::scan::Notation;

/// Whether values are pairs of a key and a value, as in Jepsen's `independent` tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keyed {
    /// Where they carry the tag; or, where none does, when every read is invoked with a pair of something and nil.
    #[default]
    Detect,
    /// They are.
    Yes,
    /// They are not.
    No,
}

/// The tag of Jepsen's pairs of key and value.
pub(super) const TUPLE: &str = "jepsen.independent/tuple";

/// The most fields beyond an op's own that are told apart.
const MOST_BEYOND: usize = 64;

/// A history as read, and what was noticed on the way.
pub(super) struct Taken {
    pub(super) history: History,
    /// Whether values were taken as pairs of a key and a value.
    pub(super) pairs: bool,
    /// Whether any op names its process.
    pub(super) processes: bool,
    /// The fields that an op has no place for, and how many ops had each.
    pub(super) beyond: BTreeMap<String, u64>,
}

/// Reads a sequence of maps, or maps one after another.
pub(super) fn read(source: impl BufRead, notation: Notation, keyed: Keyed) -> Result<Taken, HistoryError> {
    let mut forms = Forms::new(source);
    let mut fields = Fields::new(notation);
    let mut ops: Vec<Op> = Vec::new();
    let mut tagged = Vec::new();
    let mut lines = Vec::new();
    let mut last_index = None;
    while let Some((line, form)) = forms.next_form()? {
        let Some((map, tag)) = map(form, line, notation)? else { continue };
        let (op, index) = fields.op(map, ops.len()).map_err(|reason| HistoryError::at(line, reason))?;
        if index.is_some() && index <= last_index {
            return Err(HistoryError::at(line, not_above(notation)));
        }
        last_index = index.or(last_index);
        ops.push(op);
        tagged.push(tag);
        lines.push(line);
    }
    let pairs = match keyed {
        Keyed::Yes => true,
        Keyed::No => false,
        // Who tags pairs tags all of them.
        Keyed::Detect => !tagged.contains(&true) && all_reads_are_pairs(&ops),
    };
    let any = keyed != Keyed::No && part(&mut ops, &tagged, pairs);
    let history = History::with_lines(ops, &lines)?;
    Ok(Taken { history, pairs: any, processes: fields.processes, beyond: fields.beyond })
}

pub(super) fn not_above(notation: Notation) -> String {
    format!("its {}index is not above the one before: ops must come in order", notation.colon())
}

/// Tells keys from values; answers whether there was any key.
fn part(ops: &mut [Op], tagged: &[bool], pairs: bool) -> bool {
    let mut open: BTreeMap<Process, Option<String>> = BTreeMap::new();
    let mut any = false;
    for (op, tagged) in ops.iter_mut().zip(tagged.iter().copied()) {
        if op.process == Process::Nemesis {
            continue;
        }
        let invoked = if op.kind == Kind::Invoke { None } else { open.remove(&op.process).flatten() };
        if let Value::Array(both) = &mut op.value
            && let [key, value] = both.as_mut_slice()
            && (pairs || tagged)
        {
            let key = text_of(key);
            // Some tools answer with a bare value where they were asked with a pair.
            if op.kind == Kind::Invoke || tagged || invoked.as_deref() == Some(&key) {
                (op.key, op.value) = (Some(key), value.take());
                any = true;
            }
        }
        if op.key.is_none() {
            op.key = invoked;
        }
        if op.kind == Kind::Invoke {
            open.insert(op.process, op.key.clone());
        }
    }
    any
}

fn all_reads_are_pairs(ops: &[Op]) -> bool {
    let read = |op: &&Op| op.kind == Kind::Invoke && op.f == "read" && op.process != Process::Nemesis;
    let mut reads = ops.iter().filter(read).peekable();
    let pair = |op: &Op| matches!(op.value.as_array().map(Vec::as_slice), Some([_, Value::Null]));
    reads.peek().is_some() && reads.all(pair)
}

/// The fields of an op, and whether its value says that it has a key.
pub(super) type Described = (Map<String, Value>, bool);

/// What a text says of an op; `None` where the text is to be ignored.
pub(super) fn map(form: &str, line: usize, notation: Notation) -> Result<Option<Described>, HistoryError> {
    match notation {
        Notation::Edn => {
            let wrong = |error: super::EdnError| HistoryError::at(error.line, error.reason);
            match Reader::new(form, line).next_value().map_err(wrong)? {
                None => Ok(None),
                // Newer histories write records, `#jepsen.history.Op{...}`.
                Some((_, Edn::Tagged(_, inner))) => Ok(Some(of_edn(*inner, line)?)),
                Some((_, form)) => Ok(Some(of_edn(form, line)?)),
            }
        }
        Notation::Json => match serde_json::from_str(form) {
            Ok(Value::Object(map)) => Ok(Some((map, false))),
            Ok(_) => Err(HistoryError::at(line, "an op is an object")),
            Err(error) => Err(HistoryError::at(line + error.line() - 1, reason_of(&error))),
        },
    }
}

/// What is wrong with the JSON, without the place within the op, which says nothing about the file.
fn reason_of(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(reason, _)| reason.to_owned())
}

fn of_edn(form: Edn, line: usize) -> Result<Described, HistoryError> {
    let Edn::Map(entries) = form else { return Err(HistoryError::at(line, "an op is a map")) };
    let mut map = Map::new();
    let mut tagged = false;
    for (key, value) in entries {
        let Edn::Keyword(key) = key else { continue };
        tagged |= key == "value" && matches!(&value, Edn::Tagged(tag, _) if tag == TUPLE);
        map.entry(key).or_insert_with(|| value.into_json());
    }
    Ok((map, tagged))
}

impl Notation {
    /// What stands before a name in messages, so that they read as the file does.
    fn colon(self) -> &'static str {
        match self {
            Notation::Edn => ":",
            Notation::Json => "",
        }
    }
}

/// Makes ops of fields.
pub(super) struct Fields {
    notation: Notation,
    processes: bool,
    /// What the open ops that name no process were asked.
    anonymous: Vec<Option<(String, Value)>>,
    beyond: BTreeMap<String, u64>,
}

impl Fields {
    pub(super) fn new(notation: Notation) -> Fields {
        Fields { notation, processes: false, anonymous: Vec::new(), beyond: BTreeMap::new() }
    }

    /// The same behind ops of which some named a process, or none.
    pub(super) fn knowing(self, processes: bool) -> Fields {
        Fields { processes, ..self }
    }

    /// Notes that an op which was read in another way names its process.
    pub(super) fn named(&mut self) {
        self.processes = true;
    }

    /// Whether any op named its process, where no more needs to be known of those before.
    pub(super) fn known(&self) -> Option<bool> {
        self.anonymous.is_empty().then_some(self.processes)
    }

    /// The op that a map describes, and its index if it has one.
    pub(super) fn op(
        &mut self,
        mut map: Map<String, Value>,
        position: usize,
    ) -> Result<(Op, Option<u64>), String> {
        let colon = self.notation.colon();
        let value = map.remove("value").unwrap_or_default();
        let process = map.remove("process");
        self.processes |= process.is_some();
        let anonymous = process.is_none() && !is_transaction(&value);
        let process = match process {
            Some(Value::String(name)) if name == "nemesis" => Process::Nemesis,
            Some(other) => match other.as_u64() {
                Some(number) => Process::Client(number),
                None => return Err(format!("{colon}process {other} is no process")),
            },
            // Histories written by hand for Elle leave out what all their ops share.
            None if is_transaction(&value) => Process::Client(0),
            None if self.processes => return Err(format!("the op has no {colon}process")),
            // It is found out when it is known what the op does.
            None => Process::Nemesis,
        };
        let kind = match map.remove("type") {
            Some(Value::String(name)) => match name.as_str() {
                "invoke" => Kind::Invoke,
                "ok" => Kind::Ok,
                "fail" => Kind::Fail,
                "info" => Kind::Info,
                other => return Err(self.no_type(&format!("{colon}{other}"))),
            },
            Some(other) => return Err(self.no_type(&other.to_string())),
            None => return Err(format!("the op has no {colon}type")),
        };
        let f = match map.remove("f") {
            Some(Value::String(name)) => name,
            // Jepsen's own log lines by the nemesis may lack it.
            Some(Value::Null) | None if process == Process::Nemesis && !anonymous => "nil".to_owned(),
            None if is_transaction(&value) => "txn".to_owned(),
            Some(other) => return Err(format!("{colon}f {other} is no name")),
            None => return Err(format!("the op has no {colon}f")),
        };
        let mut number = |name: &str| match map.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(other) => match other.as_u64() {
                Some(number) => Ok(Some(number)),
                None => Err(format!("{colon}{name} {other} is not a count")),
            },
        };
        let (time, index) = (number("time")?, number("index")?);
        let mut text =
            |name: &str| map.remove(name).filter(|value| !value.is_null()).map(|value| text_of(&value));
        let (key, error, node) = (text("key"), text("error"), text("node"));
        let process = if anonymous { self.process_of(kind, &f, &value)? } else { process };
        let value = super::beside::fold(value, kind, &f, &mut map);
        for (name, _) in map {
            if self.beyond.len() < MOST_BEYOND || self.beyond.contains_key(&name) {
                *self.beyond.entry(name).or_default() += 1;
            }
        }
        let time = Time(time.unwrap_or(position as u64));
        Ok((Op { index: position as u64, time, kind, process, f, value, key, error, node }, index))
    }

    /// The process of an op that does not name it, in a history where none does: that of the first open op which it
    /// completes, or a free one.
    fn process_of(&mut self, kind: Kind, f: &str, value: &Value) -> Result<Process, String> {
        let place = if kind == Kind::Invoke {
            let free = self.anonymous.iter().position(Option::is_none).unwrap_or(self.anonymous.len());
            if free == self.anonymous.len() {
                self.anonymous.push(None);
            }
            self.anonymous[free] = Some((f.to_owned(), value.clone()));
            free
        } else {
            let begun = |open: &Option<(String, Value)>| {
                open.as_ref().is_some_and(|(other, asked)| other == f && (asked.is_null() || asked == value))
            };
            let place = self.anonymous.iter().position(begun);
            let place =
                place.ok_or_else(|| format!("no op is open that this {kind} `{f}` could complete"))?;
            self.anonymous[place] = None;
            place
        };
        Ok(Process::Client(place as u64))
    }

    fn no_type(&self, found: &str) -> String {
        let colon = self.notation.colon();
        format!("{colon}type {found} is none of {colon}invoke, {colon}ok, {colon}fail, {colon}info")
    }
}

pub(super) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Whether the value of an op is a list of micro-ops, such as `[[:append 1 2] [:r 3 nil]]`.
fn is_transaction(value: &Value) -> bool {
    let micro_op = |value: &Value| match value {
        Value::Array(parts) => parts.len() == 3 && parts[0].is_string(),
        _ => false,
    };
    matches!(value, Value::Array(list) if !list.is_empty() && list.iter().all(micro_op))
}
