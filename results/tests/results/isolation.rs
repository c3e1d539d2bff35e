//! What a page shows of transactions that cannot be isolated as promised.

use rashomon_core::{Anomaly, History, Kind, Op, Process, Time, Value, Verdict};
use rashomon_results::report::{Parts, render_parts};
use rashomon_results::{Ended, RunVerdict, Totals};
use serde_json::json;

/// A history in which each of these transactions is done by a process of its own, all at once.
fn history(transactions: &[Value]) -> History {
    let op = |kind, process: usize, value: Value| Op {
        index: 0,
        time: Time::ZERO,
        kind,
        process: Process::Client(process as u64),
        f: "txn".into(),
        value,
        key: None,
        error: None,
        node: None,
    };
    let asked = |done: &Value| {
        let micro_ops = done.as_array().unwrap().iter();
        micro_ops.map(|one| if one[0] == "r" { json!(["r", one[1], null]) } else { one.clone() }).collect()
    };
    let begun = transactions.iter().enumerate().map(|(process, done)| op(Kind::Invoke, process, asked(done)));
    let ended = transactions.iter().enumerate().map(|(process, done)| op(Kind::Ok, process, done.clone()));
    let mut ops: Vec<Op> = begun.chain(ended).collect();
    (0..).zip(&mut ops).for_each(|(index, op)| op.time = Time(index * 1_000_000));
    History::new(ops).unwrap()
}

fn page(history: &History, name: &str, key: Option<&str>, details: Value, stats: Value) -> String {
    let Value::Object(details) = details else { panic!("details are an object") };
    let Value::Object(stats) = stats else { panic!("stats are an object") };
    let anomaly = Anomaly {
        name: name.to_owned(),
        key: key.map(str::to_owned),
        events: (0..history.ops().len() as u64).collect(),
        evidence: Vec::new(),
        because: "it is so".to_owned(),
        details,
    };
    let verdict = Verdict { stats, ..Verdict::invalid("list-append", "it is so", vec![anomaly]) };
    let verdict = RunVerdict::new(vec![verdict], vec![], vec![], Totals::of(history), Ended::Recorded);
    render_parts(&Parts { verdict: Some(&verdict), ..Parts::new("some history", history) })
}

/// Transactions in a ring: each reads what the one before appended, on keys of this name.
fn ring(length: usize, key: impl Fn(usize) -> String) -> (History, Value) {
    let before = |place: usize| (place + length - 1) % length;
    let transactions: Vec<Value> = (0..length)
        .map(|place| {
            json!([
                ["append", key(place), place],
                ["append", "other", place],
                ["r", key(before(place)), [before(place)]]
            ])
        })
        .collect();
    let name = |place: usize| format!("T{}", place % length + 1);
    let members: Vec<Value> = (0..length)
        .map(|place| json!({"name": name(place), "process": place.to_string(), "invoke": place, "completion": length + place}))
        .collect();
    let edges: Vec<Value> = (0..length)
        .map(|place| {
            json!({"from": name(place), "to": name(place + 1), "class": "wr", "key": key(place),
                "because": format!("it appended {place} to key {}, and the other read it", key(place))})
        })
        .collect();
    (
        history(&transactions),
        json!({"transactions": members, "edges": edges, "rules_out": ["read-committed"]}),
    )
}

fn drawing(page: &str) -> &str {
    let (_, rest) = page.split_once("<svg class=\"ring\"").expect("a drawing of the cycle");
    rest.split_once("</svg>").unwrap().0
}

#[test]
fn a_cycle_is_drawn_with_all_its_arrows() {
    for length in 2..=12 {
        let (history, details) = ring(length, |place| format!("k{place}"));
        let page = page(&history, "G1c", None, details, json!({}));
        let drawing = drawing(&page);
        assert_eq!(drawing.matches("<g class=\"transaction\">").count(), length);
        assert_eq!(drawing.matches("<a class=\"edge wr\"").count(), length);
        // In each box the append that is read and the read are marked, and the other append is not.
        assert_eq!(drawing.matches("class=\"line marked\"").count(), 2 * length);
        assert_eq!(drawing.matches("class=\"line\"").count(), length);
        for place in 0..length {
            assert!(drawing.contains(&format!("href=\"#why-1-{place}\"")), "{place}");
            assert!(page.contains(&format!("<li id=\"why-1-{place}\">")), "{place}");
        }
        assert!(page.contains("It rules out <b>read-committed</b>"));
        assert!(!page.contains("ok illegal\""), "each transaction is as possible as the others");
    }
}

#[test]
fn a_long_cycle_is_cut_in_the_drawing_and_told_in_full() {
    let (history, details) = ring(40, |place| format!("k{place}"));
    let page = page(&history, "G1c", None, details, json!({}));
    let drawing = drawing(&page);
    assert_eq!(drawing.matches("<g class=\"transaction\">").count(), 11);
    assert!(drawing.contains("29 more transactions") && drawing.contains("T12 to T40"));
    assert!(drawing.contains("href=\"#why-1-39\""), "the last arrow closes it");
    assert_eq!(page.matches("<li id=\"why-1-").count(), 40);
}

#[test]
fn an_endless_cycle_keeps_the_page_small() {
    let (history, details) = ring(20_000, |place| format!("k{place}"));
    let page = page(&history, "G1c", None, details, json!({}));
    assert!(page.len() < 3 << 20, "{} bytes", page.len());
    assert!(page.contains("and 19800 more"));
}

