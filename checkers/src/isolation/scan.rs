//! The fast way from the text of an event to its micro-ops, without a value in between.
//!
//! It knows the usual spelling of events in JSON and in EDN and says nothing of any other, which then goes the general
//! way: so it decides nothing but speed.

use rashomon_core::Kind;

use super::micro_ops::{Argument, MicroOp, MicroOps, Names, Reading, Verb};

/// An event as it stands in a line; its micro-ops are elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Event<'t> {
    pub(super) index: Option<u64>,
    pub(super) time: Option<u64>,
    pub(super) kind: Kind,
    pub(super) process: u64,
    pub(super) f: &'t str,
}

/// How a line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notation {
    Json,
    Edn,
}

/// Reads the line of an event of a client; `None` when it is anything unusual.
pub(super) fn event<'t>(
    line: &'t [u8],
    notation: Notation,
    reading: Reading,
    names: &mut Names,
    into: &mut MicroOps,
) -> Option<Event<'t>> {
    into.clear();
    let mut scan = Scan { text: line, at: 0, notation };
    let (mut index, mut time, mut kind, mut process, mut f, mut done) = (None, None, None, None, None, false);
    scan.open(b'{')?;
    let mut first = true;
    while !scan.close(b'}', first)? {
        first = false;
        match scan.name()? {
            "index" if index.is_none() => index = Some(scan.count()?),
            "time" if time.is_none() => time = Some(scan.count()?),
            "process" if process.is_none() => process = Some(scan.count()?),
            "f" if f.is_none() => f = Some(scan.word()?),
            "type" if kind.is_none() => {
                kind = Some(match scan.word()? {
                    "invoke" => Kind::Invoke,
                    "ok" => Kind::Ok,
                    "fail" => Kind::Fail,
                    "info" => Kind::Info,
                    _ => return None,
                });
            }
            "value" if !done => {
                scan.micro_ops(kind? != Kind::Ok, reading, names, into)?;
                done = true;
            }
            "node" | "error" => drop(scan.word()?),
            _ => return None,
        }
    }
    scan.skip();
    (done && scan.at == line.len()).then_some(())?;
    Some(Event { index, time, kind: kind?, process: process?, f: f? })
}

struct Scan<'t> {
    text: &'t [u8],
    at: usize,
    notation: Notation,
}

