//! What Jepsen's workloads write beside the value of an op, and their checkers need.

use std::collections::BTreeSet;

use rashomon_core::{Kind, Map, Value};
use serde_json::json;

/// The value of an op with what stands beside it, which is taken out of `fields`:
///
/// - `final?`: a read that is invoked to see how things are in the end has the value `"final"`;
/// - `position` and `link`, of a register whose operations follow each other: an object of `value`, `position`, `link`;
/// - `seek-to-beginning?`, of an assignment of logs to a consumer: an object of `keys` and `seek-to-beginning`;
/// - `rebalance-log`: the keys that were taken from a consumer or given to it, as a micro-op `["rebalance", keys]`.
pub(super) fn fold(value: Value, kind: Kind, f: &str, fields: &mut Map<String, Value>) -> Value {
    let mut take =
        |name: &str| fields.remove(name).filter(|value| !matches!(value, Value::Null | Value::Bool(false)));
    match f {
        "read" | "read-init" | "write" => {
            let last = take("final?").is_some() && kind == Kind::Invoke && value.is_null();
            let (position, link) = (take("position"), take("link"));
            if last {
                "final".into()
            } else if position.is_none() && link.is_none() {
                value
            } else {
                let with = |value: Value| json!({"value": value, "position": position, "link": link});
                match value {
                    // A key and a value: it is the value that has a position.
                    Value::Array(both) if both.len() == 2 => {
                        let mut both = both.into_iter();
                        json!([both.next(), with(both.next().unwrap_or_default())])
                    }
                    other => with(other),
                }
            }
        }
        "assign" if take("seek-to-beginning?").is_some() => json!({"keys": value, "seek-to-beginning": true}),
        "txn" | "poll" => match (value, take("rebalance-log")) {
            (Value::Array(mut micro_ops), Some(Value::Array(log))) if !log.is_empty() => {
                let keys = log.iter().filter_map(|entry| entry["keys"].as_array()).flatten();
                let keys: BTreeSet<String> = keys.map(super::jepsen::text_of).collect();
                micro_ops.push(json!(["rebalance", keys]));
                micro_ops.into()
            }
            (value, _) => value,
        },
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use rashomon_core::{Kind, Map, Value};
    use serde_json::json;

    use super::fold;

    #[track_caller]
    fn folded(op: Value, expected: &Value) {
        let Value::Object(mut fields) = op else { panic!("no object") };
        let value = fields.remove("value").unwrap_or_default();
        let Some(Value::String(f)) = fields.remove("f") else { panic!("no f") };
        assert_eq!(fold(value, Kind::Invoke, &f, &mut fields), *expected);
        assert_eq!(fields, Map::default());
    }

    #[test]
    fn what_stands_beside_a_value_is_kept_with_it() {
        folded(json!({"f": "read", "final?": true}), &json!("final"));
        folded(json!({"f": "read", "final?": false}), &json!(null));
        folded(
            json!({"f": "write", "value": 1, "position": 7, "link": "init"}),
            &json!({"value": 1, "position": 7, "link": "init"}),
        );
        folded(
            json!({"f": "write", "value": ["k", 1], "position": 7}),
            &json!(["k", {"value": 1, "position": 7, "link": null}]),
        );
        folded(
            json!({"f": "assign", "value": [1, 2], "seek-to-beginning?": true}),
            &json!({"keys": [1, 2], "seek-to-beginning": true}),
        );
        folded(
            json!({"f": "poll", "value": [["poll"]], "rebalance-log": [{"keys": [1, 2]}, {"keys": [2]}]}),
            &json!([["poll"], ["rebalance", ["1", "2"]]]),
        );
        folded(json!({"f": "poll", "value": [["poll"]], "rebalance-log": []}), &json!([["poll"]]));
    }

    #[test]
    fn only_a_read_that_begins_and_asks_for_nothing_else_is_a_final_one() {
        let fields = || Map::from_iter([("final?".to_owned(), Value::Bool(true))]);
        assert_eq!(fold(Value::Null, Kind::Invoke, "read", &mut fields()), json!("final"));
        assert_eq!(fold(Value::Null, Kind::Ok, "read", &mut fields()), json!(null));
        assert_eq!(fold(json!(5), Kind::Invoke, "read", &mut fields()), json!(5));
    }
}
