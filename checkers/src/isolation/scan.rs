//! The fast way from the text of an event to its micro-ops, without a value in between.
//!
//! It knows the usual spelling of events in JSON and in EDN and says nothing of any other, which then goes the general
//! way: so it decides nothing but speed.

use rashomon_core::Kind;

use super::micro_ops::{Argument, Gathered, MicroOp, Names, Reading, Verb};
use crate::scan::{Head, Notation, Scan};

/// An event as it stands in a line; its micro-ops are elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Event<'t> {
    pub(super) index: Option<u64>,
    pub(super) time: Option<u64>,
    pub(super) kind: Kind,
    pub(super) process: u64,
    pub(super) f: &'t str,
}

/// Reads the line of an event of a client, and adds its micro-ops; `None` when it is anything unusual, and then some may
/// have been added all the same.
pub(super) fn event<'t>(
    line: &'t [u8],
    notation: Notation,
    reading: Reading,
    names: &mut Names,
    into: &mut Gathered,
) -> Option<Event<'t>> {
    let mut scan = Scan::new(line, notation);
    let (mut head, mut done) = (Head::default(), false);
    scan.open(b'{')?;
    let mut first = true;
    while !scan.close(b'}', first)? {
        first = false;
        match scan.name()? {
            name if head.take(name, &mut scan)? => {}
            b"value" if !done => {
                micro_ops(&mut scan, head.kind? != Kind::Ok, reading, names, into)?;
                done = true;
            }
            b"node" | b"error" => drop(scan.word()?),
            _ => return None,
        }
    }
    (done && scan.is_over()).then_some(())?;
    let Head { index, time, kind, process, f } = head;
    Some(Event { index, time, kind: kind?, process: process?, f: f? })
}

/// What the transaction did, or was asked to do.
fn micro_ops(
    scan: &mut Scan<'_>,
    asked: bool,
    reading: Reading,
    names: &mut Names,
    into: &mut Gathered,
) -> Option<()> {
    scan.open(b'[')?;
    let mut first = true;
    while !scan.close(b']', first)? {
        first = false;
        scan.pass(b'[')?;
        scan.skip();
        let verb = match reading {
            _ if scan.is_word("r") => Verb::Read,
            Reading::Lists if scan.is_word("append") => Verb::Append,
            Reading::Values if scan.is_word("w") => Verb::Write,
            Reading::Lists | Reading::Values => return None,
        };
        (!scan.close(b']', false)?).then_some(())?;
        let key = match scan.peek()? {
            b'"' | b':' => names.text_key(scan.word()?),
            _ => names.integer_key(scan.integer()?),
        };
        (!scan.close(b']', false)?).then_some(())?;
        let argument = match (scan.peek()?, verb, reading) {
            (b'n', Verb::Read, _) => {
                scan.nothing()?;
                Argument::Nothing
            }
            (b'[', Verb::Read, Reading::Lists) => list(scan, key, asked, names, into)?,
            (_, Verb::Read, Reading::Lists) => return None,
            _ => {
                let value = scan.integer()?;
                if asked && verb == Verb::Read {
                    Argument::Nothing
                } else {
                    Argument::Value(names.integer_value(value))
                }
            }
        };
        scan.close(b']', false)?.then_some(())?;
        into.list.push(MicroOp { verb, key, argument });
    }
    Some(())
}

/// The elements that were read.
fn list(
    scan: &mut Scan<'_>,
    key: u32,
    asked: bool,
    names: &mut Names,
    into: &mut Gathered,
) -> Option<Argument> {
    scan.pass(b'[')?;
    let (text, from) = (scan.rest(), into.elements.len());
    let mut first = true;
    if let Some((length, elements)) = names.beginnings.of(key, text) {
        into.elements.extend_from_slice(elements);
        scan.advance(length);
        first = false;
    }
    while !scan.close(b']', first)? {
        first = false;
        let value = names.integer_value(scan.integer()?);
        into.elements.push(value);
    }
    if asked {
        into.elements.truncate(from);
        return Some(Argument::Nothing);
    }
    let length = text.len() - scan.rest().len() - 1;
    names.beginnings.note(key, &text[..length], &into.elements[from..]);
    Some(Argument::List(from as u32, into.elements.len() as u32))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rashomon_core::{Kind, Op, Process, Value};

    use super::super::micro_ops::{Gathered, Names, Reading};
    use super::{Event, Notation, event};

    fn scan(line: &str, notation: Notation) -> Option<(Event<'_>, Gathered)> {
        let (mut names, mut micro_ops) = (Names::default(), Gathered::default());
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
                let (mut names, mut slow) = (Names::default(), Gathered::default());
                names.take(&op.value, op.kind != Kind::Ok, Reading::Lists, &mut slow).unwrap();
                prop_assert_eq!(micro_ops.list.len(), slow.list.len());
                prop_assert_eq!(micro_ops.elements.len(), slow.elements.len());
            }
        }

        #[test]
        fn lists_are_read_alike_whatever_was_read_before(
            lists in proptest::collection::vec((0..2_u32, "([0-9]{1,2}(,| , |, )){0,3}[0-9]{1,2} ?"), 1..8),
        ) {
            let (mut names, mut micro_ops) = (Names::default(), Gathered::default());
            for (key, list) in lists {
                micro_ops.clear();
                let value = format!(r#"[["r",{},[{list}]]]"#, key * 1024);
                let line = format!(r#"{{"type":"ok","process":1,"f":"t","value":{value}}}"#);
                let known = event(line.as_bytes(), Notation::Json, Reading::Lists, &mut names, &mut micro_ops);
                let value: Result<Value, _> = serde_json::from_str(&value);
                prop_assert_eq!(known.is_some(), value.is_ok(), "{}", line);
                let mut slow = Gathered::default();
                if let Ok(value) = value {
                    Names::default().take(&value, false, Reading::Lists, &mut slow).unwrap();
                    prop_assert_eq!(&micro_ops.elements, &slow.elements);
                }
            }
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40), cut in 0..OK.len()) {
            let line = [&OK.as_bytes()[..cut], &bytes].concat();
            for notation in [Notation::Json, Notation::Edn] {
                let (mut names, mut micro_ops) = (Names::default(), Gathered::default());
                let _ = event(&line, notation, Reading::Values, &mut names, &mut micro_ops);
            }
        }
    }
}