impl<'t> Scan<'t> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Passes over blanks; in EDN commas are blanks.
    fn skip(&mut self) {
        let comma = self.notation == Notation::Edn;
        while let Some(b' ' | b'\t' | b'\r' | b'\n' | b',') = self.peek() {
            if self.peek() == Some(b',') && !comma {
                return;
            }
            self.at += 1;
        }
    }

    fn open(&mut self, bracket: u8) -> Option<()> {
        self.skip();
        self.pass(bracket)
    }

    fn pass(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// Whether a collection ends here; else it stands before its next element, past the comma that JSON needs.
    fn close(&mut self, bracket: u8, first: bool) -> Option<bool> {
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
    fn name(&mut self) -> Option<&'t str> {
        let name = match self.notation {
            Notation::Json => {
                let name = self.quoted()?;
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
    fn quoted(&mut self) -> Option<&'t str> {
        self.pass(b'"')?;
        let rest = &self.text[self.at..];
        let length = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))?;
        (rest[length] == b'"').then_some(())?;
        self.at += length + 1;
        std::str::from_utf8(&rest[..length]).ok()
    }

    fn keyword(&mut self) -> Option<&'t str> {
        self.pass(b':')?;
        let rest = &self.text[self.at..];
        let ends = |byte: &u8| !(byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        let length = rest.iter().position(ends)?;
        (length > 0).then_some(())?;
        self.at += length;
        std::str::from_utf8(&rest[..length]).ok()
    }

    /// A text, or in EDN a keyword.
    fn word(&mut self) -> Option<&'t str> {
        if self.peek()? == b':' && self.notation == Notation::Edn { self.keyword() } else { self.quoted() }
    }

    fn count(&mut self) -> Option<u64> {
        u64::try_from(self.integer()?).ok()
    }

    /// An integer that needs no more than 18 digits.
    fn integer(&mut self) -> Option<i64> {
        let negative = self.peek()? == b'-';
        self.at += usize::from(negative);
        let start = self.at;
        let mut integer = 0;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            integer = integer * 10 + i64::from(digit - b'0');
            self.at += 1;
            (self.at - start <= 18).then_some(())?;
        }
        let digits = self.at - start;
        let plain = digits > 0 && (digits == 1 || self.text[start] != b'0') && !(negative && integer == 0);
        let ends = matches!(self.peek()?, b' ' | b',' | b']' | b'}' | b'\t' | b'\r' | b'\n');
        (plain && ends).then_some(if negative { -integer } else { integer })
    }

    fn nothing(&mut self) -> Option<()> {
        let word: &[u8] = match self.notation {
            Notation::Json => b"null",
            Notation::Edn => b"nil",
        };
        let found = self.text[self.at..].starts_with(word);
        self.at += word.len();
        let ends = matches!(self.peek()?, b' ' | b',' | b']' | b'}');
        (found && ends).then_some(())
    }

    fn micro_ops(
        &mut self,
        asked: bool,
        reading: Reading,
        names: &mut Names,
        into: &mut MicroOps,
    ) -> Option<()> {
        self.open(b'[')?;
        let mut first = true;
        while !self.close(b']', first)? {
            first = false;
            self.pass(b'[')?;
            self.skip();
            let verb = match (self.word()?, reading) {
                ("append", Reading::Lists) => Verb::Append,
                ("w", Reading::Values) => Verb::Write,
                ("r", _) => Verb::Read,
                _ => return None,
            };
            (!self.close(b']', false)?).then_some(())?;
            let key = match self.peek()? {
                b'"' | b':' => names.text_key(self.word()?),
                _ => names.integer_key(self.integer()?),
            };
            (!self.close(b']', false)?).then_some(())?;
            let argument = match (self.peek()?, verb, reading) {
                (b'n', Verb::Read, _) => {
                    self.nothing()?;
                    Argument::Nothing
                }
                (b'[', Verb::Read, Reading::Lists) => self.list(asked, names, into)?,
                (_, Verb::Read, Reading::Lists) => return None,
                _ => {
                    let value = self.integer()?;
                    if asked && verb == Verb::Read {
                        Argument::Nothing
                    } else {
                        Argument::Value(names.integer_value(value))
                    }
                }
            };
            self.close(b']', false)?.then_some(())?;
            into.list.push(MicroOp { verb, key, argument });
        }
        Some(())
    }

    fn list(&mut self, asked: bool, names: &mut Names, into: &mut MicroOps) -> Option<Argument> {
        self.pass(b'[')?;
        let from = into.elements.len();
        let mut first = true;
        while !self.close(b']', first)? {
            first = false;
            let value = names.integer_value(self.integer()?);
            into.elements.push(value);
        }
        if asked {
            into.elements.truncate(from);
            return Some(Argument::Nothing);
        }
        Some(Argument::List(from as u32, into.elements.len() as u32))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rashomon_core::{Kind, Op, Process};

    use super::super::micro_ops::{MicroOps, Names, Reading};
    use super::{Event, Notation, event};

    fn scan(line: &str, notation: Notation) -> Option<(Event<'_>, MicroOps)> {
        let (mut names, mut micro_ops) = (Names::default(), MicroOps::default());
        let event = event(line.as_bytes(), notation, Reading::Lists, &mut names, &mut micro_ops)?;
        Some((event, micro_ops))
    }

    const OK: &str = r#"{"index":3,"time":9,"type":"ok","process":2,"f":"txn","value":[["append",7,-1],["r","x",[1,2]],["r",3,null]]}"#;

    #[test]
    fn the_usual_spellings_are_read() {
        let edn = "{:index 3, :time 9, :type :ok, :process 2, :f :txn, \
                   :value [[:append 7 -1] [:r :x [1 2]] [:r 3 nil]]}";
        let expected = Event { index: Some(3), time: Some(9), kind: Kind::Ok, process: 2, f: "txn" };
        for (line, notation) in [(OK, Notation::Json), (edn, Notation::Edn)] {
            let (event, micro_ops) = scan(line, notation).unwrap();
            assert_eq!(event, expected);
            assert_eq!(micro_ops.list.len(), 3);
            assert_eq!(micro_ops.elements.len(), 2);
        }
    }

    #[test]
    fn the_unusual_is_left_to_others() {
        for (from, to) in [
            ("\"ok\"", "\"done\""),
            ("[1,2]", "[1 2]"),
            ("[1,2]", "[1,2,]"),
            ("[1,2]", "[1,02]"),
            ("[1,2]", "[1,2.5]"),
            ("[1,2]", "[1,\"b\"]"),
            ("[1,2]", "[1,1000000000000000000]"),
            ("\"append\"", "\"w\""),
            ("\"x\"", "\"\\u0041\""),
            ("\"process\":2", "\"process\":\"nemesis\""),
            ("\"process\":2", "\"process\":2,\"process\":2"),
            ("}", "} x"),
            ("}", ""),
            ("null", "nul"),
            (",\"f\":\"txn\"", ""),
        ] {
            assert!(OK.contains(from));
            let line = OK.replacen(from, to, 1);
            assert!(scan(&line, Notation::Json).is_none(), "{line}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_fast_is_what_is_read_slowly(
            text in r#"\{"index":[0-9]{1,2},"time":1, ?"type":"(ok|invoke)","process":[01],"f":"t","value":\[(\["(append|r)",[0-9"x-]{1,3},([0-9-]{1,2}|null|\[[0-9,]{0,5}\])\],?){0,3}\]\}"#,
        ) {
            if let Some((event, micro_ops)) = scan(&text, Notation::Json) {
                let op: Op = serde_json::from_str(&text).unwrap();
                prop_assert_eq!((event.index, Some(event.time)), (Some(op.index), Some(Some(op.time.0))));
                prop_assert_eq!((event.kind, Process::Client(event.process)), (op.kind, op.process));
                let (mut names, mut slow) = (Names::default(), MicroOps::default());
                names.take(&op.value, op.kind != Kind::Ok, Reading::Lists, &mut slow).unwrap();
                prop_assert_eq!(micro_ops.list.len(), slow.list.len());
                prop_assert_eq!(micro_ops.elements.len(), slow.elements.len());
            }
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40), cut in 0..OK.len()) {
            let line = [&OK.as_bytes()[..cut], &bytes].concat();
            for notation in [Notation::Json, Notation::Edn] {
                let (mut names, mut micro_ops) = (Names::default(), MicroOps::default());
                let _ = event(&line, notation, Reading::Values, &mut names, &mut micro_ops);
            }
        }
    }
}
