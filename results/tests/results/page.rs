//! The page.

use std::fs;
use std::time::Duration;

use rashomon_core::{Anomaly, FaultId, History, Kind, Map, NodeId, Op, Process, Time, Value, Verdict};
use rashomon_results::report::{NodeLog, Parts, render, render_parts};
use rashomon_results::{
    Ended, Network, NodeReport, RunVerdict, Schedule, ScheduleEntry, ScheduleEvent, Totals,
};
use serde_json::json;

use crate::folder::store;
use crate::sample::{Wanted, sample};

/// What design and CI allow a page to weigh.
const LARGEST: usize = 3 << 20;

const SECTIONS: [&str; 9] =
    ["verdict", "anomaly", "timeline", "latency", "rate", "availability", "faults", "network", "plan"];

fn bare<'a>(history: &'a History, schedule: &'a Schedule) -> Parts<'a> {
    Parts { schedule, ..Parts::new("some history", history) }
}

/// The data that the scripts of a page are given.
fn data(page: &str) -> Value {
    let (_, rest) = page.split_once(r#"<script id="data" type="application/json">"#).unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

/// The page without style and scripts, a line per element.
fn skeleton(page: &str) -> String {
    let mut rest = page;
    let mut out = String::new();
    for (open, close) in [("<style>", "</style>"), ("<script id", "</script>"), ("<script>", "</script>")] {
        let (before, after) = rest.split_once(open).unwrap();
        out.push_str(before);
        rest = after.split_once(close).unwrap().1;
    }
    out.push_str(rest);
    out.replace("><", ">\n<")
}

fn op(index: u64, time: u64, kind: Kind, process: u64, f: &str, value: Value) -> Op {
    Op {
        index,
        time: Time(time * 1_000_000),
        kind,
        process: Process::Client(process),
        f: f.into(),
        value,
        key: Some("x".into()),
        error: None,
        node: Some(format!("n{}", process % 5 + 1)),
    }
}

fn complete(page: &str) {
    for section in SECTIONS {
        assert!(page.contains(&format!("<section id=\"{section}\"")), "no {section}");
    }
    data(page);
}

#[test]
fn a_small_anomaly_in_full() {
    let history = History::new(vec![
        op(0, 1, Kind::Invoke, 0, "write", json!(1)),
        op(1, 3, Kind::Ok, 0, "write", json!(1)),
        op(2, 4, Kind::Invoke, 1, "write", json!(2)),
        op(3, 5, Kind::Invoke, 2, "read", Value::Null),
        op(4, 9, Kind::Ok, 2, "read", Value::Null),
    ])
    .unwrap();
    let anomaly = Anomaly {
        name: "stale-read".into(),
        key: Some("x".into()),
        events: vec![0, 1, 3, 4, 2],
        evidence: vec!["n1 says leader of term 2".into()],
        because: "the read answered nil, yet 1 had been written before it began".into(),
        details: Map::new(),
    };
    let verdict = RunVerdict::new(
        vec![Verdict::invalid("linearizable", "key x is not linearizable", vec![anomaly])],
        vec![],
        vec![],
        Totals::of(&history),
        Ended::Recorded,
    );
    let schedule = Schedule::default();
    let page = render_parts(&Parts { verdict: Some(&verdict), ..bare(&history, &schedule) });
    insta::assert_snapshot!(skeleton(&page));
}

#[test]
fn the_state_after_each_op_is_told_with_and_without_a_mouse() {
    let history = History::new(vec![
        op(0, 1, Kind::Invoke, 0, "write", json!(1)),
        op(1, 3, Kind::Ok, 0, "write", json!(1)),
        op(2, 4, Kind::Invoke, 1, "read", Value::Null),
        op(3, 5, Kind::Ok, 1, "read", json!("</script><img>")),
    ])
    .unwrap();
    let page = |details: Value| {
        let Value::Object(details) = details else { panic!("details are an object") };
        let anomaly = Anomaly {
            name: "garbage-read".into(),
            key: None,
            events: vec![0, 1, 2, 3],
            evidence: vec![],
            because: "it is so".into(),
            details,
        };
        let verdict = Verdict::invalid("linearizable", "it is so", vec![anomaly]);
        let verdict = RunVerdict::new(vec![verdict], vec![], vec![], Totals::of(&history), Ended::Recorded);
        render_parts(&Parts { verdict: Some(&verdict), ..Parts::new("some history", &history) })
    };
    let told = json!({
        "initial": null, "order": [0], "states": [1], "state": 1, "stuck": 2,
        "impossible": [{"invoke": 2, "because": "it needs <b>, and the state is 1"}],
    });
    let drawn = page(told.clone());
    for said in [
        "; the state after it: 1</title>",
        "; the state before it: 1; it needs &lt;b&gt;, and the state is 1</title>",
        "op 0 · then 1",
        "at first the state is <b>nil</b>",
        ": then it is <b>1</b>",
        " cannot follow: it needs &lt;b&gt;, and the state is 1",
    ] {
        assert!(drawn.contains(said), "{said}");
    }
    assert!(!drawn.contains("<img>"));
    // An order of which the states are not known, or which stops elsewhere, claims none.
    let mut end_only = told.clone();
    end_only["states"] = json!([]);
    assert!(!page(end_only).contains("then it is"));
    let mut elsewhere = told;
    elsewhere["stuck"] = json!(0);
    assert!(!page(elsewhere).contains("the state after it"));
}

#[test]
fn a_page_needs_nothing_else() {
    let sample = sample(Wanted::default());
    let page = render_parts(&Parts {
        plan: Some(&sample.plan),
        network: Some(&sample.network),
        trace: None,
        shrunk: None,
        verdict: Some(&sample.verdict),
        ..bare(&sample.history, &sample.schedule)
    });
    complete(&page);
    let namespaces = page.matches("http://www.w3.org/2000/svg").count();
    assert_eq!(page.matches("http").count() - page.matches("http-equiv").count(), namespaces);
    assert_eq!(page.matches("url(").count(), page.matches("url(#").count());
    for fetched in ["src=", "@import", "<link", "<iframe"] {
        assert!(!page.contains(fetched), "{fetched}");
    }
    let told = data(&page)["detail"]["index"].as_array().unwrap().len() as u64;
    assert_eq!(told, sample.verdict.totals.ops, "few enough to be told one by one");
}

#[test]
fn a_long_run_still_fits_in_a_mail() {
    let sample =
        sample(Wanted { clients: 30, rate: 400, length: Duration::from_secs(100), ..Wanted::default() });
    assert!(sample.verdict.totals.ops > 200_000, "{}", sample.verdict.totals.ops);
    let page = render_parts(&Parts {
        plan: Some(&sample.plan),
        network: Some(&sample.network),
        trace: None,
        shrunk: None,
        verdict: Some(&sample.verdict),
        ..bare(&sample.history, &sample.schedule)
    });
    complete(&page);
    assert!(page.len() <= LARGEST, "{} bytes", page.len());
    let data = data(&page);
    let left = &data["left"];
    let binned: u64 = left["binned"].as_array().unwrap().iter().filter_map(Value::as_u64).sum();
    let all = left["told"].as_u64().unwrap() + binned + left["undrawn"].as_u64().unwrap();
    assert_eq!(all, sample.verdict.totals.ops, "every op is told or counted");
    let told = data["detail"]["index"].as_array().unwrap();
    for event in &sample.verdict.checkers[0].anomalies[0].events {
        let op = &sample.history.ops()[*event as usize];
        assert!(op.kind != Kind::Invoke || told.contains(&json!(event)), "the core is told");
    }
    let rate: u64 = data["rate"]["counts"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|list| list.as_array().unwrap())
        .filter_map(Value::as_u64)
        .sum();
    assert_eq!(rate, sample.verdict.totals.ops, "the rate is reckoned from all");
}

#[test]
fn long_texts_from_outside_do_not_make_it_grow() {
    let long = |index: u64| format!("{index}-{}", "\"\\<\u{1}\u{1F600}".repeat(400));
    let mut ops = Vec::new();
    for index in 0..100_000_u64 {
        let kind = if index.is_multiple_of(2) { Kind::Invoke } else { Kind::Info };
        ops.push(Op {
            f: if kind == Kind::Invoke { long(index) } else { long(index - 1) },
            key: Some(long(index)),
            node: Some(long(index)),
            error: Some(long(index)),
            ..op(index, index, kind, index / 2, "", json!(long(index)))
        });
    }
    let history = History::new(ops).unwrap();
    let mut schedule = Schedule::default();
    for id in 0..5_000 {
        let note = Some(long(u64::from(id)));
        let entry = ScheduleEntry::new(Time(u64::from(id) * 1_000_000), FaultId(id), ScheduleEvent::Injected);
        schedule.entries.push(ScheduleEntry { note, ..entry });
    }
    let lots: Vec<String> = (0..1_000).map(long).collect();
    let anomaly = Anomaly {
        name: long(1),
        key: Some(long(2)),
        events: (0..100_000).collect(),
        evidence: lots.clone(),
        because: long(3),
        details: Map::new(),
    };
    let mut unknown = Verdict::unknown(long(4), long(5));
    unknown.unknown = lots.clone();
    let mut checkers = vec![unknown; 50];
    checkers.push(Verdict::invalid(long(6), long(7), vec![anomaly; 100]));
    let verdict = RunVerdict::new(checkers, vec![], lots.clone(), Totals::of(&history), Ended::Recorded);
    let plan = json!({"version": 1, "system": long(1), "command": long(2), "bugs": lots, "options": lots});
    let page = render_parts(&Parts {
        plan: Some(&plan),
        verdict: Some(&verdict),
        missing: &lots,
        ..bare(&history, &schedule)
    });
    complete(&page);
    assert!(page.len() <= LARGEST, "{} bytes", page.len());
}

#[test]
fn text_from_outside_is_never_markup() {
    let evil = || "</script></style><img src=x onerror=alert(1)>\"'><!-- &".to_owned();
    let hostile = |index, kind| Op {
        f: evil(),
        key: Some(evil()),
        error: Some(evil()),
        node: Some(evil()),
        ..op(index, index, kind, 0, "", json!({evil(): [evil()]}))
    };
    let history = History::new(vec![
        hostile(0, Kind::Invoke),
        hostile(1, Kind::Ok),
        hostile(2, Kind::Invoke),
        hostile(3, Kind::Info),
    ])
    .unwrap();
    let schedule = Schedule {
        entries: vec![ScheduleEntry {
            note: Some(evil()),
            ..ScheduleEntry::new(Time(1), FaultId(0), ScheduleEvent::Injected)
        }],
        torn: true,
    };
    let mut details = Map::new();
    details.insert("order".into(), json!([0]));
    details.insert("state".into(), json!(evil()));
    let anomaly = Anomaly {
        name: evil(),
        key: Some(evil()),
        events: vec![0, 1, 2],
        evidence: vec![evil()],
        because: evil(),
        details,
    };
    let checkers = vec![Verdict::invalid(evil(), evil(), vec![anomaly]), Verdict::unknown(evil(), evil())];
    let verdict = RunVerdict::new(checkers, vec![], vec![evil()], Totals::of(&history), Ended::Failed);
    let plan = json!({"version": 1, "system": evil(), "bugs": [evil()], "command": evil(), "options": {evil(): 1},
        "nemesis": {"kinds": [evil()], "interval": evil()}, "seed": evil(), "nodes": evil(), "rate": evil()});
    let network = Network::new([], vec![NodeReport { crash: Some(evil()), ..NodeReport::new(NodeId(1)) }]);
    let page = render_parts(&Parts {
        title: &evil(),
        plan: Some(&plan),
        history: &history,
        left_out: 0,
        schedule: &schedule,
        network: Some(&network),
        trace: None,
        shrunk: None,
        verdict: Some(&verdict),
        logs: &[NodeLog { node: evil(), last: vec![evil()], panicked: true }],
        files: &[evil()],
        missing: &[evil()],
    });
    complete(&page);
    assert!(page.matches("onerror").count() > 30, "the text is there");
    assert!(!page.contains("<img"), "and is not markup");
    assert!(!page.contains("<!-- &"));
    assert_eq!(page.matches("</script>").count(), 2);
    assert_eq!(page.matches("</style>").count(), 1);
    // No attribute can be left by a quote from outside.
    assert!(!skeleton(&page).contains("\"'>"));
}

#[test]
fn a_run_that_was_killed_shows_what_there_is() {
    let out = tempfile::tempdir().unwrap();
    let sample = sample(Wanted::default());
    let run = store(out.path(), &sample);
    for file in [run.history_file(), run.schedule_file()] {
        let bytes = fs::read(&file).unwrap();
        fs::write(&file, &bytes[..bytes.len() - 7]).unwrap();
    }
    let page = render(&run).unwrap();
    complete(&page);
    for said in [
        "NOT JUDGED",
        "verdict.json is missing: the run was never judged",
        "network.json is missing: messages were not counted",
        "history.jsonl ends in the middle of a line",
        "schedule.jsonl ends in the middle of a line",
        "The run was never judged.",
    ] {
        assert!(page.contains(said), "{said}");
    }
    let told = data(&page)["left"]["told"].as_u64().unwrap();
    assert_eq!(told, sample.verdict.totals.ops, "what was recorded is drawn");
}

#[test]
fn files_that_cannot_be_read_are_named_with_line_and_reason() {
    let out = tempfile::tempdir().unwrap();
    let run = store(out.path(), &sample(Wanted::default()));
    fs::write(run.plan_file(), "{\"version\":1,\n").unwrap();
    fs::write(run.verdict_file(), "{\"version\":3}").unwrap();
    fs::write(run.network_file(), "[]").unwrap();
    fs::write(run.schedule_file(), "").unwrap();
    let text = fs::read_to_string(run.history_file()).unwrap();
    fs::write(run.history_file(), text.replacen("\"invoke\"", "\"invoked\"", 5)).unwrap();
    let page = render(&run).unwrap();
    complete(&page);
    for said in [
        "plan.json:2: EOF while parsing a value",
        "verdict.json:1: version 3 of the verdict format",
        "network.json:1: ",
        "schedule.jsonl:1: the file is empty",
        "history.jsonl:2: unknown variant `invoked`",
        "the history has no client operation",
    ] {
        assert!(page.contains(said), "{said}");
    }
}

#[test]
fn faults_that_only_the_history_tells_are_drawn() {
    let nemesis = |index, time, f: &str, value| Op {
        process: Process::Nemesis,
        key: None,
        node: None,
        ..op(index, time, Kind::Info, 0, f, value)
    };
    let ops = vec![
        op(0, 0, Kind::Invoke, 0, "read", Value::Null),
        nemesis(1, 100, "start-partition", json!("majority")),
        nemesis(2, 110, "start-partition", json!({"n1": ["n2", "</script>"]})),
        op(3, 120, Kind::Ok, 0, "read", Value::Null),
        nemesis(4, 300, "stop-partition", Value::Null),
        nemesis(5, 320, "stop-partition", Value::Null),
        nemesis(6, 400, "kill", json!("n3")),
    ];
    let history = History::new(ops).unwrap();
    let schedule = Schedule::default();
    let page = render_parts(&bare(&history, &schedule));
    complete(&page);
    let faults = &data(&page)["faults"];
    assert_eq!(
        faults[0],
        json!({"kind": "partition", "family": "link", "what": "{n1 [n2 \"</script>\"]}", "from": 100_000,
        "to": 320_000, "healed": true})
    );
    assert_eq!((&faults[1]["kind"], &faults[1]["healed"]), (&json!("kill"), &json!(false)));
    assert_eq!(page.matches("</script>").count(), 2);
}

#[test]
fn plans_of_any_shape_are_shown_as_far_as_they_go() {
    let history = History::default();
    let schedule = Schedule::default();
    for plan in
        [json!({}), json!([1]), json!("x"), json!({"nemesis": 3, "bugs": {}, "nodes": -1, "concurrency": 0})]
    {
        complete(&render_parts(&Parts { plan: Some(&plan), ..bare(&history, &schedule) }));
    }
}

#[test]
fn absurd_times_do_no_harm() {
    let ops = vec![
        op(0, 0, Kind::Invoke, 0, "read", Value::Null),
        Op { time: Time(u64::MAX), ..op(1, 0, Kind::Ok, 0, "read", Value::Null) },
        op(2, 0, Kind::Invoke, u64::MAX, "read", Value::Null),
        op(3, 0, Kind::Info, u64::MAX, "read", Value::Null),
    ];
    let history = History::new(ops).unwrap();
    let schedule = Schedule {
        entries: vec![
            ScheduleEntry::new(Time(u64::MAX), FaultId(0), ScheduleEvent::Injected),
            ScheduleEntry::new(Time(3), FaultId(0), ScheduleEvent::Healed),
        ],
        torn: false,
    };
    complete(&render_parts(&bare(&history, &schedule)));
}
