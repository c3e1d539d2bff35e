//! Files of transactions judged while they are read, against the same judged as a whole.

mod transactions;

use proptest::prelude::*;
use rashomon_checkers::formats::{Beginning, Format, judge_stream, read, write_edn};
use rashomon_checkers::generate::ListClients;
use rashomon_checkers::isolation::ListAppend;
use rashomon_checkers::{Alone, Budget, Crew, Job, Question, checker_of, judge};
use rashomon_core::history::HEADER;
use rashomon_core::{History, HistoryError, Seed, Verdict};

use transactions::transactions;

fn jsonl(history: &History) -> String {
    let lines = history.ops().iter().map(|op| serde_json::to_string(op).unwrap() + "\n");
    format!("{HEADER}\n{}", lines.collect::<String>())
}

/// The same history in every notation that can be streamed.
fn texts(history: &History) -> [(Format, String); 3] {
    let json = history.ops().iter().map(|op| serde_json::to_string(op).unwrap());
    let json = format!("[{}]", json.collect::<Vec<_>>().join(",\n "));
    [(Format::Jsonl, jsonl(history)), (Format::JepsenEdn, write_edn(history)), (Format::JepsenJson, json)]
}

fn streamed(format: Format, text: &str) -> Result<Verdict, String> {
    judge_by(format, text, &Budget::unlimited()).map_err(|error| error.to_string())
}

fn judge_by(format: Format, text: &str, budget: &Budget<'_>) -> Result<Verdict, HistoryError> {
    let model = if text.contains("append") { "list-append" } else { "rw-register" };
    let beginning = Beginning { format, model: Some(model) };
    let checker = checker_of(beginning, &Question::default()).unwrap();
    let streamed = judge_stream(&text.as_bytes(), format, checker.as_ref(), budget)?;
    Ok(streamed.expect("transactions can be followed").verdict)
}

fn whole(format: Format, text: &str) -> Result<Verdict, String> {
    let recording = read(format, text).map_err(|error| error.to_string())?;
    Ok(judge(&recording, &Question::default(), &Budget::unlimited()).unwrap())
}

#[test]
fn a_stream_is_judged_like_the_whole() {
    for text in [
        "0 ok x+1 y=\n--\n1 ok x=1 x+2 x=1,2\n--\n2 ok x=1,2 y=",
        "0 ok x= y+1\n1 ok y= x+1\n--\n2 ok x=1 y=1",
        "0 ok x+1 x+2\n1 ok x=1\n2 info y+3\n3 fail y+4\n--\n4 ok y=4,3",
        "0 ok x:=1 y==2\n1 ok y:=2 x==1",
        "0 ok x==1 x:=2\n1 ok x==2 x:=1\n2 ok y:=4",
        "0 ok x+1\n1 ok x+1 x=1",
        "0 ok x+1 x==1",
    ] {
        let history = transactions(text);
        for (format, text) in texts(&history) {
            let verdict = streamed(format, &text).unwrap();
            assert_eq!(verdict, whole(format, &text).unwrap(), "{format}\n{text}");
        }
    }
}

#[test]
fn a_history_made_by_machine_is_judged_like_the_whole() {
    for (stale_per_100_000, open_per_mille) in [(0, 0), (500, 20)] {
        let clients = ListClients {
            transactions: 500,
            clients: 7,
            keys: 5,
            micro_ops: 4,
            open_per_mille,
            stale_per_100_000,
            seed: Seed(3),
        };
        for (format, text) in texts(&clients.history()) {
            assert_eq!(streamed(format, &text), whole(format, &text), "{format}");
        }
    }
}

/// Workers who do the last job first.
struct Backwards;

impl Crew for Backwards {
    fn work(&self, jobs: Vec<Job<'_>>) {
        for job in jobs.into_iter().rev() {
            job();
        }
    }
}

/// A thread for each job.
struct Threads;

impl Crew for Threads {
    fn work(&self, jobs: Vec<Job<'_>>) {
        std::thread::scope(|scope| {
            for job in jobs {
                scope.spawn(job);
            }
        });
    }
}

