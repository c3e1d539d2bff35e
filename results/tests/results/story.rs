//! The story of a failing run: what is drawn, and what is said to be left out.

use std::time::Duration;

use rashomon_core::{
    Anomaly, Happening, History, Kind, Link, Map, NodeId, Op, Probe, Process, Time, Trace, Verdict,
};
use rashomon_results::report::{Parts, render_parts};
use rashomon_results::{Accusation, Ended, RunVerdict, Shrunk, Size, Totals};

const LINK: Link = Link { from: NodeId(1), to: NodeId(2) };

fn at(milliseconds: u64) -> Time {
    Time(milliseconds * 1_000_000)
}

fn op(index: u64, time: u64, kind: Kind, f: &str) -> Op {
    Op {
        index,
        time: at(time),
        kind,
        process: Process::Client(index / 2),
        f: f.into(),
        value: rashomon_core::Value::Null,
        key: Some("x".into()),
        error: None,
        node: Some("n1".into()),
    }
}

fn message(time: u64, sequence: u64, arrives: Option<u64>, text: &str) -> Happening {
    Happening::Message {
        at: at(time),
        link: LINK,
        sequence,
        arrivals: arrives.map(at).into_iter().collect(),
        fate: if arrives.is_none() { vec!["cut".into()] } else { Vec::new() },
        text: text.into(),
    }
}

fn story() -> Vec<Happening> {
    let leader = Probe::new("leader").with("term", 3);
    vec![
        Happening::Boot { at: at(0), node: NodeId(1), incarnation: 1 },
        Happening::Boot { at: at(0), node: NodeId(2), incarnation: 1 },
        Happening::Timer { at: at(1), node: NodeId(1), timer: "Election".into() },
        message(1, 0, Some(2), "Vote { term: Term(3) }"),
        Happening::Durable { at: at(3), node: NodeId(2), writes: 1 },
        Happening::Probe { at: at(4), node: NodeId(1), said: leader },
        message(5, 1, None, "Append { term: Term(3), entries: [] }"),
        Happening::End { at: at(6), node: NodeId(2), how: "power failed".into() },
        message(6, 2, Some(7), "Append { term: Term(3), entries: [1] }"),
        Happening::Unheard { at: at(7), link: LINK, sequence: 2, because: "nobody was there".into() },
        Happening::Boot { at: at(9), node: NodeId(2), incarnation: 2 },
        Happening::Request {
            at: at(10),
            process: 0,
            node: NodeId(1),
            attempt: 1,
            arrives: Some(at(11)),
            text: "Read".into(),
        },
        Happening::Answer {
            at: at(12),
            process: 0,
            node: NodeId(1),
            attempt: 1,
            arrives: at(13),
            text: "Reply({})".into(),
        },
        message(14, 3, Some(15), "Late { term: Term(3) }"),
    ]
}

fn page(happenings: Vec<Happening>, left_out: u64, text: &str) -> String {
    let history = History::new(vec![op(0, 10, Kind::Invoke, text), op(1, 13, Kind::Ok, text)]).unwrap();
    let anomaly = Anomaly {
        name: "stale-read".into(),
        key: Some("x".into()),
        events: vec![0, 1],
        evidence: vec![],
        because: "it is stale".into(),
        details: Map::new(),
    };
    let checkers = vec![Verdict::invalid("register", "stale-read", vec![anomaly])];
    let verdict = RunVerdict::new(checkers, vec![], vec![], Totals::of(&history), Ended::TimeLimit);
    let shrunk = Shrunk {
        accusation: Accusation { checker: "register".into(), anomaly: "stale-read".into() },
        seed: 7,
        command: "rashomon sim raft --seed 7".into(),
        before: Size { faults: 1234, ops: 4321, lasts: Duration::from_secs(15), ..Size::default() },
        after: Size { faults: 2, ops: 1, lasts: Duration::from_millis(16), ..Size::default() },
        attempts: 88,
        took_ms: 1500,
        unfinished: true,
    };
    let trace = Trace { happenings, left_out };
    render_parts(&Parts {
        verdict: Some(&verdict),
        trace: Some(&trace),
        shrunk: Some(&shrunk),
        ..Parts::new("a run", &history)
    })
}

fn section(page: &str) -> &str {
    let (_, rest) = page.split_once("<section id=\"story\">").expect("there is a story");
    rest.split_once("</section>").unwrap().0
}

#[test]
fn the_story_has_a_lane_for_everybody_and_a_mark_for_everything() {
    let page = page(story(), 5, "read");
    let story = section(&page);
    for lane in ["client 0", ">n1<", ">n2<"] {
        assert!(story.contains(lane), "{lane}");
    }
    let classes = [
        ("class=\"timer\"", 2),
        ("class=\"durable\"", 2),
        ("class=\"pill said\"", 2),
        ("class=\"pill end\"", 1),
        ("class=\"pill life\"", 3),
        ("class=\"message\"", 3),
        ("class=\"message gone\"", 1),
        ("class=\"message touched gone\"", 2),
        ("class=\"request\"", 4),
        ("class=\"op ok core illegal\"", 1),
        ("class=\"absence dead\"", 2),
        ("class=\"fault rule found\"", 1),
    ];
    // Most have an example in the legend, too; the heads of arrows have a class as well.
    for (class, count) in classes {
        assert_eq!(story.matches(class).count(), count, "{class}");
    }
    for words in
        ["leader term 3", "Vote term 3", "Append term 3", "power failed", "starts again", "nobody was there"]
    {
        assert!(story.contains(words), "{words}");
    }
    assert!(story.contains("it is stale") && story.contains("Not drawn: 6 later happenings"), "{story}");
    assert!(!story.contains("Late"), "what comes after is no part of it");
    assert!(story.contains("<s>1,234</s> 2") && story.contains("when time was up before all was tried"));
}

#[test]
fn a_long_story_is_cut_and_says_so() {
    let mut happenings = story();
    let busy = (0..5_000).map(|number| {
        let mut text = format!("Busy {{ number: {number} }}");
        text.push_str(&"x".repeat(200));
        Happening::Message {
            at: Time(9_100_000 + number * 100),
            link: LINK,
            sequence: 10 + number,
            arrivals: vec![Time(9_100_500 + number * 100)],
            fate: vec!["delayed".into()],
            text,
        }
    });
    happenings.splice(11..11, busy);
    let page = page(happenings, 0, "read");
    assert!(page.len() < 1 << 20, "{} bytes", page.len());
    assert!(section(&page).contains("earlier messages, up to"), "{}", page.len());
}

#[test]
fn text_of_a_trace_is_never_markup() {
    let evil = "<img src=x onerror=alert(1)>\"'";
    let mut happenings = story();
    happenings.insert(0, message(1, 9, Some(2), evil));
    happenings
        .insert(0, Happening::Probe { at: at(1), node: NodeId(1), said: Probe::new(evil).with(evil, evil) });
    happenings.insert(0, Happening::Timer { at: at(1), node: NodeId(1), timer: evil.into() });
    happenings.insert(0, Happening::End { at: at(1), node: NodeId(1), how: evil.into() });
    let page = page(happenings, 0, evil);
    assert!(section(&page).contains("onerror") && !page.contains("<img"));
}

#[test]
fn without_a_trace_there_is_no_story() {
    let page = render_parts(&Parts::new("a run", &History::default()));
    assert!(!page.contains("id=\"story\"") && !page.contains("#story"));
}
