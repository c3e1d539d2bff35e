//! The text of one event in JSON or in EDN, read in one pass without a value in between.
//!
//! It knows the usual spelling of events and says nothing of any other, which then goes the general way: so it decides
//! nothing but speed.

use rashomon_core::{Kind, Op, Process, Time, Value};

/// How an event is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notation {
    /// As an object of JSON.
    Json,
    /// As a map of EDN.
    Edn,
}

/// Reads the text of an op of a client; `None` when it is anything unusual, and then `op` holds what it held before or
/// has read. Answers whether it names its index, and its time; without them those of `op` mean nothing.
pub(crate) fn op(text: &[u8], notation: Notation, op: &mut Op) -> Option<(bool, bool)> {
    let mut scan = Scan::new(text, notation);
    let (mut head, mut value) = (Head::default(), false);
    let (mut key, mut error, mut node) = (None, None, None);
    scan.open(b'{')?;
    let mut first = true;
    while !scan.close(b'}', first)? {
        first = false;
        match scan.name()? {
            name if head.take(name, &mut scan)? => {}
            b"key" if key.is_none() => key = Some(scan.word()?),
            b"error" if error.is_none() => error = Some(scan.word()?),
            b"node" if node.is_none() => node = Some(scan.word()?),
            b"value" if !value => {
                scan.value(&mut op.value, 0)?;
                value = true;
            }
            _ => return None,
        }
    }
    scan.is_over().then_some(())?;
    let Head { index, time, kind, process, f } = head;
    (op.kind, op.process) = (kind?, Process::Client(process?));
    (op.index, op.time) = (index.unwrap_or(0), Time(time.unwrap_or(0)));
    if !value {
        op.value = Value::Null;
    }
    if op.f != f? {
        op.f.clear();
        op.f.push_str(f?);
    }
    for (field, text) in [(&mut op.key, key), (&mut op.error, error), (&mut op.node, node)] {
        match text {
            Some(text) => {
                let field = field.get_or_insert_default();
                field.clear();
                field.push_str(text);
            }
            None => *field = None,
        }
    }
    Some((index.is_some(), time.is_some()))
}

/// Who says what, of an op whose text was not read any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Start {
    pub(crate) index: Option<u64>,
    pub(crate) kind: Kind,
    pub(crate) process: u64,
}

/// Reads the text of an op up to its value; `None` when kind and process do not stand before that, or it is anything
/// unusual.
pub(crate) fn start(text: &[u8], notation: Notation) -> Option<Start> {
    let mut scan = Scan::new(text, notation);
    let mut head = Head::default();
    scan.open(b'{')?;
    let mut first = true;
    while !scan.close(b'}', first)? {
        first = false;
        if let Head { index: Some(_), kind: Some(_), process: Some(_), .. } = head {
            break;
        }
        match scan.name()? {
            name if head.take(name, &mut scan)? => {}
            b"key" | b"error" | b"node" => drop(scan.word()?),
            _ => break,
        }
    }
    Some(Start { index: head.index, kind: head.kind?, process: head.process? })
}

/// The fields that tell who says what and when, of which each stands in an op once at most.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Head<'t> {
    pub(crate) index: Option<u64>,
    pub(crate) time: Option<u64>,
    pub(crate) kind: Option<Kind>,
    pub(crate) process: Option<u64>,
    pub(crate) f: Option<&'t str>,
}

impl<'t> Head<'t> {
    /// Reads the field of this name, if it is one of these and was not there before: the answer says whether.
    #[expect(
        clippy::inline_always,
        reason = "every field of every event passes here, and one more call for each can be measured"
    )]
    #[inline(always)]
    pub(crate) fn take(&mut self, name: &[u8], scan: &mut Scan<'t>) -> Option<bool> {
        match name {
            b"index" if self.index.is_none() => self.index = Some(scan.count()?),
            b"time" if self.time.is_none() => self.time = Some(scan.count()?),
            b"process" if self.process.is_none() => self.process = Some(scan.count()?),
            b"type" if self.kind.is_none() => self.kind = Some(scan.kind()?),
            b"f" if self.f.is_none() => self.f = Some(scan.word()?),
            _ => return Some(false),
        }
        Some(true)
    }
}

/// How deep values are read here.
const DEEPEST: usize = 4;

/// A place in a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scan<'t> {
    text: &'t [u8],
    at: usize,
    notation: Notation,
}

impl<'t> Scan<'t> {
    /// The beginning of a text.
    pub(crate) fn new(text: &'t [u8], notation: Notation) -> Scan<'t> {
        Scan { text, at: 0, notation }
    }

    /// Whether nothing but blanks is left.
    pub(crate) fn is_over(&mut self) -> bool {
        self.skip();
        self.at == self.text.len()
    }

    /// What is left.
    pub(crate) fn rest(&self) -> &'t [u8] {
        &self.text[self.at..]
    }