#[test]
fn a_verdict_does_not_depend_on_who_did_the_work() {
    // Enough for several batches, and for anomalies of many kinds.
    for (stale_per_100_000, open_per_mille) in [(0, 0), (300, 10)] {
        let clients = ListClients {
            transactions: 20_000,
            clients: 9,
            keys: 6,
            micro_ops: 4,
            open_per_mille,
            stale_per_100_000,
            seed: Seed(5),
        };
        let text = jsonl(&clients.history());
        let verdict = |crew: &dyn Crew| {
            let budget = Budget::new(usize::MAX, &|| false).with_crew(crew);
            judge_by(Format::Jsonl, &text, &budget).unwrap()
        };
        let alone = verdict(&Alone);
        assert_eq!(alone.stats["transactions"], 20_000);
        assert_eq!(alone, verdict(&Backwards));
        assert_eq!(alone, verdict(&Threads));
        assert_eq!(alone, whole(Format::Jsonl, &text).unwrap());
    }
}

#[test]
fn of_two_faults_of_a_file_the_first_is_told_whoever_does_the_work() {
    let clients = ListClients {
        transactions: 20_000,
        clients: 3,
        keys: 5,
        micro_ops: 2,
        open_per_mille: 0,
        stale_per_100_000: 0,
        seed: Seed(1),
    };
    let text = jsonl(&clients.history());
    let mut lines: Vec<&str> = text.lines().collect();
    // The same event twice is an end without a beginning, or a beginning too many.
    lines[9000] = lines[8999];
    lines[9500] = "broken";
    let text = lines.join("\n");
    for crew in [&Alone as &dyn Crew, &Backwards, &Threads] {
        let budget = Budget::new(usize::MAX, &|| false).with_crew(crew);
        let error = judge_by(Format::Jsonl, &text, &budget).unwrap_err();
        assert!(error.to_string().starts_with("line 9001: "), "{error}");
    }
}

#[test]
fn a_broken_file_is_refused_like_the_whole() {
    let history = transactions("0 ok x+1 y=\n--\n1 ok x=1 x+2 x=1,2\n--\n0 info x=\n1 fail x+5");
    for (from, to) in [
        ("\"process\":1", "\"process\":0"),
        ("\"index\":2,", "\"index\":7,"),
        ("\"ok\"", "\"invoke\""),
        ("\"invoke\"", "\"ok\""),
        ("\"type\"", "\"typ\""),
        ("[[\"append\"", "[[\"append"),
        ("\"f\":\"txn\"", "\"f\":\"other\""),
        ("\"index\":3", "\"index\":03"),
    ] {
        let text = jsonl(&history).replacen(from, to, 1);
        let error = streamed(Format::Jsonl, &text).unwrap_err();
        // Ops of JSON are paired once all are read, so of two faults the later may be told.
        assert!(whole(Format::Jsonl, &text).is_err() && error.starts_with("line "), "{error}");
    }
    let torn = jsonl(&history);
    let torn = &torn[..torn.len() - 9];
    let checker = ListAppend::default();
    let told = judge_stream(&torn.as_bytes(), Format::Jsonl, &checker, &Budget::unlimited());
    assert_eq!(told.unwrap().unwrap().notes, ["the last line was torn and was left out"]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..60),
        cut in 0..400_usize,
        which in 0..3_usize,
    ) {
        let history = transactions("0 ok x+1 y=\n--\n1 ok x=1 x+2 x=1,2");
        let (format, text) = &texts(&history)[which];
        let text = text.as_bytes();
        let cut = cut.min(text.len());
        let broken = [&text[..cut], &bytes, &text[cut..]].concat();
        for name in ["list-append", "rw-register", "cas-register"] {
            let checker = checker_of(Beginning { format: *format, model: Some(name) }, &Question::default());
            let _ = judge_stream(&broken.as_slice(), *format, checker.unwrap().as_ref(), &Budget::unlimited());
        }
    }
}
