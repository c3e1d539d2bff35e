//! What is told of a file that was judged while it was read, besides the verdict, and in which order it is read.

use std::cell::Cell;
use std::io::{self, BufRead};
use std::ops::ControlFlow;

use rashomon_checkers::formats::{Beginning, Format, Source, Streamed, judge_stream, read};
use rashomon_checkers::generate::Clients;
use rashomon_checkers::{Archive, Budget, Checker, Fill, Follow, Question, checker_of};
use rashomon_core::history::HEADER;
use rashomon_core::{Anomaly, History, HistoryError, Map, Op, Seed, Time, Verdict};

/// What is told of a text that is judged so, or the error.
fn streamed(format: Format, text: &str, model: &'static str) -> Result<Streamed, String> {
    let checker = checker_of(Beginning { format, model: Some(model) }, &Question::default()).unwrap();
    let streamed = judge_stream(&text.as_bytes(), format, checker.as_ref(), &Budget::unlimited());
    streamed.map(|streamed| streamed.expect("this model can be followed")).map_err(|error| error.to_string())
}

#[test]
fn operations_and_times_are_counted() {
    let of = |f: &str, value: &str| {
        [
            (r#""type":"invoke","process":0"#, 1),
            (r#""type":"invoke","process":1"#, 2),
            (r#""type":"ok","process":0"#, 9),
            (r#""type":"fail","process":1"#, 5),
            (r#""type":"info","process":"nemesis""#, 20),
            (r#""type":"invoke","process":0"#, 6),
            (r#""type":"ok","process":0"#, 7),
            (r#""type":"invoke","process":2"#, 8),
            (r#""type":"info","process":2"#, 8),
        ]
        .map(|(who, time)| format!(r#""time":{time},{who},"f":"{f}","value":{value}"#))
    };
    for (model, f, value) in [("cas-register", "write", "1"), ("list-append", "txn", r#"[["r","x",null]]"#)] {
        let ops = of(f, value);
        let lines: Vec<String> =
            ops.iter().zip(0..).map(|(op, index)| format!("{{\"index\":{index},{op}}}\n")).collect();
        for (format, text) in [
            (Format::Jsonl, format!("{HEADER}\n{}", lines.concat())),
            (Format::JepsenJson, ops.map(|op| format!("{{{op}}}\n")).concat()),
        ] {
            let told = streamed(format, &text, model).unwrap();
            assert_eq!((told.ops, told.ok, told.fail), (4, 2, 1), "{format} {model}");
            // The first that ended, and the latest of all, whatever order clocks say they came in.
            assert_eq!((told.first_ok, told.last), (Some(Time(9)), Time(9)), "{format} {model}");
        }
    }
}

#[test]
fn where_one_op_names_its_process_those_after_it_do() {
    let named = "{:process 0 :type :invoke :f :write :value 1}\n{:process 0 :type :ok :f :write :value 1}\n";
    let nameless = "{:type :invoke :f :write :value 2}\n{:type :ok :f :write :value 2}\n";
    for (text, wrong) in [
        (format!("{named}{nameless}"), Some("line 3: the op has no :process")),
        (format!("{nameless}{named}"), None),
    ] {
        let told = streamed(Format::JepsenEdn, &text, "cas-register").map(|streamed| streamed.ops);
        let whole = read(Format::JepsenEdn, &text).map_err(|error| error.to_string());
        assert_eq!(told, whole.map(|recording| recording.history.pairs().count() as u64));
        assert_eq!(told.err().as_deref(), wrong);
    }
}

#[test]
fn the_indices_of_jepsens_ops_rise() {
    let text = |indices: [Option<u64>; 4], f: &str, value: &str, more: &str| {
        let op = |(index, kind): (&Option<u64>, &str)| {
            let index = index.map_or_else(String::new, |index| format!(":index {index} "));
            format!("{{{index}:process 0 :type {kind} :f {f} :value {value}{more}}}\n")
        };
        let kinds = [":invoke", ":ok", ":invoke", ":ok"];
        indices.iter().zip(kinds).map(op).collect::<String>()
    };
    for (indices, wrong) in [
        ([Some(3), Some(7), Some(20), Some(21)], None),
        ([Some(3), None, None, Some(4)], None),
        ([None; 4], None),
        ([Some(0), Some(0), Some(1), Some(2)], Some(2)),
        ([Some(5), Some(6), Some(4), Some(7)], Some(3)),
        ([Some(5), None, Some(5), Some(6)], Some(3)),
    ] {
        for (model, f, value) in [("cas-register", ":write", "1"), ("list-append", ":txn", "[[:r :x nil]]")] {
            // In the usual spelling, and with a field that is looked at in the general way only.
            for more in ["", " :more {:a 1}"] {
                let text = text(indices, f, value, more);
                let told = streamed(Format::JepsenEdn, &text, model).map(|streamed| streamed.ops);
                let as_a_whole = read(Format::JepsenEdn, &text).map_err(|error| error.to_string());
                assert_eq!(told, as_a_whole.map(|recording| recording.history.pairs().count() as u64));
                let line = wrong.map(|line| format!("line {line}: its :index is not above the one before"));
                assert_eq!(told.is_err(), line.is_some(), "{text}");
                assert!(line.is_none_or(|line| told.unwrap_err().starts_with(&line)), "{text}");
            }
        }
    }
}

/// A file that is read more than once, and is broken from the second time on, behind what matters.
struct File {
    text: String,
    again: String,
    opened: Cell<usize>,
    taken: Cell<bool>,
}

impl Source for File {
    fn open(&self) -> io::Result<Box<dyn BufRead + Send + '_>> {
        let opened = self.opened.replace(self.opened.get() + 1);
        assert_eq!(opened > 0, self.taken.get(), "all of it is taken before anything is read again");
        Ok(Box::new(if opened == 0 { self.text.as_bytes() } else { self.again.as_bytes() }))
    }

    fn taken(&self) {
        assert!(!self.taken.replace(true), "it is told once");
    }
}

/// Finds an anomaly at each of these events, once it has looked at the first operation again.
struct Accuser(Vec<u64>);

impl Follow for Accuser {
    fn feed(&mut self, _fill: &mut Fill<'_>, _budget: &Budget<'_>) -> Result<(), HistoryError> {
        Ok(())
    }

    fn verdict(self: Box<Self>, archive: &dyn Archive, _budget: &Budget<'_>) -> Verdict {
        archive.each(&mut |_| ControlFlow::Break(())).unwrap();
        let anomaly = |event: &u64| Anomaly {
            name: "here".to_owned(),
            key: None,
            events: vec![*event],
            evidence: Vec::new(),
            because: String::new(),
            details: Map::new(),
        };
        Verdict::invalid("accuser", "everywhere", self.0.iter().map(anomaly).collect())
    }
}

impl Checker for Accuser {
    fn name(&self) -> &'static str {
        "accuser"
    }

    fn about(&self) -> &'static str {
        "accuses"
    }

    fn check(&self, history: &History, budget: &Budget<'_>) -> Verdict {
        Box::new(Accuser(self.0.clone())).verdict(history, budget)
    }

    fn follow(&self) -> Option<Box<dyn Follow + '_>> {
        Some(Box::new(Accuser(self.0.clone())))
    }
}

#[test]
fn what_is_around_the_first_anomalies_is_picked_out_and_the_file_is_read_no_further() {
    let clients = Clients { operations: 3_500, clients: 1, open_per_mille: 0, stale: false, seed: Seed(1) };
    let history = clients.unique_register();
    // Beginnings, which are even, and ends.
    let events: Vec<u64> = (0..30).map(|number| number * 200 + number % 2).collect();
    let lines: Vec<String> =
        history.ops().iter().map(|op| serde_json::to_string(op).unwrap() + "\n").collect();
    let text = format!("{HEADER}\n{}", lines.concat());
    let again = format!("{HEADER}\n{}broken\n", lines[..events[19] as usize + 63].concat());
    let file = File { text, again, opened: Cell::new(0), taken: Cell::new(false) };
    let told = judge_stream(&file, Format::Jsonl, &Accuser(events.clone()), &Budget::unlimited());
    let near = |op: &&Op| {
        let invoke = op.index - op.index % 2;
        events[..20].iter().any(|event| event.abs_diff(invoke) <= 60)
    };
    let expected: Vec<Op> = history.ops().iter().filter(near).cloned().collect();
    assert_eq!(told.unwrap().unwrap().excerpt.ops(), expected);
    assert!(file.opened.get() > 1, "it is read again");
}