    /// Passes over so many bytes of what is left.
    pub(crate) fn advance(&mut self, length: usize) {
        self.at += length;
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Passes over blanks; in EDN commas are blanks.
    pub(crate) fn skip(&mut self) {
        let comma = self.notation == Notation::Edn;
        while let Some(b' ' | b'\t' | b'\r' | b'\n' | b',') = self.peek() {
            if self.peek() == Some(b',') && !comma {
                return;
            }
            self.at += 1;
        }
    }

    pub(crate) fn open(&mut self, bracket: u8) -> Option<()> {
        self.skip();
        self.pass(bracket)
    }

    pub(crate) fn pass(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// Whether a collection ends here; else it stands before its next element, past the comma that JSON needs.
    pub(crate) fn close(&mut self, bracket: u8, first: bool) -> Option<bool> {
        self.skip();
        if self.peek()? == bracket {
            self.at += 1;
            return Some(true);
        }
        if self.notation == Notation::Json && !first {
            self.pass(b',')?;
            self.skip();
            (self.peek()? != bracket).then_some(())?;
        }
        Some(false)
    }

    /// The name of a field, up to its value.
    pub(crate) fn name(&mut self) -> Option<&'t [u8]> {
        let name = match self.notation {
            Notation::Json => {
                let name = self.plain()?;
                self.skip();
                self.pass(b':')?;
                name
            }
            Notation::Edn => self.keyword()?,
        };
        self.skip();
        Some(name)
    }

    /// A text in quotes, without anything that is escaped.
    pub(crate) fn quoted(&mut self) -> Option<&'t str> {
        std::str::from_utf8(self.plain()?).ok()
    }

