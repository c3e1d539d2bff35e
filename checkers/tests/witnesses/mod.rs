//! What an anomaly of transactions must show for a picture.

use rashomon_core::{Anomaly, History, Kind, Value};

/// The anomaly is a cycle of transactions that are in the history, or it marks micro-ops that are there.
#[track_caller]
pub(crate) fn witnessed(history: &History, anomaly: &Anomaly) {
    let list = |name: &str| anomaly.details.get(name).and_then(Value::as_array);
    let begun = |event: &Value| {
        let op = &history.ops()[event.as_u64().unwrap() as usize];
        assert_eq!(op.kind, Kind::Invoke, "{anomaly:#?}");
        op
    };
    if let Some(edges) = list("edges") {
        let transactions = list("transactions").unwrap();
        assert!(transactions.len() > 1 && transactions.len() == edges.len(), "{anomaly:#?}");
        for (place, (transaction, edge)) in transactions.iter().zip(edges).enumerate() {
            let op = begun(&transaction["invoke"]);
            assert_eq!(transaction["process"], op.process.to_string(), "{anomaly:#?}");
            let end = history.partner_of(op).map(|end| end.index);
            assert_eq!(transaction["completion"].as_u64(), end, "{anomaly:#?}");
            let next = &transactions[(place + 1) % transactions.len()];
            assert_eq!((&edge["from"], &edge["to"]), (&transaction["name"], &next["name"]), "{anomaly:#?}");
            let known = ["ww", "wr", "rw", "process", "realtime"];
            assert!(known.contains(&edge["class"].as_str().unwrap()), "{anomaly:#?}");
            assert!(!edge["because"].as_str().unwrap().is_empty(), "{anomaly:#?}");
        }
        assert!(anomaly.details["dot"].as_str().unwrap().starts_with("digraph"), "{anomaly:#?}");
        return;
    }
    let marks = list("marks").unwrap_or_else(|| panic!("neither a cycle nor marks: {anomaly:#?}"));
    assert!(!marks.is_empty());
    for mark in marks {
        let op = begun(&mark["event"]);
        assert!(anomaly.events.contains(&op.index), "{anomaly:#?}");
        let end = history.partner_of(op).filter(|end| end.kind == Kind::Ok);
        let micro_ops = end.unwrap_or(op).value.as_array().unwrap();
        let is_marked = |(place, micro_op): (usize, &Value)| {
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let shows = |value: &Value| {
                micro_op[2] == *value || micro_op[2].as_array().is_some_and(|list| list.contains(value))
            };
            micro_op[0] == mark["verb"]
                && anomaly.key == Some(text(&micro_op[1]))
                && mark["place"].as_u64().is_none_or(|known| known == place as u64)
                && (mark["value"].is_null() || shows(&mark["value"]))
        };
        assert!(micro_ops.iter().enumerate().any(is_marked), "{mark} of {anomaly:#?}");
    }
}
