//! Which checker a history seems to be for, by its operations.

use rashomon_core::{History, Kind, Op, Process, Value};

/// The checker whose operations these are, where no data type is meant: see `docs/checkers.md` for their shapes.
pub(super) fn checker(history: &History) -> Option<&'static str> {
    let client = |op: &&Op| op.process != Process::Nemesis;
    let invoked = || history.ops().iter().filter(client).filter(|op| op.kind == Kind::Invoke);
    let all = |names: &[&str]| invoked().all(|op| names.contains(&op.f.as_str()));
    let any = |name: &str| invoked().any(|op| op.f == name);
    let answers = |f: &str, shape: fn(&Value) -> bool| {
        let mut answers =
            history.ops().iter().filter(client).filter(|op| op.kind == Kind::Ok && op.f == f).peekable();
        answers.peek().is_some() && answers.all(|op| shape(&op.value))
    };
    let micro_ops = |op: &Op| {
        op.value
            .as_array()
            .is_some_and(|list| list.iter().all(|one| one.get(0).is_some_and(Value::is_string)))
    };
    invoked().next()?;
    if all(&["generate"]) {
        Some("unique-ids")
    } else if all(&["broadcast", "read"]) && any("broadcast") {
        Some("broadcast")
    } else if all(&["enqueue", "dequeue", "drain"]) && any("drain") {
        Some("total-queue")
    } else if all(&["add", "read"]) && any("add") && answers("read", Value::is_i64) {
        // One with final reads is right in the end only, and one that falls counts both ways.
        let finals = invoked().any(|op| op.f == "read" && op.value == "final");
        let falls = invoked().any(|op| op.f == "add" && op.value.as_i64().is_some_and(i64::is_negative));
        Some(match (finals, falls) {
            (false, _) => "counter",
            (true, false) => "g-counter",
            (true, true) => "pn-counter",
        })
    } else if all(&["send", "poll", "txn", "assign", "subscribe", "crash", "debug-topic-partitions"])
        && (any("send") || any("assign") || any("subscribe") || any("poll"))
    {
        Some("kafka")
    } else if all(&["read", "write"]) && any("read") && invoked().all(micro_ops) {
        Some("long-fork")
    } else if all(&["read", "write"]) && answers("read", Value::is_array) {
        Some("causal-reverse")
    } else if all(&["read-init", "read", "write"]) && any("read-init") {
        Some("causal")
    } else if all(&["insert"]) && invoked().all(|op| op.value.is_array()) {
        Some("adya")
    } else if all(&["transfer", "read"])
        && any("transfer")
        && (!invoked().any(|op| op.value.get("id").is_some()) || answers("read", tells_balances_alone))
    {
        Some("bank")
    } else {
        None
    }
}

/// Whether a read of a bank tells how much is in its accounts, and not by which transfers it came there.
fn tells_balances_alone(value: &Value) -> bool {
    value.as_object().is_some_and(|accounts| accounts.values().any(Value::is_i64))
}