    /// The same, which may not be a text after all.
    fn plain(&mut self) -> Option<&'t [u8]> {
        self.pass(b'"')?;
        let rest = &self.text[self.at..];
        let length = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))?;
        (rest[length] == b'"').then_some(())?;
        self.at += length + 1;
        Some(&rest[..length])
    }

    fn keyword(&mut self) -> Option<&'t [u8]> {
        self.pass(b':')?;
        let rest = &self.text[self.at..];
        let ends = |byte: &u8| !(byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        let length = rest.iter().position(ends)?;
        (length > 0).then_some(())?;
        self.at += length;
        Some(&rest[..length])
    }

    /// A text, or in EDN a keyword.
    pub(crate) fn word(&mut self) -> Option<&'t str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    fn bytes(&mut self) -> Option<&'t [u8]> {
        if self.peek()? == b':' && self.notation == Notation::Edn { self.keyword() } else { self.plain() }
    }

    /// Passes over a text, or in EDN a keyword, if it is this one.
    pub(crate) fn is_word(&mut self, word: &str) -> bool {
        let Some(rest) = self.text.get(self.at + 1..).and_then(|rest| rest.strip_prefix(word.as_bytes()))
        else {
            return false;
        };
        let quoted = self.peek() == Some(b'"');
        let is_it = if quoted {
            rest.first() == Some(&b'"')
        } else {
            self.notation == Notation::Edn
                && self.peek() == Some(b':')
                && matches!(rest.first(), Some(b' ' | b','))
        };
        if is_it {
            self.at += 1 + word.len() + usize::from(quoted);
        }
        is_it
    }

    pub(crate) fn count(&mut self) -> Option<u64> {
        u64::try_from(self.integer()?).ok()
    }

    /// An integer that needs no more than 18 digits.
    pub(crate) fn integer(&mut self) -> Option<i64> {
        let negative = self.peek()? == b'-';
        let rest = self.text.get(self.at + usize::from(negative)..)?;
        let digits = rest.iter().take(19).take_while(|byte| byte.is_ascii_digit()).count();
        let plain = (1..=18).contains(&digits) && (digits == 1 || rest[0] != b'0');
        let ends = matches!(rest.get(digits)?, b' ' | b',' | b']' | b'}' | b'\t' | b'\r' | b'\n');
        (plain && ends).then_some(())?;
        let integer = rest[..digits].iter().fold(0, |integer, digit| integer * 10 + i64::from(digit - b'0'));
        // There is another zero with a sign, where numbers are not integers.
        (!(negative && integer == 0)).then_some(())?;
        self.at += usize::from(negative) + digits;
        Some(if negative { -integer } else { integer })
    }

    pub(crate) fn nothing(&mut self) -> Option<()> {
        let word: &[u8] = match self.notation {
            Notation::Json => b"null",
            Notation::Edn => b"nil",
        };
        let found = self.text[self.at..].starts_with(word);
        self.at += word.len();
        let ends = matches!(self.peek()?, b' ' | b',' | b']' | b'}');
        (found && ends).then_some(())
    }

    /// What an op says about its operation.
    pub(crate) fn kind(&mut self) -> Option<Kind> {
        Some(match self.bytes()? {
            b"invoke" => Kind::Invoke,
            b"ok" => Kind::Ok,
            b"fail" => Kind::Fail,
            b"info" => Kind::Info,
            _ => return None,
        })
    }

    /// A value made of nothing, truth values, integers, texts and lists.
    pub(crate) fn value(&mut self, into: &mut Value, depth: usize) -> Option<()> {
        match self.peek()? {
            b'n' => {
                self.nothing()?;
                *into = Value::Null;
            }
            b'0'..=b'9' | b'-' => *into = Value::from(self.integer()?),
            b'"' => {
                let text = self.quoted()?;
                match into {
                    Value::String(held) => {
                        held.clear();
                        held.push_str(text);
                    }
                    _ => *into = Value::from(text),
                }
            }
            b'[' if depth < DEEPEST => {
                self.pass(b'[')?;
                let mut list = Vec::new();
                while !self.close(b']', list.is_empty())? {
                    let mut next = Value::Null;
                    self.value(&mut next, depth + 1)?;
                    list.push(next);
                }
                *into = Value::Array(list);
            }
            b't' | b'f' => *into = Value::Bool(self.truth()?),
            _ => return None,
        }
        Some(())
    }

    fn truth(&mut self) -> Option<bool> {
        let truth = self.text[self.at..].starts_with(b"true");
        let word: &[u8] = if truth { b"true" } else { b"false" };
        self.text[self.at..].starts_with(word).then_some(())?;
        self.at += word.len();
        matches!(self.peek()?, b' ' | b',' | b']' | b'}').then_some(truth)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rashomon_core::{Kind, Op, Process, Value};

    use super::{Notation, Start, op, start};

    fn blank() -> Op {
        Op::new(Process::Nemesis, Kind::Fail, "before", Value::from("before"))
    }

    const FULL: &str = r#"{"index":3,"time":9,"type":"fail","process":2,"f":"cas","value":[1,[-2,"x",null,true]],"key":"k","error":"no","node":"n1"}"#;

    #[test]
    fn an_op_is_read_as_serde_reads_it() {
        let mut read = blank();
        assert_eq!(op(FULL.as_bytes(), Notation::Json, &mut read), Some((true, true)));
        assert_eq!(read, serde_json::from_str(FULL).unwrap());
        let bare = r#"{"type": "invoke", "process": 0, "f": "read"}"#;
        assert_eq!(op(bare.as_bytes(), Notation::Json, &mut read), Some((false, false)));
        assert_eq!(read, Op::new(Process::Client(0), Kind::Invoke, "read", Value::Null));
        let edn = "{:process 4, :type :ok, :f :write, :value [1 nil], :index 7}";
        assert_eq!(op(edn.as_bytes(), Notation::Edn, &mut read), Some((true, false)));
        assert_eq!((read.index, &read.value), (7, &serde_json::json!([1, null])));
    }

    #[test]
    fn the_unusual_is_left_to_others() {
        for (from, to) in [
            ("\"fail\"", "\"failed\""),
            ("\"process\":2", "\"process\":\"nemesis\""),
            ("\"process\":2", "\"process\":2.0"),
            ("\"key\":\"k\"", "\"key\":7"),
            ("\"key\":\"k\"", "\"key\":\"k\",\"key\":\"k\""),
            ("\"error\":\"no\"", "\"error\":\"\\n\""),
            ("-2", "-2.5"),
            ("-2", "-0"),
            ("-2", "[[[[1]]]]"),
            ("true", "truer"),
            ("null", "{}"),
            ("\"f\":\"cas\",", ""),
            ("\"node\"", "\"extra\""),
        ] {
            assert!(FULL.contains(from));
            let line = FULL.replacen(from, to, 1);
            assert_eq!(op(line.as_bytes(), Notation::Json, &mut blank()), None, "{line}");
        }
    }

    #[test]
    fn the_start_of_an_op_tells_who_says_what() {
        let expected = Start { index: Some(3), kind: Kind::Fail, process: 2 };
        assert_eq!(start(FULL.as_bytes(), Notation::Json), Some(expected));
        let late = r#"{"index":3,"value":5,"type":"ok","process":2}"#;
        assert_eq!(start(late.as_bytes(), Notation::Json), None, "its value comes first");
    }

    proptest! {
        #[test]
        fn what_is_read_fast_is_what_is_read_slowly(
            text in r#"\{("(index|time|process)":[0-9]{1,2},|"type":"(ok|info)",|"f":"f",|"value":([0-9-]{1,3}|"[a-z]{0,2}"|\[[0-9,]{0,4}\]|null|true|false),|"(key|node)":"[a-z]",){3,7}"error":"e" ?\}"#,
        ) {
            let mut read = blank();
            if let Some((index, time)) = op(text.as_bytes(), Notation::Json, &mut read) {
                match serde_json::from_str::<Op>(&text) {
                    Ok(slow) => prop_assert_eq!(read, slow),
                    Err(error) => prop_assert!(!(index && time), "{}: {}", text, error),
                }
            }
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40), cut in 0..FULL.len()) {
            let line = [&FULL.as_bytes()[..cut], &bytes].concat();
            for notation in [Notation::Json, Notation::Edn] {
                let _ = op(&line, notation, &mut blank());
                let _ = start(&line, notation);
            }
        }
    }
}
