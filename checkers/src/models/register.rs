//! A register: the model of most key-value tests.

use rashomon_core::history::Pair;
use rashomon_core::{Kind, Value};

use super::{Datum, Values};
use crate::{Effect, Model};

/// A register that is read, written and, where allowed, compared and set.
///
/// Operations, as `f` and value: `read` with the value found when `ok`; `write` with the value to store; `cas`
/// with `[from, to]`. An `ok` cas whose result is `false` was refused and so observed that the value was not
/// `from`: other tools record refusals so. In our own histories a refused cas is a `fail`, which constrains
/// nothing, since `fail` also covers a cas that was never tried.
#[derive(Clone, Debug)]
pub struct Register {
    values: Values,
    initial: Datum,
    cas: bool,
    nil_reads_anything: bool,
}

/// What one operation on a [`Register`] claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RegisterAction {
    /// This was the value.
    Read(Datum),
    /// This became the value.
    Write(Datum),
    /// The first was the value and the second became it.
    Cas(Datum, Datum),
    /// This was not the value.
    Differs(Datum),
}

impl Register {
    fn new(cas: bool) -> Register {
        let mut values = Values::default();
        let initial = values.intern(&Value::Null);
        Register { values, initial, cas, nil_reads_anything: false }
    }

    /// A register with reads and writes, `null` at first.
    pub fn plain() -> Register {
        Register::new(false)
    }

    /// A register with reads, writes and cas, `null` at first.
    pub fn cas() -> Register {
        Register::new(true)
    }

    /// The same register with another value at first.
    pub fn with_initial(mut self, value: &Value) -> Register {
        self.initial = self.values.intern(value);
        self
    }

    /// The same register, where an `ok` read of `null` means that the value read was not recorded.
    pub fn with_nil_reading_anything(mut self, yes: bool) -> Register {
        self.nil_reads_anything = yes;
        self
    }
}

impl Model for Register {
    type State = Datum;
    type Action = RegisterAction;

    fn name(&self) -> &'static str {
        if self.cas { "cas-register" } else { "register" }
    }

    fn initial(&self) -> Datum {
        self.initial
    }

    fn action(&mut self, pair: &Pair<'_>) -> Result<Option<RegisterAction>, String> {
        let answer = pair.completion.filter(|op| op.kind == Kind::Ok).map(|op| &op.value);
        let argument = &pair.invoke.value;
        match pair.invoke.f.as_str() {
            "read" => Ok(match answer {
                None => None,
                Some(Value::Null) if self.nil_reads_anything => None,
                Some(value) => Some(RegisterAction::Read(self.values.intern(value))),
            }),
            "write" => Ok(Some(RegisterAction::Write(self.values.intern(argument)))),
            "cas" if self.cas => {
                let Value::Array(both) = argument else {
                    return Err(format!("a cas has a value [from, to], not {argument}"));
                };
                let [from, to] = both.as_slice() else {
                    return Err(format!("a cas has two values, [from, to], not {argument}"));
                };
                let (from, to) = (self.values.intern(from), self.values.intern(to));
                let refused = answer == Some(&Value::Bool(false));
                Ok(Some(if refused { RegisterAction::Differs(from) } else { RegisterAction::Cas(from, to) }))
            }
            other => Err(format!("the model {} has no operation `{other}`", self.name())),
        }
    }

    fn expect(&mut self, operations: usize) {
        self.values.expect(operations);
    }

    fn step(&self, state: &Datum, action: &RegisterAction) -> Option<Datum> {
        match *action {
            RegisterAction::Read(value) => (*state == value).then_some(value),
            RegisterAction::Write(value) => Some(value),
            RegisterAction::Cas(from, to) => (*state == from).then_some(to),
            RegisterAction::Differs(value) => (*state != value).then_some(*state),
        }
    }

    fn effect(&self, action: &RegisterAction) -> Effect<Datum> {
        match *action {
            RegisterAction::Read(value) => Effect::Observe(value),
            RegisterAction::Write(value) => Effect::Set(value),
            RegisterAction::Cas(from, to) => Effect::Swap(from, to),
            RegisterAction::Differs(_) => Effect::Pure,
        }
    }

    fn number(&self, state: &Datum) -> Option<u32> {
        Some(state.number())
    }

    fn show(&self, state: &Datum) -> Value {
        self.values.get(*state)
    }
}