#[test]
fn names_from_outside_are_never_markup_in_a_drawing() {
    let evil = |place: usize| format!("</script></svg><img src=x onerror=alert({place})>\"'><!-- &");
    let (mut history_of, details) = ring(3, evil);
    let page_of = page(&history_of, "G1c", None, details, json!({}));
    assert!(
        page_of.matches("onerror").count() > 3 && !page_of.contains("<img") && !page_of.contains("\"'><!--")
    );
    assert_eq!(page_of.matches("</script>").count(), 2);
    history_of = history(&[json!([["append", evil(0), evil(1)]]), json!([["r", evil(0), [evil(1)]]])]);
    let marks = json!({"marks": [{"event": 1, "verb": "r", "value": evil(1)}], "illegal": [1]});
    let levels = json!({"levels": {"causal": {"plain": evil(2)}}, "promised": evil(3), "allowed_anomalies": {evil(4): evil(5)}});
    let page_of = page(&history_of, "G1a", Some(&evil(0)), marks, levels);
    assert!(page_of.contains("<mark>") && !page_of.contains("<img") && !page_of.contains("\"'><!--"));
    assert_eq!(page_of.matches("</script>").count(), 2);
}

#[test]
fn an_excerpt_is_drawn_with_its_own_indices_and_measures_nothing() {
    let (whole, details) = ring(3, |place| format!("k{place}"));
    let ops = whole.ops().iter().map(|op| Op { index: op.index * 10 + 5_000_000, ..op.clone() }).collect();
    let excerpt = History::excerpt(ops).unwrap();
    let Value::Object(mut details) = details else { panic!("details are an object") };
    for member in details["transactions"].as_array_mut().unwrap() {
        for event in ["invoke", "completion"] {
            member[event] = json!(member[event].as_u64().unwrap() * 10 + 5_000_000);
        }
    }
    let anomaly = Anomaly {
        name: "G1c".to_owned(),
        key: None,
        events: excerpt.ops().iter().map(|op| op.index).collect(),
        evidence: Vec::new(),
        because: "it is so".to_owned(),
        details,
    };
    let verdict = Verdict::invalid("list-append", "it is so", vec![anomaly]);
    let totals = Totals { ops: 4_000_000, ..Totals::of(&excerpt) };
    let verdict = RunVerdict::new(vec![verdict], vec![], vec![], totals, Ended::Recorded);
    let parts = Parts::new("some history", &excerpt);
    let page = render_parts(&Parts { verdict: Some(&verdict), left_out: 3_999_997, ..parts });
    assert!(drawing(&page).contains("ops 5000000–5000030 · ok"), "{}", drawing(&page));
    assert_eq!(drawing(&page).matches("class=\"line marked\"").count(), 6);
    assert!(page.contains("3 of 4,000,000 operations") && page.contains("<dd>4,000,000</dd>"));
    assert!(page.contains("\"index\":[5000000,5000010,5000020]"));
    for measured in ["latency", "rate", "availability"] {
        assert!(!page.contains(&format!("id=\"{measured}\"")) && !page.contains(&format!("#{measured}\"")));
    }
}

#[test]
fn what_cannot_be_drawn_is_told_as_before() {
    let (history, details) = ring(3, |place| format!("k{place}"));
    let without = |name: &str| {
        let mut details = details.clone();
        details.as_object_mut().unwrap().remove(name);
        details
    };
    let mut odd = details.clone();
    odd["edges"][1]["class"] = json!("because");
    let mut short = details.clone();
    short["edges"].as_array_mut().unwrap().pop();
    for details in [without("transactions"), without("edges"), odd, short, json!({"edges": 3, "marks": "x"})]
    {
        let page = page(&history, "G1c", None, details, json!({}));
        assert!(!page.contains("<svg class=\"ring\"") && page.contains("it is so"));
    }
    // Events that the history does not have.
    let mut gone = details.clone();
    gone["transactions"][0]["invoke"] = json!(u64::MAX);
    let page = page(&history, "G1c", None, gone, json!({}));
    assert!(drawing(&page).contains("not in the history that was read"));
}

#[test]
fn the_micro_ops_that_show_an_anomaly_are_marked() {
    let history = history(&[
        json!([["append", "x", 1], ["append", "y", 1]]),
        json!([["r", "y", [1]], ["r", "x", [1]], ["r", "x", [1, 2]]]),
    ]);
    let marks = json!([
        {"event": 0, "verb": "append", "value": 1, "place": null},
        {"event": 1, "verb": "r", "value": null, "place": 2},
    ]);
    let page = page(&history, "internal", Some("x"), json!({"marks": marks, "illegal": [1]}), json!({}));
    let marked: Vec<&str> =
        page.split("<mark>").skip(1).filter_map(|rest| rest.split("</mark>").next()).collect();
    assert_eq!(marked, ["append x 1", "r x [1 2]"]);
    assert!(page.contains("<div class=\"card ok illegal\">"));
}

#[test]
fn the_table_of_levels_stands_in_order_and_says_what_was_promised() {
    let (history, details) = ring(2, |place| format!("k{place}"));
    let cells = |word: &str| json!({"plain": word, "session": "unknown", "realtime": "violated"});
    let levels = json!({"causal": cells("holds"), "serializable": cells("violated"), "read-uncommitted": cells("holds")});
    let stats = json!({"levels": levels, "promised": "serializable", "allowed_anomalies": {"G2-item": 3}});
    let page = page(&history, "G1c", None, details, stats);
    let (_, table) = page.split_once("<section id=\"levels\">").unwrap();
    let place = |level: &str| table.find(&format!("<th scope=\"row\">{level}</th>")).unwrap();
    assert!(place("read-uncommitted") < place("causal") && place("causal") < place("serializable"));
    assert!(table.contains("Promised was <b>serializable</b>") && table.contains("3 G2-item"));
    assert!(page.contains("<a href=\"#levels\">Levels</a>"));
    let none = render_parts(&Parts::new("some history", &history));
    assert!(!none.contains("id=\"levels\""));
}
