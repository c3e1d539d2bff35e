//! The file: what is written is read, and what is wrong is named.

use std::collections::BTreeMap;

use rashomon_core::Value;
use rashomon_results::{Accusation, Size};

use super::*;

const GOOD: &str = r#"{
  "version": 1,
  "plan": {"version":1,"system":"raft","nodes":3,"workload":"register","time-limit":"2s","seed":7},
  "faults": [
    {"id":4,"at":"500ms","until":"700ms","fault":{"fault":"kill"},"disruption":{"do":"kill","nodes":["n2"]}}
  ],
  "ops": [
    {"at":"400ms","process":0,"node":"n1","f":"write","key":"0","value":1},
    {"at":"450ms","process":1,"node":"n3","f":"read","key":"0"}
  ],
  "messages": [
    {"from":"n1","to":"n2","sequence":3,"fate":"drop"},
    {"from":"n1","to":"n2","sequence":4,"fate":{"deliver":"3ms"}},
    {"from":"n2","to":"n1","sequence":4,"fate":"pass"}
  ]
}
"#;

fn refused(from: &str, to: &str) -> String {
    let text = GOOD.replacen(from, to, 1);
    assert_ne!(text, GOOD, "{from} is not there");
    parse("story.json", &text).unwrap_err().to_string()
}

#[test]
fn what_is_written_is_read() {
    let mut schedule = parse("story.json", GOOD).unwrap();
    assert_eq!((schedule.faults().len(), schedule.ops.len(), schedule.messages.len()), (1, 2, 3));
    assert_eq!(
        schedule.ops[1].invocation,
        Invocation { f: "read", key: Some("0".into()), value: Value::Null }
    );
    assert_eq!(schedule.clients(), [(0, NodeId(1)), (1, NodeId(3))]);
    let link = Link { from: NodeId(1), to: NodeId(2) };
    assert_eq!(schedule.messages[&(link, 4)], Override::Deliver(Duration::from_millis(3)));
    schedule.shrunk = Some(Shrunk {
        accusation: Accusation { checker: "set".into(), anomaly: "lost-element".into() },
        seed: 7,
        command: "rashomon sim raft --seed 7".into(),
        before: Size { faults: 9, ..Size::default() },
        after: Size { faults: 1, lasts: Duration::from_millis(12), ..Size::default() },
        attempts: 99,
        took_ms: 1234,
        unfinished: false,
    });
    let text = schedule.to_text();
    let again = parse("story.json", &text).unwrap();
    assert_eq!(
        (again.faults(), &again.ops, &again.messages),
        (schedule.faults(), &schedule.ops, &schedule.messages)
    );
    assert_eq!((again.shrunk.clone(), again.to_text()), (schedule.shrunk.clone(), text));
    let empty = Schedule { ops: Vec::new(), messages: BTreeMap::new(), ..schedule.with_faults(Vec::new()) };
    assert_eq!(parse("story.json", &empty.to_text()).unwrap().clients(), []);
}

#[test]
fn every_mistake_is_named_by_file_line_and_reason() {
    let cases = [
        ("\"version\": 1", "\"version\": 2", "story.json:2: version 2 of the schedule format"),
        ("\"ops\"", "\"opps\"", "story.json:7: unknown field `opps`"),
        ("\"raft\"", "\"rafft\"", "story.json:3: no system is called `rafft`; did you mean `raft`?"),
        ("\"nodes\":3", "\"nodes\":\"x\"", "story.json:3: invalid type"),
        (
            "\"seed\":7",
            "\"nemesis\":{\"kinds\":[]}",
            "story.json:3: the faults of a schedule stand in its `faults`",
        ),
        ("[\"n2\"]", "[\"n4\"]", "story.json:5: there is no n4: the nodes are n1 to n3"),
        ("[\"n2\"]", "[\"x\"]", "story.json:5: `x` is not a node"),
        ("700ms", "300ms", "story.json:5: it ends before it begins"),
        ("\"at\":\"500ms\"", "\"at\":\"soon\"", "story.json:5: "),
        ("\"read\"", "\"raed\"", "story.json:9: no op of register is called `raed`; did you mean `read`?"),
        ("\"n3\"", "\"n5\"", "story.json:9: there is no n5"),
        ("450ms", "350ms", "story.json:9: ops stand in order of time"),
        ("\"process\":1,", "\"process\":0,", "story.json:9: process 0 asks n1 first in an earlier op"),
        (
            "\"process\":1,",
            "\"process\":18446744073709551615,",
            "story.json:9: process 18446744073709551615; at most",
        ),
        ("\"process\":1,", "", "story.json:9: missing field `process`"),
        (
            "\"sequence\":4,\"fate\":{",
            "\"sequence\":3,\"fate\":{",
            "story.json:13: the fate of this message stands above",
        ),
        ("\"pass\"", "\"vanish\"", "story.json:14: unknown variant `vanish`"),
        ("3ms", "3years", "story.json:13: it arrives more than a day later"),
        ("]\n}", "]", "story.json:16: EOF"),
    ];
    for (from, to, expected) in cases {
        let error = refused(from, to);
        assert!(error.starts_with(expected), "{to}: {error}");
    }
    let twice = refused(
        "\"faults\": [",
        "\"faults\": [\n{\"id\":4,\"at\":\"1ms\",\"fault\":{\"fault\":\"kill\"},\"disruption\":{\"do\":\"kill\",\"nodes\":[]}},",
    );
    assert_eq!(twice, "story.json:6: another fault has the id 4");
    assert!(parse("story.json", "").unwrap_err().to_string().starts_with("story.json:1: EOF"));
    let huge = refused(
        "\"do\":\"kill\",\"nodes\":[\"n2\"]",
        "\"do\":\"slow-disk\",\"nodes\":[],\"at_least\":\"1ms\",\"at_most\":\"900years\"",
    );
    assert_eq!(huge, "story.json:5: it takes longer than a day");
}
