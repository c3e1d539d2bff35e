//! A lock that one process at a time has.

use rashomon_core::history::Pair;
use rashomon_core::{Kind, Process, Value};
use serde_json::json;

use crate::{Effect, Model};

/// A mutex that is free at first, and, where wanted, numbers its grants.
///
/// Operations, as `f`: `acquire`, possible when the mutex is free; `release`, possible for the process that has it. With
/// tokens the value of an `ok` acquire is its fencing token, greater than all tokens before it. An acquire that ended
/// `info` may have got the mutex with a token that nobody was told: then the smallest possible, since a greater one
/// allows nothing that this does not.
#[derive(Clone, Copy, Debug)]
pub struct Mutex {
    tokens: bool,
}

/// What one operation on a [`Mutex`] claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MutexAction {
    /// The mutex was free, and this process has it from then on.
    Acquire(u64),
    /// The same, and this was the token.
    AcquireWith(u64, u64),
    /// This process had the mutex, and nobody has it from then on.
    Release(u64),
}

/// Who has a [`Mutex`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Held {
    /// The process that has it, if any.
    pub by: Option<u64>,
    /// The last token; 0 before the first, and where there are none.
    pub token: u64,
}

impl Mutex {
    /// A mutex without tokens.
    pub fn plain() -> Mutex {
        Mutex { tokens: false }
    }

    /// A mutex whose grants have tokens that rise.
    pub fn fenced() -> Mutex {
        Mutex { tokens: true }
    }
}

impl Model for Mutex {
    type State = Held;
    type Action = MutexAction;

    fn name(&self) -> &'static str {
        if self.tokens { "lock" } else { "mutex" }
    }

    fn initial(&self) -> Held {
        Held::default()
    }

    fn action(&mut self, pair: &Pair<'_>) -> Result<Option<MutexAction>, String> {
        let Process::Client(process) = pair.invoke.process else {
            return Err("only clients take locks".to_owned());
        };
        let answer = pair.completion.filter(|op| op.kind == Kind::Ok).map(|op| &op.value);
        match (pair.invoke.f.as_str(), answer) {
            ("acquire", Some(token)) if self.tokens => match token.as_u64() {
                Some(token) => Ok(Some(MutexAction::AcquireWith(process, token))),
                None => Err(format!("an acquire is answered with its token, a number, not {token}")),
            },
            ("acquire", _) => Ok(Some(MutexAction::Acquire(process))),
            ("release", _) => Ok(Some(MutexAction::Release(process))),
            (other, _) => Err(format!("the model {} has no operation `{other}`", self.name())),
        }
    }

    fn step(&self, state: &Held, action: &MutexAction) -> Option<Held> {
        match *action {
            MutexAction::Acquire(process) => {
                let token = if self.tokens { state.token.saturating_add(1) } else { 0 };
                state.by.is_none().then_some(Held { by: Some(process), token })
            }
            MutexAction::AcquireWith(process, token) => {
                let possible = state.by.is_none() && token > state.token;
                possible.then_some(Held { by: Some(process), token })
            }
            MutexAction::Release(process) => {
                (state.by == Some(process)).then_some(Held { by: None, ..*state })
            }
        }
    }

    fn effect(&self, action: &MutexAction) -> Effect<Held> {
        let held = |by| Held { by, token: 0 };
        match *action {
            MutexAction::Acquire(process) if !self.tokens => Effect::Swap(held(None), held(Some(process))),
            MutexAction::Release(process) if !self.tokens => Effect::Swap(held(Some(process)), held(None)),
            MutexAction::Acquire(_) | MutexAction::AcquireWith(..) | MutexAction::Release(_) => Effect::Any,
        }
    }

    fn reachable(&self, from: &Held, to: &Held) -> bool {
        from.token <= to.token
    }

    fn show(&self, state: &Held) -> Value {
        match (state.by, self.tokens) {
            (None, _) => Value::Null,
            (Some(by), false) => json!({ "process": by }),
            (Some(by), true) => json!({ "process": by, "token": state.token }),
        }
    }
}
