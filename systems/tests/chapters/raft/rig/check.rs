//! A small search for an order that explains what clients saw of one register.

use std::collections::BTreeSet;

use rashomon_core::rpc::Body;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Action {
    Read(Option<i64>),
    Write(i64),
    Cas(Option<i64>, i64),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation {
    pub(crate) action: Action,
    pub(crate) invoked: u64,
    pub(crate) completed: Option<u64>,
    /// It certainly happened.
    pub(crate) happened: bool,
    /// It certainly did not.
    pub(crate) failed: bool,
}

impl Action {
    /// What a body asks of a register; `None` for the other ops.
    pub(crate) fn of(body: &Body) -> Option<Action> {
        let number = |field: &str| body.get(field).and_then(serde_json::Value::as_i64);
        match body["type"].as_str()? {
            "read" => Some(Action::Read(None)),
            "write" => Some(Action::Write(number("value")?)),
            "cas" => Some(Action::Cas(number("from"), number("to")?)),
            _ => None,
        }
    }

    /// Whether it can have happened in this state.
    fn fits(self, state: Option<i64>) -> bool {
        match self {
            Action::Read(value) => value == state,
            Action::Write(_) => true,
            Action::Cas(from, _) => from == state,
        }
    }

    /// The state after it.
    pub(crate) fn after(self) -> Option<i64> {
        match self {
            Action::Read(value) => value,
            Action::Write(value) | Action::Cas(_, value) => Some(value),
        }
    }
}

/// Whether some order of the operations explains their answers. A failed one takes no part.
pub(crate) fn linearizable(ops: &[Operation]) -> bool {
    // A read of which nobody knows the answer says nothing.
    let ops: Vec<Operation> = ops
        .iter()
        .filter(|op| !op.failed && (op.happened || !matches!(op.action, Action::Read(_))))
        .copied()
        .collect();
    assert!(ops.len() <= 128, "the bit set is too small for {} ops", ops.len());
    let must: u128 = ops.iter().enumerate().filter(|(_, op)| op.happened).map(|(at, _)| 1_u128 << at).sum();
    let mut seen = BTreeSet::new();
    let mut stack = vec![(0_u128, None)];
    while let Some((done, state)) = stack.pop() {
        if done & must == must {
            return true;
        }
        if !seen.insert((done, state)) {
            continue;
        }
        let open = || ops.iter().enumerate().filter(|(at, _)| done & (1 << at) == 0);
        let deadline = open().filter_map(|(_, op)| op.completed).min().unwrap_or(u64::MAX);
        for (at, op) in open().filter(|(_, op)| op.invoked < deadline && op.action.fits(state)) {
            stack.push((done | (1 << at), op.action.after()));
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok(action: Action, invoked: u64, completed: u64) -> Operation {
        Operation { action, invoked, completed: Some(completed), happened: true, failed: false }
    }

    #[test]
    fn stale_reads_are_seen_and_open_writes_forgiven() {
        let write = |value, a, b| ok(Action::Write(value), a, b);
        let read = |value, a, b| ok(Action::Read(value), a, b);
        assert!(linearizable(&[write(1, 1, 2), read(Some(1), 3, 4)]));
        assert!(!linearizable(&[write(1, 1, 2), read(None, 3, 4)]));
        assert!(linearizable(&[write(1, 1, 4), read(None, 2, 3)]));
        assert!(!linearizable(&[write(1, 1, 2), write(2, 3, 4), read(Some(1), 5, 6)]));
        let open = Operation { completed: None, happened: false, ..write(9, 1, 0) };
        assert!(linearizable(&[open, read(None, 2, 3), read(Some(9), 4, 5)]));
        assert!(linearizable(&[open, read(None, 2, 3)]));
        let failed = Operation { failed: true, ..open };
        assert!(!linearizable(&[failed, read(Some(9), 4, 5)]));
        assert!(!linearizable(&[ok(Action::Cas(Some(1), 2), 1, 2)]));
    }
}
