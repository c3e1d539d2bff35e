//! `rashomon check` and `rashomon convert` as their users meet them.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const VALID: &str =
    "[{:process 0 :type :invoke :f :write :value 1} {:process 0 :type :ok :f :write :value 1}]";
const INVALID: &str = "[{:process 0 :type :invoke :f :read} {:process 0 :type :ok :f :read :value 1}]";
const BROKEN: &str = "[{:process 0 :type :invoke :f :read}\n{:process 0 :type :okay :f :read :value 1}]";

fn rashomon(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rashomon"));
    command.args(arguments).current_dir(folder).env("NO_COLOR", "1");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A program that refuses its arguments does not read.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A folder with a history of each kind.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in [("a-valid.edn", VALID), ("b-invalid.edn", INVALID), ("c-broken.edn", BROKEN)] {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

#[test]
fn the_worst_of_many_files_decides_and_hides_no_other() {
    let folder = folder();
    let check = |arguments: &[&str]| rashomon(folder.path(), &[&["check"], arguments].concat(), "");
    let all = check(&["a-valid.edn", "c-broken.edn", "b-invalid.edn", "nowhere.edn"]);
    let stdout = text(&all.stdout);
    assert_eq!(all.status.code(), Some(254), "{stdout}");
    assert!(
        text(&all.stderr).contains("error: c-broken.edn:2: :type :okay is none of"),
        "{}",
        text(&all.stderr)
    );
    assert!(text(&all.stderr).contains("error: nowhere.edn: No such file"), "{}", text(&all.stderr));
    let words: Vec<_> = stdout.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(words, ["VALID", "REFUSED", "INVALID", "REFUSED", "REFUSED"], "{stdout}");
    assert!(stdout.ends_with("4 histories: 1 valid, 1 invalid, 0 unknown, 2 refused\n"), "{stdout}");
    assert_eq!(check(&["a-valid.edn", "b-invalid.edn"]).status.code(), Some(1));
    assert_eq!(check(&["a-valid.edn", "a-valid.edn"]).status.code(), Some(0));
    // A folder stands for its files.
    assert_eq!(text(&check(&["."]).stdout).lines().count(), 5);
}

#[test]
fn each_file_has_a_json_object_of_its_own() {
    let folder = folder();
    let all = rashomon(folder.path(), &["check", ".", "--json"], "");
    let stdout = text(&all.stdout);
    let objects: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(objects.len(), 3, "{stdout}");
    assert_eq!(objects[0]["valid"], "valid");
    assert_eq!(objects[0]["format"], "jepsen-edn");
    assert_eq!(objects[1]["checkers"][0]["anomalies"][0]["name"], "garbage-read");
    assert_eq!(objects[2]["error"]["line"], 2);
    assert!(objects[2]["file"].as_str().unwrap().ends_with("c-broken.edn"));
}

#[test]
fn standard_input_is_a_file() {
    let folder = folder();
    let invalid = rashomon(folder.path(), &["check", "-"], INVALID);
    assert_eq!(invalid.status.code(), Some(1), "{}", text(&invalid.stderr));
    let broken = rashomon(folder.path(), &["check", "-"], BROKEN);
    assert_eq!(broken.status.code(), Some(254));
    assert!(text(&broken.stderr).contains("error: -:2: "), "{}", text(&broken.stderr));
}

#[test]
fn an_unknown_says_which_budget_ran_out_and_how_to_raise_it() {
    let folder = folder();
    // Overlapping writes of equal values, and a read of each: the search has much to try.
    let write = |kind: &str| -> String {
        let line =
            |process: u32| format!("{{:process {process} :type :{kind} :f :write :value {}}}\n", process % 7);
        (0..2000).map(line).collect()
    };
    let read = "{:process 9999 :type :invoke :f :read}\n{:process 9999 :type :ok :f :read :value 3}\n";
    let ops = format!("{}{}{}", write("invoke"), read.repeat(2000), write("ok"));
    std::fs::write(folder.path().join("hard.edn"), ops).unwrap();
    let late = rashomon(folder.path(), &["check", "hard.edn", "--budget-time", "0s"], "");
    assert_eq!(late.status.code(), Some(2), "{}", text(&late.stdout));
    assert!(text(&late.stdout).contains("the time budget of 0s ran out"), "{}", text(&late.stdout));
    assert!(text(&late.stdout).contains("`--budget-time 10s` gives more"), "{}", text(&late.stdout));
    let small = rashomon(folder.path(), &["check", "hard.edn", "--budget-memory", "1KB", "--json"], "");
    let object: Value = serde_json::from_slice(&small.stdout).unwrap();
    assert_eq!(object["raise"], "the memory budget of 1 MB ran out; `--budget-memory 4MB` gives more");
}

#[test]
fn a_page_for_each_of_many_histories() {
    let folder = folder();
    std::fs::create_dir(folder.path().join("pages")).unwrap();
    let both = rashomon(folder.path(), &["check", "a-valid.edn", "b-invalid.edn", "--html", "pages"], "");
    assert_eq!(both.status.code(), Some(1));
    for page in ["a-valid.edn.html", "b-invalid.edn.html"] {
        assert!(folder.path().join("pages").join(page).exists(), "{page}");
    }
    let one = rashomon(folder.path(), &["check", "a-valid.edn", "b-invalid.edn", "--html", "page.html"], "");
    assert_eq!(one.status.code(), Some(254));
    assert!(text(&one.stderr).contains("--report: several histories need a folder"), "{}", text(&one.stderr));
}

#[test]
fn a_cycle_is_written_as_a_graph() {
    let folder = folder();
    let skew = "[{:process 0 :type :invoke :f :txn :value [[:r 8 nil] [:append 9 1]]}
        {:process 1 :type :invoke :f :txn :value [[:r 9 nil] [:append 8 1]]}
        {:process 0 :type :ok :f :txn :value [[:r 8 []] [:append 9 1]]}
        {:process 1 :type :ok :f :txn :value [[:r 9 []] [:append 8 1]]}]";
    let check = |arguments: &[&str]| rashomon(folder.path(), &[&["check"], arguments].concat(), skew);
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(check(&["-", "--dot", "skew.dot", "--html", "skew.html"]).status.code(), Some(1));
    let graph = read("skew.dot");
    assert!(graph.starts_with("// G2-item, found by list-append\ndigraph {"), "{graph}");
    assert!(graph.contains("\"rw 8\"") && graph.contains("\"rw 9\""), "{graph}");
    let page = read("skew.html");
    assert!(page.contains("<svg class=\"ring\"") && page.contains("<section id=\"levels\">"), "{page}");
    assert_eq!(check(&["b-invalid.edn", "--dot", "none.dot"]).status.code(), Some(1));
    assert_eq!(read("none.dot"), "// No anomaly is a cycle.\n");
    let many = check(&["a-valid.edn", "b-invalid.edn", "--dot", "one.dot"]);
    assert!(text(&many.stderr).contains("--dot: several histories need a folder"), "{}", text(&many.stderr));
}

#[test]
fn a_converted_history_is_judged_alike_and_losses_are_named() {
    let folder = folder();
    let convert =
        rashomon(folder.path(), &["convert", "b-invalid.edn", "--to", "jsonl", "--out", "b.jsonl"], "");
    assert_eq!(convert.status.code(), Some(0), "{}", text(&convert.stderr));
    assert_eq!(rashomon(folder.path(), &["check", "b.jsonl"], "").status.code(), Some(1));
    let back = rashomon(folder.path(), &["convert", "b.jsonl", "--to", "jepsen-edn"], "");
    assert!(text(&back.stdout).starts_with("{:index 0, :time 0, :type :invoke"), "{}", text(&back.stdout));
    let nil = INVALID.replace(":value 1", ":value nil :wall 7");
    let named = rashomon(folder.path(), &["convert", "-", "--to", "jsonl"], &nil);
    assert!(text(&named.stderr).contains("1 reads that answered nil"), "{}", text(&named.stderr));
    assert!(text(&named.stderr).contains("wall (1)"), "{}", text(&named.stderr));
    assert_eq!(rashomon(folder.path(), &["convert", ".", "--to", "jsonl"], "").status.code(), Some(254));
    // What the nemesis did stays, in either direction.
    let faulty = INVALID.replace('[', "[{:process :nemesis :type :info :f :start-kill :value \"n1\"} ");
    let ours = rashomon(folder.path(), &["convert", "-", "--to", "jsonl"], &faulty);
    let theirs = rashomon(folder.path(), &["convert", "-", "--to", "jepsen-edn"], &text(&ours.stdout));
    let kept = ":type :info, :process :nemesis, :f :start-kill, :value \"n1\"";
    assert!(text(&theirs.stdout).contains(kept), "{}", text(&theirs.stdout));
}

#[test]
fn a_generated_history_has_the_violation_that_was_asked_for() {
    let folder = folder();
    let generate = |more: &[&str]| rashomon(folder.path(), &[&["generate"], more].concat(), "");
    for format in ["jsonl", "jepsen-edn"] {
        let made = generate(&["register", "--plant", "stale-read", "--info", "1%", "--format", format]);
        let found = rashomon(folder.path(), &["check", "-", "--json"], &text(&made.stdout));
        let object: Value = serde_json::from_slice(&found.stdout).unwrap();
        assert_eq!(object["checkers"][0]["anomalies"][0]["name"], "stale-read", "{object}");
        assert_eq!(object["totals"]["ops"], 1000);
    }
    let same = [generate(&["bank"]), generate(&["bank"]), generate(&["bank", "--seed", "2"])];
    assert_eq!(same[0].stdout, same[1].stdout);
    assert_ne!(same[0].stdout, same[2].stdout);
    for (arguments, expected) in [
        (&["register", "--plant", "lost-update"][..], "lost-update cannot be planted in a register"),
        (&["queue", "--plant", "false-empty", "--info", "1%"], "it goes with no --info"),
        (&["register", "--ops", "20", "--plant", "stale-read"], "more --ops make room"),
        (&["regster"], "`regster` is no kind of history"),
        (&["bank", "--info", "0.05%"], "is no share such as 1%"),
    ] {
        let refused = generate(arguments);
        assert_eq!(refused.status.code(), Some(254), "{arguments:?}");
        assert!(text(&refused.stderr).contains(expected), "{}", text(&refused.stderr));
    }
    let listed = rashomon(folder.path(), &["list", "generators"], "");
    assert!(text(&listed.stdout).contains("lost-update"), "{}", text(&listed.stdout));
}

#[test]
fn a_large_file_is_judged_while_it_is_read_and_names_the_events() {
    let folder = tempfile::tempdir().unwrap();
    let large = ["generate", "register", "--ops", "60000", "--clients", "7", "--info", "1%"];
    let plant = ["--plant", "stale-read", "--out", "large.jsonl"];
    rashomon(folder.path(), &[&large[..], &plant[..]].concat(), "");
    let path = folder.path().join("large.jsonl");
    assert!(std::fs::metadata(&path).unwrap().len() > 9 << 20, "too small to be judged while it is read");
    let output = rashomon(folder.path(), &["check", "large.jsonl"], "");
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("stale-read") && said.contains("<-- cannot be"), "{said}");
    // The same, by way of the whole history.
    let history = std::fs::read_to_string(&path).unwrap();
    let whole = rashomon(folder.path(), &["check", "-"], &history);
    assert_eq!(said, text(&whole.stdout));
    // An operation that comes late decides which model it is.
    let events = history.lines().count() as u64 - 1;
    let late = |index, kind, value| {
        format!(
            r#"{{"index":{index},"time":{index},"type":"{kind}","process":99999,"f":"append","key":null,"value":{value}}}"#
        )
    };
    let more = [late(events, "invoke", "1"), late(events + 1, "ok", "1")].join("\n");
    std::fs::write(&path, format!("{history}{more}\n")).unwrap();
    let output = rashomon(folder.path(), &["check", "large.jsonl"], "");
    assert!(text(&output.stderr).contains("no model fits these operations"), "{}", text(&output.stderr));
    let output = rashomon(folder.path(), &["check", "large.jsonl", "--model", "register"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stdout).contains("has no operation `append`"), "{}", text(&output.stdout));
    // A fault far behind the beginning.
    std::fs::write(&path, format!("{history}broken\n")).unwrap();
    let output = rashomon(folder.path(), &["check", "large.jsonl"], "");
    assert_eq!(output.status.code(), Some(254));
    assert!(
        text(&output.stderr).contains(&format!("large.jsonl:{}: ", events + 2)),
        "{}",
        text(&output.stderr)
    );
}
